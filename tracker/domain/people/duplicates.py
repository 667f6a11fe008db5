"""Likely duplicates: two records that may be of one person, and the signs of it.

A shared email address is enough. The same or nearly the same name is not: many people share one, so
it needs another sign beside it. Nobody is refused for it; staff look at the pair.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations

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
    found = [
        sign
        for sign, is_shared in (
            (DuplicateSign.SAME_EMAIL, one.emails & other.emails),
            (DuplicateSign.SAME_EMPLOYEE_ID, one.employee_ids & other.employee_ids),
            (DuplicateSign.SAME_EMPLOYER, one.employers & other.employers),
        )
        if is_shared
    ]
    if name := _name_sign(one.names, other.names):
        found.insert(0, name)
    is_enough = DuplicateSign.SAME_EMAIL in found or (name is not None and len(found) > 1)
    return tuple(found) if is_enough else ()


def _name_sign(names: Iterable[FoldedName], others: Collection[FoldedName]) -> DuplicateSign | None:
    best = max((_likeness(one, other) for one in names for other in others), default=0.0)
    if best == 100:  # noqa: PLR2004 - per cent
        return DuplicateSign.SAME_NAME
    return DuplicateSign.SIMILAR_NAME if best >= _ALIKE else None


def _likeness(one: FoldedName, other: FoldedName) -> float:
    """How alike two names are, of 100, whichever of their words comes first.

    People of several names leave some of them out: then two words that agree are alike enough.
    """
    words, others = _words(one), _words(other)
    fewer, more = sorted((words, others), key=len)
    if words != others and len(fewer) > 1 and set(fewer) <= set(more):
        return _ALIKE
    return fuzz.ratio(" ".join(words), " ".join(others))


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
    blocks: dict[tuple[str, str], dict[str, PersonToCompare]] = defaultdict(dict)
    for person in (replace(one, emails=one.emails - shared_by_many) for one in given):
        for name in person.names:
            begins = [word[:_BEGIN] for word in _words(name)]
            for words in combinations(begins, 2) if len(begins) > 1 else [begins]:
                blocks["words", " ".join(words)][person.id] = person
        for email in person.emails:
            blocks["email", email][person.id] = person
    found: dict[tuple[str, str], tuple[DuplicateSign, ...]] = {}
    for block in blocks.values():
        if len(block) > _LARGEST_BLOCK:
            continue
        for one, other in combinations(sorted(block.values(), key=lambda p: p.id), 2):
            if (one.id, other.id) not in found and (shared := signs(one, other)):
                found[one.id, other.id] = shared
    return found
