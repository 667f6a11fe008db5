"""Audits of claims: drawn by seed, by flag or by hand, and recorded.

Invariant: what could be drawn is read as it was at an instant (``approved``), from decisions that
are never deleted; what else decides, and can change, is kept (``ClaimAudit.candidates``). So a
repeated draw (``audit_repeats``) sees what the first one saw, whatever was done since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true
from sqlalchemy.exc import IntegrityError

from tracker.db import new_id
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.desk import audits as rules
from tracker.domain.desk.audits import AuditBasis, AuditState, AuditUnit, NoAnswer
from tracker.domain.errors import AlreadyRecorded, Invalid, NotFound
from tracker.domain.points.activities import ActivityVerdict
from tracker.domain.schemes.policies import Audit
from tracker.models import Activity, AuditItem, Certification, ClaimAudit, Cycle, Decision
from tracker.services.core import bulk, history
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.desk import review_queue
from tracker.services.desk.queue_order import QueueFlag
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.points.activity_rows import LATEST_FIRST
from tracker.services.standings import snapshots

MOST_FLAGGED = 5000
"""How many activities are looked at for a flag: each takes a reading of its holder's record."""
_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditToDraw:
    """What to draw from, and how.

    The days are those of the approvals; ``cycle`` is a number: only claims of the holders' n-th
    cycle. ``percent`` goes with a share of all or of those with a ``flag``, ``activity_ids`` with a
    choice by hand. Where ``reply_days`` is missing, the policy's are taken.
    """

    scheme: str
    basis: AuditBasis
    seed: str
    from_on: date
    until_on: date
    reason: str
    unit: AuditUnit = AuditUnit.ACTIVITY
    cycle: int | None = None
    percent: Decimal | None = None
    flag: QueueFlag | None = None
    activity_ids: Sequence[str] = ()
    reply_days: int | None = None


class DrawnClaim(NamedTuple):
    """An approved activity that can be drawn, and its approval."""

    id: str
    holder_id: str
    decision_id: str
    title: str


@dataclass(frozen=True, slots=True)
class DrawnSample:
    """What a draw yields: the activities in their order, and what they were drawn from."""

    drawn: Sequence[DrawnClaim]
    population: int
    digest: str
    candidates: list[str] | None = None


class AuditRow(NamedTuple):
    """An audit as it was drawn."""

    id: str
    scheme: str
    basis: AuditBasis
    unit: AuditUnit
    seed: str
    drawn_on: date
    from_on: date
    until_on: date
    cycle: int | None
    percent: Decimal | None
    flag: QueueFlag | None
    population: int
    population_digest: str
    reply_days: int
    no_answer: NoAnswer
    reason: str
    drawn_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class AuditFigures:
    """How many activities were drawn, and what became of them; every one is counted once.

    ``unanswered`` are those still asked after the last reminder; ``points_removed`` is what the
    holders' cycles lost.
    """

    drawn: int
    asked: int
    answered: int
    confirmed: int
    reduced: int
    rejected: int
    called_off: int
    unanswered: int
    appealed: int
    points_removed: Decimal


_ONE = select(*columns_of(AuditRow, ClaimAudit))


# Drawing.
def sample(reading: ReadContext, wanted: AuditToDraw) -> DrawnSample:
    """What would be drawn now; nothing is recorded. Raises Invalid, UnknownScheme."""
    _check(reading, wanted)
    found = _sample(reading, wanted)
    rules.check_size(len(found.drawn))
    return found


def draw(work: UnitOfWork, wanted: AuditToDraw) -> str:
    """Draw an audit, record it, and ask every holder; returns its id.

    Raises Invalid; UnknownScheme; AlreadyRecorded if this seed has drawn in the scheme today, or
    an activity is being audited already.
    """
    found = sample(work, wanted)
    made = _record(work, wanted, found)
    _ask(work, made, found.drawn)
    return made.id


def _check(reading: ReadContext, wanted: AuditToDraw) -> None:
    reading.schemes[wanted.scheme]
    fields: dict[str, str] = {}
    by_hand = wanted.basis == AuditBasis.HAND
    if by_hand is (wanted.percent is not None):
        fields["percent"] = "is required for a draw, and not allowed for a choice by hand"
    if wanted.percent is not None and not 0 < wanted.percent <= 100:  # noqa: PLR2004 - percent
        fields["percent"] = "must be more than 0 and at most 100"
    if by_hand is not bool(wanted.activity_ids):
        fields["activity_ids"] = "are required for a choice by hand, and not allowed otherwise"
    if (wanted.basis == AuditBasis.FLAG) is (wanted.flag is None):
        fields["flag"] = "is required to draw among those with a flag, and not allowed otherwise"
    if wanted.from_on > wanted.until_on:
        fields["until_on"] = f"must not be before from_on ({wanted.from_on})"
    if fields:
        raise Invalid("The audit cannot be drawn.", fields=fields)


def _sample(reading: ReadContext, wanted: AuditToDraw) -> DrawnSample:
    claims = approved(reading, wanted, at=reading.now)
    if wanted.basis == AuditBasis.HAND:
        return _by_hand(wanted, claims)
    if wanted.flag is not None:
        claims = list(_flagged(reading, claims, wanted.flag))
    found = drawn(wanted.seed, wanted.unit, wanted.percent or Decimal(0), claims)
    if wanted.flag is None and wanted.cycle is None:
        return found
    return DrawnSample(found.drawn, found.population, found.digest, [one.id for one in claims])


def drawn(
    seed: str, unit: AuditUnit, percent: Decimal, claims: Sequence[DrawnClaim]
) -> DrawnSample:
    """The claims that a seed draws, or all of the holders that it draws."""
    groups: dict[str, list[DrawnClaim]] = defaultdict(list)
    for claim in claims:
        groups[claim.holder_id if unit == AuditUnit.HOLDER else claim.id].append(claim)
    chosen = rules.draw(seed, groups.keys(), rules.size(len(groups), percent))
    drawn = [claim for key in chosen for claim in groups[key]]
    return DrawnSample(drawn, len(groups), rules.population_digest(groups.keys()))


def _by_hand(wanted: AuditToDraw, claims: Sequence[DrawnClaim]) -> DrawnSample:
    known, ids = {claim.id: claim for claim in claims}, list(dict.fromkeys(wanted.activity_ids))
    if unknown := [id_ for id_ in ids if id_ not in known]:
        rule = f"{unknown[0]} is not approved in {wanted.scheme} on these days, or is being audited"
        raise Invalid(f"An activity cannot be audited: {rule}.", fields={"activity_ids": rule})
    return DrawnSample([known[id_] for id_ in ids], len(ids), rules.population_digest(ids))


def approved(
    reading: ReadContext, wanted: AuditToDraw, *, at: datetime, but: str | None = None
) -> list[DrawnClaim]:
    """The activities that were approved and under no audit (``but`` one) at an instant."""
    ruled = (
        select(Decision.id)
        .where(
            Decision.activity_id == Activity.id,
            Decision.recorded_at <= at,
            or_(Decision.undone_at.is_(None), Decision.undone_at > at),
        )
        .order_by(*LATEST_FIRST)
        .limit(1)
        .correlate(Activity)
        .scalar_subquery()
    )
    statement = (
        select(Activity.id, Activity.holder_id, Decision.id.label("decision_id"), Activity.title)
        .join(Decision, Decision.activity_id == Activity.id)
        .where(
            Decision.id == ruled,
            Decision.verdict == ActivityVerdict.APPROVED,
            Decision.decided_on.between(wanted.from_on, wanted.until_on),
            Activity.scheme == wanted.scheme,
            ~exists().where(_audited(at, but)),
        )
        .order_by(Activity.id)
    )
    if wanted.cycle is not None:
        statement = statement.where(exists().where(_of_cycle(wanted.cycle)))
    return reading.rows_as(DrawnClaim, statement)


def _audited(at: datetime, but: str | None) -> ColumnElement[bool]:
    """Another audit of the activity was open at the instant."""
    return and_(
        true() if but is None else AuditItem.audit_id != but,
        AuditItem.activity_id == Activity.id,
        AuditItem.recorded_at <= at,
        or_(AuditItem.decided_at.is_(None), AuditItem.decided_at > at),
    )


def _of_cycle(ordinal: int) -> ColumnElement[bool]:
    done = func.coalesce(Activity.completed_on, Activity.starts_on)
    return and_(
        Certification.holder_id == Activity.holder_id,
        Certification.scheme == Activity.scheme,
        snapshots.CURRENT,
        Cycle.certification_id == Certification.id,
        Cycle.ordinal == ordinal,
        done.between(Cycle.starts_on, Cycle.expires_on),
    )


def _flagged(
    reading: ReadContext, claims: Sequence[DrawnClaim], flag: QueueFlag
) -> Iterator[DrawnClaim]:
    """Those with a flag, as the review queue shows it."""
    if len(claims) > MOST_FLAGGED:
        rule = f"there are {len(claims)} activities to look at, at most {MOST_FLAGGED} are"
        raise Invalid(f"Choose fewer days: {rule}.", fields={"from_on": rule})
    on = reading.now.date()
    for start in range(0, len(claims), _AT_ONCE):
        some = {claim.id: claim for claim in claims[start : start + _AT_ONCE]}
        desk = review_queue.read(reading, list(some), on=on)
        flagged = {row.id for row in desk.rows if flag in review_queue.flags_of(desk, row)}
        yield from (claim for id_, claim in some.items() if id_ in flagged)


def _rule(reading: ReadContext, scheme: str) -> Audit | None:
    """What the latest policy of a scheme says about audits."""
    policies = reading.schemes[scheme].policies
    return policies[-1].audit if policies else None


def _record(work: UnitOfWork, wanted: AuditToDraw, found: DrawnSample) -> ClaimAudit:
    rule = _rule(work, wanted.scheme)
    days = wanted.reply_days or (rule.reply_days if rule else None)
    if days is None:
        told = "is required: the scheme's policy does not say how long one has to answer"
        raise Invalid("The audit needs a deadline.", fields={"reply_days": told})
    made = ClaimAudit(
        scheme=wanted.scheme,
        basis=wanted.basis,
        unit=wanted.unit,
        seed=wanted.seed,
        drawn_on=work.today(work.schemes[wanted.scheme]),
        from_on=wanted.from_on,
        until_on=wanted.until_on,
        cycle=wanted.cycle,
        percent=wanted.percent,
        flag=wanted.flag,
        population=found.population,
        population_digest=found.digest,
        candidates=found.candidates,
        reply_days=days,
        no_answer=NoAnswer(rule.no_answer) if rule else NoAnswer.REMIND,
        reason=wanted.reason,
        drawn_by=work.actor.name,
        drawn_by_id=work.actor.who,
        recorded_at=work.now,
    )
    work.session.add(made)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded(
            f"The seed {wanted.seed!r} has drawn in {wanted.scheme} today; read that audit, or give"
            " another seed."
        ) from error
    facts = {"seed": wanted.seed, "population": found.population, "drawn": len(found.drawn)}
    history.record(work, "draw", "audit", made.id, **facts, reason=wanted.reason)
    return made


def _ask(work: UnitOfWork, audit: ClaimAudit, drawn: Sequence[DrawnClaim]) -> None:
    """Write the items, and tell the holders until when to answer."""
    due_on = rules.answer_due_on(audit.drawn_on, audit.reply_days)
    rows = [
        {
            "id": new_id(),
            "audit_id": audit.id,
            "holder_id": claim.holder_id,
            "activity_id": claim.id,
            "decision_id": claim.decision_id,
            "place": place,
            "state": AuditState.ASKED,
            "due_on": due_on,
            "reminders": 0,
            "recorded_at": work.now,
            "version": 1,
        }
        for place, claim in enumerate(drawn, start=1)
    ]
    try:
        bulk.insert(work, AuditItem, rows)
    except IntegrityError as error:
        raise AlreadyRecorded("An activity is being audited already; draw again.") from error
    asked = [(str(row["id"]), {"audit_id": audit.id}) for row in rows]
    history.record_many(work, "ask", "audit_item", asked)
    news = [
        NoticeToTell(
            kind=NoticeKind.AUDIT_ASKED,
            holder_id=str(row["holder_id"]),
            subject_id=str(row["id"]),
            event=f"asked:{due_on}",
            on=audit.drawn_on,
        )
        for row in rows
    ]
    notices.tell(work, news)


# Reading.
def get(reading: ReadContext, audit_id: str) -> AuditRow:
    """An audit. Raises NotFound."""
    row = reading.row_as(AuditRow, _ONE.where(ClaimAudit.id == audit_id))
    if row is None:
        raise NotFound
    return row


def page(
    reading: ReadContext, *, after: str | None, limit: int, scheme: str | None
) -> list[AuditRow]:
    """A page of audits, oldest first."""
    statement = _ONE.order_by(ClaimAudit.id).limit(limit)
    if after:
        statement = statement.where(ClaimAudit.id > after)
    if scheme is not None:
        statement = statement.where(ClaimAudit.scheme == scheme)
    return reading.rows_as(AuditRow, statement)


def figures(reading: ReadContext, audit_id: str | None = None) -> AuditFigures:
    """What became of one audit's activities, or of all audits'."""
    removed = func.sum(AuditItem.points_before - AuditItem.points_after)
    last = AuditItem.reminders >= rules.REMINDERS
    statement = select(
        AuditItem.state,
        last.label("last"),
        AuditItem.appealed_on.is_not(None).label("appealed"),
        func.count().label("count"),
        removed.label("removed"),
    ).group_by(AuditItem.state, last, AuditItem.appealed_on.is_not(None))
    if audit_id is not None:
        get(reading, audit_id)
        statement = statement.where(AuditItem.audit_id == audit_id)
    rows = reading.rows(statement)
    counts: Mapping[str, int] = {
        state: sum(row.count for row in rows if row.state == state) for state in AuditState
    }
    return AuditFigures(
        drawn=sum(counts.values()),
        **counts,
        unanswered=sum(row.count for row in rows if row.state == AuditState.ASKED and row.last),
        appealed=sum(row.count for row in rows if row.appealed),
        points_removed=sum(
            (row.removed for row in rows if row.removed is not None), Decimal("0.00")
        ),
    )
