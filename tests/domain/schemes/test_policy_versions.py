"""The fingerprint of a version: the same rules give the same one, other rules another."""

import json
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal

import pytest

from tests.domain import examples
from tests.domain.examples import POLICY, days, grace, nouns
from tracker.domain.schemes import policy_versions
from tracker.domain.schemes.activity_types import Category, Limits, Noun, Provenance
from tracker.domain.schemes.policies import Cohort, Duplicates, Policy

FRENCH = Noun("heure", "heures", feminine=True)
CHECKED = Provenance("The published text, page 3.", verified=True)


def test_it_is_sixty_four_hexadecimal_digits_and_always_the_same():
    found = policy_versions.digest(POLICY)

    assert found == policy_versions.digest(replace(POLICY))
    assert len(found) == 64
    assert set(found) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    "same",
    [
        replace(POLICY, points_required=Decimal("100.0")),
        replace(POLICY, points_required=Decimal("1E+2")),
        replace(POLICY, categories=dict(sorted(POLICY.categories.items(), reverse=True))),
        replace(POLICY, provenance=CHECKED),
        replace(POLICY, unverified=()),
        examples.with_type(POLICY, "volunteer", provenance=CHECKED),
        examples.with_type(POLICY, "volunteer", evidence="required"),
        examples.with_type(POLICY, "volunteer", evidence_kinds={"en": "a note", "es": "una nota"}),
        examples.with_type(POLICY, "volunteer", warn_above=Decimal(5)),
        examples.with_type(POLICY, "volunteer", unit=nouns("an hour/hours", "hora/horas")),
        examples.with_type(
            POLICY, "volunteer", unit={**nouns("hour/hours", "hora/horas"), "fr": FRENCH}
        ),
        examples.with_type(
            POLICY, "volunteer", name={**POLICY.types["volunteer"].name, "fr": "Bénévolat"}
        ),
    ],
)
def test_how_it_is_written_and_what_is_known_about_it_change_nothing(same):
    assert policy_versions.digest(same) == policy_versions.digest(POLICY)


@pytest.mark.parametrize(
    "other",
    [
        replace(POLICY, version="2016"),
        replace(POLICY, points_required=Decimal("100.01")),
        replace(POLICY, effective_from=date(2020, 1, 1)),
        replace(POLICY, valid_while_pending=True),
        replace(POLICY, late=grace(days(30))),
        replace(POLICY, late=(*grace(days(30)), *grace(days(60)))),
        replace(POLICY, cohort=Cohort(awarded_before=date(2011, 1, 1))),
        replace(POLICY, duplicates=Duplicates(("title", "provider"))),
        replace(POLICY, duplicates=None),
        replace(POLICY, approved_providers=frozenset({"Ivy Tech"})),
        replace(POLICY, credit=nouns("PDU/PDUs", "PDU")),
        examples.capped(IC="60.01"),
        examples.capped(IC=None),
        examples.with_type(POLICY, "volunteer", rate=Decimal("1.01")),
        examples.with_type(POLICY, "volunteer", unit=nouns("day/days", "día/días")),
    ],
)
def test_another_rule_is_another_fingerprint(other):
    assert policy_versions.digest(other) != policy_versions.digest(POLICY)


def test_another_step_of_a_ladder_is_another_fingerprint():
    ladders = [replace(POLICY, late=grace(days(length))) for length in (30, 60)]

    assert len({policy_versions.digest(policy) for policy in ladders}) == 2


def test_the_content_is_written_as_people_write():
    named = examples.with_type(POLICY, "volunteer", unit=nouns("day/days", "día/días"))

    assert '"unit":{"en":"days","es":"días"}' in policy_versions.content(named)


def test_sets_are_in_order_whatever_order_they_were_made_in():
    one = replace(POLICY, approved_providers=frozenset(["a", "b", "c", "d"]))
    other = replace(POLICY, approved_providers=frozenset(["d", "c", "b", "a"]))

    assert policy_versions.content(one) == policy_versions.content(other)
    assert json.loads(policy_versions.content(one))["approved_providers"] == ["a", "b", "c", "d"]


def test_what_has_its_default_is_left_out_so_that_new_keys_change_no_old_fingerprint():
    smallest = Policy(
        version="1",
        effective_from=None,
        points_required=Decimal("60.00"),
        categories={"A": Category("A", {"en": "A", "es": "A"}, Limits(), CHECKED)},
        types={},
        window=POLICY.window,
        provenance=CHECKED,
    )

    assert policy_versions.content(smallest) == (
        '{"categories":{"A":{"code":"A","limits":{},"name":{"en":"A","es":"A"}}},'
        '"effective_from":null,"points_required":"60","types":{},"version":"1",'
        '"window":{"length":{"length":90,"unit":"days"}}}'
    )
    assert len(fields(Policy)) > 20
