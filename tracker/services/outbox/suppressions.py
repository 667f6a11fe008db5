"""Addresses that are not written to: for good, or for a while; lifted by staff."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, or_, select

from tracker.domain.emails import compared, needs_smtputf8, searched
from tracker.domain.errors import NotFound
from tracker.models import Suppression
from tracker.services.core import bulk, history
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.outbox import cursors

HARD, RESTING = "hard_bounce", "soft_bounces"
REASONS = (HARD, RESTING)
_LONGEST_SUBJECT = 64  # characters of history's subject_id


def is_silent(address: Any, now: Any) -> ColumnElement[bool]:
    """The condition that an address as they are compared, a column's perhaps, is not written to."""
    return exists(select(Suppression.address).where(Suppression.address == address, _holds(now)))


def _holds(now: Any) -> ColumnElement[bool]:
    return or_(Suppression.until_at.is_(None), Suppression.until_at > now)


def suppress(
    work: UnitOfWork, addresses: Collection[str], reason: str, *, until: datetime | None = None
) -> None:
    """Write to these addresses no more: for good, or until an instant."""
    rows = [
        {"address": address, "reason": reason, "until_at": until, "recorded_at": work.now}
        for address in sorted(set(map(compared, addresses)))
    ]
    if not rows:
        return
    insert = work.upsert(Suppression)
    new = {name: getattr(insert.excluded, name) for name in ("reason", "until_at", "recorded_at")}
    work.connection.execute(
        insert.on_conflict_do_update(index_elements=["address"], set_=new), rows
    )


def rest(work: UnitOfWork, until: Mapping[str, datetime]) -> None:
    """Write to addresses no more until an instant each; a longer rest stays as it is."""
    rows = [
        {"address": address, "reason": RESTING, "until_at": end, "recorded_at": work.now}
        for address, end in sorted(until.items())
    ]
    if not rows:
        return
    insert = work.upsert(Suppression)
    longer = Suppression.until_at < insert.excluded.until_at  # null is for good, and stays
    new = {name: getattr(insert.excluded, name) for name in ("reason", "until_at")}
    statement = insert.on_conflict_do_update(index_elements=["address"], set_=new, where=longer)
    work.connection.execute(statement, rows)


def lift(work: UnitOfWork, address: str, *, reason: str) -> None:
    """Write to an address again. Raises NotFound for one that is not suppressed."""
    small = searched(address)
    ended: Any = work.connection.execute(delete(Suppression).where(Suppression.address == small))
    if not ended.rowcount:
        raise NotFound
    cursors.touch_address(work, small)
    named = small if len(small) <= _LONGEST_SUBJECT else hashlib.sha256(small.encode()).hexdigest()
    history.record(work, "lift", "suppression", named, address=small, reason=reason)


def page(
    reading: ReadContext, *, after: str | None, limit: int, address: str | None = None
) -> Sequence[Any]:
    """A page of the addresses that are not written to, in their order."""
    held = select(Suppression.__table__).where(_holds(reading.now)).order_by(Suppression.address)
    if address is not None:
        held = held.where(Suppression.address == searched(address))
    if after:
        held = held.where(Suppression.address > after)
    return reading.rows(held.limit(limit))


def count(reading: ReadContext) -> int:
    """How many addresses are not written to now: a small part of all."""
    counted = select(func.count()).select_from(Suppression).where(_holds(reading.now))
    return int(reading.connection.execute(counted).scalar_one())


def since(
    reading: ReadContext, addresses: Collection[str], *, now: datetime
) -> dict[str, datetime]:
    """Which of these addresses are not written to, as they are compared, and since when."""
    found: dict[str, datetime] = {}
    for some in bulk.chunks(set(map(compared, addresses))):
        statement = select(Suppression.address, Suppression.recorded_at).where(
            bulk.among(reading, Suppression.address, some), _holds(now)
        )
        found |= {row.address: row.recorded_at for row in reading.rows(statement)}
    return found


def of_holders(reading: ReadContext, holders: Collection[Any], *, now: datetime) -> Collection[str]:
    """Which of these holders' addresses are not written to, as they are compared."""
    return since(reading, addresses_of(*holders), now=now)


def rests(reading: ReadContext, holders: Collection[Any], *, now: datetime) -> dict[str, datetime]:
    """Which of these holders' addresses only rest, as they are compared, and until when."""
    found: dict[str, datetime] = {}
    for some in bulk.chunks(set(map(compared, addresses_of(*holders)))):
        statement = select(Suppression.address, Suppression.until_at).where(
            bulk.among(reading, Suppression.address, some), Suppression.until_at > now
        )
        found |= {row.address: row.until_at for row in reading.rows(statement)}
    return found


def addresses_of(*holders: Any) -> list[str]:
    """The holders' addresses, the first before the second."""
    return [a for holder in holders for a in (holder.email, holder.second_email) if a]


def address_of(holder: Any, silent: Collection[str]) -> str | None:
    """The address to write to: the first one, else the second, else none.

    One that every relay takes goes before one that needs SMTPUTF8.
    """
    open_ones = [a for a in addresses_of(holder) if compared(a) not in silent]
    return min(open_ones, key=needs_smtputf8, default=None)
