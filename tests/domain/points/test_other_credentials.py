"""domain/points/other_credentials.py: what a credential may say, its status, its reminders."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tracker.domain.errors import Invalid
from tracker.domain.points.other_credentials import check_credential, due_reminder, status_on
from tracker.domain.schemes.activity_types import Provenance
from tracker.domain.schemes.credentials import CredentialKind

TODAY = date(2026, 11, 21)
SOURCE = Provenance("A test.", verified=False)
OSHA = CredentialKind("osha_10", "OSHA 10", "OSHA", SOURCE)
SMSCP = CredentialKind("smscp", "SMSCP", "Siemens", SOURCE, ("1", "2"))
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("kind", "stated", "fields"),
    [
        (OSHA, {}, {}),
        (SMSCP, {"level": "2"}, {}),
        (OSHA, {"issued_on": TODAY, "expires_on": TODAY}, {}),
        (SMSCP, {}, {"level": "must be one of 1, 2"}),
        (SMSCP, {"level": "4"}, {"level": "must be one of 1, 2"}),
        (OSHA, {"level": "1"}, {"level": "must be left out: it has none"}),
        (
            OSHA,
            {"issued_on": TODAY + DAY},
            {"issued_on": "must not be in the future (today is 2026-11-21)"},
        ),
        (
            OSHA,
            {"expires_on": date(2025, 12, 31)},
            {"expires_on": "must not be before issued_on (2026-01-01)"},
        ),
    ],
)
def test_each_impossible_value_is_named_with_its_rule(kind, stated, fields):
    values = {"level": "", "issued_on": date(2026, 1, 1), "expires_on": None, **stated}
    if not fields:
        check_credential(kind, **values, on=TODAY)
        return
    with pytest.raises(Invalid) as refused:
        check_credential(kind, **values, on=TODAY)

    assert refused.value.fields == fields


@pytest.mark.parametrize(
    ("left", "due"),
    [(91, None), (90, 90), (31, 90), (30, 30), (1, 30), (0, 30), (-1, None)],
)
def test_the_latest_reminder_of_those_due_is_sent(left, due):
    assert due_reminder(TODAY + timedelta(days=left), (90, 30), on=TODAY) == due


def test_nothing_is_due_where_no_reminders_are_wanted():
    assert due_reminder(TODAY, (), on=TODAY) is None


@pytest.mark.parametrize(
    ("expires_on", "is_withdrawn", "status"),
    [
        (None, False, "current"),
        (TODAY, False, "current"),
        (TODAY - DAY, False, "expired"),
        (TODAY - DAY, True, "withdrawn"),
    ],
)
def test_the_expiration_date_is_the_last_valid_day(expires_on, is_withdrawn, status):
    assert status_on(TODAY, expires_on=expires_on, is_withdrawn=is_withdrawn) == status
