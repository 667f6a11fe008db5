"""What workers have of what requirements ask: read for many at once, as far as they share it.

Two statements answer, however many workers there are: the workers with their certifications, and
the modules and other credentials that are asked for.

Invariant: everything about a person is joined through ``CONSENTED_BY``, and a day is told only of
whom dates are shared. A certificate number or address finds only somebody who shares.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
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
from tracker.domain.employers.requirements import (
    CURRENT,
    MISSING,
    NOT_PASSED,
    OVER,
    PASSED,
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
from tracker.services.core.context import AnyRow, ReadContext
from tracker.services.employers import employers
from tracker.services.employers.consents import EMPLOYED
from tracker.services.employers.workforce_selection import CONSENTED_BY, NAME
from tracker.services.standings.related_facts import SPAN, CertificationKey

_BY_LIST, _BY_NUMBER, _BY_ADDRESS = "list", "number", "address"
_VERIFY = "/verify/"
Key = tuple[str, str]
"""In which way somebody is named, and the name."""
Entries = Select[str, str, str] | CompoundSelect[str, str, str]
"""Roster entries, each with the key by which it was found."""


class PersonRow(NamedTuple):
    """A roster entry, and what its worker shares; without a ``holder_id`` nothing."""

    entry_id: str
    employee_id: str
    site: str | None
    department: str | None
    shift: str | None
    holder_id: str | None
    name: str | None
    with_dates: bool | None
    with_points: bool | None
    with_modules: bool | None
    with_credentials: bool | None


@dataclass(slots=True)
class WorkerWithProofs:
    """A worker of the list; ``proofs`` are empty for one who does not share."""

    row: PersonRow
    proofs: Mapping[NeededProof, WorkerProof] = field(default_factory=dict)
    certifications: Mapping[NeededProof, CertificationKey] = field(default_factory=dict)

    @property
    def is_shared(self) -> bool:
        """Whether the worker shares with the employer."""
        return self.row.holder_id is not None


_PERSON = (
    RosterEntry.id,
    RosterEntry.employee_id,
    RosterEntry.site,
    RosterEntry.department,
    RosterEntry.shift,
    Sharing.holder_id,
    NAME.label("name"),
    Sharing.with_dates,
    Sharing.with_points,
    Sharing.with_modules,
    Sharing.with_credentials,
)
_WIDTH = len(PersonRow._fields)
_Spans = dict[tuple[str, str], list[StandingSpan]]
"""The spans of a worker's certifications, by scheme and certification."""
_LastDays = Mapping[tuple[str, NeededProof], Sequence[date | None]]
"""The last days of the modules and credentials of holders; None: without an end."""


def find(
    reading: ReadContext, named: Entries, needed: Collection[NeededProof], *, on: date
) -> dict[Key, WorkerWithProofs]:
    """What those who are named have of what is needed on a day, in the order of the names.

    A number that means two people means nobody.
    """
    found: dict[Key, WorkerWithProofs] = {}
    holders: dict[Key, set[str]] = defaultdict(set)
    spans: dict[Key, _Spans] = defaultdict(lambda: defaultdict(list))
    for row in _rows(reading, named, needed, on):
        key = (row[0], row[1])
        person = PersonRow(*row[2 : 2 + _WIDTH])
        found.setdefault(key, WorkerWithProofs(person))
        holders[key].add(person.holder_id or "")
        scheme, certification_id, *span = row[2 + _WIDTH :]
        if span[0] is not None:
            spans[key][scheme, certification_id].append(StandingSpan(*span))
    found = {key: worker for key, worker in found.items() if len(holders[key]) == 1}
    last_days = _last_days(reading, [one.row for one in found.values()], needed, on)
    for key, worker in found.items():
        if worker.is_shared:
            _fill(worker, spans[key], last_days, needed, on)
    return found


# Finding people.
def keys_of(said: str) -> list[Key]:
    """The ways in which somebody may be named by what was said; the first one that fits counts."""
    said = said.strip()
    _, is_address, public_id = said.rpartition(_VERIFY)
    if is_address:
        return [(_BY_ADDRESS, public_id.rstrip("/"))]
    return [(_BY_LIST, said), (_BY_NUMBER, numbers.key(said))]


def listed(employer_id: str, *conditions: ColumnElement[bool]) -> Select[str, str, str]:
    """The entries of an employer's list that meet the conditions, by employee id."""
    return select(
        literal(_BY_LIST).label("way"),
        RosterEntry.employee_id.label("named"),
        RosterEntry.id.label("entry_id"),
    ).where(RosterEntry.employer_id == employer_id, *conditions)


def meant(reading: ReadContext, employer_id: str, people: Iterable[str]) -> Entries:
    """The entries that people may mean by what they say; each way to say it has its index."""
    keys = {key for said in people for key in keys_of(said)}
    by_list, by_number, by_address = (
        sorted(name for way, name in keys if way == wanted)
        for wanted in (_BY_LIST, _BY_NUMBER, _BY_ADDRESS)
    )
    held = (
        (_BY_NUMBER, Certification.number_key, by_number),
        (_BY_NUMBER, Certification.former_key, by_number),
        (_BY_ADDRESS, Certification.public_id, by_address),
    )
    return union_all(
        listed(employer_id, bulk.among(reading, RosterEntry.employee_id, by_list)),
        *(
            select(literal(way), column, RosterEntry.id)
            .join(RosterEntry, RosterEntry.holder_id == Certification.holder_id)
            .where(RosterEntry.employer_id == employer_id, bulk.among(reading, column, names))
            for way, column, names in held
            if names
        ),
    )


def _rows(
    reading: ReadContext, named: Entries, needed: Iterable[NeededProof], on: date
) -> Sequence[AnyRow]:
    """A row for each span, from the day on, of each certification that is needed and shared."""
    who = named.subquery("named")
    certified = and_(
        Certification.holder_id == Sharing.holder_id,
        Certification.scheme.in_(sorted({one.scheme for one in needed if one.scheme})),
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
    return reading.rows(statement, {"today": today, "scheme_today": today, "on": on})


# What they have.
def _last_days(
    reading: ReadContext,
    rows: Collection[PersonRow],
    needed: Collection[NeededProof],
    on: date,
) -> _LastDays:
    """The modules and other credentials that are needed and shared, in at most one statement."""
    parts = [*_passes(reading, rows, needed), *_brought(reading, rows, needed)]
    found: dict[tuple[str, NeededProof], list[date | None]] = defaultdict(list)
    for row in reading.rows(union_all(*parts), {"on": on}) if parts else ():
        holder_id, scheme, module, credential, last_day = row
        found[holder_id, NeededProof(scheme, module, credential)].append(last_day)
    return found


def _passes(
    reading: ReadContext, rows: Iterable[PersonRow], needed: Iterable[NeededProof]
) -> list[Select[*tuple[object, ...]]]:
    modules = [one for one in needed if one.kind == ProofKind.MODULE]
    holder_ids = {row.holder_id for row in rows if row.holder_id and row.with_modules}
    if not modules or not holder_ids:
        return []
    asked = (
        and_(Assessment.scheme == one.scheme, Assessment.module == one.module) for one in modules
    )
    columns = (Assessment.holder_id, Assessment.scheme, Assessment.module)
    return [
        select(*columns, literal(""), cast(null(), Date)).where(
            bulk.among(reading, Assessment.holder_id, holder_ids),
            or_(*asked),
            Assessment.passed,
            Assessment.voided_at.is_(None),
            Assessment.taken_on <= ON,
        )
    ]


def _brought(
    reading: ReadContext, rows: Iterable[PersonRow], needed: Iterable[NeededProof]
) -> list[Select[*tuple[object, ...]]]:
    codes = sorted({one.credential for one in needed if one.credential})
    holder_ids = {row.holder_id for row in rows if row.holder_id and row.with_credentials}
    if not codes or not holder_ids:
        return []
    table = OtherCredential
    return [
        select(table.holder_id, literal(""), literal(""), table.credential, table.expires_on).where(
            bulk.among(reading, table.holder_id, holder_ids),
            table.credential.in_(codes),
            table.withdrawn_at.is_(None),
            table.issued_on <= ON,
        )
    ]


def _fill(
    worker: WorkerWithProofs,
    spans: _Spans,
    last_days: _LastDays,
    needed: Iterable[NeededProof],
    on: date,
) -> None:
    proofs, keys = {}, {}
    row, holder_id = worker.row, str(worker.row.holder_id)
    for one in needed:
        known = last_days.get((holder_id, one), ())
        if one.kind == ProofKind.MODULE:
            proofs[one] = _module(one, is_shared=bool(row.with_modules), is_passed=bool(known))
        elif one.kind == ProofKind.CREDENTIAL:
            proofs[one] = _credential(one, known, on, is_shared=bool(row.with_credentials))
        else:
            certification_id, own = _counting(spans, one.scheme, on)
            proofs[one] = _certified(one, own, on, tells_days=bool(row.with_dates))
            if certification_id:
                keys[one] = CertificationKey(certification_id, holder_id, one.scheme)
    worker.proofs, worker.certifications = proofs, keys


def _counting(spans: _Spans, scheme: str, on: date) -> tuple[str, Sequence[StandingSpan]]:
    """The certification of a scheme that counts on a day, with its spans; none without one."""
    for (code, certification_id), own in spans.items():
        if code == scheme and certifications.span_on(own, on):
            return certification_id, own
    return "", ()


def _module(needed: NeededProof, *, is_shared: bool, is_passed: bool) -> WorkerProof:
    if not is_shared:
        return WorkerProof(needed, None)
    return WorkerProof(needed, is_passed, PASSED if is_passed else NOT_PASSED)


def _certified(
    needed: NeededProof, spans: Sequence[StandingSpan], on: date, *, tells_days: bool
) -> WorkerProof:
    span = certifications.span_on(spans, on)
    if span is None:
        return WorkerProof(needed, is_held=False, status=NOT_CERTIFIED)
    standing = certifications.standing_on(span, on)
    ended = span.expires_on if span.hold is None else None
    last = certifications.valid_through(spans, on) if standing.valid else ended
    told = last if tells_days and last != date.max else None
    return WorkerProof(needed, standing.valid, standing.status, told)


def _credential(
    needed: NeededProof, last_days: Sequence[date | None], on: date, *, is_shared: bool
) -> WorkerProof:
    """Of several credentials of a kind, the one that lasts longest counts."""
    if not is_shared:
        return WorkerProof(needed, None)
    if not last_days:
        return WorkerProof(needed, is_held=False, status=MISSING)
    last = max(day or date.max for day in last_days)
    told = None if last == date.max else last
    return WorkerProof(needed, last >= on, CURRENT if last >= on else OVER, told)
