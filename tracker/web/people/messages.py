"""The messages that we sent to a holder, and which ones they want."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.api.people.preferences import PreferenceChangeSchema
from tracker.domain.errors import Invalid
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words, month_names
from tracker.services.core.context import UnitOfWork
from tracker.services.delivery import sent_messages
from tracker.services.delivery.sent_messages import Copy
from tracker.services.people import preferences
from tracker.services.people.preferences import REMINDERS
from tracker.web.people import activity_forms, forms, lists, visitors
from tracker.web.people.account import moment
from tracker.web.people.activities_words import WORDS as DAY_WORDS

pages = Blueprint("message-pages", __name__)

HERE, WISHES = "/account/messages", "/account/preferences"
_PAGE = 20
_ALWAYS = catalogues.phrase("preferences", "always")
_OFF = catalogues.phrase("preferences", "off")


@dataclass(frozen=True, slots=True)
class MessagesWords:
    """One language's words."""

    title: str
    why: str
    none: str
    read: str
    no_words: str
    older: str
    wishes: str
    reminders: str
    reminders_hint: str
    decisions: str
    decisions_hint: str
    pause: str
    pause_hint: str
    save: str
    sure: str
    turn_off: str
    keep: str
    saved: str
    paused: str
    wrong_pause: str
    states: dict[str, str]


WORDS = {
    lang: MessagesWords(**catalogues.topic(lang, "messages_pages")) for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class MessageShown:
    """A message: when it was sent, its subject and text; both are empty if they are not kept."""

    subject: str
    facts: str
    text: str


@pages.get(HERE)
@visitors.signed_in
def home(actor: Actor) -> Response:
    """The newest messages; ``after`` has older ones."""
    visitors.check_holder(actor)
    language, after = routing.language(), lists.place()
    key = routing.container().message_key
    with routing.container().reading(actor) as reading:
        rows = sent_messages.mine(reading, key, after=after, limit=_PAGE + 1)
        zone = ZoneInfo(preferences.mine(reading).holder.time_zone)
    shown = rows[:_PAGE]
    return visitors.page(
        "messages",
        language,
        say=WORDS[language],
        wishes=WISHES,
        messages=[_shown(one, language, zone) for one in shown],
        older=f"{HERE}?after={shown[-1].id}" if len(rows) > _PAGE else "",
    )


def _shown(copy: Copy, language: str, zone: ZoneInfo) -> MessageShown:
    say, row = WORDS[language], copy.row
    at = moment(row.finished_at or row.created_at, language, zone)
    return MessageShown(
        subject=copy.subject or say.no_words,
        facts=f"{at} · {row.address} · {say.states[row.state]}",
        text=copy.text or "",
    )


@pages.get(WISHES)
@visitors.signed_in
def wishes(actor: Actor) -> Response:
    """Which messages the holder wants."""
    visitors.check_holder(actor)
    return _wishes(actor)


@pages.post(WISHES)
@visitors.signed_in
def choose(actor: Actor) -> Response:
    """Change what is wanted; before the last reminders stop, ask once more."""
    visitors.check_holder(actor)
    wanted = {name: name in request.form for name in ("reminders", "decisions")}
    until = activity_forms.sent_day("pause") if wanted["reminders"] else None
    if not wanted["reminders"] and "sure" not in request.form and _are_on(actor):
        return _wishes(actor, wanted, ask=True)
    said: dict[str, object] = {
        "reminders": {"wanted": wanted["reminders"], "snoozed_until": until},
        "decisions": {"wanted": wanted["decisions"]},
    }

    def act(work: UnitOfWork) -> object:
        return preferences.change_mine(work, routing.load(PreferenceChangeSchema(), said))

    def acted(work: UnitOfWork) -> str:
        act(work)
        return f"{WISHES}?saved=1"

    language = routing.language()
    return forms.attempted(
        actor,
        acted,
        here=WISHES,
        refused=lambda refusal: _wishes(
            actor,
            wanted,
            wrong=WORDS[language].wrong_pause
            if isinstance(refusal, Invalid)
            else forms.words().refusal(refusal.code),
        ),
    )


def _are_on(actor: Actor) -> bool:
    with routing.container().reading(actor) as reading:
        return preferences.mine(reading).wishes[REMINDERS].wanted


def _wishes(
    actor: Actor,
    wanted: Mapping[str, bool] | None = None,
    *,
    ask: bool = False,
    wrong: str | None = None,
) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        found = preferences.mine(reading)
    kept = {name: found.wishes[name].wanted for name in ("reminders", "decisions")}
    until = found.wishes[REMINDERS].snoozed_until
    stated: Mapping[str, str] = request.form if wrong else {}
    if until is not None and not wrong:
        stated = {f"pause_{part}": str(getattr(until, part)) for part in ("year", "month", "day")}
    return visitors.page(
        "preferences",
        language,
        422 if wrong else 200,
        say=say,
        here=WISHES,
        wanted=wanted or kept,
        ask=ask,
        off=_OFF[language],
        is_off=not kept["reminders"],
        always=_ALWAYS[language],
        paused=say.paused.format(in_words(until, language)) if until else "",
        saved="saved" in request.args,
        stated=stated,
        errors={"pause": wrong} if wrong else {},
        wrong=wrong,
        months=month_names(language),
        day_words=DAY_WORDS[language],
        messages=HERE,
        csrf_token=session_cookies.csrf_token(actor),
    )
