"""Names of people as searches compare them: without accents, case, hyphens and punctuation.

``searchable`` makes the text that stands beside every holder's name; ``find_name`` says which
pieces of such texts a query asks for. A person's former names are found like the current one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tracker.domain.values import folded, run_together, tidy

LONGEST_TEXT = 600
"""Characters of a searchable text: an index holds no longer key. The oldest names fall out."""
MOST_JOINED = 8
"""A query of more words is compared word by word only."""


@dataclass(frozen=True, slots=True)
class FoldedName:
    """A person's name as it is written."""

    given: str
    family: str


def as_stored(text: str) -> str:
    """A name as it is kept: as given, cleaned of what nobody sees (``values.tidy``)."""
    return tidy(text)


def is_same(one: FoldedName, other: FoldedName) -> bool:
    """Whether two names look the same: composed or not, with whatever blanks."""
    return _composed(one) == _composed(other)


def _composed(name: FoldedName) -> tuple[str, str]:
    return as_stored(name.given), as_stored(name.family)


def searchable(current: FoldedName, former: Iterable[FoldedName] = ()) -> str:
    """What a name is found by: the current one, then the former ones, the newest first.

    Each stands there as one word and, where that differs, as separate words, because people type
    "obrien", "o brien" and "O'Brien" for the same person.

    >>> searchable(Name("Mary", "O'Brien"), [Name("Mary", "Soto")])
    ' obrien , mary ; o brien , mary ; soto , mary ;'
    """
    entries: dict[str, None] = {}
    for name in (current, *former):
        for fold in (run_together, folded):
            entries[f" {fold(name.family)} , {fold(name.given)} ;"] = None
    return "".join(entries)[:LONGEST_TEXT]


def find_name(query: str) -> list[list[str]]:
    """Pieces of searchable texts that a query means: all of one of the lists must be found.

    Every word is the beginning of a word of the name, in any order; words side by side may be
    one word on record. No lists: the query holds nothing that a name could be found by.

    >>> find_name("O'Brien")
    [[' o', ' brien'], [' obrien']]
    """
    words = folded(query).split()
    if not words:
        return []
    readings = [words]
    if len(words) <= MOST_JOINED:
        pairs = range(len(words) - 1)
        readings += [[*words[:n], words[n] + words[n + 1], *words[n + 2 :]] for n in pairs]
    if len(words) > 2:  # noqa: PLR2004 - two words side by side are one pair
        readings.append(["".join(words)])
    return [[f" {word}" for word in reading] for reading in readings]
