"""Whether the versions of a policy fit each other: order, cohorts, corrections."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from tracker.scheme_files import raw
from tracker.scheme_files.raw import LocatedMistake, Raw
from tracker.scheme_files.values import near

_ORDER = "each version except the first needs a later date than the one before it"
_OR_COHORT = ", or the same date and another cohort"


def of_policies(scheme: Raw) -> Iterator[LocatedMistake]:
    """The contradictions between the versions of a scheme."""
    policies = raw.tables(scheme.get("policies"))
    for index, policy in enumerate(policies):
        yield from _in_cohort(index, raw.table(policy.get("cohort")), given="cohort" in policy)
        yield from _correction(index, policies)
        yield from _replaced(index, policies)
    yield from _order(policies)
    yield from _everybody(policies, scheme)


def _in_cohort(index: int, cohort: Raw, *, given: bool) -> Iterator[LocatedMistake]:
    start, end = (raw.day(cohort.get(key)) for key in ("awarded_from", "awarded_before"))
    if given and not cohort:
        yield ("policies", index, "cohort"), "must have awarded_from, awarded_before or both"
    if start is not None and end is not None and start >= end:
        rule = f"includes no one: awarded_from is {start}"
        yield ("policies", index, "cohort", "awarded_before"), rule


def _correction(index: int, policies: list[Raw]) -> Iterator[LocatedMistake]:
    corrects = policies[index].get("corrects")
    earlier = [raw.text(policy.get("version")) for policy in policies[:index]]
    if isinstance(corrects, str) and corrects not in earlier:
        there = f"; the earlier ones are: {', '.join(earlier)}" if earlier else ""
        rule = f"is not an earlier version{there}{near(corrects, earlier)}"
        yield ("policies", index, "corrects"), rule


def _replaced(index: int, policies: list[Raw]) -> Iterator[LocatedMistake]:
    """A replaced type must be one of an earlier version, and is replaced only once."""
    types, before = raw.table(policies[index].get("types")), _types_before(index, policies)
    seen: set[str] = set()
    for code, kind in types.items():
        for place, old in raw.texts(raw.table(kind).get("replaces")):
            here = ("policies", index, "types", code, "replaces", place)
            if old in types or old not in before:
                yield here, "is not a type that exists only in earlier versions"
            elif old in seen:
                yield here, "is already replaced by another type"
            seen.add(old)


def _types_before(index: int, policies: list[Raw]) -> set[str]:
    return {code for policy in policies[:index] for code in raw.table(policy.get("types"))}


def dropped_types(scheme: Raw) -> Iterator[LocatedMistake]:
    """Types that a version drops, although it governs cycles in which they were claimed."""
    policies = raw.tables(scheme.get("policies"))
    for index, policy in enumerate(policies):
        types = raw.table(policy.get("types"))
        kept = {
            old for kind in types.values() for _, old in raw.texts(raw.table(kind).get("replaces"))
        }
        lost = sorted(_types_before(index, policies) - kept - types.keys())
        if lost and policy.get("applies") in ("submission", "more_favourable"):
            rule = (
                f"drops {', '.join(lost)}, which claims in running cycles may use: they would "
                "count nothing; list the old code under `replaces` in the type that takes over"
            )
            yield ("policies", index, "types"), rule


def _order(policies: list[Raw]) -> Iterator[LocatedMistake]:
    """Each version is in force after those before it, or is for other people.

    With two versions for one person from the same day, it would be unclear which governs; a version
    that corrects the one before it may have the same date.
    """
    for index, policy in enumerate(policies[1:], start=1):
        days = [each.get("effective_from") for each in (policy, policies[index - 1])]
        if not all(value is None or type(value) is date for value in days):
            continue
        start, before = map(raw.day, days)
        rivals = [
            other
            for other in policies[:index]
            if other.get("effective_from") == start
            and other.get("version") != policy.get("corrects")
            and _meet(other, policy)
        ]
        if rivals or (start or date.min) < (before or date.min):
            rule = f"{_ORDER}{_OR_COHORT if 'cohort' in policy else ''}"
            yield ("policies", index, "effective_from"), rule


def _meet(one: Raw, other: Raw) -> bool:
    """Whether somebody can belong to the cohorts of both."""
    (start, end), (start_, end_) = _range(one), _range(other)
    return max(start, start_) < min(end, end_)


def _range(policy: Raw) -> tuple[date, date]:
    """The award days that a version is for: from the first, before the second."""
    cohort = raw.table(policy.get("cohort"))
    start, end = (raw.day(cohort.get(key)) for key in ("awarded_from", "awarded_before"))
    return start or date.min, end or date.max


def _everybody(policies: list[Raw], scheme: Raw) -> Iterator[LocatedMistake]:
    """Every certification that expires needs a version that applies to it."""
    exempt = raw.day(raw.table(scheme.get("award")).get("lifetime_if_awarded_before"))
    reached = exempt or date.min
    gaps = []
    ranges = sorted(_range(policy) for policy in policies)
    for start, end in ranges:
        if start > reached:
            gaps.append((reached, start))
        reached = max(reached, end)
    if ranges and reached < date.max:
        gaps.append((reached, date.max))
    for start, end in gaps:
        since = f" from {start}" if start > date.min else ""
        until = f" before {end}" if end < date.max else ""
        yield ("policies",), f"no version covers certifications awarded{since}{until}"
