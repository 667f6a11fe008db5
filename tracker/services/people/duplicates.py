"""Likely duplicates of people: found when somebody is recorded, and by a nightly look at everybody.

``domain.people.duplicates`` decides; here candidates are read by what an index finds: an address,
or an employer's list. Pairs are kept once; one that staff settled as two people stays settled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select, union_all, update
from sqlalchemy.orm import InstrumentedAttribute, aliased

from tracker.db import new_id
from tracker.domain.emails import compared
from tracker.domain.errors import IllegalTransition, NotFound
from tracker.domain.people import duplicates as rules
from tracker.domain.people.duplicates import SHARED_BY, DuplicateSign, PersonToCompare
from tracker.domain.permissions import check_not_own
from tracker.models import Employer, Holder, LikelyDuplicate, RosterEntry
from tracker.services.core import bulk, history
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.people import names

Pairs = Mapping[tuple[str, str], Sequence[DuplicateSign]]

_IS_SOMEBODY = (Holder.merged_into_id.is_(None), Holder.erased_at.is_(None))
_Columns = Sequence[ColumnElement[Any] | InstrumentedAttribute[Any]]
_AS_WRITTEN: _Columns = (Holder.email, Holder.second_email)
_LOWERED: _Columns = (func.lower(Holder.email), func.lower(Holder.second_email))
_AT_ONCE = 500
_FEW = 20
_WORDS = {
    DuplicateSign.SAME_EMAIL: "the same email address",
    DuplicateSign.SAME_NAME: "the same name",
    DuplicateSign.SIMILAR_NAME: "a similar name",
    DuplicateSign.SAME_EMPLOYER: "the same employer",
    DuplicateSign.SAME_EMPLOYEE_ID: "the same employee id",
}


class LookAlike(NamedTuple):
    """Somebody on record who may be the same person as one who was just recorded."""

    holder_id: str
    ref: str
    signs: Sequence[DuplicateSign]


def warning(other: LookAlike) -> str:
    """The warning about a new person who looks like one on record."""
    *but_last, last = (_WORDS[sign] for sign in other.signs)
    signs = f"{', '.join(but_last)} and {last}" if but_last else last
    return (
        f"The person with the ref {other.ref!r} has {signs}. If they are the same person, use that"
        " record; otherwise say so in the list of likely duplicates."
    )


# Finding.
def look_for(work: UnitOfWork, holder_ids: Collection[str]) -> dict[str, list[LookAlike]]:
    """The people on record who may be the same as some who were just recorded; kept as pairs.

    The older record is named for the newer one. With a constant number of statements for each 500.
    Addresses of many people are found by their index, as they are written and in lower case;
    others are found by the nightly look.
    """
    found: dict[str, list[LookAlike]] = defaultdict(list)
    for ids in bulk.chunks(sorted(holder_ids)):
        new = set(ids)
        given = select(*_AS_WRITTEN).where(bulk.among(work, Holder.id, ids))
        written = {text for row in work.rows(given) for text in row if text}
        addresses = {compared(text) for text in written}
        if len(ids) <= _FEW:
            likely = rules.pairs(_of_addresses(work, addresses, _LOWERED))
        else:
            likely = rules.pairs(_of_addresses(work, addresses | written, _AS_WRITTEN))
        mine = {pair: signs for pair, signs in likely.items() if not new.isdisjoint(pair)}
        _keep(work, mine)
        _tell(work, mine, new, found)
    return found


def _tell(
    work: UnitOfWork, likely: Pairs, new: Collection[str], found: dict[str, list[LookAlike]]
) -> None:
    ids = {id_ for pair in likely for id_ in pair}
    refs = dict(
        work.rows(select(Holder.id, Holder.ref).where(bulk.among(work, Holder.id, ids)))
        if ids
        else ()
    )
    lines = []
    for (older, newer), signs in likely.items():
        about, other = (newer, older) if newer in new else (older, newer)
        found[about].append(LookAlike(about, refs[other], signs))
        lines.append((about, {"other": other, "signs": [*signs]}))
    history.record_many(work, "suspect_duplicate", "holder", lines)


def look_through_addresses(work: UnitOfWork, after: str) -> str | None:
    """Compare the people who share an address, 500 addresses from one on; the last one, or None."""
    listed = union_all(*(select(text.label("address")).where(*_IS_SOMEBODY) for text in _LOWERED))
    address = listed.subquery().c.address
    shared = (
        select(address)
        .where(address > after)
        .group_by(address)
        .having(func.count().between(2, SHARED_BY))
        .order_by(address)
        .limit(_AT_ONCE)
    )
    addresses = [row.address for row in work.rows(shared)]
    if addresses:
        _keep(work, rules.pairs(_of_addresses(work, addresses, _LOWERED)))
    return addresses[-1] if len(addresses) == _AT_ONCE else None


def look_through_employer(work: UnitOfWork, after: str) -> str | None:
    """Compare the workers on the list of the next employer by id; its id, or None after the last.

    They are read at once, so what this costs grows with the longest list.
    """
    following = select(Employer.id).where(Employer.id > after) if after else select(Employer.id)
    employer = work.row(following.order_by(Employer.id).limit(1))
    if employer is None:
        return None
    listed = select(RosterEntry.holder_id).where(RosterEntry.employer_id == employer.id)
    _keep(work, rules.pairs(_people(work, Holder.id.in_(listed))))
    return str(employer.id)


def _of_addresses(
    reading: ReadContext, addresses: Collection[str], columns: _Columns
) -> Iterable[PersonToCompare]:
    """The people with one of these addresses in these columns, unless very many share it."""
    if not addresses:
        return ()
    keys: set[str] = set()
    for text in columns:
        few = select(text.label("address")).where(text.in_(addresses)).group_by(text)
        keys |= {r.address for r in reading.rows(few.having(func.count() <= SHARED_BY))}
    return _people(reading, or_(*(text.in_(keys) for text in columns)))


class _PersonRow(NamedTuple):
    id: str
    given_name: str
    family_name: str
    email: str
    second_email: str | None


def _people(reading: ReadContext, which: ColumnElement[bool]) -> Iterator[PersonToCompare]:
    """What is compared of these people, read 500 at a time: a list may be very long."""
    statement = select(Holder.id).where(which, *_IS_SOMEBODY)
    for ids in bulk.chunks([row.id for row in reading.rows(statement)]):
        yield from _to_compare(reading, ids)


def _to_compare(reading: ReadContext, ids: Sequence[str]) -> Iterator[PersonToCompare]:
    statement = select(*columns_of(_PersonRow, Holder)).where(bulk.among(reading, Holder.id, ids))
    former = names.former(reading, ids)
    employed: dict[str, set[tuple[str, str]]] = defaultdict(set)
    entries = select(RosterEntry.holder_id, RosterEntry.employer_id, RosterEntry.employee_id)
    entries = entries.where(bulk.among(reading, RosterEntry.holder_id, ids))
    for holder_id, *entry in reading.rows(entries):
        employed[holder_id or ""].add((entry[0], entry[1]))
    for row in reading.rows_as(_PersonRow, statement):
        yield PersonToCompare(
            row.id,
            (names.of(row), *map(names.of, former.get(row.id, ()))),
            frozenset(compared(one) for one in (row.email, row.second_email) if one),
            frozenset(employer_id for employer_id, _ in employed[row.id]),
            frozenset(employed[row.id]),
        )


def _keep(work: UnitOfWork, likely: Pairs) -> None:
    rows = [
        {
            "id": new_id(),
            "first_id": first,
            "second_id": second,
            "signs": [*signs],
            "recorded_at": work.now,
        }
        for (first, second), signs in likely.items()
    ]
    key = ("first_id", "second_id")
    bulk.insert_new(work, LikelyDuplicate, rows, key=key, returning=("id",))


# The list, and what staff decide.
class DuplicateRow(NamedTuple):
    """A pair of records that may be of one person, and whether it is settled that they are not."""

    id: str
    signs: Sequence[DuplicateSign]
    recorded_at: datetime
    settled_at: datetime | None
    settled_by: str | None
    settled_reason: str | None
    first_id: str
    first_ref: str
    first_name: str
    first_email: str
    second_id: str
    second_ref: str
    second_name: str
    second_email: str


_FIRST, _SECOND = aliased(Holder), aliased(Holder)
_ROWS = (
    select(
        LikelyDuplicate.id,
        LikelyDuplicate.signs,
        LikelyDuplicate.recorded_at,
        LikelyDuplicate.settled_at,
        LikelyDuplicate.settled_by,
        LikelyDuplicate.settled_reason,
        *(
            column
            for person in (_FIRST, _SECOND)
            for column in (
                person.id,
                person.ref,
                person.given_name + " " + person.family_name,
                person.email,
            )
        ),
    )
    .join(_FIRST, _FIRST.id == LikelyDuplicate.first_id)
    .join(_SECOND, _SECOND.id == LikelyDuplicate.second_id)
)


def page(
    reading: ReadContext, *, after: str | None, limit: int, settled: bool | None
) -> list[DuplicateRow]:
    """A page of the pairs by id; without ``settled``, those that nobody has settled.

    Pairs of which one record was merged or erased are left out.
    """
    statement = _ROWS.order_by(LikelyDuplicate.id).limit(limit)
    gone = [column for one in (_FIRST, _SECOND) for column in (one.merged_into_id, one.erased_at)]
    statement = statement.where(*(column.is_(None) for column in gone))
    is_settled = LikelyDuplicate.settled_at.is_not(None)
    statement = statement.where(is_settled if settled else LikelyDuplicate.settled_at.is_(None))
    if after:
        statement = statement.where(LikelyDuplicate.id > after)
    return [DuplicateRow(*row) for row in reading.rows(statement)]


def get(reading: ReadContext, duplicate_id: str) -> DuplicateRow:
    """One pair. Raises NotFound."""
    row = reading.row(_ROWS.where(LikelyDuplicate.id == duplicate_id))
    if row is None:
        raise NotFound
    return DuplicateRow(*row)


def settle(work: UnitOfWork, duplicate_id: str, *, reason: str) -> DuplicateRow:
    """Record that the two are not the same person; the pair is not listed any more.

    Raises NotFound, SelfReview, IllegalTransition.
    """
    values = {"settled_at": work.now, "settled_by": work.actor.name, "settled_reason": reason}
    waits = LikelyDuplicate.settled_at.is_(None)
    return _decide(work, duplicate_id, waits, values, action="settle_duplicate", reason=reason)


def settle_parted(work: UnitOfWork, holder_ids: Collection[str], *, reason: str) -> None:
    """Settle the pair of two records whose merge was undone: whoever did it said they are two.

    Somebody who thinks otherwise reopens the pair, as any other.
    """
    first, second = sorted(holder_ids)
    which = LikelyDuplicate.first_id == first, LikelyDuplicate.second_id == second
    values = {"settled_at": work.now, "settled_by": work.actor.name, "settled_reason": reason}
    open_ = update(LikelyDuplicate).where(*which, LikelyDuplicate.settled_at.is_(None))
    settled = work.rows(open_.values(values).returning(LikelyDuplicate.id))
    both = ((first, second), (second, first)) if settled else ()
    lines = [(one, {"other": other, "reason": reason}) for one, other in both]
    history.record_many(work, "settle_duplicate", "holder", lines)


def reopen(work: UnitOfWork, duplicate_id: str, *, reason: str) -> DuplicateRow:
    """Take back that the two are not the same person. Raises as ``settle``."""
    values = dict.fromkeys(("settled_at", "settled_by", "settled_reason"))
    settled = LikelyDuplicate.settled_at.is_not(None)
    return _decide(work, duplicate_id, settled, values, action="reopen_duplicate", reason=reason)


def _decide(
    work: UnitOfWork,
    duplicate_id: str,
    if_: ColumnElement[bool],
    values: Mapping[str, object],
    *,
    action: str,
    reason: str,
) -> DuplicateRow:
    row = get(work, duplicate_id)
    for holder_id in (row.first_id, row.second_id):
        check_not_own(work.actor, holder_id)
    statement = update(LikelyDuplicate).where(LikelyDuplicate.id == duplicate_id, if_)
    if not work.rows(statement.values(values).returning(LikelyDuplicate.id)):
        is_settled = row.settled_at is not None
        raise IllegalTransition(
            f"The pair is {'already' if is_settled else 'not'} settled; "
            f"{'reopen' if is_settled else 'settle'} it instead.",
            state="settled" if is_settled else "open",
        )
    pair = [(row.first_id, row.second_id), (row.second_id, row.first_id)]
    lines = [(one, {"other": other, "reason": reason}) for one, other in pair]
    history.record_many(work, action, "holder", lines)
    return get(work, duplicate_id)
