"""domain/credentials/certificates.py: of what a certificate may be printed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tracker.domain.credentials.certificates import check_printable
from tracker.domain.credentials.certifications import Standing, Status
from tracker.domain.errors import NotInForce

TODAY = date(2026, 11, 21)
VALID = Standing(
    status=Status.RENEWAL_OPEN,
    valid=True,
    on=TODAY,
    cycle=1,
    cycle_starts_on=date(2021, 12, 25),
    expires_on=date(2026, 12, 25),
    window_opens_on=None,
    window_closes_on=None,
    pending_since=None,
)


def test_what_is_valid_is_printed_through_its_last_year():
    check_printable(VALID, is_over=False, again_on=None)
    check_printable(VALID, is_over=False, again_on=date(2026, 11, 22))


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.REVOKED, Status.EXPIRED])
def test_what_is_not_valid_is_refused_by_its_status(status):
    with pytest.raises(NotInForce) as refused:
        check_printable(replace(VALID, status=status, valid=False), is_over=False, again_on=None)

    assert refused.value.facts == {"standing": status}


def test_nothing_is_printed_for_somebody_who_has_died_or_was_certified_again():
    with pytest.raises(NotInForce):
        check_printable(VALID, is_over=True, again_on=None)
    with pytest.raises(NotInForce) as refused:
        check_printable(VALID, is_over=False, again_on=TODAY)
    assert refused.value.facts == {"standing": "replaced"}
