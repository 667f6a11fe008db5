"""Names used by the keys of a policy: each must be defined elsewhere in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from tracker.scheme_files import raw, units
from tracker.scheme_files.format import TABLES, PolicyTable
from tracker.scheme_files.line_numbers import KeyPath
from tracker.scheme_files.policies import GROUPS
from tracker.scheme_files.raw import LocatedMistake, Raw
from tracker.scheme_files.values import keys_of, near


def in_policy(here: KeyPath, policy: Raw, scheme: Raw) -> Iterator[LocatedMistake]:
    """The names in a policy that are not defined."""
    for code, kind in raw.entries(policy.get("types")).items():
        yield from _in_type((*here, "types", code), kind, policy)
    yield from _in_units((*here, "units"), policy.get("units"))
    carried = raw.table(policy.get("carry_over")).get("categories")
    categories = raw.table(policy.get("categories"))
    yield from _among((*here, "carry_over", "categories"), carried, categories, "category")
    again = raw.table(policy.get("reexamination")).get("modules")
    modules = [raw.text(module.get("code")) for module in raw.tables(scheme.get("modules"))]
    yield from _among((*here, "reexamination", "modules"), again, modules, "module", of="scheme")
    yield from _groups(here, policy)
    yield from _kinds((*here, "kinds", "minimum"), policy)
    yield from raw.repeated((*here, "checks"), policy.get("checks"), "code")
    yield from _unverified((*here, "unverified"), policy)


_TABLES = {"category": "categories", "tag": "tags", "type": "types"}


def _groups(here: KeyPath, policy: Raw) -> Iterator[LocatedMistake]:
    """The categories, tags and types that other keys name."""
    for index, window in enumerate(raw.tables(policy.get("windows"))):
        path = (*here, "windows", index)
        named = [noun for noun in _TABLES if noun in window]
        for noun in named:
            known = raw.table(policy.get(_TABLES[noun]))
            yield from _known((*path, noun), window[noun], known, noun)
        if len(named) > 1:
            rule = f"must be absent, because {named[0]} is given: use only one of them"
            yield (*path, named[1]), rule
    anything = [code for table in _TABLES.values() for code in raw.table(policy.get(table))]
    minima: list[tuple[KeyPath, object]] = [
        (("sharing", "minima"), raw.table(policy.get("sharing")).get("minima"))
    ]
    minima += [
        (("late", index, "extra_minima"), rung.get("extra_minima"))
        for index, rung in enumerate(raw.tables(policy.get("late")))
    ]
    for key, value in minima:
        for code in raw.table(value):
            yield from _known((*here, *key, code), code, anything, "category, tag or type")


def _in_type(here: KeyPath, kind: Raw, policy: Raw) -> Iterator[LocatedMistake]:
    categories = policy.get("categories")
    if isinstance(categories, dict):  # otherwise their absence is reported, once
        yield from _known((*here, "category"), kind.get("category"), categories, "category")
    yield from _among((*here, "tags"), kind.get("tags"), raw.table(policy.get("tags")), "tag")
    for role in raw.table(kind.get("roles")):
        yield from _known((*here, "roles", role), role, raw.table(policy.get("roles")), "role")
    unit, known = kind.get("unit"), raw.table(policy.get("units"))
    if isinstance(unit, str) and unit not in known:
        yield from _known((*here, "unit"), unit, known, "unit")
    elif isinstance(unit, str):
        yield from _conversions((*here, "unit"), unit, _steps(known))


def _conversions(
    here: KeyPath, own: str, steps: dict[str, units.UnitStep]
) -> Iterator[LocatedMistake]:
    if any(units.is_circular(code, steps) for code in units.chain(own, steps)):
        return  # reported at the units themselves
    for other, ratio in units.inexact(own, steps).items():
        ratio_text = f"{Decimal(ratio.numerator) / ratio.denominator:.6g}"
        rule = (
            f"one {other} is {ratio_text} {own}, which six decimals do not express exactly; "
            f"count the type in a unit of which all of them are whole multiples"
        )
        yield here, rule


def _in_units(here: KeyPath, value: object) -> Iterator[LocatedMistake]:
    known = raw.table(value)
    steps = _steps(known)
    for code, unit in raw.entries(value).items():
        for given, other in (("of", "equals"), ("equals", "of")):
            if given in unit and other not in unit:
                yield (*here, code, other), f"is required with {given}"
        yield from _known((*here, code, "of"), unit.get("of"), known, "unit")
        if units.is_circular(code, steps):
            yield (*here, code, "of"), f"leads back to {code}"


def _steps(known: Raw) -> dict[str, units.UnitStep]:
    """The units that are defined correctly."""
    steps = {}
    for code, unit in raw.entries(known).items():
        equals, of = raw.factor(unit.get("equals")), unit.get("of")
        derived = bool(equals) and isinstance(of, str)
        steps[code] = units.UnitStep(equals or units.ONE, str(of)) if derived else units.UNDERIVED
    return steps


def _kinds(here: KeyPath, policy: Raw) -> Iterator[LocatedMistake]:
    kinds = raw.table(policy.get("kinds"))
    minimum, of = kinds.get("minimum"), kinds.get("of")
    kinds_of = {"category": "categories", "type": "types"}
    if type(minimum) is int and isinstance(of, str) and of in kinds_of:
        there = len(raw.table(policy.get(kinds_of[of])))
        if minimum > there:
            yield here, f"is more than the {there} {kinds_of[of]} that exist"


def _unverified(here: KeyPath, policy: Raw) -> Iterator[LocatedMistake]:
    """Each open value is written as "key: why", or as "key, key: why".

    It belongs to one entry of a group, or to all of them: "types.points".
    """
    known = keys_of(PolicyTable)
    for place, entry in raw.texts(policy.get("unverified")):
        named, colon, why = entry.partition(":")
        if not colon or not why.strip():
            yield (*here, place), 'must be "key: why"'
            continue
        for key in named.split(","):
            first, *rest = key.strip().split(".")
            yield from _known((*here, place), first, known, "key", of="policy")
            if rest and first in GROUPS and rest[0] not in keys_of(TABLES.of(GROUPS[first])):
                there = raw.table(policy.get(first))
                yield from _known((*here, place), rest[0], there, "entry", of=f"[policies.{first}]")


def _among(
    here: KeyPath, value: object, known: Iterable[str], noun: str, *, of: str = "policy"
) -> Iterator[LocatedMistake]:
    for place, name in raw.texts(value):
        yield from _known((*here, place), name, known, noun, of=of)


def _known(
    here: KeyPath, name: object, known: Iterable[str], noun: str, *, of: str = "policy"
) -> Iterator[LocatedMistake]:
    choices = [*known]
    if isinstance(name, str) and name not in choices:
        there = f"; the choices are: {', '.join(map(raw.named, choices))}" if choices else ""
        owner = of if of.startswith("[") else f"this {of}"
        yield here, f"{owner} has no such {noun}{there}{near(name, choices)}"
