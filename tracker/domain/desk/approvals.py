"""Acts that need two people of the certification body: one proposes, another one approves.

They hurt, and are hard to undo: a certification is revoked. To erase a person takes two as well,
of whom the first may be the person (``domain.people.erasures``).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from tracker.domain.errors import IllegalTransition, NotAllowed, SelfReview
from tracker.domain.permissions import Actor, check_another, check_not_own, check_somebody

LASTS = timedelta(days=14)
"""How long a proposal can be approved."""


class TwoPersonAct(StrEnum):
    """What needs two people."""

    REVOKE = "revoke"
    MERGE = "merge"


class ApprovalState(StrEnum):
    """A proposal is open until it is answered, taken back, or has expired."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


def state_on(state: ApprovalState, expires_at: datetime, now: datetime) -> ApprovalState:
    """The state at an instant: a proposal that nobody answered in time has expired."""
    is_over = state == ApprovalState.OPEN and now >= expires_at
    return ApprovalState.EXPIRED if is_over else state


def check_may_propose(actor: Actor, *, holder_id: str, ids: Collection[str]) -> None:
    """Refuse somebody who is nobody in particular, or whose own record it is.

    ``ids`` are all ids of the actor. Raises NotAllowed, SelfReview.
    """
    check_somebody(actor)
    check_not_own(actor, holder_id)
    if holder_id in ids:
        raise SelfReview("You cannot decide on your own record.")


def check_may_approve(
    actor: Actor, *, holder_id: str, ids: Collection[str], proposer_ids: Collection[str]
) -> None:
    """Refuse anybody but a second person, who is not the holder either.

    Raises SamePerson, NotAllowed, SelfReview.
    """
    check_may_propose(actor, holder_id=holder_id, ids=ids)
    check_another(proposer_ids, ids)


def check_answer(
    answer: ApprovalState, *, ids: Collection[str], proposer_ids: Collection[str]
) -> None:
    """Refuse that somebody withdraws what another one proposed: that is to decline it.

    Raises NotAllowed.
    """
    if answer == ApprovalState.WITHDRAWN and set(ids).isdisjoint(proposer_ids):
        raise NotAllowed("Only who proposed this withdraws it; decline it instead.")


def answers(
    *, ids: Collection[str], holder_id: str, proposer_ids: Collection[str]
) -> Collection[ApprovalState]:
    """How somebody may answer an open proposal: who made it withdraws it, another one decides.

    Whose record it is declines it at most. ``ids`` are all ids of that person.
    """
    if not set(ids).isdisjoint(proposer_ids):
        return {ApprovalState.WITHDRAWN}
    if holder_id in ids:
        return {ApprovalState.DECLINED}
    return {ApprovalState.APPROVED, ApprovalState.DECLINED}


def check_open(state: ApprovalState) -> None:
    """Refuse an answer to a proposal that is not open any more. Raises IllegalTransition."""
    if state != ApprovalState.OPEN:
        raise IllegalTransition(f"The proposal is already {state}; propose it again.", state=state)
