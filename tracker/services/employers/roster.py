"""Rosters: the workers whom an employer lists as its own.

The person whom an entry means is found here and revealed to nobody: until the holder consents, an
entry that means somebody and one that means nobody look the same to the employer, in every answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Date, bindparam, select, update
from sqlalchemy.exc import IntegrityError

from tracker.db import new_id
from tracker.domain.errors import AlreadyRecorded, Invalid, NotFound
from tracker.domain.permissions import check_own_employer
from tracker.models import RosterEntry, Sharing
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.core.row_scope import scope
from tracker.services.employers import employers, employments, naming
from tracker.services.employers.consents import CONSENT, CONSENTED, EMPLOYED
from tracker.services.employers.employments import Employment
from tracker.services.employers.naming import EntryRow, NamedWorker

__all__ = [
    "CONSENT",
    "CONSENTED",
    "CURRENT",
    "EMPLOYED",
    "PLACES",
    "ListedWorker",
    "add",
    "current",
    "end",
    "get",
    "move",
    "page",
    "tie",
]


PLACES = ("site", "department", "shift")
"""What may be changed of an entry by itself; the words for a person come by a file."""


class ListedWorker(NamedTuple):
    """A roster entry; ``shared``: the worker lets the employer see them now."""

    id: str
    employer_id: str
    employee_id: str
    site: str | None
    department: str | None
    shift: str | None
    given_email: str | None
    given_number: str | None
    given_holder_ref: str | None
    holder_id: str | None
    ended_on: date | None
    recorded_at: datetime
    shared: bool


_ENTRY = select(*naming.ENTRY, Sharing.id.is_not(None).label("shared")).join(
    Sharing, CONSENTED, isouter=True
)


def add(
    work: UnitOfWork,
    employer_id: str,
    *,
    employee_id: str,
    holder_ref: str | None = None,
    certificate_number: str | None = None,
    email: str | None = None,
    site: str | None = None,
    department: str | None = None,
    shift: str | None = None,
) -> ListedWorker:
    """Add a worker to an employer's list, and ask for their consent.

    Raises NotFound, Invalid for an unknown holder_ref (only staff may give one), AlreadyRecorded
    while an entry with the employee_id is current; an ended one stays beside the new one.
    """
    employers.get(work, employer_id)
    named = NamedWorker(holder_ref, certificate_number, email)
    if holder_ref is not None and not work.actor.is_staff:
        raise Invalid("Unknown field.", fields={"holder_ref": "Unknown field."})
    employments.lock(work, [employer_id])
    meanings = naming.meant(work, [named])
    if holder_ref is not None and meanings.of(named) is None:
        raise Invalid(
            "No holder on record has this ref.", fields={"holder_ref": "is not a holder on record"}
        )
    _check_free(work, employer_id, employee_id)
    asked: dict[str, Any] = employments.asked_as_listed(work, named)
    entry = RosterEntry(
        id=new_id(),
        employer_id=employer_id,
        employee_id=employee_id,
        given_holder_ref=holder_ref,
        given_number=certificate_number,
        given_email=email,
        site=site,
        department=department,
        shift=shift,
        recorded_at=work.now,
        **asked,
    )
    _insert(work, entry)
    if holder_id := meanings.living(named):
        claims = [Employment(entry.id, employer_id, holder_id, named)]
        employments.ask(work, employments.begin(work, claims))
    return get(work, employer_id, entry.id)


def _check_free(work: UnitOfWork, employer_id: str, employee_id: str) -> None:
    """Raise AlreadyRecorded while an entry with this employee_id is current."""
    statement = select(RosterEntry.ended_on).where(
        RosterEntry.employer_id == employer_id, RosterEntry.employee_id == employee_id, EMPLOYED
    )
    current = work.row(statement, {"today": employers.today(work)})
    if current is not None:
        until = f" until {current.ended_on}" if current.ended_on else ""
        raise AlreadyRecorded(
            f"A current entry already has this employee_id{until}. End that entry first, or use "
            "another number."
        )


# How SQLite and PostgreSQL name the constraint on employee numbers.
_TAKEN_NUMBER = ("roster_entry.employee_id", "uq_roster_entry_current")


def _insert(work: UnitOfWork, entry: RosterEntry) -> None:
    work.session.add(entry)
    try:
        work.session.flush()
    except IntegrityError as error:
        if not any(sign in str(error.orig) for sign in _TAKEN_NUMBER):
            raise
        raise AlreadyRecorded("A current entry already has this employee_id.") from error
    history.record(work, "add", "roster_entry", entry.id, employer_id=entry.employer_id)


def get(reading: ReadContext, employer_id: str, entry_id: str) -> ListedWorker:
    """One entry. Raises NotFound, also for another employer's."""
    one = RosterEntry.employer_id == employer_id, RosterEntry.id == entry_id
    statement = _ENTRY.where(*one, scope(reading.actor, RosterEntry))
    row = reading.row_as(ListedWorker, statement, {"today": employers.today(reading)})
    if row is None:
        raise NotFound
    return row


def page(
    reading: ReadContext,
    employer_id: str,
    *,
    after: str | None,
    limit: int,
    filters: Mapping[str, str],
    ended: bool | None = None,
) -> list[ListedWorker]:
    """A page of entries in the order of their ids; ended ones too, unless ``ended`` is given.

    ``filters`` are values by column.
    """
    employers.get(reading, employer_id)
    statement = _ENTRY.where(RosterEntry.employer_id == employer_id)
    if after:
        statement = statement.where(RosterEntry.id > after)
    if ended is not None:
        statement = statement.where(~EMPLOYED if ended else EMPLOYED)
    for key, value in filters.items():
        statement = statement.where(getattr(RosterEntry, key) == value)
    statement = statement.order_by(RosterEntry.id).limit(limit)
    return reading.rows_as(ListedWorker, statement, {"today": employers.today(reading)})


CURRENT = (
    "employer",
    "employee_id",
    "email",
    "certificate_number",
    "site",
    "department",
    "shift",
    "ended_on",
)
"""The columns of ``current``, by the names that a file of the kind roster has."""


def current(reading: ReadContext, employer_id: str) -> list[tuple[object, ...]]:
    """An employer's current entries as it gave them, to be changed and sent again.

    Raises NotFound.
    """
    own = employers.get(reading, employer_id)
    table = RosterEntry
    statement = select(
        table.employee_id,
        table.given_email,
        table.given_number,
        table.site,
        table.department,
        table.shift,
        table.ended_on,
    ).where(table.employer_id == employer_id, EMPLOYED)
    rows = reading.rows(statement.order_by(table.employee_id), {"today": employers.today(reading)})
    return [(own.name, *row) for row in rows]


def move(
    work: UnitOfWork, employer_id: str, entry_id: str, values: Mapping[str, str | None]
) -> None:
    """Change site, department or shift of a current entry; nobody is told or asked.

    Raises NotFound, also for an entry that has ended.
    """
    check_own_employer(work.actor, employer_id)
    employments.lock(work, [employer_id])
    before = get(work, employer_id, entry_id)
    if before.ended_on is not None and before.ended_on <= employers.today(work):
        raise NotFound
    known = {name: getattr(before, name) for name in PLACES}
    changed = history.changes(known, {**known, **values})
    if changed:
        after = {name: value for name, (_, value) in changed.items()}
        work.execute(update(RosterEntry).where(RosterEntry.id == entry_id).values(after))
        history.record(work, "move", "roster_entry", entry_id, changes=changed)


def end(work: UnitOfWork, employer_id: str, entry_id: str) -> None:
    """End a worker's employment today; access and consent end at once, the entry stays on record.

    The worker is notified. Raises NotFound, also for an entry that has ended.
    """
    check_own_employer(work.actor, employer_id)
    employments.lock(work, [employer_id])
    table, today = RosterEntry, employers.today(work)
    entry = work.row_as(
        EntryRow,
        update(table)
        .where(table.id == entry_id, table.employer_id == employer_id, EMPLOYED)
        .values(ended_on=bindparam("today", type_=Date))
        .returning(*naming.ENTRY),
        {"today": today},
    )
    if entry is None:
        raise NotFound
    history.record(work, "end", "roster_entry", entry_id, employer_id=employer_id)
    if entry.holder_id is not None:
        ended = Employment(entry_id, employer_id, entry.holder_id, entry.named, today)
        employments.ask(work, employments.finish(work, [ended]))


def tie(work: UnitOfWork, employer_id: str, holder_id: str) -> None:
    """Tie the holder to an entry of the employer that meant nobody when it was written.

    Called when the holder consents: a certificate or an address may be newer than the entry.
    """
    for entry in employments.tie(work, employments.claims_of(work, holder_id, employer_id)):
        history.record(work, "tie", "roster_entry", entry.id, employer_id=employer_id)
