"""What people see once they are signed in: their certifications today, and their sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response

from tracker.api.http import routing, session_cookies
from tracker.domain.credentials.candidates import ModuleProgress
from tracker.domain.people.sign_in import HOME
from tracker.domain.permissions import Actor
from tracker.domain.schemes.activity_types import translated
from tracker.language import next_steps
from tracker.language.voice import in_words
from tracker.services.core.context import ReadContext
from tracker.services.credentials.module_certificates import ModuleCertificateRow, Progress
from tracker.services.overview import me
from tracker.services.overview.me import Mine, Myself
from tracker.services.people import sessions
from tracker.web import navigation
from tracker.web.navigation import NavigationLink
from tracker.web.people import points_shown, visitors
from tracker.web.people.points_shown import PointsShown
from tracker.web.people.words import WORDS
from tracker.web.verify_words import WORDS as VERIFY_WORDS

pages = Blueprint("account", __name__)

_SESSIONS = 50  # shown at most; nobody has more but by signing in again and again


@dataclass(frozen=True, slots=True)
class CertificationShown:
    """A certification in the words of the page; ``left`` is empty if no days are left.

    ``points`` is None if none are counted.
    """

    title: str
    number: str
    status: str
    valid: bool
    expiry: str
    through: str
    left: str
    next: str
    path: str
    here: str
    points: PointsShown | None
    parts: Sequence[NavigationLink]


@dataclass(frozen=True, slots=True)
class ModuleShown:
    """A module in the words of the page; ``path`` is the page of its certificate, if passed."""

    name: str
    said: str
    path: str


@dataclass(frozen=True, slots=True)
class SessionShown:
    """A session in the words of the page."""

    id: str
    agent: str
    since: str
    last_used: str
    current: bool


@pages.get("/account")
@visitors.signed_in
def home(actor: Actor) -> Response:
    """The person, their certifications today, and where they are signed in."""
    with routing.container().reading(actor) as reading:
        myself = me.myself(reading)
        rows = sessions.page(reading, after=None, limit=_SESSIONS)
        language = _language(myself)
        zone = ZoneInfo(myself.holder.time_zone if myself.holder else "UTC")
        shown = [_certification(reading, one, language) for one in myself.certifications]
    return visitors.page(
        "account",
        language,
        actor=actor,
        organization=myself.organization,
        certifications=shown,
        modules=[_modules(one, language) for one in myself.modules],
        sessions=[session_shown(row, actor, language, zone) for row in rows],
        csrf_token=session_cookies.csrf_token(actor),
        points_words=points_shown.WORDS[language],
    )


@pages.get("/account/certifications/<uuid:certification_id>")
@visitors.signed_in
def certification(actor: Actor, *, certification_id: UUID) -> Response:
    """One certification, to which the buttons of messages lead.

    The link of one that another award replaced, or undid, leads to all of them.
    """
    with routing.container().reading(actor) as reading:
        me.check_own_certification(reading, str(certification_id))
        myself = me.myself(reading)
        language = _language(myself)
        held = [one for one in myself.certifications if one.held.id == str(certification_id)]
        shown = [_certification(reading, one, language) for one in held]
    if not shown:
        return visitors.go(HOME)
    return visitors.page(
        "certification",
        language,
        one=shown[0],
        parts=shown[0].parts,
        points_words=points_shown.WORDS[language],
    )


@pages.post("/account/sessions/<uuid:session_id>/end")
@visitors.signed_in
def end_session(actor: Actor, *, session_id: UUID) -> Response:
    """Sign one of the person's browsers out."""
    with routing.container().work(actor) as work:
        routing.check_alive(work)
        sessions.end(work, str(session_id))
    return visitors.go(HOME)


def _language(myself: Myself) -> str:
    return myself.holder.language if myself.holder else routing.language()


def _modules(one: Progress, language: str) -> tuple[str, list[ModuleShown]]:
    """The title of a scheme, and each of its modules that was passed or is missing."""
    return one.scheme.full_name(language), [
        _module(each, one.certificates.get(each.module.code), language)
        for each in one.candidacy.modules
        if each.module.required or each.passed_on is not None
    ]


def _module(
    one: ModuleProgress, certificate: ModuleCertificateRow | None, language: str
) -> ModuleShown:
    words, name = WORDS[language], translated(one.module.name, language)
    if one.passed_on is not None:
        path = f"/verify/{certificate.public_id}" if certificate else ""
        return ModuleShown(name, words.passed_on.format(in_words(one.passed_on, language)), path)
    if one.retake_on is not None:
        return ModuleShown(name, words.retake_on.format(in_words(one.retake_on, language)), "")
    return ModuleShown(name, words.not_passed, "")


def _certification(reading: ReadContext, mine: Mine, language: str) -> CertificationShown:
    held, standing = mine.held, mine.held.standing
    scheme, words = reading.schemes[held.scheme], WORDS[language]
    expires_on = standing.expires_on
    left = (expires_on - standing.on).days if expires_on and standing.valid else -1
    return CertificationShown(
        title=scheme.full_name(language),
        number=held.number,
        status=VERIFY_WORDS[language].statuses[standing.status],
        valid=standing.valid,
        expiry=VERIFY_WORDS[language].expiry_label(standing),
        through=in_words(expires_on, language) if expires_on else words.never,
        left=words.left(left) if left >= 0 else "",
        next=next_steps.sentence(mine.next, language, issuer=scheme.issuer, zone=mine.zone),
        path=f"/verify/{held.public_id}",
        here=f"/account/certifications/{held.id}",
        points=points_shown.shown(mine.points, language) if mine.points else None,
        parts=navigation.of_certification(held.id, language),
    )


def session_shown(row: Any, actor: Actor, language: str, zone: ZoneInfo) -> SessionShown:
    """A session in the words of a page."""
    return SessionShown(
        id=row.id,
        agent=row.agent,
        since=moment(row.started_at, language, zone),
        last_used=moment(row.last_used_at, language, zone),
        current=row.id == actor.session_id,
    )


def moment(instant: datetime, language: str, zone: ZoneInfo) -> str:
    """An instant as people read it, with the zone of the clock."""
    local = instant.astimezone(zone)
    return f"{in_words(local.date(), language)}, {local:%H:%M %Z}"
