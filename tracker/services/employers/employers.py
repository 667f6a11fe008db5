"""Employers: companies on record, and access to their data."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from tracker.db import new_id
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.errors import AlreadyRecorded, NotAllowed, NotFound, Stale
from tracker.domain.permissions import check_own_employer
from tracker.domain.values import folded_name
from tracker.models import Employer, RosterEntry, Sharing
from tracker.models.notices import LONGEST_EVENT
from tracker.services.core import bulk, days, history
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.employers.consents import CONSENTED
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell

_SIMILAR = 0.85  # similarity of two names from which one may be meant for the other
_STALE = "The record has changed since you read it; read it again."


class EmployerRow(NamedTuple):
    """A company on record."""

    id: str
    name: str
    email: str | None
    recorded_at: datetime
    version: int


_ONE = select(*columns_of(EmployerRow, Employer))


def today(reading: ReadContext) -> date:
    """The day that decides employment and consent, the same in every request."""
    return days.today_everywhere(reading)


def day_of(reading: ReadContext, instant: datetime) -> date:
    """The date of an instant by the same calendar."""
    return today(replace(reading, now=instant))


def register(work: UnitOfWork, *, name: str, email: str | None = None) -> EmployerRow:
    """Register a company. Raises AlreadyRecorded if the name is taken, in any spelling."""
    _check_name(work, name)
    employer = Employer(id=new_id(), name=name, email=email, recorded_at=work.now)
    work.session.add(employer)
    _flush(work, employer.name)
    history.record(work, "register", "employer", employer.id, name=employer.name)
    return get(work, employer.id)


def _check_name(reading: ReadContext, name: str, *, own: str | None = None) -> None:
    """Raise AlreadyRecorded if another employer has the name; ``own`` may be respelled."""
    same, _ = near(reading, [name])[name]
    if same is not None and same != own:
        raise AlreadyRecorded(f"There is already an employer named {same!r}.")


def get(reading: ReadContext, employer_id: str) -> EmployerRow:
    """An employer's row. Raises NotFound, also for another company's."""
    check_own_employer(reading.actor, employer_id)
    row = reading.row_as(EmployerRow, _ONE.where(Employer.id == employer_id))
    if row is None:
        raise NotFound
    return row


def of_name(reading: ReadContext, name: str) -> str | None:
    """The id of the employer with exactly this name."""
    row = reading.row(select(Employer.id).where(Employer.name == name))
    return str(row.id) if row else None


def near(reading: ReadContext, names: Collection[str]) -> dict[str, tuple[str | None, str | None]]:
    """For each name, the employer on record with another spelling of it, and a similar one."""
    by_key = {folded_name(row.name): str(row.name) for row in reading.rows(select(Employer.name))}
    return {name: (by_key.get(folded_name(name)), _similar(name, by_key)) for name in names}


def _similar(name: str, by_key: Mapping[str, str]) -> str | None:
    matches = difflib.get_close_matches(folded_name(name), by_key, n=1, cutoff=_SIMILAR)
    return by_key[matches[0]] if matches else None


def page(
    reading: ReadContext, *, after: str | None, limit: int, name: str | None
) -> list[EmployerRow]:
    """A page of employers in the order of their ids.

    Names match by their beginning, ignoring case, accents and punctuation.
    """
    statement = _ONE.order_by(Employer.id).limit(limit)
    if after:
        statement = statement.where(Employer.id > after)
    if name:
        statement = statement.where(bulk.among(reading, Employer.id, _called(reading, name)))
    return reading.rows_as(EmployerRow, statement)


def _called(reading: ReadContext, start: str) -> set[str]:
    """The ids of the employers whose name begins with this."""
    begins = folded_name(start)
    rows = reading.rows(select(Employer.id, Employer.name))
    return {row.id for row in rows if folded_name(row.name).startswith(begins)}


def correct(
    work: UnitOfWork, employer_id: str, values: Mapping[str, str | None], *, version: int
) -> EmployerRow:
    """Change a company's record; workers who share with it are notified of a new name.

    Raises NotFound, NotAllowed for an employer that changes its own name, Stale if the record has
    changed, AlreadyRecorded if another employer has the name.
    """
    check_own_employer(work.actor, employer_id)
    employer = work.session.get(Employer, employer_id)
    if employer is None:
        raise NotFound
    if employer.version != version:
        raise Stale(_STALE)
    before, name = employer.name, values.get("name") or employer.name
    if name != before:
        _check_granted(work)
        _check_name(work, name, own=before)
    changed = history.changes({key: getattr(employer, key) for key in values}, values)
    for key, value in values.items():
        setattr(employer, key, value)
    _flush(work, name)
    history.record(work, "correct", "employer", employer_id, changes=changed)
    if "name" in changed:
        _tell_renamed(work, employer_id, f"{employer.version}:{before}"[:LONGEST_EVENT])
    return get(work, employer_id)


def _check_granted(work: UnitOfWork) -> None:
    """Refuse an employer a name of its own choice: it appears in messages that we sign."""
    if not work.actor.is_staff:
        raise NotAllowed("Only staff can change a company's name; ask the issuer to change it.")


def _tell_renamed(work: UnitOfWork, employer_id: str, event: str) -> None:
    statement = select(RosterEntry.holder_id).join(Sharing, CONSENTED)
    rows = work.rows(
        statement.where(RosterEntry.employer_id == employer_id), {"today": (day := today(work))}
    )
    news = (
        NoticeToTell(
            kind=NoticeKind.EMPLOYER_RENAMED,
            holder_id=row.holder_id,
            subject_id=employer_id,
            event=event,
            on=day,
        )
        for row in rows
    )
    notices.tell(work, news)


def _flush(work: UnitOfWork, name: str) -> None:
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded(f"There is already an employer named {name!r}.") from error
    except StaleDataError as error:
        raise Stale(_STALE) from error
