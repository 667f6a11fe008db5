"""Input and output of the rules of points: claims, and an explained evaluation.

How one becomes the other is in ``evaluations``; the sentences are in ``language/evaluations.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from tracker.domain.periods import Period
from tracker.domain.schemes.activity_types import Limits
from tracker.domain.value_classes import value_class

ZERO = Decimal("0.00")

Rule = Literal[
    "unknown_type",
    "unknown_unit",
    "unknown_role",
    "outside_cycle",
    "outside_type",
    "after_date",
    "regular_duty",
    "below_threshold",
    "together",
    "overlap",
    "incomplete_month",
    "increment",
    "unapproved",
    "duplicate",
    "decision",
    "event_cap",
    "year_cap",
    "cycle_cap",
    "stop",
]
GroupKind = Literal["type", "category", "tag", "policy"]
Missing = Literal["type", "category", "tag", "year", "window", "kinds"]
GroupCode = tuple[Missing, str]  # a category, tag or type by its code


@value_class()
class Claim:
    """An activity in the form that the rules need.

    ``quantity`` is in ``unit`` (empty: the type's own); a claim counted by months has none, but a
    start, and an end unless the job goes on. ``role`` is one of the policy's roles, or empty.
    ``duty``: it was done as a regular duty. ``approved``: the reviewer found its provider approved.
    ``limit`` is the most points that the reviewer allowed.
    """

    ref: str
    category: str
    type: str
    title: str
    provider: str
    quantity: Decimal | None
    starts_on: date | None
    completed_on: date | None
    limit: Decimal | None = None
    unit: str = ""
    role: str = ""
    tags: frozenset[str] = frozenset()
    duty: bool = False
    approved: bool = False


@value_class()
class Cut:
    """Points that a rule took from a claim.

    ``subject`` names the date, claim, unit or group concerned; ``group`` is the kind of that group;
    ``bound`` is the limit, step or factor that cut; ``other`` is the claim that counts instead of a
    duplicate.
    """

    rule: Rule
    points: Decimal
    subject: str = ""
    bound: Decimal | None = None
    group: GroupKind | None = None
    other: Claim | None = field(default=None, compare=False, repr=False)


@value_class()
class Credit:
    """What one claim earned: ``claimed`` less every cut is ``counted``.

    ``units`` are in the type's own unit; ``factor`` is the factor of the role.
    """

    ref: str
    category: str
    type: str
    title: str
    on: date | None
    units: Decimal
    rate: Decimal
    claimed: Decimal
    counted: Decimal
    cuts: tuple[Cut, ...]
    factor: Decimal = Decimal(1)
    role: str = ""
    tags: frozenset[str] = frozenset()


@value_class()
class GroupTotal:
    """The points of a category or tag, with the limits that apply to it."""

    code: str
    claimed: Decimal
    counted: Decimal
    limits: Limits


@value_class()
class PeriodTotal:
    """The points counted in a year, or in the last stretch, of the cycle, and the points needed.

    ``within``: only points of this category, tag or type count.
    """

    period: Period
    counted: Decimal
    minimum: Decimal
    within: GroupCode | None = None


@value_class()
class Shortfall:
    """A minimum that is not reached, in points; for ``kinds``, in kinds.

    ``subject`` is the code of the group, or the first day of the ``period``; in a period, only
    points of a category, tag or type (``within``) may count.
    """

    of: Missing
    subject: str
    counted: Decimal
    minimum: Decimal
    within: GroupCode | None = None
    period: Period | None = field(default=None, compare=False)

    @property
    def group(self) -> GroupCode:
        """The group whose points are missing."""
        return self.within or (self.of, self.subject)

    @property
    def missing(self) -> Decimal:
        """The points or kinds that are missing."""
        return self.minimum - self.counted


@dataclass(frozen=True, slots=True)
class Terms:
    """What applies to one cycle in addition to its policy.

    ``required``: the requirement, if it was reduced or differs because the person holds several
    certifications. ``earns_from`` and ``earns_until``: the first and the last day whose activities
    count, if these are not the ends of the cycle. An extension, or a late step on which points are
    still earned, lengthens a cycle; what counted there does not count again in the next one.
    ``extra_points`` are added for lateness. ``minima`` are minima of categories, tags and types
    that differ from the policy's. ``carried_over``: points from the cycle before.
    ``counted_before`` are the references of the claims that counted in earlier cycles: a repetition
    of one of them may no longer count. ``reexamined_on``: the day on which the re-examination was
    passed, which replaces the points.
    """

    required: Decimal | None = None
    extra_points: Decimal = ZERO
    minima: Mapping[GroupCode, Decimal] = field(default_factory=dict)
    earns_from: date | None = None
    earns_until: date | None = None
    carried_over: Decimal = ZERO
    counted_before: frozenset[str] = frozenset()
    reexamined_on: date | None = None


@value_class()
class Evaluation:
    """The explained result of applying a policy to claims in a cycle, as of a day.

    ``earned`` is the sum of the points counted; with ``carried_over`` it is the ``total``.
    ``carries_over`` is what would pass into the next cycle. ``years`` and ``windows`` are the
    periods that need points of their own; ``kinds`` is the number of different categories or types,
    if the policy requires several. ``claims`` are those that were evaluated, on these ``terms``.
    ``earliest_first``: of all ways to the same total, this one counts the earliest claims first;
    false if finding it costs too much, so that this is another way to the same total.
    """

    policy: str
    verified: bool
    cycle: Period
    on: date
    credits: tuple[Credit, ...]
    categories: tuple[GroupTotal, ...]
    earned: Decimal
    total: Decimal
    required: Decimal
    carried_over: Decimal = ZERO
    carries_over: Decimal = ZERO
    tags: tuple[GroupTotal, ...] = ()
    years: tuple[PeriodTotal, ...] = ()
    windows: tuple[PeriodTotal, ...] = ()
    kinds: int | None = None
    shortfalls: tuple[Shortfall, ...] = ()
    reexamined_on: date | None = None
    claims: tuple[Claim, ...] = field(default=(), repr=False)
    terms: Terms = Terms()
    earliest_first: bool = True

    @property
    def earning(self) -> Period:
        """The days whose activities count."""
        terms, cycle = self.terms, self.cycle
        return Period(terms.earns_from or cycle.starts_on, terms.earns_until or cycle.ends_on)

    @property
    def missing(self) -> Decimal:
        """The points still needed to reach the requirement; never negative."""
        return max(self.required - self.total, ZERO)

    @property
    def minima_met(self) -> bool:
        """Whether every minimum besides the total is reached."""
        return not self.shortfalls

    @property
    def complete(self) -> bool:
        """Whether the requirement is met, by points or by re-examination."""
        return self.reexamined_on is not None or (self.missing == ZERO and self.minima_met)
