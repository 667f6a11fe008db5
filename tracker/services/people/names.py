"""Names on record, current and former: the only place that writes them.

Code that registers or renames a person takes the row's values from ``columns``, and gives the words
to ``search_words``, so that everybody is found by every name they have or had.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol

from sqlalchemy import ColumnElement, and_, bindparam, false, select

from tracker.db import new_id
from tracker.domain import names as rules
from tracker.domain.names import FoldedName
from tracker.domain.values import run_together
from tracker.models import FormerName, Holder
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.people import search_words

FIELDS = ("given_name", "family_name")
_LAST = "\U0010ffff"  # sorts after every character


class HasName(Protocol):
    """A row of a person, or of a former name."""

    @property
    def given_name(self) -> str:
        """The given name."""

    @property
    def family_name(self) -> str:
        """The family name."""


class FormerNameRow(NamedTuple):
    """A name that a holder had through a day."""

    id: str
    holder_id: str
    given_name: str
    family_name: str
    until_on: date


_FORMER = select(*columns_of(FormerNameRow, FormerName))
OF_HOLDER = _FORMER.where(FormerName.holder_id == bindparam("id"))
"""A holder's former names in any order; can be prefetched."""


def of(row: HasName) -> FoldedName:
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


def former(
    reading: ReadContext, holder_ids: Collection[str]
) -> Mapping[str, Sequence[FormerNameRow]]:
    """The former names of holders, newest first."""
    names: dict[str, list[FormerNameRow]] = defaultdict(list)
    for ids in bulk.chunks(set(holder_ids)):
        statement = _FORMER.where(bulk.among(reading, FormerName.holder_id, ids))
        for row in _newest_first(reading.rows_as(FormerNameRow, statement)):
            names[row.holder_id].append(row)
    return names


def of_holder(reading: ReadContext, holder_id: str) -> Sequence[FormerNameRow]:
    """The former names of one holder, newest first."""
    return _newest_first(reading.rows_as(FormerNameRow, OF_HOLDER, {"id": holder_id}))


def _newest_first(rows: Sequence[FormerNameRow]) -> list[FormerNameRow]:
    return sorted(rows, key=lambda row: row.id, reverse=True)


def keep(work: UnitOfWork, replaced: Collection[Replaced]) -> dict[str, list[FoldedName]]:
    """Store replaced names; returns all former names of these holders, newest first."""
    earlier = former(work, [old.holder_id for old in replaced])
    rows = [
        {
            "id": new_id(),
            "holder_id": old.holder_id,
            "given_name": old.name.given,
            "family_name": old.name.family,
            "until_on": old.until_on,
            "recorded_at": work.now,
            "recorded_by": work.actor.name,
        }
        for old in replaced
    ]
    bulk.insert(work, FormerName, rows)
    return {old.holder_id: [old.name, *map(of, earlier.get(old.holder_id, ()))] for old in replaced}


# Searching.
def begins(field: str, value: str) -> ColumnElement[bool]:
    """The condition that a name begins so, by an index; for ``family_name`` the current one."""
    if not (start := run_together(value)):
        return false()
    if field == "given_name":
        which = Holder.id.in_(search_words.begin_with(start))
        return and_(which, Holder.folded_name.contains(f" , {start}"))
    return and_(Holder.folded_name >= f" {start}", Holder.folded_name < f" {start}{_LAST}")
