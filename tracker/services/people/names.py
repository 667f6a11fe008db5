"""Names on record, current and former: the only place that writes them.

Code that registers or renames a person takes the row's values from ``columns``, so that everybody
is found by every name they have or had.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, false, or_, select

from tracker.db import new_id
from tracker.domain import names as rules
from tracker.domain.names import FoldedName
from tracker.domain.values import run_together
from tracker.models import FormerName, Holder
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, UnitOfWork

FIELDS = ("given_name", "family_name")
_LAST = "\U0010ffff"  # sorts after every character
_FORMER = select(
    FormerName.id,
    FormerName.holder_id,
    FormerName.given_name,
    FormerName.family_name,
    FormerName.until_on,
)
OF_HOLDER = _FORMER.where(FormerName.holder_id == bindparam("id"))
"""A holder's former names in any order; can be prefetched."""


def of(row: Any) -> FoldedName:
    """The name in a row of holders or of former names."""
    return FoldedName(row.given_name, row.family_name)


def columns(name: FoldedName, former: Collection[FoldedName] = ()) -> dict[str, str]:
    """The columns of a holder's row for a name; ``former`` names are newest first."""
    kept = FoldedName(rules.as_stored(name.given), rules.as_stored(name.family))
    return {
        "given_name": kept.given,
        "family_name": kept.family,
        "folded_name": rules.searchable(kept, former),
    }


# Former names.
@dataclass(frozen=True, slots=True)
class Replaced:
    """A name that is replaced today, in the holder's time zone."""

    holder_id: str
    name: FoldedName
    until_on: date


def former(reading: ReadContext, holder_ids: Collection[str]) -> Mapping[str, Sequence[Any]]:
    """The former names of holders, newest first."""
    found: dict[str, list[Any]] = defaultdict(list)
    for ids in bulk.chunks(set(holder_ids)):
        statement = _FORMER.where(bulk.among(reading, FormerName.holder_id, ids))
        for row in _newest_first(reading.rows(statement)):
            found[row.holder_id].append(row)
    return found


def of_holder(reading: ReadContext, holder_id: str) -> Sequence[Any]:
    """The former names of one holder, newest first."""
    return _newest_first(reading.rows(OF_HOLDER, {"id": holder_id}))


def _newest_first(rows: Sequence[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: row.id, reverse=True)


def keep(work: UnitOfWork, replaced: Collection[Replaced]) -> dict[str, list[FoldedName]]:
    """Store replaced names; returns all former names of these holders, newest first."""
    earlier = former(work, [one.holder_id for one in replaced])
    rows = [
        {
            "id": new_id(),
            "holder_id": one.holder_id,
            "given_name": one.name.given,
            "family_name": one.name.family,
            "until_on": one.until_on,
            "recorded_at": work.now,
            "recorded_by": work.actor.name,
        }
        for one in replaced
    ]
    bulk.insert(work, FormerName, rows)
    return {one.holder_id: [one.name, *map(of, earlier.get(one.holder_id, ()))] for one in replaced}


# Searching.
def is_found_by(query: str) -> ColumnElement[bool]:
    """The condition that a query matches a holder's current or former name."""
    readings, text = rules.find_name(query), Holder.folded_name
    if not readings:
        return false()
    return or_(*(and_(*(text.contains(piece) for piece in pieces)) for pieces in readings))


def begins(field: str, value: str) -> ColumnElement[bool]:
    """The condition that a name begins so; for ``family_name`` the current one, by an index."""
    if not (start := run_together(value)):
        return false()
    if field == "given_name":
        return Holder.folded_name.contains(f" , {start}")
    return and_(Holder.folded_name >= f" {start}", Holder.folded_name < f" {start}{_LAST}")
