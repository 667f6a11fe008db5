"""An employer's workers: the parts, the months ahead, the list; as a file, and to print.

Every number leads to its rows. The parts and months are those of a site, department and shift; the
rest of a filter chooses among those people. A look is on record before anything is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, Response

from tracker import tabular
from tracker.api.employers import workforce as workforce_api
from tracker.api.http import paging, routing
from tracker.domain.employers import workforce as rules
from tracker.domain.errors import TooManyAtOnce, TooOften
from tracker.domain.permissions import Actor
from tracker.language.voice import figure, in_words, month_names
from tracker.services.core.context import ReadContext
from tracker.services.employers import looks, workforce_files, workforce_overview
from tracker.services.employers.workforce import Worker
from tracker.services.employers.workforce_overview import WorkforceOverview
from tracker.web.employers import selections, workforce_words
from tracker.web.employers.selections import HERE, Selected
from tracker.web.employers.workforce_words import WORDS, WorkforceWords
from tracker.web.people import visitors
from tracker.web.people.account import moment

pages = Blueprint("employer-pages", __name__)

BAR = 1000
"""The length of the bar in the units of its picture."""
_COLUMN, _TALLEST = 40, 120  # a month in the picture: its width, and the height of the most
_MOST_REPORTED = 2000


@dataclass(frozen=True, slots=True)
class SegmentShown:
    """A part of the workforce: its rows, its number, and where it stands in the bar."""

    code: str
    name: str
    count: int
    href: str
    start: int
    length: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class MonthShown:
    """A month: its rows, its number, and its column in the picture."""

    name: str
    label: str
    count: int
    href: str
    start: int
    height: int


@dataclass(frozen=True, slots=True)
class WorkerShown:
    """A worker in the list, in words; ``reason`` says why one is not shared."""

    href: str
    name: str
    employee_id: str
    segment: str
    status: str
    reason: str
    expires: str
    left: str
    points: str
    where: str


@dataclass(frozen=True, slots=True)
class GroupChoice:
    """A site, department or shift to filter by."""

    name: str
    label: str
    values: Sequence[str]
    chosen: str


@pages.get(HERE)
@visitors.for_organization("employer")
def home(actor: Actor, employer_id: str) -> Response:
    """The numbers and the list, the most urgent first."""
    with routing.container().reading(actor) as reading:
        chosen = selections.of_request(reading, employer_id)
        found = workforce_overview.overview(
            reading,
            chosen.selection,
            after=chosen.query.get("after"),
            limit=chosen.query["limit"],
            sort=chosen.query["sort"],
        )
        today = reading.today(chosen.selection.scheme)
        schemes = [(one.code, one.full_name(routing.language())) for one in reading.schemes]
    with routing.container().work(actor) as work:
        workforce_overview.note(work, chosen.selection, found)
    return _home(actor, chosen, found, today, schemes)


def _home(
    actor: Actor,
    chosen: Selected,
    found: WorkforceOverview,
    today: date,
    schemes: Sequence[tuple[str, str]],
) -> Response:
    language = routing.language()
    say, on = WORDS[language], chosen.selection.on
    place = found.following
    more = {"after": paging.cursor_of(workforce_api.place_key(place))} if place else None
    segments = _segments(chosen, found, say)
    return visitors.page(
        "employers/workforce",
        language,
        say=say,
        parts=workforce_words.parts(actor, language),
        may_change="write" in actor.scopes,
        employer=found.employer,
        chosen=chosen,
        filter=chosen.in_words(language),
        done=workforce_words.done(language),
        people=say.people(found.total),
        as_of=say.as_of.format(in_words(on, language)),
        is_today=on == today,
        segments=segments,
        picture=say.picture.format(
            "; ".join(f"{one.name}: {one.count}" for one in segments if one.count)
        ),
        months=_months(chosen, found.months, language),
        months_picture=_months_picture(found.months, language),
        groups=_groups(chosen, found, say),
        schemes=schemes,
        workers=[worker_shown(one, chosen, language) for one in found.workers],
        with_points=any(one.points for one in found.workers),
        with_places=any(one.site or one.department or one.shift for one in found.workers),
        more=f"{chosen.address(**more)}#list" if more else "",
    )


def _segments(
    chosen: Selected, found: WorkforceOverview, say: WorkforceWords
) -> list[SegmentShown]:
    """The parts one after another along the bar; each that has anybody is wide enough to see."""
    shown: list[SegmentShown] = []
    at = before = 0
    names = say.segment_names(selections.thresholds())
    for code, count in found.parts.items():
        at += count
        end = round(BAR * at / found.total) if found.total else 0
        shown.append(
            SegmentShown(
                code=code,
                name=names[code],
                count=count,
                href=chosen.narrowed(segment=code),
                start=before,
                length=end - before,
                is_chosen=chosen.selection.segment == code,
            )
        )
        before = end
    return shown


def _months(
    chosen: Selected, months: Sequence[tuple[date, int]], language: str
) -> list[MonthShown]:
    most = max((count for _, count in months), default=0) or 1
    shown: list[MonthShown] = []
    for place, (month, count) in enumerate(months):
        days = rules.days_ahead(month, on=chosen.selection.on)
        rows = chosen.narrowed(expires_from=days.starts_on, expires_until=days.ends_on)
        height = round(_TALLEST * count / most)
        name = _month(month, language)
        starts_year = place == 0 or month.month == 1
        label = name.partition(" ")[0][:3] + (f" {month.year}" if starts_year else "")
        shown.append(MonthShown(name, label, count, rows, place * _COLUMN, height))
    return shown


def _month(month: date, language: str) -> str:
    return f"{month_names(language)[month.month - 1]} {month.year}"


def _months_picture(months: Sequence[tuple[date, int]], language: str) -> str:
    """What the picture of the months shows; empty if it would show nothing."""
    most = max((count for _, count in months), default=0)
    if not most:
        return ""
    first, last = (_month(months[place][0], language) for place in (0, -1))
    return WORDS[language].months_picture.format(first=first, last=last, most=most)


def _groups(chosen: Selected, found: WorkforceOverview, say: WorkforceWords) -> list[GroupChoice]:
    """What the list can be filtered by: only what somebody on it has."""
    known = {
        "site": found.groups.sites,
        "department": found.groups.departments,
        "shift": found.groups.shifts,
    }
    return [
        GroupChoice(name, getattr(say, name), values, chosen.given.get(name, ""))
        for name, values in known.items()
        if values
    ]


def worker_shown(worker: Worker, chosen: Selected, language: str) -> WorkerShown:
    """A worker in the words of the list."""
    say = WORDS[language]
    points = worker.points
    amounts = {"counted": points.total, "required": points.required} if points else {}
    figures = {name: figure(amount) for name, amount in amounts.items()}
    day = {name: chosen.given[name] for name in ("as_of", "scheme") if name in chosen.given}
    return WorkerShown(
        href=selections.address(f"/workers/{worker.id}", day),
        name=worker.name or "",
        employee_id=worker.employee_id,
        segment=rules.segment(
            worker.status,
            worker.expires_on,
            on=chosen.selection.on,
            thresholds=selections.thresholds(),
        ),
        status=say.statuses[worker.status],
        reason=reason_in_words(worker, language),
        expires=in_words(worker.expires_on, language) if worker.expires_on else "",
        left="" if worker.days_left is None else say.left_in_words(worker.days_left),
        points=say.points_of.format(**figures) if figures else "",
        where=" · ".join(filter(None, (worker.site, worker.department, worker.shift))),
    )


def reason_in_words(worker: Worker, language: str) -> str:
    """Why a worker is not shared, as far as the employer may know."""
    if worker.reason is None:
        return ""
    day = in_words(worker.reason_on, language) if worker.reason_on else ""
    return WORDS[language].reasons[worker.reason].format(day)


# Files and the report.
@pages.get(f"{HERE}/workers.csv")
@visitors.for_organization("employer")
def as_csv(actor: Actor, employer_id: str) -> Response:
    """What the list shows, as CSV."""
    return _file(actor, employer_id, tabular.write_csv, f"{workforce_api.CSV}; charset=utf-8")


@pages.get(f"{HERE}/workers.xlsx")
@visitors.for_organization("employer")
def as_xlsx(actor: Actor, employer_id: str) -> Response:
    """What the list shows, as a workbook."""
    return _file(actor, employer_id, tabular.write_xlsx, workforce_api.XLSX)


def _file(
    actor: Actor, employer_id: str, writer: workforce_api.Writer, content_type: str
) -> Response:
    try:
        with routing.container().reading(actor) as reading:
            chosen = selections.of_request(reading, employer_id)
            if chosen.is_wrong:
                return visitors.go(selections.unread())
            query = {**chosen.query, "points": True}
            made = workforce_api.as_file(reading, query, employer_id, writer, content_type)
    except (TooOften, TooManyAtOnce) as refusal:
        return visitors.refused_file(refusal)
    return visitors.private(made)


@pages.get(f"{HERE}/report")
@visitors.for_organization("employer")
def report(actor: Actor, employer_id: str) -> Response:
    """Everybody whom the filter finds, to print for an auditor."""
    language = routing.language()
    with routing.container().reading(actor) as reading:
        chosen = selections.of_request(reading, employer_id)
        if chosen.is_wrong:
            return visitors.go(selections.unread())
        _note_file(reading, chosen)
        found = workforce_overview.report(
            reading, chosen.selection, sort=chosen.query["sort"], most=_MOST_REPORTED
        )
        scheme = chosen.selection.scheme
    say, on = WORDS[language], chosen.selection.on
    base = routing.container().settings.app.base_url
    return visitors.page(
        "employers/workforce_report",
        language,
        say=say,
        employer=found.employer,
        scheme=scheme.full_name(language),
        as_of=in_words(on, language),
        checked=moment(found.at, language, scheme.time_zone),
        filter="; ".join(chosen.in_words(language)),
        rows=[_line(row, language) for row in found.rows],
        too_long=say.report_too_long.format(f"{_MOST_REPORTED:,}") if found.is_cut else "",
        check=say.report_check.format(f"{base}/verify"),
        back=chosen.address(),
    )


def _note_file(reading: ReadContext, chosen: Selected) -> None:
    with routing.container().work(reading.actor) as work:
        looks.record_file(work, chosen.selection)


def _line(row: Sequence[object], language: str) -> Mapping[str, str]:
    """A row of an export in words."""
    named = dict(zip(workforce_files.COLUMNS, row, strict=True))
    say, ends = WORDS[language], named["expires_on"]
    return {
        "name": str(named["name"] or say.not_named),
        "employee_id": str(named["employee_id"]),
        "number": str(named["certificate_number"] or ""),
        "status": say.statuses[str(named["status"])],
        "expires": in_words(ends, language) if isinstance(ends, date) else "",
    }
