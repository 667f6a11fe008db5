"""What happened to one's account: the events, failed attempts, and the way out: it was not me."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Blueprint, Response

from tracker.api.http import routing, session_cookies
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.services.overview import me, security_events
from tracker.services.overview.security_events import SecurityEvent
from tracker.services.people import own_account
from tracker.web.people import visitors
from tracker.web.people.account import moment

pages = Blueprint("what-happened", __name__)

HERE = "/account/events"
_SHOWN = 50  # programs read the rest


@dataclass(frozen=True, slots=True)
class SecurityEventWords:
    """One language's words."""

    heading: str
    why: str
    failed: str
    none: str
    by_you: str
    by_others: dict[str, str]
    not_me: str
    not_me_why: str
    done: str
    next_holder: list[str]
    next_member: list[str]
    new_password: str
    kinds: dict[str, str]
    failures: dict[str, str]


WORDS = {
    lang: SecurityEventWords(**catalogues.topic(lang, "security_events"))
    for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class EventShown:
    """An event in the words of the page."""

    what: str
    at: str
    by: str
    agent: str


@pages.get(HERE)
@visitors.signed_in
def home(actor: Actor) -> Response:
    """The events, newest first, and the failed attempts of the last day."""
    container = routing.container()
    with container.reading(actor) as reading:
        language, zone = _spoken(me.myself(reading))
        events = security_events.page(reading, after=None, limit=_SHOWN)
        failures = security_events.failures(reading, container.message_key)
    say = WORDS[language]
    return visitors.page(
        "security_events",
        language,
        say=say,
        here=HERE,
        events=[_shown(event, language, zone) for event in events],
        failures=[
            say.failures[one.kind].format(count=one.count, since=moment(one.since, language, zone))
            for one in failures
        ],
        csrf_token=session_cookies.csrf_token(actor),
    )


@pages.post(f"{HERE}/not-me")
@visitors.signed_in
def not_me(actor: Actor) -> Response:
    """End every session and token of the account, this one too, and say what to do next."""
    with routing.container().work(actor) as work:
        routing.check_alive(work)
        own_account.shut_out(work)
        language, _ = _spoken(me.myself(work))
    say, is_holder = WORDS[language], actor.role == "holder"
    links = () if is_holder else ({"href": "/password/forgotten", "text": say.new_password},)
    lines = say.next_holder if is_holder else say.next_member
    page = visitors.page(
        "message", language, heading=say.done, lines=lines, links=links, sign_in=is_holder
    )
    return session_cookies.end_session(page)


def _spoken(myself: me.Myself) -> tuple[str, ZoneInfo]:
    """The person's language and time zone."""
    if myself.holder is None:
        return routing.language(), ZoneInfo("UTC")
    return myself.holder.language, ZoneInfo(myself.holder.time_zone)


def _shown(event: SecurityEvent, language: str, zone: ZoneInfo) -> EventShown:
    say = WORDS[language]
    return EventShown(
        what=say.kinds[event.kind],
        at=moment(event.at, language, zone),
        by=say.by_you if event.by_me else say.by_others.get(event.role or "", ""),
        agent=event.agent or "",
    )
