"""Cleaning up after dead workers: expired leases, and messages that may have been sent.

Evidence is what the relay itself recorded, by Message-ID: an operator who feeds ``relay_accept``
loses no message and sends none twice. Without evidence, early stages stay in doubt, since the next
stage follows; reminders near the expiry, notices and digests are sent again, once, with the same
Message-ID and the same bytes. A second copy that ends in doubt is parked for somebody to look into.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnExpressionArgument, select, update

from tracker.db import written
from tracker.domain.delivery.queue_acts import HELD, MessageState
from tracker.models import Certification, Message, RelayAccept, Reminder, Runtime
from tracker.services.core import bulk, counters
from tracker.services.core.context import UnitOfWork
from tracker.services.delivery import marker, send_safety
from tracker.services.outbox import queue

# Written out as in the partial indexes, so that the database uses them.
_LEASED = written("message.state", *HELD)
_AMBIGUOUS = written("message.state", MessageState.AMBIGUOUS)


_WITHOUT_EVIDENCE = timedelta(days=30)
EVIDENCE_COMES = timedelta(hours=1)
"""How long a message in doubt waits before it is sent again, if evidence is being recorded."""
_TWICE_IN_DOUBT = (
    "In doubt twice: perhaps sent, perhaps twice. Ask the relay before you requeue it."
)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The relay's own record of a message that it took."""

    message_id: str
    at: datetime
    queue_id: str | None = None


@dataclass(frozen=True, slots=True)
class ReapCounts:
    """What one run found: claims taken back, messages now in doubt, and how doubts were resolved.

    ``found_sent`` and ``found_unsent`` were resolved by evidence.
    """

    taken_back: int
    in_doubt: int
    found_sent: int
    found_unsent: int
    sent_again: int


def reap(work: UnitOfWork) -> ReapCounts:
    """Take back claims whose lease ran out, and resolve messages in doubt.

    A claim that was never marked was certainly not sent. A marked one may have been: evidence of
    acceptance settles it at any time; missing evidence counts only once the lease is over and the
    evidence is complete beyond that instant. Without any evidence, the message is cancelled 30 days
    after it stopped being useful.
    """
    back, doubtful = _end_leases(work)
    sent = _set(
        work,
        _AMBIGUOUS,
        marker.ACCEPTED,
        state=MessageState.SENT,
        finished_at=work.now,
        lease_until=None,
        last_error=None,
    )
    complete = select(Runtime.evidence_until).scalar_subquery()
    unsent = _set(
        work,
        _AMBIGUOUS,
        Message.lease_until <= complete,
        state=MessageState.READY,
        lease_until=None,
        next_at=work.now,
        facts=None,
        priority=queue.FIRST_PRIORITY,
    )
    counts = ReapCounts(back, doubtful, sent, unsent, _send_again(work))
    _set(
        work,
        _AMBIGUOUS,
        Message.useful_until <= work.now - _WITHOUT_EVIDENCE,
        state=MessageState.CANCELLED,
        finished_at=work.now,
        last_error="Perhaps sent: no evidence came.",
    )
    counters.add(work, asdict(counts))
    return counts


def _end_leases(work: UnitOfWork) -> tuple[int, int]:
    """Take back claims whose lease ran out: how many are ready again, and how many in doubt."""
    over = (_LEASED, Message.lease_until <= work.now)
    back = _set(
        work,
        *over,
        Message.state == MessageState.CLAIMED,
        state=MessageState.READY,
        lease_until=None,
        next_at=work.now,
    )
    doubtful = _set(
        work,
        *over,
        Message.state == MessageState.TRANSMITTING,
        state=MessageState.AMBIGUOUS,
        last_error="The process ended while the letter was under way.",
    )
    return back, doubtful


def _set(work: UnitOfWork, *conditions: ColumnExpressionArgument[bool], **values: object) -> int:
    return work.connection.execute(update(Message).where(*conditions).values(**values)).rowcount


def _send_again(work: UnitOfWork) -> int:
    """Requeue messages in doubt that are better sent twice than never, with the same bytes.

    Reminders at or below the stage that their scheme names, notices and digests always; each once.
    Not before the wait is over: the worker that was cut off may still report, and evidence may
    come.
    """
    over = work.now
    if work.connection.execute(select(Runtime.evidence_until)).scalar() is not None:
        over -= EVIDENCE_COMES
    waited = (_AMBIGUOUS, Message.lease_until <= over, Message.useful_until > work.now)
    ids = [*_near_expiry(work, waited)]
    ids += [row.id for row in work.rows(select(Message.id).where(*waited, _NO_REMINDER))]
    count = 0
    for some in bulk.chunks(ids):
        these = (Message.id.in_(some), _AMBIGUOUS)
        _set(
            work,
            *these,
            Message.priority == queue.AGAIN,
            state=MessageState.PARKED,
            last_error=_TWICE_IN_DOUBT,
        )
        count += _set(
            work,
            *these,
            state=MessageState.READY,
            lease_until=None,
            next_at=work.now,
            priority=queue.AGAIN,
        )
    return count


_NO_REMINDER = Message.kind != "reminder"


def _near_expiry(work: UnitOfWork, waited: Sequence[ColumnExpressionArgument[bool]]) -> list[str]:
    """The reminders in doubt with a stage so near the expiry that the scheme resends them."""
    statement = (
        select(Message.id, Reminder.offset, Certification.scheme)
        .join(Reminder, Reminder.message_id == Message.id)
        .join(Certification, Certification.id == Reminder.certification_id)
        .where(*waited)
    )
    nearest: dict[str, bool] = defaultdict(bool)
    for id_, offset, scheme in work.rows(statement):
        policy = work.schemes[scheme].reminders
        nearest[id_] |= policy is not None and offset <= policy.resend_ambiguous_at_or_below
    return [id_ for id_, again in nearest.items() if again]


def record_evidence(
    work: UnitOfWork, accepted: Sequence[Acceptance], *, complete_until: datetime | None = None
) -> None:
    """Record what the relay accepted; ``complete_until`` says that nothing before it is missing.

    Rows are written in order, so that two writers of the same evidence cannot deadlock.
    """
    ordered = sorted(accepted, key=lambda acceptance: acceptance.message_id)
    rows = [{"message_id": a.message_id, "queue_id": a.queue_id, "at": a.at} for a in ordered]
    if rows:
        work.connection.execute(work.upsert(RelayAccept).on_conflict_do_nothing(), rows)
    if complete_until is not None:
        send_safety.open_row(work)
        work.connection.execute(update(Runtime).values(evidence_until=complete_until))
