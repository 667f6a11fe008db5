"""Names of people in the form used for searching: without accents, case, hyphens and punctuation.

``searchable`` makes the text that is stored with every holder's name, ``words`` what is stored of
it and of the addresses, word by word; ``find_person`` says which beginnings of words match a query.
A person's former names are found like the current one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tracker.domain.emails import compared, searched
from tracker.domain.values import folded, run_together, tidy

LONGEST_TEXT = 600
"""Characters of a searchable text: index keys cannot be longer. The oldest names are cut off."""
MOST_JOINED = 8
"""A query of more words is compared word by word only."""
_SEPARATORS = frozenset({",", ";"})
_AROUND = ",;:()<>\"'"  # signs around a word, which no address begins or ends with


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


def words(text: str, addresses: Iterable[str | None]) -> frozenset[str]:
    """What a person is found by: the words of a searchable text, and each address as one word.

    >>> sorted(words(" obrien , mary ; o brien , mary ;", ["Mary@example.org", None]))
    ['brien', 'mary', 'mary@example.org', 'o', 'obrien']
    """
    named = (word for word in text.split() if word not in _SEPARATORS)
    return frozenset((*named, *(compared(one) for one in addresses if one)))


def find_person(query: str) -> list[list[str]]:
    """The beginnings of words by which a query finds people, by name or by address.

    All beginnings of one list must be found; lists are alternatives. What has a sign in it is also
    taken as it is typed, as the beginning of an address; with an @ in it, it is nothing else.

    >>> find_person("Ruiz ana@ex")
    [['ruizana@ex'], ['ruiz', 'ana@ex']]
    """
    if not folded(query):
        return []
    typed = [one for one in (word.strip(_AROUND) for word in query.split()) if one]
    address = searched("".join(query.split()))
    if "@" in address:
        readings = [[address], _as_typed(typed, [word for word in typed if "@" in word])]
    else:
        readings = find_name(query)
        as_typed = _as_typed(typed, [word for word in typed if not word.isalnum()])
        readings += [as_typed] if as_typed not in readings else []
    return [_selective(reading) for reading in readings]


def _as_typed(words_: Iterable[str], addresses: Collection[str]) -> list[str]:
    """Words of which some begin addresses, and the others names."""
    return [
        piece
        for word in words_
        for piece in ([compared(word)] if word in addresses else folded(word).split())
    ]


def _selective(pieces: Iterable[str]) -> list[str]:
    """The pieces without those with which another one begins."""
    once = dict.fromkeys(pieces)
    return [x for x in once if not any(y != x and y.startswith(x) for y in once)]


def find_name(query: str) -> list[list[str]]:
    """The beginnings of words by which a query finds a name: all of one list must be found.

    Every word matches the beginning of a word of the name, in any order; two neighboring words may
    be one word on record. An empty result: the query has nothing to search for.

    >>> find_name("O'Brien")
    [['o', 'brien'], ['obrien']]
    """
    typed = folded(query).split()
    if not typed:
        return []
    readings = [typed]
    if len(typed) <= MOST_JOINED:
        pairs = range(len(typed) - 1)
        readings += [[*typed[:n], typed[n] + typed[n + 1], *typed[n + 2 :]] for n in pairs]
    if len(typed) > 2:  # noqa: PLR2004 - two words side by side are one pair
        readings.append(["".join(typed)])
    return readings
