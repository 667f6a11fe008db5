"""How a roster entry names its worker, and which person the words mean.

A ref takes precedence over a certificate number, and that over an address. An address means a
person once it is confirmed; one that several people have means nobody. The result is never revealed
to an employer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, String, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from tracker.domain import numbers
from tracker.domain.emails import compared
from tracker.models import Certification, Holder, RosterEntry
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, columns_of, sees_everything
from tracker.services.credentials import certificate_numbers

_NAMES = or_(Certification.withdrawn_at.is_(None), Certification.merged_into_id.is_not(None))
"""The condition that a certificate's number names its holder: also one that leads to another."""
_Text = InstrumentedAttribute[str] | InstrumentedAttribute[str | None] | ColumnElement[str]
WorkerKey = tuple[str, str]
"""One way to name a person and its value, normalized for comparison."""


@dataclass(frozen=True, slots=True)
class NamedWorker:
    """How an entry names its worker."""

    holder_ref: str | None
    certificate_number: str | None
    email: str | None

    @property
    def words(self) -> frozenset[WorkerKey]:
        """Everything given, normalized: numbers without marks and case, addresses without case."""
        number, email = self.certificate_number, self.email
        values = (
            ("ref", self.holder_ref),
            ("number", number and numbers.key(number).lower()),
            ("email", email and compared(email)),
        )
        return frozenset((kind, word) for kind, word in values if word)

    @property
    def deciding(self) -> WorkerKey | None:
        """The word that decides which person is meant."""
        words = dict(self.words)
        kind = next((kind for kind in ("ref", "number", "email") if kind in words), None)
        return (kind, words[kind]) if kind else None


class EntryRow(NamedTuple):
    """A roster entry on record."""

    id: str
    employer_id: str
    employee_id: str
    holder_id: str | None
    given_holder_ref: str | None
    given_number: str | None
    given_email: str | None
    site: str | None
    department: str | None
    shift: str | None
    ended_on: date | None
    recorded_at: datetime

    @property
    def named(self) -> NamedWorker:
        """How the entry names its worker."""
        return NamedWorker(self.given_holder_ref, self.given_number, self.given_email)


ENTRY = columns_of(EntryRow, RosterEntry)
"""The columns of an ``EntryRow``."""


@dataclass(slots=True)
class Meanings:
    """The holders whom words mean; the ``deceased`` among them are tied to no more entries.

    ``several`` are the words that mean more than one person, and therefore nobody.
    """

    holders: dict[WorkerKey, str] = field(default_factory=dict)
    deceased: set[str] = field(default_factory=set)
    several: frozenset[WorkerKey] = frozenset()

    def of(self, named: NamedWorker) -> str | None:
        """The one holder whom the words mean, or None."""
        word = named.deciding
        return self.holders.get(word) if word else None

    def living(self, named: NamedWorker) -> str | None:
        """The same, but None for a deceased holder."""
        holder_id = self.of(named)
        return None if holder_id in self.deceased else holder_id


@sees_everything
def meant(reading: ReadContext, names: Iterable[NamedWorker]) -> Meanings:
    """The person whom each of these names means, in at most three statements."""
    by_kind: dict[str, set[str]] = defaultdict(set)
    for named in names:
        if (word := named.deciding) is not None:
            by_kind[word[0]].add(word[1])
    holders: dict[WorkerKey, set[str]] = defaultdict(set)
    deceased: set[str] = set()
    for word, holder_id, deceased_on in _holders(reading, by_kind):
        holders[word].add(holder_id)
        if deceased_on is not None:
            deceased.add(holder_id)
    several = frozenset(word for word, ids in holders.items() if len(ids) > 1)
    one = {word: ids.pop() for word, ids in holders.items() if len(ids) == 1}
    return Meanings(one, deceased, several)


def _holders(
    reading: ReadContext, by_kind: dict[str, set[str]]
) -> Iterable[tuple[WorkerKey, str, date | None]]:
    if refs := by_kind["ref"]:
        known_as = func.coalesce(Holder.merged_into_id, Holder.id)
        statement = select(Holder.ref, known_as, Holder.deceased_on)
        known = reading.rows(statement.where(bulk.among(reading, Holder.ref, refs)))
        for ref, holder_id, deceased_on in known:
            yield ("ref", ref), holder_id, deceased_on
    if called := by_kind["number"]:
        table = Certification
        keys = {number.upper() for number in called}
        held = (
            select(table.number_key, table.former_key, Holder.id, Holder.deceased_on)
            .join(Holder, Holder.id == table.holder_id)
            .where(certificate_numbers.is_among(reading, keys), _NAMES)
        )
        for number, former, holder_id, deceased_on in reading.rows(held):
            for key in keys & {number, former}:
                yield ("number", key.lower()), holder_id, deceased_on
    if addresses := by_kind["email"]:
        yield from _by_address(reading, addresses)


def _by_address(
    reading: ReadContext, addresses: Collection[str]
) -> Iterable[tuple[WorkerKey, str, date | None]]:
    """Holders by their confirmed addresses: an unconfirmed one may belong to somebody else."""
    statement = select(*_ADDRESSES, Holder.deceased_on).where(
        or_(
            bulk.among(reading, _lower(Holder.email), addresses),
            bulk.among(reading, _lower(Holder.second_email), addresses),
        )
    )
    for *addressed, deceased_on in reading.rows(statement):
        person = _Addressed(*addressed)
        for address in person.confirmed:
            yield ("email", address), person.id, deceased_on


class _Addressed(NamedTuple):
    """A holder with their addresses."""

    id: str
    ref: str
    email: str
    second_email: str | None
    email_confirmed: bool
    second_email_confirmed: bool

    @property
    def confirmed(self) -> set[str]:
        """The confirmed addresses, normalized for comparison."""
        both = (
            (self.email, self.email_confirmed),
            (self.second_email, self.second_email_confirmed),
        )
        return {compared(address) for address, confirmed in both if address and confirmed}


_ADDRESSES = columns_of(_Addressed, Holder)


def words_of(reading: ReadContext, holder_ids: Collection[str]) -> dict[str, set[WorkerKey]]:
    """Every word by which an entry may name each of these holders."""
    words: dict[str, set[WorkerKey]] = defaultdict(set)
    if not holder_ids:
        return words
    merged = select(Holder.merged_into_id, Holder.ref)
    for id_, ref in reading.rows(
        merged.where(bulk.among(reading, Holder.merged_into_id, holder_ids))
    ):
        words[id_].add(("ref", ref))
    people = select(*_ADDRESSES).where(bulk.among(reading, Holder.id, holder_ids))
    for person in reading.rows_as(_Addressed, people):
        emails = {("email", address) for address in person.confirmed}
        words[person.id] |= {("ref", person.ref), *emails}
    table = Certification
    held = select(table.holder_id, table.number_key, table.former_key).where(
        bulk.among(reading, table.holder_id, holder_ids), _NAMES
    )
    for id_, *keys in reading.rows(held):
        words[id_] |= {("number", key.lower()) for key in keys if key}
    return words


def any_of(reading: ReadContext, words: Collection[WorkerKey]) -> ColumnElement[bool]:
    """The condition that an entry has one of these words."""
    by_kind: dict[str, set[str]] = defaultdict(set)
    for kind, word in words:
        by_kind[kind].add(word)
    plain = _without(RosterEntry.given_number, numbers.MARKS)
    return or_(
        bulk.among(reading, RosterEntry.given_holder_ref, by_kind["ref"]),
        bulk.among(reading, _lower(plain), by_kind["number"]),
        bulk.among(reading, _lower(RosterEntry.given_email), by_kind["email"]),
    )


def _without(column: _Text, signs: str) -> _Text:
    for sign in signs:
        column = func.replace(column, sign, "", type_=String())
    return column


def _lower(column: _Text) -> ColumnElement[str]:
    return func.lower(column, type_=String())
