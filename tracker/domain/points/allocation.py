"""Which points count if caps overlap: the verdict first, then the total, minima, early claims.

A *part* is what one claim earns in one year and stretch of the cycle. A *cap* limits the sum of
some parts; of alternatives (duplicates), the parts of only one claim count. Taking parts in the
order of their dates, each as far as the caps allow, is the best allocation as long as any two caps
that cut are nested or disjoint, and every minimum is reached. Otherwise ``solver`` searches.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations

from tracker.domain.amounts import Rounding, rounded
from tracker.domain.periods import Period
from tracker.domain.points.claims import ZERO, GroupCode, GroupKind, Missing, Rule
from tracker.domain.value_classes import value_class

CutLabel = tuple[Rule, GroupKind | None, str, Decimal | None]
"""How a cut is explained: its rule, the kind and the code of its group, and the bound."""


@dataclass(slots=True)
class Part:
    """Points of a line in one year (0: years are not separated) and in some stretches of the cycle.

    A line is a priced claim, known by its index. ``caps`` are the indexes of the caps that limit
    the part, in the order in which they cut.
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
    """The most that its parts may earn together: the rule, the group, the bound, and what is left.

    A cap on jobs alone has no ``group``.
    """

    rule: Rule
    group: GroupKind | None
    code: str
    bound: Decimal
    left: Decimal = ZERO

    @property
    def label(self) -> CutLabel:
        """How a cut by this cap is explained; months counted for another job have no limit."""
        if self.group is None:
            return self.rule, None, "", self.bound if self.rule == "decision" else None
        return self.rule, self.group, self.code, self.bound


@value_class()
class Need:
    """A minimum: what the parts of its groups must earn together.

    For ``kinds`` it is the number of groups that earn anything. ``period`` is the year or stretch
    of the cycle, ``within`` the group whose points count in it. ``rounding``: the sum is rounded to
    hundredths.
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
        """The group whose points count."""
        return self.within or (self.of, self.subject)


@dataclass(frozen=True, slots=True)
class Rounded:
    """Groups of parts; each group's sum is rounded to hundredths, and the total of these counts."""

    rounding: Rounding
    groups: tuple[tuple[int, ...], ...]


@dataclass(slots=True)
class AllocationProblem:
    """The parts, caps and minima of one evaluation.

    ``required`` points are needed in all. ``alternatives`` are lines of which one counts;
    ``rounds`` are the sums that are rounded; ``stretches`` are those of the cycle that parts name.
    """

    parts: list[Part]
    caps: list[Cap]
    required: Decimal = ZERO
    needs: list[Need] = field(default_factory=list)
    alternatives: Sequence[Sequence[int]] = ()
    rounds: Rounded | None = None
    stretches: tuple[Period, ...] = ()

    @property
    def minima(self) -> tuple[Need, ...]:
        """The requirement in the form of a minimum, of all parts and no group; then the minima."""
        everything = (tuple(range(len(self.parts))),)
        rounding = self.rounds.rounding if self.rounds else None
        return Need("type", "", self.required, everything, rounding=rounding), *self.needs


def in_order(parts: Sequence[Part], caps: Sequence[Cap]) -> set[int]:
    """Give each part what the caps have left, in order; return the indexes of the caps that cut."""
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
    """Whether any two of the caps that cut are nested or share no part."""
    if len(cutting) < 2:  # noqa: PLR2004 - a single cap always is
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
    """The points that count for a minimum, or the number of kinds."""
    sums = (sum((parts[i].given for i in group), ZERO) for group in need.groups)
    if need.of == "kinds":
        return Decimal(sum(points > ZERO for points in sums))
    points = sum(sums, ZERO)
    return points if need.rounding is None else rounded(points, need.rounding)


def attribute(parts: Sequence[Part], caps: Sequence[Cap], *, dropped: Container[int]) -> None:
    """Name the caps that cut, after a search gave the parts their points.

    The points that a part lost cannot be given back, so some cap on it is used up. Parts of dropped
    lines lost their points to the line that counts instead.
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
