"""The shipped schemes: they load, say where each value comes from, and claim nothing unverified."""

import tomllib
from datetime import time
from decimal import Decimal

import pytest

from tracker import scheme_files, settings
from tracker.domain.periods import Duration
from tracker.domain.schemes.policies import ApplicationWindow, Duplicates

DIRECTORY = settings.ROOT / "config" / "schemes"
FILES = sorted(DIRECTORY.glob("*.toml"))
SCHEMES = scheme_files.load(DIRECTORY)


def _tables(value, path=()):
    """Every table of a file with the path to it."""
    if isinstance(value, dict):
        yield path, value
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in entries:
        if isinstance(inner, dict | list):
            yield from _tables(inner, (*path, key))


def test_the_shipped_files_hold_no_mistake():
    assert scheme_files.check(DIRECTORY) == []
    assert {scheme.code for scheme in SCHEMES} == {"cpt", "clt", "cla"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_value_says_its_source_and_whether_it_was_verified(file):
    """worked_cases.md P3: a note on the source of each value."""
    sourced = [
        (path, table)
        for path, table in _tables(tomllib.loads(file.read_text("utf-8")))
        if "verified" in table or "source" in table
    ]

    assert len(sourced) >= 2
    for path, table in sourced:
        assert table["source"].strip(), path
        assert isinstance(table["verified"], bool), path


@pytest.mark.parametrize("scheme", list(SCHEMES), ids=lambda scheme: scheme.code)
def test_no_point_value_is_called_verified(scheme):
    """worked_cases.md P2: the points of activities and the caps are not public enough to copy."""
    for policy in scheme.policies:
        assert not policy.verified
        values = [*policy.categories.values(), *policy.types.values()]
        assert not any(value.provenance.verified for value in values)
        assert all(value.provenance.source for value in values)
        named = {f"types.{code}" for code in policy.types}
        assert named <= set(policy.unverified)


@pytest.mark.parametrize("code", ["cpt", "clt"])
def test_the_policy_is_as_published_with_illustrative_values(code):
    """worked_cases.md P1, P2."""
    (policy,) = SCHEMES[code].policies
    rates = {kind.code: str(kind.rate) for kind in policy.types.values()}
    caps = {category.code: category.limits.maximum for category in policy.categories.values()}

    assert policy.points_required == Decimal("100.00")
    assert rates == {
        "college_credit": "5.00",
        "college_noncredit": "1.00",
        "third_party": "1.00",
        "industry_certification": "20.00",
        "employment_full_time": "1.00",
        "employment_part_time": "0.50",
        "volunteer": "1.00",
    }
    assert caps == {"CE": None, "IC": Decimal(60), "E": Decimal(60), "X": Decimal(20)}
    assert policy.window == ApplicationWindow(Duration(90, "days"))
    assert (policy.late, policy.valid_while_pending) == ((), False)
    assert policy.pending_points_admit
    assert any(told.startswith("pending_points_admit:") for told in policy.unverified)
    assert (policy.next_cycle, policy.month_rule) == ("old_expiry", "completed")
    assert policy.duplicates == Duplicates(("provider", "title", "completed_on"))
    assert policy.applies == "cycle_start"


@pytest.mark.parametrize("code", ["cpt", "clt"])
def test_both_certifications_are_valid_for_five_years(code):
    assert SCHEMES[code].award.validity == Duration(5, "years")


def test_the_cla_is_the_clts_prerequisite_and_never_expires():
    """worked_cases.md W3."""
    assert SCHEMES["clt"].award.prerequisites == ("cla",)
    assert SCHEMES["cla"].award.validity is None
    assert SCHEMES["cla"].policies == ()


def test_the_clock_of_a_scheme_is_its_own_time_zone():
    assert SCHEMES["cpt"].time_zone.key == "America/New_York"


def test_reminders_are_in_the_order_in_which_they_fall_due():
    reminders = SCHEMES["cpt"].reminders

    assert reminders is not None
    assert reminders.offsets == (730, 365, 180, 90, 60, 30, 14, 7, 1, 0, -1, -30)
    assert reminders.offsets_when_complete == {90, 30, 7, 0, -1}
    assert reminders.send_at == time(9, 0)


def test_the_regimes_before_points_are_told_and_never_computed():
    """worked_cases.md P4: MSSC had three regimes before."""
    assert len(SCHEMES["cpt"].earlier_regimes) == 4
    assert [e.code for e in SCHEMES["cpt"].editions] == ["4.0", "3.0"]


@pytest.mark.parametrize("scheme", list(SCHEMES), ids=lambda scheme: scheme.code)
def test_every_name_is_given_in_both_languages(scheme):
    texts = [scheme.title, *(module.name for module in scheme.modules)]
    for policy in scheme.policies:
        texts += [value.name for value in (*policy.categories.values(), *policy.types.values())]
        texts += [kind.unit for kind in policy.types.values()]

    assert all(text.keys() == {"en", "es"} and all(text.values()) for text in texts)
