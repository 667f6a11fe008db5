"""A holder's certificate: to print, to share, to add to a profile or a calendar."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response

from tracker.api.http import routing
from tracker.domain.errors import NotFound
from tracker.domain.permissions import Actor
from tracker.domain.schemes.activity_types import translated
from tracker.domain.schemes.schemes import Scheme
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.overview import holder_calendar, holder_home, me
from tracker.services.overview.me import Mine
from tracker.web import navigation, qr_codes
from tracker.web.people import papers, visitors

pages = Blueprint("certificate-pages", __name__)

_HERE = "/account/certifications/<uuid:certification_id>"
_LINKEDIN = "https://www.linkedin.com/profile/add"


@dataclass(frozen=True, slots=True)
class CertificatesWords:
    """One language's words."""

    title: str
    none: str
    awards: str
    to: str
    number: str
    awarded: str
    through: str
    never: str
    check: str
    printed: str
    qr: str
    print_it: str
    share: str
    address: str
    mail: str
    mail_subject: str
    linkedin: str
    calendar: str
    public: str


WORDS = {
    lang: CertificatesWords(**catalogues.topic(lang, "certificates_pages"))
    for lang in catalogues.LANGUAGES
}


@pages.get(f"{_HERE}/certificate")
@visitors.signed_in
def show(actor: Actor, *, certification_id: UUID) -> Response:
    """The certificate as it is today; without one while the certification is not valid."""
    visitors.check_holder(actor)
    language, id_ = routing.language(), str(certification_id)
    with routing.container().reading(actor) as reading:
        me.check_own_certification(reading, id_)
        found = holder_home.home(reading)
        mine = next((one for one in found.certifications if one.held.id == id_), None)
        if mine is None:
            raise NotFound
        scheme = reading.schemes[mine.held.scheme]
    base = routing.container().settings.app.base_url.rstrip("/")
    address = f"{base}/verify/{mine.held.public_id}"
    say, standing = WORDS[language], mine.held.standing
    title = scheme.full_name(language)
    expires_on = standing.expires_on
    return visitors.page(
        "certificate",
        language,
        say=say,
        parts=navigation.of_certification(id_, language),
        holder=actor.name,
        certification=title,
        issuer=scheme.issuer,
        valid=standing.valid,
        number=mine.held.number,
        awarded=in_words(mine.held.awarded_on, language),
        through=in_words(expires_on, language) if expires_on else say.never,
        printed=say.printed.format(in_words(standing.on, language)),
        address=address,
        public=f"/verify/{mine.held.public_id}",
        code=qr_codes.of(address),
        mail=f"mailto:?{_query(subject=say.mail_subject.format(title), body=address)}",
        papers=papers.links(f"/account/certifications/{id_}", language),
        download=papers.WORDS[language].download,
        linkedin=_linkedin(mine, scheme, address, language),
        calendar=f"/account/certifications/{id_}/dates.ics" if expires_on else "",
    )


@pages.get(f"{_HERE}/dates.ics")
@visitors.signed_in
def calendar(actor: Actor, *, certification_id: UUID) -> Response:
    """The dates ahead as a file for a calendar."""
    visitors.check_holder(actor)
    with routing.container().reading(actor) as reading:
        text = holder_calendar.of_certification(reading, str(certification_id), routing.language())
    if not text:
        raise NotFound
    answer = Response(text, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = "attachment; filename=dates.ics"
    return visitors.private(answer)


def _linkedin(mine: Mine, scheme: Scheme, address: str, language: str) -> str:
    """The page of LinkedIn that adds the certification to a profile, filled in."""
    awarded, expires = mine.held.awarded_on, mine.held.standing.expires_on
    told = {
        "startTask": "CERTIFICATION_NAME",
        "name": translated(scheme.title, language),
        "organizationName": scheme.issuer,
        "issueYear": str(awarded.year),
        "issueMonth": str(awarded.month),
        "certUrl": address,
        "certId": mine.held.number,
    }
    if expires is not None:
        told |= {"expirationYear": str(expires.year), "expirationMonth": str(expires.month)}
    return f"{_LINKEDIN}?{urlencode(told)}"


def _query(**values: str) -> str:
    """Values as mail programs read them, in which a plus sign is no blank."""
    return urlencode(values).replace("+", "%20")
