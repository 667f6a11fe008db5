"""The effects of a correction: a holder's certifications before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, TypeVar

from sqlalchemy import select

from tracker.domain.credentials import awards as rules
from tracker.domain.credentials import certifications
from tracker.domain.credentials.certifications import Standing, days_of
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.points.activities import ActivityState
from tracker.models import Activity, Certification, Renewal, Span
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork, columns_of
from tracker.services.credentials import award_facts
from tracker.services.credentials.award_facts import FilingRow
from tracker.services.credentials.awards import Consequence, ConsequenceKind
from tracker.services.standings import related_facts, snapshots
from tracker.services.standings.snapshots import CertificationRow

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Renewed:
    """An approved renewal, and the number of its certification."""

    id: str
    number: str
    submitted_on: date
    fits: bool


@dataclass(frozen=True, slots=True)
class HolderSnapshot:
    """A holder's certifications today, by id, with their standings, records and renewals."""

    rows: Mapping[str, CertificationRow]
    standings: Mapping[str, Standing]
    records: Mapping[str, snapshots.CertificationRecord]
    renewals: Mapping[str, Renewed]


class UncoveredActivity(NamedTuple):
    """An activity that a correction leaves outside every cycle."""

    id: str
    scheme: str
    title: str
    starts_on: date | None
    completed_on: date | None
    state: ActivityState


@dataclass(frozen=True, slots=True)
class Effect:
    """What a correction changes about one certification; None where there is or was none.

    ``change`` is None if the award itself does not change. ``activities`` no longer lie in any
    cycle, ``renewals`` are approved ones that no longer fit their cycle.
    """

    certification_id: str
    number: str
    scheme: str
    change: ConsequenceKind | None
    awarded_on_before: date | None
    awarded_on_after: date | None
    before: Standing | None
    after: Standing | None
    activities: Sequence[UncoveredActivity] = field(default=())
    renewals: Sequence[Renewed] = field(default=())


_ROWS = (
    select(*snapshots.CERTIFICATION, *related_facts.SPAN)
    .join(Span, Span.certification_id == Certification.id)
    .order_by(Certification.scheme, Certification.sequence, Span.from_on)
)


def tried(
    work: UnitOfWork,
    holder_id: str,
    *,
    act: Callable[[], tuple[Sequence[Consequence], Result]],
    preview: bool,
) -> tuple[list[Effect], Result]:
    """Make a correction and return its effects; a preview is rolled back.

    ``act`` returns what happened to awards and the result, both read before the rollback.
    """
    before = look(work, holder_id)
    nested = bulk.savepoint(work)
    try:
        consequences, result = act()
        changes = compare(work, before, look(work, holder_id), consequences)
    except Exception:
        nested.rollback()
        raise
    if preview:
        nested.rollback()
    else:
        nested.commit()
    return changes, result


def look(work: UnitOfWork, holder_id: str) -> HolderSnapshot:
    """The certifications of a holder today, with a constant number of statements."""
    with_spans = work.rows(_ROWS.where(Certification.holder_id == holder_id))
    width = len(snapshots.CERTIFICATION)
    rows = {row.id: CertificationRow(*row[:width]) for row in with_spans}
    spans: dict[str, list[certifications.StandingSpan]] = {id_: [] for id_ in rows}
    for with_span in with_spans:
        spans[with_span.id].append(certifications.StandingSpan(*with_span[width:]))
    standings = {}
    for id_, row in rows.items():
        on = work.today(work.schemes[row.scheme])
        span = certifications.span_on(spans[id_], on)
        if span is not None:
            standings[id_] = certifications.standing_on(span, on)
    known = snapshots.cycles(work, rows)
    return HolderSnapshot(rows, standings, known, _renewals(work, holder_id, rows, known))


def _renewals(
    work: UnitOfWork,
    holder_id: str,
    rows: Mapping[str, CertificationRow],
    known: Mapping[str, snapshots.CertificationRecord],
) -> dict[str, Renewed]:
    table = Renewal
    statement = (
        select(*columns_of(FilingRow, table))
        .join(Certification, Certification.id == table.certification_id)
        .where(Certification.holder_id == holder_id, table.decision == RenewalVerdict.APPROVED)
    )
    approved = work.rows_as(FilingRow, statement)
    renewals: dict[str, Renewed] = {}
    for id_, row in rows.items():
        mine = [renewal for renewal in approved if renewal.certification_id == id_]
        filings = [award_facts.filing_of(renewal, known[id_]) for renewal in mine]
        layout = rules.lay_out(
            work.schemes[row.scheme],
            row.awarded_on,
            filings,
            known[id_].adjustments,
            imported=rules.given(known[id_].cycles),
        )
        stands = row.withdrawn_at is None
        for renewal in mine:
            fits = stands and (renewal.ref or renewal.id) not in layout.unfit
            renewals[renewal.id] = Renewed(renewal.id, row.number, renewal.submitted_on, fits)
    return renewals


def compare(
    work: UnitOfWork,
    before: HolderSnapshot,
    after: HolderSnapshot,
    consequences: Sequence[Consequence],
) -> list[Effect]:
    """The effects on each certification that changed in any way."""
    what = {one.certification_id: one.what for one in consequences}
    outside = _outside(work, before, after)
    effects = []
    for id_, row in after.rows.items():
        was = before.rows.get(id_)
        effect = Effect(
            certification_id=id_,
            number=row.number,
            scheme=row.scheme,
            change=what.get(id_),
            awarded_on_before=_award(was),
            awarded_on_after=_award(row),
            before=before.standings.get(id_),
            after=after.standings.get(id_),
            activities=outside.get(id_, ()),
            renewals=[
                one
                for key, one in before.renewals.items()
                if one.number == row.number and one.fits and not _fits(after, key)
            ],
        )
        if effect.change or effect.before != effect.after or effect.activities or effect.renewals:
            effects.append(effect)
    return effects


def _award(row: CertificationRow | None) -> date | None:
    return row.awarded_on if row is not None and row.withdrawn_at is None else None


def _fits(after: HolderSnapshot, key: str) -> bool:
    return key in after.renewals and after.renewals[key].fits


def _outside(
    work: UnitOfWork, before: HolderSnapshot, after: HolderSnapshot
) -> dict[str, list[UncoveredActivity]]:
    """The activities that lay in a cycle before and now lie in none, by certification."""
    if before.records == after.records and before.standings == after.standings:
        return {}
    holder_ids = {row.holder_id for row in after.rows.values()}
    table = Activity
    claimed = work.rows_as(
        UncoveredActivity,
        select(*columns_of(UncoveredActivity, table))
        .where(
            table.holder_id.in_(holder_ids),
            table.state.in_(
                (ActivityState.SUBMITTED, ActivityState.APPROVED, ActivityState.MORE_INFORMATION)
            ),
        )
        .order_by(table.id),
    )
    outside: dict[str, list[UncoveredActivity]] = {}
    for id_, row in before.rows.items():
        if row.withdrawn_at is not None:
            continue
        now = [
            other
            for other in after.rows.values()
            if other.scheme == row.scheme and other.withdrawn_at is None
        ]
        mine = [
            one
            for one in claimed
            if one.scheme == row.scheme
            and _inside(before, [row], one)
            and not _inside(after, now, one)
        ]
        if mine:
            outside[id_] = mine
    return outside


def _inside(
    look_: HolderSnapshot, rows: Sequence[CertificationRow], activity: UncoveredActivity
) -> bool:
    """Whether an activity's days overlap a cycle of these certifications."""
    last = activity.completed_on or date.max
    first = min(activity.starts_on or last, last)
    for row in rows:
        cycles = look_.records[row.id].cycles_on(date.max)
        for cycle in cycles:
            days = days_of(cycles, cycle)
            if days.starts_on <= last and first <= days.ends_on:
                return True
    return False
