"""The impact of a policy change: compare two versions, and repair cycles of a faulty one.

``diff`` only reads. ``repair`` moves the cycles of a faulty version to the version that corrects
it, all in the caller's transaction. Both go through the certifications of a scheme in the order of
their ids, a few hundred at a time with a constant number of statements, and evaluate both versions
from the same facts.

Publishing versions is in ``policy_versions``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, exists, func, select, true, update

from tracker.db import Id
from tracker.domain.credentials import certifications as timelines
from tracker.domain.credentials.certifications import CycleTerm as CycleValue
from tracker.domain.errors import NotACorrection
from tracker.domain.points import cycle_rules
from tracker.domain.points.claims import Claim
from tracker.domain.points.cycle_rules import Case
from tracker.domain.schemes import policy_impact as rules
from tracker.domain.schemes import policy_versions as digests
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.policy_impact import Difference, ImpactTally, ImpactValue, PolicyOutcome
from tracker.domain.schemes.schemes import Scheme, Schemes
from tracker.models import Certification, Cycle, Holder
from tracker.services.core import bulk, history
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import certifications
from tracker.services.credentials.policy_versions import version
from tracker.services.standings import approved_claims, related_facts, snapshots
from tracker.services.standings.related_facts import CertificationKey

CHUNK = 400  # certifications read at once: few statements, little memory
ProgressOfDiff = Callable[[int], None]


class Version(NamedTuple):
    """A version of a policy, with the scheme whose file holds it."""

    scheme: Scheme
    policy: Policy


@dataclass(frozen=True, slots=True)
class Compared:
    """A certification under two versions: the outcomes before and after, and the differences.

    ``version`` is the one that governs its cycle on the day; empty if it never expires.
    """

    number: str
    holder_ref: str
    version: str
    before: PolicyOutcome
    after: PolicyOutcome
    differences: tuple[Difference, ...]


_Found = list[tuple[Compared, snapshots.CertificationRecord]]


@dataclass(frozen=True, slots=True)
class PolicyRepair:
    """A repair: move the cycles of a scheme from version ``old`` to version ``new``.

    ``on`` is the day on which results before and after are compared; None means today.
    """

    scheme: str
    old: str
    new: str
    on: date | None = None


@dataclass(slots=True)
class Repaired:
    """What a repair changed; the certifications examined are those that were reassigned."""

    cycles: int = 0
    tally: ImpactTally = field(default_factory=ImpactTally)


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a comparison: a scheme, and how it assigns versions to cycles."""

    scheme: Scheme
    cycles: Callable[[tuple[CycleValue, ...]], tuple[CycleValue, ...]]


@dataclass(frozen=True, slots=True)
class _FactsOfBoth:
    """The facts of one certification on the day, from which both sides are evaluated."""

    record: snapshots.CertificationRecord
    related: related_facts.RelatedFacts
    own: Sequence[Claim]
    shared: cycle_rules.ClaimsByScheme

    def outcome(self, side: _Side, cycles: tuple[CycleValue, ...], on: date) -> PolicyOutcome:
        """The outcome under one side."""
        case = Case(
            side.scheme,
            cycles,
            self.record.applications,
            self.record.adjustments,
            self.related.attempts,
            self.related.spans,
        )
        judged = cycle_rules.judge(case, self.own, self.shared, on=on)
        last = [c for c in cycles if c.opened_on <= on][-1]
        policy = side.scheme.policy(last.policy) if last.policy else None
        extended = timelines.extended(last, self.record.adjustments, on)
        return rules.outcome(judged.evaluation if judged else None, policy, extended)


def diff(
    reading: ReadContext,
    old: Version,
    new: Version,
    *,
    on: date,
    chunk: int = CHUNK,
    on_progress: ProgressOfDiff = lambda _: None,
) -> Iterator[Compared]:
    """Both versions for every certification of the scheme awarded by a day, changed or not.

    Each is evaluated as if the version alone governed the cycle on that day; earlier cycles keep
    theirs, unless it is the old one. ``new`` may come from a file that is not installed; then its
    award rule says when the cycles expire.
    """
    scheme = old.scheme

    def after(cycles: tuple[CycleValue, ...]) -> tuple[CycleValue, ...]:
        awarded_on = cycles[0].starts_on
        moved = rules.under(cycles, scheme.award, new.scheme.award, awarded_on=awarded_on)
        return rules.governed(moved, on, by=new.policy.version, instead_of=old.policy.version)

    sides = (
        _Side(
            rules.alone(scheme, old.policy, scheme.policies),
            lambda cycles: rules.governed(
                cycles, on, by=old.policy.version, instead_of=old.policy.version
            ),
        ),
        _Side(rules.alone(new.scheme, new.policy, scheme.policies), after),
    )
    seen = 0
    for rows in pages(reading, scheme.code, awarded_by=on, limit=chunk):
        yield from (compared for compared, _ in _compare(reading, rows, sides, on))
        seen += len(rows)
        on_progress(seen)


def foresee(
    reading: ReadContext,
    wanted: PolicyRepair,
    *,
    on_progress: ProgressOfDiff = lambda _: None,
    tell: Callable[[Compared], None] = lambda _: None,
) -> Repaired:
    """What ``repair`` would change; nothing is written. Raises what ``repair`` raises."""
    check_correction(reading.schemes[wanted.scheme], wanted)
    done = Repaired()
    for page in _repairs(reading, wanted):
        _count(done, page, wanted, tell)
        on_progress(done.tally.examined)
    return done


def repair(
    work: UnitOfWork,
    wanted: PolicyRepair,
    *,
    on_progress: ProgressOfDiff = lambda _: None,
    tell: Callable[[Compared], None] = lambda _: None,
) -> Repaired:
    """Move every cycle of the old version to the version that corrects it.

    ``tell`` is called with each certification and its differences on the day. Timelines are
    rebuilt; history gets an entry for each certification and one for the repair. Decided renewals
    stay as they were decided. Running it again changes nothing. Raises UnknownScheme,
    UnknownVersion, NotACorrection.
    """
    scheme = work.schemes[wanted.scheme]
    policy, done = check_correction(scheme, wanted), Repaired()
    _lock(work, wanted)
    for page in _repairs(work, wanted):
        _reassign(work, scheme, wanted, page)
        _count(done, page, wanted, tell)
        on_progress(done.tally.examined)
    if done.cycles:
        history.record(
            work,
            "repair",
            "scheme",
            scheme.code,
            before=wanted.old,
            after=wanted.new,
            sha256=digests.digest(policy),
            as_of=_day(work, wanted),
            certifications=done.tally.examined,
            cycles=done.cycles,
            differences=done.tally.kinds,
        )
    return done


def _reassign(work: UnitOfWork, scheme: Scheme, wanted: PolicyRepair, page: _Found) -> None:
    ids = [record.certification_id for _, record in page]
    of_old = bulk.among(work, Cycle.certification_id, ids) & (Cycle.policy == wanted.old)
    work.connection.execute(update(Cycle).where(of_old).values(policy=wanted.new))
    certifications.refresh(work, scheme, ids)
    lines = (_line(compared, record, wanted) for compared, record in page)
    history.record_many(work, "reassign", "certification", lines)


def check_correction(scheme: Scheme, wanted: PolicyRepair) -> Policy:
    """Refuse a version that does not declare that it corrects the old one; returns the new policy.

    Raises UnknownVersion, NotACorrection.
    """
    version(scheme, wanted.old)
    policy = version(scheme, wanted.new)
    if policy.corrects != wanted.old:
        says = f"corrects {policy.corrects!r}" if policy.corrects else "corrects no version"
        raise NotACorrection(
            f"Version {wanted.new} of scheme {scheme.code} {says}; to repair the cycles under "
            f'{wanted.old} it must have corrects = "{wanted.old}".'
        )
    return policy


class CertificationToCompare(NamedTuple):
    """A certification whose outcomes under two versions are compared."""

    id: str
    number: str
    holder_id: str
    holder_ref: str


_PAGE = (
    select(
        Certification.id,
        Certification.number,
        Certification.holder_id,
        Holder.ref.label("holder_ref"),
    )
    .join(Holder, Holder.id == Certification.holder_id)
    .where(
        Certification.scheme == bindparam("scheme"),
        snapshots.CURRENT,
        Certification.awarded_on <= bindparam("awarded_by"),
        Certification.id > bindparam("after", type_=Id),
    )
    .order_by(Certification.id)
    .limit(bindparam("limit"))
)
_FIRST = "00000000-0000-0000-0000-000000000000"


def _of_version(name: str) -> ColumnElement[bool]:
    """The condition that a certification has a cycle governed by this version."""
    return exists().where(Cycle.certification_id == Certification.id, Cycle.policy == name)


def pages(
    reading: ReadContext,
    code: str,
    *,
    awarded_by: date,
    limit: int,
    only: ColumnElement[bool] | None = None,
) -> Iterator[Sequence[CertificationToCompare]]:
    """The certifications of a scheme in the order of their ids, page by page."""
    statement = _PAGE.where(true() if only is None else only)
    parameters = {"scheme": code, "awarded_by": awarded_by, "limit": limit, "after": _FIRST}
    while rows := reading.rows_as(CertificationToCompare, statement, parameters):
        yield rows
        parameters["after"] = rows[-1].id


def _repairs(reading: ReadContext, wanted: PolicyRepair) -> Iterator[_Found]:
    """The certifications with a cycle governed by the old version, before and after."""
    scheme, only = reading.schemes[wanted.scheme], _of_version(wanted.old)
    sides = (
        _Side(scheme, lambda cycles: cycles),
        _Side(scheme, lambda cycles: rules.corrected(cycles, old=wanted.old, new=wanted.new)),
    )
    for rows in pages(reading, scheme.code, awarded_by=date.max, limit=CHUNK, only=only):
        yield _compare(reading, rows, sides, _day(reading, wanted))


def _day(reading: ReadContext, wanted: PolicyRepair) -> date:
    return wanted.on or reading.today(reading.schemes[wanted.scheme])


def _compare(
    reading: ReadContext,
    rows: Sequence[CertificationToCompare],
    sides: tuple[_Side, _Side],
    on: date,
) -> _Found:
    """Both sides for some certifications, with a constant number of statements."""
    reading, code = _asking_for_both(reading, sides), sides[0].scheme.code
    keys = [CertificationKey(row.id, row.holder_id, code) for row in rows]
    records = related_facts.records(reading, keys)
    related = related_facts.of_many(reading, keys)
    own = approved_claims.claims(reading, records, on=on)
    compared = []
    for row in rows:
        others = related.get(row.id, related_facts.NOTHING_RELATED)
        shared = {scheme: _approved(each, on) for scheme, each in others.activities.items()}
        known = _FactsOfBoth(records[row.id], others, own.get(row.id, ()), shared)
        compared.append((_compare_one(row, known, sides, on), known.record))
    return compared


def _asking_for_both(reading: ReadContext, sides: tuple[_Side, _Side]) -> ReadContext:
    """A context whose scheme has the policies of both sides, so that facts for both are read."""
    one, other = (side.scheme for side in sides)
    both = replace(one, policies=(*one.policies, *other.policies))
    return replace(reading, schemes=Schemes({**reading.schemes.by_code, one.code: both}))


def _approved(claimed: Sequence[snapshots.ActivityFacts], on: date) -> list[Claim]:
    return [each.claim_on(on) for each in claimed if each.approved_on(on)]


def _compare_one(
    row: CertificationToCompare, known: _FactsOfBoth, sides: tuple[_Side, _Side], on: date
) -> Compared:
    one, other = sides
    cycles = known.record.cycles
    governing = timelines.cycle_on(cycles, on).policy
    before = after = PolicyOutcome()
    if cycles[0].starts_on <= on:
        before = known.outcome(one, one.cycles(cycles), on)
        after = known.outcome(other, other.cycles(cycles), on)
    return Compared(
        row.number, row.holder_ref, governing, before, after, rules.differences(before, after)
    )


def _count(
    done: Repaired, page: _Found, wanted: PolicyRepair, tell: Callable[[Compared], None]
) -> None:
    for compared, record in page:
        done.cycles += len(_ordinals(record, wanted))
        done.tally.add(compared.differences)
        tell(compared)


def _ordinals(record: snapshots.CertificationRecord, wanted: PolicyRepair) -> list[int]:
    return [cycle.ordinal for cycle in record.cycles if cycle.policy == wanted.old]


def _line(
    compared: Compared, record: snapshots.CertificationRecord, wanted: PolicyRepair
) -> tuple[str, dict[str, object]]:
    """A certification's history entry: which cycles were reassigned, and the differences."""
    return record.certification_id, {
        "before": wanted.old,
        "after": wanted.new,
        "cycles": _ordinals(record, wanted),
        "differences": {
            each.fact: [_text(each.before), _text(each.after)] for each in compared.differences
        },
    }


def _text(value: ImpactValue) -> str | bool | None:
    return value if value is None or isinstance(value, bool) else str(value)


def _lock(work: UnitOfWork, wanted: PolicyRepair) -> None:
    """Lock the records to repair, in the same order as every other lock."""
    mine = (
        select(Holder.id)
        .join(Certification, Certification.holder_id == Holder.id)
        .where(
            Certification.scheme == wanted.scheme,
            snapshots.CURRENT,
            _of_version(wanted.old),
        )
        .order_by(Holder.id)
        .with_for_update(of=Holder)
    )
    work.row(select(func.count()).select_from(mine.subquery()))
