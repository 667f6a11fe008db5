"""domain/credentials/certifications.valid_through(): the last of the valid days in a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tracker.domain.credentials.certifications import Hold, StandingSpan, valid_through

AWARDED, TODAY, EXPIRES = date(2022, 1, 1), date(2026, 11, 21), date(2027, 1, 1)
SPAN = StandingSpan(
    from_on=AWARDED,
    until_on=None,
    cycle=1,
    cycle_starts_on=AWARDED,
    expires_on=EXPIRES,
    window_opens_on=None,
    window_closes_on=None,
    grace_ends_on=None,
    title_ends_on=None,
    pending_since=None,
    hold=None,
    valid_while_pending=False,
)
GRACE = {"grace_ends_on": date(2027, 3, 1), "title_ends_on": date(2027, 2, 1)}
SOON = date(2026, 12, 24)


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        ({}, EXPIRES),
        ({"until_on": date.max}, EXPIRES),
        ({"expires_on": None}, date.max),
        (GRACE, date(2027, 2, 1)),
        (GRACE | {"title_ends_on": None}, EXPIRES),
        (GRACE | {"pending_since": TODAY}, EXPIRES),
        ({"pending_since": TODAY, "valid_while_pending": True}, date.max),
        ({"hold": Hold.SUSPENDED}, None),
        ({"from_on": SOON}, None),
        ({"expires_on": AWARDED}, None),
    ],
)
def test_one_span_is_valid_through_what_its_dates_say(changes, last):
    assert valid_through([replace(SPAN, **changes)], TODAY) == last


def test_days_go_on_from_span_to_span_until_one_is_not_valid():
    first = replace(SPAN, until_on=SOON)
    change = AWARDED.replace(year=2023)
    before = replace(SPAN, until_on=change)
    renewed = replace(SPAN, from_on=SOON, expires_on=date(2032, 1, 1))
    held = replace(SPAN, from_on=SOON, hold=Hold.REVOKED)

    assert valid_through([before, replace(first, from_on=change), renewed], TODAY) == (
        date(2032, 1, 1)
    )
    assert valid_through([first, held], TODAY) == date(2026, 12, 23)
    assert valid_through([first], TODAY) == date(2026, 12, 23)
    assert valid_through([], TODAY) is None
