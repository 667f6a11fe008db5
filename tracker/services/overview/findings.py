"""What is wrong with a database, and what to do about it: messages, sending, schemes, its role.

``tracker doctor`` prints these and checks more: the files, the relay, every timeline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tracker import row_security
from tracker.domain.delivery.queue_acts import MessageState
from tracker.services.core.context import ReadContext
from tracker.services.core.counters import VIOLATIONS
from tracker.services.credentials import policy_versions
from tracker.services.delivery import send_safety
from tracker.services.delivery.reaper import EVIDENCE_COMES
from tracker.services.overview import integrity, metrics
from tracker.services.overview.metrics import PATIENCE, Gauges

_STUCK = (MessageState.DEAD, MessageState.AMBIGUOUS, MessageState.PARKED)
_LONG = timedelta(days=1)
_STALE = timedelta(minutes=5)
MENDING = (
    "Restore the old text, and put the changes in a new version. If the new version has "
    "`corrects`, `tracker schemes repair` moves the affected cycles to it."
)
"""What to do about a published policy version whose text has changed."""
_SCHEDULER = "Start `tracker scheduler`; if it is running, read its log."


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """What was checked, the result, and what to do if it is not fine."""

    check: str
    state: Literal["ok", "warning", "problem"]
    detail: str
    fix: str = ""


def of_database(reading: ReadContext) -> Iterator[DoctorFinding]:
    """All that is known at little cost, however large the database is."""
    yield from of_row_security(reading)
    yield of_schemes(reading)
    yield of_sending(reading)
    yield of_scheduler(reading)
    yield of_policies(reading)
    yield from of_outbox(reading)


def of_row_security(reading: ReadContext) -> Iterator[DoctorFinding]:
    """Whether the application's role is restricted to the rows of whoever acts."""
    if reading.dialect != "postgresql":
        return
    if row_security.is_restricted(reading.connection):
        detail = "this role sees no more rows than the person for whom it works"
        yield DoctorFinding("row security", "ok", detail)
        return
    detail = "this role owns the tables or bypasses their policies: the second wall is not up"
    fix = "Run `tracker database grant`; config/OPERATIONS.md says how (PostgreSQL)."
    yield DoctorFinding("row security", "warning", detail, fix)


def of_sending(reading: ReadContext) -> DoctorFinding:
    """Whether messages may leave."""
    obstacle = send_safety.obstacle(reading)
    if obstacle:
        state: Literal["warning", "problem"] = (
            "warning" if send_safety.is_new(reading) else "problem"
        )
        detail = f"No message is sent. {obstacle.reason}"
        return DoctorFinding("sending", state, detail, obstacle.remedy)
    return DoctorFinding("sending", "ok", "messages may be sent from this database")


def of_scheduler(reading: ReadContext) -> DoctorFinding:
    """When the scheduler was last seen."""
    last = integrity.last_beat(reading)
    if last is None:
        return DoctorFinding(
            "scheduler",
            "warning",
            "it has never run on this database",
            "Start `tracker scheduler`.",
        )
    age = reading.now - last
    detail = f"last seen {last:%Y-%m-%d %H:%M:%S} UTC, {age.total_seconds():,.0f} s ago"
    if age > _STALE:
        return DoctorFinding("scheduler", "problem", detail, "Start `tracker scheduler` again.")
    return DoctorFinding("scheduler", "ok", detail)


def of_policies(reading: ReadContext) -> DoctorFinding:
    """Whether the published policy versions are unchanged."""
    found = list(policy_versions.breaches(reading, reading.schemes))
    if found:
        return DoctorFinding("policies", "warning", "; ".join(map(str, found)), MENDING)
    count = len(policy_versions.published(reading))
    return DoctorFinding("policies", "ok", f"{count} published versions are unchanged")


def of_schemes(reading: ReadContext) -> DoctorFinding:
    """Whether every scheme with certifications has a file."""
    found = integrity.unknown_schemes(reading)
    if found:
        detail = f"there are certifications under {', '.join(found)}, but no scheme file"
        return DoctorFinding("schemes on record", "problem", detail, "Restore the scheme's file.")
    return DoctorFinding("schemes on record", "ok", "every scheme with certifications has a file")


def of_outbox(reading: ReadContext) -> Iterator[DoctorFinding]:
    """The planner, the outbox, the relay, bounces, and the last audit."""
    found = metrics.gauges(reading)
    yield _planner(found, reading.now)
    yield _outbox(found, reading.now)
    yield _stuck(found)
    yield _relay(found, reading.now)
    yield _evidence(found, reading.now)
    yield _bounces(found)
    yield _digests(found)
    yield _audit(reading, found)


def _planner(found: Gauges, now: datetime) -> DoctorFinding:
    late = _wait(found.oldest_due, now)
    waiting = f"{found.cursors_due:,} certifications are waiting for the planner"
    if late > PATIENCE:
        detail = f"{waiting}, the oldest due {_ago(late)}"
        return DoctorFinding("planner", "problem", detail, _SCHEDULER)
    return DoctorFinding("planner", "ok", waiting)


def _outbox(found: Gauges, now: datetime) -> DoctorFinding:
    waits = {group: _wait(since, now) for group, since in found.waiting_since.items()}
    late = {group: wait for group, wait in waits.items() if wait > PATIENCE}
    if late:
        detail = "; ".join(
            f"{group} messages are waiting, the oldest due {_ago(wait)}"
            for group, wait in late.items()
        )
        fix = f"See the findings on sending and on the relay. {_SCHEDULER}"
        return DoctorFinding("outbox", "problem", detail, fix)
    return DoctorFinding(
        "outbox", "ok", f"{found.outbox['ready']:,} messages are waiting to be sent"
    )


def _stuck(found: Gauges) -> DoctorFinding:
    counts = {state: found.outbox[state] for state in _STUCK}
    detail = ", ".join(f"{count:,} {state}" for state, count in counts.items())
    if not any(counts.values()):
        return DoctorFinding("messages", "ok", detail)
    state = next(state for state, count in counts.items() if count)
    fix = (
        f"List them with `tracker reminders list --state {state}`, then use `tracker reminders "
        "requeue` or `cancel`."
    )
    return DoctorFinding("messages", "warning", detail, fix)


def _relay(found: Gauges, now: datetime) -> DoctorFinding:
    if not found.relay_failures:
        return DoctorFinding("relay", "ok", "the last connection succeeded")
    detail = f"{found.relay_failures} connections in a row failed: {found.relay_error}"
    fix = send_safety.RELAY_REMEDY
    if found.relay_resume_at is not None and found.relay_resume_at > now:
        until = f"{found.relay_resume_at:%H:%M:%S} UTC"
        return DoctorFinding("relay", "problem", f"Nothing is sent until {until}. {detail}", fix)
    return DoctorFinding("relay", "warning", detail, fix)


def _evidence(found: Gauges, now: datetime) -> DoctorFinding:
    if found.evidence_until is None:
        return DoctorFinding(
            "evidence", "ok", "the relay's log is not read; to read it, set mail.relay_log"
        )
    age = now - found.evidence_until
    detail = f"the relay's log was read up to {_ago(age)}"
    doubts = found.outbox["ambiguous"]
    if age > _LONG or (doubts and age > EVIDENCE_COMES):
        fix = "Have the relay's log read: set mail.relay_log, or run `tracker reminders relay-log`."
        return DoctorFinding(
            "evidence", "warning", f"{detail}; {doubts:,} messages may have been sent", fix
        )
    return DoctorFinding("evidence", "ok", detail)


def _bounces(found: Gauges) -> DoctorFinding:
    counts = ", ".join(f"{count:,} {kind}" for kind, count in found.bounces.items())
    detail = f"{found.suppressed:,} addresses get no email; in the last day: {counts}"
    if found.bounces["complaint"]:
        fix = "A recipient reported an email as spam: find out who, and why they get our email."
        return DoctorFinding("bounces", "warning", detail, fix)
    return DoctorFinding("bounces", "ok", detail)


def _digests(found: Gauges) -> DoctorFinding:
    if found.digests_late:
        detail = f"{found.digests_late:,} digests are more than an hour late"
        fix = "The scheduler's log names the digests that fail. " + _SCHEDULER
        return DoctorFinding("digests", "problem", detail, fix)
    return DoctorFinding("digests", "ok", "every digest that is due has been written")


def _audit(reading: ReadContext, found: Gauges) -> DoctorFinding:
    last = found.tallies.get(VIOLATIONS)
    if last is None:
        return DoctorFinding("audit", "warning", "it has never run on this database", _SCHEDULER)
    if last.count:
        detail = f"the last audit found {last.count:,} due stages without a row"
        return DoctorFinding(
            "audit", "problem", detail, "List them with `tracker reminders audit`."
        )
    age, every = reading.now - last.at, reading.settings.reminders.audit_every_seconds
    detail = f"the last audit was {_ago(age)}"
    if age > timedelta(seconds=3 * every):
        return DoctorFinding("audit", "warning", detail, _SCHEDULER)
    return DoctorFinding("audit", "ok", detail)


def _wait(since: datetime | None, now: datetime) -> timedelta:
    return now - since if since is not None else timedelta()


def _ago(age: timedelta) -> str:
    hours, minutes = divmod(int(age.total_seconds() // 60), 60)
    return f"{hours:,} h {minutes} min ago" if hours else f"{minutes} min ago"
