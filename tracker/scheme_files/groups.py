"""The format of units, categories, tags and activity types, and how the domain's are built.

Each stands in a table of tables under its code, and tells its source where that is not the
policy's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args

from marshmallow import post_load

from tracker.domain.schemes import activity_types as domain
from tracker.language import catalogues
from tracker.scheme_files import units
from tracker.scheme_files.nouns import NounsKey, UnitOrNoun
from tracker.scheme_files.values import (
    AmountKey,
    DayKey,
    FactorKey,
    FlagKey,
    NamedTable,
    PerhapsSourced,
    ShareKey,
    Table,
    WordsKey,
    choice,
    code,
    codes,
    table,
)

Entries = Mapping[str, Mapping[str, Any]]
GroupValue = TypeVar("GroupValue", domain.Category, domain.Tag)

LIMITS = ("per_event", "per_year", "maximum", "minimum", "minimum_per_year")
_NOUNS = catalogues.nouns("voice", "nouns")
POINTS, MONTHS, EVENTS = (_NOUNS[key] for key in ("points", "months", "events"))


class UnitTable(Table):
    """The units of quantities."""

    name = table(NounsKey, "Its name, singular and plural.", required=True)
    equals = FactorKey("How many of the unit in `of` one of these equals.", above_zero=True)
    of = code("The unit that it converts to.")


class _Limited(PerhapsSourced):
    """A group of claims with its limits in points."""

    name = table(WordsKey, "Its name.", required=True)
    per_event = AmountKey("The most points that one claim earns.", above_zero=True)
    per_year = AmountKey("The most points that count in a year.", above_zero=True)
    maximum = AmountKey("The most points that count in a cycle.", above_zero=True)
    minimum = AmountKey("The points required in a cycle.", above_zero=True)
    minimum_per_year = AmountKey("The points required in each year.", above_zero=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Any:
        """The limits in one value; the policy knows the code and the source to inherit."""
        data["limits"] = domain.Limits(**{key: data.pop(key, None) for key in LIMITS})
        return data


class CategoryTable(_Limited):
    """A group of activity types."""


class TagTable(_Limited):
    """A mark that claims of any category may bear."""


class TypeTable(_Limited):
    """One kind of activity."""

    makes = domain.ActivityType

    category = code("The category that it belongs to.", required=True)
    points = FactorKey("The points for each unit, event or month.", required=True)
    counted_by = choice(
        "Whether points are earned per unit of a quantity, per event, or per month of a job.",
        get_args(domain.Basis),
    )
    unit = UnitOrNoun("A code from [policies.units], or the unit's name, singular and plural.")
    increment = AmountKey("Only whole multiples of this many points count.", above_zero=True)
    roles = NamedTable(
        FactorKey("The factor.", above_zero=True), "Factors by role, such as 1.50 for teaching."
    )
    threshold = AmountKey("The quantity from which the event counts.", above_zero=True)
    threshold_over = choice(
        "Whether each claim must reach the threshold, or the claims of a year together, which "
        "then count once.",
        get_args(domain.Over),
    )
    unapproved = ShareKey("The factor if the provider is not approved.")
    outside_duties = FlagKey("Whether work that is part of regular duties is excluded.")
    tags = codes("The tags of every claim of this type.", into=frozenset)
    replaces = codes("Types of earlier versions whose claims count as this type.", into=frozenset)
    counts_from = DayKey("The first day whose activities count; absent: any.", data_key="from")
    counts_until = DayKey("The last day whose activities count; absent: any.", data_key="until")
    date_basis = choice(
        "The date that must be in the cycle; whole: all days from start to completion.",
        get_args(domain.DateBasis),
    )
    evidence = choice(
        "Whether a claim needs files: none; asked (reviewers see if they are missing); required "
        "to submit.",
        get_args(domain.EvidenceRule),
    )
    evidence_kinds = table(
        WordsKey, 'Which proof is accepted, such as "a transcript or a certificate".'
    )
    warn_above = AmountKey(
        "The quantity, in the type's unit, above which reviewers take a closer look.",
        above_zero=True,
    )


def build_units(entries: Entries) -> dict[str, domain.Unit]:
    """The units under their codes."""
    return {code_: domain.Unit(code=code_, **entry) for code_, entry in entries.items()}


def build_groups(
    make: Callable[..., GroupValue], entries: Entries, own: domain.Provenance
) -> dict[str, GroupValue]:
    """Categories or tags under their codes; ``own`` is the source of the policy."""
    return {code_: make(code=code_, **_with_source(entry, own)) for code_, entry in entries.items()}


def build_types(
    entries: Entries, own: domain.Provenance, known: Mapping[str, domain.Unit]
) -> dict[str, domain.ActivityType]:
    """The activity types under their codes, with every unit that each may be claimed in."""
    return {
        code_: _activity_type(code_, _with_source(entry, own), known)
        for code_, entry in entries.items()
    }


def _with_source(entry: Mapping[str, Any], own: domain.Provenance) -> dict[str, Any]:
    told = {**entry}
    source, verified = told.pop("source", own.source), told.pop("verified", own.verified)
    return {**told, "provenance": domain.Provenance(source, verified)}


def _activity_type(
    code_: str, entry: dict[str, Any], known: Mapping[str, domain.Unit]
) -> domain.ActivityType:
    basis = entry.pop("counted_by", "quantity")
    unit = entry.pop("unit", MONTHS if basis == "months" else EVENTS)
    if isinstance(unit, str) and unit in known:
        steps = {c: units.UnitStep(each.equals, each.of) for c, each in known.items()}
        entry |= {"unit_code": unit, "units": units.conversions(unit, steps)}
        unit = known[unit].name
    rate, increment = entry.pop("points"), entry.pop("increment", None)
    return domain.ActivityType(
        code=code_, basis=basis, unit=unit, rate=rate, increment=increment, **entry
    )
