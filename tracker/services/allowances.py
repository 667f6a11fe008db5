"""How often something may be done within a while: wrong guesses, exports.

Counted in the database, so that all processes count together, and so that a restart forgives
nothing. Kept is no address and no number, but what a key of ours makes of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, select

from tracker.domain.errors import TooOften
from tracker.models import Usage
from tracker.services.work import Reading, Work

_KEPT = timedelta(days=1)  # no allowance is of a longer time


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many times within a while, for one of those whom ``what`` tells apart."""

    what: str
    most: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class Use:
    """An allowance and the one whose use is counted, by a key that says nothing of them."""

    allowance: Allowance
    key: str

    def wait(self, began_at: datetime, count: int, now: datetime) -> int:
        """Seconds until it may be used again; 0: now."""
        ends = began_at + self.allowance.within
        return int((ends - now).total_seconds()) + 1 if self.is_spent(count) and now < ends else 0

    def is_spent(self, count: int) -> bool:
        """Whether nothing of it is left."""
        return count >= self.allowance.most


def use_of(allowance: Allowance, secret: bytes, who: str) -> Use:
    """One's use of an allowance; ``secret`` is the key that hides who it is."""
    text = f"{allowance.what}:{who}".encode(errors="surrogatepass")
    return Use(allowance, hashlib.blake2b(text, key=secret[:64], digest_size=32).hexdigest())


def check(reading: Reading, uses: Iterable[Use]) -> None:
    """Refuse who has spent an allowance, without counting anything. Raises TooOften."""
    by_key = {use.key: use for use in uses}
    table = Usage
    rows = reading.rows(select(table.key, table.began_at, table.count).where(table.key.in_(by_key)))
    wait = max((by_key[r.key].wait(r.began_at, r.count, reading.now) for r in rows), default=0)
    if wait:
        raise TooOften(f"Too often; try again in {wait} seconds.", retry_after=wait)


def count(work: Work, uses: Iterable[Use]) -> None:
    """Count one more use of each, in one statement; a while that has passed begins anew."""
    for use in sorted(uses, key=lambda one: one.key):
        _count(work, use)


def take(work: Work, use: Use) -> None:
    """Count a use, and refuse it where it is one too many. Raises TooOften."""
    row = _count(work, use)
    if row.count > use.allowance.most:
        wait = use.wait(row.began_at, row.count, work.now)
        raise TooOften(f"Too often; try again in {wait} seconds.", retry_after=wait)


def _count(work: Work, use: Use) -> Any:
    table, over = Usage, work.now - use.allowance.within
    made = work.upsert(table).values(key=use.key, began_at=work.now, count=1)
    more = made.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "count": case((table.began_at <= over, 1), else_=table.count + 1),
            "began_at": case((table.began_at <= over, work.now), else_=table.began_at),
        },
    )
    return work.row(more.returning(table.count, table.began_at))


def forget_old(work: Work) -> int:
    """Forget what was counted longer ago than any allowance lasts; how many there were."""
    result: Any = work.connection.execute(delete(Usage).where(Usage.began_at < work.now - _KEPT))
    return int(result.rowcount)
