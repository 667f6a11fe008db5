"""What a message calls today is the holder's day, wherever the holder lives and the machine stands.

Protects services/delivery/reminder_messages and services/delivery/notice_messages.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.services.delivery import reminder_cases as cases
from tracker import jobs

EXPIRY = date(2027, 3, 15)
FAR = ("Pacific/Kiritimati", "Asia/Tokyo", "Europe/Madrid", "America/New_York", "Pacific/Pago_Pago")


def local(day: date, hour: int, minute: int, zone: str) -> datetime:
    """An instant by the clock where a holder lives."""
    return datetime.combine(day, time(hour, minute), tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize("zone", FAR)
@pytest.mark.parametrize("late", [False, True], ids=["in time", "after the night"])
def test_the_days_left_are_counted_on_the_holders_day_on_which_it_leaves(
    container, clock, zone, late
):
    before = EXPIRY - timedelta(days=1)
    clock.now = local(before, 8, 0, zone)
    cases.certified(container, EXPIRY, time_zone=zone)
    jobs.plan(container)
    clock.now = local(before, 9, 0, zone)
    jobs.plan(container)
    clock.now = local(EXPIRY, 0, 30, zone) if late else local(before, 23, 30, zone)
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        assert len(catcher.letters()) == 1

    (line,) = cases.letters(container)[-1].facts["lines"]
    assert line["days_left"] == (0 if late else 1)
    assert line["now"]["on"] == (EXPIRY if late else before).isoformat()
