"""Certificates as PDF, to print and to frame, and as cards for the wallet."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request

from tracker.api.http import routing
from tracker.api.http.fields import ClosedSchema, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.documents import papers
from tracker.documents.papers import PaperLayout
from tracker.language import certificates
from tracker.language.catalogues import LANGUAGES
from tracker.language.certificates import CertificateFacts
from tracker.services.core.context import ReadContext
from tracker.services.credentials import certificate_papers

resource = Resource("certificate_papers", __name__, description=__doc__)

PDF = "application/pdf"


class PaperQuerySchema(ClosedSchema):
    """The language of the paper, if not the caller's."""

    lang = choice(*LANGUAGES)


def _reads(rule: str) -> Callable[[routing.View], routing.View]:
    """A route that answers with a paper, for its holder and for staff."""
    return resource.reads(
        f"GET {rule}",
        "staff",
        "holder",
        query=PaperQuerySchema,
        returns=None,
        content=PDF,
        errors=(404, 409, 410, 503),
    )


_CERTIFICATION = "/certifications/<uuid:certification_id>"
_MODULE = "/module-certificates/<uuid:module_certificate_id>"


@_reads(f"{_CERTIFICATION}/certificate.pdf")
def certificate(reading: ReadContext, query: Loaded, *, certification_id: str) -> Response:
    """The certificate on one sheet, while the certification is valid."""
    facts = certificate_papers.of_certification(reading, certification_id)
    return answer(reading, facts, "certificate", query.get("lang"))


@_reads(f"{_CERTIFICATION}/card.pdf")
def card(reading: ReadContext, query: Loaded, *, certification_id: str) -> Response:
    """The same as a card to cut out."""
    facts = certificate_papers.of_certification(reading, certification_id)
    return answer(reading, facts, "card", query.get("lang"))


@_reads(f"{_MODULE}/certificate.pdf")
def module_certificate(
    reading: ReadContext, query: Loaded, *, module_certificate_id: str
) -> Response:
    """The certificate of a single module on one sheet."""
    facts = certificate_papers.of_module(reading, module_certificate_id)
    return answer(reading, facts, "certificate", query.get("lang"))


@_reads(f"{_MODULE}/card.pdf")
def module_card(reading: ReadContext, query: Loaded, *, module_certificate_id: str) -> Response:
    """The same as a card to cut out."""
    facts = certificate_papers.of_module(reading, module_certificate_id)
    return answer(reading, facts, "card", query.get("lang"))


def answer(
    reading: ReadContext, facts: CertificateFacts, layout: PaperLayout, language: str | None
) -> Response:
    """The paper as a download; not made again for a caller who has it as it would be.

    Raises LettersMissing, TooBusy, TooManyAtOnce.
    """
    language = language or routing.language()
    paper = certificates.paper(facts, language)
    certificate_papers.check_letters(paper)
    fingerprint = papers.fingerprint(paper, layout)
    if request.if_none_match.contains(fingerprint):
        response = Response(status=304)
    else:
        response = Response(certificate_papers.pdf(reading, paper, layout), content_type=PDF)
        name = f"{facts.number}.pdf" if layout == "certificate" else f"{facts.number}-card.pdf"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.set_etag(fingerprint)
    response.headers["Content-Language"] = language
    response.vary.add("Accept-Language")
    return response
