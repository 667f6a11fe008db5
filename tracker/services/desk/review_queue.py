"""The review queue: undecided activities, each with all that a reviewer needs.

The order is in ``queue_order``. A page costs the same number of statements whatever its size,
besides those of the order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import and_, case, exists, func, select
from sqlalchemy.orm import aliased

from tracker.domain.credentials import certifications
from tracker.domain.credentials.certifications import Standing, Status
from tracker.domain.credentials.certifications import StandingSpan as SpanValue
from tracker.domain.desk.reviews import ReviewLock, Wait
from tracker.domain.points.activities import ActivityState, ActivityVerdict
from tracker.domain.points.claims import ZERO, Claim, Credit
from tracker.domain.points.likeness import Likeness, likeness
from tracker.domain.schemes.activity_types import ActivityType
from tracker.models import (
    Activity,
    Certification,
    Decision,
    Evidence,
    Holder,
    OpenReview,
    Span,
)
from tracker.services.core import bulk, days, open_reviews
from tracker.services.core.context import ReadContext, columns_of
from tracker.services.desk import queue_order, weighing
from tracker.services.desk.queue_order import FLAGS, QueueFilter, QueueFlag, QueuePlace
from tracker.services.desk.weighing import Weighing
from tracker.services.employers import employers
from tracker.services.points import activity_types
from tracker.services.points.activity_rows import ActivityOnRecord
from tracker.services.standings import related_facts
from tracker.services.standings.related_facts import CertificationKey
from tracker.services.standings.snapshots import ActivityFacts
from tracker.services.standings.standings import ON_SPAN

STATES = (ActivityState.SUBMITTED, ActivityState.MORE_INFORMATION)
SCANNED = 200  # activities examined for a page with a given flag


@dataclass(frozen=True, slots=True)
class PointsOf:
    """The cycle's points now, with this activity approved, and with all undecided ones approved."""

    now: Decimal
    required: Decimal
    if_approved: Decimal
    if_all_approved: Decimal
    complete_now: bool
    complete_if_approved: bool
    complete_if_all_approved: bool
    verified: bool


@dataclass(frozen=True, slots=True)
class QueuedActivity(ActivityOnRecord):
    """An activity with its holder, and the certification of theirs in its scheme, if any.

    ``span`` is the stretch of the certification's timeline that contains the day, ``language`` the
    one in which the holder is written to.
    """

    submitted_at: datetime | None
    holder_ref: str
    given_name: str
    family_name: str
    language: str
    deceased_on: date | None
    certification_id: str | None
    certificate_number: str | None
    withdrawn_at: datetime | None
    replaced_on: date | None
    wait_from: date | None
    asked_on: date | None
    lock: ReviewLock | None
    span: SpanValue | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An undecided activity, with what a reviewer needs to know about it and its holder.

    ``business_days`` are those waited for a decision, without the days with the holder; ``overdue``
    if they are more than the service level. ``lock`` says who has the review open, if somebody has.

    ``claimed`` are its points by itself, ``counts`` those it would add;
    both are None if no points are counted. ``urgent``: approving all undecided activities of this
    holder would complete a renewal that is open now.
    """

    activity: QueuedActivity
    urgent: bool
    standing: Standing | None
    days_left: int | None
    days_waiting: int
    business_days: int
    overdue: bool
    lock: ReviewLock | None
    points: PointsOf | None
    claimed: Decimal | None
    counts: Decimal | None
    evidence: int
    flags: tuple[QueueFlag, ...]


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Activities in the order of the queue, and the place after which the next page begins.

    With a flag, a page may be shorter than the limit although there is a next one.
    """

    items: list[Waiting]
    next: QueuePlace | None


@dataclass(frozen=True, slots=True)
class Like:
    """Another claim of the holder that is probably for the same activity."""

    ref: str
    scheme: str
    found: Likeness


@dataclass(frozen=True, slots=True)
class EvidenceSummary:
    """An activity's evidence: how many files, whether any is late or also used elsewhere."""

    count: int = 0
    late: bool = False
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """The facts about some activities, from which ``Waiting`` is computed for each."""

    rows: Sequence[QueuedActivity]
    weighed: Weighing
    kinds: Mapping[str, ActivityType]
    files: Mapping[str, EvidenceSummary]
    on: date
    claims: Mapping[str, Claim] = field(default_factory=dict)


def page(
    reading: ReadContext, selection: QueueFilter, *, after: QueuePlace | None, limit: int
) -> QueuePage:
    """A page of the queue. Raises UnknownScheme, NotFound for an unknown employer."""
    on = days.today_everywhere(reading)
    if selection.scheme is not None:
        _ = reading.schemes[selection.scheme]
    if selection.employer_id is not None:
        employers.get(reading, selection.employer_id)
    most = limit if selection.flag is None else max(limit, SCANNED)
    places = queue_order.places(reading, selection, after=after, limit=most + 1, on=on)
    shown, more = places[:most], len(places) > most
    items = _of_places(reading, shown, selection.flag, on)
    kept = list(items)[:limit]
    if len(items) > limit:
        return QueuePage([items[place] for place in kept], kept[-1])
    return QueuePage([items[place] for place in kept], shown[-1] if more else None)


def of_ids(reading: ReadContext, ids: Collection[str]) -> list[Waiting]:
    """These activities, those that wait longest first; what is not on record is left out."""
    desk = read(reading, ids, on=days.today_everywhere(reading))
    found = [waiting(desk, row, urgent=is_urgent(desk, row)) for row in desk.rows]
    return sorted(found, key=lambda one: (-one.days_waiting, one.activity.id))


def place_of(reading: ReadContext, activity_id: str) -> QueuePlace | None:
    """The place of an activity in the queue; None if it does not wait there."""
    desk = read(reading, [activity_id], on=days.today_everywhere(reading))
    row = next(iter(desk.rows), None)
    if row is None or row.submitted_on is None or row.state not in STATES:
        return None
    expires_on = row.span.expires_on if row.span and is_urgent(desk, row) else None
    return QueuePlace(expires_on, row.submitted_on, row.id)


def _of_places(
    reading: ReadContext, places: Sequence[QueuePlace], flag: QueueFlag | None, on: date
) -> dict[QueuePlace, Waiting]:
    """The activities at these places, only those with the flag if one is given."""
    desk = read(reading, [place.id for place in places], on=on)
    rows = {row.id: row for row in desk.rows}
    return {
        place: waiting(desk, rows[place.id], urgent=place.expires_on is not None)
        for place in places
        if flag is None or _FLAGGED[flag](desk, rows[place.id])
    }


# The holder's certification in the activity's scheme: the one in force, else the last one, even if
# it was withdrawn.
_Held = aliased(Certification)
_OF_ACTIVITY = (
    select(_Held.id)
    .where(_Held.holder_id == Activity.holder_id, _Held.scheme == Activity.scheme)
    .order_by(_Held.withdrawn_at.is_not(None), _Held.sequence.desc())
    .limit(1)
    .correlate(Activity)
    .scalar_subquery()
)
_COLUMNS = (
    *columns_of(ActivityOnRecord, Activity),
    Activity.submitted_at,
    Holder.ref.label("holder_ref"),
    Holder.given_name,
    Holder.family_name,
    Holder.language,
    Holder.deceased_on,
    Certification.id.label("certification_id"),
    Certification.number.label("certificate_number"),
    Certification.withdrawn_at,
    Certification.replaced_on,
    queue_order.WAIT_FROM.label("wait_from"),
    # The day of the first answer since the submission, which stopped the wait.
    select(func.min(Decision.decided_on))
    .where(
        Decision.activity_id == Activity.id,
        Decision.undone_at.is_(None),
        Decision.recorded_at >= Activity.submitted_at,
    )
    .correlate(Activity)
    .scalar_subquery()
    .label("asked_on"),
)
_OWN = len(_COLUMNS)
_LOCK = slice(_OWN, _OWN + len(open_reviews.COLUMNS))
_SELECTED = (
    select(*_COLUMNS, *open_reviews.COLUMNS, *related_facts.SPAN)
    .join(OpenReview, OpenReview.subject_id == Activity.id, isouter=True)
    .join(Holder, Holder.id == Activity.holder_id)
    .join(Certification, Certification.id == _OF_ACTIVITY, isouter=True)
    .join(Span, and_(Span.certification_id == Certification.id, ON_SPAN), isouter=True)
)
_Other = aliased(Evidence)
_ELSEWHERE = exists().where(
    _Other.sha256 == Evidence.sha256, _Other.activity_id != Evidence.activity_id
)
_FILES = (
    select(
        Evidence.activity_id,
        func.count().label("count"),
        func.max(case((Evidence.recorded_at > Activity.submitted_at, 1), else_=0)).label("late"),
        func.max(case((_ELSEWHERE, 1), else_=0)).label("elsewhere"),
    )
    .join(Activity, Activity.id == Evidence.activity_id)
    .group_by(Evidence.activity_id)
)


def read(reading: ReadContext, ids: Collection[str], *, on: date) -> Desk:
    """Read the facts about these activities, with a constant number of statements."""
    if not ids:
        return Desk((), Weighing(reading, on, {}, {}, {}), {}, {}, on)
    among = bulk.among(reading, Activity.id, ids)
    rows = [
        QueuedActivity(
            *(
                *row[:_OWN],
                ReviewLock(*row[_LOCK]) if row.reviewer_id else None,
                SpanValue(*row[_LOCK.stop :]) if row.from_on else None,
            )
        )
        for row in reading.rows(_SELECTED.where(among), {"on": on})
    ]
    keys = {key_of(row): None for row in rows}
    weighed = weighing.read(reading, keys.keys(), on=on)
    files = {
        row.activity_id: EvidenceSummary(row.count, bool(row.late), bool(row.elsewhere))
        for row in reading.rows(_FILES.where(among))
    }
    claims = {fact.claim.ref: fact.claim for facts in weighed.activities.values() for fact in facts}
    return Desk(rows, weighed, activity_types.of_rows(reading, rows), files, on, claims)


def key_of(row: QueuedActivity) -> CertificationKey:
    """The certification of a row, for weighing; its id is empty if there is none."""
    return CertificationKey(row.certification_id or "", row.holder_id, row.scheme)


def waiting(desk: Desk, row: QueuedActivity, *, urgent: bool) -> Waiting:
    """An activity as the queue presents it."""
    standing = certifications.standing_on(row.span, desk.on) if row.span else None
    expires_on = standing.expires_on if standing else None
    points = points_of(desk, row)
    credit = credit_of(desk, row)
    reading, wait = desk.weighed.reading, Wait(row.wait_from or desk.on, row.asked_on)
    return Waiting(
        activity=row,
        urgent=urgent,
        standing=standing,
        days_left=(expires_on - desk.on).days if expires_on else None,
        days_waiting=max((desk.on - row.submitted_on).days, 0) if row.submitted_on else 0,
        business_days=wait.days(desk.on),
        overdue=wait.is_overdue(desk.on, reading.settings.reviews.service_level_days),
        lock=open_reviews.still_held(reading, row.lock),
        points=points,
        claimed=credit.claimed if credit else None,
        counts=points.if_approved - points.now if points else None,
        evidence=desk.files.get(row.id, EvidenceSummary()).count,
        flags=flags_of(desk, row),
    )


def is_urgent(desk: Desk, row: QueuedActivity) -> bool:
    """Whether a decision on it could complete a renewal that is open now.

    Invariant: for the candidates that ``queue_order`` examines, it gives the same answer.
    """
    if row.state != ActivityState.SUBMITTED or row.deceased_on is not None or row.span is None:
        return False
    if row.withdrawn_at is not None or row.replaced_on is not None:
        return False
    span, on = row.span, desk.on
    open_now = certifications.standing_on(span, on).status in {Status.RENEWAL_OPEN, Status.GRACE}
    can_be_had = span.hold is None and (open_now or span.pending_since is not None)
    return can_be_had and desk.weighed.would_complete(key_of(row))


def points_of(desk: Desk, row: QueuedActivity) -> PointsOf | None:
    """The holder's points now and with approvals; None if none are counted."""
    key, claim = key_of(row), desk.claims[row.id]
    now, with_this = desk.weighed.points(key), desk.weighed.points(key, [claim])
    rest = [other for other in desk.weighed.waiting(key) if other.ref != claim.ref]
    with_all = desk.weighed.points(key, [claim, *rest])
    if now is None or with_this is None or with_all is None:
        return None
    return PointsOf(
        now.evaluation.total,
        now.evaluation.required,
        with_this.evaluation.total,
        with_all.evaluation.total,
        now.evaluation.complete,
        with_this.evaluation.complete,
        with_all.evaluation.complete,
        now.evaluation.verified,
    )


def credit_of(desk: Desk, row: QueuedActivity) -> Credit | None:
    """The activity's credit if it alone were approved; None if it would get none."""
    points = desk.weighed.points(key_of(row), [desk.claims[row.id]])
    if points is None:
        return None
    return next((c for c in points.evaluation.credits if c.ref == row.id), None)


def flags_of(desk: Desk, row: QueuedActivity) -> tuple[QueueFlag, ...]:
    """The flags of an activity for the reviewer, in the order of ``FLAGS``."""
    return tuple(flag for flag in FLAGS if _FLAGGED[flag](desk, row))


def likely_duplicates(desk: Desk, row: QueuedActivity) -> list[Like]:
    """The holder's other claims, in any scheme, that are probably duplicates, most similar first.

    Rejected or withdrawn claims do not count as duplicates.
    """
    claim = desk.claims[row.id]
    likes = [
        Like(other.claim.ref, scheme, alike)
        for (holder_id, scheme), activities in desk.weighed.activities.items()
        if holder_id == row.holder_id
        for other in activities
        if other.claim.ref != row.id and _stands(other)
        if (alike := likeness(claim, other.claim)) is not None
    ]
    return sorted(likes, key=lambda like: (-like.found.score, like.ref))


def _stands(activity: ActivityFacts) -> bool:
    decision = activity.decision_on(date.max)
    rejected = decision is not None and decision.verdict == ActivityVerdict.REJECTED
    return activity.withdrawn_on is None and not rejected


def _is_outside(desk: Desk, row: QueuedActivity) -> bool:
    """Whether it counts for nothing because its days lie outside today's cycle."""
    credit = credit_of(desk, row)
    if credit is None or credit.counted > ZERO:
        return False
    return any(cut.rule in {"outside_cycle", "after_date"} for cut in credit.cuts)


def _lacks_evidence(desk: Desk, row: QueuedActivity) -> bool:
    kind = desk.kinds.get(row.id)
    return kind is not None and kind.evidence != "none" and row.id not in desk.files


def _is_unusual(desk: Desk, row: QueuedActivity) -> bool:
    kind = desk.kinds.get(row.id)
    return kind is not None and kind.is_unusual(row.quantity, row.unit)


_FLAGGED: Mapping[QueueFlag, Callable[[Desk, QueuedActivity], bool]] = {
    "likely_duplicate": lambda desk, row: bool(likely_duplicates(desk, row)),
    "same_file_elsewhere": lambda desk, row: desk.files.get(row.id, EvidenceSummary()).elsewhere,
    "outside_cycle": _is_outside,
    "no_evidence": _lacks_evidence,
    "unusual_quantity": _is_unusual,
    "late_evidence": lambda desk, row: desk.files.get(row.id, EvidenceSummary()).late,
}
