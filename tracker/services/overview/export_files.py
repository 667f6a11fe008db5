"""Exports as files that can be imported: the same columns, the same values.

Whatever has no column in these files is left out: extensions appear only in the expiry, and
reviewers' limits, appeals, evidence and messages are not exported. Reads in pages, so that memory
use stays flat.

Rows are in the order of their keys, compared by code point on every database: a file that is
imported into an empty database and exported again is the same.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import IO, Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import InstrumentedAttribute

from tracker import tabular
from tracker.domain.credentials import certifications as rules
from tracker.domain.periods import DAY
from tracker.domain.points.activities import ActivityState
from tracker.domain.schemes.schemes import Scheme
from tracker.models import (
    Activity,
    Assessment,
    Center,
    Certification,
    Decision,
    Employer,
    Holder,
    Renewal,
    RosterEntry,
    Sharing,
    StandingChange,
)
from tracker.services import imports
from tracker.services.core import bulk
from tracker.services.core.combined import Statement
from tracker.services.core.context import AnyRow, ReadContext
from tracker.services.imports import assessments
from tracker.services.overview.exports import Format
from tracker.services.points.activities import CLAIMED
from tracker.services.points.activity_rows import LATEST_FIRST
from tracker.services.standings import snapshots

_PAGE = 1000
_DECIDED = frozenset({ActivityState.APPROVED, ActivityState.REJECTED})
_EMPLOYERS = 20  # employers whose numbers are sorted at once
_HasRef = Assessment | Activity | Renewal | StandingChange
ExportLine = dict[str, Any]


def write(reading: ReadContext, kind: str, *, stream: IO[bytes], format: Format = "csv") -> int:  # noqa: A002 - the name that the command gives it
    """Write everything on record of a kind; returns the number of rows. Raises Invalid."""
    columns, count = imports.column_names(kind), 0

    def rows() -> Iterator[list[object]]:
        nonlocal count
        for line in _KINDS[kind](reading):
            count += 1
            yield [line.get(column) for column in columns]

    into = tabular.write_xlsx if format == "xlsx" else tabular.write_csv
    into(stream, columns, rows())
    return count


def _pages(
    reading: ReadContext,
    statement: Statement,
    key: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
) -> Iterator[AnyRow]:
    """The rows of a statement in the order of ``key``, read in pages."""
    last = None
    while True:
        page = statement if last is None else statement.where(key > last)
        rows = list(reading.rows(page.order_by(key).limit(_PAGE)))
        if not rows:
            return
        yield from rows
        last = getattr(rows[-1], key.key)


def _lines(
    reading: ReadContext, table: type[_HasRef], name: str, statement: Statement
) -> Iterator[ExportLine]:
    """A line for each row, ordered by the ref, which goes into the column ``name``.

    A row without a ref is exported under its id, which becomes its ref when it is imported.
    """
    named = _pages(reading, statement.where(table.ref.is_not(None)), table.ref)
    others = _pages(reading, statement.where(table.ref.is_(None)), table.id)
    for row in heapq.merge(named, others, key=lambda row: row.ref or row.id):
        yield row._asdict() | {name: row.ref or row.id}


def _holders(reading: ReadContext) -> Iterator[ExportLine]:
    columns = [getattr(Holder, name) for name in imports.column_names("holders")[1:]]
    people = select(Holder.ref, *columns).where(Holder.merged_into_id.is_(None))
    for row in _pages(reading, people, Holder.ref):
        yield row._asdict() | {"holder_ref": row.ref}


def _assessments(reading: ReadContext) -> Iterator[ExportLine]:
    table = Assessment
    statement = (
        select(
            table.id,
            table.ref,
            Holder.ref.label("holder_ref"),
            table.scheme,
            table.module,
            table.taken_on,
            table.passed,
            table.score,
            table.delivery,
            Center.name.label("center"),
            table.funding,
            table.edition,
            table.proctor,
            table.instructor,
            table.amount,
            table.funding_reference,
            table.more_funding,
            table.override_reason,
        )
        .join(Holder, Holder.id == table.holder_id)
        .join(Center, Center.id == table.center_id, isouter=True)
        .where(table.voided_at.is_(None))
    )
    for line in _lines(reading, table, "attempt_ref", statement):
        said = {"result": "pass" if line["passed"] else "fail"}
        yield line | said | assessments.sources_on_line(line)


def _certifications(reading: ReadContext) -> Iterator[ExportLine]:
    table = Certification
    statement = (
        select(
            table.id,
            Holder.ref.label("holder_ref"),
            table.scheme,
            table.number.label("certificate_number"),
            table.awarded_on,
            table.edition,
            table.source,
            table.replaced_on,
        )
        .join(Holder, Holder.id == table.holder_id)
        .where(snapshots.NOT_WITHDRAWN)
    )
    people = _pages(reading, select(Holder.ref, Holder.id), Holder.ref)
    while page := [row.id for row in islice(people, _PAGE)]:
        rows = reading.rows(statement.where(bulk.among(reading, table.holder_id, page)))
        records = snapshots.cycles(reading, [row.id for row in rows])
        for row in sorted(rows, key=_place):
            yield from _cycles(reading.schemes[row.scheme], row, records[row.id])


def _place(row: AnyRow) -> tuple[str, str, date, str]:
    """The sort key: a person's certifications in a scheme in the order of their awards."""
    return row.holder_ref, row.scheme, row.awarded_on, row.certificate_number


def _cycles(
    scheme: Scheme, row: AnyRow, record: snapshots.CertificationRecord
) -> Iterator[ExportLine]:
    """A line for each cycle, ending on its last day, or before the next cycle if that is earlier.

    An award that was surrendered or revoked keeps its expiry, since its earlier status depends on
    it. ``replaced_on`` is given if the next award began before the last expiry.
    """
    cycles = record.cycles_on(date.max)
    for cycle, following in zip(cycles, [*cycles[1:], None], strict=True):
        ends = [cycle.expires_on]
        if following is not None and _follows_on(scheme, cycle):
            ends.append(following.starts_on - DAY)
        expires_on = min((day for day in ends if day), default=None)
        is_cut = following is None and (row.replaced_on or date.max) <= (expires_on or date.max)
        yield row._asdict() | {
            "cycle_starts_on": cycle.starts_on,
            "expires_on": expires_on,
            "replaced_on": row.replaced_on if is_cut else None,
        }


def _follows_on(scheme: Scheme, cycle: rules.CycleTerm) -> bool:
    """Whether the next cycle begins after this one ends."""
    return not cycle.policy or scheme.policy(cycle.policy).next_cycle == "old_expiry"


_RULING = (
    select(
        Decision.activity_id,
        Decision.verdict,
        Decision.decided_on,
        Decision.provider_approved,
        func.row_number()
        .over(
            partition_by=Decision.activity_id,
            order_by=LATEST_FIRST,
        )
        .label("place"),
    )
    .where(Decision.undone_at.is_(None))
    .subquery()
)


def _activities(reading: ReadContext) -> Iterator[ExportLine]:
    table = Activity
    statement = (
        select(
            table.id,
            table.ref,
            Holder.ref.label("holder_ref"),
            table.scheme,
            table.state,
            *(getattr(table, name) for name in CLAIMED),
            table.submitted_on,
            _RULING.c.verdict,
            _RULING.c.decided_on,
            _RULING.c.provider_approved,
        )
        .join(Holder, Holder.id == table.holder_id)
        .join(_RULING, and_(_RULING.c.activity_id == table.id, _RULING.c.place == 1), isouter=True)
        .where(table.state != ActivityState.WITHDRAWN)
    )
    for line in _lines(reading, table, "activity_ref", statement):
        decided = line["state"] in _DECIDED
        kept = decided or line["state"] == ActivityState.DRAFT
        status = line["state"] if kept else ActivityState.SUBMITTED
        yield line | {
            "status": status,
            "decided_on": line["decided_on"] if decided else None,
            "provider_approved": (line["provider_approved"] or None) if decided else None,
            "tags": ";".join(line["tags"]),
        }


def _renewals(reading: ReadContext) -> Iterator[ExportLine]:
    table = Renewal
    statement = (
        select(
            table.id,
            table.ref,
            Holder.ref.label("holder_ref"),
            Certification.scheme,
            table.submitted_on,
            table.decided_on,
            table.decision,
        )
        .join(Certification, Certification.id == table.certification_id)
        .join(Holder, Holder.id == Certification.holder_id)
        .where(table.withdrawn_on.is_(None), snapshots.NOT_WITHDRAWN)
    )
    yield from _lines(reading, table, "renewal_ref", statement)


def _changes(reading: ReadContext) -> Iterator[ExportLine]:
    table = StandingChange
    statement = (
        select(
            table.id,
            table.ref,
            Holder.ref.label("holder_ref"),
            Certification.scheme,
            table.kind,
            table.effective_on,
            table.reason,
            table.barred_until,
        )
        .join(Certification, Certification.id == table.certification_id)
        .join(Holder, Holder.id == Certification.holder_id)
        .where(snapshots.NOT_WITHDRAWN)
    )
    yield from _lines(reading, table, "change_ref", statement)


def _roster(reading: ReadContext) -> Iterator[ExportLine]:
    """The employments, the last one for each employee number of an employer."""
    employers = sorted(reading.rows(select(Employer.name, Employer.id)))
    for at in range(0, len(employers), _EMPLOYERS):
        names = {row.id: row.name for row in employers[at : at + _EMPLOYERS]}
        last = sorted((names[row.employer_id], row[1], row.id) for row in _last(reading, names))
        for ids in bulk.chunks([id_ for *_, id_ in last]):
            yield from _employments(reading, ids)


def _last(reading: ReadContext, employer_ids: Collection[str]) -> Sequence[AnyRow]:
    """The last employment for each of the employers' employee numbers."""
    table = RosterEntry
    place = func.row_number().over(
        partition_by=(table.employer_id, table.employee_id),
        order_by=(table.ended_on.is_(None).desc(), table.ended_on.desc(), table.id.desc()),
    )
    columns = table.employer_id, table.employee_id, table.id, place.label("place")
    is_theirs = bulk.among(reading, table.employer_id, employer_ids)
    placed = select(*columns).where(is_theirs).subquery()
    return reading.rows(select(placed).where(placed.c.place == 1))


def _employments(reading: ReadContext, ids: Sequence[str]) -> Iterator[ExportLine]:
    """The lines of these employments, in this order."""
    table = RosterEntry
    in_force = and_(
        Sharing.holder_id == table.holder_id,
        Sharing.employer_id == table.employer_id,
        Sharing.until_on.is_(None),
        table.ended_on.is_(None),
    )
    statement = (
        select(
            table.id,
            Employer.name.label("employer"),
            table.employee_id,
            func.coalesce(Holder.ref, table.given_holder_ref).label("holder_ref"),
            table.given_email.label("email"),
            table.given_number.label("certificate_number"),
            table.site,
            table.department,
            table.shift,
            Sharing.consented_on,
            table.ended_on,
        )
        .join(Employer, Employer.id == table.employer_id)
        .join(Holder, Holder.id == table.holder_id, isouter=True)
        .join(Sharing, in_force, isouter=True)
        .where(bulk.among(reading, table.id, ids))
    )
    by_id = {row.id: row for row in reading.rows(statement)}
    yield from (by_id[id_]._asdict() for id_ in ids)


_KINDS: Mapping[str, Callable[[ReadContext], Iterator[ExportLine]]] = {
    "holders": _holders,
    "assessments": _assessments,
    "certifications": _certifications,
    "activities": _activities,
    "renewals": _renewals,
    "standing-changes": _changes,
    "roster": _roster,
}
