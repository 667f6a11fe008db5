"""The activities that earn points, as values: types, their categories, tags and limits.

Each attribute states its meaning and its unit; the keys of ``config/schemes/*.toml`` have the same
names. All points, rates and factors are decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, TypeVar

from tracker.domain.periods import Period

ENGLISH = "en"  # the fallback for what is not translated
WRITTEN_IN = (ENGLISH, "es")  # the languages that every text of a scheme file must have
Words = TypeVar("Words")
Translated = Mapping[str, str]  # language code -> words
Basis = Literal["quantity", "event", "months"]
DateBasis = Literal["completion", "start", "award", "whole"]
Over = Literal["claim", "year"]
EvidenceRule = Literal["none", "asked", "required"]

PROOF: Translated = {"en": "evidence", "es": "un comprobante"}
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

    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits and minima of a group of claims, in points: per event, per year, per cycle.

    ``per_event`` limits each claim, ``per_year`` the claims of one year, ``maximum`` those of the
    cycle; ``minimum`` is what the cycle needs from the group, ``minimum_per_year`` what each year
    needs.
    """

    per_event: Decimal | None = None
    per_year: Decimal | None = None
    maximum: Decimal | None = None
    minimum: Decimal | None = None
    minimum_per_year: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Category:
    """A group of activity types with its limits."""

    code: str
    name: Translated
    limits: Limits
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Tag:
    """A label that claims of any category may carry, such as a subject, with its limits.

    The cap of every tag that a claim carries applies to it.
    """

    code: str
    name: Translated
    limits: Limits
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of quantity; a derived unit ``equals`` a number of the unit ``of``."""

    code: str
    name: TranslatedNoun
    equals: Decimal = ONE
    of: str = ""


@dataclass(frozen=True, slots=True)
class ActivityType:
    """One kind of activity: its category, how it is counted, and the points for it.

    ``quantity``: units x ``rate``, in whole steps of ``increment`` points. ``event``: ``rate`` for
    each claim, whatever its quantity, provided that the quantity reaches ``threshold``; with a
    threshold over a year, the claims of the year reach it together and earn ``rate`` once.
    ``months``: ``rate`` for each month of an employment.

    ``units`` are the units in which a claim may be stated, each with its equivalent in the type's
    own unit. ``roles`` are factors by role: teaching 1.5. ``unapproved`` is the factor for claims
    whose provider is not approved. ``outside_duties`` says that work done as a regular duty does
    not count. Every claim of the type carries its ``tags``. ``date_basis`` is the date that must
    lie in the cycle: completion, start, award (of a certificate; stated as the completion), or the
    whole run from start to completion. ``replaces`` are the codes of types in earlier versions:
    claims of those types count as this one. Only activities from ``counts_from`` through
    ``counts_until`` count; of a job, only the part in those days.

    ``evidence``: no files are requested; files are requested, and the reviewer sees if there are
    none; or files are ``required`` to submit. ``evidence_kinds`` says which proof is accepted. A
    quantity above ``warn_above``, in the type's own unit, is pointed out to the reviewer. None of
    these three changes the points of an activity.
    """

    code: str
    category: str
    name: Translated
    basis: Basis
    unit: TranslatedNoun
    rate: Decimal
    increment: Decimal | None
    provenance: Provenance
    unit_code: str = ""
    units: Mapping[str, Decimal] = field(default_factory=dict)
    roles: Mapping[str, Decimal] = field(default_factory=dict)
    limits: Limits = Limits()
    threshold: Decimal | None = None
    threshold_over: Over = "claim"
    unapproved: Decimal | None = None
    outside_duties: bool = False
    tags: frozenset[str] = frozenset()
    date_basis: DateBasis = "completion"
    replaces: frozenset[str] = frozenset()
    counts_from: date | None = None
    counts_until: date | None = None
    evidence: EvidenceRule = "none"
    evidence_kinds: Translated = field(default_factory=dict)
    warn_above: Decimal | None = None

    @property
    def days(self) -> Period:
        """The days whose activities count, whatever the cycle."""
        return Period(self.counts_from or date.min, self.counts_until or date.max)

    @property
    def proof(self) -> Translated:
        """The evidence requested, in words."""
        return self.evidence_kinds or PROOF

    def is_unusual(self, quantity: Decimal | None, unit: str) -> bool:
        """Whether a quantity in ``unit`` (empty: the type's own) exceeds ``warn_above``."""
        if self.warn_above is None or quantity is None:
            return False
        return quantity * self.units.get(unit, ONE) > self.warn_above
