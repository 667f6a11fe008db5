"""A certification scheme as a value: modules, award rule, retakes, fees, recertification policies.

The values come from ``config/schemes/*.toml``; ``tracker.schemes`` reads them. Every fact that
a certification body publishes carries its source and whether it was verified.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from tracker.domain.errors import UnknownActivityType, UnknownModule, UnknownScheme
from tracker.domain.periods import Duration, MonthRule

Text = Mapping[str, str]  # language code -> words
Basis = Literal["quantity", "months"]
Anchor = Literal["old_expiry", "decision"]
Applies = Literal["cycle_start"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value comes from, and whether somebody checked it against the published text."""

    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Module:
    """A unit of a scheme with its own assessment; ``required`` ones make up the award."""

    code: str
    name: Text
    required: bool


@dataclass(frozen=True, slots=True)
class Edition:
    """A numbered edition of the scheme's standards, such as CPT 4.0."""

    code: str
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class RetakeRule:
    """Full days to wait between attempts at a module: after a failure, and after several."""

    wait_days: int
    failures_before_long_wait: int
    long_wait_days: int
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class AwardRule:
    """When a certification is awarded, and for how long it is valid (None: without end)."""

    date_basis: Literal["last_required_pass"]
    validity: Duration | None
    prerequisites: tuple[str, ...]
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class BundleFee:
    """One price for several schemes renewed together, if their expiries lie close enough."""

    schemes: frozenset[str]
    amount: Decimal
    within_days: int
    requires: str


@dataclass(frozen=True, slots=True)
class Fees:
    """Recertification and appeal fees in ``currency``; amounts with two decimals."""

    currency: str
    renewal: Decimal | None
    bundles: tuple[BundleFee, ...]
    refundable: bool
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class AppealRule:
    """Deadlines of an appeal in days, its fee, and what an upheld one restores."""

    due_days: int
    decided_within_days: int
    fee: Decimal
    refunded_on_success: bool
    restores_gap: bool
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Category:
    """A group of activity types with an upper limit of points a cycle, if any."""

    code: str
    name: Text
    maximum: Decimal | None
    minimum: Decimal | None
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class ActivityType:
    """One kind of activity: its category, the unit it is measured in, the points a unit."""

    code: str
    category: str
    name: Text
    basis: Basis
    unit: Text
    rate: Decimal
    increment: Decimal | None
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the recertification rules of a scheme.

    A cycle is governed for its whole length by the version in force when the cycle started
    (``applies = "cycle_start"``).
    """

    version: str
    effective_from: date | None
    points_required: Decimal
    categories: Mapping[str, Category]
    types: Mapping[str, ActivityType]
    window: Duration
    grace: Duration | None
    valid_in_grace: bool
    valid_while_pending: bool
    next_cycle: Anchor
    month_rule: MonthRule
    duplicates: Literal["once_per_cycle", "allowed"]
    applies: Applies
    provenance: Provenance
    unverified: tuple[str, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether every value of this version was checked against the published policy."""
        return not self.unverified

    def activity_type(self, code: str, category: str) -> ActivityType:
        """The type of that code in that category; UnknownActivityType names the choices."""
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


@dataclass(frozen=True, slots=True)
class ReminderPolicy:
    """When a holder is reminded: days before expiry (negative: after), at a local time of day."""

    offsets: tuple[int, ...]
    offsets_when_complete: frozenset[int]
    send_at: time
    resend_ambiguous_at_or_below: int


@dataclass(frozen=True, slots=True)
class EarlierRegime:
    """A set of rules of the past whose dates are unknown: told to readers, never computed."""

    name: str
    description: str
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Scheme:
    """A certification scheme; ``policies`` are in the order of their effective dates."""

    code: str
    name: str
    title: Text
    issuer: str
    time_zone: ZoneInfo
    number_prefix: str
    modules: tuple[Module, ...]
    editions: tuple[Edition, ...]
    award: AwardRule
    retake: RetakeRule
    appeals: AppealRule | None
    fees: Fees | None
    policies: tuple[Policy, ...]
    reminders: ReminderPolicy | None
    earlier_regimes: tuple[EarlierRegime, ...] = ()

    def __hash__(self) -> int:
        return hash(self.code)

    @property
    def required(self) -> tuple[str, ...]:
        """The codes of the modules that make up the award, in the scheme's order."""
        return tuple(m.code for m in self.modules if m.required)

    def module(self, code: str) -> Module:
        """The module of that code, or UnknownModule naming those there are."""
        for module in self.modules:
            if module.code == code:
                return module
        choices = ", ".join(m.code for m in self.modules)
        raise UnknownModule(
            f"Scheme {self.code} has no module {code!r}; it has: {choices}.",
            fields={"module": f"must be one of: {choices}"},
        )

    def policy_for(self, cycle_starts_on: date) -> Policy | None:
        """The version in force on the day the cycle started; None where there are no versions.

        The first version also governs the cycles that started before it.
        """
        chosen = next(iter(self.policies), None)
        for policy in self.policies:
            if policy.effective_from is None or policy.effective_from <= cycle_starts_on:
                chosen = policy
        return chosen

    def policy(self, version: str) -> Policy:
        """The policy of that version; KeyError if a table names one that no file holds."""
        for policy in self.policies:
            if policy.version == version:
                return policy
        raise KeyError(f"{self.code}: no policy version {version!r}")


@dataclass(frozen=True, slots=True)
class Schemes:
    """All configured schemes by code."""

    by_code: Mapping[str, Scheme]

    def __getitem__(self, code: str) -> Scheme:
        try:
            return self.by_code[code]
        except KeyError:
            choices = ", ".join(self.by_code)
            raise UnknownScheme(
                f"There is no scheme {code!r}; there are: {choices}.",
                fields={"scheme": f"must be one of: {choices}"},
            ) from None

    def __iter__(self) -> Iterator[Scheme]:
        return iter(self.by_code.values())

    def dependents(self, code: str) -> tuple[Scheme, ...]:
        """The schemes that have this one as a prerequisite."""
        return tuple(s for s in self if code in s.award.prerequisites)
