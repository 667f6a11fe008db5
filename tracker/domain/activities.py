"""Activities claimed for points: their lifecycle, and what a claim must say to be recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from tracker.domain.certifications import Cycle, days_of
from tracker.domain.errors import IllegalTransition, Invalid, OutsideCycle
from tracker.domain.periods import Period
from tracker.domain.points import Claim
from tracker.domain.schemes import ActivityType

State = Literal["draft", "submitted", "approved", "rejected", "more_information", "withdrawn"]
STATES: tuple[State, ...] = (
    "draft", "submitted", "approved", "rejected", "more_information", "withdrawn",
)  # fmt: skip
Step = Literal["edit", "delete", "submit", "withdraw", "decide"]
Verdict = Literal["approved", "rejected", "more_information"]
VERDICTS: tuple[Verdict, ...] = ("approved", "rejected", "more_information")
REASON_CODES = (
    "unrelated_field", "insufficient_evidence", "illegible_evidence", "outside_cycle",
    "duplicate", "fewer_hours_shown", "not_accepted_type", "other",
)  # fmt: skip
MAXIMUM_QUANTITY = Decimal(10_000)

_LAWFUL: dict[Step, frozenset[State]] = {
    "edit": frozenset({"draft", "more_information", "rejected"}),
    "delete": frozenset({"draft"}),
    "submit": frozenset({"draft", "more_information", "rejected"}),
    "withdraw": frozenset({"submitted", "more_information"}),
    "decide": frozenset({"submitted"}),
}


def check_step(step: Step, state: State) -> None:
    """Refuse a step that is not lawful from that state; an activity is decided once."""
    if state not in _LAWFUL[step]:
        allowed = ", ".join(sorted(_LAWFUL[step]))
        raise IllegalTransition(
            f"Cannot {step} an activity that is {state}; only one that is {allowed}.", state=state
        )


def check_claim(kind: ActivityType, claim: Claim) -> None:
    """Refuse a claim that lacks what its type is counted by, or says what it is not.

    A type counted by quantity needs a quantity and a completion date; one counted by months
    needs a start, may be open-ended, and has no quantity.
    """
    fields: dict[str, str] = {}
    if kind.basis == "quantity":
        if claim.quantity is None or not 0 < claim.quantity <= MAXIMUM_QUANTITY:
            fields["quantity"] = (
                f"must be more than 0 and at most {MAXIMUM_QUANTITY} ({kind.unit['en']})"
            )
        if claim.completed_on is None:
            fields["completed_on"] = "is required for this type of activity"
    else:
        if claim.quantity is not None:
            fields["quantity"] = "must be empty: this type is counted from its dates"
        if claim.starts_on is None:
            fields["starts_on"] = "is required for this type of activity"
    if claim.starts_on and claim.completed_on and claim.completed_on < claim.starts_on:
        fields["completed_on"] = f"must not be before starts_on ({claim.starts_on})"
    if fields:
        raise Invalid("The activity does not fit its type.", fields=fields)


def check_dates(claim: Claim, cycles: Sequence[Cycle], *, on: date) -> None:
    """Refuse an activity outside every cycle: before certification, or not yet completed.

    A course belongs to the cycle of its completion, wherever it started; a job to every cycle
    that it overlaps. The day of certification and the day of expiry are both inside.
    """
    begin = cycles[0].starts_on
    done = claim.completed_on
    if done is not None and done > on:
        raise _outside("completed_on", f"{done} is in the future", begin, on)
    if done is None and claim.starts_on is not None and claim.starts_on > on:
        raise _outside("starts_on", f"{claim.starts_on} is in the future", begin, on)
    last = done or on
    first = last if claim.quantity is not None else (claim.starts_on or last)
    run = Period(min(first, last), last)
    if not any(days_of(cycles, cycle).clip(run) for cycle in cycles):
        raise _outside("completed_on", f"{last} lies in no validity cycle", begin, on)


def _outside(field: str, why: str, begin: date, on: date) -> OutsideCycle:
    rule = f"{why}; it must lie in a cycle, from {begin} up to today ({on})"
    return OutsideCycle(f"The activity's date {rule}.", fields={field: rule})
