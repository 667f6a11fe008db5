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
from typing import Any

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
from tracker.services.standings import neighbours, snapshots, standings
from tracker.services.standings.neighbours import CertificationKey

AT_ONCE = cursors.AT_ONCE

AUDIENCE = "holder"

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
class LookedAt:
    """When a certification is examined: the instant, and the date by which it is judged."""

    now: datetime
    on: date


@dataclass(frozen=True, slots=True)
class Examined:
    """A cursor's row, the outcome of its stages, and the address a message would go to.

    ``reopened`` are stages that have a row but did not reach the holder, each with the row's id.
    """

    row: Any
    plan: rules.ReminderPlan
    address: str | None
    reopened: Mapping[int, str]


When = Callable[[Any, Scheme], LookedAt]


def examine(reading: ReadContext, rows: Sequence[Any], when: When) -> list[Examined]:
    """Decide the due stages of every row of ``CURSORS``, with a constant number of statements.

    Points are read only for stages that are not sent when points are complete.
    """
    by_id = {row.certification_id: row for row in rows}
    moments = {id_: when(row, reading.schemes[row.scheme]) for id_, row in by_id.items()}
    spans = _spans(reading, moments)
    recorded = _recorded(reading, rows)
    decided = _decided(reading, recorded)
    silent = suppressions.of_holders(reading, rows, now=max(m.now for m in moments.values()))
    unreached = [row for row in rows if suppressions.address_of(row, silent) is None]
    rests = suppressions.rests(reading, unreached, now=reading.now) if unreached else {}
    wishes = _wishes(reading, rows)
    reopened = {
        id_: {one.offset: one.id for one in recorded.get(_term(row), ()) if one.reopened}
        for id_, row in by_id.items()
    }
    looks: dict[str, rules.ReminderFacts] = {}
    for id_, row in by_id.items():
        moment, zone = moments[id_], zone_of(row.time_zone)
        hold, pending = _held(spans[id_], moment.on)
        wish = wishes.get(row.holder_id)
        looks[id_] = rules.ReminderFacts(
            now=moment.now,
            opened_at=rules.opening(row.opened_on, zone),
            last_offset=row.last_offset,
            decided=decided(row),
            reopened=reopened[id_],
            hold=hold,
            pending=pending,
            deceased=row.deceased_on is not None,
            deliverable=suppressions.address_of(row, silent) is not None,
            wanted=wish is None or wish.wanted,
            snoozed=wish is not None
            and rules.is_paused(wish.snoozed_until, moment.now.astimezone(zone).date()),
        )
        ends = _ends(reading, row, _span(spans[id_], moment.on), wish, rests)
        mended = min((at for at in ends if at > moment.now), default=None)
        looks[id_] = replace(looks[id_], mended_at=mended)
    plans = {id_: _plan(reading, row, looks[id_]) for id_, row in by_id.items()}
    for id_ in _complete(reading, rows, plans, moments):
        plans[id_] = _plan(reading, by_id[id_], replace(looks[id_], complete=True))
    return [
        Examined(row, plans[id_], suppressions.address_of(row, silent), reopened[id_])
        for id_, row in by_id.items()
    ]


def policy_of(reading: ReadContext, scheme: str) -> ReminderPolicy | None:
    """When holders of a scheme are reminded; None means never."""
    return reading.schemes[scheme].reminders


def _plan(reading: ReadContext, row: Any, look: rules.ReminderFacts) -> rules.ReminderPlan:
    policy = policy_of(reading, row.scheme)
    if policy is None or row.expires_on is None:
        return rules.ReminderPlan(fates=(), last_offset=row.last_offset, next_due_at=None)
    owed = rules.stages(policy, row.expires_on, zone_of(row.time_zone))
    return rules.plan(owed, look, policy)


def _spans(reading: ReadContext, moments: dict[str, LookedAt]) -> dict[str, list[Any]]:
    """The timeline rows around the moments' days, by certification."""
    found: dict[str, list[Any]] = defaultdict(list)
    days = [moment.on for moment in moments.values()]
    for ids in bulk.chunks(moments):
        statement = select(
            Span.certification_id, Span.from_on, Span.until_on, Span.hold, Span.pending_since
        ).where(
            bulk.among(reading, Span.certification_id, ids),
            Span.from_on <= max(days),
            Span.until_on > min(days),
        )
        for row in reading.rows(statement):
            found[row.certification_id].append(row)
    return found


def _span(spans: Sequence[Any], on: date) -> Any:
    return next((span for span in spans if span.from_on <= on < span.until_on), None)


def _held(spans: Sequence[Any], on: date) -> tuple[Hold | None, bool]:
    """The hold on the certification on a day, and whether an application is under review."""
    if (span := _span(spans, on)) is None:
        return None, False  # before the award: the stage's own dates exclude it
    return span.hold, span.pending_since is not None


def _ends(
    reading: ReadContext, row: Any, span: Any, wish: Any, rests: Mapping[str, datetime]
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


Term = tuple[str, int, date]


def _term(row: Any) -> Term:
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


def _is_touched(reading: ReadContext, row: Any) -> bool:
    """Whether the cursor was touched, rather than due because a stage fell due."""
    policy = policy_of(reading, row.scheme)
    if policy is None or row.expires_on is None or row.next_due_at == AT_ONCE:
        return True
    owed = rules.stages(policy, row.expires_on, zone_of(row.time_zone))
    return all(stage.due_at != row.next_due_at for stage in owed)


def _recorded(reading: ReadContext, rows: Sequence[Any]) -> dict[Term, list[Any]]:
    """The stages that have a row, by term; read only for touched cursors."""
    touched = [row.certification_id for row in rows if _is_touched(reading, row)]
    found: dict[Term, list[Any]] = defaultdict(list)
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
        for one in reading.rows(statement, {"now": reading.now}):
            found[_term(one)].append(one)
    return found


def _decided(
    reading: ReadContext, recorded: Mapping[Term, Sequence[Any]]
) -> Callable[[Any], Collection[int]]:
    """A function from a row to its stages that are decided for good.

    For an untouched cursor, every stage down to the last one is decided; reading the rows of those
    stages would cost more than everything else.
    """

    def answer(row: Any) -> Collection[int]:
        if _is_touched(reading, row):
            return {one.offset for one in recorded.get(_term(row), ()) if not one.reopened}
        policy = policy_of(reading, row.scheme)
        if policy is None or row.last_offset is None:
            return ()
        return _down_to(policy, row.last_offset)

    return answer


@lru_cache(maxsize=1024)
def _down_to(policy: ReminderPolicy, last_offset: int) -> frozenset[int]:
    return frozenset(offset for offset in policy.offsets if offset >= last_offset)


def _wishes(reading: ReadContext, rows: Sequence[Any]) -> dict[str, Any]:
    """The reminder preferences of these holders, by holder; most have none."""
    found: dict[str, Any] = {}
    for ids in bulk.chunks({row.holder_id for row in rows}):
        statement = select(Preference.holder_id, Preference.wanted, Preference.snoozed_until).where(
            bulk.among(reading, Preference.holder_id, ids), Preference.type == MessageType.REMINDERS
        )
        found.update({row.holder_id: row for row in reading.rows(statement)})
    return found


def _complete(
    reading: ReadContext,
    rows: Sequence[Any],
    plans: dict[str, rules.ReminderPlan],
    moments: dict[str, LookedAt],
) -> list[str]:
    """The certifications whose points are complete, among those whose stage depends on it."""
    asked = {}
    for row in rows:
        stage, policy = plans[row.certification_id].current, policy_of(reading, row.scheme)
        if stage and policy and stage.offset not in policy.offsets_when_complete:
            asked[row.certification_id] = row
    points = points_of(reading, asked.values(), lambda row: moments[row.certification_id].on)
    return [id_ for id_, found in points.items() if found.evaluation.complete]


def points_of(
    reading: ReadContext, rows: Collection[Any], day: Callable[[Any], date]
) -> dict[str, standings.CertificationPoints]:
    """The points of many certifications, by id; those in a scheme without a policy are left out."""
    if not rows:
        return {}
    records = snapshots.records(reading, [row.certification_id for row in rows])
    activities = snapshots.activities(reading, {row.holder_id for row in rows})
    asked = (CertificationKey(row.certification_id, row.holder_id, row.scheme) for row in rows)
    beside = neighbours.beside(reading, asked, activities)
    found: dict[str, standings.CertificationPoints] = {}
    for row in rows:
        record, scheme = records[row.certification_id], reading.schemes[row.scheme]
        of_scheme = activities[row.holder_id, row.scheme]
        result = standings.evaluate(
            scheme,
            record,
            of_scheme,
            on=day(row),
            beside=beside.get(row.certification_id, neighbours.ALONE),
        )
        if result is not None:
            found[row.certification_id] = result
    return found
