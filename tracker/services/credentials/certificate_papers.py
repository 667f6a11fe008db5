"""Certificates as PDF: of a certification, or of a single module; and their cards for the wallet.

What a paper says is what the public page says of the same certificate at the same time
(``verification``), so that the two never contradict each other.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from tracker.documents import papers
from tracker.documents.papers import PaperLayout
from tracker.domain.credentials.certificates import check_printable
from tracker.domain.errors import LettersMissing, NotFound
from tracker.language.certificates import CertificateFacts, CertificatePaper
from tracker.models import Certification, ModuleCertificate
from tracker.services.core import turns
from tracker.services.core.context import ReadContext
from tracker.services.core.row_scope import scope
from tracker.services.credentials import verification


class _PublicId(NamedTuple):
    """By what the public page of a certificate is found."""

    public_id: str


def of_certification(reading: ReadContext, certification_id: str) -> CertificateFacts:
    """What the certificate of a certification says today. Raises NotFound, NotInForce."""
    return _printable(reading, Certification, certification_id)


def of_module(reading: ReadContext, certificate_id: str) -> CertificateFacts:
    """What the certificate of a single module says today. Raises NotFound, NotInForce."""
    return _printable(reading, ModuleCertificate, certificate_id)


def _printable(
    reading: ReadContext, table: type[Certification | ModuleCertificate], id_: str
) -> CertificateFacts:
    statement = select(table.public_id).where(table.id == id_, scope(reading.actor, table))
    row = reading.row_as(_PublicId, statement)
    if row is None:
        raise NotFound
    found = verification.by_address(reading, row.public_id)
    check_printable(found.standing, is_over=found.is_over, again_on=found.again_on)
    return CertificateFacts(
        scheme=found.scheme,
        module=found.module,
        holder=" ".join(found.holder.split()),
        number=found.number,
        awarded_on=found.awarded_on,
        expires_on=found.standing.expires_on,
        on=found.standing.on,
        address=f"{reading.settings.app.base_url.rstrip('/')}/verify/{row.public_id}",
    )


def check_letters(paper: CertificatePaper) -> None:
    """Refuse a paper of which our fonts lack letters. Raises LettersMissing."""
    if letters := papers.missing(paper):
        raise LettersMissing(
            f"Our fonts don't have these letters: {' '.join(letters)}. No paper is made, because it"
            " would be wrong. The issuer can record the name in other letters.",
            letters=letters,
        )


def pdf(reading: ReadContext, paper: CertificatePaper, layout: PaperLayout) -> bytes:
    """The paper as a PDF, a few at a time on a machine. Raises TooBusy, TooManyAtOnce."""
    with turns.making_a_paper(reading.settings, reading.actor):
        return papers.pdf(paper, layout)
