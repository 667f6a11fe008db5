"""The same activity claimed more than once: which claims are alike, and which of them counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import date
from functools import cache

from tracker.domain.periods import Duration
from tracker.domain.points.allocation import Part
from tracker.domain.points.claims import ZERO, Claim
from tracker.domain.points.pricing import PricedClaim, tags
from tracker.domain.schemes.policies import DuplicateKey, Duplicates
from tracker.domain.values import alike

Groups = Sequence[Sequence[int]]
"""Groups of line indexes, each in the order of the lines; one line of each group counts."""


def groups(
    rule: Duplicates, lines: Sequence[PricedClaim], counted: Collection[str] = ()
) -> list[list[int]]:
    """Groups of equal lines of which one counts; lines equal to one of an earlier cycle are cut.

    Case, accents, spaces and typography do not make texts different (``values.alike``). Of earlier
    cycles, only claims that ``counted`` there matter, by their references.

    If the rule has a number of years, a claim is in one group for each longest run of claims within
    that many years.
    """
    able = [
        number
        for number, line in enumerate(lines)
        if line.kind is not None and not line.kind.is_job and line.claim.completed_on
    ]
    if "completed_on" in rule.key and len({lines[n].claim.completed_on for n in able}) == len(able):
        return []  # the usual case; comparing texts takes much longer
    alike: dict[object, list[int]] = {}
    parts = _parts(rule.key)
    for number in able:
        alike.setdefault(parts(lines[number].claim), []).append(number)
    if len(alike) == len(able):
        return []
    found: list[list[int]] = []
    for numbers in alike.values():
        if len(numbers) < 2:  # noqa: PLR2004 - a single one is no duplicate
            continue
        if rule.within is not None:
            before = [number for number in numbers if lines[number].claim.ref in counted]
            _cut_repeated(lines, numbers, before, rule.within)
        counting = [number for number in numbers if lines[number].worth > ZERO]
        if rule.within is None:
            found.append(counting)
        else:
            found += _runs(lines, counting, rule.within)
    return [group for group in found if len(group) > 1]


@cache
def _parts(key: tuple[DuplicateKey, ...]) -> Callable[[Claim], object]:
    """The values that make claims different; texts in the form used to find duplicates."""
    return lambda claim: tuple(
        [alike(value) if isinstance(value := getattr(claim, name), str) else value for name in key]
    )


def _cut_repeated(
    lines: Sequence[PricedClaim], numbers: Sequence[int], counted: Sequence[int], within: Duration
) -> None:
    """Cut what counted in an earlier cycle, that many years ago or less."""
    for number in numbers:
        done = _done(lines[number])
        for other in counted:
            before = _done(lines[other])
            if other != number and before <= done < within.after(before):
                lines[number].cut("duplicate", lines[number].counted, other=lines[other].claim)


def _runs(
    lines: Sequence[PricedClaim], numbers: Sequence[int], within: Duration
) -> list[list[int]]:
    """The longest runs of lines within that many years."""
    found: list[list[int]] = []
    for place, number in enumerate(numbers):
        end = within.after(_done(lines[number]))
        run = [other for other in numbers[place:] if _done(lines[other]) < end]
        if not found or run[-1] != found[-1][-1]:
            found.append(run)
    return found


def _done(line: PricedClaim) -> date:
    return line.claim.completed_on or date.max


def are_apart(found: Groups) -> bool:
    """Whether no line is in two groups."""
    return all(times == 1 for times in Counter(n for group in found for n in group).values())


def are_alike(lines: Sequence[PricedClaim], parts: Sequence[Part], found: Groups) -> bool:
    """Whether caps and minima treat the lines of each group alike, so that only worth matters."""
    seen: dict[int, object] = {part.line: (part.year, part.stretches) for part in parts}
    return all(
        len(
            {(lines[n].claim.category, lines[n].claim.type, tags(lines[n]), seen[n]) for n in group}
        )
        == 1
        for group in found
    )


def keep_the_best(lines: Sequence[PricedClaim], found: Groups) -> dict[int, int]:
    """The lines that do not count, each with the one that does: worth most, then earliest."""
    dropped: dict[int, int] = {}
    for group in found:
        best = max(group, key=lambda number: (lines[number].worth, -number))
        dropped |= {number: best for number in group if number != best}
    return dropped


def dropped_of(found: Groups, parts: Sequence[Part]) -> dict[int, int]:
    """The same, after a search gave the parts their points."""
    counting = {part.line for part in parts if part.given > ZERO}
    dropped: dict[int, int] = {}
    for group in found:
        kept = next((number for number in group if number in counting), None)
        for number in group:
            if kept is not None and number not in counting:
                dropped[number] = kept
    return dropped
