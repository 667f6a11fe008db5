"""Reminders ahead: 90 days as a strip and a table, a rehearsal of any day, dead addresses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, Response, request

from tracker.api.delivery.suppressions import LiftSchema
from tracker.api.http import routing, session_cookies
from tracker.domain import values
from tracker.domain.errors import NotFound, Refusal
from tracker.domain.permissions import Actor
from tracker.language.voice import in_words, month_names
from tracker.services.core.context import UnitOfWork
from tracker.services.delivery import reminder_overviews
from tracker.services.delivery.reminder_calendar import StageCalendar
from tracker.services.outbox import suppressions
from tracker.web import navigation
from tracker.web.delivery import stage_words
from tracker.web.delivery.stage_words import WORDS
from tracker.web.desk import desk_forms, record_words
from tracker.web.people import forms, lists, visitors

pages = Blueprint("desk-reminders", __name__)

HERE = "/desk/reminders"
_DEAD = f"{HERE}/addresses"
_PARTS = ("year", "month", "day")
_COLUMNS, _CELL = 13, 40
_SHADES = 4
"""How many steps of gray the strip has, beside none."""


@dataclass(frozen=True, slots=True)
class DayShown:
    """A day of the strip: its place, its shade from 0 (nothing) to 4, and what it says."""

    x: int
    y: int
    shade: int
    day: str
    count: int
    stages: str


@pages.get(HERE)
@visitors.for_staff
def home(actor: Actor) -> Response:
    """The days ahead; with a day asked for, what would be sent by its end."""
    language = routing.language()
    say = WORDS[language]
    typed = {f"as_of_{part}": request.args.get(f"as_of_{part}", "") for part in _PARTS}
    as_of, wrong = _as_of(typed, say.wrong_day)
    with routing.container().reading(actor) as reading:
        found = reminder_overviews.ahead(reading, as_of=as_of)
    days = _days(found.calendar, language)
    busiest = max(days, key=lambda one: one.count)
    return visitors.page(
        "delivery/reminders",
        language,
        422 if wrong else 200,
        say=say,
        form=desk_forms.words(),
        codes=record_words.WORDS[language],
        areas=navigation.of_records(language),
        here=HERE,
        found=found,
        days=days,
        busiest=busiest,
        total=sum(one.count for one in days),
        size=(_COLUMNS * _CELL, (max(one.y for one in days) + _CELL)),
        cell=_CELL,
        months=month_names(language),
        stage=lambda offset: stage_words.stage(offset, language),
        day=lambda day: in_words(day, language),
        stated=typed,
        errors={"as_of": wrong} if wrong else {},
        wrong=wrong,
    )


def _as_of(typed: dict[str, str], wrong: str) -> tuple[date | None, str | None]:
    """The day asked for, or why it is none."""
    year, month, day = (typed[f"as_of_{part}"].strip() for part in _PARTS)
    if not (year or month or day):
        return None, None
    try:
        return values.day(f"{year}-{month.zfill(2)}-{day.zfill(2)}"), None
    except ValueError:
        return None, wrong


def _days(calendar: StageCalendar, language: str) -> Sequence[DayShown]:
    """Every day of the calendar, seven in a column."""
    counts: dict[date, int] = defaultdict(int)
    stages: dict[date, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for one in calendar.due:
        counts[one.on] += one.count
        stages[one.on][one.stage] += one.count
    most = max(counts.values(), default=0)
    length = (calendar.through_on - calendar.from_on).days
    return [
        DayShown(
            x=number // 7 * _CELL,
            y=number % 7 * _CELL,
            shade=-(-_SHADES * counts[day] // most) if most else 0,
            day=in_words(day, language),
            count=counts[day],
            stages=", ".join(
                f"{stage_words.stage(offset, language)}: {count}"
                for offset, count in sorted(stages[day].items(), reverse=True)
            ),
        )
        for number in range(length + 1)
        for day in (calendar.from_on + timedelta(days=number),)
    ]


@pages.get(_DEAD)
@visitors.for_staff
def addresses(actor: Actor) -> Response:
    """The addresses to which nothing is sent, and whose they are."""
    return _addresses(actor)


@pages.post(_DEAD)
@visitors.for_staff
def lift(actor: Actor) -> Response:
    """Send to an address again, because the mailbox works again."""

    def act(work: UnitOfWork) -> str:
        said = routing.load(LiftSchema(), forms.sent("address", "reason"))
        suppressions.lift(work, said["address"], reason=said["reason"])
        return _DEAD

    return forms.attempted(
        actor, act, here=_DEAD, refused=lambda refusal: _addresses(actor, refusal=refusal)
    )


def _addresses(actor: Actor, *, refusal: Refusal | None = None) -> Response:
    language, after = routing.language(), request.args.get("after", "")
    if not after.isprintable():  # no address has such a character, and PostgreSQL takes no NUL
        raise NotFound
    with routing.container().reading(actor) as reading:
        found = reminder_overviews.undeliverable(
            reading, after=after or None, limit=lists.LISTED + 1
        )
    rows, more = lists.cut(found, lambda one: one.suppressed.address)
    errors, wrong = desk_forms.errors(refusal, {"reason": desk_forms.words().reason})
    return visitors.page(
        "delivery/addresses",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        here=_DEAD,
        rows=rows,
        more=more,
        moment=lambda instant: desk_forms.moment(instant, language),
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )
