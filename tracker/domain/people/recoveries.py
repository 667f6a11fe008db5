"""Recovering an account whose owner lost the second factor or the mailbox: two people of the staff.

One proposes it with a reason, another one approves. Neither may be the owner, and for an account of
staff or administrators one of the two is an administrator.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from tracker.domain.errors import NotAllowed, SelfReview
from tracker.domain.permissions import (
    OF_THE_BODY,
    Actor,
    Role,
    check_another,
    check_not_own,
    check_somebody,
)


class RecoveryKind(StrEnum):
    """What is lost: the second factor of an account, or the mailbox of a holder."""

    SECOND_FACTOR = "second_factor"
    ADDRESS = "address"


class RecoveryState(StrEnum):
    """A proposal waits until somebody else approves it, or anybody refuses it."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who proposed to recover whose account; ``above`` are all ids of the proposer.

    Among them are those of the people who made the token that the proposer used.
    """

    proposer_id: str
    proposer_role: Role
    owner_role: Role
    account_id: str | None = None
    holder_id: str | None = None
    above: Collection[str] = ()


def check_may_propose(actor: Actor, *, account_id: str | None, holder_id: str | None) -> None:
    """Refuse somebody who is nobody in particular, or the owner. Raises NotAllowed, SelfReview."""
    check_somebody(actor)
    if holder_id is not None:
        check_not_own(actor, holder_id)
    if account_id is not None and account_id in actor.ids:
        raise SelfReview("You cannot recover your own account.")


def check_may_approve(actor: Actor, proposal: Proposal, *, above: Collection[str]) -> None:
    """Refuse anybody but a second person who may decide about the owner.

    ``above`` are all ids of the actor and of the people who made the token that the actor uses:
    somebody who makes a token for another name is still the same person, and so are two tokens that
    one person made. Raises
    SamePerson, NotAllowed, SelfReview.
    """
    check_may_propose(actor, account_id=proposal.account_id, holder_id=proposal.holder_id)
    check_another({proposal.proposer_id, *proposal.above}, {*actor.ids, *above})
    is_of_staff = proposal.owner_role in OF_THE_BODY
    if is_of_staff and "admin" not in {actor.role, proposal.proposer_role}:
        raise NotAllowed("An administrator must propose or approve this.")
