"""A holder's papers to download: certificates and their cards, and the transcript."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.credentials import certificate_papers as certificate_routes
from tracker.api.http import routing
from tracker.api.overview import transcripts
from tracker.documents.papers import PaperLayout
from tracker.domain.errors import LettersMissing, NotInForce, TooBusy, TooManyAtOnce
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.certificates import CertificateFacts
from tracker.services.core.context import ReadContext
from tracker.services.credentials import certificate_papers
from tracker.web import navigation
from tracker.web.people import visitors

pages = Blueprint("paper-pages", __name__)

_CERTIFICATION = "/account/certifications/<uuid:certification_id>"
_MODULE = "/account/modules/<uuid:module_certificate_id>"


@dataclass(frozen=True, slots=True)
class PapersWords:
    """One language's words."""

    download: str
    certificate: str
    card: str
    transcript: str
    not_valid: str
    letters: str
    letters_why: str


WORDS = {
    lang: PapersWords(**catalogues.topic(lang, "papers_pages")) for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class PaperLink:
    """A paper to download, in the language that it names."""

    href: str
    text: str
    language: str


def links(path: str, language: str) -> list[PaperLink]:
    """The papers of the certificate below an address, in each language."""
    say = WORDS[language]
    return [
        PaperLink(f"{path}/{file}.pdf?lang={code}", f"{text}: {words.language}", code)
        for file, text in (("certificate", say.certificate), ("card", say.card))
        for code, words in navigation.WORDS.items()
    ]


@pages.get(f"{_CERTIFICATION}/certificate.pdf")
@visitors.signed_in
def certificate(actor: Actor, *, certification_id: UUID) -> Response:
    """The certificate of a certification."""
    return _paper(actor, certificate_papers.of_certification, certification_id, "certificate")


@pages.get(f"{_CERTIFICATION}/card.pdf")
@visitors.signed_in
def card(actor: Actor, *, certification_id: UUID) -> Response:
    """Its card."""
    return _paper(actor, certificate_papers.of_certification, certification_id, "card")


@pages.get(f"{_MODULE}/certificate.pdf")
@visitors.signed_in
def module_certificate(actor: Actor, *, module_certificate_id: UUID) -> Response:
    """The certificate of a single module."""
    return _paper(actor, certificate_papers.of_module, module_certificate_id, "certificate")


@pages.get(f"{_MODULE}/card.pdf")
@visitors.signed_in
def module_card(actor: Actor, *, module_certificate_id: UUID) -> Response:
    """Its card."""
    return _paper(actor, certificate_papers.of_module, module_certificate_id, "card")


@pages.get("/account/transcript.pdf")
@visitors.signed_in
def transcript(actor: Actor) -> Response:
    """Everything that the holder has earned."""
    holder_id = visitors.check_holder(actor)
    return _made(actor, lambda reading: transcripts.answer(reading, holder_id, _language()))


def _paper(
    actor: Actor,
    facts: Callable[[ReadContext, str], CertificateFacts],
    id_: UUID,
    layout: PaperLayout,
) -> Response:
    visitors.check_holder(actor)
    return _made(
        actor,
        lambda reading: certificate_routes.answer(
            reading, facts(reading, str(id_)), layout, _language()
        ),
    )


def _language() -> str | None:
    """The language that the link names; an address that names none we know has the page's."""
    wanted = request.args.get("lang")
    return wanted if wanted in catalogues.LANGUAGES else None


def _made(actor: Actor, make: Callable[[ReadContext], Response]) -> Response:
    """The paper, or the page that says why there is none."""
    say = WORDS[routing.language()]
    try:
        with routing.container().reading(actor) as reading:
            return visitors.private(make(reading))
    except NotInForce:
        return _refused(say.not_valid)
    except LettersMissing as error:
        return _refused(say.letters.format(" ".join(map(str, _letters(error)))), say.letters_why)
    except (TooBusy, TooManyAtOnce) as error:
        return visitors.refused_file(error)


def _letters(error: LettersMissing) -> list[str]:
    found = error.facts["letters"]
    return found if isinstance(found, list) else []


def _refused(*lines: str) -> Response:
    language = routing.language()
    heading = WORDS[language].certificate
    return visitors.page("message", language, 409, heading=heading, lines=lines)
