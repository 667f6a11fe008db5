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

    awarded_from = DayKey("The first day of award that it is for.")
    awarded_before = DayKey("The day of award from which on it is not for somebody.")


class _Kinds(Table):
    """How many different categories or types the counted claims must come from."""

    makes = domain.Kinds

    minimum = whole("How many.", 1, 100, required=True)
    of = choice("What must differ.", ("category", "type"), required=True)


class _Window(DurationKey):
    """When applications open."""

    counted_from = choice(
        "The length goes back from the expiry, or on from the start.", ("expiry", "start")
    )
    closes_before = table(
        DurationKey, "How long before the expiry its last day lies; absent: it is the expiry."
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
        choice("A part of a claim.", get_args(domain.DuplicateKey)),
        "The parts in which such claims are alike.",
        least=1,
        required=True,
    )
    within = table(DurationKey, "How far apart they may be; absent: the whole cycle.")


class _CarryOver(Table):
    """What passes into the next cycle."""

    makes = domain.CarryOver

    maximum = AmountKey("The most points that pass.", required=True, above_zero=True)
    categories = codes("Only points of these categories; absent: of all.", into=frozenset)
    last = table(
        DurationKey, "Only points of this last stretch of the cycle; absent: of all of it."
    )
    of = choice(
        "Surplus of what counted, or of what was earned before the limits of years and cycle.",
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

    share = ShareKey('The share of renewals drawn; "0.05" is 5 %.', required=True)
    reply_days = whole("The days to answer.", 1, 3650, required=True)
    withholds_credit = FlagKey("Whether credit waits for the answer.")


class _Reexamination(Table):
    """Renewal by passing modules again, instead of points."""

    makes = domain.Reexamination

    modules = codes("The modules; absent: every required one.")
    last = table(DurationKey, "The last stretch of the cycle in which they are passed.")
    failure_revokes = FlagKey("Whether failing one ends the certification.")

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Any:
        """The rule; the scheme fills in the modules that are not told."""
        return domain.Reexamination(**{"modules": (), **data})


class _Extension(Table):
    """When a cycle may be extended, and by how much."""

    makes = domain.ExtensionRule

    at_most = table(DurationKey, "The longest extension.", required=True)
    moves_cycle = FlagKey("Whether the next cycle starts after the extended expiry.", required=True)
    request_by = table(DurationKey, "How long before the expiry it must be asked for.")
    share_earned = ShareKey("The share of the requirement that must be counted.")
    reasons = codes("The reasons allowed; absent: any.")
    exempt = codes("The reasons held to at_most only.")


class _Reduction(Table):
    """When the requirement may be reduced, and by how much."""

    makes = domain.Reduction

    reasons = codes("The reasons allowed.", required=True)
    share = ShareKey(
        "The largest share of the requirement taken off.", required=True, above_zero=True
    )


class _Sharing(Table):
    """Activities recorded for other schemes count here too."""

    makes = domain.PointsSharing

    schemes = codes("The codes of those schemes.", into=frozenset, required=True)
    points_required = AmountKey("The requirement for whoever holds one of them.")
    minima = NamedTable(
        AmountKey("The minimum."),
        "For whoever holds one of them: minima of categories, tags or types, by their code.",
    )


class _Retirement(Table):
    """The retired status."""

    makes = domain.Retirement

    request_within = table(DurationKey, "Until how long after the expiry it may be asked for.")
    reactivate_within = table(DurationKey, "Until how long after the expiry it may be left again.")
    fee = AmountKey("What it costs.")


class _WindowMinimum(Table):
    """Points that must be earned in the last stretch of the cycle."""

    makes = domain.WindowMinimum

    last = table(DurationKey, "The stretch.", required=True)
    minimum = AmountKey("The points.", required=True, above_zero=True)
    category = code("Only points of this category; absent: all.")
    tag = code("Only points with this tag; absent: all.")
    type = code("Only points of this type; absent: all.")


class _LateStep(Table):
    """One rung of the ladder after the expiry."""

    makes = domain.LateStep

    until = table(DurationKey, "When it ends after the expiry, that day included.", required=True)
    name = table(WordsKey, "What it is called.", required=True)
    by = choice("With points, by re-examination, or no more: by a new application.", LATE)
    earns = FlagKey("Whether activities of these days still count for the cycle that ended.")
    title = FlagKey("Whether the title may still be claimed.")
    extra_points = AmountKey("Points needed on top of the requirement.")
    extra_minima = NamedTable(
        AmountKey("Points more.", above_zero=True),
        "Points needed on top of the minimum of a category, tag or type, by its code.",
    )
    fee = AmountKey("What comes on top of the renewal's fee.")


class PolicyTable(Sourced):
    """One version of the recertification rules."""

    makes = domain.Policy

    version = words("The name of the version.", longest=32, required=True)
    effective_from = DayKey(
        "From when on it is in force; the first version may leave it out.", load_default=None
    )
    applies = choice(
        "What it means for a cycle already running: nothing (cycle_start), that applications are"
        " judged by it (submission), or that they are where it is better (more_favourable).",
        get_args(domain.Applies),
        required=True,
    )
    corrects = words("The earlier version whose mistakes it repairs.", longest=32)
    cohort = table(_Cohort, "Whom it is for; absent: everybody.")
    credit = table(NounsKey, "What points are called, in both numbers; absent: points.")
    points_required = AmountKey("The points that a cycle needs.", required=True)
    minimum_per_year = AmountKey("The points that each year needs.", above_zero=True)
    year = choice("Years of the cycle, or of the calendar.", get_args(domain.YearBasis))
    kinds = table(_Kinds, "How many different kinds are needed.")
    stop_at_requirement = FlagKey("Whether counting stops at the requirement.")
    rounding = choice("How points are rounded to 0.01.", get_args(domain.Rounding))
    rounding_of = choice(
        "What is rounded: the points of each claim, or of each category, once.",
        get_args(domain.RoundingOf),
    )
    month_rule = choice(
        "A month of a job: completed, by the day (pro_rata), or 15 days of it.", get_args(MonthRule)
    )
    overlap = choice(
        "Jobs at one time: the highest rate, the sum up to overlap_maximum, or the sum.",
        get_args(domain.Overlap),
    )
    overlap_maximum = AmountKey("With capped_sum: the most points a month.", above_zero=True)
    window = table(_Window, "When applications open.", required=True)
    valid_while_pending = FlagKey("Whether one is valid while an application is undecided.")
    pending_points_admit = FlagKey(
        "Whether an application is taken while activities that wait for a decision cover what is"
        " missing."
    )
    next_cycle = choice(
        "It starts after the old expiry, or on the decision; decision_to_old_end: and ends where"
        " it would have after the old expiry.",
        get_args(domain.Anchor),
        required=True,
    )
    duplicates = table(_Duplicates, "Which claims count once; absent: duplicates are allowed.")
    carry_over = table(_CarryOver, "What passes into the next cycle; absent: nothing.")
    checks = tables(_Check, "Checks that a reviewer confirms.")
    audit = table(_Audit, "The audit of renewals.")
    retention = table(DurationKey, "How long evidence is kept after the cycle.")
    approved_providers = Different(
        words("A provider."), "Providers whose activities count in full.", into=frozenset
    )
    reexamination = table(_Reexamination, "Renewal by examination instead of points.")
    extension = table(_Extension, "When a cycle may be extended.")
    reduction = table(_Reduction, "When the requirement may be reduced.")
    sharing = table(_Sharing, "Schemes whose activities count here too.")
    retirement = table(_Retirement, "The retired status.")
    windows = tables(_WindowMinimum, "Minima of the last stretches of the cycle.")
    late = tables(_LateStep, "The ladder after the expiry, rung by rung; absent: no grace.")
    units = NamedTable(fields.Nested(groups.UnitTable), "What quantities are measured in.")
    roles = NamedTable(fields.Nested(WordsKey), "What somebody can have done: attended, taught.")
    reasons = NamedTable(fields.Nested(WordsKey), "Reasons for extensions and reductions, by code.")
    tags = NamedTable(fields.Nested(groups.TagTable), "Marks across categories, with limits.")
    categories = NamedTable(
        fields.Nested(groups.CategoryTable), "The categories by code.", required=True
    )
    types = NamedTable(fields.Nested(groups.TypeTable), "The activity types.", required=True)
    unverified = Several(
        words('"key: why".'), "Single values that nobody checked against the published text."
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
