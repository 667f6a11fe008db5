"""What caps leave for further points, and what could be put aside for such as serve a minimum.

Where a cap is full, or the count has stopped at the requirement, more points of a group that
falls short still serve its minimum: they count in the place of others, without which every
minimum stays met. Told with care: points that serve a minimum beside that of their type or
category are never put aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tracker.domain import parts
from tracker.domain.claims import Credit, Evaluation, Group, Rule
from tracker.domain.periods import Period
from tracker.domain.policies import Policy

NOTHING = Decimal(0)
PRESENCE = Decimal("0.01")  # the least with which a category or type counts as a kind


MANY = 10**12  # as good as no limit
Place = tuple[Rule, Group, str, int]  # of a cap: its rule, group, code, and year if it has one


@dataclass(slots=True)
class Rooms:
    """The cents that every cap leaves, and those that could be spared of what it holds.

    ``caps`` gives each its number; ``of_tags`` and ``yearly`` are some of these.
    """

    caps: dict[Place, int] = field(default_factory=dict)
    left: list[int] = field(default_factory=list)
    spares: list[int] = field(default_factory=list)
    of_tags: set[int] = field(default_factory=set)
    yearly: set[int] = field(default_factory=set)

    @property
    def stop(self) -> int | None:
        """The number of the stop at the requirement, where there is one."""
        return self.caps.get(("stop", "policy", "", 0))

    def add(self, place: Place, left: int, spare: int) -> int:
        """Number a further cap."""
        number = self.caps[place] = len(self.left)
        self.left.append(left)
        self.spares.append(spare)
        if place[1] == "tag":
            self.of_tags.add(number)
        if place[0] == "year_cap":
            self.yearly.add(number)
        return number

    def copy(self) -> Rooms:
        """The same caps, to be filled apart."""
        left, spares = list(self.left), list(self.spares)
        return Rooms(self.caps, left, spares, self.of_tags, self.yearly)

    def most(self, bounds: Sequence[int], *, displacing: bool = False) -> int:
        """The cents for which some caps have room, others put aside for them if asked.

        A point displaces one other only, so it does not go where a tag and another are full.
        """
        if not displacing:
            return self._least(bounds)
        most = min((self.left[bound] + self.spares[bound] for bound in bounds), default=MANY)
        tags = [bound for bound in bounds if bound in self.of_tags]
        others = [bound for bound in bounds if bound not in self.of_tags]
        return min(most, max(self._least(tags), self._least(others)))

    def _least(self, bounds: Sequence[int]) -> int:
        return min(map(self.left.__getitem__, bounds), default=MANY)

    def take(self, bounds: Sequence[int], gain: int) -> tuple[int, dict[int, int]]:
        """Fill some caps; tells how many cents of others are displaced, and for which caps.

        Type, category and stop lie one in the other: what is displaced in one leaves the next
        as full as it was; of a year that holds for what is displaced in that year. What is
        displaced in a tag may lie in any category, but not past the stop.
        """
        if gain <= self._least(bounds):
            for bound in bounds:
                self.left[bound] -= gain
            return 0, {}
        displaced, in_year, overs = 0, 0, dict[int, int]()
        of_tags = max((gain - self.left[b] for b in bounds if b in self.of_tags), default=0)
        for bound in bounds:
            freed = displaced
            if bound in self.of_tags:
                freed = 0
            elif bound in self.yearly:
                freed = in_year
            elif bound == self.stop:
                freed = max(displaced, of_tags)
            overs[bound] = max(gain - freed - self.left[bound], 0)
            self.left[bound] -= gain - freed - overs[bound]
            self.spares[bound] -= freed + overs[bound]
            if bound not in self.of_tags:
                displaced = max(displaced, freed + overs[bound])
                in_year = freed + overs[bound] if bound in self.yearly else in_year
        return max(displaced, of_tags), overs


def spare(evaluation: Evaluation, policy: Policy, place: Place) -> Decimal:
    """What can be spared under a cap, in favour of others under the same."""
    return sum((_of_category(evaluation, policy, own, place) for own in policy.categories), NOTHING)


def _of_category(evaluation: Evaluation, policy: Policy, category: str, place: Place) -> Decimal:
    rule, group, year = place[0], place[1:3], place[3]
    claimed = [credit for credit in evaluation.credits if credit.category == category]
    found = NOTHING
    for code in {credit.type for credit in claimed if credit.counted}:
        of_type = [credit for credit in claimed if credit.type == code]
        free = [c for c in of_type if bears(c, *group) and _is_free(c, evaluation, group)]
        if rule == "year_cap":
            free = [c for c in free if falls_in(c, policy, evaluation.cycle, year)]
        needed = PRESENCE if evaluation.kinds is not None else NOTHING
        if group != ("type", code):
            needed = max(needed, policy.types[code].limits.minimum or NOTHING)
        found += max(min(_sum(free), _sum(of_type) - needed), NOTHING)
    minimum = policy.categories[category].limits.minimum
    if minimum is None or group[0] == "type" or group == ("category", category):
        return found
    return max(min(found, _sum(claimed) - minimum), NOTHING)


def _is_free(credit: Credit, evaluation: Evaluation, group: tuple[str, str]) -> bool:
    """Whether no minimum of a tag, a year or a stretch of the cycle needs the claim."""
    if evaluation.years:
        return False
    starts = [window.period.starts_on for window in evaluation.windows]
    if starts and (credit.on is None or credit.on >= min(starts)):
        return False
    return not any(
        tag.limits.minimum is not None and tag.code in credit.tags and ("tag", tag.code) != group
        for tag in evaluation.tags
    )


def falls_in(credit: Credit, policy: Policy, cycle: Period, year: int) -> bool:
    """Whether a claim is dated in a year; of employment that is not known here."""
    if credit.on is None or not credit.counted or policy.types[credit.type].basis == "months":
        return False
    return parts.year_of(policy, cycle, credit.on) == year


def bears(credit: Credit, group: str, code: str) -> bool:
    """Whether a claim belongs to a group."""
    if group == "tag":
        return code in credit.tags
    if group == "policy":
        return True
    return code == (credit.category if group == "category" else credit.type)


def _sum(credits_: list[Credit]) -> Decimal:
    return sum((credit.counted for credit in credits_), NOTHING)
