"""What runs by the clock: one function a job, safe to run twice and beside itself.

Each opens its own transactions, calls services, logs and returns counts. Nothing here holds a
rule, and nothing depends on a job being punctual or alone.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from tracker.domain.permissions import SYSTEM
from tracker.mail.smtp_sender import FINAL_TIMEOUT, Postman
from tracker.services.core import allowances, counters, idempotency
from tracker.services.core.context import Container
from tracker.services.delivery import dispatcher, heartbeat, ledger, planner, reaper, send_safety
from tracker.services.delivery.dispatcher import never
from tracker.services.delivery.planner import PlanCounts
from tracker.services.delivery.reaper import ReapCounts
from tracker.services.employers import digests, employments
from tracker.services.points import evidence
from tracker.settings import Settings

_log = logging.getLogger(__name__)

LONGEST_RUN = 60.0
"""Seconds after which a job leaves the rest to its next run, so that a hung one stands out."""
_TOGETHER = 500  # employments that are ended in one transaction
_AUDITED = timedelta(days=7)


def plan(container: Container, *, stop: Callable[[], bool] = never) -> PlanCounts:
    """Decide every stage that is due, a batch a transaction; nothing while sending is held."""
    with container.work(SYSTEM) as work:
        if send_safety.is_held(work):
            return PlanCounts()
        if ledger.keep_timetable(work):
            _log.info("reminder policies or zone rules changed: every cursor is looked at again")
    total, ends = PlanCounts(), time.monotonic() + LONGEST_RUN
    while not stop() and time.monotonic() < ends:
        counts = planner.plan_due(container, limit=container.settings.reminders.batch)
        if not counts.examined:
            break
        total += counts
    _tell("plan", asdict(total))
    return total


def dispatch(container: Container, *, stop: Callable[[], bool] = never) -> Counter[str]:
    """Send every letter whose time has come, over as many connections as it takes."""
    ends = time.monotonic() + LONGEST_RUN
    counts = dispatcher.dispatch_together(
        container,
        lambda: postman(container),
        connections=container.settings.reminders.connections,
        stop=lambda: stop() or time.monotonic() >= ends,
    )
    _tell("dispatch", counts)
    return counts


def postman(container: Container) -> Postman:
    """A postman for the configured relay; connects when the first letter leaves."""
    return postman_of(container.settings)


def postman_of(settings: Settings) -> Postman:
    """The same from the settings alone."""
    mail = settings.mail
    return Postman(
        server=mail.server,
        port=mail.port,
        use_tls=mail.use_tls,
        use_ssl=mail.use_ssl,
        username=mail.username or None,
        password=mail.password or None,
        timeout=mail.timeout_seconds,
        local_hostname=None,
        final_timeout=_final_timeout(settings),
    )


def _final_timeout(settings: Settings) -> float:
    """How long a relay may take over a letter: less than after which the letter is in doubt."""
    return min(FINAL_TIMEOUT, settings.reminders.transmitting_seconds * 2 / 3)


def reap(container: Container) -> ReapCounts:
    """Take back claims of dead workers and resolve letters in doubt."""
    with container.work(SYSTEM) as work:
        counts = reaper.reap(work)
    _tell("reap", asdict(counts))
    return counts


def digest(container: Container, *, stop: Callable[[], bool] = never) -> Counter[str]:
    """Write every employer's digest that is owed, each in its own transaction.

    One that cannot be written is logged and holds up no other. Nothing while sending is held.
    """
    ends, counts = time.monotonic() + LONGEST_RUN, Counter[str]()
    with container.reading(SYSTEM) as reading:
        waiting = [] if send_safety.is_held(reading) else digests.owed(reading)
    for employer_id in waiting:
        if stop() or time.monotonic() >= ends:
            break
        counts[_digest(container, employer_id)] += 1
    _tell("digest", counts)
    return counts


def _digest(container: Container, employer_id: str) -> str:
    try:
        with container.work(SYSTEM) as work:
            return digests.write(work, employer_id)
    except Exception:  # noqa: BLE001 - one employer's data must not stop the others
        _log.exception("the digest of employer %s could not be written", employer_id)
        return "failed"


@dataclass(frozen=True, slots=True)
class AuditCounts:
    """Stages of the last week without a row: none, unless something is broken."""

    violations: int


def audit(container: Container) -> AuditCounts:
    """Check the accounting identity of reminders over the last week, and say what breaks it."""
    with container.reading(SYSTEM) as reading:
        since = (reading.now - _AUDITED).date()
        found = ledger.identity_violations(reading, since=since)
    for violation in found:
        _log.error("a stage passed without a row: %s", violation)
    with container.work(SYSTEM) as work:
        counters.put(work, counters.VIOLATIONS, len(found))
    counts = AuditCounts(len(found))
    _tell("audit", asdict(counts))
    return counts


def end_employments(container: Container) -> int:
    """Draw the consequences of employments whose recorded end has come; how many.

    From the day itself on the employer sees nothing more, whether this runs or not.
    """
    with container.reading(SYSTEM) as reading:
        waiting = employments.reached(reading)
    for start in range(0, len(waiting), _TOGETHER):
        with container.work(SYSTEM) as work:
            employments.finish_reached(work, waiting[start : start + _TOGETHER])
    _tell("employments", {"ended": len(waiting)})
    return len(waiting)


def tidy(container: Container) -> int:
    """Forget answers to repeated requests that are older than the settings say; how many.

    Evidence files that have had no row for a day, left by a crash, are removed too.
    """
    with container.work(SYSTEM) as work:
        forgotten = idempotency.forget_old(work)
        allowances.forget_old(work)
    with container.reading(SYSTEM) as reading:
        swept = evidence.sweep(reading)
    _tell("tidy", {"forgotten": forgotten, "swept": swept})
    return forgotten


def beat(container: Container) -> None:
    """Write down that the scheduler is alive, in the database and then beside it."""
    with container.work(SYSTEM) as work:
        found = send_safety.beat(work)
    if found is not None:
        heartbeat.keep(container.settings, found)


def _tell(job: str, counts: Any) -> None:
    """Log what a job did; nothing when it had nothing to do."""
    words = " ".join(f"{name}={count}" for name, count in counts.items() if count)
    if words:
        _log.info("%s: %s", job, words)
