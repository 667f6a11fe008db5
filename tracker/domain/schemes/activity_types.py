"""The activities that earn points, as values: types, their categories, tags and limits.

Each attribute states its meaning and its unit; the keys of ``config/schemes/*.toml`` have the same
names. All points, rates and factors are decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, TypeVar

from tracker.domain.periods import Period
from tracker.domain.schemes.keys import (
    INHERITED,
    INLINE,
    Absent,
    Code,
    CodeSet,
    Factor,
    Named,
    PositiveAmount,
    PositiveFactor,
    Share,
)

ENGLISH = "en"  # the fallback for what is not translated
WRITTEN_IN = (ENGLISH, "es")  # the languages that every text of a scheme file must have
Words = TypeVar("Words")
Translated = Mapping[str, str]  # language code -> words
Basis = Literal["quantity", "event", "months"]
DateBasis = Literal["completion", "start", "award", "whole"]
Over = Literal["claim", "year"]
EvidenceRule = Literal["none", "asked", "required"]

ONE = Decimal(1)


def translated(texts: Mapping[str, Words], language: str) -> Words:
    """The text in a language, or in English if it is not translated."""
    return texts[language] if language in texts else texts[ENGLISH]


@dataclass(frozen=True, slots=True)
class Noun:
    """The name of something counted, in singular and plural: "contact hour", "contact hours".

    ``feminine``: its gender, in a language with two genders. No rule depends on any of the three.
    """

    one: str
    many: str
    feminine: bool = False


def as_noun(given: Noun | str) -> Noun:
    """What is counted; a plain text is the same in both numbers, and masculine."""
    return given if isinstance(given, Noun) else Noun(given, given)


TranslatedNoun = Mapping[str, Noun]  # language code -> what is counted


def plurals(nouns: TranslatedNoun) -> Translated:
    """What is counted, in the plural only."""
    return {language: as_noun(noun).many for language, noun in nouns.items()}


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value comes from, and whether somebody checked it against the published text."""

    source: Annotated[str, "Where the values of this table come from."]
    verified: Annotated[bool, "Whether they were checked against the published text."]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits and minima of a group of claims, in points: per event, per year, per cycle."""

    per_event: Annotated[PositiveAmount | None, "The most points that one claim earns."] = None
    per_year: Annotated[PositiveAmount | None, "The most points that count in a year."] = None
    maximum: Annotated[PositiveAmount | None, "The most points that count in a cycle."] = None
    minimum: Annotated[PositiveAmount | None, "The points required in a cycle."] = None
    minimum_per_year: Annotated[PositiveAmount | None, "The points required in each year."] = None


@dataclass(frozen=True, slots=True)
class Category:
    """A group of activity types with its limits."""

    code: str
    name: Annotated[Translated, "Its name."]
    limits: Annotated[Limits, INLINE]
    provenance: Annotated[Provenance, INHERITED]


@dataclass(frozen=True, slots=True)
class Tag:
    """A label that claims of any category may carry, such as a subject, with its limits.

    The cap of every tag that a claim carries applies to it.
    """

    code: str
    name: Annotated[Translated, "Its name."]
    limits: Annotated[Limits, INLINE]
    provenance: Annotated[Provenance, INHERITED]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of quantity; a derived one is a number of another unit."""

    code: str
    name: Annotated[TranslatedNoun, "Its name, singular and plural."]
    equals: Annotated[PositiveFactor, "How many of the unit in `of` one of these equals."] = ONE
    of: Annotated[Code, "The unit that it converts to."] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityType:
    """One kind of activity: its category, how it is counted, and the points for it.

    ``quantity``: units x ``rate``, in whole steps of ``increment`` points. ``event``: ``rate`` for
    each claim, whatever its quantity, provided that the quantity reaches ``threshold``; with a
    threshold over a year, the claims of the year reach it together and earn ``rate`` once.
    ``months``: ``rate`` for each month of an employment.

    ``unit`` is the unit that is counted, ``unit_code`` its code if it is one of the policy's, and
    ``units`` are the units in which a claim may be stated, each with its equivalent in ``unit``. Of
    a job, only the part in the days from ``counts_from`` through ``counts_until`` counts.
    ``evidence``, ``evidence_kinds`` and ``warn_above`` don't change the points of an activity.
    """

    code: str
    provenance: Annotated[Provenance, INHERITED]
    name: Annotated[Translated, "Its name."]
    limits: Annotated[Limits, INLINE] = Limits()
    category: Annotated[Code, "The category that it belongs to."]
    rate: Annotated[Factor, "The points for each unit, event or month.", Named("points")]
    basis: Annotated[
        Basis,
        "Whether points are earned per unit of a quantity, per event, or per month of a job.",
        Named("counted_by"),
        Absent("quantity"),
    ]
    unit: TranslatedNoun
    unit_code: str = ""
    units: Mapping[str, Decimal] = field(default_factory=dict)
    increment: Annotated[
        PositiveAmount | None, "Only whole multiples of this many points count.", Absent(None)
    ]
    roles: Annotated[
        Mapping[str, Annotated[PositiveFactor, "The factor."]],
        "Factors by role, such as 1.50 for teaching.",
    ] = field(default_factory=dict)
    threshold: Annotated[PositiveAmount | None, "The quantity from which the event counts."] = None
    threshold_over: Annotated[
        Over,
        "Whether each claim must reach the threshold, or the claims of a year together, which "
        "then count once.",
    ] = "claim"
    unapproved: Annotated[Share | None, "The factor if the provider is not approved."] = None
    outside_duties: Annotated[bool, "Whether work that is part of regular duties is excluded."] = (
        False
    )
    tags: Annotated[CodeSet, "The tags that every claim of it carries."] = frozenset()
    replaces: Annotated[CodeSet, "Types of earlier versions whose claims count as this one."] = (
        frozenset()
    )
    counts_from: Annotated[
        date | None, "The first day whose activities count; absent: any.", Named("from")
    ] = None
    counts_until: Annotated[
        date | None, "The last day whose activities count; absent: any.", Named("until")
    ] = None
    date_basis: Annotated[
        DateBasis,
        "The date that must lie in the cycle: completion, start, award (of a certificate; claimed"
        " as the completion); whole: all days from the start to completion.",
    ] = "completion"
    evidence: Annotated[
        EvidenceRule,
        "Whether a claim needs files: none; asked (reviewers see if they are missing); required "
        "to submit.",
    ] = "none"
    evidence_kinds: Annotated[
        Translated, 'Which proof is accepted, such as "a transcript or a certificate".'
    ] = field(default_factory=dict)
    warn_above: Annotated[
        PositiveAmount | None,
        "The quantity, in the type's unit, above which reviewers take a closer look.",
    ] = None

    @property
    def is_job(self) -> bool:
        """Whether it is employment, counted by months."""
        return self.basis == "months"

    @property
    def days(self) -> Period:
        """The days whose activities count, whatever the cycle."""
        return Period(self.counts_from or date.min, self.counts_until or date.max)

    def counts_on(self, day: date) -> bool:
        """Whether activities of that day count, whatever the cycle."""
        return (self.counts_from is None or self.counts_from <= day) and (
            self.counts_until is None or day <= self.counts_until
        )

    def is_unusual(self, quantity: Decimal | None, unit: str) -> bool:
        """Whether a quantity in ``unit`` (empty: the type's own) exceeds ``warn_above``."""
        if self.warn_above is None or quantity is None:
            return False
        return quantity * self.units.get(unit, ONE) > self.warn_above
