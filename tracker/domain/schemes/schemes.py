"""A certification scheme as a value: modules, award rule, retakes, fees, and its policies.

Policies themselves are in ``policies``. The values come from ``config/schemes/*.toml``, which
``tracker.scheme_files`` reads. Every fact that a certification body publishes carries its source
and whether it was verified.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from tracker.domain.errors import UnknownModule, UnknownScheme
from tracker.domain.periods import DAY, Duration, nth_expiry
from tracker.domain.schemes.activity_types import ENGLISH, Provenance, Translated, translated
from tracker.domain.schemes.policies import Policy

DaysEnd = Literal["holder", "scheme"]
ValidThrough = Literal["anniversary", "day_before", "end_of_month", "end_of_year", "fixed_day"]
FirstCycle = Literal["longer", "shorter"]


@dataclass(frozen=True, slots=True)
class Module:
    """A unit of a scheme with its own assessment; ``required`` ones make up the award."""

    code: str
    name: Translated
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
class ScoreRule:
    """The scores that an assessment can have, both ends included, and the lowest passing score."""

    minimum: Decimal
    maximum: Decimal
    passing: Decimal | None = None

    def fault(self, score: Decimal | None, *, passed: bool) -> str | None:
        """The rule that a score breaks, or None."""
        if score is None:
            return None
        if not self.minimum <= score <= self.maximum:
            return f"must be from {self.minimum.normalize():f} to {self.maximum.normalize():f}"
        if passed and self.passing is not None and score < self.passing:
            return f"must be at least {self.passing.normalize():f} for a pass"
        return None


@dataclass(frozen=True, slots=True)
class AssessmentRule:
    """What can be recorded of an assessment."""

    score: ScoreRule
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class RevocationRule:
    """How long a revocation bars a person from earning the certification again by default."""

    bar: Duration
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class DayOfYear:
    """A day that every year has, such as June 30."""

    month: int
    day: int

    def near(self, day: date, *, before: bool) -> date:
        """The last such day up to a day, or the first from it on; the day itself counts as both."""
        found = date(day.year, self.month, self.day)
        if before and found > day:
            return date(day.year - 1, self.month, self.day)
        return found if before or found >= day else date(day.year + 1, self.month, self.day)


@dataclass(frozen=True, slots=True)
class AwardRule:
    """When a certification is awarded, and how long it is valid (None: without end).

    ``valid_through`` is the last valid day: the anniversary of the anchor, the day before it, or
    the end of its month or year; or a ``fixed_day``, which makes only the ``first_cycle`` longer or
    shorter, by less than a year. Certifications awarded before ``lifetime_if_awarded_before`` never
    expire.
    """

    date_basis: Literal["last_required_pass"]
    validity: Duration | None
    prerequisites: tuple[str, ...]
    provenance: Provenance
    valid_through: ValidThrough = "anniversary"
    lifetime_if_awarded_before: date | None = None
    fixed_day: DayOfYear | None = None
    first_cycle: FirstCycle = "longer"

    def validity_of(self, awarded_on: date) -> Duration | None:
        """How long a certification awarded on that day is valid; None: without end."""
        before = self.lifetime_if_awarded_before
        return None if before is not None and awarded_on < before else self.validity

    def anchor_of(self, last_day: date) -> date:
        """The anchor for the next cycle after one that was extended to ``last_day``."""
        return last_day + DAY if self.valid_through == "day_before" else last_day

    def expiry(self, anchor: date, n: int) -> date | None:
        """The last valid day of the n-th cycle counted from the original anchor; None: never."""
        if self.validity is None:
            return None
        day = nth_expiry(anchor, self.validity, n)
        if self.valid_through == "day_before":
            return day - DAY
        if self.valid_through == "fixed_day" and self.fixed_day is not None:
            return self.fixed_day.near(day, before=self.first_cycle == "shorter")
        if self.valid_through == "end_of_month":
            return day.replace(day=monthrange(day.year, day.month)[1])
        return date(day.year, 12, 31) if self.valid_through == "end_of_year" else day


@dataclass(frozen=True, slots=True)
class BundleFee:
    """One price for several schemes renewed together, if their expiries are close enough."""

    schemes: frozenset[str]
    amount: Decimal
    within_days: int
    requires: Translated


@dataclass(frozen=True, slots=True)
class Fees:
    """Recertification fees in ``currency``; amounts with two decimals."""

    currency: str
    renewal: Decimal | None
    bundles: tuple[BundleFee, ...]
    refundable: bool
    provenance: Provenance
    member_renewal: Decimal | None = None


@dataclass(frozen=True, slots=True)
class AppealRule:
    """Deadlines of an appeal in days, its fee, and what an upheld appeal restores."""

    due_days: int
    decided_within_days: int
    fee: Decimal
    refunded_on_success: bool
    restores_gap: bool
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class ReminderPolicy:
    """When a holder is reminded: days before expiry (negative: after), at a local time of day."""

    offsets: tuple[int, ...]
    offsets_when_complete: frozenset[int]
    send_at: time
    resend_ambiguous_at_or_below: int


@dataclass(frozen=True, slots=True)
class EarlierRegime:
    """A set of past rules whose dates are unknown: shown to readers, never computed."""

    name: str
    description: str
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Scheme:
    """A certification scheme; ``policies`` are in the order of their effective dates.

    ``days_end`` says whose midnight ends a holder's deadline: the holder's own, or that of the
    scheme's time zone, which every text then names. ``abbreviation`` is the short name that people
    use for the certification; empty: the same as the number prefix.
    """

    code: str
    name: str
    title: Translated
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
    days_end: DaysEnd = "holder"
    assessment: AssessmentRule | None = None
    revocation: RevocationRule | None = None
    abbreviation: str = ""

    def __hash__(self) -> int:
        return hash(self.code)

    def full_name(self, language: str) -> str:
        """The title with the names that people know it by: its English title, its abbreviation.

        In English "Certified Production Technician (CPT)", in Spanish "Técnico Certificado en
        Producción (Certified Production Technician, CPT)". A name that the title already includes
        is left out.
        """
        title = translated(self.title, language)
        short = self.abbreviation or self.number_prefix
        known = [name for name in (self.title[ENGLISH], short) if name not in title]
        return f"{title} ({', '.join(known)})" if known else title

    def zone_of(self, holders: str) -> str:
        """The IANA zone whose midnight ends a deadline of a holder in the zone ``holders``."""
        return self.time_zone.key if self.days_end == "scheme" else holders

    @property
    def required(self) -> tuple[str, ...]:
        """The codes of the modules that make up the award, in the scheme's order."""
        return tuple(m.code for m in self.modules if m.required)

    def module(self, code: str) -> Module:
        """The module of that code. Raises UnknownModule with the codes that exist."""
        for module in self.modules:
            if module.code == code:
                return module
        choices = ", ".join(m.code for m in self.modules)
        raise UnknownModule(
            f"Scheme {self.code} has no module {code!r}; its modules are: {choices}.",
            fields={"module": f"must be one of: {choices}"},
        )

    def policy_for(self, cycle_starts_on: date, *, awarded_on: date) -> Policy | None:
        """The version in force on the day the cycle started; None if there are no versions.

        The first version also governs the cycles that started before it. Versions for another
        cohort are skipped.
        """
        of_cohort = [p for p in self.policies if p.cohort.includes(awarded_on)]
        chosen = next(iter(of_cohort), None)
        for policy in of_cohort:
            if policy.effective_from is None or policy.effective_from <= cycle_starts_on:
                chosen = policy
        return chosen

    def versions_on(self, version: str, day: date, *, awarded_on: date) -> tuple[Policy, ...]:
        """The versions that may govern a cycle on a day; the best one for the holder is used.

        It is the version of the cycle's start, unless a later one applies to applications submitted
        since it is in force (``submission``); a version that applies where it is
        ``more_favourable`` is an alternative to it. ``day`` is the day of the application, or the
        day in question.
        """
        governing = [self.policy(version)]
        later = self.policies[self.policies.index(governing[0]) + 1 :]
        for policy in later:
            since = policy.effective_from
            if since is None or day < since or not policy.cohort.includes(awarded_on):
                continue
            if policy.applies == "submission":
                governing = [policy]
            elif policy.applies == "more_favourable":
                governing.append(policy)
        return tuple(governing)

    def policy(self, version: str) -> Policy:
        """The policy of that version; KeyError if a table names one that no file has."""
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
                f"There is no scheme {code!r}; the schemes are: {choices}.",
                fields={"scheme": f"must be one of: {choices}"},
            ) from None

    def __iter__(self) -> Iterator[Scheme]:
        return iter(self.by_code.values())

    def dependents(self, code: str) -> tuple[Scheme, ...]:
        """The schemes that have this one as a prerequisite."""
        return tuple(s for s in self if code in s.award.prerequisites)
