"""Receipts: what was so of a certificate at an instant, signed, to be kept and checked by anybody.

A receipt is of today and of what is known now: whoever keeps it can show later what was answered
then, whatever is corrected afterwards. Its JWS is the receipt; a paper only quotes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tracker import documents, signatures
from tracker.language.reports import Report
from tracker.services.core import turns
from tracker.services.core.context import ReadContext
from tracker.services.credentials.verification import Verified

KIND = "tracker-receipt+jwt"


@dataclass(frozen=True, slots=True)
class VerificationReceipt:
    """What a receipt says, and the same as a JWS."""

    values: Mapping[str, object]
    signed: str


def of(reading: ReadContext, seed: bytes, found: Verified, address: str) -> VerificationReceipt:
    """The receipt of a certificate that was found at an address.

    Days are ISO dates; ``as_of`` is the day that it is about, in the scheme's time zone, and
    ``known_at`` the instant to which the records were known.
    """
    standing = found.standing
    values = {
        "iss": reading.settings.app.base_url,
        "iat": int(reading.now.timestamp()),
        "sub": address,
        "number": found.number,
        "holder": found.holder,
        "scheme": found.scheme.code,
        "module": found.module.code if found.module else None,
        "status": str(standing.status),
        "valid": standing.valid,
        "awarded_on": found.awarded_on.isoformat(),
        "expires_on": standing.expires_on.isoformat() if standing.expires_on else None,
        "as_of": standing.on.isoformat(),
        "known_at": reading.now.isoformat(),
    }
    return VerificationReceipt(values, signatures.signed(seed, KIND, values))


def pdf(reading: ReadContext, report: Report) -> bytes:
    """The paper that quotes a receipt, a few at a time on a machine. Raises TooBusy."""
    with turns.making_a_public_paper(reading.settings):
        return documents.pdf(report)
