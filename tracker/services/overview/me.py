"""Who am I, what should I do next, and the tokens that people make for themselves.

``tokens`` makes and ends tokens; this module decides who may make which, and whose one may see or
end.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select

from tracker.domain.credentials.next_steps import NextStep
from tracker.domain.errors import Invalid, NotAllowed, NotFound
from tracker.domain.permissions import Actor, Role, Scope
from tracker.models import Employer, Token
from tracker.services.core import tokens
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.core.tokens import TokenRow
from tracker.services.delivery import bounces
from tracker.services.delivery.bounces import Deliverability
from tracker.services.people import holders
from tracker.services.people.holders import HolderRow
from tracker.services.standings import standings
from tracker.services.standings.standings import HeldCertification

LONGEST = timedelta(days=365)
_TOKENS = select(*columns_of(TokenRow, Token))


class MyEmployer(NamedTuple):
    """The employer for whom the actor acts."""

    id: str
    name: str


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
    holder: HolderRow | None
    employer: MyEmployer | None
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


def _employer(reading: ReadContext, employer_id: str) -> MyEmployer | None:
    statement = select(*columns_of(MyEmployer, Employer)).where(Employer.id == employer_id)
    return reading.row_as(MyEmployer, statement)


def _held(reading: ReadContext, holder: HolderRow) -> list[Mine]:
    """The holder's certifications on their own date, with the next steps."""
    days = {scheme.code: reading.day_of(scheme, holder.time_zone) for scheme in reading.schemes}
    held = [
        certification
        for day in sorted(set(days.values()))
        for certification in standings.of_holder(reading, holder.id, on=day)
        if days[certification.scheme] == day
    ]
    points = standings.points(reading, held)
    return [
        Mine(
            certification,
            standings.next_step(certification.standing, points.get(certification.id)),
            reading.schemes[certification.scheme].zone_of(holder.time_zone),
        )
        for certification in sorted(held, key=attrgetter("awarded_on", "id"))
    ]


def make_token(work: UnitOfWork, wanted: Mapping[str, Any]) -> tuple[str, str]:
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
    values = {**wanted, "expires_at": wanted.get("expires_at", usual)}
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
        raise Invalid(
            "A token cannot expire later than the token that creates it.",
            fields={"expires_at": rule},
        )


def _own(actor: Actor) -> dict[str, str | None]:
    return {
        "role": actor.role,
        "name": actor.name,
        "holder_id": actor.holder_id,
        "employer_id": actor.employer_id,
    }


def _check_own(work: UnitOfWork, values: Mapping[str, Any], mine: Mapping[str, object]) -> None:
    """Refuse a token with more rights than its maker's, or another name in the history."""
    wrong = {
        key: "must be your own, or left out"
        for key, own in mine.items()
        if values.get(key, own) != own
    }
    if wider := set(values.get("scopes", ())) - work.actor.scopes:
        wrong["scopes"] = f"must not exceed your own scopes: {', '.join(sorted(wider))}"
    expires_at: datetime | None = values["expires_at"]
    if expires_at is None or expires_at > work.now + LONGEST:
        wrong["expires_at"] = f"must be at most {LONGEST.days} days from now"
    if wrong:
        raise Invalid("You can create tokens only for yourself.", fields=wrong)


def page(reading: ReadContext, *, after: str | None, limit: int) -> Sequence[TokenRow]:
    """A page of tokens in the order of their ids: all for an admin, one's own for others."""
    statement = _TOKENS.where(*_mine(reading.actor)).order_by(Token.id).limit(limit)
    if after:
        statement = statement.where(Token.id > after)
    return reading.rows_as(TokenRow, statement)


def token(reading: ReadContext, token_id: str) -> TokenRow:
    """One token. Raises NotFound, also for another person's."""
    row = reading.row_as(TokenRow, _TOKENS.where(Token.id == token_id, *_mine(reading.actor)))
    if row is None:
        raise NotFound
    return row


def _mine(actor: Actor) -> list[ColumnElement[bool]]:
    """The condition: same role, record and employer; for staff, also the same person."""
    if actor.role == "admin":
        return []
    conditions: list[ColumnElement[bool]] = [Token.role == actor.role]
    conditions.append(
        Token.holder_id == actor.holder_id if actor.holder_id else Token.holder_id.is_(None)
    )
    conditions.append(
        Token.employer_id == actor.employer_id if actor.employer_id else Token.employer_id.is_(None)
    )
    return (
        [*conditions, Token.person_id == actor.person_id] if actor.role == "staff" else conditions
    )


def end_token(work: UnitOfWork, token_id: str) -> None:
    """End a token and all tokens made with it. Raises NotFound, also for another person's."""
    token(work, token_id)
    tokens.revoke(work, token_id)
