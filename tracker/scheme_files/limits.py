"""Points that contradict each other: limits within a group, and groups against the whole."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from tracker.domain.periods import Duration
from tracker.scheme_files import raw
from tracker.scheme_files.line_numbers import KeyPath
from tracker.scheme_files.raw import LocatedMistake, Raw

ZERO = Decimal(0)
ENDLESS = Decimal("Infinity")


def in_policy(here: KeyPath, policy: Raw, validity: Duration | None) -> Iterator[LocatedMistake]:
    """The amounts of a policy that contradict each other."""
    years, whole = _years(validity, policy), raw.years(validity)[0] if validity else 1
    for group in ("categories", "tags", "types"):
        for code, entry in raw.entries(policy.get(group)).items():
            yield from _in_group((*here, group, code), entry, years, whole)
    yield from _in_categories(here, policy)
    yield from _in_windows(here, policy)
    yield from _on_terms(here, policy)
    yield from _in_requirement(here, policy, validity)


def _in_group(here: KeyPath, group: Raw, years: int | None, whole: int) -> Iterator[LocatedMistake]:
    stated = [(key, raw.amount(group.get(key))) for key in ("per_event", "per_year", "maximum")]
    caps = [(key, cap) for key, cap in stated if cap is not None]
    for (key, cap), (wider, bound) in pairwise(caps):
        if cap > bound:
            yield (*here, key), f"is more than the {wider}, {bound}"
    minimum, maximum = raw.amount(group.get("minimum")), dict(caps).get("maximum")
    yearly, every_year = dict(caps).get("per_year"), raw.amount(group.get("minimum_per_year"))
    if every_year is not None and yearly is not None and every_year > yearly:
        yield (*here, "minimum_per_year"), f"is more than the per_year, {yearly}"
    elif every_year is not None and maximum is not None and every_year * whole > maximum:
        rule = f"comes to {every_year * whole} in {whole} years, more than the maximum, {maximum}"
        yield (*here, "minimum_per_year"), rule
    if minimum is None:
        return
    if maximum is not None and minimum > maximum:
        yield (*here, "minimum"), f"is more than the maximum, {maximum}"
    elif years is not None and yearly is not None and minimum > yearly * years:
        yield (*here, "minimum"), f"cannot be reached with {yearly} in each of {years} years"


def _in_categories(here: KeyPath, policy: Raw) -> Iterator[LocatedMistake]:
    """The minima and limits of a category's types must fit those of the category."""
    for code, category in raw.entries(policy.get("categories")).items():
        least, most = raw.amount(category.get("minimum")), raw.amount(category.get("maximum"))
        needed, brought = _of_types(policy, code)
        if most is not None and needed > most:
            rule = f"is less than the minima of its types together, {needed}"
            yield (*here, "categories", code, "maximum"), rule
        if least is not None and brought < least:
            rule = f"cannot be reached: its types count at most {brought} together"
            yield (*here, "categories", code, "minimum"), rule


_TABLES = {"category": "categories", "tag": "tags", "type": "types"}


def _in_windows(here: KeyPath, policy: Raw) -> Iterator[LocatedMistake]:
    """A stretch requires no more of a group than the cycle counts of it."""
    for index, window in enumerate(raw.tables(policy.get("windows"))):
        minimum = raw.amount(window.get("minimum"))
        for noun, table in _TABLES.items():
            group = raw.entries(policy.get(table)).get(raw.text(window.get(noun)), {})
            most = raw.amount(group.get("maximum"))
            if minimum is not None and most is not None and minimum > most:
                rule = f"is more than the maximum of that {noun}, {most}"
                yield (*here, "windows", index, "minimum"), rule


def _on_terms(here: KeyPath, policy: Raw) -> Iterator[LocatedMistake]:
    """Minima of late renewals, and for holders of another scheme, can be reached."""
    required, sharing = policy.get("points_required"), raw.table(policy.get("sharing"))
    total = raw.amount(sharing.get("points_required", required))
    for code, value in raw.table(sharing.get("minima")).items():
        minimum, most = raw.amount(value), _most(policy, code)
        path = (*here, "sharing", "minima", code)
        if minimum is not None and total is not None and minimum > total:
            yield path, f"is more than the points_required, {total}"
        elif minimum is not None and minimum > most:
            yield path, f"is more than the maximum, {most}"
    for index, rung in enumerate(raw.tables(policy.get("late"))):
        for code, value in raw.table(rung.get("extra_minima")).items():
            more, group = raw.amount(value), _group(policy, code)
            whole = (more or ZERO) + (raw.amount(group.get("minimum")) or ZERO)
            if more is not None and whole > _most(policy, code):
                rule = f"makes the minimum {whole}, more than the maximum, {_most(policy, code)}"
                yield (*here, "late", index, "extra_minima", code), rule


def _group(policy: Raw, code: str) -> Raw:
    """The category, tag or type that a code names, in this order."""
    groups = (raw.entries(policy.get(table)) for table in _TABLES.values())
    return next((group[code] for group in groups if code in group), {})


def _most(policy: Raw, code: str) -> Decimal:
    most = raw.amount(_group(policy, code).get("maximum"))
    return ENDLESS if most is None else most


def _in_requirement(
    here: KeyPath, policy: Raw, validity: Duration | None
) -> Iterator[LocatedMistake]:
    """The minima and limits of the parts of a cycle must fit the requirement for the whole."""
    required = raw.amount(policy.get("points_required"))
    if required is None:
        return
    needed, brought = _of_categories(policy)
    if needed > required:
        rule = f"is less than the minima of the categories and types together, {needed}"
        yield (*here, "points_required"), rule
    if brought < required:
        rule = f"cannot be reached: the categories count at most {brought} together"
        yield (*here, "points_required"), rule
    for path, minimum in _minima(policy):
        if minimum > required:
            yield (*here, *path), f"is more than points_required, {required}"
    yield from _in_years(here, policy, validity)


def _minima(policy: Raw) -> Iterator[tuple[KeyPath, Decimal]]:
    """The minima of groups that may overlap, each of which must lie within the whole."""
    for code, tag in raw.entries(policy.get("tags")).items():
        if (minimum := raw.amount(tag.get("minimum"))) is not None:
            yield ("tags", code, "minimum"), minimum
    for index, window in enumerate(raw.tables(policy.get("windows"))):
        if (minimum := raw.amount(window.get("minimum"))) is not None:
            yield ("windows", index, "minimum"), minimum


def _in_years(here: KeyPath, policy: Raw, validity: Duration | None) -> Iterator[LocatedMistake]:
    yearly, required = (raw.amount(policy.get(k)) for k in ("minimum_per_year", "points_required"))
    if yearly is None or required is None or validity is None or policy.get("year") == "calendar":
        return
    years, _ = raw.years(validity)
    if yearly * years > required:
        rule = f"comes to {yearly * years} in {years} years, more than points_required, {required}"
        yield (*here, "minimum_per_year"), rule


def _of_categories(policy: Raw) -> tuple[Decimal, Decimal]:
    """The lowest and the highest number of points that all categories together can earn."""
    categories = raw.entries(policy.get("categories"))
    needed, brought = ZERO, ZERO if categories else ENDLESS
    for code, category in categories.items():
        least, most = raw.amount(category.get("minimum")), raw.amount(category.get("maximum"))
        of_types, by_types = _of_types(policy, code)
        needed += max(least or ZERO, of_types)
        brought += by_types if most is None else min(most, by_types)
    return needed, brought


def _of_types(policy: Raw, category: str) -> tuple[Decimal, Decimal]:
    """The lowest and the highest number of points that the types of a category can earn.

    While a type names no existing category, it may belong to any of them.
    """
    types = raw.entries(policy.get("types")).values()
    own = [kind for kind in types if kind.get("category") == category]
    needed = sum((raw.amount(kind.get("minimum")) or ZERO for kind in own), ZERO)
    caps = [raw.amount(kind.get("maximum")) for kind in own]
    known = [*raw.table(policy.get("categories"))]
    settled = types and all(kind.get("category") in known for kind in types)
    bounded = settled and None not in caps
    return needed, sum((cap or ZERO for cap in caps), ZERO) if bounded else ENDLESS


def _years(validity: Duration | None, policy: Raw) -> int | None:
    """The most years that a cycle may touch; None if unknown."""
    if validity is None:
        return None
    _, begun = raw.years(validity)
    return begun + (policy.get("year") == "calendar")
