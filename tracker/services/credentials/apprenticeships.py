"""Registered apprenticeships: recorded by staff, seen by sponsors with the holder's consent.

Invariant: a sponsor sees an apprenticeship through ``scope()`` alone, which asks for the consent,
and the apprentice's name and modules only with it; all end the moment that the holder ends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tracker.domain.credentials import candidates
from tracker.domain.credentials.apprenticeships import ApprenticeshipStatus, ApprenticeshipTerms
from tracker.domain.credentials.candidates import Candidacy
from tracker.domain.errors import AlreadyRecorded, Invalid, NotFound
from tracker.domain.permissions import check_own_holder
from tracker.models import Apprenticeship, Holder, Sponsor
from tracker.services.core import bulk, history, locks
from tracker.services.core.context import (
    ReadContext,
    UnitOfWork,
    columns_of,
    sees_everything,
    zone_of,
)
from tracker.services.core.row_scope import scope
from tracker.services.credentials import sponsor_consents
from tracker.services.standings import snapshots

STATED = (
    "sponsor_id",
    "scheme",
    "program_code",
    "occupation",
    "status",
    "started_on",
    "expected_end_on",
    "ended_on",
    "instruction_hours",
    "instruction_hours_required",
)
"""What a record states about an apprenticeship."""


class ApprenticeshipRow(NamedTuple):
    """An apprenticeship as it is on record, with the name of the sponsor."""

    id: str
    holder_id: str
    sponsor_id: str
    scheme: str
    program_code: str
    occupation: str
    status: str
    started_on: date
    expected_end_on: date | None
    ended_on: date | None
    instruction_hours: int
    instruction_hours_required: int | None
    consented_at: datetime | None
    consent_ended_at: datetime | None
    name: str

    @property
    def is_shared(self) -> bool:
        """Whether the sponsor may see it."""
        return self.consented_at is not None and self.consent_ended_at is None

    @property
    def terms(self) -> ApprenticeshipTerms:
        """What it says about its course."""
        return _terms_of(self)


class Apprentice(NamedTuple):
    """The person of an apprenticeship."""

    id: str
    given_name: str
    family_name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class ApprenticeshipProgress:
    """An apprenticeship and the modules credited to it, on the apprentice's day."""

    row: ApprenticeshipRow
    apprentice: Apprentice
    modules: Candidacy
    on: date


_ROWS = select(*columns_of(ApprenticeshipRow, Apprenticeship, Sponsor)).join(
    Sponsor, Sponsor.id == Apprenticeship.sponsor_id
)


def page(
    reading: ReadContext,
    *,
    holder_id: str | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> list[ApprenticeshipProgress]:
    """A page of the apprenticeships that the actor sees, in the order of their ids."""
    statement = _ROWS.where(scope(reading.actor, Apprenticeship))
    if holder_id:
        statement = statement.where(Apprenticeship.holder_id == holder_id)
    if after:
        statement = statement.where(Apprenticeship.id > after)
    rows = reading.rows_as(ApprenticeshipRow, statement.order_by(Apprenticeship.id).limit(limit))
    return _with_apprentices(reading, rows)


def get(reading: ReadContext, apprenticeship_id: str) -> ApprenticeshipProgress:
    """One apprenticeship. Raises NotFound, also for one that the actor does not see."""
    seen = scope(reading.actor, Apprenticeship)
    row = reading.row_as(
        ApprenticeshipRow, _ROWS.where(Apprenticeship.id == apprenticeship_id, seen)
    )
    if row is None:
        raise NotFound
    return _with_apprentices(reading, [row])[0]


@sees_everything
def _with_apprentices(
    reading: ReadContext, rows: Sequence[ApprenticeshipRow]
) -> list[ApprenticeshipProgress]:
    """The apprentices' names and the modules that they passed, of rows that the actor has seen.

    A consent covers both; what else somebody attempted is not told.
    """
    ids = {row.holder_id for row in rows}
    named = select(*columns_of(Apprentice, Holder)).where(bulk.among(reading, Holder.id, ids))
    apprentices = {one.id: one for one in reading.rows_as(Apprentice, named)} if ids else {}
    attempts = snapshots.attempts(reading, ids) if ids else {}
    return [
        ApprenticeshipProgress(
            row,
            one := apprentices[row.holder_id],
            candidates.candidacy(
                reading.schemes[row.scheme],
                [a for a in attempts.get((row.holder_id, row.scheme), ()) if a.passed],
            ),
            reading.now.astimezone(zone_of(one.time_zone)).date(),
        )
        for row in rows
    ]


_CONSENTED = frozenset({"sponsor_id", "scheme"})
"""What a consent is about; it ends when one of these becomes another."""


# By the staff.
def register(work: UnitOfWork, holder_id: str, stated: Mapping[str, Any]) -> str:
    """Record an apprenticeship; returns its id. ``stated`` are values of ``STATED``.

    Raises Invalid, AlreadyRecorded for the same one twice, SelfReview, NotFound.
    """
    locks.lock_one_to_decide(work, holder_id)
    row = Apprenticeship(
        holder_id=holder_id, **stated, recorded_at=work.now, recorded_by=work.actor.name
    )
    _check(work, row)
    work.session.add(row)
    _flush(work)
    detail = {name: getattr(row, name) for name in STATED}
    history.record(work, "register", "apprenticeship", row.id, **detail)
    return row.id


def correct(
    work: UnitOfWork, apprenticeship_id: str, values: Mapping[str, Any], *, reason: str
) -> None:
    """Change what an apprenticeship states: its status, its hours, or what was recorded wrong.

    Another sponsor sees it only if the holder consents again, and so does the same one if it is of
    another scheme, whose modules nobody agreed to show. Raises Invalid, also if nothing
    changes, AlreadyRecorded, SelfReview, NotFound.
    """
    row = _locked(work, apprenticeship_id, decides=True)
    changes = history.changes(
        {name: getattr(row, name) for name in STATED},
        {name: values.get(name, getattr(row, name)) for name in STATED},
    )
    if not changes:
        raise Invalid("Nothing changes.", fields=dict.fromkeys(values, "already has this value"))
    for name, value in values.items():
        setattr(row, name, value)
    if not _CONSENTED.isdisjoint(changes):
        row.consented_at = row.consent_ended_at = None
    _check(work, row)
    _flush(work)
    history.record(work, "correct", "apprenticeship", row.id, reason=reason, changes=changes)


# By the holder; staff end a consent for somebody who asks them to, and never give one.
def consent(work: UnitOfWork, apprenticeship_id: str) -> None:
    """Let the sponsor see the apprenticeship. Raises IllegalTransition, NotFound."""
    sponsor_consents.give(work, _locked(work, apprenticeship_id))


def end_consent(work: UnitOfWork, apprenticeship_id: str) -> None:
    """End the sponsor's access at once. Raises IllegalTransition, NotFound."""
    sponsor_consents.end(work, _locked(work, apprenticeship_id))


def _locked(work: UnitOfWork, apprenticeship_id: str, *, decides: bool = False) -> Apprenticeship:
    """An apprenticeship to change, with its holder locked."""
    row = work.session.get(Apprenticeship, apprenticeship_id)
    if row is None:
        raise NotFound
    check_own_holder(work.actor, row.holder_id)
    lock = locks.lock_one_to_decide if decides else locks.lock_one
    lock(work, row.holder_id)
    work.reread(row)
    return row


def _check(work: UnitOfWork, row: Apprenticeship) -> None:
    """Refuse what cannot be: a sponsor or scheme that there is not, dates in disorder."""
    holder = work.row(select(Holder.time_zone).where(Holder.id == row.holder_id))
    if holder is None:
        raise NotFound
    work.schemes[row.scheme]
    if work.row(select(Sponsor.id).where(Sponsor.id == row.sponsor_id)) is None:
        raise Invalid("There is no such sponsor.", fields={"sponsor_id": "is unknown"})
    _terms_of(row).check(on=work.now.astimezone(zone_of(holder.time_zone)).date())


def _terms_of(row: Apprenticeship | ApprenticeshipRow) -> ApprenticeshipTerms:
    return ApprenticeshipTerms(
        status=ApprenticeshipStatus(row.status),
        started_on=row.started_on,
        expected_end_on=row.expected_end_on,
        ended_on=row.ended_on,
        instruction_hours=row.instruction_hours,
        instruction_hours_required=row.instruction_hours_required,
    )


def _flush(work: UnitOfWork) -> None:
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded("This apprenticeship is already on record.") from error
