"""Deciding the due stages of many certifications: facts read in bulk, then one rule.

The planner and the dry run share this module, so that the dry run shows what the planner will do.
Nothing is written here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import and_, bindparam, exists, false, func, or_, select

from tracker.db import Instant
from tracker.domain.credentials.certifications import Hold
from tracker.domain.delivery import reminders as rules
from tracker.domain.delivery.bounces import ReturnKind
from tracker.domain.delivery.notices import MessageType
from tracker.domain.delivery.queue_acts import MessageState
from tracker.domain.delivery.reminders import StageOutcome
from tracker.domain.emails import compared
from tracker.domain.schemes.schemes import ReminderPolicy, Scheme
from tracker.models import (
    Bounce,
    Certification,
    Cycle,
    Holder,
    Message,
    Preference,
    Reminder,
    ReminderCursor,
    Span,
)
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, zone_of
from tracker.services.delivery import sealing
from tracker.services.outbox import cursors, suppressions
from tracker.services.standings import related_facts, snapshots, standings
from tracker.services.standings.related_facts import CertificationKey

AT_ONCE = cursors.AT_ONCE

AUDIENCE = "holder"


class DueCursor(NamedTuple):
    """A row of ``CURSORS``: a certification's cursor, its cycle and its holder."""

    certification_id: str
    cycle: int
    expires_on: date | None
    last_offset: int | None
    next_due_at: datetime | None
    opened_on: date
    scheme: str
    number: str
    holder_id: str
    ref: str
    given_name: str
    family_name: str
    email: str
    second_email: str | None
    language: str
    time_zone: str
    deceased_on: date | None


CURSORS = (
    select(
        ReminderCursor.certification_id,
        ReminderCursor.cycle,
        ReminderCursor.expires_on,
        ReminderCursor.last_offset,
        ReminderCursor.next_due_at,
        Cycle.opened_on,
        Certification.scheme,
        Certification.number,
        Certification.holder_id,
        Holder.ref,
        Holder.given_name,
        Holder.family_name,
        Holder.email,
        Holder.second_email,
        Holder.language,
        Holder.time_zone,
        Holder.deceased_on,
    )
    .join(Certification, Certification.id == ReminderCursor.certification_id)
    .join(Holder, Holder.id == Certification.holder_id)
    .join(
        Cycle,
        and_(
            Cycle.certification_id == ReminderCursor.certification_id,
            Cycle.ordinal == ReminderCursor.cycle,
        ),
    )
)


@dataclass(frozen=True, slots=True)
class ExaminedAt:
    """When a certification is examined: the instant, and the date by which it is judged."""

    now: datetime
    on: date


@dataclass(frozen=True, slots=True)
class Examined:
    """A cursor's row, the outcome of its stages, and the address a message would go to.

    ``reopened`` are stages that have a row but did not reach the holder, each with the row's id.
    """

    row: DueCursor
    plan: rules.ReminderPlan
    address: str | None
    reopened: Mapping[int, str]


When = Callable[[DueCursor, Scheme], ExaminedAt]


def examine(reading: ReadContext, rows: Sequence[DueCursor], when: When) -> list[Examined]:
    """Decide the due stages of every row of ``CURSORS``, with a constant number of statements.

    Points are read only for stages that are not sent when points are complete.
    """
    by_id = {row.certification_id: row for row in rows}
    moments = {id_: when(row, reading.schemes[row.scheme]) for id_, row in by_id.items()}
    spans = _spans(reading, moments)
    recorded = _recorded(reading, rows)
    decided = _decided(reading, recorded)
    suppressed = suppressions.of_holders(reading, rows, now=max(m.now for m in moments.values()))
    unreached = [row for row in rows if suppressions.address_of(row, suppressed) is None]
    rests = suppressions.rests(reading, unreached, now=reading.now) if unreached else {}
    wishes = _wishes(reading, rows)
    reopened = {
        id_: {stage.offset: stage.id for stage in recorded.get(_term(row), ()) if stage.reopened}
        for id_, row in by_id.items()
    }
    facts: dict[str, rules.ReminderFacts] = {}
    for id_, row in by_id.items():
        moment, zone = moments[id_], zone_of(row.time_zone)
        hold, pending = _held(spans[id_], moment.on)
        wish = wishes.get(row.holder_id)
        facts[id_] = rules.ReminderFacts(
            now=moment.now,
            opened_at=rules.opening(row.opened_on, zone),
            last_offset=row.last_offset,
            decided=decided(row),
            reopened=reopened[id_],
            hold=hold,
            pending=pending,
            deceased=row.deceased_on is not None,
            deliverable=suppressions.address_of(row, suppressed) is not None,
            wanted=wish is None or wish.wanted,
            snoozed=wish is not None
            and rules.is_paused(wish.snoozed_until, moment.now.astimezone(zone).date()),
        )
        ends = _ends(reading, row, _span(spans[id_], moment.on), wish, rests)
        mended = min((at for at in ends if at > moment.now), default=None)
        facts[id_] = replace(facts[id_], mended_at=mended)
    plans = {id_: _plan(reading, row, facts[id_]) for id_, row in by_id.items()}
    for id_ in _complete(reading, rows, plans, moments):
        plans[id_] = _plan(reading, by_id[id_], replace(facts[id_], complete=True))
    return [
        Examined(row, plans[id_], suppressions.address_of(row, suppressed), reopened[id_])
        for id_, row in by_id.items()
    ]


def policy_of(reading: ReadContext, scheme: str) -> ReminderPolicy | None:
    """When holders of a scheme are reminded; None means never."""
    return reading.schemes[scheme].reminders


def _plan(reading: ReadContext, row: DueCursor, facts: rules.ReminderFacts) -> rules.ReminderPlan:
    policy = policy_of(reading, row.scheme)
    if policy is None or row.expires_on is None:
        return rules.ReminderPlan(fates=(), last_offset=row.last_offset, next_due_at=None)
    owed = rules.stages(policy, row.expires_on, zone_of(row.time_zone))
    return rules.plan(owed, facts, policy)


class _SpanAround(NamedTuple):
    """A span around the day on which a certification is examined."""

    certification_id: str
    from_on: date
    until_on: date
    hold: Hold | None
    pending_since: date | None


def _spans(reading: ReadContext, moments: dict[str, ExaminedAt]) -> dict[str, list[_SpanAround]]:
    """The timeline rows around the moments' days, by certification."""
    spans: dict[str, list[_SpanAround]] = defaultdict(list)
    days = [moment.on for moment in moments.values()]
    for ids in bulk.chunks(moments):
        statement = select(
            Span.certification_id, Span.from_on, Span.until_on, Span.hold, Span.pending_since
        ).where(
            bulk.among(reading, Span.certification_id, ids),
            Span.from_on <= max(days),
            Span.until_on > min(days),
        )
        for span in reading.rows_as(_SpanAround, statement):
            spans[span.certification_id].append(span)
    return spans


def _span(spans: Sequence[_SpanAround], on: date) -> _SpanAround | None:
    return next((span for span in spans if span.from_on <= on < span.until_on), None)


def _held(spans: Sequence[_SpanAround], on: date) -> tuple[Hold | None, bool]:
    """The hold on the certification on a day, and whether an application is under review."""
    if (span := _span(spans, on)) is None:
        return None, False  # before the award: the stage's own dates exclude it
    return span.hold, span.pending_since is not None


def _ends(
    reading: ReadContext,
    row: DueCursor,
    span: _SpanAround | None,
    wish: _ReminderWish | None,
    rests: Mapping[str, datetime],
) -> Iterator[datetime]:
    """When each obstacle to reaching the holder ends by itself: a hold, a pause, a rest."""
    scheme = reading.schemes[row.scheme]
    if scheme.reminders is None:
        return
    if span is not None and span.hold is not None and span.until_on < date.max:
        zone = zone_of(scheme.zone_of(row.time_zone))
        yield rules.instant(span.until_on, 0, scheme.reminders, zone)
    if wish is not None and wish.snoozed_until is not None:
        yield rules.instant(wish.snoozed_until, -1, scheme.reminders, zone_of(row.time_zone))
    for address in suppressions.addresses_of(row):
        if (until := rests.get(compared(address))) is not None:
            yield until


class _RecordedStage(NamedTuple):
    """A stage that has a row; ``reopened`` says whether it may be decided again."""

    id: str
    certification_id: str
    cycle: int
    expires_on: date
    offset: int
    reopened: bool


Term = tuple[str, int, date | None]
"""A certification, the cycle and the expiry."""


def _term(row: DueCursor | _RecordedStage) -> Term:
    return row.certification_id, row.cycle, row.expires_on


_HAS_COME_BACK = exists(
    select(Bounce.digest).where(
        Bounce.message_id == Message.id,
        Bounce.kind.in_((ReturnKind.HARD, ReturnKind.SOFT)),
        Bounce.address == func.lower(Message.address),
    )
)
_FAILED = or_(
    Message.state == MessageState.DEAD,
    and_(Message.state == MessageState.CANCELLED, Message.last_error.in_(sealing.MENDABLE)),
    and_(Message.state == MessageState.SENT, _HAS_COME_BACK),
)
_REOPENED = and_(
    Reminder.useful_until > bindparam("now", type_=Instant),
    or_(
        and_(Reminder.fate == StageOutcome.SKIPPED, Reminder.reason.in_(rules.MENDABLE)),
        and_(Reminder.fate == StageOutcome.PLANNED, _FAILED),
    ),
)
"""A stage that did not reach its holder for a reason that may go away, and is still useful."""


def _is_touched(reading: ReadContext, row: DueCursor) -> bool:
    """Whether the cursor was touched, rather than due because a stage fell due."""
    policy = policy_of(reading, row.scheme)
    if policy is None or row.expires_on is None or row.next_due_at == AT_ONCE:
        return True
    owed = rules.stages(policy, row.expires_on, zone_of(row.time_zone))
    return all(stage.due_at != row.next_due_at for stage in owed)


def _recorded(reading: ReadContext, rows: Sequence[DueCursor]) -> dict[Term, list[_RecordedStage]]:
    """The stages that have a row, by term; read only for touched cursors."""
    touched = [row.certification_id for row in rows if _is_touched(reading, row)]
    recorded: dict[Term, list[_RecordedStage]] = defaultdict(list)
    for ids in bulk.chunks(touched):
        statement = (
            select(
                Reminder.id,
                Reminder.certification_id,
                Reminder.cycle,
                Reminder.expires_on,
                Reminder.offset,
                func.coalesce(_REOPENED, false()).label("reopened"),
            )
            .join(Message, Message.id == Reminder.message_id, isouter=True)
            .where(
                bulk.among(reading, Reminder.certification_id, ids), Reminder.audience == AUDIENCE
            )
        )
        for stage in reading.rows_as(_RecordedStage, statement, {"now": reading.now}):
            recorded[_term(stage)].append(stage)
    return recorded


def _decided(
    reading: ReadContext, recorded: Mapping[Term, Sequence[_RecordedStage]]
) -> Callable[[DueCursor], Collection[int]]:
    """A function from a row to its stages that are decided for good.

    For an untouched cursor, every stage down to the last one is decided; reading the rows of those
    stages would cost more than everything else.
    """

    def of_row(row: DueCursor) -> Collection[int]:
        if _is_touched(reading, row):
            return {stage.offset for stage in recorded.get(_term(row), ()) if not stage.reopened}
        policy = policy_of(reading, row.scheme)
        if policy is None or row.last_offset is None:
            return ()
        return _down_to(policy, row.last_offset)

    return of_row


@lru_cache(maxsize=1024)
def _down_to(policy: ReminderPolicy, last_offset: int) -> frozenset[int]:
    return frozenset(offset for offset in policy.offsets if offset >= last_offset)


class _ReminderWish(NamedTuple):
    """What a holder wants of reminders."""

    holder_id: str
    wanted: bool
    snoozed_until: date | None


def _wishes(reading: ReadContext, rows: Sequence[DueCursor]) -> dict[str, _ReminderWish]:
    """The reminder preferences of these holders, by holder; most have none."""
    wishes: dict[str, _ReminderWish] = {}
    for ids in bulk.chunks({row.holder_id for row in rows}):
        statement = select(Preference.holder_id, Preference.wanted, Preference.snoozed_until).where(
            bulk.among(reading, Preference.holder_id, ids), Preference.type == MessageType.REMINDERS
        )
        wishes |= {wish.holder_id: wish for wish in reading.rows_as(_ReminderWish, statement)}
    return wishes


def _complete(
    reading: ReadContext,
    rows: Sequence[DueCursor],
    plans: dict[str, rules.ReminderPlan],
    moments: dict[str, ExaminedAt],
) -> list[str]:
    """The certifications whose points are complete, among those whose stage depends on it."""
    days: dict[CertificationKey, date] = {}
    for row in rows:
        stage, policy = plans[row.certification_id].current, policy_of(reading, row.scheme)
        if stage and policy and stage.offset not in policy.offsets_when_complete:
            key = CertificationKey(row.certification_id, row.holder_id, row.scheme)
            days[key] = moments[row.certification_id].on
    points = points_of(reading, days)
    return [id_ for id_, counted in points.items() if counted.evaluation.complete]


def points_of(
    reading: ReadContext, days: Mapping[CertificationKey, date]
) -> dict[str, standings.CertificationPoints]:
    """The points of many certifications, each on its day, by id.

    Those in a scheme without a policy are left out.
    """
    if not days:
        return {}
    records = snapshots.records(reading, [key.id for key in days])
    activities = snapshots.activities(reading, {key.holder_id for key in days})
    related = related_facts.of_many(reading, days, activities)
    points: dict[str, standings.CertificationPoints] = {}
    for key, on in days.items():
        counted = standings.evaluate(
            reading.schemes[key.scheme],
            records[key.id],
            activities[key.holder_id, key.scheme],
            on=on,
            related=related.get(key.id, related_facts.NOTHING_RELATED),
        )
        if counted is not None:
            points[key.id] = counted
    return points
