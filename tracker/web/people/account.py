"""What people see once they are signed in: their certifications today, and their sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response

from tracker.api.http import routing, session_cookies
from tracker.domain.people.sign_in import HOME
from tracker.domain.permissions import Actor
from tracker.language.voice import in_words
from tracker.services.overview import holder_home, me
from tracker.services.overview.holder_home import HolderHome, LastActivity
from tracker.services.overview.me import Myself
from tracker.services.people import sessions
from tracker.web import navigation
from tracker.web.people import (
    audits,
    employment,
    points_shown,
    progress,
    standing_shown,
    timeline_shown,
    visitors,
)

pages = Blueprint("account", __name__)

_SESSIONS = 50  # shown at most; nobody has more but by signing in again and again


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
        found = holder_home.home(reading)
        rows = sessions.page(reading, after=None, limit=_SESSIONS)
        myself = found.myself
        language = _language(myself)
        zone = ZoneInfo(myself.holder.time_zone if myself.holder else "UTC")
        shown = [
            standing_shown.shown(reading, one, language, found.denials.get(one.held.id))
            for one in found.certifications
        ]
    return visitors.page(
        "account",
        language,
        actor=actor,
        organization=myself.organization,
        work=navigation.work_of(actor, language),
        certifications=shown,
        say=standing_shown.SAY[language],
        last=_last(found),
        audits=[audits.to_answer(row, language) for row in found.audits],
        unconfirmed=[employment.missing_in_words(one, language) for one in found.unconfirmed],
        mail=myself.mail,
        bounced_since=_day(myself, language),
        candidacies=[
            progress.candidacy(one, language)
            for one in myself.modules
            if one.scheme.code not in {held.held.scheme for held in found.certifications}
        ],
        pathways=[progress.pathway(one, language) for one in myself.pathways],
        progress_say=progress.WORDS[language],
        record=navigation.of_record(language),
        sessions=[session_shown(row, actor, language, zone) for row in rows],
        csrf_token=session_cookies.csrf_token(actor),
        points_words=points_shown.WORDS[language],
    )


def _last(found: HolderHome) -> LastActivity | None:
    """The last activity, if it is for the certification that the page shows first."""
    first = found.certifications[0] if found.certifications else None
    if found.last is None or first is None or first.points is None:
        return None
    return found.last if found.last.scheme == first.held.scheme else None


def _day(myself: Myself, language: str) -> str:
    """Since when messages come back."""
    mail = myself.mail
    return in_words(mail.since.date(), language) if mail and mail.since else ""


@pages.get("/account/certifications/<uuid:certification_id>")
@visitors.signed_in
def certification(actor: Actor, *, certification_id: UUID) -> Response:
    """One certification, to which the buttons of messages lead.

    The link of one that another award replaced, or undid, leads to all of them.
    """
    with routing.container().reading(actor) as reading:
        me.check_own_certification(reading, str(certification_id))
        found = holder_home.home(reading)
        language = _language(found.myself)
        held = next(
            (one for one in found.certifications if one.held.id == str(certification_id)), None
        )
        if held is None:
            return visitors.go(HOME)
        denial = found.denials.get(held.held.id)
        shown = standing_shown.shown(reading, held, language, denial)
    return visitors.page(
        "certification",
        language,
        one=shown,
        say=standing_shown.SAY[language],
        parts=shown.parts,
        line=timeline_shown.shown(held, language),
        line_words=timeline_shown.WORDS[language],
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
