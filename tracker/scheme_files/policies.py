"""The format of ``[[policies]]``, key by key, and how a version of a policy is built of it.

What the values mean is said in ``tracker.domain.schemes.policies``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from marshmallow import fields, post_load

from tracker.domain.periods import MonthRule
from tracker.domain.schemes import policies as domain
from tracker.domain.schemes.activity_types import Category, Provenance, Tag
from tracker.scheme_files import groups
from tracker.scheme_files.nouns import NounsKey
from tracker.scheme_files.values import (
    AmountKey,
    DayKey,
    Different,
    DurationKey,
    FlagKey,
    NamedTable,
    Several,
    ShareKey,
    Sourced,
    Table,
    WordsKey,
    choice,
    code,
    codes,
    provenance,
    table,
    tables,
    whole,
    words,
)

LATE = get_args(domain.LateRequirement)


class _Cohort(Table):
    """Whom the version is for, by the day of the award."""

    makes = domain.Cohort

    awarded_from = DayKey("The first award date that it covers.")
    awarded_before = DayKey("The first award date that it no longer covers.")


class _Kinds(Table):
    """How many different categories or types the counted claims must come from."""

    makes = domain.Kinds

    minimum = whole("How many.", 1, 100, required=True)
    of = choice("Of what: categories or types.", ("category", "type"), required=True)


class _Window(DurationKey):
    """When applications open."""

    counted_from = choice(
        "Whether the length is counted back from expiration, or forward from the start of the "
        "cycle.",
        ("expiry", "start"),
    )
    closes_before = table(
        DurationKey, "How long before expiration it closes; absent: on the expiration date."
    )

    @post_load
    def build(self, data: dict[str, Any], **options: Any) -> Any:
        """The window, whose length is told in the same table."""
        start, closes = data.pop("counted_from", "expiry"), data.pop("closes_before", None)
        return domain.ApplicationWindow(super().build(data, **options), start, closes)


class _Duplicates(Table):
    """Which claims are the same activity, of which one counts."""

    makes = domain.Duplicates

    key = Different(
        choice("A property of a claim.", get_args(domain.DuplicateKey)),
        "The properties that duplicates have in common.",
        least=1,
        required=True,
    )
    within = table(DurationKey, "How far apart duplicates may be; absent: anywhere in the cycle.")


class _CarryOver(Table):
    """What passes into the next cycle."""

    makes = domain.CarryOver

    maximum = AmountKey("The most points carried over.", required=True, above_zero=True)
    categories = codes("Only points of these categories; absent: all.", into=frozenset)
    last = table(
        DurationKey, "Only points from this last part of the cycle; absent: the whole cycle."
    )
    of = choice(
        "Whether the surplus is of points that counted, or of points earned before yearly and "
        "cycle limits.",
        ("counted", "earned"),
    )


class _Check(Table):
    """A physical or practical check that a reviewer confirms."""

    makes = domain.PracticalCheck

    code = code("Its code.", required=True)
    name = table(WordsKey, "Its name.", required=True)


class _Audit(Table):
    """The audit of renewals."""

    makes = domain.Audit

    share = ShareKey('The share of renewals selected for audit; "0.05" is 5%.', required=True)
    reply_days = whole("The days to answer an audit.", 1, 3650, required=True)
    withholds_credit = FlagKey("Whether points are withheld until the audit is passed.")


class _Reexamination(Table):
    """Renewal by passing modules again, instead of points."""

    makes = domain.Reexamination

    modules = codes("The modules; absent: every required one.")
    last = table(DurationKey, "The last part of the cycle, in which they must be passed.")
    failure_revokes = FlagKey("Whether failing one ends the certification.")

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Any:
        """The rule; the scheme fills in the modules that are not told."""
        return domain.Reexamination(**{"modules": (), **data})


class _Extension(Table):
    """When a cycle may be extended, and by how much."""

    makes = domain.ExtensionRule

    at_most = table(DurationKey, "The longest extension.", required=True)
    moves_cycle = FlagKey(
        "Whether the next cycle starts after the extended expiration date.", required=True
    )
    request_by = table(DurationKey, "How long before expiration it must be requested.")
    share_earned = ShareKey("The share of the requirement that must already be earned.")
    reasons = codes("The reasons allowed; absent: any.")
    exempt = codes("The reasons for which only at_most applies.")


class _Reduction(Table):
    """When the requirement may be reduced, and by how much."""

    makes = domain.Reduction

    reasons = codes("The reasons allowed.", required=True)
    share = ShareKey(
        "The largest share by which the requirement is lowered.", required=True, above_zero=True
    )


class _Sharing(Table):
    """Activities recorded for other schemes count here too."""

    makes = domain.PointsSharing

    schemes = codes("The codes of those schemes.", into=frozenset, required=True)
    points_required = AmountKey("The requirement for anyone who holds one of them.")
    minima = NamedTable(
        AmountKey("The minimum."),
        "For anyone who holds one of them: minima of categories, tags or types, by code.",
    )


class _Retirement(Table):
    """Rules for the retired status."""

    makes = domain.Retirement

    request_within = table(DurationKey, "How long after expiration it may be requested.")
    reactivate_within = table(
        DurationKey, "How long after expiration the holder may return from it."
    )
    fee = AmountKey("What it costs.")


class _WindowMinimum(Table):
    """Points that must be earned in the last stretch of the cycle."""

    makes = domain.WindowMinimum

    last = table(DurationKey, "The last part of the cycle.", required=True)
    minimum = AmountKey("The points.", required=True, above_zero=True)
    category = code("Only points of this category; absent: all.")
    tag = code("Only points with this tag; absent: all.")
    type = code("Only points of this type; absent: all.")


class _LateStep(Table):
    """One rung of the ladder after the expiry."""

    makes = domain.LateStep

    until = table(
        DurationKey, "How long after expiration the step ends, that day included.", required=True
    )
    name = table(WordsKey, "What it is called.", required=True)
    by = choice("Whether renewal takes points, a re-examination, or a new application.", LATE)
    earns = FlagKey("Whether activities in this step still count for the cycle that ended.")
    title = FlagKey("Whether the title may still be used.")
    extra_points = AmountKey("Points needed in addition to the requirement.")
    extra_minima = NamedTable(
        AmountKey("Additional points.", above_zero=True),
        "Points needed in addition to the minimum of a category, tag or type, by code.",
    )
    fee = AmountKey("The late fee, in addition to the renewal fee.")


class PolicyTable(Sourced):
    """One version of the recertification rules."""

    makes = domain.Policy

    version = words("The name of the version.", longest=32, required=True)
    effective_from = DayKey(
        "The day from which it is in force; optional for the first version.", load_default=None
    )
    applies = choice(
        "Whether it applies to cycles already running: no (cycle_start), to all applications "
        "(submission), or to applications for which it is better (more_favourable).",
        get_args(domain.Applies),
        required=True,
    )
    corrects = words("The earlier version whose mistakes it repairs.", longest=32)
    cohort = table(_Cohort, "Which holders it covers; absent: all.")
    credit = table(NounsKey, "What points are called, singular and plural; absent: points.")
    points_required = AmountKey("The points required in a cycle.", required=True)
    minimum_per_year = AmountKey("The points required in each year.", above_zero=True)
    year = choice(
        "Whether years are years of the cycle or calendar years.", get_args(domain.YearBasis)
    )
    kinds = table(_Kinds, "How many different categories or types are required.")
    stop_at_requirement = FlagKey("Whether counting stops at the requirement.")
    rounding = choice("How points are rounded to 0.01.", get_args(domain.Rounding))
    rounding_of = choice(
        "What is rounded: the points of each claim, or once the sum of each category.",
        get_args(domain.RoundingOf),
    )
    month_rule = choice(
        "Which months of a job count: completed ones, by the day (pro_rata), or from 15 days on.",
        get_args(MonthRule),
    )
    overlap = choice(
        "How overlapping jobs count: the highest rate, the sum up to overlap_maximum, or the sum.",
        get_args(domain.Overlap),
    )
    overlap_maximum = AmountKey("With capped_sum: the most points per month.", above_zero=True)
    window = table(_Window, "When applications open.", required=True)
    valid_while_pending = FlagKey(
        "Whether the certification stays valid while an application is undecided."
    )
    pending_points_admit = FlagKey(
        "Whether an application is accepted while pending activities cover the missing points."
    )
    next_cycle = choice(
        "When it starts: after the old expiration date, or after the decision; "
        "decision_to_old_end: after the decision, with the end it would have had after the old "
        "expiration date.",
        get_args(domain.Anchor),
        required=True,
    )
    duplicates = table(_Duplicates, "Which claims count only once; absent: duplicates are allowed.")
    carry_over = table(_CarryOver, "What carries over into the next cycle; absent: nothing.")
    checks = tables(_Check, "Checks that a reviewer must confirm.")
    audit = table(_Audit, "The audit of renewals.")
    retention = table(DurationKey, "How long evidence is kept after the cycle.")
    approved_providers = Different(
        words("A provider."),
        "The approved providers, whose activities count in full.",
        into=frozenset,
    )
    reexamination = table(_Reexamination, "Renewal by examination instead of points.")
    extension = table(_Extension, "When a cycle may be extended.")
    reduction = table(_Reduction, "When the requirement may be reduced.")
    sharing = table(_Sharing, "Schemes whose activities also count here.")
    retirement = table(_Retirement, "Rules for the retired status.")
    windows = tables(_WindowMinimum, "Minima for the last parts of the cycle.")
    late = tables(_LateStep, "The late steps after expiration, in order; absent: no grace.")
    units = NamedTable(fields.Nested(groups.UnitTable), "The units of quantities.")
    roles = NamedTable(fields.Nested(WordsKey), "The roles, such as attended or taught.")
    reasons = NamedTable(fields.Nested(WordsKey), "Reasons for extensions and reductions, by code.")
    tags = NamedTable(fields.Nested(groups.TagTable), "Tags across categories, with limits.")
    categories = NamedTable(
        fields.Nested(groups.CategoryTable), "The categories by code.", required=True
    )
    types = NamedTable(fields.Nested(groups.TypeTable), "The activity types.", required=True)
    unverified = Several(
        words('"key: why".'), "Single values not checked against the published text."
    )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Any:
        """The version, its groups under their codes, with every open value listed."""
        own = provenance(data)
        data["unverified"] = _open_values(data, own)
        if data.get("credit", {}).items() <= groups.POINTS.items():
            data.pop("credit", None)  # no word of its own
        told = {key: data.pop(key, {}) for key in ("units", "tags", "categories", "types")}
        units = groups.build_units(told["units"])
        return domain.Policy(
            provenance=own,
            units=units,
            tags=groups.build_groups(Tag, told["tags"], own),
            categories=groups.build_groups(Category, told["categories"], own),
            types=groups.build_types(told["types"], own, units),
            **data,
        )


def _open_values(data: Mapping[str, Any], own: Provenance) -> tuple[str, ...]:
    """What was not checked: the policy, single values, then whatever says so of itself."""
    found = [] if own.verified else ["points_required"]
    found += data.get("unverified", ())
    for group in ("categories", "types", "tags"):
        for code_, entry in data.get(group, {}).items():
            if entry.get("verified") is False:
                found.append(f"{group}.{code_}")
    return tuple(found)
