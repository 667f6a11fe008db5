"""Looking at certifications: lists, one with its standing, its points explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, bindparam, select

from tracker.domain import certifications, explanations
from tracker.domain.errors import NotFound, NotRenewable
from tracker.domain.permissions import check_own_holder
from tracker.domain.points import Claim, Credit, Evaluation
from tracker.domain.schemes import Policy, Scheme
from tracker.models import Certification, Cycle, Span
from tracker.services import activities, facts, records, standings
from tracker.services.ahead import Ahead
from tracker.services.standings import Held, Points
from tracker.services.work import Reading


@dataclass(frozen=True, slots=True)
class Detail:
    """A certification with all its cycles and its standing on a day, if it was awarded by then."""

    id: str
    number: str
    public_id: str
    holder_id: str
    scheme: str
    awarded_on: date
    standing: certifications.Standing | None
    cycles: Sequence[certifications.Cycle]


@dataclass(frozen=True, slots=True)
class Explained:
    """The points of a certification on a day, with what is needed to tell them."""

    certification_id: str
    scheme: Scheme
    policy: Policy
    points: Points
    extra: frozenset[str]


def today(reading: Reading, certification_id: str) -> date:
    """Today where the certification's scheme is at home. Raises NotFound."""
    row = facts.certification(reading, certification_id)
    return reading.today(reading.schemes[row.scheme])


def detail(
    reading: Reading, certification_id: str, *, on: date | None, known_at: datetime | None
) -> Detail:
    """One certification with its standing on a day, as known at an instant. Raises NotFound."""
    if known_at is None:
        return _detail_now(reading, certification_id, on)
    row = facts.certification(reading, certification_id)
    scheme = reading.schemes[row.scheme]
    on = on or reading.today(scheme)
    record = facts.records(reading, [row.id], known_at=known_at).get(row.id)
    if record is None:
        return _detail(row, None, ())
    spans = certifications.timeline(
        scheme, record.cycles, applications=record.applications, changes=record.changes
    )
    return _detail(row, _standing(spans, on), record.cycles)


def _detail(
    row: Any, standing: certifications.Standing | None, cycles: Sequence[certifications.Cycle]
) -> Detail:
    return Detail(
        id=row.id, number=row.number, public_id=row.public_id, holder_id=row.holder_id,
        scheme=row.scheme, awarded_on=row.awarded_on, standing=standing, cycles=cycles,
    )  # fmt: skip


def _standing(spans: Sequence[certifications.Span], on: date) -> certifications.Standing | None:
    span = certifications.span_on(spans, on)
    return certifications.standing_on(span, on) if span else None


# A certification, its cycles, and the spans of a day; of two days where schemes differ in the
# date. One row a cycle, or two.
_DETAIL = (
    select(*facts.CERTIFICATION, *facts.CYCLE, *standings.SPAN)
    .join(Cycle, Cycle.certification_id == Certification.id)
    .join(
        Span,
        and_(
            Span.certification_id == Certification.id, Span.from_on <= bindparam("latest"),
            Span.until_on > bindparam("earliest"),
        ),
        isouter=True,
    )
    .where(Certification.id == bindparam("id"), Certification.voided_at.is_(None))
)  # fmt: skip
_FIRST_OF_CYCLE = len(facts.CERTIFICATION)
_FIRST_OF_SPAN = _FIRST_OF_CYCLE + len(facts.CYCLE)


def _asked(reading: Reading, certification_id: str, on: date | None = None) -> dict[str, Any]:
    days = [on] if on else records.todays(reading)
    return {"id": certification_id, "earliest": min(days), "latest": max(days)}


AHEAD_OF_DETAIL = Ahead(_asked, _DETAIL)
AHEAD_OF_EXPLAIN = Ahead(lambda _, id_: facts.known({"id": id_}), facts.WITH_CYCLES, facts.CLAIMED)


def _detail_now(reading: Reading, certification_id: str, on: date | None) -> Detail:
    """The same as known now, from the timeline on record, with one statement."""
    rows = reading.rows(_DETAIL, _asked(reading, certification_id, on))
    if not rows:
        raise NotFound
    row = rows[0]
    check_own_holder(reading.actor, row.holder_id)
    cycles = {r.ordinal: certifications.Cycle(*r[_FIRST_OF_CYCLE:_FIRST_OF_SPAN]) for r in rows}
    spans = {r.from_on: certifications.Span(*r[_FIRST_OF_SPAN:]) for r in rows if r.from_on}
    standing = _standing(tuple(spans.values()), on or reading.today(reading.schemes[row.scheme]))
    return _detail(row, standing, [cycles[n] for n in sorted(cycles)])


def page(
    reading: Reading, *, after: str | None, limit: int, on: date | None,
    holder_id: str | None, scheme: str | None, number: str | None, status: str | None,
) -> list[Held]:  # fmt: skip
    """A page of certifications awarded by a day, in the order of their ids.

    A holder sees their own; asking for somebody else's raises NotFound.
    """
    if not reading.actor.is_staff:
        holder_id = holder_id or reading.actor.holder_id or ""
        check_own_holder(reading.actor, holder_id)
    on = on or records.today_everywhere(reading)
    conditions: list[Any] = []
    given = {"holder_id": holder_id, "scheme": scheme, "number": number}
    for key, value in given.items():
        if value is not None:
            conditions.append(getattr(Certification, key) == value)
    if status is not None:
        conditions.append(status == standings.STATUS)
    if after:
        conditions.append(Certification.id > after)
    return standings.page(reading, conditions, limit=limit, on=on)


def explain(
    reading: Reading, certification_id: str, *, on: date | None, known_at: datetime | None = None,
    extra: Sequence[Claim] = (),
) -> Explained:  # fmt: skip
    """The points of a certification's cycle on a day, with claims added that are not stored.

    Raises NotFound, also for a day before the award; NotRenewable for a scheme without points;
    Invalid for an extra claim that its type does not allow.
    """
    row, cycles = facts.with_cycles(reading, certification_id, known_at=known_at)
    scheme = reading.schemes[row.scheme]
    on = on or reading.today(scheme)
    if not cycles or cycles[0].starts_on > on:
        raise NotFound
    claimed = facts.claimed(reading, row.id, known_at=known_at)
    version = certifications.cycle_on(cycles, on).policy
    if not version:
        raise NotRenewable(f"The scheme {scheme.code} never expires, so it counts no points.")
    policy = scheme.policy(version)
    for claim in extra:
        activities.check_claim(policy, claim)
    record = facts.Record(row.id, cycles, applications=(), changes=())
    points = standings.evaluate(scheme, record, claimed, on=on, extra=extra)
    if points is None:
        raise NotFound
    return Explained(row.id, scheme, policy, points, frozenset(c.ref for c in extra))


def in_words(found: Explained, language: str) -> dict[str, Any]:
    """An evaluation as the interface tells it, every point explained in a language."""
    evaluation, policy = found.points.evaluation, found.policy
    waiting = {c.ref: c for c in found.points.pending.credits}
    counted = {c.ref for c in evaluation.credits}
    pending = found.points.pending.total - evaluation.total
    told = [_credit(c, "extra" if c.ref in found.extra else "approved", language)
            for c in evaluation.credits]  # fmt: skip
    told += [_credit(c, "pending", language) for ref, c in waiting.items() if ref not in counted]
    return {
        "certification_id": found.certification_id, "as_of": evaluation.on,
        "policy": policy.version, "verified": policy.verified,
        "unverified": list(policy.unverified), "cycle_starts_on": evaluation.cycle.starts_on,
        "cycle_ends_on": evaluation.cycle.ends_on, "total": evaluation.total,
        "required": evaluation.required, "missing": evaluation.missing,
        "complete": evaluation.complete, "pending_points": pending,
        "projected_total": found.points.projected, "categories": _categories(evaluation),
        "credits": told,
        "closing_the_gap": [
            {"type": o.type, "category": o.category, "sentence": o.sentence,
             "units": None if o.units is None else f"{o.units:.2f}"}
            for o in explanations.options(evaluation, policy, language)
        ],
        "sentences": explanations.explain(
            evaluation, language, issuer=found.scheme.issuer, pending=pending,
            projected=found.points.projected,
        ),
    }  # fmt: skip


def _categories(evaluation: Evaluation) -> list[dict[str, Any]]:
    return [
        {"category": c.category, "claimed": c.claimed, "counted": c.counted,
         "maximum": c.maximum, "minimum": c.minimum}
        for c in evaluation.categories
    ]  # fmt: skip


def _credit(credit: Credit, state: str, language: str) -> dict[str, Any]:
    return {
        "activity_id": credit.ref, "category": credit.category, "type": credit.type,
        "title": credit.title, "state": state, "units": f"{credit.units:.2f}",
        "rate": credit.rate, "claimed": credit.claimed, "counted": credit.counted,
        "cuts": [
            {"rule": cut.rule, "points": cut.points, "subject": cut.subject, "bound": cut.bound,
             "sentence": explanations.explain_cut(cut, language)}
            for cut in credit.cuts
        ],
        "sentence": explanations.explain_credit(credit, language),
    }  # fmt: skip
