"""Standings on any date: the rule as one SQL expression, and the lists built on it.

Invariant: ``STATUS`` and ``domain.credentials.certifications.standing_on`` give the same answer for
every span and day; a property test compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, case, or_, select

from tracker.domain.credentials import assessments, certifications, next_steps
from tracker.domain.credentials.certifications import Standing, Status
from tracker.domain.credentials.next_steps import NextStep, Situation
from tracker.domain.points import cycle_rules
from tracker.domain.points.claims import Claim, Evaluation, Terms
from tracker.domain.points.cycle_rules import Case, JudgedCycle
from tracker.domain.points.evaluations import PricedCycle
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.domain.value_classes import value_class
from tracker.models import Assessment, Certification, Holder, Span
from tracker.services.core import batched, bulk
from tracker.services.core.context import AnyRow, ReadContext, columns_of
from tracker.services.standings import approved_claims, related_facts, snapshots
from tracker.services.standings.related_facts import CertificationKey, RelatedFacts
from tracker.services.standings.snapshots import HolderScheme

ON = batched.ON

# The span that contains the day, and the status on that day: see certifications.standing_on. Plain
# texts, since SQLAlchemy knows no type of an enum.
ON_SPAN = and_(Span.from_on <= ON, Span.until_on > ON)
WINDOW_OPEN = and_(Span.window_opens_on <= ON, Span.window_closes_on >= ON)
STATUS = case(
    (Span.hold.is_not(None), Span.hold),
    (Span.expires_on.is_(None), Status.ACTIVE.value),
    (WINDOW_OPEN, Status.RENEWAL_OPEN.value),
    (Span.expires_on >= ON, Status.ACTIVE.value),
    (Span.pending_since.is_not(None), Status.PENDING_RENEWAL.value),
    (Span.grace_ends_on >= ON, Status.GRACE.value),
    else_=Status.EXPIRED.value,
)
VALID = and_(
    Span.hold.is_(None),
    or_(
        Span.expires_on.is_(None),
        Span.expires_on >= ON,
        and_(Span.pending_since.is_not(None), Span.valid_while_pending),
        and_(Span.pending_since.is_(None), Span.grace_ends_on >= ON, Span.title_ends_on >= ON),
    ),
)


@value_class()
class HeldCertification:
    """A certification with its standing on a day."""

    id: str
    number: str
    public_id: str
    holder_id: str
    scheme: str
    awarded_on: date
    standing: Standing
    replaced_on: date | None = None
    withdrawn_at: datetime | None = None
    imported_at: datetime | None = None


SPAN = related_facts.SPAN
_HELD = select(
    Certification.id,
    Certification.number,
    Certification.public_id,
    Certification.holder_id,
    Certification.scheme,
    Certification.awarded_on,
    *SPAN,
    Certification.replaced_on,
    Certification.withdrawn_at,
    Certification.imported_at,
).join(Span, and_(Span.certification_id == Certification.id, ON_SPAN))
_COUNTING = _HELD.where(snapshots.COUNTING)
_ONE = _HELD.where(Certification.id == bindparam("id"))
OF_HOLDER = _HELD.where(Certification.holder_id == bindparam("id"), snapshots.SHOWN)


def _held(row: AnyRow, on: date) -> HeldCertification:
    standing = certifications.standing_on(certifications.StandingSpan(*row[6:-3]), on)
    values = [*row[:6], standing, *row[-3:]]
    return HeldCertification(*values)


def of_certification(
    reading: ReadContext, certification_id: str, *, on: date
) -> HeldCertification | None:
    """A certification with its standing on a day; None before its award."""
    row = reading.row(_ONE, {"id": certification_id, "on": on})
    return _held(row, on) if row else None


def of_holder(reading: ReadContext, holder_id: str, *, on: date) -> list[HeldCertification]:
    """A holder's certifications awarded by a day, one for each scheme, with their standings."""
    rows = reading.rows(OF_HOLDER, {"id": holder_id, "on": on})
    held = [_held(row, on) for row in rows]
    return sorted(held, key=attrgetter("awarded_on", "id"))


def of_many(
    reading: ReadContext, holder_ids: Collection[str], *, on: date
) -> list[HeldCertification]:
    """The certifications of many holders that count on a day, with their standings."""
    held: list[HeldCertification] = []
    for ids in bulk.chunks(holder_ids):
        statement = _COUNTING.where(Certification.holder_id.in_(ids))
        held += [_held(row, on) for row in reading.rows(statement, {"on": on})]
    return held


def page(
    reading: ReadContext, conditions: Collection[ColumnElement[bool]], *, limit: int, on: date
) -> list[HeldCertification]:
    """A page of certifications that meet the conditions, in the order of their ids."""
    statement = _HELD.where(*conditions).order_by(Certification.id).limit(limit)
    return [_held(row, on) for row in reading.rows(statement, {"on": on})]


@value_class()
class CertificationPoints:
    """The points of a cycle on a day with their explanation, and what is pending.

    ``policy`` is the version that counted, ``terms`` the conditions of the cycle. ``earns_until``
    is the last day whose activities count. ``failed_on`` is the day of a failed re-examination that
    revokes by the policy; people decide on the revocation. ``questions`` is the number of
    activities with a reviewer's question that the holder has not answered.
    ``is_plain`` as of ``JudgedCycle``.
    """

    policy: Policy
    terms: Terms
    evaluation: Evaluation
    pending: Evaluation
    priced: PricedCycle = field(compare=False, repr=False)
    earns_until: date
    failed_on: date | None
    questions: int = 0
    is_plain: bool = False


def evaluate(
    scheme: Scheme,
    record: snapshots.CertificationRecord,
    activities: Collection[snapshots.ActivityFacts],
    *,
    on: date,
    extra: Collection[Claim] = (),
    related: RelatedFacts = related_facts.NOTHING_RELATED,
) -> CertificationPoints | None:
    """The points on a day in the cycle of that day; None if the scheme has no policy.

    ``extra`` are claims that are not stored, for what-if questions; they count as if approved.
    ``related`` is what ``related_facts`` reads where the scheme's policies need it.
    """
    counting = [a.claim_on(on) for a in activities if a.approved_on(on)]
    judged = _judged(scheme, record, [*counting, *extra], on=on, related=related)
    if judged is None:
        return None
    policy, evaluation = judged.policy, judged.evaluation
    waiting = [a.claim for a in activities if a.pending_on(on)]
    shared = _shared(related, lambda a: a.claim if a.pending_on(on) else None)
    pending = evaluation
    if waiting or shared:
        claims = cycle_rules.claims_under(policy, [*judged.claims, *waiting], shared)
        pending = judged.priced.evaluate(claims[len(judged.claims) :])
    return CertificationPoints(
        policy=policy,
        terms=judged.terms,
        evaluation=evaluation,
        pending=pending,
        priced=judged.priced,
        earns_until=judged.earns_until,
        failed_on=judged.failed_on,
        questions=sum(a.asked_on(on) for a in activities),
        is_plain=judged.is_plain,
    )


def with_more(points: CertificationPoints, extra: Collection[Claim]) -> CertificationPoints:
    """What ``evaluate()`` gives with more claims, from plain points with none waiting."""
    evaluation = points.priced.evaluate(extra)
    return replace(points, evaluation=evaluation, pending=evaluation)


def projected(points: CertificationPoints) -> Decimal:
    """The total on the last day that earns, if nothing is added: only what goes on counts more."""
    evaluation = points.evaluation
    on, claims = evaluation.on, evaluation.claims
    if all(claim.completed_on is not None and claim.completed_on <= on for claim in claims):
        return evaluation.total
    return points.priced.total_on(max(on, points.earns_until))


def next_step(standing: Standing, points: CertificationPoints | None) -> NextStep:
    """What the holder should do next, from the standing and the points of the same day."""
    situation = Situation(standing)
    if points is not None:
        situation = replace(
            situation,
            policy=points.policy,
            evaluation=points.evaluation,
            pending=points.pending,
            earns_until=points.earns_until,
            questions=points.questions,
        )
    return next_steps.next_step(situation)


def _judged(
    scheme: Scheme,
    record: snapshots.CertificationRecord,
    claims: Sequence[Claim],
    *,
    on: date,
    related: RelatedFacts = related_facts.NOTHING_RELATED,
) -> JudgedCycle | None:
    """The cycle on a day, evaluated with the claims approved by then."""
    shared = _shared(related, lambda a: a.claim_on(on) if a.approved_on(on) else None)
    case = Case(
        scheme,
        record.cycles,
        record.applications,
        record.adjustments,
        related.attempts,
        related.spans,
    )
    return cycle_rules.judge(case, claims, shared, on=on)


def _shared(
    related: RelatedFacts, claim: Callable[[snapshots.ActivityFacts], Claim | None]
) -> dict[str, list[Claim]]:
    """The claims that are shared with other schemes, by scheme."""
    return {
        scheme: [shared for each in activities if (shared := claim(each)) is not None]
        for scheme, activities in related.activities.items()
    }


def points(
    reading: ReadContext, held: Collection[HeldCertification]
) -> dict[str, CertificationPoints]:
    """The points of many certifications, each on the day of its standing, with what is pending.

    Uses a constant number of statements. Certifications of a scheme without a policy are left out.
    """
    records = snapshots.records(reading, [certification.id for certification in held])
    return points_among(reading, held, records, _activities(reading, held))


def points_of_holder(
    reading: ReadContext, holder_id: str, held: Collection[HeldCertification]
) -> dict[str, CertificationPoints]:
    """The same for certifications of one holder, from statements that can be prefetched."""
    records = snapshots.records_of_holder(reading, holder_id)
    return points_among(reading, held, records, _activities(reading, held))


def _activities(
    reading: ReadContext, held: Collection[HeldCertification]
) -> Mapping[HolderScheme, Sequence[snapshots.ActivityFacts]]:
    return snapshots.activities(reading, {certification.holder_id for certification in held})


def points_among(
    reading: ReadContext,
    held: Collection[HeldCertification],
    records: Mapping[str, snapshots.CertificationRecord],
    activities: Mapping[HolderScheme, Sequence[snapshots.ActivityFacts]],
) -> dict[str, CertificationPoints]:
    """The same from records and activities that were read before."""
    keys = [
        CertificationKey(certification.id, certification.holder_id, certification.scheme)
        for certification in held
    ]
    related = related_facts.of_many(reading, keys, activities)
    points_by_id: dict[str, CertificationPoints] = {}
    for certification in held:
        result = evaluate(
            reading.schemes[certification.scheme],
            records[certification.id],
            activities.get((certification.holder_id, certification.scheme), ()),
            on=certification.standing.on,
            related=related.get(certification.id, related_facts.NOTHING_RELATED),
        )
        if result is not None:
            points_by_id[certification.id] = result
    return points_by_id


def evaluations(
    reading: ReadContext, held: Collection[HeldCertification | CertificationKey], *, on: date
) -> dict[str, Evaluation]:
    """The points of many certifications on a day, with a constant number of statements."""
    keys = [CertificationKey(h.id, h.holder_id, h.scheme) for h in held]
    records = related_facts.records(reading, keys)
    claims = approved_claims.claims(reading, [key.id for key in keys], on=on)
    related = related_facts.of_many(reading, keys)
    evaluations_by_id: dict[str, Evaluation] = {}
    for key in keys:
        judged = _judged(
            reading.schemes[key.scheme],
            records[key.id],
            claims.get(key.id, ()),
            on=on,
            related=related.get(key.id, related_facts.NOTHING_RELATED),
        )
        if judged is not None:
            evaluations_by_id[key.id] = judged.evaluation
    return evaluations_by_id


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One row of the export of standings, in the order of its columns."""

    holder_ref: str
    certificate_number: str
    scheme: str
    status: str
    valid: bool
    awarded_on: date | None
    cycle_starts_on: date | None
    expires_on: date | None
    window_opens_on: date | None
    points_counted: Decimal | None
    points_required: Decimal | None
    modules_passed: str
    modules_missing: str


class _HolderToExport(NamedTuple):
    id: str
    ref: str
    deceased_on: date | None


def export(reading: ReadContext, *, on: date) -> Iterator[ExportRow]:
    """One row for each holder and scheme with an assessment on or before ``on``, by holder_ref.

    Holders whom an imported file says were certified by then are included.

    Nothing after ``on`` counts. If a holder had died by then, the status still follows from the
    dates, but ``valid`` is false. Reads in chunks, so that memory use stays flat.
    """
    last = ""
    while True:
        tried = select(Assessment.id).where(
            Assessment.holder_id == Holder.id,
            Assessment.taken_on <= on,
            Assessment.voided_at.is_(None),
        )
        imported = select(Certification.id).where(
            Certification.holder_id == Holder.id,
            Certification.imported_at.is_not(None),
            Certification.awarded_on <= on,
            snapshots.NOT_WITHDRAWN,
        )
        statement = select(*columns_of(_HolderToExport, Holder))
        statement = statement.where(Holder.ref > last, or_(tried.exists(), imported.exists()))
        statement = statement.order_by(Holder.ref).limit(bulk.CHUNK)
        page = reading.rows_as(_HolderToExport, statement)
        if not page:
            return
        yield from _export_page(reading, {row.id: row for row in page}, on)
        last = page[-1].ref


def _export_page(
    reading: ReadContext, holders: Mapping[str, _HolderToExport], on: date
) -> Iterator[ExportRow]:
    attempts = snapshots.attempts(reading, holders)
    held = {(h.holder_id, h.scheme): h for h in of_many(reading, holders, on=on)}
    totals = evaluations(reading, held.values(), on=on)
    for holder_id, holder in holders.items():
        for scheme in reading.schemes:
            tried = [a for a in attempts[holder_id, scheme.code] if a.taken_on <= on]
            one = held.get((holder_id, scheme.code))
            if tried or (one and one.imported_at):
                total = totals.get(one.id) if one else None
                yield _export_row(scheme, holder, tried, one, total, on=on)


def _export_row(
    scheme: Scheme,
    holder: _HolderToExport,
    tried: Collection[assessments.Attempt],
    held: HeldCertification | None,
    total: Evaluation | None,
    *,
    on: date,
) -> ExportRow:
    passed = assessments.passes(tried, on=on)
    died = holder.deceased_on is not None and holder.deceased_on <= on
    standing = held.standing if held else None
    # For an imported award the passes may be unknown, so none counts as missing.
    needed = () if held and held.imported_at else scheme.required
    return ExportRow(
        holder_ref=holder.ref,
        certificate_number=held.number if held else "",
        scheme=scheme.code,
        status=standing.status if standing else Status.IN_PROGRESS,
        valid=standing.valid and not died if standing else False,
        awarded_on=held.awarded_on if held else None,
        cycle_starts_on=standing.cycle_starts_on if standing else None,
        expires_on=standing.expires_on if standing else None,
        window_opens_on=standing.window_opens_on if standing else None,
        points_counted=total.total if total else None,
        points_required=total.required if total else None,
        modules_passed=";".join(m.code for m in scheme.modules if m.code in passed),
        modules_missing=";".join(code for code in needed if code not in passed),
    )
