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
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from tracker.domain.errors import UnknownModule, UnknownScheme
from tracker.domain.periods import DAY, Duration, nth_expiry
from tracker.domain.schemes.activity_types import ENGLISH, Provenance, Translated, translated
from tracker.domain.schemes.keys import (
    INLINE,
    AtLeast,
    Between,
    Code,
    Longest,
    Pattern,
    PositiveAmount,
    PositiveDuration,
    SchemeCode,
)
from tracker.domain.schemes.policies import Policy

DaysEnd = Literal["holder", "scheme"]
ValidThrough = Literal["anniversary", "day_before", "end_of_month", "end_of_year", "fixed_day"]
FirstCycle = Literal["longer", "shorter"]
Offset = Annotated[int, "Days before expiration (negative: after it).", Between(-3650, 3650)]


@dataclass(frozen=True, slots=True)
class Module:
    """A unit of a scheme with its own assessment; the required ones make up the award."""

    code: Annotated[Code, "Its code."]
    name: Annotated[Translated, "Its name."]
    required: Annotated[bool, "Whether the award needs it."]


@dataclass(frozen=True, slots=True)
class Edition:
    """A numbered edition of the scheme's standards, such as CPT 4.0."""

    code: Annotated[str, "Its number.", Longest(32)]
    name: Annotated[str, "Its name."]
    note: Annotated[str, "What readers should know about it."]


@dataclass(frozen=True, slots=True)
class RetakeRule:
    """Full days to wait between attempts at a module: after a failure, and after several."""

    wait_days: Annotated[int, "The wait after a failure.", Between(0, 3650)]
    failures_before_long_wait: Annotated[
        int, "After how many failures the longer wait applies.", Between(1, 100)
    ]
    long_wait_days: Annotated[int, "The wait after that many failures.", Between(0, 3650)]
    provenance: Annotated[Provenance, INLINE]


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """The scores that an assessment can have, both ends included, and the lowest passing score."""

    minimum: Annotated[Decimal, "The lowest possible score."]
    maximum: Annotated[PositiveAmount, "The highest possible score."]
    passing: Annotated[Decimal | None, "The lowest score that passes; absent: not published."] = (
        None
    )

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

    score: Annotated[ScoreRule, "The possible scores."]
    provenance: Annotated[Provenance, INLINE]
    fewest_questions: Annotated[
        int | None, "The fewest questions of a module.", Between(1, 1000)
    ] = None
    most_questions: Annotated[int | None, "The most questions of a module.", Between(1, 1000)] = (
        None
    )
    minutes: Annotated[int | None, "The minutes for a module.", Between(1, 1440)] = None


@dataclass(frozen=True, slots=True)
class RevocationRule:
    """The effect of a revocation, unless the person who decides sets another one."""

    bar: Annotated[
        PositiveDuration,
        "How long the person cannot earn it again, from the day of the revocation.",
    ]
    provenance: Annotated[Provenance, INLINE]


@dataclass(frozen=True, slots=True)
class DayOfYear:
    """A day that every year has, such as June 30."""

    month: Annotated[int, "Its month.", Between(1, 12)]
    day: Annotated[int, "Its day.", Between(1, 31)]

    def near(self, day: date, *, before: bool) -> date:
        """The last such day up to a day, or the first from it on; the day itself counts as both."""
        found = date(day.year, self.month, self.day)
        if before and found > day:
            return date(day.year - 1, self.month, self.day)
        return found if before or found >= day else date(day.year + 1, self.month, self.day)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardRule:
    """When a certification is awarded, and for how long it is valid.

    A ``fixed_day`` makes only the first cycle longer or shorter, by less than a year.
    """

    provenance: Annotated[Provenance, INLINE]
    date_basis: Annotated[Literal["last_required_pass"], "Which day counts as the day of award."]
    validity: Annotated[PositiveDuration | None, "How long it is valid; absent: forever."] = None
    valid_through: Annotated[
        ValidThrough,
        "The last valid day: the anniversary, the day before it, the end of its month or year, or"
        " a fixed_day near it.",
    ]
    fixed_day: Annotated[DayOfYear | None, "With valid_through fixed_day: which day."] = None
    first_cycle: Annotated[
        FirstCycle,
        "With a fixed_day: whether the first cycle is longer or shorter than the validity.",
    ] = "longer"
    prerequisites: Annotated[
        tuple[SchemeCode, ...], "The schemes that the holder must already have."
    ]
    lifetime_if_awarded_before: Annotated[
        date | None, "Certifications awarded before this day never expire."
    ] = None

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

    schemes: Annotated[
        frozenset[SchemeCode], "The schemes in the bundle: this one and others.", AtLeast(2)
    ]
    amount: Annotated[Decimal, "The price for all of them."]
    within_days: Annotated[int, "How far apart their expiration dates may be.", Between(0, 3650)]
    requires: Annotated[Translated, "What else is required, as a sentence."]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """What renewals cost."""

    provenance: Annotated[Provenance, INLINE]
    currency: Annotated[
        str,
        "The currency, by its ISO 4217 code.",
        Pattern("[A-Z]{3}", "must be three capital letters, such as USD"),
    ]
    renewal: Annotated[Decimal | None, "What a renewal costs."] = None
    member_renewal: Annotated[Decimal | None, "What a renewal costs a member."] = None
    refundable: Annotated[bool, "Whether fees are refundable."]
    paid_before_approval: Annotated[
        bool, "Whether a renewal is approved only once its fee is paid or waived."
    ] = False
    refund_on_denial: Annotated[
        bool, "Whether the fee of an application that is denied is given back, or not owed."
    ] = False
    bundles: Annotated[tuple[BundleFee, ...], "Prices for renewing several schemes together."] = ()


@dataclass(frozen=True, slots=True)
class AppealRule:
    """Appeals against decisions."""

    due_days: Annotated[int, "The days to appeal, counted from the notice.", Between(1, 3650)]
    decided_within_days: Annotated[int, "The days to decide on an appeal.", Between(1, 3650)]
    fee: Annotated[Decimal, "What an appeal costs."]
    refunded_on_success: Annotated[bool, "Whether a successful appeal refunds the cost."]
    restores_gap: Annotated[bool, "Whether a successful appeal restores the days lost."]
    provenance: Annotated[Provenance, INLINE]


@dataclass(frozen=True, slots=True)
class ReminderPolicy:
    """When a holder is reminded.

    ``offsets`` are in the order in which the reminders are due.
    """

    offsets: Annotated[tuple[Offset, ...], "Days before expiration (negative: after it)."]
    offsets_when_complete: Annotated[
        frozenset[Offset], "The offsets at which a reminder is sent even if the requirement is met."
    ]
    send_at: Annotated[time, "The time of day to send, in the holder's time zone."]
    resend_ambiguous_at_or_below: Annotated[
        Offset, "From this offset on, a message that may or may not have left is sent again."
    ]


@dataclass(frozen=True, slots=True)
class EarlierRegime:
    """A set of past rules whose dates are unknown: shown to readers, never computed."""

    name: Annotated[str, "The name of the earlier rules."]
    description: Annotated[str, "The text of the earlier rules."]
    provenance: Annotated[Provenance, INLINE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One certification scheme: modules, award, retakes, fees, recertification policies."""

    code: Annotated[Code, "Its code, in lower case."]
    name: Annotated[str, "Its full name."]
    title: Annotated[Translated, "The title that its holders may use."]
    issuer: Annotated[str, "The certification body."]
    time_zone: Annotated[ZoneInfo, "The IANA time zone of its dates, such as America/New_York."]
    days_end: Annotated[
        DaysEnd,
        "Whose midnight ends a holder's last day: that of the holder's own time zone, or of the"
        " scheme's, which every text then names. Absent: the holder's.",
    ] = "holder"
    number_prefix: Annotated[
        str,
        "The prefix of certificate numbers; unique to this scheme.",
        Pattern("[A-Z]{2,8}", "must be 2 to 8 capital letters"),
    ]
    abbreviation: Annotated[
        str, "What people call it for short, such as SHRM-CP; absent: the number prefix."
    ] = ""
    editions: Annotated[tuple[Edition, ...], "Editions of its standards."] = ()
    modules: Annotated[tuple[Module, ...], "The modules to pass.", AtLeast(1)]
    award: Annotated[AwardRule, "Award and validity."]
    retake: Annotated[RetakeRule, "Waits between attempts."]
    assessment: Annotated[AssessmentRule | None, "The range of scores; absent: any."] = None
    revocation: Annotated[
        RevocationRule | None, "How long a revocation bars the holder; absent: forever."
    ] = None
    appeals: Annotated[AppealRule | None, "Appeals; absent: none."] = None
    fees: Annotated[Fees | None, "Fees; absent: none."] = None
    policies: Annotated[
        tuple[Policy, ...], "Versions of the recertification rules, oldest first."
    ] = ()
    reminders: Annotated[ReminderPolicy | None, "Reminders; absent: none."] = None
    earlier_regimes: Annotated[tuple[EarlierRegime, ...], "Rules that no longer apply."] = ()

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
