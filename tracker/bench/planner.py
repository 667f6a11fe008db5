"""Planning reminders: a tick should cost what is due, not what is on record."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, select, update

from tracker.bench import people
from tracker.bench.measurements import Measured, at_most, measures
from tracker.bench.people import Person
from tracker.bench.workshop import Workshop
from tracker.domain.permissions import SYSTEM
from tracker.models import ReminderCursor
from tracker.services import bulk, facts
from tracker.services import planner as planning
from tracker.services.reminder_plans import AT_ONCE

_FEW, _MANY, _DUE, _ROUNDS = 2_000, 40_000, 200, 5
_EXPIRES_SOON = date(2021, 12, 10)  # awarded then: nineteen days before the end


@measures("planner", at_most(1.5, "x"), against="the same among a twentieth of them")
def planner(shop: Workshop) -> Measured:
    """Plan the same number of due reminders among many certifications."""
    times, counts = [], []
    for count in (_FEW, _MANY):
        due = _people(shop, shop.sized(count))
        times.append(statistics.median(_plan(shop, some) for some in due))
        with shop.office.reading(SYSTEM) as reading:
            counts.append(reading.row(select(func.count()).select_from(ReminderCursor))[0])
    few, many = times
    return Measured(
        many / few,
        {f"ms among {counts[0]}": few * 1000, f"ms among {counts[1]}": many * 1000},
    )


def _people(shop: Workshop, count: int) -> list[list[Person]]:
    """Put people on record of whom nothing is due; some for each round."""
    each = shop.sized(_DUE)
    with shop.office.work(SYSTEM) as work:
        prefix = f"P{count}-"
        made = people.certify(
            work, max(count, each * _ROUNDS), prefix=prefix, awarded=_EXPIRES_SOON, spread=1
        )
        work.connection.execute(update(ReminderCursor).values(next_due_at=None))
    shop.analyze()
    return [made[n * each : (n + 1) * each] for n in range(_ROUNDS)]


def _plan(shop: Workshop, some: Sequence[Person]) -> float:
    """Seconds that one tick takes for these, each with a letter to be written."""
    with shop.office.work(SYSTEM) as work:
        for ids in facts.chunks([person.certification_id for person in some]):
            of_these = bulk.among(work, ReminderCursor.certification_id, ids)
            work.connection.execute(
                update(ReminderCursor).where(of_these).values(next_due_at=AT_ONCE)
            )
    begun = time.perf_counter()
    counts = planning.plan_due(shop.office, limit=len(some))
    if counts.planned != len(some):
        raise RuntimeError(f"planned {counts.planned} of {len(some)}")
    return time.perf_counter() - begun
