"""What another version of the rules would change for a certification: two outcomes compared.

Nothing is counted here. ``domain.points.evaluations`` evaluates under each version; this module
compares two outcomes and returns the differences, fact by fact, each with its direction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from tracker.domain.credentials.certifications import CycleTerm, cycle_on
from tracker.domain.points.claims import Evaluation
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import AwardRule, Scheme

Fact = Literal[
    "total",
    "required",
    "complete",
    "expires_on",
    "window_opens_on",
    "window_closes_on",
    "grace_ends_on",
    "title_ends_on",
]
FACTS: tuple[Fact, ...] = (
    "total",
    "required",
    "complete",
    "expires_on",
    "window_opens_on",
    "window_closes_on",
    "grace_ends_on",
    "title_ends_on",
)
ImpactValue = Decimal | date | bool | None
Direction = Literal["raised", "lowered", "gained", "lost", "later", "earlier", "added", "removed"]


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """What the rules say of a certification on a day; None where they say nothing.

    Points and verdict belong to the cycle on that day. The dates belong to the last cycle opened by
    then: its last valid day, the first and the last day of the application window, the last day on
    which a late application is accepted, and the last on which the title may still be used.
    """

    total: Decimal | None = None
    required: Decimal | None = None
    complete: bool | None = None
    expires_on: date | None = None
    window_opens_on: date | None = None
    window_closes_on: date | None = None
    grace_ends_on: date | None = None
    title_ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that the other version changes; before and after are never equal."""

    fact: Fact
    before: ImpactValue
    after: ImpactValue

    @property
    def direction(self) -> Direction:
        """The direction of the change; a date that did not exist before is added, not later."""
        before: Any = self.before
        after = self.after
        if before is None:
            return "added"
        if after is None:
            return "removed"
        rises = before < after
        if isinstance(after, bool):
            return "gained" if rises else "lost"
        if isinstance(after, date):
            return "later" if rises else "earlier"
        return "raised" if rises else "lowered"

    @property
    def kind(self) -> str:
        """The name under which it is counted, such as ``total_lowered`` or ``complete_lost``."""
        return f"{self.fact}_{self.direction}"


@dataclass(slots=True)
class ImpactTally:
    """How many certifications were looked at, how many change, and how."""

    examined: int = 0
    changed: int = 0
    _kinds: Counter[tuple[int, str]] = field(default_factory=Counter)

    def add(self, found: Iterable[Difference]) -> None:
        """Count one certification and its differences."""
        self.examined += 1
        kinds = [(FACTS.index(each.fact), each.kind) for each in found]
        self.changed += bool(kinds)
        self._kinds.update(kinds)

    @property
    def kinds(self) -> dict[str, int]:
        """The number of certifications by kind of change, in the order of the facts."""
        return {kind: self._kinds[place, kind] for place, kind in sorted(self._kinds)}


def outcome(evaluation: Evaluation | None, policy: Policy | None, last: CycleTerm) -> PolicyOutcome:
    """The outcome of an evaluation, with a version's dates for the last cycle opened."""
    found = PolicyOutcome(expires_on=last.expires_on)
    if policy is not None and last.expires_on is not None:
        expiry = last.expires_on
        found = replace(
            found,
            window_opens_on=policy.window_opens_on(starts_on=last.starts_on, expires_on=expiry),
            window_closes_on=policy.window_closes_on(expiry),
            grace_ends_on=policy.grace_ends_on(expiry),
            title_ends_on=policy.title_ends_on(expiry),
        )
    if evaluation is None:
        return found
    total, required, complete = evaluation.total, evaluation.required, evaluation.complete
    return replace(found, total=total, required=required, complete=complete)


def differences(before: PolicyOutcome, after: PolicyOutcome) -> tuple[Difference, ...]:
    """The facts that differ, always in the same order."""
    if before == after:
        return ()
    pairs = ((fact, getattr(before, fact), getattr(after, fact)) for fact in FACTS)
    return tuple(Difference(*each) for each in pairs if each[1] != each[2])


def alone(scheme: Scheme, policy: Policy, others: Iterable[Policy]) -> Scheme:
    """The scheme in which a version governs only the cycles that name it.

    ``others`` are the versions that earlier cycles may be under. None of them takes effect for
    running cycles here; otherwise two versions could not be told apart.
    """
    used = (*(other for other in others if other.version != policy.version), policy)
    return replace(
        scheme,
        policies=tuple(
            each if each.applies == "cycle_start" else replace(each, applies="cycle_start")
            for each in used
        ),
    )


def governed(
    cycles: Sequence[CycleTerm], on: date, *, by: str, instead_of: str
) -> tuple[CycleTerm, ...]:
    """The cycles as if ``by`` governed the one on a day, later ones, and ``instead_of``'s."""
    since = cycle_on(cycles, on).ordinal
    return tuple(
        _under_version(cycle, by) if cycle.ordinal >= since or cycle.policy == instead_of else cycle
        for cycle in cycles
    )


def corrected(cycles: Sequence[CycleTerm], *, old: str, new: str) -> tuple[CycleTerm, ...]:
    """The cycles after a repair: those of the old version are under the new one."""
    return tuple(_under_version(c, new) if c.policy == old else c for c in cycles)


def _under_version(cycle: CycleTerm, version: str) -> CycleTerm:
    """The cycle under a version; a cycle without end has no version."""
    named = version if cycle.expires_on is not None else ""
    return cycle if cycle.policy == named else replace(cycle, policy=named)


def under(
    cycles: Sequence[CycleTerm], before: AwardRule, after: AwardRule, *, awarded_on: date
) -> tuple[CycleTerm, ...]:
    """The cycles with the last days that another award rule would give them.

    A last day that both rules compute alike stays as it is on record: it may have been recorded
    under a rule older than both.
    """
    if before == after:
        return tuple(cycles)
    return tuple(_moved(cycle, before, after, awarded_on) for cycle in cycles)


def _moved(cycle: CycleTerm, before: AwardRule, after: AwardRule, awarded_on: date) -> CycleTerm:
    then, now = _last_day(before, cycle, awarded_on), _last_day(after, cycle, awarded_on)
    return cycle if then == now else replace(cycle, expires_on=now)


def _last_day(rule: AwardRule, cycle: CycleTerm, awarded_on: date) -> date | None:
    if rule.validity_of(awarded_on) is None:
        return None
    return rule.expiry(cycle.anchor_on, cycle.nth)
