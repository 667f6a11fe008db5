"""Who may do what: the actor, the eight roles, and what each may do. Denied by default."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from tracker.domain.errors import Invalid, NotAllowed, NotFound, SamePerson, SelfReview

OrganizationRole = Literal["employer", "center", "provider", "sponsor"]
ORGANIZATIONS: tuple[OrganizationRole, ...] = get_args(OrganizationRole)
"""The roles of those who act for an organization: each for one of the directory of that name."""
Role = Literal["holder", OrganizationRole, "reviewer", "staff", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
OF_THE_BODY: frozenset[Role] = frozenset({"reviewer", "staff", "admin"})
"""The roles of those who work for the certification body, who see the records of all holders."""
Scope = Literal["read", "write"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a role, a name for the history, and the actor's own record or organization.

    ``person_id`` identifies the person, whatever the name; it is the same for every token that a
    person makes for themselves. ``holder_id`` of somebody who works for the certification body is
    their own record as a holder, if they have one. ``organization_id`` is the employer, center,
    provider or sponsor, as the role says, for whom the actor acts. ``makers`` are the holders whose
    tokens created this one: it may decide on their records no more than they may. An actor came in
    by a token (``token_id``) or by signing in (``session_id``); ``proved_at`` is when the latter
    last proved who they are. ``language`` is that of the holder's own record, if they signed in.
    ``sees_all``: whom the program still has to find on record, such as somebody who signs in, so
    that no row may be hidden from it.
    """

    role: Role
    name: str
    token_id: str | None = None
    holder_id: str | None = None
    organization_id: str | None = None
    scopes: frozenset[Scope] = frozenset(SCOPES)
    person_id: str | None = None
    makers: frozenset[str] = frozenset()
    session_id: str | None = None
    proved_at: datetime | None = None
    language: str | None = None
    sees_all: bool = False

    @property
    def employer_id(self) -> str | None:
        """The employer for whom the actor acts; None if it is no employer."""
        return self.organization_id if self.role == "employer" else None

    @property
    def is_of_organization(self) -> bool:
        """Whether the actor acts for an organization: an employer, or one of the other three."""
        return self.role in ORGANIZATIONS

    @property
    def credential_id(self) -> str | None:
        """The id of the token or the session with which the actor came in."""
        return self.token_id or self.session_id

    @property
    def account_id(self) -> str | None:
        """The account with which the actor has signed in, or is about to; None for a token."""
        return None if self.token_id else self.person_id

    @property
    def has_personal_name(self) -> bool:
        """Whether the name is a person's own, and not that of a token or a part of the program."""
        is_of_account = self.session_id is not None or self.account_id is not None
        return is_of_account or (self.role == "holder" and self.token_id is not None)

    @property
    def who(self) -> str | None:
        """An id of the actor that no other person has, to be written down beside what they did.

        A holder's is that of the record. Others keep theirs, whichever record is named as their own
        later (``services.core.identities`` knows all ids of a person).
        """
        if self.role == "holder":
            return self.holder_id or self.person_id
        return self.person_id or self.holder_id

    @property
    def ids(self) -> frozenset[str]:
        """The ids of the actor: of the person, of their record, of the makers' records."""
        return frozenset(filter(None, (self.person_id, self.holder_id))) | self.makers

    @property
    def is_staff(self) -> bool:
        """Whether the actor does what the staff do; a reviewer decides activities alone."""
        return self.role in {"staff", "admin"}

    @property
    def is_of_the_body(self) -> bool:
        """Whether the actor works for the certification body, and sees the records of holders."""
        return self.role in OF_THE_BODY


SYSTEM = Actor(role="admin", name="system")


def check_role(actor: Actor, allowed: frozenset[Role]) -> None:
    """Refuse an actor whose role may not do this; an admin may do everything."""
    if actor.role != "admin" and actor.role not in allowed:
        raise NotAllowed(f"The role {actor.role} may not do this.", role=actor.role)


def check_scope(actor: Actor, scope: Scope) -> None:
    """Refuse a token that was not given this scope."""
    if scope not in actor.scopes:
        raise NotAllowed(f"This token lacks the scope {scope!r}.", scope=scope)


def check_somebody(actor: Actor) -> None:
    """Refuse an actor who is nobody in particular. Raises NotAllowed."""
    if actor.who is None:
        raise NotAllowed("Somebody must be answerable for this: sign in, or use your own token.")


def check_another(first: Collection[str], second: Collection[str]) -> None:
    """Refuse a second person who is the first one, by all ids of both. Raises SamePerson."""
    if not set(first).isdisjoint(second):
        raise SamePerson("Somebody else must approve what you proposed.")


def check_own_holder(actor: Actor, holder_id: str) -> None:
    """Answer "no such record" to a holder or employer who requests somebody else's record."""
    if not actor.is_of_the_body and actor.holder_id != holder_id:
        raise NotFound


def check_own_organization(actor: Actor, role: Role, organization_id: str) -> None:
    """Answer "no such record" to an actor who is neither staff nor of this organization.

    ``role`` says which directory the id is of. Raises NotFound.
    """
    is_own = actor.role == role and actor.organization_id == organization_id
    if not actor.is_staff and not is_own:
        raise NotFound


def check_own_employer(actor: Actor, employer_id: str) -> None:
    """Answer "no such record" to an actor who is neither staff nor of this employer."""
    check_own_organization(actor, "employer", employer_id)


def organization_of(role: Role, given: Mapping[str, str | None]) -> str | None:
    """The organization of somebody with that role, from ids by the names of their columns.

    Raises Invalid for an id of another kind: nobody acts for two organizations.

    >>> organization_of("center", {"center_id": "c1"})
    'c1'
    """
    own = f"{role}_id"
    others = organization_ids(role, None).keys() - {own}
    if wrong := {name for name in others if given.get(name) is not None}:
        rule = f"must be empty for the role {role}"
        raise Invalid("Nobody acts for two organizations.", fields=dict.fromkeys(wrong, rule))
    return given.get(own) if role in ORGANIZATIONS else None


def organization_ids(role: str, organization_id: str | None) -> dict[str, str | None]:
    """The ids of all kinds of organization by the names of their columns: one, or none, is set.

    >>> organization_ids("center", "c1")
    {'employer_id': None, 'center_id': 'c1', 'provider_id': None, 'sponsor_id': None}
    """
    return {f"{one}_id": organization_id if one == role else None for one in ORGANIZATIONS}


def check_not_own(actor: Actor, holder_id: str) -> None:
    """Refuse a decision on the actor's own record. Raises SelfReview."""
    if is_own(actor, holder_id):
        raise SelfReview("You cannot decide on your own record.")


def is_own(actor: Actor, holder_id: str) -> bool:
    """Whether a record is the actor's own, or that of a maker of the actor's token."""
    return bool(own_records(actor, [holder_id]))


def own_records(actor: Actor, holder_ids: Collection[str]) -> set[str]:
    """The records on which the actor may not decide: their own, and those of the makers."""
    return {id_ for id_ in holder_ids if id_ == actor.holder_id or id_ in actor.makers}
