"""Employers' digests: the orders for them, and writing those that are due.

A digest is written at the cut-off, which is Monday 00:00 or the first of a month at 00:00 in the
schemes' time zone (America/New_York in those that are shipped; where they differ, the last), and
shows the state at that time. Its contents are stored, so that a retry sends the same text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from tracker.db import new_id
from tracker.domain.delivery import digests as rules
from tracker.domain.emails import compared
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.periods import DAY, Period
from tracker.models import Digest, DigestOrder
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.employers import digest_contents, employers, looks
from tracker.services.employers.digest_contents import Contents
from tracker.services.outbox import queue, suppressions

KIND = "digest"
_PATIENCE = timedelta(hours=1)
_USEFUL = timedelta(days=30)  # how long sending is retried


class _OrderRow(NamedTuple):
    employer_id: str
    every: rules.DigestFrequency
    language: str
    address: str
    through_on: date | None
    changed_at: datetime


_COLUMNS = columns_of(_OrderRow, DigestOrder)
_CHOSEN = (DigestOrder.every, DigestOrder.language, DigestOrder.address)


# Orders.
@dataclass(frozen=True, slots=True)
class Order:
    """How often an employer gets a digest, at which address and in which language.

    ``deliverable``: messages to the address have not bounced.
    """

    employer_id: str
    every: rules.DigestFrequency
    language: str
    address: str
    through_on: date | None
    changed_at: datetime
    next_on: date
    deliverable: bool


def order_of(reading: ReadContext, employer_id: str) -> Order:
    """An employer's order. Raises NotFound without one, and for another company's."""
    employers.get(reading, employer_id)
    statement = select(*_COLUMNS).where(DigestOrder.employer_id == employer_id)
    row = reading.row_as(_OrderRow, statement)
    if row is None:
        raise NotFound("No digest is ordered.")
    return Order(
        **row._asdict(),
        next_on=rules.next_cutoff(row.every, employers.today(reading)),
        deliverable=not suppressions.since(reading, {row.address}, now=reading.now),
    )


def order(
    work: UnitOfWork,
    employer_id: str,
    *,
    every: rules.DigestFrequency,
    language: str,
    address: str | None,
) -> Order:
    """Order a digest, or change the order; the first one is written at the next cut-off.

    The default address is the employer's own. Raises NotFound, Invalid if there is none.
    """
    own = employers.get(work, employer_id).email
    address = address or own
    if address is None:
        rule = "is required, because the employer has no address on record"
        raise Invalid("There is no address to send to.", fields={"address": rule})
    chosen = {"every": every, "language": language, "address": address}
    statement = work.upsert(DigestOrder).values(
        employer_id=employer_id,
        **chosen,
        through_on=employers.today(work) - DAY,
        changed_at=work.now,
    )
    changed = {**chosen, "changed_at": work.now}
    differs = or_(*(getattr(DigestOrder, name) != value for name, value in chosen.items()))
    made = statement.on_conflict_do_update(
        index_elements=["employer_id"], set_=changed, where=differs
    )
    before = work.row(select(*_CHOSEN).where(DigestOrder.employer_id == employer_id))
    if work.row(made.returning(DigestOrder.employer_id)) is not None:
        known = before._asdict() if before else dict.fromkeys(chosen)
        changes = history.changes(known, chosen)
        history.record(
            work, "order", "digest", employer_id, changes=changes, every=every, language=language
        )
    return order_of(work, employer_id)


def call_off(work: UnitOfWork, employer_id: str) -> None:
    """Send no more digests, not even one that is queued in the outbox. Raises NotFound."""
    employers.get(work, employer_id)
    ordered = delete(DigestOrder).where(DigestOrder.employer_id == employer_id)
    if not work.connection.execute(ordered).rowcount:
        raise NotFound("No digest is ordered.")
    history.record(work, "call_off", "digest", employer_id)


# Writing.
def owed(reading: ReadContext) -> list[str]:
    """The employers whose digest is due now.

    While an address is suppressed, its digest waits, and later covers those days too.
    """
    rows = reading.rows(
        select(DigestOrder.employer_id, DigestOrder.address).where(_uncovered(reading))
    )
    suppressed = suppressions.since(reading, {row.address for row in rows}, now=reading.now)
    return [row.employer_id for row in rows if compared(row.address) not in suppressed]


def late(reading: ReadContext) -> int:
    """The number of digests that were due an hour ago and are not written."""
    return len(owed(replace(reading, now=reading.now - _PATIENCE)))


def _uncovered(reading: ReadContext) -> ColumnElement[bool]:
    """The condition that an order has closed days that no digest has covered."""
    today = employers.today(reading)
    return or_(
        *(
            and_(
                DigestOrder.every == every,
                or_(
                    DigestOrder.through_on.is_(None),
                    DigestOrder.through_on < rules.last_closed(every, today).ends_on,
                ),
            )
            for every in rules.DigestFrequency
        )
    )


def write(work: UnitOfWork, employer_id: str) -> str:
    """Write an employer's due digest, put its message into the outbox, and advance the order.

    All in one transaction, so that a crash leaves nothing half done. If there is nobody to name, no
    message is sent. Returns ``written``, ``empty``, or ``taken`` (nothing is due any more, or
    another process is writing it).
    """
    statement = select(*_COLUMNS).where(DigestOrder.employer_id == employer_id)
    row = work.row_as(_OrderRow, statement.with_for_update(skip_locked=True))
    if row is None:
        return "taken"
    period = rules.owed(row.every, today=employers.today(work), through_on=row.through_on)
    if period is None:
        return "taken"
    contents = digest_contents.snapshot(work, employer_id, period)
    written = _keep(work, employer_id, period, contents)
    if written is not None and not digest_contents.is_empty(contents):
        counted = [numbers["scheme"] for numbers in contents["numbers"]]
        looks.record_digest(work, employer_id, counted, on=period.ends_on)
        _send(work, row, period, written)
        done = "written"
    else:
        done = "empty"
    work.connection.execute(
        update(DigestOrder)
        .where(DigestOrder.employer_id == employer_id)
        .values(through_on=period.ends_on)
    )
    return done


def _keep(work: UnitOfWork, employer_id: str, period: Period, contents: Contents) -> str | None:
    """Store the digest; None if there is already one for this day."""
    statement = work.upsert(Digest).values(
        id=new_id(),
        employer_id=employer_id,
        from_on=period.starts_on,
        through_on=period.ends_on,
        contents=contents,
        recorded_at=work.now,
    )
    made = statement.on_conflict_do_nothing(index_elements=["employer_id", "through_on"])
    row = work.row(made.returning(Digest.id))
    return str(row.id) if row else None


def _send(work: UnitOfWork, row: _OrderRow, period: Period, digest_id: str) -> None:
    """Put the message into the outbox. No later digest covers the same days."""
    key = f"e:{row.employer_id}:{period.ends_on}"
    wanted = queue.MessageToSend(
        key=key,
        kind=KIND,
        address=row.address,
        employer_id=row.employer_id,
        useful_until=work.now + _USEFUL,
        about={"digest_id": digest_id},
    )
    messages = queue.enqueue(work, work.message_key, [wanted])
    work.connection.execute(
        update(Digest).where(Digest.id == digest_id).values(message_id=messages[key])
    )
