"""Audits of claims: which of the approved activities are drawn, and how each is settled.

A draw depends on the seed and on what could be drawn, on nothing else: not on the order in which it
is read, nor on chance. So it can be repeated and compared by anybody who knows both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

from tracker.domain.errors import IllegalTransition, Invalid, NotAllowed

LARGEST = 1000
"""How many activities one audit asks about at most: somebody reads every answer."""
REMINDERS = 2
"""How often a holder who does not answer is reminded, with the deadline moved each time."""


class AuditBasis(StrEnum):
    """How an audit chooses: by share of all, by share of those with a flag, or by hand."""

    SHARE = "share"
    FLAG = "flag"
    HAND = "hand"


class AuditUnit(StrEnum):
    """What is drawn: single activities, or holders with all of theirs."""

    ACTIVITY = "activity"
    HOLDER = "holder"


class AuditState(StrEnum):
    """Where one audited activity stands."""

    ASKED = "asked"
    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    REDUCED = "reduced"
    REJECTED = "rejected"
    CALLED_OFF = "called_off"


class AuditOutcome(StrEnum):
    """How an audited activity is settled."""

    CONFIRMED = "confirmed"
    REDUCED = "reduced"
    REJECTED = "rejected"
    CALLED_OFF = "called_off"


class NoAnswer(StrEnum):
    """What happens when a holder has not answered by the deadline."""

    REMIND = "remind"
    REJECT = "reject"


OPEN = frozenset({AuditState.ASKED, AuditState.ANSWERED})
"""The states before an outcome."""
APPEALABLE = frozenset({AuditState.REDUCED, AuditState.REJECTED})
"""The outcomes that a holder can appeal against."""


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """An outcome with what it needs; ``points`` is the most that the activity may bring now."""

    outcome: AuditOutcome
    points: Decimal | None = None
    reason_code: str | None = None
    reason: str | None = None


def size(population: int, percent: Decimal) -> int:
    """How many of a population are drawn: the share of it, rounded up."""
    exact = percent * population / 100
    return min(population, int(exact.to_integral_value(rounding=ROUND_CEILING)))


def draw(seed: str, ids: Collection[str], count: int) -> list[str]:
    """The ids that a seed draws, in the order in which it draws them.

    A larger count draws the same ones and more. The order is that of digests of the seed with each
    id, so nobody can choose a seed for one id without trying.
    """
    return sorted(ids, key=lambda id_: (_digest(f"{seed}\n{id_}"), id_))[:count]


def population_digest(ids: Collection[str]) -> str:
    """A digest of what could be drawn, by which a repeated draw is compared."""
    return _digest("\n".join(sorted(ids)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def check_size(count: int) -> None:
    """Refuse an audit of nothing, or of more than somebody can read. Raises Invalid."""
    if not count:
        raise Invalid(
            "There is nothing to audit: no approved activity fits, or all are being audited.",
            fields={"from_on": "no approved activity of these days can be drawn"},
        )
    if count > LARGEST:
        rule = f"draws {count} activities; one audit has at most {LARGEST}: give a smaller share"
        raise Invalid(f"The audit {rule}.", fields={"percent": rule})


def answer_due_on(asked_on: date, reply_days: int) -> date:
    """The last day to answer."""
    return asked_on + timedelta(days=reply_days)


def check_answerable(state: AuditState) -> None:
    """Refuse an answer to what is settled. Raises IllegalTransition."""
    if state not in OPEN:
        raise IllegalTransition(
            f"The audit of this activity is already {state}; appeal against the outcome instead.",
            state=state,
        )


def check_verdict(
    before: AuditState,
    verdict: AuditVerdict,
    *,
    limit: Decimal | None = None,
    is_moot: bool = False,
) -> None:
    """Refuse an outcome without what it needs, or one that the state does not allow.

    A later outcome replaces an earlier one and needs a reason. ``limit``: the most that the
    activity may bring by the approval that is looked at. ``is_moot``: the activity has been decided
    otherwise, changed or submitted again since; then nothing is left but to call the audit off.
    Raises IllegalTransition, Invalid.
    """
    if is_moot and verdict.outcome != AuditOutcome.CALLED_OFF:
        raise IllegalTransition(
            "The activity was decided again, changed or resubmitted since; call the audit off.",
            state=before,
        )
    if verdict.outcome == AuditOutcome.CALLED_OFF and before not in OPEN and not is_moot:
        raise IllegalTransition(
            f"The audit is already {before}; give another outcome instead.", state=before
        )
    takes = verdict.outcome in {AuditOutcome.REDUCED, AuditOutcome.REJECTED}
    fields: dict[str, str] = {}
    if (verdict.outcome == AuditOutcome.REDUCED) is (verdict.points is None):
        fields["points"] = "is required to reduce the points, and not allowed otherwise"
    elif verdict.points is not None and limit is not None and verdict.points >= limit:
        fields["points"] = f"must be less than {limit}, which the activity may bring now"
    if takes and verdict.reason_code is None:
        fields["reason_code"] = f"is required for an activity that is {verdict.outcome}"
    if not takes and verdict.reason_code is not None:
        fields["reason_code"] = "is only for an activity that is reduced or rejected"
    if verdict.reason is None and (verdict.outcome != AuditOutcome.CONFIRMED or before not in OPEN):
        fields["reason"] = "is required unless an activity is confirmed at once"
    if fields:
        raise Invalid("The outcome lacks a field, or has one too many.", fields=fields)


def check_another(decided_by: Collection[str | None], own: Collection[str]) -> None:
    """Refuse somebody who made a decision that is looked at here. Raises NotAllowed."""
    if set(own).intersection(filter(None, decided_by)):
        raise NotAllowed(
            "Somebody else must audit this activity: you made the decision that is looked at."
        )


def is_appealed(
    *,
    appealed_on: date | None,
    appeal_decided_at: datetime | None,
    decided_at: datetime | None,
) -> bool:
    """Whether an appeal is on record against the outcome in force, or it is that of an appeal.

    What is decided anew after an appeal was settled is another outcome, with an appeal of its own.
    """
    if appealed_on is None or appeal_decided_at is None or decided_at is None:
        return appealed_on is not None
    return decided_at <= appeal_decided_at


def check_appealable(state: AuditState, *, appealed: bool) -> None:
    """Refuse an appeal against what took nothing, or a second one. Raises IllegalTransition."""
    if appealed:
        raise IllegalTransition("An appeal against this outcome is on record.", state="appealed")
    if state not in APPEALABLE:
        raise IllegalTransition(
            f"The audit is {state}; an appeal is against an outcome that took points.", state=state
        )


def is_reminded(no_answer: NoAnswer, reminders: int) -> bool:
    """Whether a deadline that passed without an answer is moved, and the holder reminded.

    Where the policy rejects, nothing is moved. After the last reminder staff decide.
    """
    return no_answer == NoAnswer.REMIND and reminders < REMINDERS
