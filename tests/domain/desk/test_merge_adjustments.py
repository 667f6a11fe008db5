"""Extensions and reductions of an award that leads to another one (domain/desk/merges.py)."""

from datetime import date
from decimal import Decimal

import pytest

from tracker.domain.credentials.certifications import CycleAdjustment, CycleTerm
from tracker.domain.desk.merges import AdjustmentFate, CarriedAdjustment, carry


def cycle(ordinal, starts_on, ends_on):
    return CycleTerm(ordinal, starts_on, ordinal, starts_on, ends_on, starts_on, "p")


OWN = cycle(1, date(2022, 3, 1), date(2027, 3, 1))
FIRST = cycle(1, date(2021, 1, 1), date(2026, 1, 1))
SECOND = cycle(2, date(2026, 1, 2), date(2031, 1, 1))
DECIDED = date(2026, 5, 1)


def longer(ordinal, day):
    return CycleAdjustment(ordinal, DECIDED, extended_to=day)


def lower(ordinal, points):
    return CycleAdjustment(ordinal, DECIDED, points_required=Decimal(points))


@pytest.mark.parametrize(
    ("adjustment", "cycles", "in_force", "fate", "ordinal"),
    [
        (longer(1, date(2027, 9, 1)), [FIRST], [], AdjustmentFate.CARRIED, 1),
        (longer(1, date(2027, 9, 1)), [FIRST, SECOND], [], AdjustmentFate.COVERED, None),
        (longer(1, date(2031, 9, 1)), [FIRST, SECOND], [], AdjustmentFate.CARRIED, 2),
        (
            longer(1, date(2027, 9, 1)),
            [FIRST],
            [longer(1, date(2027, 12, 1))],
            AdjustmentFate.COVERED,
            None,
        ),
        (
            longer(1, date(2027, 9, 1)),
            [FIRST],
            [longer(1, date(2026, 6, 1))],
            AdjustmentFate.CARRIED,
            1,
        ),
        (lower(1, 80), [FIRST], [], AdjustmentFate.CARRIED, 1),
        (lower(1, 80), [FIRST], [lower(1, 70)], AdjustmentFate.COVERED, None),
        (lower(1, 80), [FIRST], [lower(1, 90)], AdjustmentFate.CARRIED, 1),
    ],
)
def test_what_brings_the_holder_more_is_carried(adjustment, cycles, in_force, fate, ordinal):
    assert carry(adjustment, OWN, cycles, in_force) == CarriedAdjustment(fate, ordinal)


def test_what_is_about_a_term_that_was_renewed_since_is_left():
    early = cycle(1, date(2020, 6, 1), date(2025, 6, 1))
    found = carry(lower(1, 80), early, [FIRST, SECOND], [])
    assert found == CarriedAdjustment(AdjustmentFate.LEFT)
    later = cycle(1, date(2030, 1, 1), date(2035, 1, 1))
    assert carry(lower(1, 80), early, [later], []) == CarriedAdjustment(AdjustmentFate.LEFT)
