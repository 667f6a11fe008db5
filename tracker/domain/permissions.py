"""Who may do what: the actor, the four roles, and what each may do. Denied by default."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from tracker.domain.errors import NotAllowed, NotFound, SelfReview

Role = Literal["holder", "employer", "staff", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
Scope = Literal["read", "write"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a role, a name for the history, and the actor's own record or employer.

    ``person_id`` identifies the person, whatever the name; it is the same for every token that a
    person makes for themselves. ``makers`` are the holders whose tokens created this one: it may
    decide on their records no more than they may. An actor came in by a token (``token_id``) or by
    signing in (``session_id``).
    """

    role: Role
    name: str
    token_id: str | None = None
    holder_id: str | None = None
    employer_id: str | None = None
    scopes: frozenset[Scope] = frozenset(SCOPES)
    person_id: str | None = None
    makers: frozenset[str] = frozenset()
    session_id: str | None = None

    @property
    def credential_id(self) -> str | None:
        """The id of the token or the session with which the actor came in."""
        return self.token_id or self.session_id

    @property
    def who(self) -> str | None:
        """An id of the actor that no other person has: the holder record's, or the person's."""
        return self.holder_id or self.person_id

    @property
    def is_staff(self) -> bool:
        """Whether the actor works for the certification body."""
        return self.role in {"staff", "admin"}


SYSTEM = Actor(role="admin", name="system")


def check_role(actor: Actor, allowed: frozenset[Role]) -> None:
    """Refuse an actor whose role may not do this; an admin may do everything."""
    if actor.role != "admin" and actor.role not in allowed:
        raise NotAllowed(f"The role {actor.role} may not do this.", role=actor.role)


def check_scope(actor: Actor, scope: Scope) -> None:
    """Refuse a token that was not given this scope."""
    if scope not in actor.scopes:
        raise NotAllowed(f"This token lacks the scope {scope!r}.", scope=scope)


def check_own_holder(actor: Actor, holder_id: str) -> None:
    """Answer "no such record" to a holder or employer who requests somebody else's record."""
    if not actor.is_staff and actor.holder_id != holder_id:
        raise NotFound


def check_own_employer(actor: Actor, employer_id: str) -> None:
    """Answer "no such record" to an actor who is neither staff nor of this employer."""
    if not actor.is_staff and actor.employer_id != employer_id:
        raise NotFound


def check_not_own(actor: Actor, holder_id: str) -> None:
    """Refuse a decision on the actor's own record."""
    if own_records(actor, [holder_id]):
        raise SelfReview("You cannot decide on your own record.")


def own_records(actor: Actor, holder_ids: Collection[str]) -> set[str]:
    """The records on which the actor may not decide: their own, and those of the makers."""
    return {id_ for id_ in holder_ids if id_ == actor.holder_id or id_ in actor.makers}
