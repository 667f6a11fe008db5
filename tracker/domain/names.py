"""Names of people in the form used for searching: without accents, case, hyphens and punctuation.

``searchable`` makes the text that is stored with every holder's name; ``find_name`` says which
pieces of such texts match a query. A person's former names are found like the current one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tracker.domain.values import folded, run_together, tidy

LONGEST_TEXT = 600
"""Characters of a searchable text: index keys cannot be longer. The oldest names are cut off."""
MOST_JOINED = 8
"""A query of more words is compared word by word only."""


@dataclass(frozen=True, slots=True)
class FoldedName:
    """A person's name as it is written."""

    given: str
    family: str


def as_stored(text: str) -> str:
    """A name in the form in which it is stored: without invisible characters (``values.tidy``)."""
    return tidy(text)


def is_same(one: FoldedName, other: FoldedName) -> bool:
    """Whether two names look the same, whatever their Unicode composition and spaces."""
    return _composed(one) == _composed(other)


def is_family_name(typed: str, known: Iterable[FoldedName]) -> bool:
    """Whether a family name, as it stands on a paper, is that of one of these names.

    Accents, case, hyphens and spaces do not matter.

    >>> is_family_name("OBRIEN", [FoldedName("Mary", "O'Brien")])
    True
    """
    return run_together(typed) in {run_together(name.family) for name in known}


def _composed(name: FoldedName) -> tuple[str, str]:
    return as_stored(name.given), as_stored(name.family)


def searchable(current: FoldedName, former: Iterable[FoldedName] = ()) -> str:
    """The text by which a name is found: the current name, then former names, the newest first.

    Each name is one word and, if that differs, also separate words, because people type "obrien",
    "o brien" and "O'Brien" for the same person.

    >>> searchable(FoldedName("Mary", "O'Brien"), [FoldedName("Mary", "Soto")])
    ' obrien , mary ; o brien , mary ; soto , mary ;'
    """
    entries: dict[str, None] = {}
    for name in (current, *former):
        for fold in (run_together, folded):
            entries[f" {fold(name.family)} , {fold(name.given)} ;"] = None
    return "".join(entries)[:LONGEST_TEXT]


def find_name(query: str) -> list[list[str]]:
    """The pieces of searchable texts that match a query: all pieces of one list must be found.

    Every word matches the beginning of a word of the name, in any order; two neighboring words may
    be one word on record. An empty result: the query has nothing to search for.

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
