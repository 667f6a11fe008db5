"""Holders: register, correct and search people on record."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    bindparam,
    func,
    literal,
    or_,
    select,
    union,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlalchemy.orm.exc import StaleDataError

from tracker.db import Id, new_id
from tracker.domain.errors import AlreadyRecorded, NotFound, Stale
from tracker.domain.names import FoldedName, is_same
from tracker.domain.permissions import check_own_holder, is_own
from tracker.models import Certification, Holder, RosterEntry
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of, zone_of
from tracker.services.credentials import certificate_numbers
from tracker.services.outbox import cursors, suppressions
from tracker.services.people import (
    account_news,
    accounts,
    names,
    own_records,
    search_words,
    sessions,
)


class HolderRow(NamedTuple):
    """A person as they are on record."""

    id: str
    ref: str
    given_name: str
    family_name: str
    email: str
    second_email: str | None
    email_confirmed: bool
    second_email_confirmed: bool
    language: str
    time_zone: str
    shows_modules: bool
    deceased_on: date | None
    merged_into_id: str | None
    recorded_at: datetime
    version: int


class HasTimeZone(Protocol):
    """A row of a person with their time zone."""

    @property
    def time_zone(self) -> str:
        """The name of the time zone."""


_NAMED = aliased(Holder)
ADDRESSES = ("email", "second_email")
_ONE = select(*columns_of(HolderRow, Holder))
BY_ID = _ONE.where(Holder.id == bindparam("id"))
_STALE = "The record has changed since you read it; read it again."
_LOOK_AGAIN = frozenset({"time_zone", "deceased_on", "email", "second_email"})
"""Fields that affect whether and when reminders are due, and whether they arrive."""
_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_LOOKED_AT = 1000
"""So many people are looked at one after another where a query may find nearly everybody."""
_FOUND_BY = frozenset({*names.FIELDS, *ADDRESSES})


def register(work: UnitOfWork, values: Mapping[str, Any]) -> HolderRow:
    """Register a person. Raises AlreadyRecorded if the ref is taken."""
    id_ = new_id()
    name = FoldedName(values["given_name"], values["family_name"])
    columns = {"ref": id_, **values, **names.columns(name)}
    holder = Holder(id=id_, **columns, recorded_at=work.now)
    work.session.add(holder)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded(f"There is already a holder with the ref {holder.ref!r}.") from error
    search_words.add(work, [holder])
    suppressions.recall(work, suppressions.addresses_of(holder))
    history.record(work, "register", "holder", holder.id, ref=holder.ref)
    own_records.look_for(work, holder_ids=[holder.id])
    return get(work, holder.id)


def get(reading: ReadContext, holder_id: str) -> HolderRow:
    """A holder's row. Raises NotFound, also for another person's record."""
    check_own_holder(reading.actor, holder_id)
    row = reading.row_as(HolderRow, BY_ID, {"id": holder_id})
    if row is None:
        raise NotFound
    return row


def correct(
    work: UnitOfWork,
    holder_id: str,
    values: Mapping[str, object],
    *,
    version: int,
    reason: str | None = None,
) -> HolderRow:
    """Change a person's record. Raises NotFound, or Stale if it has changed since it was read."""
    check_own_holder(work.actor, holder_id)
    holder = work.session.get(Holder, holder_id)
    if holder is None:
        raise NotFound
    if holder.version != version:
        raise Stale(_STALE)
    write(work, holder, values, reason=reason)
    return get(work, holder_id)


def write(
    work: UnitOfWork,
    holder: Holder,
    values: Mapping[str, object],
    *,
    reason: str | None,
    is_approved: bool = False,
) -> None:
    """Change a record and keep the previous values; a replaced name becomes a former name.

    An address entered by staff is thereby confirmed, even if it is unchanged, as long as the holder
    has no account; after that only if it ``is_approved`` by a second person (``recoveries``), since
    nobody alone may let another mailbox in. One that holders enter themselves is not confirmed, and
    the former address is told. Certificates are not touched: they show the name on record. Raises
    Stale; ReauthenticationRequired for a new address in a session.
    """
    changed = history.changes({key: getattr(holder, key) for key in values}, values)
    confirmed = _confirmed(work, holder, values, changed)
    if confirmed and not is_approved and accounts.is_claimed(work, holder.id):
        confirmed = {f"{name}_confirmed": False for name in ADDRESSES if name in changed}
    changed |= history.changes({key: getattr(holder, key) for key in confirmed}, confirmed)
    if not changed:
        return
    written = {key: new for key, (_, new) in changed.items()}
    before = [changed[name][0] for name in ADDRESSES if name in changed]
    by_staff = _is_by_staff(work, holder)
    if not by_staff and work.actor.session_id is not None and before:
        sessions.check_fresh(work)
    if replaced := [str(address) for address in before if address]:
        account_id = accounts.replace_addresses(work, holder, replaced, by_staff=by_staff)
        if account_id is not None and not by_staff:
            _tell_replaced(work, account_id, replaced)
    if not changed.keys().isdisjoint(names.FIELDS):
        written |= _renamed(work, holder, written)
    for key, value in written.items():
        setattr(holder, key, value)
    try:
        work.session.flush()
    except StaleDataError as error:
        raise Stale(_STALE) from error
    history.record(work, "correct", "holder", holder.id, changes=changed, reason=reason)
    _look_again(work, holder, changed)


def _look_again(work: UnitOfWork, holder: Holder, changed: Collection[str]) -> None:
    """Look again at what depends on these fields.

    That is: words by which people are found, reminders, which may be due now, or arrive, blocked
    addresses, and whose record it is.
    """
    if not _FOUND_BY.isdisjoint(changed):
        search_words.settle(work, [holder.id])
    if any(name in changed for name in ADDRESSES):
        suppressions.recall(work, suppressions.addresses_of(holder))
    if not _LOOK_AGAIN.isdisjoint(changed):
        cursors.touch_holders(work, [holder.id])
    if any(name.startswith(ADDRESSES) for name in changed):
        own_records.look_for(work, holder_ids=[holder.id])


def _tell_replaced(work: UnitOfWork, account_id: str, replaced: Collection[str]) -> None:
    """Tell the former addresses that the holder entered others."""
    account = accounts.owner(work, account_id)
    for address in replaced:
        account_news.tell(work, account, account_news.ADDRESS_CHANGED, address=address)


def _confirmed(
    work: UnitOfWork, holder: Holder, values: Collection[str], changed: Collection[str]
) -> dict[str, bool]:
    """Whether the new addresses are confirmed: only if staff enter them for somebody else."""
    by_staff = _is_by_staff(work, holder)
    entered = [name for name in ADDRESSES if name in values and (by_staff or name in changed)]
    return {f"{name}_confirmed": by_staff for name in entered}


def _is_by_staff(work: UnitOfWork, holder: Holder) -> bool:
    """Whether staff change somebody else's record."""
    return work.actor.is_staff and not is_own(work.actor, holder.id)


def _renamed(work: UnitOfWork, holder: Holder, written: Mapping[str, Any]) -> dict[str, str]:
    """The columns of a new name; the name it replaces is kept as a former one."""
    old = names.of(holder)
    new = FoldedName(written.get("given_name", old.given), written.get("family_name", old.family))
    if is_same(old, new):
        return {**names.columns(new), "folded_name": holder.folded_name}
    given_up = names.Replaced(holder.id, old, today(work, holder))
    return names.columns(new, names.keep(work, [given_up])[holder.id])


def today(reading: ReadContext, holder: HasTimeZone) -> date:
    """Today's date in a holder's time zone."""
    return reading.now.astimezone(zone_of(holder.time_zone)).date()


def search(
    reading: ReadContext, *, after: str | None, limit: int, filters: dict[str, str]
) -> list[HolderRow]:
    """A page of holders in the order of their ids.

    Names match by their beginning, ignoring accents and case; ``q`` matches the words of names and
    addresses by their beginnings, in any order, a certificate number, a ref or an employee number;
    addresses match without case; everything else exactly. A record that was merged into another one
    is not found, but that one is, by everything by which the former was.
    """
    statement = _ONE.where(Holder.merged_into_id.is_(None)).order_by(Holder.id).limit(limit)
    if after:
        statement = statement.where(Holder.id > after)
    conditions = [_matches(reading, key, value) for key, value in filters.items()]
    if any(one.of_each is not None for one in conditions):
        either = (one.indexed if one.of_each is None else one.of_each for one in conditions)
        page = reading.rows_as(HolderRow, statement.where(*either, _is_among_next(after)))
        if len(page) == limit:
            return page
    return reading.rows_as(HolderRow, statement.where(*(one.indexed for one in conditions)))


class _Condition(NamedTuple):
    """What a filter asks of a holder, for an index; ``of_each``: the same for one after another.

    It has the latter where so many meet it that a page of them is soon found.
    """

    indexed: ColumnElement[bool]
    of_each: ColumnElement[bool] | None = None


def _matches(reading: ReadContext, key: str, value: str) -> _Condition:
    if key == "q":
        return _is_meant(reading, value)
    if key in names.FIELDS:
        return _Condition(names.begins(key, value))
    if key == "email":
        return _Condition(search_words.has_address(value))
    return _Condition(Holder.id.in_(_of_refs({value})))


def _is_among_next(after: str | None) -> ColumnElement[bool]:
    """The condition that a holder is one of the next few by id."""
    following = select(_NAMED.id).order_by(_NAMED.id).offset(_LOOKED_AT - 1).limit(1)
    if after:
        following = following.where(_NAMED.id > after)
    return Holder.id <= func.coalesce(following.scalar_subquery(), literal(_LAST_ID, Id))


def _of_refs(refs: Collection[str]) -> Select[str]:
    """The records that have one of these refs, or into which one that has it was merged."""
    return select(func.coalesce(_NAMED.merged_into_id, _NAMED.id)).where(_NAMED.ref.in_(refs))


def _is_meant(reading: ReadContext, query: str) -> _Condition:
    """The condition that a query matches a holder in any of the ways to identify one.

    All ways go through indexes. A query with a digit, as names have none, is first taken for a
    number: whoever types one whole does not want everybody whose address begins so.
    """
    numbered = identified(query)
    has_digit = any(sign.isdigit() for sign in query)
    if has_digit and reading.row(select(Holder.id).where(Holder.id.in_(numbered)).limit(1)):
        return _Condition(Holder.id.in_(numbered))
    indexed = search_words.among(*search_words.found_by(query), *numbered.selects)
    if not search_words.are_frequent(reading, query):
        return _Condition(indexed)
    return _Condition(indexed, or_(search_words.is_found(query), Holder.id.in_(numbered)))


def identified(query: str) -> CompoundSelect[Any]:
    """The ids of people who have this ref, certificate number or employee number."""
    keys = {query, query.upper(), query.lower()}
    certified = select(Certification.holder_id).where(certificate_numbers.is_called(query))
    employed = select(RosterEntry.holder_id).where(
        RosterEntry.employee_id.in_(keys), RosterEntry.holder_id.is_not(None)
    )
    return union(_of_refs(keys), certified, employed)
