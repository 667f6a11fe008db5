"""Courses of training providers: proposed, approved for a period, amended, withdrawn.

What the people of a provider say of a course is a claim that somebody who attended could make, so
the policy judges it, and the engine says which points it may bring.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from tracker.domain.errors import IllegalTransition, Invalid, NotAllowed
from tracker.domain.periods import Period
from tracker.domain.points import evaluations
from tracker.domain.points.claims import Claim
from tracker.domain.schemes.policies import Policy

LONGEST_CODE = timedelta(days=14)
"""The longest that a code may be used after the day of the class."""
CourseStep = Literal["amend", "approve", "refuse", "withdraw"]


class CourseState(StrEnum):
    """Where a course stands, from the provider's proposal to its withdrawal."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class CourseVerdict(StrEnum):
    """How staff answer a proposal."""

    APPROVED = "approved"
    REFUSED = "refused"


_LAWFUL: dict[CourseStep, Collection[CourseState]] = {
    "amend": (CourseState.PROPOSED, CourseState.APPROVED, CourseState.REFUSED),
    "approve": tuple(CourseState),
    "refuse": (CourseState.PROPOSED, CourseState.APPROVED),
    "withdraw": (CourseState.PROPOSED, CourseState.APPROVED, CourseState.REFUSED),
}


def check_step(step: CourseStep, state: str) -> None:
    """Refuse a step that is not allowed in that state. Raises IllegalTransition."""
    if state not in _LAWFUL[step]:
        allowed = ", ".join(sorted(_LAWFUL[step]))
        raise IllegalTransition(
            f"Cannot {step} a course that is {state}; it must be {allowed}.", state=state
        )


def check_answer(
    verdict: CourseVerdict,
    state: str,
    *,
    approved_from: date | None,
    approved_until: date | None,
    reason: str | None,
) -> None:
    """Refuse an answer that lacks its period or its reason, or has a period without approving.

    The first approval of a proposal needs no reason; a refusal and whatever changes an earlier
    answer do. Raises Invalid.
    """
    fields: dict[str, str] = {}
    days = {"approved_from": approved_from, "approved_until": approved_until}
    if verdict == CourseVerdict.APPROVED:
        fields = {name: "is required for an approval" for name, day in days.items() if day is None}
        if approved_from and approved_until and approved_until < approved_from:
            fields["approved_until"] = f"must not be before approved_from ({approved_from})"
    else:
        fields = {name: "is allowed only for an approval" for name, day in days.items() if day}
    if not reason and (verdict == CourseVerdict.REFUSED or state != CourseState.PROPOSED):
        fields["reason"] = "is required for a refusal, and to change an earlier answer"
    if fields:
        raise Invalid("The answer to a course is incomplete.", fields=fields)


def is_approved_on(
    state: str, approved_from: date | None, approved_until: date | None, day: date
) -> bool:
    """Whether a course held on a day is one that staff have approved for that day."""
    if state != CourseState.APPROVED or approved_from is None or approved_until is None:
        return False
    return approved_from <= day <= approved_until


def points(policy: Policy, claim: Claim) -> Decimal:
    """The most points that attending the course once may bring, by the engine's own pricing.

    The claim counts alone, on the day of its completion, so what a holder has already done may
    leave less of it.
    """
    assert claim.completed_on is not None  # noqa: S101 - a course is held on a day
    day = Period(claim.completed_on, claim.completed_on)
    return evaluations.evaluate(policy, [claim], cycle=day, on=claim.completed_on).total


def check_not_own_class(provider: str, *, acts_for_it: bool) -> None:
    """Refuse the code of a class to whoever acts for its provider. Raises NotAllowed."""
    if acts_for_it:
        raise NotAllowed(
            f"You act for {provider}, whose class this is. Log it as an activity of your own "
            "instead, with proof; a reviewer decides it."
        )


def code_end_rule(held_on: date, ends_at: datetime, now: datetime, zone: tzinfo) -> str | None:
    """The rule that the end of a code breaks: to come, and at most 14 days after the class.

    The day of the end is that of the scheme's time zone, ``zone``.
    """
    last = held_on + LONGEST_CODE
    if now < ends_at and held_on <= ends_at.astimezone(zone).date() <= last:
        return None
    return f"must be in the future, from the day of the class to {last}"
