"""Figures of the review queue as a page: decisions a week, waits, reviewers, reasons, kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from tracker.api.desk.reviews import FiguresQuerySchema
from tracker.api.http import routing
from tracker.domain.errors import Invalid
from tracker.domain.permissions import Actor
from tracker.domain.schemes.activity_types import translated
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.core.context import ReadContext
from tracker.services.desk import queue_figures
from tracker.services.desk.queue_figures import DecidedLine, FigureKey, QueueFigures
from tracker.web import navigation
from tracker.web.desk import queue_shown
from tracker.web.desk.reviews_words import business_days
from tracker.web.people import visitors

pages = Blueprint("queue-figures-pages", __name__)

HERE = "/desk/figures"
_HEIGHT, _WIDTH, _WIDEST = 160, 720, 56


@dataclass(frozen=True, slots=True)
class FiguresWords:
    """One language's words."""

    title: str
    period: str
    from_on: str
    until_on: str
    show: str
    total: str
    total_none: str
    waits: str
    weeks: str
    weeks_picture: str
    week: str
    reviewers: str
    reviewer: str
    reasons: str
    reason: str
    no_reason: str
    types: str
    type: str
    decided: str
    approved: str
    rejected: str
    asked: str
    late: str
    median: str
    most: str
    days_note: str
    wrong: dict[str, str]


WORDS = {
    lang: FiguresWords(**catalogues.topic(lang, "figures_pages")) for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class FigureLine:
    """A line of a table: its name, and its figures in the order of the columns."""

    name: str
    figures: Sequence[str]


@dataclass(frozen=True, slots=True)
class WeekBar:
    """A week in the picture: approved below, rejected on top of it."""

    x: int
    approved: int
    rejected: int
    count: int


@pages.get(HERE)
@visitors.for_staff
def home(actor: Actor) -> Response:
    """The figures of a period, by default the last 90 days."""
    language = routing.language()
    say = WORDS[language]
    asked = {name: request.args[name] for name in ("from", "until") if request.args.get(name)}
    errors: dict[str, str] = {}
    with routing.container().reading(actor) as reading:
        try:
            query: dict[str, Any] = routing.load(FiguresQuerySchema(), MultiDict(asked))
            found = queue_figures.of_period(reading, **query)
        except Invalid as refusal:
            errors = {name: say.wrong[name] for name in refusal.fields if name in say.wrong}
            found = queue_figures.of_period(reading)
        tables = _tables(reading, found, language)
    period = found.period
    days = {"first": period.starts_on, "last": period.ends_on}
    return visitors.page(
        "desk/figures",
        language,
        422 if errors else 200,
        say=say,
        here=HERE,
        parts=navigation.of_desk(actor, language),
        period=say.period.format(**{k: in_words(day, language) for k, day in days.items()}),
        asked=asked or {"from": period.starts_on, "until": period.ends_on},
        told=_told(found, language),
        columns=[
            *(say.decided, say.approved, say.rejected, say.asked, say.late),
            *(say.median, say.most),
        ],
        tables=tables,
        bars=_bars(found.weeks),
        height=_HEIGHT,
        width=_WIDTH,
        step=min(_WIDTH // max(len(found.weeks), 1), _WIDEST),
        errors=errors,
        wrong=next(iter(errors.values()), None),
    )


def _told(found: QueueFigures, language: str) -> list[str]:
    """What was decided and after which waits, in sentences."""
    say, total = WORDS[language], found.total
    if not total.decided and not total.asked:
        return [say.total_none]
    told = say.total.format(
        decided=total.decided, approved=total.approved, rejected=total.rejected, asked=total.asked
    )
    median, most = total.waits.percentile(50), total.waits.percentile(90)
    if median is None or most is None:
        return [told]
    waits = say.waits.format(
        median=business_days(median, language),
        most=business_days(most, language),
        late=total.late(found.service_level),
        level=business_days(found.service_level, language),
    )
    return [told, waits]


def _tables(
    reading: ReadContext, found: QueueFigures, language: str
) -> list[tuple[str, str, Sequence[FigureLine]]]:
    """Each table: its heading, the heading of its first column, its lines."""
    say = WORDS[language]

    def week(key: FigureKey) -> str:
        return in_words(cast(date, key[0]), language)

    def reviewer(key: FigureKey) -> str:
        return str(key[1])

    def reason(key: FigureKey) -> str:
        code = reading.reasons.by_code.get(str(key[0]))
        return translated(code.text, language) if code else str(key[0] or say.no_reason)

    def kind(key: FigureKey) -> str:
        scheme, _, type_ = map(str, key)
        return queue_shown.kind_of(reading.schemes[scheme], type_, language)

    level = found.service_level
    return [
        (say.weeks, say.week, _lines(found.weeks, week, level)),
        (say.reviewers, say.reviewer, _lines(found.reviewers, reviewer, level)),
        (say.reasons, say.reason, _lines(found.reasons, reason, level)),
        (say.types, say.type, _lines(found.types, kind, level)),
    ]


def _lines(
    lines: Mapping[FigureKey, DecidedLine], name: Callable[[FigureKey], str], level: int
) -> list[FigureLine]:
    return [FigureLine(name(key), _figures(line, level)) for key, line in lines.items()]


def _figures(line: DecidedLine, level: int) -> list[str]:
    counts = [line.decided, line.approved, line.rejected, line.asked, line.late(level)]
    waits = [line.waits.percentile(50), line.waits.percentile(90)]
    return [*map(str, counts), *("–" if one is None else str(one) for one in waits)]  # noqa: RUF001 - the dash of an empty cell


def _bars(weeks: Mapping[FigureKey, DecidedLine]) -> list[WeekBar]:
    """The weeks as bars, those decided alone; empty if there were none."""
    tallest = max((line.decided for line in weeks.values()), default=0)
    if not tallest:
        return []
    step = min(_WIDTH // len(weeks), _WIDEST)
    return [
        WeekBar(
            x=place * step,
            approved=_HEIGHT * line.approved // tallest,
            rejected=_HEIGHT * line.rejected // tallest,
            count=line.decided,
        )
        for place, line in enumerate(weeks.values())
    ]
