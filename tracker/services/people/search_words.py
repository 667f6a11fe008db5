"""The words by which staff find people: written wherever a name or an address changes.

Whoever writes a person's names or addresses calls ``add`` for new people and ``settle`` for those
on record; ``domain.names`` says which words those are. Somebody who was erased, or whose record was
merged into another one, has none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    SelectBase,
    and_,
    delete,
    false,
    func,
    or_,
    select,
    union,
)
from sqlalchemy.orm import aliased

from tracker.domain import names as rules
from tracker.domain.emails import searched
from tracker.models import Holder, HolderWord
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of

_LAST = "\U0010ffff"  # sorts after every character
_VERY_MANY = 1000
_JOINED_AT_ONCE = 6
"""So many words are joined in one query: planners try the orders of a few joins only."""


class HasWords(Protocol):
    """A row of a person with what they are found by."""

    @property
    def id(self) -> str:
        """The person's id."""

    @property
    def folded_name(self) -> str:
        """The searchable text of the names."""

    @property
    def email(self) -> str:
        """The address."""

    @property
    def second_email(self) -> str | None:
        """The second address."""


class NamedPerson(NamedTuple):
    """What of a person's row they are found by."""

    id: str
    folded_name: str
    email: str
    second_email: str | None


_PEOPLE = select(*columns_of(NamedPerson, Holder)).where(
    Holder.merged_into_id.is_(None), Holder.erased_at.is_(None)
)
_STORED = select(HolderWord.holder_id, HolderWord.word)


# Writing.
def add(work: UnitOfWork, people: Iterable[HasWords]) -> None:
    """Store the words of people who are new on record."""
    bulk.insert(work, HolderWord, [row for one in people for row in _rows(one.id, _words(one))])


def settle(work: UnitOfWork, holder_ids: Collection[str]) -> None:
    """Make the words of people agree with what is on record; few statements for each 500."""
    for ids in bulk.chunks(sorted(set(holder_ids))):
        wanted, stored = _wanted(work, ids), _stored(work, ids)
        wrong = [id_ for id_ in ids if wanted[id_] != stored[id_]]
        if not wrong:
            continue
        if any(stored[id_] for id_ in wrong):
            work.execute(delete(HolderWord).where(bulk.among(work, HolderWord.holder_id, wrong)))
        bulk.insert(work, HolderWord, [row for id_ in wrong for row in _rows(id_, wanted[id_])])


def differing(reading: ReadContext, holder_ids: Sequence[str]) -> list[str]:
    """Those of these people whose words are not those of what is on record."""
    return [
        id_
        for ids in bulk.chunks(holder_ids)
        for wanted, stored in [(_wanted(reading, ids), _stored(reading, ids))]
        for id_ in ids
        if wanted[id_] != stored[id_]
    ]


def _words(person: HasWords) -> frozenset[str]:
    return rules.words(person.folded_name, (person.email, person.second_email))


def _rows(holder_id: str, words: Collection[str]) -> list[dict[str, object]]:
    return [{"holder_id": holder_id, "word": word} for word in words]


def _wanted(reading: ReadContext, ids: Sequence[str]) -> Mapping[str, Collection[str]]:
    people = reading.rows_as(NamedPerson, _PEOPLE.where(bulk.among(reading, Holder.id, ids)))
    return defaultdict(frozenset, {person.id: _words(person) for person in people})


def _stored(reading: ReadContext, ids: Sequence[str]) -> Mapping[str, Collection[str]]:
    words: dict[str, set[str]] = defaultdict(set)
    statement = _STORED.where(bulk.among(reading, HolderWord.holder_id, ids))
    for holder_id, word in reading.rows(statement):
        words[holder_id].add(word)
    return words


# Searching.
def found_by(query: str) -> Sequence[Select[str]]:
    """The ids of the people whom a query finds by names and addresses, each way to read it."""
    return [_having(pieces) for pieces in rules.find_person(query)]


def begin_with(piece: str) -> Select[str]:
    """The ids of the people who have a word that begins so."""
    return select(HolderWord.holder_id).where(_begins(HolderWord, piece))


def are_frequent(reading: ReadContext, query: str) -> bool:
    """Whether a query finds so many people that looking at one after another finds a page sooner.

    That is where all beginnings of one way to read it begin very many words. It costs no more for
    more people, since it stops counting at ``_VERY_MANY``.
    """
    readings = rules.find_person(query)
    pieces = [*dict.fromkeys(piece for reading_ in readings for piece in reading_)]
    if not pieces:
        return False
    counts = reading.row(select(*(_count_up_to_very_many(piece) for piece in pieces)))
    frequent = {piece for piece, count in zip(pieces, counts, strict=True) if count == _VERY_MANY}
    return any(frequent.issuperset(reading_) for reading_ in readings)


def _count_up_to_very_many(piece: str) -> ScalarSelect[int]:
    some = select(HolderWord.word).where(_begins(HolderWord, piece)).limit(_VERY_MANY).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


def is_found(query: str) -> ColumnElement[bool]:
    """The condition of ``found_by``, asked about each holder by the holder's own few words."""
    readings = rules.find_person(query)
    return or_(false(), *(and_(*map(_has, pieces)) for pieces in readings))


def _has(piece: str) -> ColumnElement[bool]:
    # With a limit: planners turn a plain EXISTS into a join with everybody who has such a word.
    mine = and_(HolderWord.holder_id == Holder.id, _begins(HolderWord, piece))
    return select(HolderWord.word).where(mine).limit(1).scalar_subquery().is_not(None)


def has_address(text: str) -> ColumnElement[bool]:
    """The condition that one of a holder's two addresses is this one, ignoring case and form."""
    address = searched(text)
    if "@" not in address:
        return false()  # a word of a name is no address
    return Holder.id.in_(select(HolderWord.holder_id).where(HolderWord.word == address))


def among(*found: SelectBase) -> ColumnElement[bool]:
    """The condition that a holder is one of those found.

    A union is computed once, from its indexes. A single query would leave it to the planner to go
    through everybody instead, in the hope of filling a page early.
    """
    return Holder.id.in_(union(*found))


def _having(pieces: Sequence[str]) -> Select[str]:
    """The people with words that begin so, the longest first: it leaves the fewest."""
    longest = sorted(pieces, key=len, reverse=True)
    first, *others = (aliased(HolderWord) for _ in longest[:_JOINED_AT_ONCE])
    statement = select(first.holder_id).where(_begins(first, longest[0]))
    for other, piece in zip(others, longest[1:], strict=False):
        same = and_(other.holder_id == first.holder_id, _begins(other, piece))
        statement = statement.join(other, same)
    if rest := longest[_JOINED_AT_ONCE:]:
        statement = statement.where(first.holder_id.in_(_having(rest)))
    return statement


def _begins(table: type[HolderWord], piece: str) -> ColumnElement[bool]:
    return and_(table.word >= piece, table.word < f"{piece}{_LAST}")
