"""Sharing: who sees a holder's standing, with the holder's consent, and what they see."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import BindParameter, Select, and_, bindparam, case, select, update

from tracker.db import new_id
from tracker.domain.employers.consents import (
    ConsentAnswer,
    ConsentEnd,
    ConsentField,
    ConsentPurpose,
    ConsentTerms,
)
from tracker.domain.employers.workforce import SEEN
from tracker.domain.errors import AlreadyRecorded, Invalid, NotFound
from tracker.domain.periods import DAY
from tracker.models import Employer, EmployerBar, Holder, RosterEntry, Sharing
from tracker.services.core import history, locks
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.core.row_scope import scope
from tracker.services.employers import bars, consents, employers, employments, roster
from tracker.services.employers.consents import CONSENT, EMPLOYED, OUTLIVED

LIVE = and_(CONSENT, ~OUTLIVED)
USUAL = ConsentTerms()
"""The standing with its dates, to see whether somebody may do their job."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """An employer who lists the holder, or has the holder's consent or bar."""

    id: str | None
    employer_id: str
    employer_name: str
    on_roster: bool
    since: date | None
    until_on: date | None
    terms: ConsentTerms | None
    barred: bool = False

    @property
    def shared(self) -> bool:
        """Whether a consent is in force."""
        return self.id is not None

    @property
    def fields(self) -> tuple[ConsentField, ...]:
        """What the consent covers; nothing without one."""
        return self.terms.fields if self.terms else ()

    @property
    def seen(self) -> tuple[str, ...]:
        """What the employer sees today: nothing without consent, or without employment."""
        shown = self.fields if self.on_roster else ()
        return tuple(name for field in shown for name in SEEN[field])


def viewers(reading: ReadContext, holder_id: str) -> list[Viewer]:
    """Every employer who lists the holder, has their consent or is barred, by name.

    Raises NotFound, also for another person's record.
    """
    one = Holder.id == holder_id, scope(reading.actor, Holder)
    if reading.row(select(Holder.id).where(*one)) is None:
        raise NotFound
    parameters = {"id": holder_id, "today": employers.today(reading)}
    return [_viewer(row) for row in reading.rows_as(_ViewerRow, _VIEWERS, parameters)]


def _viewers() -> Select[*tuple[object, ...]]:
    holder: BindParameter[str] = bindparam("id")
    entry = and_(RosterEntry.employer_id == Employer.id, RosterEntry.holder_id == holder, EMPLOYED)
    consented = and_(Sharing.employer_id == Employer.id, Sharing.holder_id == holder, LIVE)
    barred = and_(EmployerBar.employer_id == Employer.id, EmployerBar.holder_id == holder)
    # By the indexes on holder_id; a condition over all employers would read all of them.
    mine = (
        select(RosterEntry.employer_id)
        .where(RosterEntry.holder_id == holder, EMPLOYED)
        .union(
            select(Sharing.employer_id).where(Sharing.holder_id == holder, LIVE),
            select(EmployerBar.employer_id).where(EmployerBar.holder_id == holder),
        )
    )
    return (
        select(
            Sharing.id,
            Employer.id.label("employer_id"),
            Employer.name,
            RosterEntry.id.is_not(None).label("on_roster"),
            Sharing.consented_on,
            Sharing.until_on,
            RosterEntry.ended_on,
            Sharing.purpose,
            Sharing.with_dates,
            Sharing.with_points,
            Sharing.with_modules,
            Sharing.with_credentials,
            EmployerBar.employer_id.is_not(None).label("barred"),
        )
        .select_from(Employer)
        .join(Sharing, consented, isouter=True)
        .join(RosterEntry, entry, isouter=True)
        .join(EmployerBar, barred, isouter=True)
        .where(Employer.id.in_(mine))
        .order_by(Employer.name)
    )


_VIEWERS = _viewers()


class _ViewerRow(NamedTuple):
    id: str | None
    employer_id: str
    name: str
    on_roster: bool
    consented_on: date | None
    until_on: date | None
    ended_on: date | None
    purpose: str | None
    with_dates: bool | None
    with_points: bool | None
    with_modules: bool | None
    with_credentials: bool | None
    barred: bool

    @property
    def terms(self) -> ConsentTerms | None:
        """What the consent covers, if there is one."""
        if self.purpose is None:
            return None
        return ConsentTerms(
            ConsentPurpose(self.purpose),
            with_dates=bool(self.with_dates),
            with_points=bool(self.with_points),
            with_modules=bool(self.with_modules),
            with_credentials=bool(self.with_credentials),
        )


def _viewer(row: _ViewerRow) -> Viewer:
    """A viewer; a consent lasts no longer than an employment with a recorded end."""
    last_days = [row.until_on, row.ended_on and row.ended_on - DAY]
    return Viewer(
        id=row.id,
        employer_id=row.employer_id,
        employer_name=row.name,
        on_roster=bool(row.on_roster),
        since=row.consented_on,
        until_on=min((day for day in last_days if day and row.id), default=None),
        terms=row.terms,
        barred=row.barred,
    )


def consent(
    work: UnitOfWork, employer_id: str, terms: ConsentTerms = USUAL, *, until_on: date | None = None
) -> Viewer:
    """Let an employer see what the terms cover from now on, through ``until_on`` if it is given.

    It holds for the present employment and ends with it; an employer that lists the holder only
    later must ask then.

    Raises Invalid for an unknown employer or a day in the past, AlreadyRecorded while a consent is
    in force or the employer is barred, NotFound for other actors.
    """
    holder_id, today = _me(work), employers.today(work)
    check_day(work, until_on)
    if work.row(select(Employer.id).where(Employer.id == employer_id)) is None:
        rule = "is not an employer on record"
        raise Invalid("There is no such employer.", fields={"employer_id": rule})
    employments.lock(work, [employer_id])
    locks.lock_one(work, holder_id)
    bars.check_none(work, holder_id, employer_id)
    _make_room(work, holder_id, employer_id)
    values = {
        "id": (id_ := new_id()),
        "holder_id": holder_id,
        "employer_id": employer_id,
        "consented_on": today,
        "until_on": until_on,
        **asdict(terms),
        "recorded_at": work.now,
        "recorded_by": work.actor.name,
    }
    made = work.upsert(Sharing).values(values).on_conflict_do_nothing()
    if work.row(made.returning(Sharing.id)) is None:
        raise AlreadyRecorded("You already share with this employer; end that consent first.")
    roster.tie(work, employer_id, holder_id)
    consents.answered(work, [(holder_id, employer_id)], ConsentAnswer.ACCEPTED)
    history.record(
        work,
        "consent",
        "sharing",
        id_,
        employer_id=employer_id,
        until_on=until_on,
        fields=list(terms.fields),
        purpose=terms.purpose,
    )
    return next(viewer for viewer in viewers(work, holder_id) if viewer.id == id_)


def _me(reading: ReadContext) -> str:
    """The acting holder's id. Raises NotFound for other actors."""
    if reading.actor.holder_id is None:
        raise NotFound
    return reading.actor.holder_id


def check_day(reading: ReadContext, until_on: date | None) -> None:
    """Refuse a last day that has passed. Raises Invalid."""
    if until_on is not None and until_on < employers.today(reading):
        raise Invalid("The day has passed.", fields={"until_on": "must not be a past day"})


def _make_room(work: UnitOfWork, holder_id: str, employer_id: str) -> None:
    """End a consent that is no longer in force, or starts in the future, to allow a new one."""
    today = {"today": employers.today(work)}
    for row in consents.open_of(work, [(holder_id, employer_id)]):
        statement = select(Sharing.id).where(Sharing.id == row.id)
        if work.row(statement.where(LIVE), today) is None:
            outlived = work.row(statement.where(OUTLIVED), today) is not None
            consents.end(
                work, [row.id], ConsentEnd.EMPLOYMENT_ENDED if outlived else ConsentEnd.LAPSED
            )


def end(work: UnitOfWork, sharing_id: str) -> None:
    """End a consent at once. Raises NotFound, also for another holder's or an ended one."""
    today = employers.today(work)
    ended = work.connection.execute(
        update(Sharing)
        .where(
            Sharing.id == sharing_id,
            Sharing.holder_id == _me(work),
            Sharing.ended_at.is_(None),
            scope(work.actor, Sharing),
        )
        .values(
            ended_at=work.now,
            end_reason=case(
                (Sharing.until_on < today, ConsentEnd.LAPSED.value),
                else_=ConsentEnd.WITHDRAWN.value,
            ),
        )
    )
    if not ended.rowcount:
        raise NotFound
    history.record(work, "end", "sharing", sharing_id)


def mine(reading: ReadContext) -> list[Viewer]:
    """The employers who see the acting holder."""
    return viewers(reading, _me(reading))
