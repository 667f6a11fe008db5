"""Looks: each time an employer saw workers who share with it, for the holders and the employer.

Invariant: a look is on record before anything is shown, numbers included: those of a group of one
tell a standing, and so do two groups that differ by one. Only what an employer's own people and
programs see is recorded, and what is mailed to it; staff of the certification body work for the
holders.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Select, func, insert, literal, select
from sqlalchemy.orm import InstrumentedAttribute

from tracker.db import new_id
from tracker.domain.employers.looks import LookKind
from tracker.domain.errors import NotFound
from tracker.domain.permissions import check_scope
from tracker.models import Employer, EmployerLook, Holder, WorkerSeen
from tracker.services.core import bulk, history
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.core.row_scope import scope
from tracker.services.employers import employers
from tracker.services.employers.workforce_selection import WorkforceFilter, shared_holders

_NO_SCHEME = ""


@dataclass(frozen=True, slots=True)
class LookRow:
    """A look as people see it: who looked at what, and at the standing of which day."""

    id: str
    at: datetime
    employer_id: str
    employer_name: str
    name: str
    kind: LookKind
    scheme: str
    as_of: date
    workers: int


class _Look(NamedTuple):
    """What is recorded of a look beside who looked, and when."""

    employer_id: str
    kind: LookKind
    scheme: str
    as_of: date


def _look(selection: WorkforceFilter, kind: LookKind) -> _Look:
    return _Look(selection.employer_id, kind, selection.scheme.code, selection.on)


def record(
    work: UnitOfWork, selection: WorkforceFilter, kind: LookKind, holder_ids: Collection[str]
) -> None:
    """Record that the actor sees these holders, or everybody whom they asked about by number."""
    if work.actor.role != "employer":
        return
    if selection.employee_id is not None:
        _record_matching(work, selection, kind)
    elif holder_ids:
        _record_holders(work, _look(selection, kind), holder_ids)


def record_clearance(
    work: UnitOfWork,
    employer_id: str,
    schemes: Collection[str],
    kind: LookKind,
    holder_ids: Collection[str],
    *,
    on: date,
) -> None:
    """Record that the actor is told of these holders whether they are cleared on a day.

    One look for each scheme of the requirement; one of no scheme if it asks for none.
    """
    if work.actor.role != "employer" or not holder_ids:
        return
    for scheme in sorted(schemes) or [_NO_SCHEME]:
        _record_holders(work, _Look(employer_id, kind, scheme, on), holder_ids)


def _record_holders(work: UnitOfWork, look: _Look, holder_ids: Collection[str]) -> None:
    id_ = _insert(work, look, len(holder_ids))
    seen = [{"holder_id": holder_id, "look_id": id_} for holder_id in sorted(holder_ids)]
    work.execute(insert(WorkerSeen), seen)  # one statement, however many rows


def record_file(work: UnitOfWork, selection: WorkforceFilter) -> None:
    """Record that the actor gets a file of everybody who matches.

    Whoever begins to share before the file is read is in it and not on record, for a moment. The
    history says that the file left, too.
    """
    if work.actor.role == "employer":
        _record_matching(work, selection, LookKind.FILE)
        history.record(work, "export", "employer", selection.employer_id)


def record_numbers(work: UnitOfWork, selection: WorkforceFilter) -> None:
    """Record that the actor gets numbers that count everybody who matches."""
    if work.actor.role == "employer":
        _record_matching(work, selection, LookKind.NUMBERS)


def record_digest(
    work: UnitOfWork, employer_id: str, schemes: Collection[str], *, on: date
) -> None:
    """Record that a digest as of a day, which counts and names workers, is mailed to an employer.

    One look for each scheme that it counts, at everybody who shares today.
    """
    for code in schemes:
        scheme = work.schemes[code]
        today = WorkforceFilter(employer_id, scheme, work.today(scheme))
        _record_matching(work, today, LookKind.DIGEST, as_of=on)


def _record_matching(
    work: UnitOfWork, selection: WorkforceFilter, kind: LookKind, *, as_of: date | None = None
) -> None:
    """Record a look at all who match, in a fixed number of statements.

    Whoever is asked about by number is seen even if the filter leaves them out: that nobody with
    the number is valid says as much about them as a row would.
    """
    if selection.employee_id is not None:
        selection = replace(selection.group, employee_id=selection.employee_id)
    shared, parameters = shared_holders(work, selection)
    found = shared.subquery()
    count = work.execute(select(func.count()).select_from(found), parameters).scalar_one()
    if not count:
        return
    look = _look(replace(selection, on=as_of or selection.on), kind)
    id_ = _insert(work, look, count)
    seen = select(found.c.holder_id, literal(id_, EmployerLook.id.type))
    work.execute(insert(WorkerSeen).from_select(["holder_id", "look_id"], seen), parameters)


def _insert(work: UnitOfWork, look: _Look, workers: int) -> str:
    id_ = new_id()
    row = {
        "id": id_,
        "at": work.now,
        **look._asdict(),
        "name": work.actor.name,
        "credential_id": work.actor.credential_id,
        "workers": workers,
    }
    bulk.insert(work, EmployerLook, [row])
    return id_


def of_holder(
    reading: ReadContext, holder_id: str, *, after: str | None, limit: int
) -> list[LookRow]:
    """The looks that saw a holder, the newest first.

    Raises NotFound, also for another person's record.
    """
    one = Holder.id == holder_id, scope(reading.actor, Holder)
    if reading.row(select(Holder.id).where(*one)) is None:
        raise NotFound
    seen = _LOOKS.join(WorkerSeen, WorkerSeen.look_id == EmployerLook.id)
    mine = seen.where(WorkerSeen.holder_id == holder_id, scope(reading.actor, WorkerSeen))
    return _page(reading, mine, WorkerSeen.look_id, after, limit)


def mine(reading: ReadContext, *, after: str | None, limit: int) -> list[LookRow]:
    """The looks that saw the acting holder. Raises NotFound for other actors."""
    if reading.actor.holder_id is None:
        raise NotFound
    return of_holder(reading, reading.actor.holder_id, after=after, limit=limit)


def of_employer(
    reading: ReadContext, employer_id: str, *, after: str | None, limit: int
) -> list[LookRow]:
    """An employer's looks, the newest first, for those who manage and for staff.

    Raises NotFound, also for another employer; NotAllowed for somebody who may only view.
    """
    employers.get(reading, employer_id)
    if reading.actor.role == "employer":
        check_scope(reading.actor, "write")
    own = scope(reading.actor, EmployerLook)
    of_this = _LOOKS.where(EmployerLook.employer_id == employer_id, own)
    return _page(reading, of_this, EmployerLook.id, after, limit)


_LOOKS = select(
    EmployerLook.id,
    EmployerLook.at,
    EmployerLook.employer_id,
    Employer.name.label("employer_name"),
    EmployerLook.name,
    EmployerLook.kind,
    EmployerLook.scheme,
    EmployerLook.as_of,
    EmployerLook.workers,
).join(Employer, Employer.id == EmployerLook.employer_id)


def _page(
    reading: ReadContext,
    statement: Select[*tuple[object, ...]],
    id_: InstrumentedAttribute[str],
    after: str | None,
    limit: int,
) -> list[LookRow]:
    """A page by descending ids, which are in the order of time."""
    if after:
        statement = statement.where(id_ < after)
    return reading.rows_as(LookRow, statement.order_by(id_.desc()).limit(limit))
