"""Reminders on record: the dry run, the outcome of every stage, and the check that none is missing.

``services/delivery/planner.py`` decides and writes, ``services/delivery/leases.py`` sends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib import metadata
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, or_, select, update

from tracker.domain.delivery import reminders as rules
from tracker.domain.delivery.queue_acts import MessageState
from tracker.domain.delivery.reminders import StageOutcome
from tracker.domain.errors import NotFound
from tracker.domain.permissions import check_own_holder
from tracker.domain.schemes.schemes import ReminderPolicy, Scheme, Schemes
from tracker.models import (
    Certification,
    Holder,
    Message,
    Reminder,
    ReminderCursor,
    Runtime,
    Span,
)
from tracker.services.core.context import ReadContext, UnitOfWork, zone_of
from tracker.services.credentials import timelines
from tracker.services.delivery import due_stages, send_safety
from tracker.services.delivery.due_stages import (
    AT_ONCE,
    AUDIENCE,
    CURSORS,
    DueCursor,
    Examined,
    ExaminedAt,
)
from tracker.services.delivery.sealing import MessageClaim
from tracker.services.outbox import cursors
from tracker.services.standings import snapshots


def withhold(
    work: UnitOfWork, claimed: MessageClaim, certifications: Mapping[str, rules.SkipReason]
) -> None:
    """Remove stages from a message that leaves without them, each with the reason.

    The planner looks again, to send them in another message once the reason is gone.
    """
    if claimed.holder_id:
        cursors.touch_holders(work, [claimed.holder_id])
    for id_, reason in sorted(certifications.items()):
        work.connection.execute(
            update(Reminder)
            .where(Reminder.message_id == claimed.id, Reminder.certification_id == id_)
            .values(fate=StageOutcome.SKIPPED, reason=reason, message_id=None, recorded_at=work.now)
        )


def keep_timetable(work: UnitOfWork) -> bool:
    """Re-examine every certification if reminder policies or time zone rules changed; True if so.

    Due instants are computed when a cursor moves, so without this a new stage or a new
    daylight-saving law would take effect only after the cursor's next stage.
    """
    send_safety.open_row(work)
    digest = _timetable(work.schemes)
    known = work.connection.execute(select(Runtime.timetable)).scalar_one()
    if known == digest:
        return False
    work.connection.execute(update(Runtime).values(timetable=digest))
    if known is None:
        return False
    living = select(Certification.id).where(snapshots.CURRENT)
    work.connection.execute(
        update(ReminderCursor)
        .where(ReminderCursor.certification_id.in_(living), ReminderCursor.expires_on.is_not(None))
        .values(next_due_at=AT_ONCE)
    )
    return True


def _timetable(schemes: Schemes) -> str:
    policies = sorted(
        (s.code, s.reminders.send_at.isoformat(), sorted(s.reminders.offsets))
        for s in schemes
        if s.reminders
    )
    return hashlib.sha256(f"{metadata.version('tzdata')} {policies}".encode()).hexdigest()


# The dry run.
@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the planner would decide about one stage on a day, and who would receive the message."""

    certification_id: str
    certificate_number: str
    scheme: str
    holder_id: str
    holder_ref: str
    name: str
    address: str | None
    language: str
    expires_on: date
    days_left: int
    offset: int
    due_at: datetime
    fate: StageOutcome
    reason: rules.SkipReason | None


def foresee(reading: ReadContext, *, as_of: date) -> Iterator[Foreseen]:
    """What the planner would do by the end of a day, from what is on record now.

    The day ends in each holder's time zone. Nothing is written. It reads only cursors due by then,
    in batches, so that memory use stays constant.
    """

    def by_the_end_of_the_day(row: DueCursor, scheme: Scheme) -> ExaminedAt:
        del scheme
        zone = zone_of(row.time_zone)
        return ExaminedAt(rules.closing(as_of, zone), as_of)

    # No zone is more than twelve hours behind UTC.
    last = datetime.combine(as_of + timedelta(days=1), time(12), tzinfo=UTC)
    due = CURSORS.where(ReminderCursor.next_due_at <= last)
    due = due.order_by(ReminderCursor.next_due_at, ReminderCursor.certification_id)
    page = due.limit(reading.settings.reminders.batch)
    while rows := reading.rows_as(DueCursor, page):
        for examined in due_stages.examine(reading, rows, by_the_end_of_the_day):
            yield from _foreseen(examined, as_of)
        at, id_ = rows[-1].next_due_at, rows[-1].certification_id
        later = or_(
            ReminderCursor.next_due_at > at,
            and_(ReminderCursor.next_due_at == at, ReminderCursor.certification_id > id_),
        )
        page = due.where(later).limit(reading.settings.reminders.batch)


def _foreseen(examined: Examined, as_of: date) -> Iterator[Foreseen]:
    row = examined.row
    for stage, fate, reason in examined.plan.fates:
        assert row.expires_on is not None  # noqa: S101 - for the type checker
        yield Foreseen(
            certification_id=row.certification_id,
            certificate_number=row.number,
            scheme=row.scheme,
            holder_id=row.holder_id,
            holder_ref=row.ref,
            name=f"{row.given_name} {row.family_name}",
            address=examined.address,
            language=row.language,
            expires_on=row.expires_on,
            days_left=(row.expires_on - as_of).days,
            offset=stage.offset,
            due_at=stage.due_at,
            fate=fate,
            reason=reason,
        )


# The outcome of every stage.
AHEAD: Literal["ahead"] = "ahead"
StageState = StageOutcome | Literal["ahead"]


@dataclass(frozen=True, slots=True)
class StageFate:
    """One stage of one cycle: when it is due, its outcome, and the state of its message.

    ``ahead`` means not decided yet. ``reason`` says why the stage was skipped; it is ``renewed``
    if a renewal made the stage unnecessary before it fell due. ``sent_at`` is when the mail server
    accepted the message.
    """

    cycle: int
    expires_on: date
    offset: int
    due_at: datetime
    fate: StageState
    reason: str | None = None
    message_state: str | None = None
    sent_at: datetime | None = None
    last_error: str | None = None


class RecordedReminder(NamedTuple):
    """A stage that has a row, and the state of its message."""

    id: str
    certification_id: str
    holder_id: str
    scheme: str
    cycle: int
    expires_on: date
    offset: int
    due_at: datetime
    fate: StageOutcome
    reason: str | None
    message_id: str | None
    message_state: str | None
    sent_at: datetime | None
    last_error: str | None
    recorded_at: datetime


_SENT_AT = case((Message.state == MessageState.SENT, Message.finished_at)).label("sent_at")
_RECORDED = (
    select(
        Reminder.id,
        Reminder.certification_id,
        Certification.holder_id,
        Certification.scheme,
        Reminder.cycle,
        Reminder.expires_on,
        Reminder.offset,
        Reminder.due_at,
        Reminder.fate,
        Reminder.reason,
        Reminder.message_id,
        Message.state.label("message_state"),
        _SENT_AT,
        Message.last_error,
        Reminder.recorded_at,
    )
    .join(Certification, Certification.id == Reminder.certification_id)
    .join(Message, Message.id == Reminder.message_id, isouter=True)
    .where(Reminder.audience == AUDIENCE)
)


_BY_HOLDER = select(*snapshots.CERTIFICATION, Holder.time_zone).join(
    Holder, Holder.id == Certification.holder_id
)
_WITH_ZONE = snapshots.CERTIFICATION_BY_ID.add_columns(Holder.time_zone).join(
    Holder, Holder.id == Certification.holder_id
)


class _CertificationInZone(NamedTuple):
    id: str
    scheme: str
    time_zone: str


def fates(reading: ReadContext, certification_id: str) -> list[StageFate]:
    """Every stage of the certification's cycles, oldest first. Raises NotFound."""
    row = reading.row(_WITH_ZONE, {"id": certification_id})
    if row is None:
        raise NotFound
    check_own_holder(reading.actor, row.holder_id)
    return _fates(reading, [_CertificationInZone(row.id, row.scheme, row.time_zone)])[row.id]


@dataclass(frozen=True, slots=True)
class CertificationStages:
    """Every stage of a certification's cycles, oldest first."""

    certification_id: str
    number: str
    scheme: str
    stages: Sequence[StageFate]


def fates_of_holder(reading: ReadContext, holder_id: str) -> list[CertificationStages]:
    """The same for every certification of a holder, with a constant number of statements."""
    check_own_holder(reading.actor, holder_id)
    which = Certification.holder_id == holder_id, snapshots.CURRENT
    rows = reading.rows(_BY_HOLDER.where(*which).order_by(Certification.id))
    stages = _fates(reading, [_CertificationInZone(r.id, r.scheme, r.time_zone) for r in rows])
    return [CertificationStages(r.id, r.number, r.scheme, stages[r.id]) for r in rows]


def _fates(
    reading: ReadContext, rows: Sequence[_CertificationInZone]
) -> dict[str, list[StageFate]]:
    ids = [row.id for row in rows]
    records = snapshots.cycles(reading, ids)
    stages: dict[str, list[StageFate]] = {id_: [] for id_ in ids}
    statement = _RECORDED.where(Reminder.certification_id.in_(ids))
    for reminder in reading.rows_as(RecordedReminder, statement):
        stages[reminder.certification_id].append(_decided(reminder))
    for row in rows:
        zone = zone_of(row.time_zone)
        stages[row.id] += _unrecorded(reading.schemes[row.scheme], records[row.id], zone)
    return {id_: _in_order(found) for id_, found in stages.items()}


def _decided(reminder: RecordedReminder) -> StageFate:
    return StageFate(
        reminder.cycle,
        reminder.expires_on,
        reminder.offset,
        reminder.due_at,
        reminder.fate,
        reminder.reason,
        reminder.message_state,
        reminder.sent_at,
        reminder.last_error,
    )


def _in_order(stages: Sequence[StageFate]) -> list[StageFate]:
    """Each stage once, oldest first: what is recorded goes before what is ahead."""
    first: dict[tuple[int, date, int], StageFate] = {}
    for stage in stages:
        first.setdefault((stage.cycle, stage.expires_on, stage.offset), stage)
    return sorted(first.values(), key=lambda stage: (stage.due_at, stage.cycle, -stage.offset))


def _unrecorded(
    scheme: Scheme, record: snapshots.CertificationRecord, zone: ZoneInfo
) -> Iterator[StageFate]:
    """The stages of all cycles, with the outcome that holds for a stage without a row."""
    cycles = record.cycles_on(date.max)
    for cycle in cycles:
        if scheme.reminders is None or cycle.expires_on is None:
            continue
        last = cycle is cycles[-1]
        for stage in rules.stages(scheme.reminders, cycle.expires_on, zone):
            yield StageFate(
                cycle.ordinal,
                cycle.expires_on,
                stage.offset,
                stage.due_at,
                fate=AHEAD if last else StageOutcome.SKIPPED,
                reason=None if last else "renewed",
            )


def page(
    reading: ReadContext,
    *,
    after: str | None,
    limit: int,
    state: str | None = None,
    fate: str | None = None,
    holder_id: str | None = None,
) -> list[RecordedReminder]:
    """A page of recorded stages, ordered by id, which is the order in which they were recorded.

    ``state`` filters by the message's state, ``fate`` by the stage's, ``holder_id`` by holder.
    """
    statement = _RECORDED.order_by(Reminder.id).limit(limit)
    if state is not None:
        statement = statement.where(Message.state.in_([state]))
    if fate is not None:
        statement = statement.where(Reminder.fate == fate)
    if holder_id is not None:
        statement = statement.where(Certification.holder_id == holder_id)
    if after:
        statement = statement.where(Reminder.id > after)
    return reading.rows_as(RecordedReminder, statement)


# The accounting identity.
@dataclass(frozen=True, slots=True)
class Violation:
    """A stage that is past due and has no row."""

    certification_id: str
    cycle: int
    expires_on: date
    offset: int
    due_at: datetime


def identity_violations(reading: ReadContext, *, since: date | None = None) -> list[Violation]:
    """Violations of the accounting identity: every stage that is past due has exactly one row.

    The check reads the timelines, not the cursors, so that it also finds a certification without
    a cursor. A certification that the planner is about to examine is no violation. ``since`` leaves
    out stages due before that day. A unique key rules out a second row.
    """
    violations: list[Violation] = []
    for scheme in reading.schemes:
        if policy := scheme.reminders:
            for offset in policy.offsets:
                violations += _without_row(reading, scheme, policy, offset, since)
    return violations


def _without_row(
    reading: ReadContext, scheme: Scheme, policy: ReminderPolicy, offset: int, since: date | None
) -> Iterator[Violation]:
    recorded = and_(
        Reminder.certification_id == Span.certification_id,
        Reminder.cycle == Span.cycle,
        Reminder.expires_on == Span.expires_on,
        Reminder.offset == offset,
        Reminder.audience == AUDIENCE,
    )
    statement = (
        select(Span.certification_id, Span.cycle, Span.expires_on, Holder.time_zone)
        .join(Certification, Certification.id == Span.certification_id)
        .join(Holder, Holder.id == Certification.holder_id)
        .join(Reminder, recorded, isouter=True)
        .join(
            ReminderCursor, ReminderCursor.certification_id == Span.certification_id, isouter=True
        )
        .where(
            Certification.scheme == scheme.code,
            snapshots.CURRENT,
            Span.until_on == timelines.FOREVER,
            Reminder.id.is_(None),
            Span.expires_on <= reading.now.date() + timedelta(days=offset + 1),
            or_(ReminderCursor.next_due_at.is_(None), ReminderCursor.next_due_at > reading.now),
        )
    )
    if since is not None:
        statement = statement.where(Span.expires_on >= since + timedelta(days=offset))
    for row in reading.rows(statement):
        zone = zone_of(row.time_zone)
        due_at = rules.instant(row.expires_on, offset, policy, zone)
        if due_at <= reading.now:
            yield Violation(row.certification_id, row.cycle, row.expires_on, offset, due_at)
