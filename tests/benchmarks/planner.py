"""The ledger of reminders: what a tick costs, how fast an outage is made up for, what is sent.

Every measurement has people of its own, numbered on, and leaves nothing due or ready behind.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from multiprocessing import get_context

from sqlalchemy import delete, func, select, text, update

from tests.benchmarks import multitude
from tests.benchmarks.measurements import Measured, at_least, at_most, measures
from tests.benchmarks.multitude import Multitude
from tests.benchmarks.relay import relaying
from tests.benchmarks.workshop import Workshop
from tracker import clock, jobs, settings
from tracker.app import create_container
from tracker.domain.permissions import SYSTEM
from tracker.mail.smtp_sender import Delivery, DeliveryOutcome
from tracker.models import Message, Notice, Reminder, ReminderCursor
from tracker.services.core import bulk
from tracker.services.core.context import Container
from tracker.services.delivery import leases, send_safety
from tracker.services.delivery import planner as planning
from tracker.services.delivery.due_stages import AT_ONCE

_FEW, _MANY, _DUE, _ROUNDS = 5_000, 250_000, 500, 5
_OUTAGE = timedelta(days=30)
_ALL = 10_000_000  # certifications of the country that the time after an outage is told for
_PROCESSES, _PLAN, _CLAIM, _CONNECTIONS, _SLOW = 2, 500, 50, 20, 0.135


@measures("idle", at_most(10, " pages"), against="an index of all that is due")
def idle(shop: Workshop) -> Measured:
    """Look for what is due where nothing is."""
    count = shop.sized(_MANY)
    _people(shop, count)
    statement = (
        "explain (analyze, buffers, format json) select certification_id from reminder_cursor"
        " where next_due_at <= now() - interval '100 years' order by next_due_at limit 500"
        " for update skip locked"
    )
    with shop.container.work(SYSTEM) as work:
        plan = work.row(text(statement))[0][0]["Plan"]
    pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return Measured(pages or 0.5, {"certifications": _cursors(shop)})


@measures("planner", at_most(1.5, "x"), against="the same among a fiftieth of them")
def planner(shop: Workshop) -> Measured:
    """Plan the same number of due reminders among many certifications."""
    times, counts = [], []
    each = shop.sized(_DUE)
    for count in (_FEW, _MANY):
        _people(shop, max(shop.sized(count), each * _ROUNDS * 8))
        times.append(statistics.median(_plan(shop, each) for _ in range(_ROUNDS)))
        counts.append(_cursors(shop))
    few, many = times
    return Measured(
        many / few,
        {f"ms among {counts[0]}": few * 1000, f"ms among {counts[1]}": many * 1000},
    )


@measures("outage", at_least(4000, "/s"), against=f"a second of {_PROCESSES} processes")
def outage(shop: Workshop) -> Measured:
    """Plan what fell due in thirty days of standing still."""
    count = shop.sized(_MANY)
    _people(shop, count, planned_until=shop.container.clock() - _OUTAGE)
    due = _due(shop)
    planned, rate = _all_of(shop, partial(_planning, limit=_part(due, _PLAN)))
    minutes = due / count * _ALL / rate / 60
    _forget_letters(shop)
    parts = {"certifications": count, "due": due, "planned": planned}
    return Measured(rate, {**parts, f"minutes for {_ALL:,}": minutes})


@measures("outbox", at_least(5000, "/s"), against=f"a second of {_PROCESSES} processes")
def claimed_and_finished(shop: Workshop) -> Measured:
    """Claim messages and finish them."""
    count = shop.sized(20_000)
    _queue(shop, count)
    with shop.container.work(SYSTEM) as work:  # the others' clocks begin again
        work.connection.execute(update(Message).values(next_at=work.now - timedelta(hours=1)))
    finished, rate = _all_of(shop, partial(_claiming, limit=_part(count, _CLAIM)))
    _forget_letters(shop)
    return Measured(rate, {"letters": finished})


@measures("letters", at_least(300, "/s"), against="a second of one connection")
def letters(shop: Workshop) -> Measured:
    """Write messages and hand them to a mail server on this machine."""
    return _sent(shop, shop.sized(2_000), connections=1, delay=0.0)


@measures("slow", at_least(100, "/s"), against=f"a second of {_CONNECTIONS} connections")
def slow(shop: Workshop) -> Measured:
    """The same to a mail server that takes 135 ms."""
    return _sent(shop, shop.sized(1_500), connections=_CONNECTIONS, delay=_SLOW)


def _people(shop: Workshop, count: int, **more: object) -> None:
    """Put people on record, of whom nothing is due unless it is said otherwise.

    What is due of those before them stays so no longer.
    """
    first = _cursors(shop) * 2 + 1  # numbers that no one has
    until = more.get("planned_until", shop.container.clock())
    with shop.container.work(SYSTEM) as work:
        due = update(ReminderCursor).where(ReminderCursor.next_due_at <= work.now)
        work.connection.execute(due.values(next_due_at=None))
        multitude.populate(work, Multitude(first, count, until))  # type: ignore[arg-type]
    shop.analyze()


def _cursors(shop: Workshop) -> int:
    with shop.container.reading(SYSTEM) as reading:
        return int(reading.row(select(func.count()).select_from(ReminderCursor))[0])


def _due(shop: Workshop) -> int:
    with shop.container.reading(SYSTEM) as reading:
        due = select(func.count()).where(ReminderCursor.next_due_at <= reading.now)
        return int(reading.row(due)[0])


def _make_due(shop: Workshop, count: int) -> None:
    """Have so many be looked at again who have a stage to be told of and were told of none."""
    untold = (
        select(ReminderCursor.certification_id)
        .where(
            ReminderCursor.last_offset.is_not(None),
            ReminderCursor.certification_id.not_in(select(Reminder.certification_id)),
        )
        .order_by(ReminderCursor.certification_id.desc())
        .limit(count)
    )
    with shop.container.work(SYSTEM) as work:
        for ids in bulk.chunks([row.certification_id for row in work.rows(untold)]):
            of_these = bulk.among(work, ReminderCursor.certification_id, ids)
            again = update(ReminderCursor).where(of_these)
            work.connection.execute(again.values(next_due_at=AT_ONCE, last_offset=None))


def _plan(shop: Workshop, count: int) -> float:
    """Seconds that one tick takes for so many, each with a message to be written."""
    _make_due(shop, count)
    begun = time.perf_counter()
    counts = planning.plan_due(shop.container, limit=count)
    taken = time.perf_counter() - begun
    if counts.planned != count:
        raise RuntimeError(f"planned {counts.planned} of {count}")
    _forget_letters(shop)
    return taken


def _queue(shop: Workshop, count: int) -> None:
    """Have messages to so many people wait in the outbox."""
    _people(shop, count * 4)
    _make_due(shop, count)
    while planning.plan_due(shop.container, limit=_PLAN).examined:
        pass
    with shop.container.work(SYSTEM) as work:
        send_safety.allow(work)  # no one is written to


Step = Callable[[], int]
"""Does a part of what is left to do; how much it did, 0 when nothing is left."""


def _all_of(shop: Workshop, made: Callable[[Container], Step]) -> tuple[int, float]:
    """Have two processes do steps until nothing is left or time is up: how many, how fast."""
    given = (made, shop.variables, max(shop.seconds * 4, 1))
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(_repeat, *given) for _ in range(_PROCESSES)]
        worked = [one.result() for one in running]
    done, begun, ended = zip(*(one for one in worked if one[0]), strict=True)
    return sum(done), sum(done) / (max(ended) - min(begun))


def _repeat(
    made: Callable[[Container], Step], variables: Mapping[str, str], seconds: float
) -> tuple[int, float, float]:
    """Repeat a step in this process: how much was done, from when until when.

    The first one is left out: statements are made in it.
    """
    container = create_container(settings.load(variables=variables))
    step = made(container)
    step()
    done, begun = 0, clock.system().timestamp()
    while (more := step()) and clock.system().timestamp() - begun < seconds:
        done += more
    ended = clock.system().timestamp()
    container.engine.dispose()
    return done, begun, ended


def _part(count: int, usual: int) -> int:
    """How many a step takes: fewer than usual where there are not enough for several steps."""
    return min(usual, count // (4 * _PROCESSES) + 1)


def _planning(container: Container, *, limit: int) -> Step:
    return lambda: planning.plan_due(container, limit=limit).examined


def _claiming(container: Container, *, limit: int) -> Step:
    """Claim a few messages and finish them one by one."""
    with container.work(SYSTEM) as work:
        send_safety.allow(work)
        place = send_safety.place(work)

    def step() -> int:
        with container.work(SYSTEM) as work:
            claims = leases.claim(work, owner=str(os.getpid()), place=place, limit=limit)
        for claim in claims:
            with container.statement(SYSTEM) as work:
                leases.settle(work, claim, Delivery(DeliveryOutcome.ACCEPTED, ""), to="")
        return len(claims)

    return step


def _sent(shop: Workshop, count: int, *, connections: int, delay: float) -> Measured:
    _queue(shop, count)
    with relaying(delay) as port:
        container = _mailing(shop.container, port, connections)
        begun, busy = time.perf_counter(), time.process_time()
        sent = jobs.dispatch(container)["sent"]
        taken, busy = time.perf_counter() - begun, time.process_time() - busy
    _forget_letters(shop)
    if sent != count:
        raise RuntimeError(f"sent {sent} of {count}")
    return Measured(sent / taken, {"letters": sent, "own ms a letter": busy / sent * 1000})


def _mailing(container: Container, port: int, connections: int) -> Container:
    mail = replace(container.settings.mail, server="127.0.0.1", port=port)
    reminders = replace(container.settings.reminders, connections=connections)
    return replace(container, settings=replace(container.settings, mail=mail, reminders=reminders))


def _forget_letters(shop: Workshop) -> None:
    """Empty the outbox, so that the next measurement finds its own messages only."""
    emptied: Sequence[type] = (Notice, Message)
    with shop.container.work(SYSTEM) as work:
        for table in emptied:
            work.connection.execute(delete(table))
