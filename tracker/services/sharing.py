"""Sharing: who sees a holder's standing, by the holder's own word, and what they see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, or_, select, update

from tracker.db import new_id
from tracker.domain.errors import AlreadyRecorded, Invalid, NotFound
from tracker.domain.permissions import check_own_holder
from tracker.domain.workforce import FIELDS, POINTS_FIELDS
from tracker.models import Employer, Holder, RosterEntry, Sharing
from tracker.services import certifications, employers, history, roster
from tracker.services.work import Reading, Work


@dataclass(frozen=True, slots=True)
class Viewer:
    """An employer who lists the holder or whom the holder lets see their standing."""

    id: str | None
    employer_id: str
    employer_name: str
    on_roster: bool
    since: date | None
    until_on: date | None
    with_points: bool | None

    @property
    def shared(self) -> bool:
        """Whether there is a consent that is live."""
        return self.id is not None

    @property
    def fields(self) -> tuple[str, ...]:
        """What the employer sees today: nothing without consent, or without employment."""
        if not (self.shared and self.on_roster):
            return ()
        return FIELDS + (POINTS_FIELDS if self.with_points else ())


def viewers(reading: Reading, holder_id: str) -> list[Viewer]:
    """Every employer who has the holder on its list or is allowed to see them, by name.

    Raises NotFound, also for somebody else's record.
    """
    check_own_holder(reading.actor, holder_id)
    if reading.row(select(Holder.id).where(Holder.id == holder_id)) is None:
        raise NotFound
    listed = select(RosterEntry.id).where(
        RosterEntry.employer_id == Employer.id, RosterEntry.holder_id == holder_id,
        roster.EMPLOYED,
    ).exists()  # fmt: skip
    consented = and_(
        Sharing.employer_id == Employer.id, Sharing.holder_id == holder_id, roster.CONSENT
    )
    # By the two indexes on holder_id; a condition over all employers would read all of them.
    mine = select(RosterEntry.employer_id).where(
        RosterEntry.holder_id == holder_id, roster.EMPLOYED
    ).union(
        select(Sharing.employer_id).where(Sharing.holder_id == holder_id, roster.CONSENT)
    )  # fmt: skip
    statement = (
        select(
            Sharing.id, Employer.id, Employer.name, listed, Sharing.consented_on,
            Sharing.until_on, Sharing.with_points,
        )
        .join(Sharing, consented, isouter=True)
        .where(Employer.id.in_(mine), or_(listed, Sharing.id.is_not(None)))
        .order_by(Employer.name)
    )  # fmt: skip
    return [Viewer(*row) for row in reading.rows(statement, {"today": employers.today(reading)})]


def consent(work: Work, employer_id: str, *, until_on: date | None, with_points: bool) -> Viewer:
    """Let an employer see one's standing from now on, ``until_on`` included if it is given.

    Raises Invalid for an unknown employer or a day that is past, AlreadyRecorded while a consent
    is live: end that one first.
    """
    holder_id, today = _me(work), employers.today(work)
    certifications.lock(work, [holder_id])
    if until_on is not None and until_on < today:
        raise Invalid("The day is past.", fields={"until_on": "must not be a day that is past"})
    if work.row(select(Employer.id).where(Employer.id == employer_id)) is None:
        rule = "is no employer on record"
        raise Invalid("There is no such employer.", fields={"employer_id": rule})
    _close_lapsed(work, holder_id, employer_id, today)
    id_ = new_id()
    made = work.row(
        work.upsert(Sharing)
        .values(
            id=id_,
            holder_id=holder_id,
            employer_id=employer_id,
            consented_on=today,
            until_on=until_on,
            with_points=with_points,
            recorded_at=work.now,
            recorded_by=work.actor.name,
        )
        .on_conflict_do_nothing()
        .returning(Sharing.id)
    )
    if made is None:
        raise AlreadyRecorded("You share with this employer already; end that first.")
    roster.tie(work, employer_id, holder_id)
    history.record(work, "consent", "sharing", id_, employer_id=employer_id, until_on=until_on)
    return next(viewer for viewer in viewers(work, holder_id) if viewer.id == id_)


def _me(reading: Reading) -> str:
    """The holder who acts. Raises NotFound for whoever is none."""
    if reading.actor.holder_id is None:
        raise NotFound
    return reading.actor.holder_id


def _close_lapsed(work: Work, holder_id: str, employer_id: str, today: date) -> None:
    """Close a consent whose last day has passed, to make room for another."""
    work.connection.execute(
        update(Sharing)
        .where(
            Sharing.holder_id == holder_id,
            Sharing.employer_id == employer_id,
            Sharing.ended_at.is_(None),
            Sharing.until_on < today,
        )
        .values(ended_at=work.now)
    )


def end(work: Work, sharing_id: str) -> None:
    """End a consent at once. Raises NotFound, also for somebody else's or one that ended."""
    ended = work.connection.execute(
        update(Sharing)
        .where(Sharing.id == sharing_id, Sharing.holder_id == _me(work), Sharing.ended_at.is_(None))
        .values(ended_at=work.now)
    )
    if not ended.rowcount:
        raise NotFound
    history.record(work, "end", "sharing", sharing_id)


def mine(reading: Reading) -> list[Viewer]:
    """Who sees the holder who asks."""
    return viewers(reading, _me(reading))
