"""Dates, amounts and nouns as people write them, in every language that has a catalogue.

What every sentence is made of lives here; the sentences are in the modules beside this one. A
decimal point and a comma between thousands stand in all languages, as is usual in the United
States and in Mexico, where the programmes' Spanish is read.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tracker.domain import clocks
from tracker.domain.periods import Duration
from tracker.domain.points.claims import Claim
from tracker.domain.schemes.activity_types import (
    POINTS,
    ActivityType,
    Category,
    Tag,
    Translated,
    Unit,
)
from tracker.domain.schemes.policies import Policy
from tracker.language import catalogues

LANGUAGES = catalogues.LANGUAGES

_MONTHS = catalogues.phrase("voice", "months")
_LENGTHS = catalogues.sentences("voice", "lengths")
_CLOCKS = catalogues.sentences("voice", "clocks")
_DATES = catalogues.sentences("voice", "dates")
_GROUPS = catalogues.sentences("voice", "groups")
_ONE_OF = catalogues.sentences("voice", "one_of")
_THRESHOLDS = catalogues.sentences("voice", "thresholds")
_SPANS = catalogues.sentences("voice", "spans")
_DONE = catalogues.phrase("voice", "done")
_CENT = Decimal("0.01")
_LISTS = catalogues.lists("voice", "lists")

# Words of Spanish that end the head of a noun: what follows them keeps its number.
_LINKS = frozenset({"de", "del", "por", "en", "con", "a", "al", "para", "sin"})
_FEMININE = ("as", "ciones", "siones", "dades")  # "horas", "unidades"; "PDU" is masculine
_SPANISH_EXCEPTIONS = {"meses": "mes", "exámenes": "examen"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of something: "1 point", "0.5 PDUs".

    In a sentence ``{it}`` is the whole, ``{it.figure}`` and ``{it.noun}`` its parts, and
    ``{it:is|are}`` the word that agrees with it; ``{it:el|los|la|las}`` agrees with its gender too.
    """

    number: Decimal
    one: str
    many: str

    @property
    def figure(self) -> str:
        """The number as it is written."""
        return figure(self.number)

    @property
    def noun(self) -> str:
        """The noun in the number that fits."""
        return self.one if self.number == 1 else self.many

    def __str__(self) -> str:
        return f"{self.figure} {self.noun}"

    @property
    def capital(self) -> str:
        """The noun as it begins a sentence."""
        return self.noun[:1].upper() + self.noun[1:]

    def __format__(self, words: str) -> str:
        if not words:
            return str(self)
        forms = words.split("|")
        if self.many.split(" ")[0].endswith(_FEMININE):
            forms = forms[-2:]
        return forms[0] if self.number == 1 else forms[1]


def figure(number: Decimal) -> str:
    """A number without needless zeros: "12", "0.5", "1,500"."""
    return f"{number.normalize():,f}"


def money(amount: Decimal, currency: str) -> str:
    """An amount of money with its cents: "$75.00" for US dollars, "75.00 CAD" for others."""
    return f"${amount:,.2f}" if currency == "USD" else f"{amount:,.2f} {currency}".rstrip()


def percent(share: Decimal) -> str:
    """A share of one as a percentage: "5%"."""
    return f"{figure(share * 100)}%"


def day_of_year(month: int, day: int, language: str) -> str:
    """A day of any year: "June 30", "30 de junio"."""
    name = _MONTHS[language].split()[month - 1]
    return _DATES[language]["day_of_year"].format(day=day, month=name)


def in_words(day: date, language: str) -> str:
    """A date as people write it: "March 15, 2027", "15 de marzo de 2027"."""
    told = day_of_year(day.month, day.day, language)
    return _DATES[language]["date"].format(day_of_year=told, year=day.year)


def clock(zone: str, language: str) -> str:
    """Whose clock ends a day, by the name of its IANA zone: "Eastern time", "hora del Este".

    Zones that have no everyday name are named by their city: "Lima time", "hora de Lima".
    """
    named = clocks.NAMES if language == catalogues.ENGLISH else _CLOCKS[language]
    return named.get(zone) or _CLOCKS[language]["elsewhere"].format(place=clocks.place(zone))


def length(duration: Duration, language: str) -> str:
    """A length of time: "90 days", "1 año"."""
    return str(counted(Decimal(duration.length), _LENGTHS[language][duration.unit], language))


def version_name(version: str) -> str:
    """A policy version in a sentence: "4.0"; one without a figure as a name, in quotation marks."""
    return version if any(one.isdigit() for one in version) else f"“{version}”"


def several(many: str, language: str) -> Quantity:
    """What a plural noun names, where a sentence tells no number: ``{it.noun}``."""
    return counted(Decimal(2), many, language)


def counted(number: Decimal, many: str, language: str) -> Quantity:
    """So many of what a plural noun names."""
    return Quantity(number, singular(many, language), many)


def listed(items: Iterable[str], language: str) -> str:
    """Items as a list in a sentence: "a, b and c"; "uno, dos e ideas"."""
    *others, last = items
    if not others:
        return last
    words, sound = _LISTS[language], last.lstrip("“¿¡").lower()
    is_before = sound.startswith(tuple(words["before"])) and not sound.startswith(
        tuple(words["not_before"])
    )
    word = words["and_before"] if is_before else words["and"]
    return f"{', '.join(others)} {word} {last}"


@functools.cache
def singular(many: str, language: str) -> str:
    """The singular of a plural noun, with the words that go with it.

    Scheme files give the plural only. Abbreviations that are written alike in both numbers
    (CPE, PDU in Spanish) stay as they are.
    """
    return _english(many) if language == "en" else _spanish(many)


def _english(many: str) -> str:
    """The last word before "of" or "per": "semester credit hours", "hours of training"."""
    words = many.split(" ")
    head = next((n for n, word in enumerate(words) if word in {"of", "per", "in"}), len(words)) - 1
    return " ".join([*words[:head], _english_word(words[head]), *words[head + 1 :]])


def _english_word(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _spanish(many: str) -> str:
    """Each word up to the first preposition: "horas crédito semestrales", "horas de contacto"."""
    words = many.split(" ")
    head = next((n for n, word in enumerate(words) if word in _LINKS), len(words))
    return " ".join([*map(_spanish_word, words[:head]), *words[head:]])


def _spanish_word(word: str) -> str:
    if word in _SPANISH_EXCEPTIONS:
        return _SPANISH_EXCEPTIONS[word]
    if word.endswith("iones"):
        return f"{word[:-5]}ión"
    if word.endswith("ces"):
        return f"{word[:-3]}z"
    if word.endswith("es") and word[-3:-2] in set("dlnr") and word[-4:-3] in set("aeiouáéíóú"):
        return word[:-2]
    return word.removesuffix("s")


@dataclass(frozen=True, slots=True)
class Voice:
    """A language, and the policy whose names and credit word are used in it."""

    policy: Policy
    language: str

    def points(self, number: Decimal) -> Quantity:
        """So many of the policy's credit: "1 PDU"."""
        return counted(number, self.credit, self.language)

    @property
    def credit(self) -> str:
        """What the policy's credit is called, in the plural."""
        return self.policy.credit.get(self.language) or POINTS[self.language]

    def units(self, kind: ActivityType, number: Decimal) -> Quantity:
        """So many of an activity type's own unit: "3 contact hours"."""
        return counted(number, self.text(kind.unit), self.language)

    def threshold(self, kind: ActivityType, number: Decimal) -> str:
        """So much at least; files write more than 1,500 as 1500.01."""
        above = number % 1 == _CENT
        quantity = self.units(kind, number - _CENT if above else number)
        return _THRESHOLDS[self.language]["above" if above else "least"].format(quantity=quantity)

    def activity(self, claim: Claim) -> str:
        """An activity by its title and day: "“Robot safety” of 1 May 2027"."""
        day = claim.completed_on
        assert day is not None  # noqa: S101 - jobs, which may go on, are no duplicates
        return _DONE[self.language].format(title=claim.title, day=self.day(day))

    def text(self, text: Translated) -> str:
        """A text in the language."""
        return text[self.language]

    def quoted(self, text: Translated) -> str:
        """A name, in quotation marks."""
        return f"“{self.text(text)}”"

    def day(self, day: date) -> str:
        """A date in words."""
        return in_words(day, self.language)

    def span(self, first: date | None, last: date | None) -> str:
        """Days from one to another, both included; either may be open, both leave no words."""
        key = "both" if first and last else "first" if first else "last"
        told = {"first": first and self.day(first), "last": last and self.day(last)}
        return _SPANS[self.language][key].format(**told) if first or last else ""

    def length(self, duration: Duration) -> str:
        """A length of time in words."""
        return length(duration, self.language)

    def listed(self, items: Sequence[str]) -> str:
        """Items as a list in a sentence."""
        return listed(items, self.language)

    def name(self, kind: str, code: str) -> str:
        """The name of a type, category, tag, unit or role, in quotation marks.

        What the policy does not know is named by its code.
        """
        policy = self.policy
        if kind == "role":
            return self.quoted(policy.roles[code]) if code in policy.roles else f"“{code}”"
        named: Mapping[str, Mapping[str, ActivityType | Category | Tag | Unit]] = {
            "type": policy.types,
            "category": policy.categories,
            "tag": policy.tags,
            "unit": policy.units,
        }
        known = named[kind].get(code)
        return self.quoted(known.name) if known else f"“{code}”"

    def group(self, kind: str, code: str) -> str:
        """A type, category or tag as a part of a sentence: "the category “Employment”"."""
        return _GROUPS[self.language][kind].format(name=self.name(kind, code))

    def one_of(self, kind: str, code: str) -> str:
        """A single activity of a type, category or tag: "one activity marked “Safety”"."""
        return _ONE_OF[self.language][kind].format(name=self.name(kind, code))
