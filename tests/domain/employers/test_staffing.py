"""domain/employers/staffing.py: when a place has too few, who matters most, who is nearest."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.employers.requirements import (
    NOT_SHARED,
    Clearance,
    ClearanceState,
    NeededProof,
    WorkerProof,
)
from tracker.domain.employers.staffing import (
    NEAREST_SHOWN,
    StaffedWorker,
    StaffingBreak,
    first_break,
    outlook,
)

TODAY = date(2026, 11, 21)
DAY = timedelta(1)
LACKING = (WorkerProof(NeededProof("cpt"), is_held=False, status="expired"),)


def cleared(employee_id, last_day=None, renewed=None):
    return StaffedWorker(employee_id, Clearance(ClearanceState.CLEARED, last_day), renewed)


def short(employee_id, needs=1):
    lacking = Clearance(ClearanceState.NOT_CLEARED, lacking=(LACKING,) * needs)
    return StaffedWorker(employee_id, lacking)


@given(
    st.lists(st.none() | st.integers(0, 20).map(lambda n: TODAY + n * DAY), max_size=6),
    st.integers(1, 5),
)
def test_a_minimum_breaks_on_the_first_day_with_too_few(last_days, least):
    """Against counting day by day."""

    def count(day):
        return sum(last is None or last >= day for last in last_days)

    naive = next(
        (
            StaffingBreak(day, count(day))
            for day in (TODAY + n * DAY for n in range(30))
            if count(day) < least
        ),
        None,
    )
    assert first_break(last_days, least, on=TODAY) == naive


def test_both_forecasts_are_told_side_by_side():
    soon, late = date(2027, 5, 13), date(2028, 1, 1)
    found = outlook([cleared("1", soon), cleared("2", late, late)], 2, on=TODAY)

    assert found.count == 2
    assert found.breaks == StaffingBreak(date(2027, 5, 14), 1)
    assert found.breaks_renewed == StaffingBreak(date(2028, 1, 2), 1)


def test_everybody_is_a_single_point_of_failure_where_just_enough_are_cleared():
    some = [cleared("2"), cleared("1"), short("3")]

    assert [one.employee_id for one in outlook(some, 2, on=TODAY).single_points] == ["1", "2"]
    assert not outlook(some, 1, on=TODAY).single_points
    assert not outlook(some, 3, on=TODAY).single_points


def test_whoever_lacks_least_is_nearest_and_who_does_not_share_is_counted():
    some = [short(f"{n}", 2) for n in range(9)] + [short("x"), StaffedWorker("y", NOT_SHARED)]
    found = outlook(some, 1, on=TODAY)

    assert [one.employee_id for one in found.nearest] == ["x", "0", "1", "2", "3"]
    assert len(found.nearest) == NEAREST_SHOWN
    assert found.not_shared == 1
    assert found.breaks == StaffingBreak(TODAY, 0)
