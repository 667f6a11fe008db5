"""The relay's evidence about messages: accepted, delivered, bounced, complained about.

It comes from the relay's log or from a mail provider's events. ``reaper.py`` settles messages in
doubt by it: evidence of acceptance counts at any time, its absence only up to the instant until
which the evidence is complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import or_, select, update

from tracker.db import written
from tracker.domain.delivery import bounces as rules
from tracker.domain.delivery.queue_acts import HELD, MessageState
from tracker.models import Message, Runtime
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.delivery import bounces, reaper, send_safety
from tracker.services.delivery.reaper import Acceptance

Happening = Literal["accepted", "delivered", "bounced", "complained"]
HAPPENINGS: tuple[Happening, ...] = ("accepted", "delivered", "bounced", "complained")
_TAKEN = ("accepted", "delivered")
_CLOCKS = timedelta(minutes=1)  # how far the relay's clock and ours may be apart
# Written out as in the partial indexes, so that the database uses them.
_LEASED = written("message.state", *HELD)
_AMBIGUOUS = written("message.state", MessageState.AMBIGUOUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A provider's event about one message; ``status`` is its RFC 3463 status code, if known."""

    message_id: str
    event: Happening
    at: datetime
    queue_id: str | None = None
    status: str | None = None

    @property
    def bracketed(self) -> str:
        """The Message-ID with angle brackets, as messages carry it; some providers drop them."""
        return f"<{self.message_id.strip().strip('<>')}>"


def take_events(work: UnitOfWork, events: Sequence[Event]) -> None:
    """Record a provider's events and act on them; repeated events change nothing.

    A Message-ID that is not known here still counts as evidence of acceptance: a restored backup
    may plan the message again, and whatever became of it, the relay had taken it.
    """
    returned = [event for event in events if event.event not in _TAKEN]
    known = bounces.messages_by(work, "message_id", [event.bracketed for event in returned])
    taken = [e for e in events if e.event in _TAKEN or e.bracketed not in known]
    reaper.record_evidence(work, [Acceptance(e.bracketed, e.at, e.queue_id) for e in taken])
    reports = [_report(work, e, known[e.bracketed]) for e in returned if e.bracketed in known]
    bounces.record(work, reports)


def _report(
    work: UnitOfWork, event: Event, message: bounces.SentMessage
) -> bounces.ReturnedMessage:
    status = event.status or ""
    return bounces.ReturnedMessage(
        message=message,
        kind=rules.ReturnKind.COMPLAINT if event.event == "complained" else rules.kind_of(status),
        identity=f"{event.event} {event.at.isoformat()} {status}",
        at=min(event.at, work.now),
        status=status,
        diagnostic="Told by the mail provider.",
    )


def take_log(
    work: UnitOfWork,
    taken: Sequence[Acceptance],
    *,
    begins: datetime | None = None,
    until: datetime | None = None,
) -> bool:
    """Record what a log says was accepted; True if the evidence is now complete until ``until``.

    That is so if the log begins before the known evidence ends, or if no message in doubt was
    under way before the log begins. The end of complete evidence never moves back.
    """
    reaper.record_evidence(work, taken)
    if begins is None or until is None or not _joins(work, begins):
        return False
    send_safety.open_row(work)
    earlier = or_(Runtime.evidence_until.is_(None), Runtime.evidence_until < until)
    work.connection.execute(update(Runtime).where(earlier).values(evidence_until=until))
    return True


def _joins(reading: ReadContext, begins: datetime) -> bool:
    """Whether nothing is missing between the known evidence and a log that begins at ``begins``."""
    known = reading.row(select(Runtime.evidence_until))
    if known is not None and known.evidence_until is not None and begins <= known.evidence_until:
        return True
    # A lease starts with the marker, so one that ends before ``lease`` started before the log did.
    lasts = timedelta(seconds=reading.settings.reminders.transmitting_seconds)
    lease = begins + lasts + _CLOCKS
    for state, condition in (
        (_LEASED, Message.state == MessageState.TRANSMITTING),
        (_AMBIGUOUS, None),
    ):
        doubts = select(Message.id).where(state, Message.lease_until < lease).limit(1)
        if condition is not None:
            doubts = doubts.where(condition)
        if reading.row(doubts) is not None:
            return False
    return True
