"""A version of a recertification policy as a value: everything that a scheme file can say.

Each attribute states its meaning and its unit; the keys of ``config/schemes/*.toml`` have the same
names. "Points" stands for the program's own credit (PDU, CPE, RU), named by ``credit``. All points,
rates and factors are decimals, with which ``domain/points/evaluation.py`` computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from tracker.domain.amounts import Rounding as Rounding  # noqa: PLC0414 - re-exported
from tracker.domain.errors import UnknownActivityType
from tracker.domain.periods import Duration, MonthRule
from tracker.domain.points.claims import GroupCode, Missing
from tracker.domain.schemes.activity_types import (
    ActivityType,
    Category,
    Provenance,
    Tag,
    Translated,
    TranslatedNoun,
    Unit,
)
from tracker.domain.schemes.activity_types import Limits as Limits  # noqa: PLC0414 - re-exported

Anchor = Literal["old_expiry", "decision", "decision_to_old_end"]
Applies = Literal["cycle_start", "submission", "more_favourable"]
RoundingOf = Literal["claim", "category"]
Overlap = Literal["highest", "capped_sum", "sum"]
YearBasis = Literal["cycle", "calendar"]
DuplicateKey = Literal["type", "provider", "title", "starts_on", "completed_on"]
LateRequirement = Literal["points", "reexamination", "new_application"]


@dataclass(frozen=True, slots=True)
class Cohort:
    """The people a version is for, by day of the award: from a day on, before a day, or both."""

    awarded_from: date | None = None
    awarded_before: date | None = None

    def includes(self, awarded_on: date) -> bool:
        """Whether somebody awarded on that day belongs to it."""
        if self.awarded_from is not None and awarded_on < self.awarded_from:
            return False
        return self.awarded_before is None or awarded_on < self.awarded_before


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Claims equal in every part of ``key`` count once: in a cycle, or within ``within``."""

    key: tuple[DuplicateKey, ...]
    within: Duration | None = None


@dataclass(frozen=True, slots=True)
class WindowMinimum:
    """Points that must be earned in the ``last`` stretch of the cycle.

    If a ``category``, ``tag`` or ``type`` is named, only its points count.
    """

    last: Duration
    minimum: Decimal
    category: str = ""
    tag: str = ""
    type: str = ""

    @property
    def within(self) -> GroupCode | None:
        """The group whose points count; None: all points."""
        named: dict[Missing, str] = {"category": self.category, "tag": self.tag, "type": self.type}
        return next(((of, code) for of, code in named.items() if code), None)


@dataclass(frozen=True, slots=True)
class Kinds:
    """How many different categories, or types, the counted claims must come from."""

    minimum: int
    of: Literal["category", "type"]


@dataclass(frozen=True, slots=True)
class CarryOver:
    """What passes into the next cycle: surplus points, at most ``maximum``.

    Only points of the ``categories`` (empty: all) earned in the ``last`` stretch of the cycle
    (None: the whole cycle) pass. With ``counted``, the surplus is the counted points above the
    requirement; with ``earned``, it also includes points cut by the limits of years and of the
    cycle.
    """

    maximum: Decimal
    categories: frozenset[str] = frozenset()
    last: Duration | None = None
    of: Literal["counted", "earned"] = "counted"


@dataclass(frozen=True, slots=True)
class ApplicationWindow:
    """When applications open: ``length`` before the expiry, or after the start of the cycle.

    They close at the end of the day of the expiry, or ``closes_before`` it.
    """

    length: Duration
    counted_from: Literal["expiry", "start"] = "expiry"
    closes_before: Duration | None = None


@dataclass(frozen=True, slots=True)
class LateStep:
    """A late step: one of the periods after the expiry, ending ``until`` after it, inclusive.

    ``by`` is how a certification can still be renewed on it: with points, by re-examination, or not
    at all (a new application). ``earns``: activities of these days still count for the cycle that
    ended. ``title``: the title may still be used, so the certification is valid. ``extra_points``
    are added to the requirement, ``extra_minima`` to the minima of categories, tags and types, by
    their code; ``fee`` is added to the renewal's.
    """

    until: Duration
    name: Translated
    by: LateRequirement = "points"
    earns: bool = False
    title: bool = False
    extra_points: Decimal = Decimal("0.00")
    extra_minima: Mapping[str, Decimal] = field(default_factory=dict)
    fee: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Reexamination:
    """Passing ``modules`` again in the ``last`` stretch of the cycle, instead of earning points."""

    modules: tuple[str, ...]
    last: Duration | None = None
    failure_revokes: bool = False


@dataclass(frozen=True, slots=True)
class ExtensionRule:
    """When a cycle may be extended, and by how much.

    It must be requested at least ``request_by`` before the expiry, with ``share_earned`` of the
    requirement (0.5 is half) already counted, and extends the cycle by at most ``at_most``.
    ``moves_cycle``: the next cycle starts after the extended expiry, else where it would have
    started without the extension. For the reasons in ``exempt`` (military service) only ``at_most``
    applies. ``reasons`` are those allowed, if any are listed.
    """

    at_most: Duration
    moves_cycle: bool
    request_by: Duration | None = None
    share_earned: Decimal | None = None
    reasons: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reduction:
    """Reasons for which the requirement may be reduced, at most by ``share`` of it."""

    reasons: tuple[str, ...]
    share: Decimal


@dataclass(frozen=True, slots=True)
class PointsSharing:
    """Activities recorded for other ``schemes`` count here too.

    For a person who holds one of them, ``points_required`` is the requirement (None: the same), and
    ``minima`` are those of categories, tags and types, by their code.
    """

    schemes: frozenset[str]
    points_required: Decimal | None = None
    minima: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PracticalCheck:
    """A physical or practical check that a reviewer confirms before a renewal is approved."""

    code: str
    name: Translated


@dataclass(frozen=True, slots=True)
class Audit:
    """The share of renewals drawn for audit, the days to answer, what is withheld until then."""

    share: Decimal
    reply_days: int
    withholds_credit: bool = False


@dataclass(frozen=True, slots=True)
class Retirement:
    """The retired status: how long after the expiry it may be requested, and left again."""

    request_within: Duration | None = None
    reactivate_within: Duration | None = None
    fee: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the recertification rules of a scheme.

    ``applies`` says how it takes effect for cycles already running: not at all (``cycle_start``: a
    cycle keeps the version of its first day), for applications submitted since it is in force
    (``submission``), or if it is better for the holder (``more_favourable``). ``corrects`` names
    the version whose mistakes it repairs. ``pending_points_admit``: an application is accepted
    while activities waiting for a decision cover its missing points. ``reasons`` are the names of
    reasons for extensions and reductions that are not in the general list. ``rounding_of``: the
    points of each claim are rounded to 0.01; or claims are exact to 0.0001, and the sum of each
    category is rounded once.
    """

    version: str
    effective_from: date | None
    points_required: Decimal
    categories: Mapping[str, Category]
    types: Mapping[str, ActivityType]
    window: ApplicationWindow
    provenance: Provenance
    valid_while_pending: bool = False
    pending_points_admit: bool = True
    next_cycle: Anchor = "old_expiry"
    month_rule: MonthRule = "completed"
    overlap: Overlap = "highest"
    overlap_maximum: Decimal | None = None
    applies: Applies = "cycle_start"
    corrects: str = ""
    cohort: Cohort = Cohort()
    credit: TranslatedNoun = field(default_factory=dict)
    rounding: Rounding = "half_up"
    rounding_of: RoundingOf = "claim"
    year: YearBasis = "cycle"
    minimum_per_year: Decimal | None = None
    stop_at_requirement: bool = False
    kinds: Kinds | None = None
    windows: tuple[WindowMinimum, ...] = ()
    units: Mapping[str, Unit] = field(default_factory=dict)
    roles: Mapping[str, Translated] = field(default_factory=dict)
    reasons: Mapping[str, Translated] = field(default_factory=dict)
    tags: Mapping[str, Tag] = field(default_factory=dict)
    approved_providers: frozenset[str] = frozenset()
    duplicates: Duplicates | None = None
    carry_over: CarryOver | None = None
    late: tuple[LateStep, ...] = ()
    reexamination: Reexamination | None = None
    extension: ExtensionRule | None = None
    reduction: Reduction | None = None
    sharing: PointsSharing | None = None
    checks: tuple[PracticalCheck, ...] = ()
    audit: Audit | None = None
    retention: Duration | None = None
    retirement: Retirement | None = None
    unverified: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash(self.version)

    def type_of(self, code: str, category: str) -> ActivityType | None:
        """The type under which claims of a code and category count: its own, or its replacement."""
        known = self.types.get(code)
        if known is not None:
            return known if known.category == category else None
        return next((kind for kind in self.types.values() if code in kind.replaces), None)

    def group_of(self, code: str) -> GroupCode:
        """The category, tag or type that a code names, in this order."""
        if code in self.categories:
            return "category", code
        return ("tag" if code in self.tags else "type"), code

    def minimum_of(self, group: GroupCode) -> Decimal | None:
        """The minimum of a category, tag or type for a cycle; None: it has none."""
        of, code = group
        if of == "category":
            return self.categories[code].limits.minimum
        return (self.tags[code] if of == "tag" else self.types[code]).limits.minimum

    @property
    def verified(self) -> bool:
        """Whether every value of this version was checked against the published policy."""
        return not self.unverified

    def window_opens_on(self, *, starts_on: date, expires_on: date) -> date:
        """The first day of the application window of a cycle."""
        if self.window.counted_from == "start":
            return min(self.window.length.after(starts_on), expires_on)
        return self.window.length.before(expires_on)

    def window_closes_on(self, expires_on: date) -> date:
        """The last day for an application in time."""
        before = self.window.closes_before
        return expires_on if before is None else before.before(expires_on)

    def has_closed(self, expires_on: date, day: date) -> bool:
        """Whether a day is after the last one for an application in time, up to the expiry."""
        return self.window_closes_on(expires_on) < day <= expires_on

    def late_step(self, expires_on: date, day: date) -> LateStep | None:
        """The late step on a day after the expiry; None through the expiry and after all steps."""
        if day <= expires_on:
            return None
        return next((s for s in self.late if day <= s.until.after(expires_on)), None)

    def terms_end_on(self, expires_on: date, day: date) -> date | None:
        """The last day of the terms that apply to an application on a day; None after them all.

        In time, that is the last day of the window; later, the end of the late step.
        """
        if day <= expires_on:
            closes_on = self.window_closes_on(expires_on)
            return closes_on if day <= closes_on else expires_on
        step = self.late_step(expires_on, day)
        return step.until.after(expires_on) if step is not None else None

    def grace_ends_on(self, expires_on: date) -> date | None:
        """The last day on which a late application is accepted; None without such a late step."""
        ends = [s.until.after(expires_on) for s in self.late if s.by != "new_application"]
        return max(ends, default=None)

    def title_ends_on(self, expires_on: date) -> date | None:
        """The last day on which the title may still be used after the expiry; None if never."""
        return max((s.until.after(expires_on) for s in self.late if s.title), default=None)

    def activity_type(self, code: str, category: str) -> ActivityType:
        """The type of that code in that category. Raises UnknownActivityType with the choices."""
        known = self.types.get(code)
        if known is None or known.category != category:
            choices = ", ".join(
                sorted(t.code for t in self.types.values() if t.category == category)
            )
            raise UnknownActivityType(
                f"Policy {self.version} has no activity type {code!r} in category {category!r}; "
                f"the types are: {choices or 'no such category'}.",
                fields={"type": f"must be one of: {choices or 'no such category'}"},
            )
        return known
