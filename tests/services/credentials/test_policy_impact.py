"""Comparing two versions over everyone, and repairing the cycles that a wrong one governs."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from tests.backends import SQLITE
from tests.services.credentials.policy_cases import (
    DAY,
    everything,
    expected,
    found,
    installed,
    next_version,
    populate,
    renewed,
)
from tests.statements import counted
from tracker.domain.periods import Duration
from tracker.domain.permissions import SYSTEM
from tracker.domain.schemes.policies import CarryOver, LateStep, PointsSharing
from tracker.models import Activity, Adjustment
from tracker.services.credentials import policy_impact
from tracker.services.credentials.policy_impact import PolicyRepair, Version
from tracker.services.standings import standings


@pytest.fixture
def changed(container):
    """The container with the corrected version installed."""
    return installed(container, next_version(container))


def compared(container, *, new=None, on=DAY, **options):
    """Every certification under the shipped version and under another one."""
    scheme = container.schemes["cpt"]
    old = Version(scheme, scheme.policies[0])
    new = new or Version(scheme, scheme.policies[-1])
    with container.reading(SYSTEM) as reading:
        return list(policy_impact.diff(reading, old, new, on=on, **options))


def test_the_differences_are_those_that_plain_arithmetic_gives(changed, container):
    people = populate(container, 320)
    awarded = {p.number: p for p in people if p.awarded_on <= DAY}

    result = compared(changed)

    assert [one.number for one in result] == sorted(awarded)  # ids are made in that order
    assert len(awarded) < len(people)
    assert {one.number: found(one) for one in result} == {
        number: expected(person) for number, person in awarded.items()
    }
    kinds = Counter(each.kind for one in result for each in one.differences)
    assert kinds["complete_gained"] > 3
    assert kinds["total_lowered"] > 100
    assert all(one.version == "2015" for one in result)
    assert {one.number: one.holder_ref for one in result} == {n: p.ref for n, p in awarded.items()}


def test_the_size_of_chunks_changes_nothing_but_the_number_of_statements(changed, container):
    populate(container, 120)
    seen: list[int] = []

    with counted(changed) as sent:
        whole = compared(changed, chunk=500)
    few = len(sent)

    assert few < 8
    for chunk in (1, 7, 119, 120):
        assert compared(changed, chunk=chunk, on_progress=seen.append) == whole
    assert seen[-1] == len(whole)
    assert seen[:3] == [1, 2, 3]


@SQLITE
def test_a_version_compared_with_itself_changes_nothing(changed, container):
    populate(container, 30)
    scheme = changed.schemes["cpt"]

    result = compared(changed, new=Version(scheme, scheme.policies[0]))

    assert result
    assert all(one.before == one.after and one.differences == () for one in result)


def test_comparing_writes_nothing(changed, container):
    populate(container, 40)
    before = everything(changed)

    with counted(changed) as sent:
        compared(changed)
        with changed.reading(SYSTEM) as reading:
            policy_impact.foresee(reading, PolicyRepair("cpt", "2015", "2015b", DAY))

    assert everything(changed) == before
    assert all(statement.lstrip().lower().startswith("select") for statement in sent)


def test_what_is_said_before_is_what_a_standing_says(changed, container):
    """The side of the old version agrees with what the rest of the program computes."""
    people = {p.number: p for p in populate(container, 40)}
    with changed.reading(SYSTEM) as reading:
        for one in compared(changed):
            held = standings.of_certification(reading, people[one.number].certification_id, on=DAY)
            assert held is not None
            evaluation = standings.evaluations(reading, [held], on=DAY)[held.id]
            assert one.before.total == evaluation.total
            assert one.before.window_opens_on == held.standing.window_opens_on
            assert one.before.expires_on == held.standing.expires_on


@SQLITE
def test_a_new_file_may_move_the_expiry(changed, container):
    populate(container, 20)
    later = installed(container, next_version(container), valid_through="end_of_month").schemes[
        "cpt"
    ]

    result = compared(changed, new=Version(later, later.policies[-1]))

    moved = [found(one)["expires_on"] for one in result if "expires_on" in found(one)]
    assert len(moved) > 15
    assert all(before < after and (after + timedelta(days=1)).day == 1 for before, after in moved)


@SQLITE
def test_a_new_file_may_end_the_expiry(changed, container):
    populate(container, 5)
    endless = installed(
        container, next_version(container), lifetime_if_awarded_before=date(2100, 1, 1)
    ).schemes["cpt"]

    for one in compared(changed, new=Version(endless, endless.policies[-1])):
        kinds = {each.kind for each in one.differences}
        assert kinds == {
            "total_removed",
            "required_removed",
            "complete_removed",
            "expires_on_removed",
            "window_opens_on_removed",
            "window_closes_on_removed",
        }


@SQLITE
def test_facts_that_only_the_new_version_asks_for_are_read(changed, container):
    """Late steps need applications, and another requirement when they are not in time."""
    step = LateStep(Duration(2, "years"), {"en": "Late", "es": "Tarde"}, extra_points=Decimal(30))
    late = installed(container, next_version(container, late=(step,), points_required=Decimal(100)))
    people = populate(container, 60)
    scheme = late.schemes["cpt"]
    expired = {p.number for p in people if p.awarded_on < DAY.replace(year=DAY.year - 5)}

    result = compared(changed, new=Version(scheme, scheme.policies[-1]))

    raised = {one.number for one in result if "required" in found(one)}
    assert raised == expired
    assert len(expired) > 2


def test_activities_of_a_scheme_that_only_the_new_version_shares_with_count(changed, container):
    people = {p.number: p for p in populate(container, 12)}
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Activity).values(scheme="clt"))
    sharing = installed(
        container, next_version(container, sharing=PointsSharing(frozenset({"clt"})))
    ).schemes["cpt"]

    result = compared(changed, new=Version(sharing, sharing.policies[-1]))

    for one in result:
        assert one.before.total == 0
        exams = 20 * people[one.number].counted.get("industry_certification", Decimal(0))
        assert (one.after.total or 0) >= min(exams, Decimal(40))
    assert sum(one.after.total > 0 for one in result if one.after.total is not None) > 3


@SQLITE
def test_an_extension_moves_the_dates_of_both(changed, container):
    person = populate(container, 1, seed=3)[0]
    expiry = person.awarded_on.replace(year=person.awarded_on.year + 5)
    with changed.work(SYSTEM) as work:
        work.session.add(
            Adjustment(
                certification_id=person.certification_id,
                ordinal=1,
                number=1,
                extended_to=expiry + timedelta(days=100),
                effective_on=person.awarded_on,
                reason_code="illness",
                reason="Told so.",
                decided_by="x",
                recorded_at=work.now,
            )
        )

    [one] = compared(changed)

    assert one.before.expires_on == one.after.expires_on == expiry + timedelta(days=100)
    assert one.before.window_opens_on == expiry + timedelta(days=10)
    assert one.after.title_ends_on == expiry + timedelta(days=130)


@SQLITE
def test_earlier_cycles_keep_their_version_unless_it_is_the_old_one(container):
    """Points carried over from the cycle before are counted by the version that governs it."""
    person = next(p for p in populate(container, 60) if p.awarded_on < date(2021, 11, 1))
    renewed(container, person, date(2026, 9, 1))
    carrying = next_version(
        container, points_required=Decimal(1), carry_over=CarryOver(Decimal(500)), late=()
    )
    with_it = installed(container, carrying)
    scheme = with_it.schemes["cpt"]

    result = {one.number: one for one in compared(with_it)}

    one = result[person.number]
    total = expected(person).get("total", (None, Decimal(0)))[1]
    assert one.before.total == 0
    assert one.after.total == max(total - 1, 0) > 0
    assert scheme.policies[-1].carry_over
