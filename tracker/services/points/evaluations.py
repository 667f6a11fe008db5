"""Reading certifications: lists, one with its standing, and its points explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, bindparam, literal, select

from tracker.domain.credentials import certifications
from tracker.domain.credentials.certifications import Status
from tracker.domain.errors import NotFound, NotRenewable
from tracker.domain.permissions import check_own_holder
from tracker.domain.points import cycle_rules, gap
from tracker.domain.points.claims import (
    Claim,
    Credit,
    Evaluation,
    GroupCode,
    GroupTotal,
    PeriodTotal,
)
from tracker.domain.points.cycle_rules import Case
from tracker.domain.points.options import SuggestedActivity
from tracker.domain.points.pricing import CENT
from tracker.domain.points.safe_days import SafeDay
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.language import evaluations, gaps, next_steps
from tracker.language.voice import Voice
from tracker.models import Certification, Cycle, Span
from tracker.services.core import days
from tracker.services.core.context import ReadContext
from tracker.services.core.prefetch import Ahead
from tracker.services.credentials import adjustments, certificate_numbers
from tracker.services.credentials.adjustments import AdjustmentRow
from tracker.services.points import activities, review_waits
from tracker.services.standings import related_facts, snapshots, standings
from tracker.services.standings.snapshots import CertificationRow
from tracker.services.standings.standings import CertificationPoints, HeldCertification


@dataclass(frozen=True, slots=True)
class Detail:
    """A certification with all its cycles and its standing on a day, if it was awarded by then.

    ``adjustments`` are all that are known; the cycles are as they were opened.
    """

    id: str
    number: str
    public_id: str
    holder_id: str
    scheme: str
    awarded_on: date
    standing: certifications.Standing | None
    cycles: Sequence[certifications.CycleTerm]
    adjustments: Sequence[AdjustmentRow]
    on: date
    replaced_on: date | None = None
    withdrawn_at: datetime | None = None
    imported_at: datetime | None = None
    edition: str | None = None
    source: str | None = None
    voided_at: datetime | None = None
    void_reason: str | None = None

    def expires_on(self, cycle: certifications.CycleTerm) -> date | None:
        """The expiry of a cycle, including extensions decided by the day."""
        values = [
            certifications.CycleAdjustment(a.cycle, a.effective_on, a.extended_to)
            for a in self.adjustments
        ]
        return certifications.extended(cycle, values, self.on).expires_on


@dataclass(frozen=True, slots=True)
class Explained:
    """The points of a certification on a day, with what is needed to explain them.

    ``apply_by`` is the last day on which the terms of that day apply; ``safe_day`` the last one on
    which to submit activities so that they are decided by then, as decisions are made today.
    ``projected`` is the total at the end, if what goes on does and nothing is added.
    """

    certification_id: str
    scheme: Scheme
    policy: Policy
    points: CertificationPoints
    projected: Decimal
    extra: frozenset[str]
    apply_by: date = date.max
    safe_day: SafeDay | None = None


def detail(
    reading: ReadContext, certification_id: str, *, on: date | None, known_at: datetime | None
) -> Detail:
    """One certification with its standing on a day, as known at an instant. Raises NotFound."""
    if known_at is None:
        return _detail_now(reading, certification_id, on)
    row = snapshots.certification(reading, certification_id)
    scheme = reading.schemes[row.scheme]
    on = on or reading.today(scheme)
    record = snapshots.records(reading, [row.id], known_at=known_at).get(row.id)
    made = adjustments.known_of(reading, snapshots.known({"id": row.id}, known_at))
    if record is None:
        return _detail(row, None, (), made, on)
    if row.withdrawn_at is not None and row.withdrawn_at <= known_at:
        spans = certifications.withdrawn(record.cycles[0])
    else:
        spans = certifications.timeline(
            scheme,
            record.cycles,
            applications=record.applications,
            changes=record.changes,
            adjustments=record.adjustments,
        )
    return _detail(row, _standing(spans, on), record.cycles, made, on)


def _detail(
    row: CertificationRow,
    standing: certifications.Standing | None,
    cycles: Sequence[certifications.CycleTerm],
    made: Sequence[AdjustmentRow],
    on: date,
) -> Detail:
    return Detail(
        id=row.id,
        number=row.number,
        public_id=row.public_id,
        holder_id=row.holder_id,
        scheme=row.scheme,
        awarded_on=row.awarded_on,
        standing=standing,
        cycles=cycles,
        adjustments=made,
        on=on,
        replaced_on=row.replaced_on,
        withdrawn_at=row.withdrawn_at,
        imported_at=row.imported_at,
        edition=row.edition,
        source=row.source,
        voided_at=row.voided_at,
        void_reason=row.void_reason,
    )


def _standing(
    spans: Sequence[certifications.StandingSpan], on: date
) -> certifications.Standing | None:
    span = certifications.span_on(spans, on)
    return certifications.standing_on(span, on) if span else None


_ON_A_DAY = (Span.from_on <= bindparam("latest"), Span.until_on > bindparam("earliest"))
# A certification, its cycles, and its span on a day, or on two days if the schemes' dates differ.
# One or two rows for each cycle.
_DETAIL = (
    select(*snapshots.CERTIFICATION, *snapshots.CYCLE, *standings.SPAN)
    .join(Cycle, Cycle.certification_id == Certification.id)
    .join(
        Span,
        and_(Span.certification_id == Certification.id, *_ON_A_DAY),
        isouter=True,
    )
    .where(Certification.id == bindparam("id"))
)
_FIRST_OF_CYCLE = len(snapshots.CERTIFICATION)
_FIRST_OF_SPAN = _FIRST_OF_CYCLE + len(snapshots.CYCLE)


def _parameters_of_detail(
    reading: ReadContext, certification_id: str, on: date | None = None
) -> dict[str, object]:
    possible = [on] if on else days.todays(reading)
    return snapshots.known(
        {"id": certification_id, "earliest": min(possible), "latest": max(possible)}
    )


AHEAD_OF_DETAIL = Ahead(_parameters_of_detail, _DETAIL, adjustments.OF_CERTIFICATION)
_SPAN = select(*standings.SPAN).where(Span.certification_id == bindparam("id"), *_ON_A_DAY)
AHEAD_OF_EXPLAIN = Ahead(
    _parameters_of_detail,
    snapshots.WITH_CYCLES,
    snapshots.ADJUSTMENTS,
    snapshots.CLAIMED,
    review_waits.MEASURED,
    _SPAN,
)


def _detail_now(reading: ReadContext, certification_id: str, on: date | None) -> Detail:
    """The same as known now, from the timeline on record; both statements can be prefetched."""
    rows = reading.rows(_DETAIL, _parameters_of_detail(reading, certification_id, on))
    if not rows:
        raise NotFound
    row = CertificationRow(*rows[0][:_FIRST_OF_CYCLE])
    check_own_holder(reading.actor, row.holder_id)
    cycles = {r.ordinal: certifications.CycleTerm(*r[_FIRST_OF_CYCLE:_FIRST_OF_SPAN]) for r in rows}
    spans = {r.from_on: certifications.StandingSpan(*r[_FIRST_OF_SPAN:]) for r in rows if r.from_on}
    on = on or reading.today(reading.schemes[row.scheme])
    made = adjustments.known_of(reading, snapshots.known({"id": row.id}))
    in_order = [cycles[n] for n in sorted(cycles)]
    return _detail(row, _standing(tuple(spans.values()), on), in_order, made, on)


def page(
    reading: ReadContext,
    *,
    after: str | None,
    limit: int,
    on: date | None,
    holder_id: str | None,
    scheme: str | None,
    number: str | None,
    status: str | None,
) -> list[HeldCertification]:
    """A page of certifications awarded by a day, in the order of their ids.

    For each holder and scheme it is the one that counts on the day. A search by number also finds
    replaced ones, and a search for the status ``withdrawn`` every withdrawn one.

    A holder sees their own; asking for another holder's raises NotFound.
    """
    if not reading.actor.is_of_the_body:
        holder_id = holder_id or reading.actor.holder_id or ""
        check_own_holder(reading.actor, holder_id)
    on = on or days.today_everywhere(reading)
    conditions: list[ColumnElement[bool]] = []
    wanted = {"holder_id": holder_id, "scheme": scheme}
    for key, value in wanted.items():
        if value is not None:
            conditions.append(getattr(Certification, key) == value)
    if number is not None:
        conditions.append(certificate_numbers.is_called(number))
    if status is not None:
        conditions.append(literal(status) == standings.STATUS)
    if number is None and status != Status.WITHDRAWN:
        conditions.append(snapshots.SHOWN)
    if after:
        conditions.append(Certification.id > after)
    return standings.page(reading, conditions, limit=limit, on=on)


def explain(
    reading: ReadContext,
    certification_id: str,
    *,
    on: date | None,
    known_at: datetime | None = None,
    extra: Sequence[Claim] = (),
) -> Explained:
    """The points of a certification's cycle on a day, with ``extra`` claims that are not stored.

    Raises NotFound, also for a day before the award; NotRenewable for a scheme without points;
    Invalid for an extra claim that its type does not allow.
    """
    around = _parameters_of_detail(reading, certification_id, on)
    row, record = snapshots.with_cycles(reading, certification_id, known_at=known_at)
    scheme = reading.schemes[row.scheme]
    on = on or reading.today(scheme)
    if record is None or record.cycles[0].starts_on > on:
        raise NotFound
    claimed = snapshots.claimed(reading, row.id, known_at=known_at)
    if not certifications.cycle_on(record.cycles, on).policy:
        raise NotRenewable(
            f"The scheme {scheme.code} never expires, so no points are counted for it."
        )
    if cycle_rules.needs(scheme).record:
        record = snapshots.records(reading, [row.id], known_at=known_at)[row.id]
    case = Case(scheme, record.cycles, record.applications, record.adjustments)
    for claim in extra:
        activities.type_of_claim(case, claim, on=on)
    related = related_facts.of_one(reading, scheme, row, known_at=known_at)
    points = standings.evaluate(scheme, record, claimed, on=on, extra=extra, related=related)
    if points is None:
        raise NotFound
    cycle = certifications.cycle_on(record.cycles, on)
    expires_on = certifications.extended(cycle, record.adjustments, on).expires_on
    last = points.policy.terms_end_on(expires_on or date.max, on) or date.max
    safe = None
    if known_at is None:
        spans = reading.rows_as(certifications.StandingSpan, _SPAN, around)
        safe = review_waits.safe_day(points, _standing(spans, on), review_waits.expected(reading))
    refs = frozenset(claim.ref for claim in extra)
    projected = standings.projected(points)
    return Explained(row.id, scheme, points.policy, points, projected, refs, last, safe)


def in_words(explained: Explained, language: str, *, with_gap: bool = False) -> dict[str, object]:
    """An evaluation as the API presents it, with every point explained in a language."""
    evaluation, policy = explained.points.evaluation, explained.policy
    waiting = {c.ref: c for c in explained.points.pending.credits}
    counted = {c.ref for c in evaluation.credits}
    pending = explained.points.pending.total - evaluation.total
    lines = [
        _credit(c, "extra" if c.ref in explained.extra else "approved", policy, language)
        for c in evaluation.credits
    ]
    lines += [
        _credit(c, "pending", policy, language) for ref, c in waiting.items() if ref not in counted
    ]
    return {
        "certification_id": explained.certification_id,
        "as_of": evaluation.on,
        "policy": policy.version,
        "verified": policy.verified,
        "unverified": list(policy.unverified),
        "credit": Voice(policy, language).credit,
        "cycle_starts_on": evaluation.cycle.starts_on,
        "cycle_ends_on": evaluation.cycle.ends_on,
        "total": evaluation.total,
        "required": evaluation.required,
        "missing": evaluation.missing,
        "complete": evaluation.complete,
        "carried_over": evaluation.carried_over,
        "carries_over": evaluation.carries_over,
        "earliest_first": evaluation.earliest_first,
        "reexamined_on": evaluation.reexamined_on,
        "pending_points": pending,
        "total_if_approved": explained.points.pending.total,
        "missing_if_approved": explained.points.pending.missing,
        "complete_if_approved": explained.points.pending.complete,
        "projected_total": explained.projected,
        **_totals(evaluation),
        "credits": lines,
        "safe_day": safe_day_in_words(explained.safe_day, language, on=evaluation.on),
        "gap": gap_in_words(explained, language) if with_gap else None,
        "sentences": evaluations.explain(
            evaluation,
            policy,
            language,
            issuer=explained.scheme.issuer,
            pending=pending,
            projected=explained.projected,
            terms=explained.points.terms,
        ),
    }


def safe_day_in_words(safe: SafeDay | None, language: str, *, on: date) -> dict[str, object] | None:
    """The latest safe day as the API presents it, with its sentence."""
    if safe is None:
        return None
    return {
        "on": safe.on,
        "business_days": safe.wait.days,
        "measured": safe.wait.measured,
        "sentence": next_steps.safe_day(safe, language, on=on),
    }


def _totals(evaluation: Evaluation) -> dict[str, object]:
    """The sums by group and by period, with their limits, and the minimums not reached."""
    return {
        "categories": [{"category": c.code, **_group(c)} for c in evaluation.categories],
        "tags": [{"tag": tag.code, **_group(tag)} for tag in evaluation.tags],
        "years": [_period(year) for year in evaluation.years],
        "windows": [_period(window) for window in evaluation.windows],
        "kinds": evaluation.kinds,
        "shortfalls": [
            {
                "of": s.of,
                "subject": s.subject,
                "counted": s.counted,
                "minimum": s.minimum,
                "missing": s.missing,
                **_within(s.within),
            }
            for s in evaluation.shortfalls
        ],
    }


def _group(total: GroupTotal) -> dict[str, object]:
    return {
        "claimed": total.claimed,
        "counted": total.counted,
        "maximum": total.limits.maximum,
        "minimum": total.limits.minimum,
        "per_event": total.limits.per_event,
        "per_year": total.limits.per_year,
    }


def _period(total: PeriodTotal) -> dict[str, object]:
    return {
        "starts_on": total.period.starts_on,
        "ends_on": total.period.ends_on,
        "counted": total.counted,
        "minimum": total.minimum,
        **_within(total.within),
    }


def _within(group: GroupCode | None) -> dict[str, object]:
    return dict(zip(("group", "code"), group or (None, None), strict=True))


def _credit(credit: Credit, state: str, policy: Policy, language: str) -> dict[str, object]:
    sentences = [evaluations.explain_cut(cut, credit, policy, language) for cut in credit.cuts]
    first = evaluations.explain_credit(credit, policy, language)
    return {
        "activity_id": credit.ref,
        "category": credit.category,
        "type": credit.type,
        "title": credit.title,
        "state": state,
        "units": _plain(credit.units),
        "rate": credit.rate,
        "role": credit.role,
        "factor": credit.factor,
        "tags": sorted(credit.tags),
        "claimed": credit.claimed,
        "counted": credit.counted,
        "cuts": [
            {
                "rule": cut.rule,
                "group": cut.group,
                "points": cut.points,
                "subject": cut.subject,
                "bound": cut.bound,
                "sentence": sentence,
            }
            for cut, sentence in zip(credit.cuts, sentences, strict=True)
        ],
        "sentence": " ".join([first, *sentences]),
    }


def gap_in_words(explained: Explained, language: str) -> dict[str, object]:
    """What would close the gap while activities still count, or why nothing does.

    Computed only on request: it takes longer than the rest of an evaluation.
    """
    evaluation, policy = explained.points.evaluation, explained.policy
    closing = gap.close(evaluation, policy, by=explained.apply_by)
    return {
        "certification_id": explained.certification_id,
        "as_of": evaluation.on,
        "policy": policy.version,
        "complete": evaluation.complete,
        "until": closing.days.ends_on,
        "jobs_go_on": closing.goes_on,
        "ways": [
            {
                "sentence": gaps.explain_way(way, closing, policy, language),
                "activities": [_activity(activity) for activity in way],
            }
            for way in closing.ways
        ],
        "assumptions": gaps.explain_jobs(closing, policy, language),
        "obstacles": gaps.explain_obstacles(closing, policy, language),
    }


def _activity(activity: SuggestedActivity) -> dict[str, object]:
    kind = activity.kind
    return {
        "type": kind.code,
        "category": kind.category,
        "tags": sorted(activity.marks),
        "units": _plain(activity.units),
        "points": activity.points,
        "portions": [
            {
                "starts_on": portion.period.starts_on,
                "ends_on": portion.period.ends_on,
                "units": [_plain(each) for each in portion.each],
                "points": portion.points,
            }
            for portion in activity.portions
        ],
    }


def _plain(units: Decimal) -> str:
    """A quantity with two decimals, or with more if a conversion needs them."""
    return f"{units.quantize(CENT) if units == units.quantize(CENT) else units.normalize():f}"
