"""Rosters: the workers that an employer says are its own.

Whom an entry means is found here and told to nobody: until the holder consents, an entry that
means somebody and one that means nobody look the same to the employer, in every answer.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Date, Select, and_, bindparam, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from tracker.db import new_id
from tracker.domain.errors import AlreadyRecorded, Invalid, NotFound
from tracker.domain.permissions import check_own_employer
from tracker.models import Certification, Holder, RosterEntry, Sharing
from tracker.services import certifications, employers, facts, history, notices
from tracker.services.notices import News
from tracker.services.work import Reading, Work

TODAY = bindparam("today", type_=Date)

# Employed: the day that employment ended is the first day without access.
EMPLOYED = or_(RosterEntry.ended_on.is_(None), RosterEntry.ended_on > TODAY)
# Consent is about now, whatever day is asked about; its last day is included.
CONSENT = and_(
    Sharing.ended_at.is_(None), or_(Sharing.until_on.is_(None), Sharing.until_on >= TODAY)
)
# The one path from an entry to a holder: everything about a person is joined through this.
CONSENTED = and_(
    Sharing.holder_id == RosterEntry.holder_id, Sharing.employer_id == RosterEntry.employer_id,
    CONSENT, EMPLOYED,
)  # fmt: skip

_ENTRY = select(
    RosterEntry.id, RosterEntry.employer_id, RosterEntry.employee_id, RosterEntry.site,
    RosterEntry.department, RosterEntry.shift, RosterEntry.given_email,
    RosterEntry.given_number, RosterEntry.given_holder_ref, RosterEntry.holder_id,
    RosterEntry.ended_on, RosterEntry.recorded_at, Sharing.id.is_not(None).label("shared"),
).join(Sharing, CONSENTED, isouter=True)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """How an entry names its worker: the number decides before the address."""

    holder_ref: str | None
    certificate_number: str | None
    email: str | None


def add(work: Work, employer_id: str, values: dict[str, Any]) -> Any:
    """Put a worker on an employer's list.

    Raises NotFound, Invalid for a holder_ref of nobody (only staff name one), AlreadyRecorded
    for an employee_id that is on the list, ended entries included.
    """
    employers.get(work, employer_id)
    named = Named(*(values.pop(key, None) for key in ("holder_ref", "certificate_number", "email")))
    if named.holder_ref is not None and not work.actor.is_staff:
        raise Invalid("Unknown field.", fields={"holder_ref": "Unknown field."})
    meant = _meant(work, named)
    if named.holder_ref is not None and meant is None:
        raise Invalid("Nobody has this ref.", fields={"holder_ref": "is no holder on record"})
    entry = RosterEntry(
        id=new_id(), employer_id=employer_id, given_holder_ref=named.holder_ref,
        given_number=named.certificate_number, given_email=named.email, recorded_at=work.now,
        holder_id=_unless_listed(work, employer_id, meant), **values,
    )  # fmt: skip
    work.session.add(entry)
    try:
        work.session.flush()
    except IntegrityError as error:
        if "employee_id" not in str(error.orig):
            raise
        raise AlreadyRecorded("There is an entry with this employee_id already.") from error
    history.record(work, "add", "roster_entry", entry.id, employer_id=employer_id)
    if entry.holder_id is not None:
        notices.tell(work, [consent_asked(work, employer_id, entry.holder_id)])
    return get(work, employer_id, entry.id)


def consent_asked(work: Work, employer_id: str, holder_id: str) -> News:
    """Whom an employer lists is asked for consent, by one employer at most once a month.

    Whether there is a consent already is seen when the letter is composed.
    """
    today = employers.today(work)
    return News(
        kind="consent_asked", holder_id=holder_id, subject_id=employer_id,
        event=f"{today:%Y-%m}", on=today,
    )  # fmt: skip


def get(reading: Reading, employer_id: str, entry_id: str) -> Any:
    """One entry. Raises NotFound, also for another employer's."""
    check_own_employer(reading.actor, employer_id)
    statement = _ENTRY.where(RosterEntry.employer_id == employer_id, RosterEntry.id == entry_id)
    row = reading.row(statement, {"today": employers.today(reading)})
    if row is None:
        raise NotFound
    return row


def page(
    reading: Reading, employer_id: str, *, after: str | None, limit: int, filters: dict[str, Any]
) -> list[Any]:
    """A page of entries, ended ones included, in the order of their ids."""
    employers.get(reading, employer_id)
    statement = _ENTRY.where(RosterEntry.employer_id == employer_id)
    if after:
        statement = statement.where(RosterEntry.id > after)
    statement = _filtered(statement, dict(filters))
    statement = statement.order_by(RosterEntry.id).limit(limit)
    return list(reading.rows(statement, {"today": employers.today(reading)}))


def _filtered(statement: Select[*tuple[Any, ...]], filters: dict[str, Any]) -> Any:
    ended = filters.pop("ended", None)
    if ended is not None:
        statement = statement.where(~EMPLOYED if ended else EMPLOYED)
    for key, value in filters.items():
        statement = statement.where(getattr(RosterEntry, key) == value)
    return statement


def end(work: Work, employer_id: str, entry_id: str) -> None:
    """End a worker's employment today; access ends at once, the entry stays on record.

    Raises NotFound, also for an entry that has ended.
    """
    check_own_employer(work.actor, employer_id)
    ended = work.connection.execute(
        update(RosterEntry)
        .where(RosterEntry.id == entry_id, RosterEntry.employer_id == employer_id, EMPLOYED)
        .values(ended_on=bindparam("today", type_=Date)),
        {"today": employers.today(work)},
    )
    if not ended.rowcount:
        raise NotFound
    history.record(work, "end", "roster_entry", entry_id, employer_id=employer_id)


def _meant(reading: Reading, named: Named) -> str | None:
    """The one holder whom the words mean: by ref, else number, else address; else None."""
    if named.holder_ref is not None:
        statement = select(Holder.id).where(Holder.ref == named.holder_ref)
    elif named.certificate_number is not None:
        statement = select(Certification.holder_id).where(
            Certification.number == named.certificate_number, facts.CARRIED
        )
    elif named.email is not None:
        address = named.email.lower()
        statement = select(Holder.id).where(
            or_(func.lower(Holder.email) == address, func.lower(Holder.second_email) == address)
        )
    else:
        return None
    found = reading.rows(statement.limit(2))
    return str(found[0][0]) if len(found) == 1 else None


def _unless_listed(work: Work, employer_id: str, holder_id: str | None) -> str | None:
    """The holder, unless another entry of the employer means them already.

    Otherwise, once one entry is shared, the employer could guess at the person's other
    addresses and see which of them are answered with the same certificate.
    """
    if holder_id is None:
        return None
    certifications.lock(work, [holder_id])
    listed = select(RosterEntry.id).where(
        RosterEntry.employer_id == employer_id, RosterEntry.holder_id == holder_id, EMPLOYED
    )
    return None if work.row(listed, {"today": employers.today(work)}) else holder_id


def tie(work: Work, employer_id: str, holder_id: str) -> None:
    """Find the holder among the employer's entries that meant nobody when they were written.

    Called when the holder consents: a certificate or an address may be younger than the entry.
    """
    statement = select(
        RosterEntry.id, RosterEntry.given_holder_ref, RosterEntry.given_number,
        RosterEntry.given_email,
    ).where(
        RosterEntry.employer_id == employer_id, RosterEntry.holder_id.is_(None), EMPLOYED,
        _names(work, holder_id),
    ).order_by(RosterEntry.id)  # fmt: skip
    for row in work.rows(statement, {"today": employers.today(work)}):
        named = Named(row.given_holder_ref, row.given_number, row.given_email)
        if _meant(work, named) == holder_id and _unless_listed(work, employer_id, holder_id):
            work.connection.execute(
                update(RosterEntry).where(RosterEntry.id == row.id).values(holder_id=holder_id)
            )
            history.record(work, "tie", "roster_entry", row.id, employer_id=employer_id)


def _names(reading: Reading, holder_id: str) -> Any:
    """The condition that an entry names the holder in any of the ways there are."""
    holder = reading.row(
        select(Holder.ref, Holder.email, Holder.second_email).where(Holder.id == holder_id)
    )
    numbers = reading.rows(
        select(Certification.number).where(Certification.holder_id == holder_id, facts.CARRIED)
    )
    addresses: Collection[str] = {a.lower() for a in holder[1:] if a}
    return or_(
        RosterEntry.given_holder_ref == holder.ref,
        RosterEntry.given_number.in_([row.number for row in numbers]),
        func.lower(RosterEntry.given_email).in_(addresses),
    )
