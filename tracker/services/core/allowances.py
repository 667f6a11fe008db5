"""Limits on how often something may be done within a period: wrong guesses, exports.

Uses are counted in the database, so that all processes share one count and a restart does not reset
it. No address or number is stored, only a keyed hash of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, select, update

from tracker import db
from tracker.domain.errors import TooOften
from tracker.models import Usage
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, UnitOfWork

_KEPT = timedelta(days=1)  # no allowance has a longer period


@dataclass(frozen=True, slots=True)
class Allowance:
    """A maximum number of uses within a period, for each subject; ``what`` names the kind."""

    what: str
    most: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class Use:
    """An allowance and the subject whose uses are counted, known only by a keyed hash."""

    allowance: Allowance
    key: str

    def wait(self, began_at: datetime, count: int, now: datetime) -> int:
        """Seconds until the allowance may be used again; 0 means now."""
        ends = began_at + self.allowance.within
        return int((ends - now).total_seconds()) + 1 if self.is_spent(count) and now < ends else 0

    def is_spent(self, count: int) -> bool:
        """Whether the allowance is used up."""
        return count >= self.allowance.most


def use_of(allowance: Allowance, secret: bytes, who: str) -> Use:
    """One subject's use of an allowance; ``secret`` is the key of the hash that hides them."""
    text = f"{allowance.what}:{who}".encode(errors="surrogatepass")
    return Use(allowance, hashlib.blake2b(text, key=secret[:64], digest_size=32).hexdigest())


def check(reading: ReadContext, uses: Collection[Use], *, both: Collection[Use] = ()) -> None:
    """Refuse if one of ``uses`` is used up, or all of ``both``; counts nothing. Raises TooOften."""
    by_key = {use.key: use for use in (*uses, *both)}
    table = Usage
    rows = reading.rows(select(table.key, table.began_at, table.count).where(table.key.in_(by_key)))
    waits = {r.key: by_key[r.key].wait(r.began_at, r.count, reading.now) for r in rows}
    wait = max((waits.get(use.key, 0) for use in uses), default=0)
    wait = max(wait, min((waits.get(use.key, 0) for use in both), default=0))
    if wait:
        raise TooOften(f"Too many requests; try again in {wait} seconds.", retry_after=wait)


def count_without_waiting(work: UnitOfWork, uses: Mapping[Use, int]) -> dict[Use, int]:
    """Add to the counts without waiting for locks; returns the uses that another writer blocked."""
    left = dict(uses)
    with db.without_waiting(work.connection):
        for allowance in dict.fromkeys(use.allowance for use in uses):
            of_one = {use: times for use, times in uses.items() if use.allowance == allowance}
            _count_many(work, allowance, of_one)
            for use in of_one:
                del left[use]
    return left


def _count_many(work: UnitOfWork, allowance: Allowance, uses: Mapping[Use, int]) -> None:
    """Add to the counts of one allowance in one statement, in the order of their keys."""
    table, over = Usage, work.now - allowance.within
    times = {use.key: count for use, count in uses.items()}
    rows = [{"key": key, "began_at": work.now, "count": times[key]} for key in sorted(times)]
    made = work.upsert(table).values(rows)
    added = made.excluded["count"]
    counted = made.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "count": case((table.began_at <= over, added), else_=table.count + added),
            "began_at": case((table.began_at <= over, work.now), else_=table.began_at),
        },
    )
    work.execute(counted)


def left(reading: ReadContext, uses: Collection[Use]) -> dict[Use, int]:
    """How many times each may still be used, in one statement; counts nothing."""
    table = Usage
    keys = sorted({use.key for use in uses})
    statement = select(table.key, table.began_at, table.count).where(
        bulk.among(reading, table.key, keys)
    )
    rows = {row.key: row for row in reading.rows(statement)}

    def of_one(use: Use) -> int:
        row = rows.get(use.key)
        if row is None or row.began_at + use.allowance.within <= reading.now:
            return use.allowance.most
        return max(use.allowance.most - int(row.count), 0)

    return {use: of_one(use) for use in uses}


def take(work: UnitOfWork, use: Use) -> None:
    """Count a use, and refuse it if it exceeds the allowance. Raises TooOften."""
    take_one_of(work, [use])


def take_one_of(work: UnitOfWork, uses: Sequence[Use]) -> None:
    """Count the uses, and refuse if every one exceeds its allowance. Raises TooOften."""
    counts = [(use, *_count(work, use)) for use in uses]
    if all(count > use.allowance.most for use, count, _ in counts):
        wait = min(use.wait(began_at, count, work.now) for use, count, began_at in counts)
        raise TooOften(f"Too many requests; try again in {wait} seconds.", retry_after=wait)


def give_back(work: UnitOfWork, uses: Collection[Use]) -> None:
    """Take back one use each, of what turned out to be no wrong guess."""
    counted = Usage.key.in_([use.key for use in uses]) & (Usage.count > 0)
    work.execute(update(Usage).where(counted).values(count=Usage.count - 1))


def _count(work: UnitOfWork, use: Use, times: int = 1) -> tuple[int, datetime]:
    """Count uses; returns how many there are now in the period, and when it began."""
    table, over = Usage, work.now - use.allowance.within
    made = work.upsert(table).values(key=use.key, began_at=work.now, count=times)
    more = made.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "count": case((table.began_at <= over, times), else_=table.count + times),
            "began_at": case((table.began_at <= over, work.now), else_=table.began_at),
        },
    )
    count, began_at = work.row(more.returning(table.count, table.began_at))
    return count, began_at


def forget_old(work: UnitOfWork) -> int:
    """Delete counts older than the longest period of any allowance; returns how many."""
    old = delete(Usage).where(Usage.began_at < work.now - _KEPT)
    return work.connection.execute(old).rowcount
