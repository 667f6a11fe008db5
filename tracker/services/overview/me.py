"""Who am I, what should I do next, and the tokens that people make for themselves.

``tokens`` makes and ends tokens; this module decides who may make which, and whose one may see or
end.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import select

from tracker.domain.credentials.next_steps import NextStep
from tracker.domain.errors import Invalid, NotAllowed, NotFound
from tracker.domain.permissions import Actor, Role, Scope
from tracker.models import Employer, Token
from tracker.services.core import tokens
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.delivery import bounces
from tracker.services.delivery.bounces import Deliverability
from tracker.services.people import holders
from tracker.services.standings import standings
from tracker.services.standings.standings import HeldCertification

LONGEST = timedelta(days=365)
_COLUMNS = (
    Token.id,
    Token.name,
    Token.role,
    Token.scopes,
    Token.holder_id,
    Token.employer_id,
    Token.recorded_at,
    Token.expires_at,
    Token.last_used_at,
    Token.revoked_at,
)


@dataclass(frozen=True, slots=True)
class Mine:
    """One of the actor's certifications today, the next step, and the time zone its days end in."""

    held: HeldCertification
    next: NextStep
    zone: str


@dataclass(frozen=True, slots=True)
class Myself:
    """The actor, their record or employer, and their certifications today.

    ``mail`` says whether messages reach the holder.
    """

    actor: Actor
    holder: Any
    employer: Any
    mail: Deliverability | None
    certifications: Sequence[Mine]


def myself(reading: ReadContext) -> Myself:
    """The actor with what is theirs; for a holder, including the next steps."""
    actor = reading.actor
    holder = holders.get(reading, actor.holder_id) if actor.holder_id else None
    return Myself(
        actor=actor,
        holder=holder,
        employer=_employer(reading, actor.employer_id) if actor.employer_id else None,
        mail=bounces.deliverability(reading, holder) if holder else None,
        certifications=_held(reading, holder) if holder else (),
    )


def _employer(reading: ReadContext, employer_id: str) -> Any:
    return reading.row(select(Employer.id, Employer.name).where(Employer.id == employer_id))


def _held(reading: ReadContext, holder: Any) -> list[Mine]:
    """The holder's certifications on their own date, with the next steps."""
    days = {scheme.code: reading.day_of(scheme, holder.time_zone) for scheme in reading.schemes}
    held = [
        one
        for day in sorted(set(days.values()))
        for one in standings.of_holder(reading, holder.id, on=day)
        if days[one.scheme] == day
    ]
    points = standings.points(reading, held)
    return [
        Mine(
            one,
            standings.next_step(one.standing, points.get(one.id)),
            reading.schemes[one.scheme].zone_of(holder.time_zone),
        )
        for one in sorted(held, key=attrgetter("awarded_on", "id"))
    ]


def make_token(work: UnitOfWork, given: dict[str, Any]) -> tuple[str, str]:
    """Make a token: an admin for anybody, others for themselves; returns its id and its secret.

    A token for oneself has one's own role, name, record and employer, no scope that one lacks, and
    lasts at most a year. No token lasts longer than the one it is made with. By default it expires
    in a year, or when one's own does if that is earlier. A session makes none, since a token would
    outlive it. Raises Invalid, NotAllowed.
    """
    if work.actor.session_id is not None:
        raise NotAllowed("A token is made with a token; a session cannot make one.")
    actor, own_end = work.actor, _own_end(work)
    usual = min(own_end or work.now + LONGEST, work.now + LONGEST)
    values = {**given, "expires_at": given.get("expires_at", usual)}
    mine = _own(actor)
    if actor.role != "admin":
        _check_own(work, values, mine)
        values = {**values, **mine}
    _check_end(values["expires_at"], own_end)
    if all(values.get(key, own) == own for key, own in mine.items()):
        values = {**values, **mine, "person_id": actor.person_id}
    scopes: Collection[Scope] = values.pop("scopes", actor.scopes)
    role: Role = values.pop("role", actor.role)
    return tokens.create(work, **{"name": actor.name, **values}, role=role, scopes=scopes)


def _own_end(work: UnitOfWork) -> datetime | None:
    """When the actor's own token expires, if it does."""
    row = work.row(select(Token.expires_at).where(Token.id == work.actor.token_id))
    return row.expires_at if row else None


def _check_end(expires_at: datetime | None, own_end: datetime | None) -> None:
    if own_end is not None and (expires_at is None or expires_at > own_end):
        rule = f"must be at most {own_end.isoformat()}, when your own token ends"
        raise Invalid("No token outlives the one it is made with.", fields={"expires_at": rule})


def _own(actor: Actor) -> dict[str, Any]:
    return {
        "role": actor.role,
        "name": actor.name,
        "holder_id": actor.holder_id,
        "employer_id": actor.employer_id,
    }


def _check_own(work: UnitOfWork, values: dict[str, Any], mine: dict[str, Any]) -> None:
    """Refuse a token with more rights than its maker's, or another name in the history."""
    wrong = {
        key: "must be your own, or not given"
        for key, own in mine.items()
        if values.get(key, own) != own
    }
    if wider := set(values.get("scopes", ())) - work.actor.scopes:
        wrong["scopes"] = f"must not be wider than your own: {', '.join(sorted(wider))}"
    expires_at: datetime | None = values["expires_at"]
    if expires_at is None or expires_at > work.now + LONGEST:
        wrong["expires_at"] = f"must be at most {LONGEST.days} days from now"
    if wrong:
        raise Invalid("You can make tokens for yourself only.", fields=wrong)


def page(reading: ReadContext, *, after: str | None, limit: int) -> Sequence[Any]:
    """A page of tokens in the order of their ids: all for an admin, one's own for others."""
    statement = select(*_COLUMNS).where(*_mine(reading.actor)).order_by(Token.id).limit(limit)
    if after:
        statement = statement.where(Token.id > after)
    return reading.rows(statement)


def token(reading: ReadContext, token_id: str) -> Any:
    """One token. Raises NotFound, also for another person's."""
    row = reading.row(select(*_COLUMNS).where(Token.id == token_id, *_mine(reading.actor)))
    if row is None:
        raise NotFound
    return row


def _mine(actor: Actor) -> list[Any]:
    """The condition: same role, record and employer; for staff, also the same person."""
    if actor.role == "admin":
        return []
    found = [Token.role == actor.role]
    found.append(
        Token.holder_id == actor.holder_id if actor.holder_id else Token.holder_id.is_(None)
    )
    found.append(
        Token.employer_id == actor.employer_id if actor.employer_id else Token.employer_id.is_(None)
    )
    return [*found, Token.person_id == actor.person_id] if actor.role == "staff" else found


def end_token(work: UnitOfWork, token_id: str) -> None:
    """End a token and all tokens made with it. Raises NotFound, also for another person's."""
    token(work, token_id)
    tokens.revoke(work, token_id)
