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
from typing import Annotated, Literal

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
from tracker.domain.schemes.keys import (
    INLINE,
    REPEATABLE,
    REQUIRED,
    Absent,
    AtLeast,
    Between,
    Code,
    Codes,
    CodeSet,
    Longest,
    PositiveAmount,
    PositiveShare,
    Share,
)

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

    awarded_from: Annotated[date | None, "The first day of award that it is for."] = None
    awarded_before: Annotated[
        date | None, "The day of award from which on it is not for somebody."
    ] = None

    def includes(self, awarded_on: date) -> bool:
        """Whether somebody awarded on that day belongs to it."""
        if self.awarded_from is not None and awarded_on < self.awarded_from:
            return False
        return self.awarded_before is None or awarded_on < self.awarded_before


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Which claims are the same activity, of which one counts."""

    key: Annotated[
        tuple[Annotated[DuplicateKey, "A part of a claim."], ...],
        "The parts in which such claims are alike.",
        AtLeast(1),
    ]
    within: Annotated[Duration | None, "How far apart they may be; absent: the whole cycle."] = None


@dataclass(frozen=True, slots=True)
class WindowMinimum:
    """Points that must be earned in the last stretch of the cycle."""

    last: Annotated[Duration, "The stretch."]
    minimum: Annotated[PositiveAmount, "The points."]
    category: Annotated[Code, "Only points of this category; absent: all."] = ""
    tag: Annotated[Code, "Only points with this tag; absent: all."] = ""
    type: Annotated[Code, "Only points of this type; absent: all."] = ""

    @property
    def within(self) -> GroupCode | None:
        """The group whose points count; None: all points."""
        named: dict[Missing, str] = {"category": self.category, "tag": self.tag, "type": self.type}
        return next(((of, code) for of, code in named.items() if code), None)


@dataclass(frozen=True, slots=True)
class Kinds:
    """How many different categories, or types, the counted claims must come from."""

    minimum: Annotated[int, "How many.", Between(1, 100)]
    of: Annotated[Literal["category", "type"], "What must differ."]


@dataclass(frozen=True, slots=True)
class CarryOver:
    """What passes into the next cycle: surplus points.

    With ``counted``, the surplus is the counted points above the requirement; with ``earned``, it
    also includes points cut by the limits of years and of the cycle.
    """

    maximum: Annotated[PositiveAmount, "The most points that pass."]
    categories: Annotated[CodeSet, "Only points of these categories; absent: of all."] = frozenset()
    last: Annotated[
        Duration | None, "Only points of this last stretch of the cycle; absent: of all of it."
    ] = None
    of: Annotated[
        Literal["counted", "earned"],
        "Surplus of what counted, or of what was earned before the limits of years and cycle.",
    ] = "counted"


@dataclass(frozen=True, slots=True)
class ApplicationWindow:
    """When applications open, and when they close: at the end of a day."""

    length: Annotated[Duration, INLINE]
    counted_from: Annotated[
        Literal["expiry", "start"],
        "The length goes back from the expiry, or on from the start of the cycle.",
    ] = "expiry"
    closes_before: Annotated[
        Duration | None, "How long before the expiry its last day lies; absent: it is the expiry."
    ] = None


@dataclass(frozen=True, slots=True)
class LateStep:
    """A late step: one of the periods after the expiry."""

    until: Annotated[Duration, "When it ends after the expiry, that day included."]
    name: Annotated[Translated, "What it is called."]
    by: Annotated[
        LateRequirement,
        "How to renew: with points, by re-examination, or no longer: only by a new application.",
    ] = "points"
    earns: Annotated[
        bool, "Whether activities of these days still count for the cycle that ended."
    ] = False
    title: Annotated[
        bool, "Whether the title may still be used, so that the certification is valid."
    ] = False
    extra_points: Annotated[Decimal, "Points needed on top of the requirement."] = Decimal("0.00")
    extra_minima: Annotated[
        Mapping[str, Annotated[PositiveAmount, "Points more."]],
        "Points needed on top of the minimum of a category, tag or type, by its code.",
    ] = field(default_factory=dict)
    fee: Annotated[Decimal | None, "What is added to the fee of the renewal."] = None


@dataclass(frozen=True, slots=True)
class Reexamination:
    """Renewal by passing modules again, instead of earning points."""

    modules: Annotated[Codes, "The modules; absent: every required one.", Absent(())]
    last: Annotated[Duration | None, "The last stretch of the cycle in which they are passed."] = (
        None
    )
    failure_revokes: Annotated[bool, "Whether failing one ends the certification."] = False


@dataclass(frozen=True, slots=True)
class ExtensionRule:
    """When a cycle may be extended, and by how much."""

    at_most: Annotated[Duration, "The longest extension."]
    moves_cycle: Annotated[
        bool,
        "Whether the next cycle starts after the extended expiry, or where it would have started"
        " without the extension.",
    ]
    request_by: Annotated[
        Duration | None, "How long before the expiry it must be requested at the latest."
    ] = None
    share_earned: Annotated[
        Share | None, "The share of the requirement that must be counted already."
    ] = None
    reasons: Annotated[Codes, "The reasons allowed; absent: any."] = ()
    exempt: Annotated[Codes, "The reasons held to at_most only, such as military service."] = ()


@dataclass(frozen=True, slots=True)
class Reduction:
    """When the requirement may be reduced, and by how much."""

    reasons: Annotated[Codes, "The reasons allowed."]
    share: Annotated[PositiveShare, "The largest share of the requirement taken off."]


@dataclass(frozen=True, slots=True)
class PointsSharing:
    """Activities recorded for other schemes count here too."""

    schemes: Annotated[CodeSet, "The codes of those schemes."]
    points_required: Annotated[
        Decimal | None, "The requirement for whoever holds one of them; absent: the same."
    ] = None
    minima: Annotated[
        Mapping[str, Annotated[Decimal, "The minimum."]],
        "For whoever holds one of them: minima of categories, tags or types, by their code.",
    ] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PracticalCheck:
    """A physical or practical check that a reviewer confirms before a renewal is approved."""

    code: Annotated[Code, "Its code."]
    name: Annotated[Translated, "Its name."]


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit of renewals."""

    share: Annotated[Share, 'The share of renewals drawn; "0.05" is 5 %.']
    reply_days: Annotated[int, "The days to answer.", Between(1, 3650)]
    withholds_credit: Annotated[bool, "Whether credit waits for the answer."] = False


@dataclass(frozen=True, slots=True)
class Retirement:
    """The retired status."""

    request_within: Annotated[
        Duration | None, "Until how long after the expiry it may be requested."
    ] = None
    reactivate_within: Annotated[
        Duration | None, "Until how long after the expiry it may be left again."
    ] = None
    fee: Annotated[Decimal | None, "What it costs."] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of the recertification rules of a scheme.

    With ``rounding_of = "category"``, claims are exact to 0.0001, and the sum of each category is
    rounded once.
    """

    provenance: Annotated[Provenance, INLINE]
    version: Annotated[str, "The name of the version.", Longest(32)]
    effective_from: Annotated[
        date | None,
        "From when on it is in force; the first version may leave it out.",
        Absent(None),
    ]
    applies: Annotated[
        Applies,
        "What it means for a cycle already running: nothing (cycle_start: a cycle keeps the version"
        " of its first day), that applications are judged by it (submission), or that they are"
        " where it is better for the holder (more_favourable).",
        REQUIRED,
    ] = "cycle_start"
    corrects: Annotated[str, "The earlier version whose mistakes it repairs.", Longest(32)] = ""
    cohort: Annotated[Cohort, "Whom it is for; absent: everybody."] = Cohort()
    credit: Annotated[
        TranslatedNoun, "What points are called, in both numbers; absent: points."
    ] = field(default_factory=dict)
    points_required: Annotated[Decimal, "The points that a cycle needs."]
    minimum_per_year: Annotated[PositiveAmount | None, "The points that each year needs."] = None
    year: Annotated[YearBasis, "Years of the cycle, or of the calendar."] = "cycle"
    kinds: Annotated[Kinds | None, "How many different kinds are needed."] = None
    stop_at_requirement: Annotated[bool, "Whether counting stops at the requirement."] = False
    rounding: Annotated[Rounding, "How points are rounded to 0.01."] = "half_up"
    rounding_of: Annotated[
        RoundingOf, "What is rounded: the points of each claim, or of each category, once."
    ] = "claim"
    month_rule: Annotated[
        MonthRule, "A month of a job: completed, by the day (pro_rata), or 15 days of it."
    ] = "completed"
    overlap: Annotated[
        Overlap, "Jobs at one time: the highest rate, the sum up to overlap_maximum, or the sum."
    ] = "highest"
    overlap_maximum: Annotated[
        PositiveAmount | None, "With capped_sum: the most points a month."
    ] = None
    window: Annotated[ApplicationWindow, "When applications open."]
    valid_while_pending: Annotated[
        bool, "Whether one is valid while an application is undecided."
    ] = False
    pending_points_admit: Annotated[
        bool,
        "Whether an application is accepted while activities that wait for a decision cover what is"
        " missing.",
    ] = True
    next_cycle: Annotated[
        Anchor,
        "It starts after the old expiry, or on the decision; decision_to_old_end: and ends where"
        " it would have after the old expiry.",
        REQUIRED,
    ] = "old_expiry"
    duplicates: Annotated[
        Duplicates | None, "Which claims count once; absent: duplicates are allowed."
    ] = None
    carry_over: Annotated[CarryOver | None, "What passes into the next cycle; absent: nothing."] = (
        None
    )
    checks: Annotated[tuple[PracticalCheck, ...], "Checks that a reviewer confirms."] = ()
    audit: Annotated[Audit | None, "The audit of renewals."] = None
    retention: Annotated[Duration | None, "How long evidence is kept after the cycle."] = None
    approved_providers: Annotated[
        frozenset[Annotated[str, "A provider."]], "Providers whose activities count in full."
    ] = frozenset()
    reexamination: Annotated[Reexamination | None, "Renewal by examination instead of points."] = (
        None
    )
    extension: Annotated[ExtensionRule | None, "When a cycle may be extended."] = None
    reduction: Annotated[Reduction | None, "When the requirement may be reduced."] = None
    sharing: Annotated[PointsSharing | None, "Schemes whose activities count here too."] = None
    retirement: Annotated[Retirement | None, "The retired status."] = None
    windows: Annotated[tuple[WindowMinimum, ...], "Minima of the last stretches of the cycle."] = ()
    late: Annotated[
        tuple[LateStep, ...], "The late steps after the expiry, in their order; absent: no grace."
    ] = ()
    units: Annotated[Mapping[str, Unit], "What quantities are measured in."] = field(
        default_factory=dict
    )
    roles: Annotated[Mapping[str, Translated], "What somebody can have done: attended, taught."] = (
        field(default_factory=dict)
    )
    reasons: Annotated[
        Mapping[str, Translated],
        "Reasons for extensions and reductions that are not in the general list, by code.",
    ] = field(default_factory=dict)
    tags: Annotated[Mapping[str, Tag], "Labels across categories, with limits."] = field(
        default_factory=dict
    )
    categories: Annotated[Mapping[str, Category], "The categories by code."]
    types: Annotated[Mapping[str, ActivityType], "The activity types."]
    unverified: Annotated[
        tuple[Annotated[str, '"key: why".'], ...],
        "Single values that nobody checked against the published text.",
        REPEATABLE,
    ] = ()

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
                f"it has: {choices or 'no such category'}.",
                fields={"type": f"must be one of: {choices or 'no such category'}"},
            )
        return known
