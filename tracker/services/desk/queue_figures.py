"""Figures of the queue: what waits now, what was decided in a period, and after which waits.

Counted is each decision that ended a wait and was not taken back; one that later corrects it, and
decisions that were imported, are not. So the lines of every grouping add up to the total. Waits are
those of approvals and rejections, since a question only stops a wait.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import cast

from sqlalchemy import Select, case, func, select

from tracker.domain.desk.reviews import Wait, WaitTimes, latest_overdue_start
from tracker.domain.errors import Invalid
from tracker.domain.periods import Period
from tracker.domain.points.activities import ActivityState, ActivityVerdict
from tracker.models import Activity, Decision
from tracker.services.core import days
from tracker.services.core.context import Column, ReadContext
from tracker.services.desk import queue_order
from tracker.services.desk.queue_order import WAIT_FROM, QueueFilter
from tracker.services.points.review_waits import ENDED_A_WAIT

LONGEST = 366
"""The most days of a period."""
USUAL = timedelta(days=89)
"""How long before today a period begins if none is given."""
FigureKey = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class DecidedLine:
    """Decisions by their verdicts, and the waits of those that were approved or rejected."""

    approved: int
    rejected: int
    asked: int
    waits: WaitTimes

    @property
    def decided(self) -> int:
        """Approved or rejected; questions decide nothing."""
        return self.approved + self.rejected

    def late(self, service_level: int) -> int:
        """How many were decided after more business days than promised."""
        return sum(n for waited, n in self.waits.decisions.items() if waited > service_level)


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """The figures of a period, and of the queue today.

    ``weeks`` are by their Mondays, ``reviewers`` by id and name, ``reasons`` by code (None: none
    was given), ``types`` by scheme, category and type. ``overdue`` is a part of ``waiting``;
    ``with_holders`` are activities about which a question is open.
    """

    period: Period
    service_level: int
    waiting: int
    overdue: int
    with_holders: int
    total: DecidedLine
    weeks: Mapping[FigureKey, DecidedLine]
    reviewers: Mapping[FigureKey, DecidedLine]
    reasons: Mapping[FigureKey, DecidedLine]
    types: Mapping[FigureKey, DecidedLine]


@dataclass(frozen=True, slots=True)
class QueueAges:
    """How many activities wait since how many business days, and how many of them for too long."""

    service_level: int
    waiting: Mapping[int, int]

    @property
    def count(self) -> int:
        """How many wait."""
        return sum(self.waiting.values())

    @property
    def overdue(self) -> int:
        """How many wait for longer than the service level."""
        return sum(n for waited, n in self.waiting.items() if waited > self.service_level)


def ages(reading: ReadContext, selection: QueueFilter) -> QueueAges:
    """The ages of the activities of a selection that wait for a decision.

    A flag is left out of the selection: it is known of the activities of a page alone.
    """
    today = days.today_everywhere(reading)
    waits = replace(selection, flag=None, state=ActivityState.SUBMITTED)
    rows = reading.rows(_statement_of_ages(waits), queue_order.parameters(reading, today))
    found: Counter[int] = Counter()
    for begins_on, count in rows:
        found[Wait(begins_on).days(today)] += count
    return QueueAges(reading.settings.reviews.service_level_days, found)


@lru_cache(maxsize=64)
def _statement_of_ages(waits: QueueFilter) -> Select[*tuple[object, ...]]:
    statement = select(WAIT_FROM, func.count()).where(*queue_order.filters(waits))
    return statement.group_by(WAIT_FROM)


def of_period(
    reading: ReadContext, *, from_on: date | None = None, until_on: date | None = None
) -> QueueFigures:
    """The figures of a period, by default the last 90 days. Raises Invalid if it is too long."""
    today = days.today_everywhere(reading)
    until_on = until_on or today
    period = Period(from_on or until_on - USUAL, until_on)
    if not 1 <= period.days <= LONGEST:
        rule = f"must be on or after from, and at most {LONGEST - 1} days later"
        raise Invalid("The period is too long or ends before it begins.", fields={"until": rule})
    weeks = _lines(reading, period, [Decision.decided_on], by=_monday)
    states = _states(reading, today)
    return QueueFigures(
        period=period,
        service_level=reading.settings.reviews.service_level_days,
        waiting=states[ActivityState.SUBMITTED, 0] + states[ActivityState.SUBMITTED, 1],
        overdue=states[ActivityState.SUBMITTED, 1],
        with_holders=sum(states[ActivityState.MORE_INFORMATION, late] for late in (0, 1)),
        total=_sum(list(weeks.values())),
        weeks=weeks,
        reviewers=_lines(reading, period, [Decision.decided_by_id, Decision.decided_by]),
        reasons=_lines(reading, period, [Decision.reason_code]),
        types=_lines(reading, period, [Activity.scheme, Activity.category, Activity.type]),
    )


def _monday(key: FigureKey) -> FigureKey:
    day = cast(date, key[0])
    return (day - timedelta(days=day.weekday()),)


def _states(reading: ReadContext, on: date) -> Counter[tuple[str, int]]:
    """How many activities wait for the reviewers and for their holders, by whether they are late.

    Those of people who died are among them: somebody has to close them.
    """
    start = latest_overdue_start(on, reading.settings.reviews.service_level_days)
    late = case((start >= WAIT_FROM, 1), else_=0).label("late")
    waits = Activity.state.in_([ActivityState.SUBMITTED, ActivityState.MORE_INFORMATION])
    statement = select(Activity.state, late, func.count()).where(waits)
    rows = reading.rows(statement.group_by(Activity.state, late))
    return Counter({(state, is_late): count for state, is_late, count in rows})


def _lines(
    reading: ReadContext,
    period: Period,
    columns: Sequence[Column[str] | Column[str | None] | Column[date]],
    *,
    by: Callable[[FigureKey], FigureKey] = tuple,
) -> dict[FigureKey, DecidedLine]:
    """The decisions of a period, grouped by columns, in the order of their keys."""
    counted = (*columns, Decision.verdict, Decision.waited_days)
    statement = (
        select(*counted, func.count())
        .join(Activity, Activity.id == Decision.activity_id)
        .where(*ENDED_A_WAIT, Decision.decided_on.between(period.starts_on, period.ends_on))
        .group_by(*counted)
    )
    found: dict[FigureKey, Counter[tuple[str, int]]] = defaultdict(Counter)
    for *key, verdict, waited, count in reading.rows(statement):
        found[by(tuple(key))][verdict, waited] += count
    return {key: _line(found[key]) for key in sorted(found, key=str)}


def _line(counts: Mapping[tuple[str, int], int]) -> DecidedLine:
    verdicts: Counter[str] = Counter()
    waits: Counter[int] = Counter()
    for (verdict, waited), count in counts.items():
        verdicts[verdict] += count
        if verdict != ActivityVerdict.MORE_INFORMATION:
            waits[waited] += count
    return DecidedLine(
        verdicts[ActivityVerdict.APPROVED],
        verdicts[ActivityVerdict.REJECTED],
        verdicts[ActivityVerdict.MORE_INFORMATION],
        WaitTimes(waits),
    )


def _sum(lines: Sequence[DecidedLine]) -> DecidedLine:
    return DecidedLine(
        sum(line.approved for line in lines),
        sum(line.rejected for line in lines),
        sum(line.asked for line in lines),
        sum((line.waits for line in lines), WaitTimes({})),
    )
