"""Requirements of an employer: added, changed and ended by those who manage it; read by all.

What a requirement asked on an earlier day stands in the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from tracker.domain.employers import requirements as rules
from tracker.domain.employers.requirements import JobNeeds, NeededProof, RequirementKind
from tracker.domain.errors import AlreadyRecorded, Invalid, NotFound, Stale
from tracker.domain.permissions import check_own_employer
from tracker.models import JobRequirement
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.core.row_scope import scope
from tracker.services.employers import employers

MOST = 200
"""How many requirements an employer may have at the same time."""
_STALE = "The requirement has changed since you read it; read it again."


class _RequirementRow(NamedTuple):
    id: str
    employer_id: str
    name: str
    kind: str
    needs: list[list[dict[str, str]]]
    recorded_at: datetime
    ended_at: datetime | None
    version: int


class RequirementOnRecord(NamedTuple):
    """A requirement; ``ended_at`` is when it ceased to be asked for."""

    id: str
    employer_id: str
    name: str
    kind: RequirementKind
    needs: JobNeeds
    recorded_at: datetime
    ended_at: datetime | None
    version: int


_ROWS = select(*columns_of(_RequirementRow, JobRequirement))


def stored(needs: JobNeeds) -> list[list[dict[str, str]]]:
    """JobNeeds in the form in which they are stored and answered: without what is empty."""
    return [
        [
            {
                name: value
                for name in ("scheme", "module", "credential")
                if (value := getattr(needed, name))
            }
            for needed in need
        ]
        for need in needs
    ]


def needs_of(given: Iterable[Iterable[Mapping[str, str]]]) -> JobNeeds:
    """JobNeeds from that form."""
    return tuple(tuple(NeededProof(**needed) for needed in need) for need in given)


def page(
    reading: ReadContext, employer_id: str, *, after: str | None = None, limit: int = MOST
) -> list[RequirementOnRecord]:
    """An employer's requirements that have not ended, in the order of their ids.

    Raises NotFound for another company's.
    """
    employers.get(reading, employer_id)
    statement = _ROWS.where(
        JobRequirement.employer_id == employer_id,
        JobRequirement.ended_at.is_(None),
        scope(reading.actor, JobRequirement),
    )
    if after:
        statement = statement.where(JobRequirement.id > after)
    statement = statement.order_by(JobRequirement.id).limit(limit)
    return [_on_record(row) for row in reading.rows_as(_RequirementRow, statement)]


def get(reading: ReadContext, employer_id: str, requirement_id: str) -> RequirementOnRecord:
    """One requirement, also if it has ended. Raises NotFound, also for another company's."""
    statement = _ROWS.where(
        JobRequirement.id == requirement_id,
        JobRequirement.employer_id == employer_id,
        scope(reading.actor, JobRequirement),
    )
    row = reading.row_as(_RequirementRow, statement)
    if row is None:
        raise NotFound
    return _on_record(row)


def _on_record(row: _RequirementRow) -> RequirementOnRecord:
    values = row._asdict()
    values |= {"kind": RequirementKind(row.kind), "needs": needs_of(row.needs)}
    return RequirementOnRecord(**values)


def add(
    work: UnitOfWork, employer_id: str, *, name: str, kind: RequirementKind, needs: JobNeeds
) -> RequirementOnRecord:
    """Add a requirement.

    Raises NotFound, AlreadyRecorded if another one has the name, Invalid for needs that nobody
    could meet or one requirement too many, UnknownScheme, UnknownModule.
    """
    if len(page(work, employer_id)) >= MOST:
        rule = f"at most {MOST} at the same time"
        raise Invalid("End a requirement before you add another.", fields={"name": rule})
    rules.check_needs(needs, work.schemes, work.credentials)
    row = JobRequirement(
        employer_id=employer_id,
        name=name,
        kind=kind,
        needs=stored(needs),
        recorded_at=work.now,
    )
    work.session.add(row)
    _flush(work)
    stated = {"name": name, "kind": kind, "needs": row.needs}
    changes = history.changes(dict.fromkeys(stated), stated)
    history.record(work, "add", "job_requirement", row.id, changes=changes)
    return get(work, employer_id, row.id)


def change(
    work: UnitOfWork,
    employer_id: str,
    requirement_id: str,
    values: Mapping[str, Any],
    *,
    version: int,
) -> RequirementOnRecord:
    """Change the name, kind or needs of a requirement that has not ended.

    Raises NotFound, Stale, and what ``add`` raises.
    """
    row = _living(work, employer_id, requirement_id, version)
    if "needs" in values:
        rules.check_needs(values["needs"], work.schemes, work.credentials)
        values = {**values, "needs": stored(values["needs"])}
    changes = history.changes({name: getattr(row, name) for name in values}, values)
    for name, value in values.items():
        setattr(row, name, value)
    _flush(work)
    if changes:
        history.record(work, "change", "job_requirement", row.id, changes=changes)
    return get(work, employer_id, row.id)


def end(work: UnitOfWork, employer_id: str, requirement_id: str, *, version: int) -> None:
    """End a requirement: it stays on record and is asked for no more. Raises NotFound, Stale."""
    row = _living(work, employer_id, requirement_id, version)
    row.ended_at = work.now
    _flush(work)
    history.record(work, "end", "job_requirement", row.id)


def _living(
    work: UnitOfWork, employer_id: str, requirement_id: str, version: int
) -> JobRequirement:
    check_own_employer(work.actor, employer_id)
    row = work.session.get(JobRequirement, requirement_id)
    if row is None or row.employer_id != employer_id or row.ended_at is not None:
        raise NotFound
    if row.version != version:
        raise Stale(_STALE)
    return row


def _flush(work: UnitOfWork) -> None:
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded("There is already a requirement of this name.") from error
    except StaleDataError as error:
        raise Stale(_STALE) from error
