"""Employers confirm once a year that somebody worked for them; that is evidence for the points.

Invariant: an employer confirms only for workers who share with it, and never for whoever signs. A
confirmation is evidence while it stands: withdrawn, or contested by the holder, it is none, and
what was approved by it, or by several of which it is one, waits for a reviewer again. Nothing is
overwritten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.exc import IntegrityError

from tracker.domain.employers import confirmations as rules
from tracker.domain.employers.confirmations import YearToConfirm
from tracker.domain.errors import (
    AlreadyRecorded,
    IllegalTransition,
    NotAllowed,
    NotFound,
    SelfReview,
)
from tracker.domain.periods import Period
from tracker.domain.permissions import check_own_employer
from tracker.domain.points.activities import ActivityState
from tracker.domain.values import folded_name
from tracker.models import Activity, Employer, EmploymentConfirmation, Holder, RosterEntry, Sharing
from tracker.services.core import bulk, history, identities, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of, sees_everything
from tracker.services.core.row_scope import scope
from tracker.services.employers import employers
from tracker.services.employers.consents import CONSENTED, EMPLOYED
from tracker.services.people import holders
from tracker.services.points import activities, activity_decisions


class SharedWorker(NamedTuple):
    """A worker who shares with the employer: the entry, the person, since when they are listed."""

    entry_id: str
    employee_id: str
    holder_id: str
    given_name: str
    family_name: str
    listed_at: datetime


class ConfirmationRow(NamedTuple):
    """A confirmation with the employer and the person."""

    id: str
    holder_id: str
    employer_id: str
    year: int
    starts_on: date
    ends_on: date
    signed_by: str
    recorded_at: datetime
    contested_at: datetime | None
    contest: str | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_reason: str | None
    name: str
    given_name: str
    family_name: str

    @property
    def counts(self) -> bool:
        """Whether it is evidence today."""
        return self.withdrawn_at is None and self.contested_at is None


@dataclass(frozen=True, slots=True)
class DueWorker:
    """A worker, and the years that are over and that the employer has not confirmed."""

    worker: SharedWorker
    years: Sequence[YearToConfirm]


@dataclass(frozen=True, slots=True)
class MissingYears:
    """The years that an employer has not confirmed for the holder."""

    employer: str
    years: Sequence[int]


_SHARED: Select[*tuple[object, ...]] = (
    select(
        RosterEntry.id.label("entry_id"),
        RosterEntry.employee_id,
        Holder.id.label("holder_id"),
        Holder.given_name,
        Holder.family_name,
        RosterEntry.recorded_at.label("listed_at"),
    )
    .select_from(RosterEntry)
    .join(Sharing, CONSENTED)
    .join(Holder, Holder.id == Sharing.holder_id)
)
_ROWS = (
    select(*columns_of(ConfirmationRow, EmploymentConfirmation, Employer, Holder))
    .select_from(EmploymentConfirmation)
    .join(Employer, Employer.id == EmploymentConfirmation.employer_id)
    .join(Holder, Holder.id == EmploymentConfirmation.holder_id)
)


def shared_worker(reading: ReadContext, employer_id: str, entry_id: str) -> SharedWorker:
    """A worker of the list who shares today.

    Raises NotFound, IllegalTransition for one who does not share.
    """
    check_own_employer(reading.actor, employer_id)
    today = {"today": employers.today(reading)}
    which = RosterEntry.id == entry_id, RosterEntry.employer_id == employer_id
    found = reading.row_as(SharedWorker, _SHARED.where(*which), today)
    if found is not None:
        return found
    if reading.row(select(RosterEntry.id).where(*which)) is None:
        raise NotFound
    raise IllegalTransition(
        "This worker does not share with you, so you can sign nothing about them. Ask for consent.",
        state="not_shared",
    )


def check_signer(work: UnitOfWork, employer_id: str, holder_id: str) -> None:
    """Refuse whoever is not the employer, and whoever would sign for themselves.

    Raises NotAllowed, SelfReview.
    """
    if work.actor.employer_id != employer_id:
        raise NotAllowed("Only the employer itself signs for its workers.", role=work.actor.role)
    if holder_id in identities.behind(work):
        raise SelfReview("You cannot sign for yourself; a colleague must.")


@sees_everything
def confirm(
    work: UnitOfWork,
    employer_id: str,
    entry_id: str,
    year: int,
    *,
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> str:
    """Confirm that a worker was employed on days of a year; returns the confirmation's id.

    Without days, those since the worker was listed. Jobs that the holder has submitted are approved
    if the certification body trusts the employer and every day of them is confirmed. Raises
    AlreadyRecorded, Invalid, NotAllowed, SelfReview, IllegalTransition, NotFound.
    """
    worker = shared_worker(work, employer_id, entry_id)
    check_signer(work, employer_id, worker.holder_id)
    today = employers.today(work)
    usual = rules.days_of(year, since=employers.day_of(work, worker.listed_at), today=today)
    period = Period(starts_on or usual.starts_on, ends_on or usual.ends_on)
    rules.check_days(year, period, today=today)
    locks.lock_one(work, worker.holder_id)
    row = EmploymentConfirmation(
        holder_id=worker.holder_id,
        employer_id=employer_id,
        year=year,
        starts_on=period.starts_on,
        ends_on=period.ends_on,
        signed_by=work.actor.name,
        recorded_at=work.now,
    )
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded(
            f"The employment in {year} is confirmed; withdraw that to confirm other days."
        ) from error
    detail = {"year": year, "starts_on": period.starts_on, "ends_on": period.ends_on}
    history.record(work, "confirm", "employment_confirmation", row.id, **detail)
    _approve(work, row)
    return row.id


def _approve(work: UnitOfWork, row: EmploymentConfirmation) -> None:
    """Approve the submitted jobs of which a trusted employer confirmed every day.

    Those without a last day, and those that a reviewer has open, wait for a reviewer. Each
    confirmation of some of the days bears the decision, which falls with any of them.
    """
    employer = work.session.get_one(Employer, row.employer_id)
    if not employer.confirms_directly:
        return
    standing = _standing(work, row)
    reason = f"Every month was confirmed by {row.signed_by} for {employer.name}."
    for job, days in _waiting_jobs(work, row.holder_id, employer.name):
        behind = [one for one in standing if days.overlaps(_days(one))]
        if rules.covers(map(_days, behind), days):
            made = activity_decisions.approve_as_confirmed(
                work, job, signer=row.signed_by, reason=reason
            )
            for one in behind:
                one.decisions = [*one.decisions, *made]
    work.session.flush()


def _standing(work: UnitOfWork, row: EmploymentConfirmation) -> Sequence[EmploymentConfirmation]:
    """What the same employer confirmed of the holder and stands today."""
    table = EmploymentConfirmation
    statement = select(table).where(
        table.holder_id == row.holder_id,
        table.employer_id == row.employer_id,
        table.withdrawn_at.is_(None),
        table.contested_at.is_(None),
    )
    return work.session.scalars(statement.order_by(table.id)).all()


def _days(row: EmploymentConfirmation) -> Period:
    return Period(row.starts_on, row.ends_on)


def _waiting_jobs(
    work: UnitOfWork, holder_id: str, employer: str
) -> Sequence[tuple[Activity, Period]]:
    """The submitted jobs with an employer that have a last day, with their days."""
    waiting = select(Activity).where(
        Activity.holder_id == holder_id, Activity.state == ActivityState.SUBMITTED
    )
    named = folded_name(employer)
    return [
        (job, Period(job.starts_on, job.completed_on))
        for job in work.session.scalars(waiting.order_by(Activity.id)).all()
        if job.starts_on and job.completed_on and folded_name(job.provider) == named
        if activities.is_job(work, job)
    ]


@sees_everything
def withdraw(work: UnitOfWork, confirmation_id: str, *, reason: str) -> None:
    """Take a confirmation back; what was approved by it waits for a reviewer again.

    Raises IllegalTransition, NotFound.
    """
    row = _locked(work, confirmation_id)
    if row.withdrawn_at is not None:
        raise IllegalTransition("It was withdrawn before.", state="withdrawn")
    row.withdrawn_at, row.withdrawn_by, row.withdrawn_reason = work.now, work.actor.name, reason
    _end(work, row, "withdraw", reason=reason)


@sees_everything
def contest(work: UnitOfWork, confirmation_id: str, *, statement: str) -> None:
    """Have the holder say that it is wrong: it is no evidence until they take that back.

    Raises IllegalTransition, NotFound.
    """
    row = _locked(work, confirmation_id, role="holder")
    if row.contested_at is not None or row.withdrawn_at is not None:
        raise IllegalTransition("It is contested or withdrawn already.", state="ended")
    row.contested_at, row.contest = work.now, statement
    _end(work, row, "contest", changes={"contest": (None, statement)})


@sees_everything
def end_contest(work: UnitOfWork, confirmation_id: str) -> None:
    """Have the holder say that it is right after all. Raises IllegalTransition, NotFound."""
    row = _locked(work, confirmation_id, role="holder")
    if row.contested_at is None:
        raise IllegalTransition("It is not contested.", state="uncontested")
    changes = {"contest": (row.contest, None)}
    row.contested_at = row.contest = None
    work.session.flush()
    history.record(work, "end_contest", "employment_confirmation", row.id, changes=changes)


def _end(work: UnitOfWork, row: EmploymentConfirmation, action: str, **detail: object) -> None:
    work.session.flush()
    history.record(work, action, "employment_confirmation", row.id, **detail)
    why = f"The employer's confirmation of {row.year} no longer stands."
    activity_decisions.take_back_approvals(work, row.decisions, reason=why)


def _locked(
    work: UnitOfWork, confirmation_id: str, *, role: str | None = None
) -> EmploymentConfirmation:
    """A confirmation that the actor sees, with its holder locked. Raises NotFound."""
    table = EmploymentConfirmation
    seen = select(table).where(table.id == confirmation_id, scope(work.actor, table))
    row = work.session.scalars(seen).one_or_none()
    if row is None or (role == "holder" and row.holder_id != work.actor.holder_id):
        raise NotFound
    locks.lock_one(work, row.holder_id)
    work.reread(row)
    return row


def trust(work: UnitOfWork, employer_id: str, *, directly: bool, reason: str) -> None:
    """Have what an employer confirms count without a reviewer from now on, or no longer.

    Raises IllegalTransition if that is so already, NotFound.
    """
    mine = Employer.id == employer_id, scope(work.actor, Employer)
    found = work.row(select(Employer.confirms_directly).where(*mine).with_for_update())
    if found is None:
        raise NotFound
    if found.confirms_directly == directly:
        now = "count without a reviewer" if directly else "wait for a reviewer"
        raise IllegalTransition(f"Its confirmations {now} already.", state=str(directly))
    values = {"confirms_directly": directly, "version": Employer.version + 1}
    work.execute(update(Employer).where(Employer.id == employer_id).values(**values))
    changes = {"confirms_directly": (found.confirms_directly, directly)}
    history.record(work, "trust", "employer", employer_id, reason=reason, changes=changes)


# Reading.
@sees_everything
def get(reading: ReadContext, confirmation_id: str) -> ConfirmationRow:
    """One confirmation. Raises NotFound, also for one that the actor does not see."""
    seen = scope(reading.actor, EmploymentConfirmation)
    found = reading.row_as(
        ConfirmationRow, _ROWS.where(EmploymentConfirmation.id == confirmation_id, seen)
    )
    if found is None:
        raise NotFound
    return found


@sees_everything
def page(
    reading: ReadContext,
    *,
    after: str | None = None,
    limit: int | None = None,
    holder_id: str | None = None,
    employer_id: str | None = None,
) -> list[ConfirmationRow]:
    """A page of the confirmations that the actor sees, also those that no longer stand."""
    table = EmploymentConfirmation
    statement = _ROWS.where(scope(reading.actor, table)).order_by(table.id).limit(limit)
    if holder_id is not None:
        statement = statement.where(table.holder_id == holder_id)
    if employer_id is not None:
        statement = statement.where(table.employer_id == employer_id)
    if after:
        statement = statement.where(table.id > after)
    return reading.rows_as(ConfirmationRow, statement)


@sees_everything
def latest(
    reading: ReadContext, employer_id: str, *, before: str | None, limit: int
) -> list[ConfirmationRow]:
    """What an employer confirmed, the latest first, from before a confirmation on."""
    table = EmploymentConfirmation
    mine = table.employer_id == employer_id, scope(reading.actor, table)
    statement = _ROWS.where(*mine).order_by(table.id.desc()).limit(limit)
    if before:
        statement = statement.where(table.id < before)
    return reading.rows_as(ConfirmationRow, statement)


def due(
    reading: ReadContext, employer_id: str, *, after: str | None, limit: int
) -> list[DueWorker]:
    """A page of the workers who share, each with the years to confirm, by the ids of entries.

    Raises NotFound.
    """
    employers.get(reading, employer_id)
    statement = _SHARED.where(RosterEntry.employer_id == employer_id).order_by(RosterEntry.id)
    if after:
        statement = statement.where(RosterEntry.id > after)
    today = employers.today(reading)
    workers = reading.rows_as(SharedWorker, statement.limit(limit), {"today": today})
    table = EmploymentConfirmation
    confirmed: dict[str, set[int]] = defaultdict(set)
    signed = select(table.holder_id, table.year).where(
        table.employer_id == employer_id,
        table.withdrawn_at.is_(None),
        bulk.among(reading, table.holder_id, {one.holder_id for one in workers}),
    )
    for row in reading.rows(signed):
        confirmed[row.holder_id].add(row.year)
    return [
        DueWorker(
            one,
            rules.missing(
                employers.day_of(reading, one.listed_at), confirmed[one.holder_id], today=today
            ),
        )
        for one in workers
    ]


@sees_everything
def missing(reading: ReadContext, holder_id: str) -> list[MissingYears]:
    """The years that are over and that employers who list the holder have not confirmed.

    For the holder themselves and for staff. Raises NotFound for another's record.
    """
    holders.get(reading, holder_id)
    today = employers.today(reading)
    listed = reading.rows(_LISTED, {"id": holder_id, "today": today})
    confirmed: dict[str, set[int]] = defaultdict(set)
    for row in reading.rows(_CONFIRMED, {"id": holder_id}):
        confirmed[row.employer_id].add(row.year)
    found = [
        MissingYears(
            row.name,
            [
                one.year
                for one in rules.missing(
                    employers.day_of(reading, row.recorded_at), confirmed[row.id], today=today
                )
            ],
        )
        for row in sorted(listed, key=lambda row: row.name.casefold())
    ]
    return [one for one in found if one.years]


_LISTED = (
    select(Employer.id, Employer.name, RosterEntry.recorded_at)
    .join(Employer, Employer.id == RosterEntry.employer_id)
    .where(RosterEntry.holder_id == bindparam("id"), EMPLOYED)
)
_CONFIRMED = select(EmploymentConfirmation.employer_id, EmploymentConfirmation.year).where(
    EmploymentConfirmation.holder_id == bindparam("id"),
    EmploymentConfirmation.withdrawn_at.is_(None),
)
OF_HOLDER = (_LISTED, _CONFIRMED)
"""Who lists the holder ``id``, and the years that are confirmed; can be prefetched."""
