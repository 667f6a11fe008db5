"""The unsubscribe link in a digest: having the link proves having the digest (RFC 8058).

It names the employer and a hash of the address. So the link of a former address stops nothing that
is sent to another, and a link that was used once stays valid.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import select

from tracker.domain.emails import compared
from tracker.domain.errors import NotFound
from tracker.domain.permissions import Actor
from tracker.models import DigestOrder, Employer
from tracker.services.core import signed_links
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import digests


@dataclass(frozen=True, slots=True)
class Linked:
    """The employer that a link is about, and the language of its order; None if there is none."""

    employer_id: str
    employer: str
    language: str | None


def link(reading: ReadContext, key: bytes, employer_id: str, address: str) -> str:
    """The address of the page that stops an employer's digest to this address."""
    base, whom = reading.settings.app.base_url.rstrip("/"), _whom(address)
    return (
        f"{base}/unsubscribe-digest/{whom}/{signed_links.proof(key, _purpose(whom), employer_id)}"
    )


def linked(reading: ReadContext, key: bytes, whom: str, proof: str) -> Linked:
    """The employer that a link is about. Raises NotFound for a forged link."""
    employer_id = signed_links.proven(key, _purpose(whom), proof)
    statement = (
        select(Employer.name, DigestOrder.address, DigestOrder.language)
        .join(DigestOrder, DigestOrder.employer_id == Employer.id, isouter=True)
        .where(Employer.id == employer_id)
    )
    row = reading.row(statement) if employer_id is not None else None
    if employer_id is None or row is None:
        raise NotFound
    is_ordered = row.address is not None and _whom(row.address) == whom
    return Linked(employer_id, row.name, row.language if is_ordered else None)


def call_off(work: UnitOfWork, key: bytes, whom: str, proof: str) -> Linked:
    """Send no more digests to the address of the link; doing it twice has no further effect.

    Returns what was ordered until then. Raises NotFound.
    """
    found = linked(work, key, whom, proof)
    if found.language is not None:
        actor = Actor(role="employer", name="link in a digest", organization_id=found.employer_id)
        digests.call_off(work.as_actor(actor), found.employer_id)
    return found


def _whom(address: str) -> str:
    return hashlib.sha256(compared(address).encode()).hexdigest()[:32]


def _purpose(whom: str) -> str:
    return f"digest to {whom}"
