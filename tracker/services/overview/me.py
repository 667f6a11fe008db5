"""Who am I, what should I do next, and the tokens that people make for themselves.

``tokens`` makes and ends tokens; this module decides who may make which, and whose one may see or
end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from tracker import row_security
from tracker.domain.credentials.next_steps import NextStep
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.permissions import (
    ORGANIZATIONS,
    Actor,
    Role,
    Scope,
    organization_ids,
    organization_of,
)
from tracker.domain.points.safe_days import SafeDay
from tracker.models import Certification, Token
from tracker.services.core import days, organizations, tokens
from tracker.services.core.combined import Statement
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.core.organizations import OrganizationName
from tracker.services.core.prefetch import Prefetch
from tracker.services.core.tokens import TokenRow
from tracker.services.credentials import module_certificates, pathways
from tracker.services.credentials.module_certificates import Progress
from tracker.services.credentials.pathways import ChosenPathway
from tracker.services.delivery import bounces
from tracker.services.delivery.bounces import Deliverability
from tracker.services.people import endings, holders, sessions
from tracker.services.people.holders import HolderRow
from tracker.services.points import review_waits
from tracker.services.standings import snapshots, standings
from tracker.services.standings.standings import CertificationPoints, HeldCertification

LONGEST = timedelta(days=365)
_OF_OTHERS = ("holder", *ORGANIZATIONS)  # whose tokens staff may end
_ANYBODYS: Mapping[str, str] = {}
_TOKENS = select(*columns_of(TokenRow, Token))


@dataclass(frozen=True, slots=True)
class Mine:
    """One of the actor's certifications today, the next step, and the time zone its days end in.

    ``points`` are those of its cycle; None if none are counted. ``safe_day`` is the last day on
    which to submit activities so that they are decided in time; None if none are needed.
    """

    held: HeldCertification
    next: NextStep
    zone: str
    points: CertificationPoints | None
    safe_day: SafeDay | None


@dataclass(frozen=True, slots=True)
class Myself:
    """The actor, their record or organization, their certifications, modules and pathways.

    ``mail`` says whether messages reach the holder.
    """

    actor: Actor
    holder: HolderRow | None
    organization: OrganizationName | None
    mail: Deliverability | None
    certifications: Sequence[Mine]
    modules: Sequence[Progress]
    pathways: Sequence[ChosenPathway]


class HolderPrefetch:
    """What a page needs of a holder, read in one round trip.

    Its day is usually that of the schemes. ``beyond`` are statements whose rows are not the
    holder's own: where policies restrict what the holder sees, they are read by themselves.
    """

    def __init__(self, own: Iterable[Statement] = (), beyond: Iterable[Statement] = ()) -> None:
        walled = (*_OWN, *own)
        self._walled = Prefetch(*walled)
        self._all = Prefetch(*walled, *bounces.TO_HOLDER, *beyond)

    def read(self, reading: ReadContext, holder_id: str) -> ReadContext:
        """The read context with it."""
        on = days.today_everywhere(reading)
        parameters = {"id": holder_id, "on": on, "today": on, "now": reading.now}
        is_walled = row_security.is_restricted(reading.connection)
        prefetch = self._walled if is_walled else self._all
        return prefetch.read(reading, snapshots.known(parameters))


_OWN = (
    holders.BY_ID,
    standings.OF_HOLDER,
    *snapshots.RECORDS_OF_HOLDER,
    snapshots.ACTIVITIES_OF_HOLDER,
    snapshots.ATTEMPTS_OF_HOLDER,
    module_certificates.OF_HOLDER,
    pathways.CHOSEN_BY_HOLDER,
    review_waits.MEASURED,
)
_AHEAD = HolderPrefetch()


def myself(reading: ReadContext) -> Myself:
    """The actor with what is theirs; for a holder, including the next steps."""
    holder_id = reading.actor.holder_id
    return read_ahead(_AHEAD.read(reading, holder_id) if holder_id else reading)


def read_ahead(reading: ReadContext) -> Myself:
    """The same of a read context that a ``HolderPrefetch`` gave, if it is about a holder."""
    actor = reading.actor
    holder = holders.get(reading, actor.holder_id) if actor.holder_id else None
    return Myself(
        actor=actor,
        holder=holder,
        organization=organizations.named(reading, actor),
        mail=bounces.deliverability(reading, holder) if holder else None,
        certifications=_held(reading, holder) if holder else (),
        modules=module_certificates.progress(reading, holder.id) if holder else (),
        pathways=pathways.of_holder(reading, holder.id) if holder else (),
    )


def check_own_certification(reading: ReadContext, certification_id: str) -> None:
    """Raise NotFound unless the certification is or was the actor's."""
    own = Certification.holder_id == reading.actor.holder_id
    found = select(Certification.id).where(Certification.id == certification_id, own)
    if reading.actor.holder_id is None or reading.row(found) is None:
        raise NotFound


def _held(reading: ReadContext, holder: HolderRow) -> list[Mine]:
    """The holder's certifications on their own date, with the next steps."""
    held = held_today(reading, holder.id, holder.time_zone)
    points = standings.points_of_holder(reading, holder.id, held)
    wait = review_waits.expected(reading) if points else None
    return [
        Mine(
            certification,
            standings.next_step(certification.standing, points.get(certification.id)),
            reading.schemes[certification.scheme].zone_of(holder.time_zone),
            points.get(certification.id),
            review_waits.safe_day(points.get(certification.id), certification.standing, wait),
        )
        for certification in held
    ]


def held_today(reading: ReadContext, holder_id: str, time_zone: str) -> list[HeldCertification]:
    """The certifications of a holder in that time zone, each on the holder's date for its scheme.

    The oldest award comes first.
    """
    theirs = {scheme.code: reading.day_of(scheme, time_zone) for scheme in reading.schemes}
    held = [
        certification
        for day in sorted(set(theirs.values()))
        for certification in standings.of_holder(reading, holder_id, on=day)
        if theirs[certification.scheme] == day
    ]
    return sorted(held, key=attrgetter("awarded_on", "id"))


def make_token(work: UnitOfWork, wanted: Mapping[str, Any]) -> tuple[str, str]:
    """Make a token: an admin for anybody, others for themselves; returns its id and its secret.

    A token for oneself has one's own role, name, record and organization, no scope that one lacks,
    and lasts at most a year. No token lasts longer than the one it is made with. By default it
    expires in a year, or when one's own does if that is earlier. In a session, where the token
    outlives it, people must have proved lately who they are. Raises Invalid,
    ReauthenticationRequired.
    """
    if work.actor.session_id is not None:
        sessions.check_fresh(work)
        endings.hold(work)
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
    ids = {key: values.pop(key, None) for key in organization_ids(role, None)}
    return tokens.create(
        work,
        **{"name": actor.name, **values},
        role=role,
        organization_id=organization_of(role, ids),
        scopes=scopes,
    )


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
        **organization_ids(actor.role, actor.organization_id),
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


def page(
    reading: ReadContext,
    *,
    after: str | None,
    limit: int,
    whose: Mapping[str, str] = _ANYBODYS,
) -> Sequence[TokenRow]:
    """A page of the tokens that the actor may end, in the order of their ids.

    An admin may end all, staff their own and those of holders and organizations, others their own.
    ``whose`` are ids of a holder or of organizations by the names of their columns.
    """
    statement = _TOKENS.where(*_may_end(reading.actor)).order_by(Token.id).limit(limit)
    if after:
        statement = statement.where(Token.id > after)
    statement = statement.where(*(getattr(Token, key) == id_ for key, id_ in whose.items()))
    return reading.rows_as(TokenRow, statement)


def own_tokens(reading: ReadContext, *, limit: int) -> Sequence[TokenRow]:
    """The actor's own tokens that can still be used, newest first; organizations share theirs."""
    living = Token.revoked_at.is_(None) & (
        Token.expires_at.is_(None) | (Token.expires_at > reading.now)
    )
    statement = _TOKENS.where(_are_own(reading.actor), living)
    return reading.rows_as(TokenRow, statement.order_by(Token.id.desc()).limit(limit))


def token(reading: ReadContext, token_id: str) -> TokenRow:
    """One token that the actor may end. Raises NotFound, also for another person's."""
    row = reading.row_as(TokenRow, _TOKENS.where(Token.id == token_id, *_may_end(reading.actor)))
    if row is None:
        raise NotFound
    return row


def _may_end(actor: Actor) -> list[ColumnElement[bool]]:
    """The condition: all for an admin, for staff also holders' and organizations', else own."""
    if actor.role == "admin":
        return []
    own = _are_own(actor)
    return [or_(own, Token.role.in_(_OF_OTHERS)) if actor.role == "staff" else own]


def _are_own(actor: Actor) -> ColumnElement[bool]:
    """The condition: the same person for those of the body, otherwise the same role and place."""
    own = Token.role == actor.role
    if actor.is_of_the_body:
        return own & (Token.person_id == actor.person_id)
    if actor.is_of_organization:
        return own & organizations.is_of(Token, actor)
    return own & (Token.holder_id == actor.holder_id)


def end_token(work: UnitOfWork, token_id: str) -> None:
    """End a token and all tokens made with it. Raises NotFound, also where the actor may not."""
    token(work, token_id)
    tokens.revoke(work, token_id)
