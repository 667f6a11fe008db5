"""Keys of a policy that require or exclude each other, and stretches of time in their order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise

from tracker.domain.periods import Duration
from tracker.scheme_files import raw
from tracker.scheme_files.line_numbers import KeyPath
from tracker.scheme_files.policies import LATE
from tracker.scheme_files.raw import LocatedMistake, Raw

_ONLY_MONTHS_LACK = {
    "increment": "must be absent: months are counted by the month_rule",
    "date_basis": "must be absent: months are counted as far as they lie in the cycle",
    "warn_above": "must be absent: months are counted from dates, not from a quantity",
}
_FOR_RENEWALS = ("earns", "extra_points", "extra_minima", "fee")
_NOBODY_RENEWS = "must be absent: there is no renewal in a step by new_application"


def in_policy(here: KeyPath, policy: Raw, validity: Duration | None) -> Iterator[LocatedMistake]:
    """The keys of a policy that must not be combined."""
    for code, kind in raw.entries(policy.get("types")).items():
        yield from _in_type((*here, "types", code), kind)
    if policy.get("overlap") == "capped_sum" and "overlap_maximum" not in policy:
        yield (*here, "overlap_maximum"), "is required with overlap capped_sum"
    if policy.get("overlap", "highest") != "capped_sum" and "overlap_maximum" in policy:
        yield (*here, "overlap_maximum"), "must be absent unless overlap is capped_sum"
    if policy.get("stop_at_requirement") is True and "carry_over" in policy:
        yield (*here, "carry_over"), "contradicts stop_at_requirement, which leaves no surplus"
    yield from _closing(here, raw.table(policy.get("window")), validity)
    yield from _rounding(here, policy)
    yield from _windows((*here, "windows"), raw.tables(policy.get("windows")))
    yield from _late((*here, "late"), raw.tables(policy.get("late")))
    yield from _stretches(here, policy, validity)


def _closing(here: KeyPath, window: Raw, validity: Duration | None) -> Iterator[LocatedMistake]:
    """A window does not close before it opens."""
    length, closes = raw.duration(window), raw.duration(window.get("closes_before"))
    if length is None or closes is None or validity is None:
        return
    end = raw.reach(validity)
    opens_on = raw.reach(length) if window.get("counted_from") == "start" else length.before(end)
    if closes.before(end) < opens_on:
        yield (*here, "window", "closes_before"), "closes the window before it opens"


def _rounding(here: KeyPath, policy: Raw) -> Iterator[LocatedMistake]:
    """With sums rounded by category, no cap may include more than one category."""
    if policy.get("rounding_of") != "category":
        return
    for code, tag in raw.entries(policy.get("tags")).items():
        for key in ("per_year", "maximum"):
            if key in tag:
                rule = 'contradicts rounding_of = "category": a tag applies across categories'
                yield (*here, "tags", code, key), rule


def _in_type(here: KeyPath, kind: Raw) -> Iterator[LocatedMistake]:
    counted_by = kind.get("counted_by", "quantity")
    if counted_by == "quantity" and kind and "unit" not in kind:
        yield (*here, "unit"), "is required: quantities are counted in a unit"
    if counted_by == "event" and "threshold" in kind and "unit" not in kind:
        yield (*here, "unit"), "is required: the threshold is stated in a unit"
    if counted_by == "months":
        needless = [key for key in _ONLY_MONTHS_LACK if key in kind]
        yield from (((*here, key), _ONLY_MONTHS_LACK[key]) for key in needless)
    if counted_by in ("months", "quantity") and "threshold" in kind:
        yield (*here, "threshold"), "must be absent unless counted_by is event"
    if "threshold_over" in kind and "threshold" not in kind:
        yield (*here, "threshold"), "is required with threshold_over"
    first, last = raw.day(kind.get("from")), raw.day(kind.get("until"))
    if first is not None and last is not None and last < first:
        yield (*here, "until"), f"must not be before from, {first}"
    yield from _evidence(here, kind)


def _evidence(here: KeyPath, kind: Raw) -> Iterator[LocatedMistake]:
    """Evidence is described only if it is requested, and a bound needs a known unit."""
    if kind.get("evidence", "none") == "none" and "evidence_kinds" in kind:
        yield (*here, "evidence_kinds"), 'needs evidence = "asked" or evidence = "required"'
    if kind.get("counted_by") == "event" and "warn_above" in kind and "unit" not in kind:
        yield (*here, "unit"), "is required: warn_above is stated in a unit"


def _windows(here: KeyPath, windows: list[Raw]) -> Iterator[LocatedMistake]:
    """For one group, a longer stretch needs more points than a shorter one inside it."""
    by_group: dict[tuple[str, ...], list[tuple[int, date, Decimal]]] = {}
    for index, window in enumerate(windows):
        last, minimum = raw.duration(window.get("last")), raw.amount(window.get("minimum"))
        group = tuple(raw.text(window.get(key)) for key in ("category", "tag", "type"))
        if last is not None and minimum is not None:
            by_group.setdefault(group, []).append((index, raw.reach(last), minimum))
    for of_group in by_group.values():
        for (_, before, less), (index, reach, more) in pairwise(of_group):
            if reach <= before:
                yield (*here, index, "last"), "each stretch must be longer than the one before it"
            elif more <= less:
                rule = f"must be more than in the shorter stretch inside it, {less}"
                yield (*here, index, "minimum"), rule


def _late(here: KeyPath, rungs: list[Raw]) -> Iterator[LocatedMistake]:
    """Late steps follow each other, and what one of them ends is not available on a later one."""
    for index, (before, rung) in enumerate(pairwise(rungs), start=1):
        ends, end = raw.duration(before.get("until")), raw.duration(rung.get("until"))
        if ends is not None and end is not None and raw.reach(end) <= raw.reach(ends):
            yield (*here, index, "until"), "each step must end later than the one before it"
        for key, lost in (("title", "title = false"), ("earns", "earns = false")):
            if rung.get(key) is True and before.get(key) is not True:
                yield (*here, index, key), f"must be false: the step before it has {lost}"
        by, by_before = (each.get("by", LATE[0]) for each in (rung, before))
        if by in LATE and by_before in LATE and LATE.index(by) < LATE.index(by_before):
            rule = f"must not be easier than in the step before it, {by_before}"
            yield (*here, index, "by"), rule
    for index, rung in enumerate(rungs):
        if rung.get("by") == "new_application":
            needless = [key for key in _FOR_RENEWALS if key in rung]
            yield from (((*here, index, key), _NOBODY_RENEWS) for key in needless)


def _stretches(here: KeyPath, policy: Raw, validity: Duration | None) -> Iterator[LocatedMistake]:
    """The last stretch of a cycle is a part of it."""
    stated: list[tuple[KeyPath, object]] = [
        (("window",), policy.get("window")),
        (("carry_over", "last"), raw.table(policy.get("carry_over")).get("last")),
        (("reexamination", "last"), raw.table(policy.get("reexamination")).get("last")),
    ]
    stated += [
        (("windows", index, "last"), window.get("last"))
        for index, window in enumerate(raw.tables(policy.get("windows")))
    ]
    for path, value in stated:
        length = raw.duration(value)
        if length is not None and validity is not None and raw.reach(length) > raw.reach(validity):
            yield (*here, *path), "is longer than the validity"
