"""Activities claimed for points: their lifecycle, and what a claim must say to be recorded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from tracker.domain.clocks import clock_name
from tracker.domain.credentials.certifications import CycleTerm, days_of
from tracker.domain.errors import EvidenceMissing, IllegalTransition, Invalid, OutsideCycle
from tracker.domain.periods import Period
from tracker.domain.points.claims import Claim
from tracker.domain.schemes.activity_types import ENGLISH, ActivityType

ActivityStep = Literal["edit", "delete", "submit", "withdraw", "decide", "undo", "add_evidence"]
MAXIMUM_QUANTITY = Decimal(10_000)


class ActivityState(StrEnum):
    """Where an activity stands, from the holder's draft to the reviewer's answer."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    MORE_INFORMATION = "more_information"
    WITHDRAWN = "withdrawn"


class ActivityVerdict(StrEnum):
    """A reviewer's answer, which the state repeats while it rules."""

    APPROVED = "approved"
    REJECTED = "rejected"
    MORE_INFORMATION = "more_information"


DECIDED = frozenset(map(ActivityState, ActivityVerdict))
"""States with an answer; a later decision supersedes it, with a reason."""
RULED = DECIDED - {ActivityState.MORE_INFORMATION}
"""States with an answer that settles what the activity counts."""
OPEN = frozenset({ActivityState.SUBMITTED, ActivityState.MORE_INFORMATION})
"""Submitted, but neither approved nor rejected yet."""
_WITH_HOLDER = frozenset(ActivityState) - {ActivityState.SUBMITTED, ActivityState.APPROVED}
_LAWFUL: dict[ActivityStep, frozenset[ActivityState]] = {
    "edit": _WITH_HOLDER,
    "delete": frozenset({ActivityState.DRAFT}),
    "submit": _WITH_HOLDER,
    "withdraw": frozenset({ActivityState.SUBMITTED, ActivityState.MORE_INFORMATION}),
    "decide": frozenset({ActivityState.SUBMITTED, *DECIDED}),
    "undo": DECIDED,
    "add_evidence": frozenset({ActivityState.SUBMITTED, *_WITH_HOLDER}),
}


def allows(state: ActivityState, step: ActivityStep) -> bool:
    """Whether a step is allowed in that state."""
    return state in _LAWFUL[step]


def check_step(step: ActivityStep, state: ActivityState) -> None:
    """Refuse a step that is not allowed in that state. Raises IllegalTransition."""
    if not allows(state, step):
        allowed = ", ".join(sorted(_LAWFUL[step]))
        raise IllegalTransition(
            f"Cannot {step.replace('_', ' ')} an activity that is {state}; it must be {allowed}.",
            state=state,
        )


def check_claim(kind: ActivityType, claim: Claim, *, tags: Collection[str] = ()) -> None:
    """Refuse a claim that lacks what its type needs, or states what does not belong to it.

    ``tags`` are those that the policy knows; units and roles are those of the type. Raises Invalid.

    A type counted by quantity needs a quantity and a completion date; one counted by event a
    completion date, and a quantity only if it has a threshold; one counted by months needs a start,
    may be open-ended, and has no quantity.
    """
    fields = dict(_unknown(kind, claim, tags))
    if kind.is_job:
        if claim.quantity is not None:
            fields["quantity"] = "must be empty: this type is counted by its dates"
        if claim.starts_on is None:
            fields["starts_on"] = "is required for this type of activity"
    else:
        needed = kind.basis == "quantity" or kind.threshold is not None
        given = claim.quantity is not None and 0 < claim.quantity <= MAXIMUM_QUANTITY
        if not given and (needed or claim.quantity is not None):
            unit = kind.unit[ENGLISH].many if ENGLISH in kind.unit else "units"
            fields["quantity"] = f"must be more than 0 and at most {MAXIMUM_QUANTITY} ({unit})"
        if claim.completed_on is None:
            fields["completed_on"] = "is required for this type of activity"
    if claim.starts_on and claim.completed_on and claim.completed_on < claim.starts_on:
        fields["completed_on"] = f"must not be before starts_on ({claim.starts_on})"
    if fields:
        raise Invalid("The activity does not meet the requirements of its type.", fields=fields)


def check_evidence(kind: ActivityType, *, files: int, add_at: str) -> None:
    """Refuse to submit an activity without the file that its type requires.

    ``add_at`` says where files are added. Raises EvidenceMissing with what is accepted as evidence,
    if the type says so.
    """
    if kind.evidence == "required" and not files:
        name, proof = kind.name[ENGLISH], kind.evidence_kinds.get(ENGLISH, "evidence")
        raise EvidenceMissing(
            f"{name!r} cannot be submitted without {proof}. Add a file (PDF, JPG or PNG) by "
            f"{add_at}, then submit again.",
            type=kind.code,
            evidence_kinds=dict(kind.evidence_kinds),
            add_at=add_at,
        )


def _unknown(kind: ActivityType, claim: Claim, tags: Collection[str]) -> Iterator[tuple[str, str]]:
    """What a claim states that its type or the policy does not know, with the choices."""
    if not (claim.unit or claim.role or claim.tags):
        return
    stated: dict[str, tuple[Collection[str], Collection[str]]] = {
        "unit": ({claim.unit} - {""}, kind.units),
        "role": ({claim.role} - {""}, kind.roles),
        "tags": (claim.tags, tags),
    }
    for field, (given, known) in stated.items():
        for value in sorted(set(given).difference(known)):
            choices = f"one of: {', '.join(sorted(known))}" if known else "empty for this type"
            yield field, f"{value!r} is not known; must be {choices}"


def check_answer(
    verdict: ActivityVerdict,
    *,
    superseding: ActivityState | None,
    points_limit: Decimal | None,
    provider_approved: bool,
    reason_code: str | None,
    reason: str | None,
) -> None:
    """Refuse an answer without its required reason, or with values only an approval may have.

    ``superseding`` is the answer that it replaces, if there is one. Raises Invalid.
    """
    fields: dict[str, str] = {}
    if verdict != ActivityVerdict.APPROVED:
        given = {"reason_code": reason_code, "reason": reason}
        fields = {
            key: "is required unless the answer is approved"
            for key, told in given.items()
            if not told
        }
        if points_limit is not None:
            fields["points_limit"] = "is allowed only when the answer is approved"
        if provider_approved:
            fields["provider_approved"] = "is allowed only when the answer is approved"
    elif superseding is not None and not reason:
        fields["reason"] = (
            f"is required, because the activity is already {superseding} and this changes the "
            "decision"
        )
    if fields:
        raise Invalid(
            "The answer lacks a field, or has one that does not belong to it.", fields=fields
        )


def check_dates(
    kind: ActivityType,
    claim: Claim,
    cycles: Sequence[CycleTerm],
    *,
    on: date,
    earning: Period | None = None,
    zone: str = "",
) -> None:
    """Refuse an activity outside every cycle: before certification, or not yet completed.

    A course belongs to the cycle of its completion, wherever it started; a job belongs to every
    cycle that it overlaps. The day of certification and the day of expiry are both inside.
    ``earning`` are the earning days of the current cycle, if they were lengthened. ``zone`` is the
    IANA zone of the day ``on``; the refusal names it. Raises OutsideCycle.
    """
    begin, today = cycles[0].starts_on, f"{on}, {clock_name(zone)}" if zone else f"{on}"
    ends = [days_of(cycles, cycle).ends_on for cycle in cycles]
    end = max([*ends, earning.ends_on] if earning else ends)
    limit = f"today ({today})" if on <= end else f"its last day ({end})"
    done = claim.completed_on
    if done is not None and done > on:
        raise _outside("completed_on", f"{done} is in the future", begin, limit)
    if done is None and claim.starts_on is not None and claim.starts_on > on:
        raise _outside("starts_on", f"{claim.starts_on} is in the future", begin, limit)
    last = done or on
    first = claim.starts_on if kind.is_job and claim.starts_on else last
    run = Period(min(first, last), last)
    inside = any(days_of(cycles, cycle).clip(run) for cycle in cycles)
    if not inside and not (earning and earning.clip(run)):
        raise _outside("completed_on", f"{last} is not in any validity cycle", begin, limit)


def _outside(field: str, why: str, begin: date, limit: str) -> OutsideCycle:
    rule = f"{why}; it must be in a cycle, from {begin} to {limit}"
    return OutsideCycle(f"The activity's date {rule}.", fields={field: rule})
