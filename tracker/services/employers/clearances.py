"""Clearances: who of an employer's workers meets a requirement on a day, and until when.

However many are asked about, three statements answer: the requirement, the workers with their
certifications, and the modules and other credentials that the requirement names.

Invariant: everything about a person is joined through ``CONSENTED_BY``, and a day is told only to
whom dates are shared. A certificate number or address finds only somebody who shares: one that is
not shared, not on the list or not on record is ``UNKNOWN`` alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from sqlalchemy import (
    CompoundSelect,
    Date,
    Select,
    and_,
    cast,
    literal,
    null,
    or_,
    select,
    union_all,
)

from tracker.domain import numbers
from tracker.domain.credentials import certifications
from tracker.domain.credentials.certifications import StandingSpan
from tracker.domain.employers import requirements as rules
from tracker.domain.employers.requirements import (
    CURRENT,
    MISSING,
    NOT_PASSED,
    OVER,
    PASSED,
    Clearance,
    NeededProof,
    ProofKind,
    WorkerProof,
)
from tracker.domain.employers.workforce import NOT_CERTIFIED
from tracker.models import (
    Assessment,
    Certification,
    Holder,
    OtherCredential,
    RosterEntry,
    Sharing,
    Span,
)
from tracker.services.core import bulk
from tracker.services.core.batched import COUNTING, ON
from tracker.services.core.context import ReadContext
from tracker.services.employers import employers, requirements
from tracker.services.employers.consents import EMPLOYED
from tracker.services.employers.requirements import RequirementOnRecord
from tracker.services.employers.workforce_selection import CONSENTED_BY, NAME
from tracker.services.standings.related_facts import SPAN

MOST_PEOPLE = 200
"""How many may be asked about at once."""
_BY_LIST, _BY_NUMBER, _BY_ADDRESS = "list", "number", "address"
_VERIFY = "/verify/"
_Key = tuple[str, str]
"""In which way somebody is named, and the name."""


@dataclass(frozen=True, slots=True)
class ClearedWorker:
    """The answer about one who was asked about as ``said``.

    ``shares_dates``: a last day that is missing is one that there is not.
    """

    said: str
    clearance: Clearance
    employee_id: str | None = None
    name: str | None = None
    shares_dates: bool = False
    holder_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClearanceCheck:
    """The answers in the order of the questions, for a requirement and a day."""

    requirement: RequirementOnRecord
    on: date
    workers: Sequence[ClearedWorker]

    @property
    def seen(self) -> set[str]:
        """The holders about whom something was told."""
        return {one.holder_id for one in self.workers if one.holder_id}


class _PersonRow(NamedTuple):
    entry_id: str
    employee_id: str
    holder_id: str | None
    name: str | None
    with_dates: bool | None
    with_modules: bool | None
    with_credentials: bool | None


@dataclass(slots=True)
class _Person:
    """A roster entry, and what its worker shares: the spans of each certification by scheme."""

    row: _PersonRow
    spans: dict[tuple[str, str], list[StandingSpan]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def spans_on(self, scheme: str, day: date) -> Sequence[StandingSpan]:
        """The spans of the certification of a scheme that counts on a day; none without one."""
        of_scheme = (spans for (code, _), spans in self.spans.items() if code == scheme)
        return next((spans for spans in of_scheme if certifications.span_on(spans, day)), ())


class _OtherFact(NamedTuple):
    """A module that was passed, or a credential of another issuer through its last day."""

    holder_id: str
    needed: NeededProof
    last_day: date | None


_Facts = Mapping[tuple[str, NeededProof], Sequence[_OtherFact]]
_PERSON = (
    RosterEntry.id,
    RosterEntry.employee_id,
    Sharing.holder_id,
    NAME.label("name"),
    Sharing.with_dates,
    Sharing.with_modules,
    Sharing.with_credentials,
)
_MANY = len(_PersonRow._fields)


def check(
    reading: ReadContext,
    employer_id: str,
    requirement_id: str,
    people: Sequence[str],
    *,
    on: date | None = None,
) -> ClearanceCheck:
    """Whether each of these people is cleared on a day; today if it is not given.

    ``people`` are employee ids, certificate numbers, or addresses as the codes on certificates give
    them. An employee id goes before a number. Raises NotFound.
    """
    asked = requirements.get(reading, employer_id, requirement_id)
    on = on or employers.today(reading)
    found = _people(reading, asked, _named(reading, employer_id, people), on=on)
    facts = _facts(reading, asked, found.values(), on=on)
    answers = [_answer(asked, said, _first(found, said), facts, on=on) for said in people]
    return ClearanceCheck(asked, on, answers)


def everybody(
    reading: ReadContext, employer_id: str, requirement_id: str, *, most: int
) -> ClearanceCheck:
    """The same today for the employer's workers, by employee id; one more than ``most``, if any.

    Raises NotFound.
    """
    asked = requirements.get(reading, employer_id, requirement_id)
    on = employers.today(reading)
    listed = _listed(employer_id).where(EMPLOYED).order_by(RosterEntry.employee_id)
    found = _people(reading, asked, listed.limit(most + 1), on=on)
    facts = _facts(reading, asked, found.values(), on=on)
    people = ((said, person) for (_, said), person in found.items())
    return ClearanceCheck(
        asked,
        on,
        [_answer(asked, said, person, facts, on=on) for said, person in people],
    )


# Finding people.
def _keys(said: str) -> list[_Key]:
    """The ways in which somebody may be named by what was said, the first one that fits wins."""
    said = said.strip()
    _, is_address, public_id = said.rpartition(_VERIFY)
    if is_address:
        return [(_BY_ADDRESS, public_id.rstrip("/"))]
    return [(_BY_LIST, said), (_BY_NUMBER, numbers.key(said))]


def _first(found: Mapping[_Key, _Person], said: str) -> _Person | None:
    return next((found[key] for key in _keys(said) if key in found), None)


def _listed(employer_id: str) -> Select[str, str, str]:
    return select(
        literal(_BY_LIST).label("way"),
        RosterEntry.employee_id.label("named"),
        RosterEntry.id.label("entry_id"),
    ).where(RosterEntry.employer_id == employer_id)


def _named(
    reading: ReadContext, employer_id: str, people: Iterable[str]
) -> CompoundSelect[str, str, str]:
    """The roster entries that people may mean; each way of naming somebody has its index."""
    keys = {key for said in people for key in _keys(said)}
    by_list, by_number, by_address = (
        sorted(name for way, name in keys if way == wanted)
        for wanted in (_BY_LIST, _BY_NUMBER, _BY_ADDRESS)
    )
    listed = _listed(employer_id).where(bulk.among(reading, RosterEntry.employee_id, by_list))
    held = (
        (_BY_NUMBER, Certification.number_key, by_number),
        (_BY_ADDRESS, Certification.public_id, by_address),
    )
    return union_all(
        listed,
        *(
            select(literal(way), column, RosterEntry.id)
            .join(RosterEntry, RosterEntry.holder_id == Certification.holder_id)
            .where(RosterEntry.employer_id == employer_id, bulk.among(reading, column, names))
            for way, column, names in held
            if names
        ),
    )


def _people(
    reading: ReadContext,
    asked: RequirementOnRecord,
    named: Select[str, str, str] | CompoundSelect[str, str, str],
    *,
    on: date,
) -> dict[_Key, _Person]:
    """Those who are named, with the certifications that they share, in one statement."""
    who = named.subquery("named")
    schemes = {one.scheme for one in rules.proofs_of(asked.needs) if one.scheme}
    certified = and_(
        Certification.holder_id == Sharing.holder_id,
        Certification.scheme.in_(sorted(schemes)),
        COUNTING,
    )
    lasting = and_(Span.certification_id == Certification.id, Span.until_on > ON)
    statement = (
        select(who.c.way, who.c.named, *_PERSON, Certification.scheme, Certification.id, *SPAN)
        .select_from(who)
        .join(RosterEntry, RosterEntry.id == who.c.entry_id)
        .join(Sharing, CONSENTED_BY, isouter=True)
        .join(Holder, Holder.id == Sharing.holder_id, isouter=True)
        .join(Certification, certified, isouter=True)
        .join(Span, lasting, isouter=True)
        .where(EMPLOYED, or_(who.c.way == _BY_LIST, Sharing.id.is_not(None)))
        .order_by(who.c.named, Span.from_on)
    )
    today = employers.today(reading)
    found: dict[_Key, _Person] = {}
    for row in reading.rows(statement, {"today": today, "scheme_today": today, "on": on}):
        way, name, *values = row
        person = found.setdefault((way, name), _Person(_PersonRow(*values[:_MANY])))
        scheme, certification_id, *span = values[_MANY:]
        if span[0] is not None:
            person.spans[scheme, certification_id].append(StandingSpan(*span))
    return found


# What they have.
def _facts(
    reading: ReadContext, asked: RequirementOnRecord, people: Iterable[_Person], *, on: date
) -> _Facts:
    """The modules and other credentials that are needed and shared, in at most one statement."""
    rows = [person.row for person in people if person.row.holder_id]
    parts: list[Select[str, str, str, str, date]] = []
    needed = set(rules.proofs_of(asked.needs))
    if modules := [one for one in needed if one.kind == ProofKind.MODULE]:
        parts += _passes(reading, modules, {str(one.holder_id) for one in rows if one.with_modules})
    if others := [one.credential for one in needed if one.kind == ProofKind.CREDENTIAL]:
        parts += _brought(
            reading, others, {str(one.holder_id) for one in rows if one.with_credentials}
        )
    facts: dict[tuple[str, NeededProof], list[_OtherFact]] = defaultdict(list)
    for row in reading.rows(union_all(*parts), {"on": on}) if parts else ():
        holder_id, scheme, module, credential, last_day = row
        proof = NeededProof(scheme, module, credential)
        facts[holder_id, proof].append(_OtherFact(holder_id, proof, last_day))
    return facts


def _passes(
    reading: ReadContext, modules: Iterable[NeededProof], holder_ids: Collection[str]
) -> list[Select[str, str, str, str, date]]:
    if not holder_ids:
        return []
    statement = select(
        Assessment.holder_id,
        Assessment.scheme,
        Assessment.module,
        literal(""),
        cast(null(), Date),
    ).where(
        bulk.among(reading, Assessment.holder_id, holder_ids),
        or_(
            *(
                and_(Assessment.scheme == one.scheme, Assessment.module == one.module)
                for one in modules
            )
        ),
        Assessment.passed,
        Assessment.voided_at.is_(None),
        Assessment.taken_on <= ON,
    )
    return [statement]


def _brought(
    reading: ReadContext, codes: Collection[str], holder_ids: Collection[str]
) -> list[Select[str, str, str, str, date]]:
    if not holder_ids:
        return []
    statement = select(
        OtherCredential.holder_id,
        literal(""),
        literal(""),
        OtherCredential.credential,
        OtherCredential.expires_on,
    ).where(
        bulk.among(reading, OtherCredential.holder_id, holder_ids),
        OtherCredential.credential.in_(sorted(codes)),
        OtherCredential.withdrawn_at.is_(None),
        OtherCredential.issued_on <= ON,
    )
    return [statement]


def _answer(
    asked: RequirementOnRecord, said: str, person: _Person | None, facts: _Facts, *, on: date
) -> ClearedWorker:
    if person is None:
        return ClearedWorker(said, rules.UNKNOWN)
    row = person.row
    if row.holder_id is None:
        return ClearedWorker(said, rules.NOT_SHARED, row.employee_id)
    proofs = {one: _proof(one, person, facts, on) for one in rules.proofs_of(asked.needs)}
    return ClearedWorker(
        said,
        rules.judge(asked.needs, proofs),
        row.employee_id,
        row.name,
        shares_dates=bool(row.with_dates),
        holder_id=row.holder_id,
    )


def _proof(needed: NeededProof, person: _Person, facts: _Facts, on: date) -> WorkerProof:
    """What is known of one proof of a worker who shares."""
    row = person.row
    known = facts.get((str(row.holder_id), needed), ())
    if needed.kind == ProofKind.CERTIFICATION:
        return _certified(needed, person, on)
    if needed.kind == ProofKind.MODULE:
        if not row.with_modules:
            return WorkerProof(needed, None)
        return WorkerProof(needed, bool(known), PASSED if known else NOT_PASSED)
    if not row.with_credentials:
        return WorkerProof(needed, None)
    return _other(needed, [fact.last_day for fact in known], on)


def _certified(needed: NeededProof, person: _Person, on: date) -> WorkerProof:
    spans = person.spans_on(needed.scheme, on)
    span = certifications.span_on(spans, on)
    if span is None:
        return WorkerProof(needed, is_held=False, status=NOT_CERTIFIED)
    standing = certifications.standing_on(span, on)
    ended = span.expires_on if span.hold is None else None
    last = certifications.valid_through(spans, on) if standing.valid else ended
    told = last if person.row.with_dates and last != date.max else None
    return WorkerProof(needed, standing.valid, standing.status, told)


def _other(needed: NeededProof, last_days: Sequence[date | None], on: date) -> WorkerProof:
    """What is known of a credential of which somebody has several, through these days."""
    if not last_days:
        return WorkerProof(needed, is_held=False, status=MISSING)
    last = max(day or date.max for day in last_days)
    is_held = last >= on
    told = None if last == date.max else last
    return WorkerProof(needed, is_held, CURRENT if is_held else OVER, told)
