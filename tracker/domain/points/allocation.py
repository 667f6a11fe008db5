"""Which points count where caps overlap: the verdict, the highest total, minima, the earliest.

A *part* is what one claim brings in one year and stretch of the cycle. A *cap* bounds the sum of
some parts; of the parts of alternatives (duplicates) those of one line count. Taking parts in
the order of their dates, each as far as the caps have room, is the best allocation as long as
the caps that cut lie one within the other or apart, and no minimum stays unmet. Otherwise
``solver`` searches.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations

from tracker.domain.amounts import Rounding, rounded
from tracker.domain.periods import Period
from tracker.domain.points.claims import ZERO, GroupCode, GroupKind, Missing, Rule

Told = tuple[Rule, GroupKind | None, str, Decimal | None]


@dataclass(slots=True)
class Part:
    """Points of a line in one year (0: not told apart) and of some stretches of the cycle.

    ``caps`` are the indexes of the caps that bound it, in the order in which they cut.
    """

    line: int
    points: Decimal
    caps: tuple[int, ...]
    year: int = 0
    stretches: frozenset[int] = frozenset()
    given: Decimal = ZERO
    cuts: list[tuple[int, Decimal]] = field(default_factory=list)


@dataclass(slots=True)
class Cap:
    """The most that its parts may bring together: what cuts, whom, and how much it leaves.

    One on jobs alone is of no ``group``.
    """

    rule: Rule
    group: GroupKind | None
    code: str
    bound: Decimal
    left: Decimal = ZERO

    @property
    def told(self) -> Told:
        """What a cut says of it; of months that another job has there is no limit to tell."""
        if self.group is None:
            return self.rule, None, "", self.bound if self.rule == "decision" else None
        return self.rule, self.group, self.code, self.bound


@dataclass(frozen=True, slots=True)
class Need:
    """A minimum: what the parts of its groups must bring together.

    Of ``kinds`` it is the number of groups that bring anything. ``period`` is the year or
    stretch of the cycle meant, ``within`` the group whose points are. ``rounding``: the sum is
    rounded to hundredths.
    """

    of: Missing
    subject: str
    minimum: Decimal
    groups: tuple[tuple[int, ...], ...]
    period: Period | None = None
    rounding: Rounding | None = None
    within: GroupCode | None = None

    @property
    def group(self) -> GroupCode:
        """The group whose points are meant."""
        return self.within or (self.of, self.subject)


@dataclass(frozen=True, slots=True)
class Rounded:
    """Groups of parts whose sums are each rounded to hundredths; their total is what counts."""

    rounding: Rounding
    groups: tuple[tuple[int, ...], ...]


def in_order(parts: Sequence[Part], caps: Sequence[Cap]) -> set[int]:
    """Give each part what the caps have room for, the first first; tells which caps cut."""
    for cap in caps:
        cap.left = cap.bound
    cutting: set[int] = set()
    for part in parts:
        points = part.points
        for index in part.caps:
            left = caps[index].left
            if points > left:
                part.cuts.append((index, points - left))
                cutting.add(index)
                points = left
        part.given = points
        for index in part.caps:
            caps[index].left -= points
    return cutting


def is_nested(parts: Iterable[Part], cutting: set[int]) -> bool:
    """Whether of any two of the caps one lies within the other, or they share no part."""
    if len(cutting) < 2:  # noqa: PLR2004 - one alone is
        return True
    members: dict[int, set[int]] = {index: set() for index in cutting}
    for number, part in enumerate(parts):
        for index in part.caps:
            if index in cutting:
                members[index].add(number)
    return all(a <= b or b <= a or not a & b for a, b in combinations(members.values(), 2))


def unmet(parts: Sequence[Part], needs: Iterable[Need]) -> bool:
    """Whether a minimum is not reached by what the parts were given."""
    return any(reached(parts, need) < need.minimum for need in needs)


def reached(parts: Sequence[Part], need: Need) -> Decimal:
    """The points that serve a minimum, or the number of kinds."""
    sums = (sum((parts[i].given for i in group), ZERO) for group in need.groups)
    if need.of == "kinds":
        return Decimal(sum(points > ZERO for points in sums))
    points = sum(sums, ZERO)
    return points if need.rounding is None else rounded(points, need.rounding)


def attribute(parts: Sequence[Part], caps: Sequence[Cap], *, dropped: Container[int]) -> None:
    """Name the caps that cut, where a search gave the parts their points.

    What a part lost can be given back to nobody, so a cap that bounds it is used up. Parts of
    dropped lines lost theirs to the line that counts instead.
    """
    for cap in caps:
        cap.left = cap.bound
    for part in parts:
        for index in part.caps:
            caps[index].left -= part.given
    for part in parts:
        lost = part.points - part.given
        full = [index for index in part.caps if caps[index].left == ZERO]
        part.cuts = [(full[0], lost)] if lost > ZERO and part.line not in dropped else []
