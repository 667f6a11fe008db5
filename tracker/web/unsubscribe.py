"""Unsubscribe: the pages behind the links in emails, without a token (RFC 8058).

Opening a page changes nothing, because mail programs and scanners follow links. A POST switches the
type of email off at once, whatever its body; it can be undone at the same address.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, request
from marshmallow import Schema, ValidationError

from tracker.api.http import limits, routing
from tracker.api.http.fields import DayField
from tracker.api.http.routing import HTML, VISITOR, Resource, View
from tracker.domain.delivery.reminders import LONGEST_PAUSE
from tracker.domain.errors import Invalid, NotFound, TooOften
from tracker.language.voice import in_words
from tracker.services.employers import digest_links
from tracker.services.employers.digest_links import Linked
from tracker.services.people import preferences
from tracker.services.people.preferences import REMINDERS, Preferences
from tracker.web import pages
from tracker.web.unsubscribe_words import WORDS

resource = Resource("unsubscribe", __name__, description=__doc__)


class PauseSchema(Schema):
    """The form of a pause."""

    until = DayField(required=True, metadata={"description": "The last day of the pause."})


def _open(
    rule: str, *, form: type[Schema] | None = None, errors: tuple[int, ...] = ()
) -> Callable[[View], View]:
    """A public page about the emails that a link names; callers who guess links are kept out."""
    body = {"content": {"application/x-www-form-urlencoded": {"schema": form}}}
    described = {"requestBody": body} if form else {}

    def decorate(view: View) -> View:
        def door(topic: str, proof: str) -> Response:
            return _guarded(lambda: view(topic, proof))

        door.__name__, door.__doc__ = view.__name__, view.__doc__
        door.allowed, door.public = frozenset(), True  # type: ignore[attr-defined]
        return resource.routed(
            rule,
            resource.doc(**described)(door),
            status=200,
            returns=None,
            query=None,
            body=None,
            content=HTML,
            errors=(404, 429, *errors),
            public=True,
        )

    return decorate


def _guarded(show: Callable[[], Response]) -> Response:
    """The page, or why there is none.

    A valid link always works, even if somebody behind the same address guesses: a valid link cannot
    be guessed.
    """
    language, uses = routing.language(), [limits.caller()]
    words = WORDS[language]
    try:
        return show()
    except NotFound:
        try:
            with routing.container().reading(VISITOR) as reading:
                limits.check(reading, uses)
        except TooOften as error:
            wait = str(error.facts["retry_after"])
            page = _page("too_often", language, [words.wait.format(wait)], status=429)
            page.headers["Retry-After"] = wait
            return page
        limits.missed(uses)
        return _page("unknown", language, [words.unknown], status=404)


@_open("GET /unsubscribe/<string:topic>/<string:proof>")
def ask(topic: str, proof: str) -> Response:
    """Ask whether to stop a type of email; changes nothing."""
    container = routing.container()
    with container.reading(VISITOR) as reading:
        found = preferences.by_link(reading, container.message_key, topic, proof)
    if not found.wishes[topic].wanted:
        return _told(found, topic, proof)
    words = WORDS[found.holder.language]
    lines = [*_pause_in_words(found, topic), words.asked[topic], words.nothing_yet]
    return _about(found, topic, proof, "ask", lines, stop=True)


@_open("POST /unsubscribe/<string:topic>/<string:proof>")
def stop(topic: str, proof: str) -> Response:
    """Send no more emails of this type, from now on; a repetition changes nothing."""
    container = routing.container()
    with container.work(VISITOR) as work:
        found = preferences.stop_by_link(work, container.message_key, topic, proof)
    return _told(found, topic, proof)


@_open("POST /unsubscribe/<string:topic>/<string:proof>/undo")
def undo(topic: str, proof: str) -> Response:
    """Send them again, and end a pause."""
    container = routing.container()
    with container.work(VISITOR) as work:
        found = preferences.undo_by_link(work, container.message_key, topic, proof)
    return _told(found, topic, proof)


@_open(
    "POST /unsubscribe/<string:topic>/<string:proof>/pause",
    form=PauseSchema,
    errors=(400, 413, 422),
)
def pause(topic: str, proof: str) -> Response:
    """Hold reminders back through a day, at most a year ahead; the form field is ``until``."""
    container = routing.container()
    with container.reading(VISITOR) as reading:
        found = preferences.by_link(reading, container.message_key, topic, proof)
    if topic != REMINDERS:
        raise NotFound
    try:
        until_on: date = PauseSchema().load(request.form.to_dict())["until"]
        with container.work(VISITOR) as work:
            found = preferences.pause_by_link(work, container.message_key, proof, until_on)
    except (ValidationError, Invalid):
        words, days = WORDS[found.holder.language], _days(found)
        rule = words.wrong_day.format(*(in_words(day, found.holder.language) for day in days))
        return _about(found, topic, proof, "wrong_day", [rule], status=422)
    return _told(found, topic, proof)


@_open("GET /unsubscribe-digest/<string:topic>/<string:proof>")
def ask_about_digest(topic: str, proof: str) -> Response:
    """Ask whether to stop an employer's digest to the address of the link; changes nothing."""
    container = routing.container()
    with container.reading(VISITOR) as reading:
        found = digest_links.linked(reading, container.message_key, topic, proof)
    if found.language is None:
        return _digest_is_off(found)
    words = WORDS[found.language]
    lines = [words.digest_asked.format(found.employer), words.nothing_yet]
    address = f"/unsubscribe-digest/{topic}/{proof}"
    return _page("ask", found.language, lines, kind=words.digest, address=address, stop=True)


@_open("POST /unsubscribe-digest/<string:topic>/<string:proof>")
def stop_digest(topic: str, proof: str) -> Response:
    """Send no more digests to the address of the link; a repetition changes nothing."""
    container = routing.container()
    with container.work(VISITOR) as work:
        found = digest_links.call_off(work, container.message_key, topic, proof)
    return _digest_is_off(found)


def _digest_is_off(found: Linked) -> Response:
    language = found.language or routing.language()
    words = WORDS[language]
    return _page("off", language, [words.digest_stopped.format(found.employer)], kind=words.digest)


def _told(found: Preferences, topic: str, proof: str) -> Response:
    """The current choice, and how to change it back."""
    words, wish = WORDS[found.holder.language], found.wishes[topic]
    if not wish.wanted:
        return _about(found, topic, proof, "off", [words.stopped[topic]], undo=words.undo)
    if paused := _pause_in_words(found, topic):
        lines = [*paused, words.last_days]
        return _about(found, topic, proof, "paused", lines, undo=words.resume, stop=True)
    return _about(found, topic, proof, "on", [words.again[topic]], stop=True)


def _days(found: Preferences) -> tuple[date, date]:
    """The first and the last day through which reminders can be paused."""
    zone = ZoneInfo(found.holder.time_zone)
    today = routing.container().clock().astimezone(zone).date()
    return today + timedelta(days=1), today + LONGEST_PAUSE


def _pause_in_words(found: Preferences, topic: str) -> list[str]:
    """A line saying that reminders are paused, if they are."""
    until, language = found.wishes[topic].snoozed_until, found.holder.language
    if until is None or until < _days(found)[0] - timedelta(days=1):
        return []
    return [WORDS[language].paused.format(in_words(until, language))]


def _about(
    found: Preferences,
    topic: str,
    proof: str,
    heading: str,
    lines: list[str],
    *,
    status: int = 200,
    stop: bool = False,
    undo: str = "",
) -> Response:
    """A page about a holder's emails, in the holder's language."""
    language, (first, last) = found.holder.language, _days(found)
    return _page(
        heading,
        language,
        lines,
        status=status,
        kind=WORDS[language].kinds[topic],
        address=f"/unsubscribe/{topic}/{proof}",
        stop=stop,
        undo=undo,
        pausable=topic == REMINDERS,
        first=first,
        last=last,
    )


def _page(
    heading: str, language: str, lines: list[str], *, status: int = 200, **facts: Any
) -> Response:
    words = WORDS[language]
    response = pages.plain(
        "unsubscribe.html",
        language=language,
        status=status,
        words=words,
        heading=words.headings[heading],
        lines=lines,
        **facts,
    )
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Cache-Control"] = "no-store"
    return response
