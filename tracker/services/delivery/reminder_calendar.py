"""A calendar of the stages that fall due, counted by the database in one statement.

It uses the cursors and the timelines, as the planner does, and ignores what only the day itself
shows: points complete by then, addresses, and preferences. So a day's number is an upper bound;
it differs from the dry run only for those reasons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from tracker.domain.delivery import reminders as rules
from tracker.models import Certification, Cycle, Reminder, ReminderCursor, Span
from tracker.services.core.context import ReadContext
from tracker.services.core.days import today_everywhere
from tracker.services.delivery.due_stages import AUDIENCE

LONGEST = 366
"""The most days that a calendar may show."""


class _days_before(GenericFunction[date]):  # noqa: N801 - a function of SQL
    """The date a number of days before another."""

    type = Date()
    inherit_cache = True


@compiles(_days_before, "postgresql")
def _in_postgresql(element: _days_before, compiler: SQLCompiler, **options: object) -> str:
    day, days = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({day} - {days})"


@compiles(_days_before, "sqlite")
def _in_sqlite(element: _days_before, compiler: SQLCompiler, **options: object) -> str:
    day, days = (compiler.process(clause, **options) for clause in element.clauses)
    return f"date({day}, (-({days})) || ' days')"


@dataclass(frozen=True, slots=True)
class StageCount:
    """The most certifications of a scheme that have a stage on a day.

    ``when_complete`` says whether the stage is also sent to holders whose points are complete.
    """

    on: date
    scheme: str
    stage: int
    count: int
    when_complete: bool


@dataclass(frozen=True, slots=True)
class StageCalendar:
    """The stages from one day through another, both included, in order."""

    from_on: date
    through_on: date
    due: tuple[StageCount, ...]


def ahead(reading: ReadContext, *, days: int) -> StageCalendar:
    """The stages that fall due today and in the next ``days`` days; today includes overdue ones.

    Always one statement; it reads only the cursors that move within those days.
    """
    today = today_everywhere(reading)
    last = today + timedelta(days=days)
    stages = _stages(reading)
    rows = reading.rows(_counted(stages, today, last)) if stages is not None else ()
    due = (
        StageCount(day, scheme, stage, count, _when_complete(reading, scheme, stage))
        for day, scheme, stage, count in rows
    )
    return StageCalendar(today, last, tuple(due))


def _when_complete(reading: ReadContext, scheme: str, stage: int) -> bool:
    policy = reading.schemes[scheme].reminders
    return policy is not None and stage in policy.offsets_when_complete


def _stages(reading: ReadContext) -> CTE | None:
    """The stages of every scheme, each with the one that follows it."""
    rows = [
        select(
            cast(literal(code), String).label("scheme"),
            cast(literal(offset), Integer).label("stage"),
            cast(literal(following) if following is not None else null(), Integer).label("next"),
        )
        for code, offset, following in _every_stage(reading)
    ]
    return union_all(*rows).cte("stages") if rows else None


def _every_stage(reading: ReadContext) -> Iterator[tuple[str, int, int | None]]:
    for scheme in reading.schemes:
        if scheme.reminders is not None:
            offsets = sorted(set(scheme.reminders.offsets), reverse=True)
            for offset, following in zip(offsets, [*offsets[1:], None], strict=True):
                yield scheme.code, offset, following


def _counted(stages: CTE, today: date, last: date) -> Select[tuple[date, str, int, int]]:
    """The stages that are owed, counted by the day on which they are sent."""
    moving = _moving(last)
    stage = stages.c.stage
    falls_on = _days_before(moving.c.expires_on, stage)
    day = case((falls_on < today, literal(today, Date)), else_=falls_on)
    on_day = and_(
        Span.certification_id == moving.c.certification_id, Span.from_on <= day, Span.until_on > day
    )
    owed = (
        select(day.label("day"), stages.c.scheme, stage, func.count().label("n"))
        .select_from(moving)
        .join(stages, stages.c.scheme == moving.c.scheme)
        .join(Span, on_day, isouter=True)
        .where(falls_on <= last, _current(moving, stages, falls_on, today), *_open(moving, stage))
    )
    return owed.group_by("day", stages.c.scheme, stage).order_by("day", "scheme", stage.desc())


def _moving(last: date) -> CTE:
    """The cursors that move by a day; they are read first, so that all else is read for these."""
    # No zone is a whole day away from UTC.
    until = datetime.combine(last + timedelta(days=2), time.min, tzinfo=UTC)
    cursors = (
        select(
            ReminderCursor.certification_id,
            ReminderCursor.cycle,
            ReminderCursor.expires_on,
            ReminderCursor.last_offset,
            Certification.scheme,
        )
        .join(Certification, Certification.id == ReminderCursor.certification_id)
        .where(ReminderCursor.next_due_at < until)
    )
    return cursors.cte("moving").prefix_with("materialized", dialect="postgresql")


def _current(
    moving: CTE, stages: CTE, falls_on: ColumnElement[date], today: date
) -> ColumnElement[bool]:
    """The stage is ahead, or is the latest one due and not from before the cycle was opened."""
    following = _days_before(moving.c.expires_on, stages.c.next)
    still_useful = case(
        (stages.c.next.is_(None), falls_on > today - rules.LONG_PAST), else_=following > today
    )
    opened_on = (
        select(Cycle.opened_on)
        .where(Cycle.certification_id == moving.c.certification_id, Cycle.ordinal == moving.c.cycle)
        .scalar_subquery()
    )
    return or_(falls_on > today, and_(still_useful, falls_on >= opened_on))


def _open(moving: CTE, stage: ColumnElement[int]) -> Iterator[ColumnElement[bool]]:
    """The stage is not decided yet, and nothing on record rules it out on that day."""
    yield or_(moving.c.last_offset.is_(None), stage < moving.c.last_offset)
    yield Span.hold.is_(None)
    yield or_(Span.pending_since.is_(None), stage <= 0)
    yield ~exists(
        select(Reminder.id).where(
            Reminder.certification_id == moving.c.certification_id,
            Reminder.cycle == moving.c.cycle,
            Reminder.expires_on == moving.c.expires_on,
            Reminder.offset == stage,
            Reminder.audience == AUDIENCE,
        )
    )
