"""domain/employers/nudges.py: who may be nudged, and from when again."""

from __future__ import annotations

from datetime import date

import pytest

from tracker.domain.employers import nudges
from tracker.domain.employers.nudges import NotNudgedReason

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("status", "shared", "nudged_on", "reason"),
    [
        ("active", True, None, None),
        ("renewal_open", True, date(2026, 11, 7), None),
        ("grace", True, date(2026, 11, 8), NotNudgedReason.NUDGED),
        ("expired", True, None, NotNudgedReason.NOTHING_TO_DO),
        ("pending_renewal", True, None, NotNudgedReason.NOTHING_TO_DO),
        ("not_certified", True, None, NotNudgedReason.NOTHING_TO_DO),
        ("not_shared", False, date(2026, 11, 8), NotNudgedReason.NOT_SHARED),
    ],
)
def test_only_whoever_shares_and_can_renew_is_nudged_once_a_fortnight(
    status, shared, nudged_on, reason
):
    found = nudges.reason_against(status, shared=shared, nudged_on=nudged_on, on=TODAY)

    assert found == reason


def test_the_first_day_of_another_nudge_is_the_fifteenth():
    assert nudges.may_nudge_from(None) is None
    assert nudges.may_nudge_from(date(2026, 11, 7)) == TODAY
