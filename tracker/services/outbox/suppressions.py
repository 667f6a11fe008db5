"""Suppressed addresses, which are not written to, for good or for a while; staff can lift them.

Suppressed addresses are stored and returned in compared form (``domain.emails.compared``). Once
the person is erased, a keyed digest of the address is stored instead: whoever comes with the
address again is recognized, and nobody can read it.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update

from tracker.domain.emails import compared, needs_smtputf8, searched
from tracker.domain.errors import NotFound
from tracker.models import Suppression
from tracker.services.core import bulk, history
from tracker.services.core.context import ReadContext, UnitOfWork, sees_everything
from tracker.services.outbox import cursors

HARD, RESTING = "hard_bounce", "soft_bounces"
REASONS = (HARD, RESTING)


class Addressee(Protocol):
    """Anything that has a holder's addresses."""

    @property
    def email(self) -> str | None:
        """The first address."""

    @property
    def second_email(self) -> str | None:
        """The address to write to if the first is suppressed."""


def is_suppressed(
    address: ColumnElement[str], now: ColumnElement[datetime] | datetime
) -> ColumnElement[bool]:
    """The SQL condition that an address (a column or parameter in compared form) is suppressed."""
    return exists(select(Suppression.address).where(Suppression.address == address, _holds(now)))


def _holds(now: ColumnElement[datetime] | datetime) -> ColumnElement[bool]:
    return or_(Suppression.until_at.is_(None), Suppression.until_at > now)


def suppress(
    work: UnitOfWork, addresses: Collection[str], reason: str, *, until: datetime | None = None
) -> None:
    """Suppress these addresses, for good or until an instant."""
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
    """Suppress each address until its instant; a longer suppression stays as it is."""
    rows = [
        {"address": address, "reason": RESTING, "until_at": end, "recorded_at": work.now}
        for address, end in sorted(until.items())
    ]
    if not rows:
        return
    insert = work.upsert(Suppression)
    longer = Suppression.until_at < insert.excluded.until_at  # null means for good, and stays
    new = {name: getattr(insert.excluded, name) for name in ("reason", "until_at")}
    statement = insert.on_conflict_do_update(index_elements=["address"], set_=new, where=longer)
    work.connection.execute(statement, rows)


def conceal(work: UnitOfWork, addresses: Collection[str]) -> None:
    """Keep the suppressions of these addresses by a digest of them alone."""
    digests = _digests(work, addresses)
    statement = select(Suppression.address).where(bulk.among(work, Suppression.address, digests))
    for row in work.rows(statement):
        here = update(Suppression).where(Suppression.address == row.address)
        work.execute(here.values(address=digests[row.address]))


def recall(work: UnitOfWork, addresses: Collection[str]) -> None:
    """Suppress these addresses again, as far as a digest of them is kept."""
    by_digest = {digest: address for address, digest in _digests(work, addresses).items()}
    for digests in bulk.chunks(by_digest):
        statement = select(Suppression.address).where(
            bulk.among(work, Suppression.address, digests)
        )
        for row in work.rows(statement):
            kept = update(Suppression).where(Suppression.address == row.address)
            work.execute(kept.values(address=by_digest[row.address]))


def _digests(work: UnitOfWork, addresses: Collection[str]) -> dict[str, str]:
    """The digest of each address, by the address in compared form."""
    named = {compared(address) for address in addresses}
    return {
        address: _CONCEALED + hmac.digest(work.message_key, address.encode(), "sha256").hex()
        for address in named
    }


_CONCEALED = "digest:"  # no address begins so: it has no @


def lift(work: UnitOfWork, address: str, *, reason: str) -> None:
    """Lift the suppression of an address. Raises NotFound if it is not suppressed."""
    small = searched(address)
    recall(work, [small])
    ended = work.connection.execute(delete(Suppression).where(Suppression.address == small))
    if not ended.rowcount:
        raise NotFound
    cursors.touch_address(work, small)
    # The address is somebody's, and an entry's subject stays for good.
    named = hmac.digest(work.message_key, f"suppression:{small}".encode(), "sha256").hex()
    lifted = {"address": (small, None)}
    history.record(work, "lift", "suppression", named, changes=lifted, reason=reason)


class SuppressedAddress(NamedTuple):
    """An address that is not written to: why, until when (None: for good), and since when."""

    address: str
    reason: str
    until_at: datetime | None
    recorded_at: datetime


def page(
    reading: ReadContext, *, after: str | None, limit: int, address: str | None = None
) -> list[SuppressedAddress]:
    """A page of the suppressed addresses, ordered by address."""
    columns = (getattr(Suppression, name) for name in SuppressedAddress._fields)
    readable = ~Suppression.address.startswith(_CONCEALED)
    held = select(*columns).where(_holds(reading.now), readable).order_by(Suppression.address)
    if address is not None:
        held = held.where(Suppression.address == searched(address))
    if after:
        held = held.where(Suppression.address > after)
    return reading.rows_as(SuppressedAddress, held.limit(limit))


def count(reading: ReadContext) -> int:
    """How many addresses are suppressed now."""
    counted = select(func.count()).select_from(Suppression).where(_holds(reading.now))
    return int(reading.connection.execute(counted).scalar_one())


@sees_everything
def since(
    reading: ReadContext, addresses: Collection[str], *, now: datetime
) -> dict[str, datetime]:
    """The suppressed ones among these addresses, and since when."""
    suppressed: dict[str, datetime] = {}
    for some in bulk.chunks(set(map(compared, addresses))):
        statement = select(Suppression.address, Suppression.recorded_at).where(
            bulk.among(reading, Suppression.address, some), _holds(now)
        )
        suppressed |= {row.address: row.recorded_at for row in reading.rows(statement)}
    return suppressed


def of_holders(
    reading: ReadContext, holders: Collection[Addressee], *, now: datetime
) -> Collection[str]:
    """The suppressed ones among these holders' addresses."""
    return since(reading, addresses_of(*holders), now=now)


@sees_everything
def rests(
    reading: ReadContext, holders: Collection[Addressee], *, now: datetime
) -> dict[str, datetime]:
    """The holders' addresses that are suppressed only for a while, and until when."""
    rests_until: dict[str, datetime] = {}
    for some in bulk.chunks(set(map(compared, addresses_of(*holders)))):
        statement = select(Suppression.address, Suppression.until_at).where(
            bulk.among(reading, Suppression.address, some), Suppression.until_at > now
        )
        rests_until |= {row.address: row.until_at for row in reading.rows(statement)}
    return rests_until


def addresses_of(*holders: Addressee) -> list[str]:
    """The holders' addresses, the first before the second."""
    return [a for holder in holders for a in (holder.email, holder.second_email) if a]


def address_of(holder: Addressee, suppressed: Collection[str]) -> str | None:
    """The address to write to: the first that is not suppressed, or None.

    An address that every relay takes goes before one that needs SMTPUTF8.
    """
    open_ones = [a for a in addresses_of(holder) if compared(a) not in suppressed]
    return min(open_ones, key=needs_smtputf8, default=None)
