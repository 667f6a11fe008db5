"""Consents: when one is in force, what it covers, and when it ends by itself.

Invariant: an employer sees a person's standing through ``CONSENTED`` alone, and a date of theirs
through ``dated`` alone: whoever filters, sorts, counts or shows by a date uses it. A consent
belongs to the employment in which it was given and ends with it; a person who is listed again is
asked again (``employments.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Date, and_, bindparam, case, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from tracker.domain.employers.consents import ConsentAnswer, ConsentEnd
from tracker.models import Holder, RosterEntry, Sharing
from tracker.services.core import bulk, days, history
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of

Pair = tuple[str, str]
"""A holder and an employer, by their ids."""

TODAY = bindparam("today", type_=Date)

# Employed: the day on which employment ended is the first day without access.
EMPLOYED = or_(RosterEntry.ended_on.is_(None), RosterEntry.ended_on > TODAY)
# Consent is about today, whatever day is asked about; its first and last day are included.
CONSENT = and_(
    Sharing.ended_at.is_(None),
    Sharing.consented_on <= TODAY,
    or_(Sharing.until_on.is_(None), Sharing.until_on >= TODAY),
)
_dead = aliased(Holder)
# The only path from an entry to a holder: everything about a person is joined through this.
CONSENTED = and_(
    Sharing.holder_id == RosterEntry.holder_id,
    Sharing.employer_id == RosterEntry.employer_id,
    CONSENT,
    EMPLOYED,
    Sharing.holder_id.not_in(select(_dead.id).where(_dead.deceased_on.is_not(None))),
)
_Value = TypeVar("_Value")
SHARES_DATES = Sharing.with_dates.is_(True)


def dated(column: InstrumentedAttribute[_Value]) -> ColumnElement[_Value | None]:
    """A date of a worker, if the consent covers dates; null otherwise."""
    return case((SHARES_DATES, column))


_entry = aliased(RosterEntry)
_OF_THE_PAIR = and_(
    _entry.holder_id == Sharing.holder_id, _entry.employer_id == Sharing.employer_id
)
# The employment in which it was given has ended since, and there is no other. This covers ends that
# were recorded in advance, so that nothing need be written on the day itself.
OUTLIVED = and_(
    select(_entry.id)
    .where(_OF_THE_PAIR, _entry.ended_on <= TODAY, _entry.ended_on > Sharing.consented_on)
    .exists(),
    ~select(_entry.id)
    .where(_OF_THE_PAIR, or_(_entry.ended_on.is_(None), _entry.ended_on > TODAY))
    .exists(),
)


class OpenConsent(NamedTuple):
    """A consent that was not ended, perhaps lapsed."""

    id: str
    holder_id: str
    employer_id: str
    consented_on: date
    until_on: date | None


def open_of(reading: ReadContext, pairs: Collection[Pair]) -> list[OpenConsent]:
    """The consents of these pairs that were not ended, including lapsed ones."""
    if not pairs:
        return []
    table = Sharing
    statement = select(*columns_of(OpenConsent, table)).where(
        bulk.among(reading, table.holder_id, {holder_id for holder_id, _ in pairs}),
        bulk.among(reading, table.employer_id, {employer_id for _, employer_id in pairs}),
        table.ended_at.is_(None),
    )
    wanted = set(pairs)
    rows = reading.rows_as(OpenConsent, statement)
    return [row for row in rows if (row.holder_id, row.employer_id) in wanted]


def end(work: UnitOfWork, sharing_ids: Iterable[str], reason: ConsentEnd) -> None:
    """End consents now, and record the reason in history."""
    ids = sorted(sharing_ids)
    ended = [{"id": id_, "ended_at": work.now, "end_reason": reason} for id_ in ids]
    bulk.update_by(work, Sharing, "id", ended)
    history.record_many(work, "end", "sharing", ((id_, {"reason": reason}) for id_ in ids))


def answered(work: UnitOfWork, pairs: Collection[Pair], answer: ConsentAnswer) -> None:
    """Note on the current entries of these pairs what the holders answered."""
    entries = select(RosterEntry.id, RosterEntry.holder_id, RosterEntry.employer_id).where(
        bulk.among(work, RosterEntry.holder_id, {holder_id for holder_id, _ in pairs}),
        bulk.among(work, RosterEntry.employer_id, {employer_id for _, employer_id in pairs}),
        EMPLOYED,
    )
    rows = work.rows(entries, {"today": days.today_everywhere(work)}) if pairs else []
    noted = [
        {"id": row.id, "answer": answer, "answered_at": work.now}
        for row in rows
        if (row.holder_id, row.employer_id) in pairs
    ]
    bulk.update_by(work, RosterEntry, "id", noted)


def end_of(work: UnitOfWork, pairs: Collection[Pair], reason: ConsentEnd) -> None:
    """End the open consents of these pairs."""
    end(work, [row.id for row in open_of(work, pairs)], reason)
