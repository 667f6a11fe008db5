"""Scheduled jobs: one function each, safe to run twice or several at once.

Each job opens its own transactions, calls services, logs and returns counts. No rule is here, and
nothing depends on a job being punctual or alone.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta

from tracker.domain.errors import Refusal
from tracker.domain.permissions import SYSTEM
from tracker.mail.smtp_sender import FINAL_TIMEOUT, SmtpSender
from tracker.services.core import allowances, counters, idempotency, job_runs, open_reviews
from tracker.services.core.context import Container
from tracker.services.delivery import dispatcher, heartbeat, ledger, planner, reaper, send_safety
from tracker.services.delivery.dispatcher import never
from tracker.services.delivery.planner import PlanCounts
from tracker.services.delivery.reaper import ReapCounts
from tracker.services.desk import audit_items
from tracker.services.employers import digests, employments
from tracker.services.overview import history_checkpoints, retention
from tracker.services.overview.history_checkpoints import Checkpoint
from tracker.services.people import duplicates, sessions, sign_in
from tracker.services.points import credential_expiries, evidence, review_waits
from tracker.settings import Settings

_log = logging.getLogger(__name__)

LONGEST_RUN = 60.0
"""Seconds after which a job leaves the rest to its next run, so that a hung job can be noticed."""
_TOGETHER = 500  # employments that are ended in one transaction
_AUDITED = timedelta(days=7)


def plan(container: Container, *, stop: Callable[[], bool] = never) -> PlanCounts:
    """Decide all due stages, one batch in a transaction; nothing while sending is held."""
    with container.work(SYSTEM) as work:
        if send_safety.is_held(work):
            return PlanCounts()
        if ledger.keep_timetable(work):
            _log.info(
                "reminder policies or time zone rules have changed: every cursor is examined again"
            )
    total, ends = PlanCounts(), time.monotonic() + LONGEST_RUN
    while not stop() and time.monotonic() < ends:
        counts = planner.plan_due(container, limit=container.settings.reminders.batch)
        if not counts.examined:
            break
        total += counts
    _log_counts("plan", asdict(total))
    return total


def dispatch(container: Container, *, stop: Callable[[], bool] = never) -> Counter[str]:
    """Send all due messages, over as many connections as needed, up to the configured number."""
    ends = time.monotonic() + LONGEST_RUN
    counts = dispatcher.dispatch_together(
        container,
        lambda: smtp_sender(container),
        connections=container.settings.reminders.connections,
        stop=lambda: stop() or time.monotonic() >= ends,
    )
    _log_counts("dispatch", counts)
    return counts


def look_up_sign_ins(container: Container, *, stop: Callable[[], bool] = never) -> int:
    """Find the people who wait for a code to sign in, and put their messages into the outbox."""
    total = 0
    while not stop():
        with container.reading(SYSTEM) as reading:
            if not sign_in.is_anybody_waiting(reading):
                break
        with container.work(SYSTEM) as work:
            found = sign_in.look_up(work)
        if not found:  # another process looks them up
            break
        total += found
    _log_counts("sign-ins", {"looked_up": total})
    return total


def note(container: Container, name: str, took_ms: int, *, every: int, error: str | None) -> None:
    """Note the run of a job in a transaction of its own."""
    with container.work(SYSTEM) as work:
        job_runs.note(work, name, took_ms=took_ms, every_seconds=every, error=error)


def smtp_sender(container: Container) -> SmtpSender:
    """An SMTP sender for the configured relay; it connects when the first message leaves."""
    return smtp_sender_of(container.settings)


def smtp_sender_of(settings: Settings) -> SmtpSender:
    """The same, from the settings alone."""
    mail = settings.mail
    return SmtpSender(
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
    """Seconds that a relay may take to accept a message: less than the lease of the marker."""
    return min(FINAL_TIMEOUT, settings.reminders.transmitting_seconds * 2 / 3)


def remind_of_credentials(container: Container, *, stop: Callable[[], bool] = never) -> int:
    """Tell holders of credentials that expire soon, one batch in a transaction, each once."""
    with container.reading(SYSTEM) as reading:
        if send_safety.is_held(reading):
            return 0
    place: credential_expiries.Place | None = credential_expiries.START
    batches, ends = 0, time.monotonic() + LONGEST_RUN
    while place is not None and not stop() and time.monotonic() < ends:
        with container.work(SYSTEM) as work:
            place = credential_expiries.remind(work, place)
        batches += 1
    return batches


def reap(container: Container) -> ReapCounts:
    """Take back claims of dead workers and resolve messages in doubt."""
    with container.work(SYSTEM) as work:
        counts = reaper.reap(work)
    _log_counts("reap", asdict(counts))
    return counts


def digest(container: Container, *, stop: Callable[[], bool] = never) -> Counter[str]:
    """Write the employers' digests that are due, each in its own transaction.

    A digest that cannot be written is logged and does not delay others. Nothing is written while
    sending is held.
    """
    ends, counts = time.monotonic() + LONGEST_RUN, Counter[str]()
    with container.reading(SYSTEM) as reading:
        waiting = [] if send_safety.is_held(reading) else digests.owed(reading)
    for employer_id in waiting:
        if stop() or time.monotonic() >= ends:
            break
        counts[_digest(container, employer_id)] += 1
    _log_counts("digest", counts)
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
    """The number of stages of the last week without a row: 0 unless something is broken."""

    violations: int


def audit(container: Container) -> AuditCounts:
    """Check the accounting identity of reminders over the last week, and log each violation."""
    with container.reading(SYSTEM) as reading:
        since = (reading.now - _AUDITED).date()
        violations = ledger.identity_violations(reading, since=since)
    for violation in violations:
        _log.error("a reminder stage passed without a row: %s", violation)
    with container.work(SYSTEM) as work:
        counters.put(work, counters.VIOLATIONS, len(violations))
    counts = AuditCounts(len(violations))
    _log_counts("audit", asdict(counts))
    return counts


def end_employments(container: Container) -> int:
    """Finish employments whose recorded end has come; returns how many.

    The employer loses access on that day, whether or not this job runs.
    """
    with container.reading(SYSTEM) as reading:
        waiting = employments.reached(reading)
    for start in range(0, len(waiting), _TOGETHER):
        with container.work(SYSTEM) as work:
            employments.finish_reached(work, waiting[start : start + _TOGETHER])
    _log_counts("employments", {"ended": len(waiting)})
    return len(waiting)


def follow_audits(container: Container, *, stop: Callable[[], bool] = never) -> Counter[str]:
    """Do what audits say for no answer by the deadline, each activity in its own transaction.

    One that cannot be settled is logged and does not delay others.
    """
    ends, counts = time.monotonic() + LONGEST_RUN, Counter[str]()
    with container.reading(SYSTEM) as reading:
        waiting = audit_items.overdue(reading)
    for item_id in waiting:
        if stop() or time.monotonic() >= ends:
            break
        try:
            with container.work(SYSTEM) as work:
                done = audit_items.follow_policy(work, item_id)
        except Refusal as refusal:
            _log.warning("the audit of %s was left for its next run: %s", item_id, refusal.detail)
        else:
            counts.update([done] if done else [])
    _log_counts("audits", counts)
    return counts


def find_duplicates(container: Container, *, stop: Callable[[], bool] = never) -> int:
    """Look for records that may be of one person among all; returns how many lists were compared.

    Each employer's list and each 500 shared addresses in a transaction of their own; what a long
    run leaves is found by the next one.
    """
    ends, compared = time.monotonic() + LONGEST_RUN, 0
    for look in (duplicates.look_through_addresses, duplicates.look_through_employer):
        last: str | None = ""
        while last is not None and not stop() and time.monotonic() < ends:
            with container.work(SYSTEM) as work:
                last = look(work, last)
            compared += last is not None
    _log_counts("duplicates", {"compared": compared})
    return compared


def tidy(container: Container) -> int:
    """Delete stored responses that are older than the settings allow; returns how many.

    Old usage counts, attempts to sign in, sessions and open reviews are deleted too, and evidence
    files left by a crash that have had no row for a day.
    """
    with container.work(SYSTEM) as work:
        forgotten = idempotency.forget_old(work)
        allowances.forget_old(work)
        sign_in.forget_old(work)
        sessions.forget_old(work)
        open_reviews.forget_old(work)
    with container.reading(SYSTEM) as reading:
        swept = evidence.sweep(reading)
    _log_counts("tidy", {"forgotten": forgotten, "swept": swept})
    return forgotten


def measure_waits(container: Container) -> int:
    """Measure how long decisions on activities took lately; returns how many were measured."""
    with container.work(SYSTEM) as work:
        return review_waits.measure(work).count


def retain(container: Container, *, stop: Callable[[], bool] = never) -> Counter[str]:
    """Delete what is past its period (``services/overview/retention.py``), in short transactions.

    What a long run leaves is found by the next one. Returns how many rows, by rule.
    """
    ends, counts = time.monotonic() + LONGEST_RUN, Counter[str]()
    for name in retention.RULES:
        while not stop() and time.monotonic() < ends:
            with container.work(SYSTEM) as work:
                deleted = retention.apply(work, name)
                counters.add(work, {f"{counters.DELETED}{name}": deleted})
            counts[name] += deleted
            if deleted < retention.AT_ONCE:
                break
    _log_counts("retention", counts)
    return counts


def checkpoint(container: Container) -> bool:
    """Write the history's checkpoint of the day, if there is none yet; whether it was written.

    The last one is compared first, so that a chain that was cut off since is logged as an error.
    """
    keys = container.history_keys
    with container.reading(SYSTEM) as reading:
        last = history_checkpoints.latest(reading, keys)
        if isinstance(last, Checkpoint) and not history_checkpoints.is_kept(reading, last):
            _log.error("the history has lost what checkpoint %s saw: run history verify", last.name)
        path = history_checkpoints.write(reading, keys)
    if path is not None:
        _log.info("checkpoint: %s", path)
    return path is not None


def beat(container: Container) -> None:
    """Record that the scheduler is alive, first in the database, then in the file beside it."""
    with container.work(SYSTEM) as work:
        latest = send_safety.beat(work)
    if latest is not None:
        heartbeat.keep(container.settings, latest)


def _log_counts(job: str, counts: Mapping[str, int]) -> None:
    """Log what a job did; nothing if it had nothing to do."""
    words = " ".join(f"{name}={count}" for name, count in counts.items() if count)
    if words:
        _log.info("%s: %s", job, words)
