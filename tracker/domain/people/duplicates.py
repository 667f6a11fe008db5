"""Likely duplicates: two records that may be of one person, and the signs of it.

A shared email address is enough. The same or nearly the same name is not: many people share one, so
it needs another sign beside it. Nobody is refused for it; staff look at the pair.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations
from typing import NamedTuple

from rapidfuzz import fuzz

from tracker.domain.names import FoldedName
from tracker.domain.values import folded

SHARED_BY = 10
"""An address that more records have is a shared mailbox, and no sign."""
_ALIKE = 90  # of 100: the similarity of names that differ by typing errors only
_LARGEST_BLOCK = 200
_BEGIN = 2  # letters


class DuplicateSign(StrEnum):
    """What two records have in common."""

    SAME_EMAIL = "same_email"
    SAME_NAME = "same_name"
    SIMILAR_NAME = "similar_name"
    SAME_EMPLOYER = "same_employer"
    SAME_EMPLOYEE_ID = "same_employee_id"


@dataclass(frozen=True, slots=True)
class PersonToCompare:
    """What is compared of a record: names, current and former, and what else identifies a person.

    ``emails`` are in compared form. ``employers`` are ids, ``employee_ids`` are pairs of employer
    and id.
    """

    id: str
    names: tuple[FoldedName, ...]
    emails: frozenset[str] = frozenset()
    employers: frozenset[str] = frozenset()
    employee_ids: frozenset[tuple[str, str]] = frozenset()


def signs(one: PersonToCompare, other: PersonToCompare) -> tuple[DuplicateSign, ...]:
    """The signs that two records are of one person; none if they do not suffice."""
    return _signs(_prepared(one), _prepared(other))


class _PreparedName(NamedTuple):
    """A name as it is compared: its words in order, and as one text."""

    words: tuple[str, ...]
    text: str


class _Prepared(NamedTuple):
    """A person whose names are prepared once, however many others they are compared with."""

    person: PersonToCompare
    names: tuple[_PreparedName, ...]


def _prepared(person: PersonToCompare) -> _Prepared:
    return _Prepared(person, tuple(map(_prepared_name, person.names)))


def _prepared_name(name: FoldedName) -> _PreparedName:
    words = _words(name)
    return _PreparedName(tuple(words), " ".join(words))


def _signs(one: _Prepared, other: _Prepared) -> tuple[DuplicateSign, ...]:
    found = [
        sign
        for sign, is_shared in (
            (DuplicateSign.SAME_EMAIL, one.person.emails & other.person.emails),
            (DuplicateSign.SAME_EMPLOYEE_ID, one.person.employee_ids & other.person.employee_ids),
            (DuplicateSign.SAME_EMPLOYER, one.person.employers & other.person.employers),
        )
        if is_shared
    ]
    if not found:
        return ()
    name = _name_sign(one.names, other.names)
    if name is None:
        return tuple(found) if DuplicateSign.SAME_EMAIL in found else ()
    return name, *found


def _name_sign(
    names: Iterable[_PreparedName], others: Collection[_PreparedName]
) -> DuplicateSign | None:
    best = max((_likeness(one, other) for one in names for other in others), default=0.0)
    if best == 100:  # noqa: PLR2004 - per cent
        return DuplicateSign.SAME_NAME
    return DuplicateSign.SIMILAR_NAME if best >= _ALIKE else None


def _likeness(one: _PreparedName, other: _PreparedName) -> float:
    """How alike two names are, of 100, whichever of their words comes first; 0 if not enough.

    People of several names leave some of them out: then two words that agree are alike enough.
    """
    fewer, more = one.words, other.words
    if len(fewer) > len(more):
        fewer, more = more, fewer
    if len(fewer) > 1 and fewer != more and fewer[0] in more and set(fewer) <= set(more):
        return _ALIKE
    return fuzz.ratio(one.text, other.text, score_cutoff=_ALIKE)


def _words(name: FoldedName) -> list[str]:
    return sorted(folded(name.given, name.family).split())


def pairs(people: Iterable[PersonToCompare]) -> dict[tuple[str, str], tuple[DuplicateSign, ...]]:
    """The likely duplicates among people who share something, each pair with the smaller id first.

    Only people of one block are compared: those with the same address, and those whose names have
    two words that begin alike. A block of more than 200 says too little and is left out.
    """
    given = tuple(people)
    counts = Counter(email for person in given for email in person.emails)
    shared_by_many = {email for email, count in counts.items() if count > SHARED_BY}
    blocks: dict[tuple[str, str], dict[str, _Prepared]] = defaultdict(dict)
    for person in given:
        shared = person.emails & shared_by_many
        alone = replace(person, emails=person.emails - shared) if shared else person
        prepared = _prepared(alone)
        for key in _blocks_of(prepared):
            blocks[key][person.id] = prepared
    found: dict[tuple[str, str], tuple[DuplicateSign, ...]] = {}
    for block in blocks.values():
        if len(block) > _LARGEST_BLOCK:
            continue
        for (first, one), (second, other) in combinations(sorted(block.items()), 2):
            if (first, second) not in found and (alike := _signs(one, other)):
                found[first, second] = alike
    return found


def _blocks_of(prepared: _Prepared) -> Iterator[tuple[str, str]]:
    """Where a person is compared: by each address, and by the beginnings of each two words."""
    for name in prepared.names:
        begins = [word[:_BEGIN] for word in name.words]
        for words in combinations(begins, 2) if len(begins) > 1 else [begins]:
            yield "words", " ".join(words)
    for email in prepared.person.emails:
        yield "email", email
