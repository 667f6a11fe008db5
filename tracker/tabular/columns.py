"""Columns, and the parsers that turn the text of a cell into a value.

A parser is a function of one text, compiled once and called for every row. It raises `ValueError`
with the rule in words ("must be a date such as 2026-03-15"). The reader has already removed the
white space around a cell, and calls no parser for an empty cell.

Here: texts, words of a list, truth values, addresses, time zones. Dates and numbers, which files
write in several ways, have their own modules.
"""

import difflib
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import ClassVar

from tracker.domain import emails, numbers, values
from tracker.tabular.kinds import ColumnKind, Conventions, Parser

# What people, spreadsheets and web pages leave around a value: white space and invisible
# characters. Tabs and line breaks are not among them: they are control characters, and are refused
# rather than silently dropped.
BLANKS = values.AROUND

_LONGEST_GUESS = 40


@dataclass(frozen=True, slots=True)
class Column:
    """How one column is read.

    `parse` turns the text of a cell into its value, or raises `ValueError` with the rule in words.
    If `required`, the header must name the column and every row must fill it.
    """

    name: str
    parse: Callable[[str], object]
    required: bool = False

    @property
    def kind(self) -> ColumnKind:
        """What the column holds; a plain function reads texts."""
        return self.parse.kind if isinstance(self.parse, Parser) else ColumnKind.TEXT

    def settled(self, conventions: Conventions) -> Callable[[str], object]:
        """The parser for the conventions of the file at hand."""
        return self.parse.settled(conventions) if isinstance(self.parse, Parser) else self.parse


def text(max_length: int) -> Callable[[str], str]:
    """Read one line of text of at most `max_length` characters, cleaned as everywhere."""

    def parse(value: str) -> str:
        return values.line(value, max_length)

    return parse


def certificate_number(value: str) -> str:
    """Read a certificate number as somebody entered it."""
    return numbers.certificate_number(value)


def choice(words: Sequence[str]) -> Callable[[str], str]:
    """Read one of a few words, exactly as written; a refusal names them and the nearest one."""
    known = frozenset(words)
    rule = f"must be one of {', '.join(words)}"

    def parse(value: str) -> str:
        if value not in known:
            raise NotAmong(value, known, rule)
        return value

    return parse


class TruthParser(Parser[bool]):
    """Read true or false in any case: spreadsheets write TRUE, programs True."""

    kind: ClassVar[ColumnKind] = ColumnKind.TRUTH

    def settled(self, conventions: Conventions) -> Callable[[str], bool]:
        """The one function: every file writes truth values alike."""
        del conventions
        return _truth


truth = TruthParser()
_TRUTHS = {"true": True, "false": False}
# What spreadsheets write in other languages, and people type: recognized, but refused.
_TRUE_WORDS = frozenset(
    (
        "1",
        "yes",
        "y",
        "x",
        "t",
        "on",
        "si",
        "sí",
        "wahr",
        "verdadero",
        "vrai",
        "vero",
        "verdadeiro",
        "prawda",
    )
)
_FALSE_WORDS = frozenset(
    ("0", "no", "n", "f", "off", "falsch", "falso", "faux", "fałsz", "nein", "non", "não")
)


def _truth(value: str) -> bool:
    word = value.casefold()
    if word in _TRUTHS:
        return _TRUTHS[word]
    rule = "must be true or false"
    if word in _TRUE_WORDS | _FALSE_WORDS:
        rule += f"; did you mean {'true' if word in _TRUE_WORDS else 'false'}?"
    raise ValueError(rule)


def email(value: str) -> str:
    """Read an email address by the general rule (`domain.emails`).

    Only the domain is put in lower case: the part before the @ belongs to the receiving host (RFC
    5321, 2.4).
    """
    return emails.email(value)


def time_zone(value: str) -> str:
    """Read the name of an IANA time zone, such as America/New_York."""
    known = _time_zones()
    if value not in known:
        rule = "must be an IANA time zone such as America/New_York"
        raise NotAmong(value, known, rule)
    return value


class NotAmong(ValueError):  # noqa: N818 - named for the refused fact
    """A word that is not on the list; the nearest is looked for only when the text is read."""

    def __init__(self, value: str, known: frozenset[str], rule: str) -> None:
        """Keep the parts of the sentence."""
        super().__init__(value, known, rule)
        self._value, self._known, self._rule = value, known, rule

    def __str__(self) -> str:
        """The rule, and the nearest allowed word if one is near."""
        return self._rule + did_you_mean(self._value, self._known)


@lru_cache(maxsize=256)
def did_you_mean(value: str, known: frozenset[str]) -> str:
    """A phrase "; did you mean ...?" with the nearest of the known words, or nothing."""
    if len(value) > _LONGEST_GUESS:
        return ""
    folded = _folded_words(known)
    nearest = difflib.get_close_matches(_folded(value), folded, n=1, cutoff=0.65)
    return f"; did you mean {folded[nearest[0]]}?" if nearest else ""


@lru_cache(maxsize=64)
def _folded_words(known: frozenset[str]) -> dict[str, str]:
    return {_folded(word): word for word in sorted(known)}


def _folded(word: str) -> str:
    return word.strip().casefold().replace(" ", "_").replace("-", "_")


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
