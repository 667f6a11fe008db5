"""A version of a recertification policy as a value: everything that a scheme file can say.

Each attribute states its meaning and its unit; the keys of ``config/schemes/*.toml`` have the same
names. "Points" stands for the program's own credit (PDU, CPE, RU), named by ``credit``. All points,
rates and factors are decimals, with which ``domain/points/evaluations.py`` computes.
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
AuditNoAnswer = Literal["remind", "reject"]
LateRequirement = Literal["points", "reexamination", "new_application"]


@dataclass(frozen=True, slots=True)
class Cohort:
    """The people a version is for, by day of the award: from a day on, before a day, or both."""

    awarded_from: Annotated[date | None, "The first award date that it covers."] = None
    awarded_before: Annotated[date | None, "The first award date that it no longer covers."] = None

    def includes(self, awarded_on: date) -> bool:
        """Whether somebody awarded on that day belongs to it."""
        if self.awarded_from is not None and awarded_on < self.awarded_from:
            return False
        return self.awarded_before is None or awarded_on < self.awarded_before


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Which claims are the same activity, of which one counts."""

    key: Annotated[
        tuple[Annotated[DuplicateKey, "A property of a claim."], ...],
        "The properties that duplicates have in common.",
        AtLeast(1),
    ]
    within: Annotated[
        Duration | None, "How far apart duplicates may be; absent: anywhere in the cycle."
    ] = None

    @property
    def is_by_type(self) -> bool:
        """Whether all activities of a type are duplicates of each other."""
        return set(self.key) == {"type"}


@dataclass(frozen=True, slots=True)
class WindowMinimum:
    """Points that must be earned in the last stretch of the cycle."""

    last: Annotated[Duration, "The last part of the cycle."]
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
    of: Annotated[Literal["category", "type"], "Of what: categories or types."]


@dataclass(frozen=True, slots=True)
class CarryOver:
    """What passes into the next cycle: surplus points.

    With ``counted``, the surplus is the counted points above the requirement; with ``earned``, it
    also includes points cut by the limits of years and of the cycle.
    """

    maximum: Annotated[PositiveAmount, "The most points carried over."]
    categories: Annotated[CodeSet, "Only points of these categories; absent: all."] = frozenset()
    last: Annotated[
        Duration | None, "Only points from this last part of the cycle; absent: the whole cycle."
    ] = None
    of: Annotated[
        Literal["counted", "earned"],
        "Whether the surplus is of points that counted, or of points earned before yearly and "
        "cycle limits.",
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
        Duration | None, "How long before expiration it closes; absent: on the expiration date."
    ] = None


@dataclass(frozen=True, slots=True)
class LateStep:
    """A late step: one of the periods after the expiry."""

    until: Annotated[Duration, "How long after expiration the step ends, that day included."]
    name: Annotated[Translated, "What it is called."]
    by: Annotated[
        LateRequirement,
        "How to renew: with points, by re-examination, or no longer: only by a new application.",
    ] = "points"
    earns: Annotated[
        bool, "Whether activities in this step still count for the cycle that ended."
    ] = False
    title: Annotated[
        bool, "Whether the title may still be used, so that the certification is valid."
    ] = False
    extra_points: Annotated[Decimal, "Points needed in addition to the requirement."] = Decimal(
        "0.00"
    )
    extra_minima: Annotated[
        Mapping[str, Annotated[PositiveAmount, "Additional points."]],
        "Points needed in addition to the minimum of a category, tag or type, by code.",
    ] = field(default_factory=dict)
    fee: Annotated[Decimal | None, "The late fee, in addition to the renewal fee."] = None


@dataclass(frozen=True, slots=True)
class Reexamination:
    """Renewal by passing modules again, instead of earning points."""

    modules: Annotated[Codes, "The modules; absent: every required one.", Absent(())]
    last: Annotated[
        Duration | None, "The last part of the cycle, in which they must be passed."
    ] = None
    failure_revokes: Annotated[bool, "Whether failing one ends the certification."] = False


@dataclass(frozen=True, slots=True)
class ExtensionRule:
    """When a cycle may be extended, and by how much."""

    at_most: Annotated[Duration, "The longest extension."]
    moves_cycle: Annotated[
        bool,
        "Whether the next cycle starts after the extended expiration date, or where it would have"
        " started"
        " without the extension.",
    ]
    request_by: Annotated[
        Duration | None, "How long before expiration it must be requested at the latest."
    ] = None
    share_earned: Annotated[
        Share | None, "The share of the requirement that must already be earned."
    ] = None
    reasons: Annotated[Codes, "The reasons allowed; absent: any."] = ()
    exempt: Annotated[
        Codes, "The reasons for which only at_most applies, such as military service."
    ] = ()


@dataclass(frozen=True, slots=True)
class Reduction:
    """When the requirement may be reduced, and by how much."""

    reasons: Annotated[Codes, "The reasons allowed."]
    share: Annotated[PositiveShare, "The largest share by which the requirement is lowered."]


@dataclass(frozen=True, slots=True)
class PointsSharing:
    """Activities recorded for other schemes count here too."""

    schemes: Annotated[CodeSet, "The codes of those schemes."]
    points_required: Annotated[
        Decimal | None, "The requirement for anyone who holds one of them; absent: the same."
    ] = None
    minima: Annotated[
        Mapping[str, Annotated[Decimal, "The minimum."]],
        "For anyone who holds one of them: minima of categories, tags or types, by code.",
    ] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PracticalCheck:
    """A physical or practical check that a reviewer confirms before a renewal is approved."""

    code: Annotated[Code, "Its code."]
    name: Annotated[Translated, "Its name."]


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit of renewals."""

    share: Annotated[Share, 'The share of renewals selected for audit; "0.05" is 5%.']
    reply_days: Annotated[int, "The days to answer an audit.", Between(1, 3650)]
    withholds_credit: Annotated[bool, "Whether points are withheld until the audit is passed."] = (
        False
    )
    no_answer: Annotated[
        AuditNoAnswer,
        "What follows without an answer by the deadline: the holder is reminded and has as many "
        "days again, or the activity is rejected.",
    ] = "remind"


@dataclass(frozen=True, slots=True)
class Retirement:
    """Rules for the retired status."""

    request_within: Annotated[Duration | None, "How long after expiration it may be requested."] = (
        None
    )
    reactivate_within: Annotated[
        Duration | None, "How long after expiration the holder may return from it."
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
        "The day from which it is in force; optional for the first version.",
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
    cohort: Annotated[Cohort, "Which holders it covers; absent: all."] = Cohort()
    credit: Annotated[
        TranslatedNoun, "What points are called, singular and plural; absent: points."
    ] = field(default_factory=dict)
    points_required: Annotated[Decimal, "The points required in a cycle."]
    minimum_per_year: Annotated[PositiveAmount | None, "The points required in each year."] = None
    year: Annotated[YearBasis, "Whether years are years of the cycle or calendar years."] = "cycle"
    kinds: Annotated[Kinds | None, "How many different categories or types are required."] = None
    stop_at_requirement: Annotated[bool, "Whether counting stops at the requirement."] = False
    rounding: Annotated[Rounding, "How points are rounded to 0.01."] = "half_up"
    rounding_of: Annotated[
        RoundingOf, "What is rounded: the points of each claim, or once the sum of each category."
    ] = "claim"
    month_rule: Annotated[
        MonthRule,
        "Which months of a job count: completed ones, by the day (pro_rata), or from 15 days on.",
    ] = "completed"
    overlap: Annotated[
        Overlap,
        "How overlapping jobs count: the highest rate, the sum up to overlap_maximum, or the sum.",
    ] = "highest"
    overlap_maximum: Annotated[
        PositiveAmount | None, "With capped_sum: the most points per month."
    ] = None
    window: Annotated[ApplicationWindow, "When applications open."]
    valid_while_pending: Annotated[
        bool, "Whether the certification stays valid while an application is undecided."
    ] = False
    pending_points_admit: Annotated[
        bool,
        "Whether an application is accepted while activities that wait for a decision cover what is"
        " missing.",
    ] = True
    next_cycle: Annotated[
        Anchor,
        "When it starts: after the old expiration date, or after the decision; "
        "decision_to_old_end: after the decision, with the end it would have had after the old "
        "expiration date.",
        REQUIRED,
    ] = "old_expiry"
    duplicates: Annotated[
        Duplicates | None, "Which claims count only once; absent: duplicates are allowed."
    ] = None
    carry_over: Annotated[
        CarryOver | None, "What carries over into the next cycle; absent: nothing."
    ] = None
    checks: Annotated[tuple[PracticalCheck, ...], "Checks that a reviewer must confirm."] = ()
    audit: Annotated[Audit | None, "The audit of renewals."] = None
    retention: Annotated[Duration | None, "How long evidence is kept after the cycle."] = None
    approved_providers: Annotated[
        frozenset[Annotated[str, "A provider."]],
        "The approved providers, whose activities count in full.",
    ] = frozenset()
    reexamination: Annotated[Reexamination | None, "Renewal by examination instead of points."] = (
        None
    )
    extension: Annotated[ExtensionRule | None, "When a cycle may be extended."] = None
    reduction: Annotated[Reduction | None, "When the requirement may be reduced."] = None
    sharing: Annotated[PointsSharing | None, "Schemes whose activities also count here."] = None
    retirement: Annotated[Retirement | None, "Rules for the retired status."] = None
    windows: Annotated[tuple[WindowMinimum, ...], "Minima for the last parts of the cycle."] = ()
    late: Annotated[
        tuple[LateStep, ...], "The late steps after the expiry, in their order; absent: no grace."
    ] = ()
    units: Annotated[Mapping[str, Unit], "The units of quantities."] = field(default_factory=dict)
    roles: Annotated[Mapping[str, Translated], "The roles, such as attended or taught."] = field(
        default_factory=dict
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
        "Single values not checked against the published text.",
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
                f"the types are: {choices or 'no such category'}.",
                fields={"type": f"must be one of: {choices or 'no such category'}"},
            )
        return known
