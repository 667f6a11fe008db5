"""Dates, amounts and nouns as people write them, in every language that has a catalogue.

What every sentence is made of lives here; the sentences are in the modules beside this one. A
decimal point and a comma between thousands stand in all languages, as is usual in the United
States and in Mexico, where the programmes' Spanish is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache

from tracker.domain import clocks
from tracker.domain.periods import Duration
from tracker.domain.points.claims import Claim
from tracker.domain.schemes.activity_types import (
    ENGLISH,
    ActivityType,
    Category,
    Noun,
    Tag,
    Translated,
    TranslatedNoun,
    as_noun,
    plurals,
    translated,
)
from tracker.domain.schemes.policies import Policy
from tracker.domain.value_classes import value_class
from tracker.language import catalogues

_MONTHS = catalogues.phrase("voice", "months")
_NOUNS = catalogues.nouns("voice", "nouns")
POINTS, ACTIVITIES, DAYS, MONTHS = (
    _NOUNS[key] for key in ("points", "activities", "days", "months")
)
_CLOCKS = catalogues.sentences("voice", "clocks")
_DATES = catalogues.sentences("voice", "dates")
_GROUPS = catalogues.sentences("voice", "groups")
_ONE_OF = catalogues.sentences("voice", "one_of")
_THRESHOLDS = catalogues.sentences("voice", "thresholds")
_SPANS = catalogues.sentences("voice", "spans")
_DONE = catalogues.phrase("voice", "done")
_EVIDENCE = catalogues.phrase("voice", "evidence")
_CENT = Decimal("0.01")
_LISTS = catalogues.lists("voice", "lists")


def evidence_kinds(kind: ActivityType) -> Translated:
    """The evidence accepted for a type of activity, in words; "evidence" if any is."""
    return kind.evidence_kinds or _EVIDENCE


@value_class()
class Quantity:
    """A number of something: "1 point", "0.5 PDUs".

    In a sentence ``{it}`` is the whole, ``{it.figure}`` and ``{it.noun}`` its parts, and
    ``{it:is|are}`` the word that agrees with it; ``{it:el|los|la|las}`` agrees with its gender too.
    """

    number: Decimal
    of: Noun

    @property
    def figure(self) -> str:
        """The number as it is written."""
        return figure(self.number)

    @property
    def noun(self) -> str:
        """The noun in the number that fits."""
        return self.of.one if self.number == 1 else self.of.many

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
        if self.of.feminine:
            forms = forms[-2:]
        return forms[0] if self.number == 1 else forms[1]


@lru_cache(maxsize=4096)
def figure(number: Decimal) -> str:
    """A number without needless zeros: "12", "0.5", "1,500"."""
    return f"{number.normalize():,f}"


def money(amount: Decimal, currency: str) -> str:
    """An amount of money with its cents: "$75.00" for US dollars, "75.00 CAD" for others."""
    return f"${amount:,.2f}" if currency == "USD" else f"{amount:,.2f} {currency}".rstrip()


def percent(share: Decimal) -> str:
    """A share of one as a percentage: "5%"."""
    return f"{figure(share * 100)}%"


def month_names(language: str) -> list[str]:
    """The names of the twelve months."""
    return _MONTHS[language].split()


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
    named = clocks.NAMES if language == ENGLISH else _CLOCKS[language]
    return named.get(zone) or _CLOCKS[language]["elsewhere"].format(place=clocks.place(zone))


def length(duration: Duration, language: str) -> str:
    """A length of time: "90 days", "1 año"."""
    return str(measured(duration, language))


def measured(duration: Duration, language: str) -> Quantity:
    """A length of time as so many days, months or years."""
    return counted(Decimal(duration.length), _NOUNS[duration.unit], language)


def version_name(version: str) -> str:
    """A policy version in a sentence: "4.0"; one without a figure as a name, in quotation marks."""
    return version if any(one.isdigit() for one in version) else f"“{version}”"


def several(nouns: TranslatedNoun, language: str) -> Quantity:
    """More than one of what is counted, where a sentence gives no number: ``{it.noun}``."""
    return counted(Decimal(2), nouns, language)


def counted(number: Decimal, nouns: TranslatedNoun, language: str) -> Quantity:
    """So many of what is counted, in a language."""
    return Quantity(number, as_noun(translated(nouns, language)))


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


@value_class()
class Voice:
    """A language, and the policy whose names and credit word are used in it."""

    policy: Policy
    language: str

    def points(self, number: Decimal) -> Quantity:
        """So many of the policy's credit: "1 PDU"."""
        return counted(number, self.policy.credit or POINTS, self.language)

    @property
    def credit(self) -> str:
        """What the policy's credit is called, in the plural."""
        return as_noun(translated(self.policy.credit or POINTS, self.language)).many

    def units(self, kind: ActivityType, number: Decimal) -> Quantity:
        """So many of an activity type's own unit: "3 contact hours"."""
        return Quantity(number, self.unit(kind))

    def unit(self, kind: ActivityType) -> Noun:
        """What an activity type is counted in: "contact hour, contact hours"."""
        return as_noun(translated(kind.unit, self.language))

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
        """A text in the language; in English where nobody translated it."""
        return translated(text, self.language)

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
        names = self._names(kind)
        return self.quoted(names[code]) if code in names else f"“{code}”"

    def _names(self, kind: str) -> Mapping[str, Translated]:
        policy = self.policy
        if kind == "role":
            return policy.roles
        if kind == "unit":
            return {code: plurals(unit.name) for code, unit in policy.units.items()}
        groups: Mapping[str, Mapping[str, ActivityType | Category | Tag]] = {
            "type": policy.types,
            "category": policy.categories,
            "tag": policy.tags,
        }
        return {code: group.name for code, group in groups[kind].items()}

    def group(self, kind: str, code: str) -> str:
        """A type, category or tag as a part of a sentence: "the category “Employment”"."""
        return _GROUPS[self.language][kind].format(name=self.name(kind, code))

    def one_of(self, kind: str, code: str) -> str:
        """A single activity of a type, category or tag: "one activity marked “Safety”"."""
        return _ONE_OF[self.language][kind].format(name=self.name(kind, code))
