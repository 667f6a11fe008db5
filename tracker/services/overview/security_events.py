"""Security events of the actor's own account and data: read from the history, newest first.

They are no ledger of their own: what is shown is what the history says of the account, its tokens
and recoveries, and of the consents and exports of the person's data. Failed attempts are in no
history; they are read from the counts that limit them, which are kept for a day.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, union_all

from tracker.domain.emails import compared
from tracker.domain.people import security_events as rules
from tracker.domain.people.security_events import FailureKind, SecurityEventKind
from tracker.domain.people.sign_in import AttemptPurpose
from tracker.domain.permissions import Actor
from tracker.models import (
    Account,
    HistoryEntry,
    Invitation,
    LoginSession,
    Recovery,
    Sharing,
    SignIn,
    Token,
    Usage,
)
from tracker.services.core import allowances, bulk
from tracker.services.core.allowances import Allowance
from tracker.services.core.context import ReadContext, columns_of
from tracker.services.people import sessions

_HOUR = timedelta(hours=1)
_WHAT = {FailureKind.PASSWORD: "passwords", FailureKind.SECOND_FACTOR: "second factors"}


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """What happened and when; ``by_me``: the person did it, signed in or with a token of theirs.

    ``role`` is that of whoever did it. ``session_id`` and ``agent``, the browser, are those of the
    person's own session that it is about or was done in; None where there is none, or no longer.
    """

    id: int
    at: datetime
    kind: SecurityEventKind
    by_me: bool
    role: str | None
    session_id: str | None
    agent: str | None


@dataclass(frozen=True, slots=True)
class Failure:
    """Failed attempts with one kind of secret: how many within the last day, and the first one."""

    kind: FailureKind
    count: int
    since: datetime


class _Entry(NamedTuple):
    id: int
    at: datetime
    action: str
    subject: str
    detail: Mapping[str, object]
    actor_role: str | None
    token_id: str | None
    account_id: str | None
    session_id: str | None


_ENTRIES = select(*columns_of(_Entry, HistoryEntry)).order_by(HistoryEntry.id.desc())


def page(reading: ReadContext, *, after: int | None, limit: int) -> list[SecurityEvent]:
    """A page of the actor's own events, the newest first, in a fixed number of statements."""
    mine = _records(reading)
    statement = _ENTRIES.where(_is_about(reading, mine)).limit(limit)
    if after is not None:
        statement = statement.where(HistoryEntry.id < after)
    rows = reading.rows_as(_Entry, statement)
    agents = _agents(reading, rows, mine["account"])
    return [_event(row, mine, agents) for row in rows]


def _is_own_token(actor: Actor) -> ColumnElement[bool]:
    if actor.role == "holder":
        return and_(Token.role == "holder", Token.holder_id == actor.holder_id)
    return Token.person_id == actor.person_id


def _records(reading: ReadContext) -> dict[str, list[str]]:
    """The ids of the records that events of the actor may be about, by subject."""
    actor = reading.actor
    accounts = sessions.mine(actor)
    parts = [
        select(literal("account").label("subject"), Account.id).where(Account.id.in_(accounts)),
        select(literal("token"), Token.id).where(_is_own_token(actor)),
        select(literal("recovery"), Recovery.id).where(Recovery.account_id.in_(accounts)),
        select(literal("invitation"), Invitation.id).where(Invitation.account_id.in_(accounts)),
    ]
    found: dict[str, list[str]] = {"account": [], "token": []}
    if actor.role == "holder" and actor.holder_id is not None:
        mine = actor.holder_id
        parts.append(select(literal("sharing"), Sharing.id).where(Sharing.holder_id == mine))
        parts.append(select(literal("recovery"), Recovery.id).where(Recovery.holder_id == mine))
        found["holder"] = [mine]
    for row in reading.rows(union_all(*parts)):
        found.setdefault(row.subject, []).append(row.id)
    return found


def _is_about(reading: ReadContext, mine: Mapping[str, Collection[str]]) -> ColumnElement[bool]:
    """The condition that an entry is an event about these records, or an export by the actor."""
    entry = HistoryEntry
    about = [
        and_(
            entry.subject == subject,
            entry.action.in_(rules.actions_of(subject)),
            bulk.among(reading, entry.subject_id, set(ids)),
        )
        for subject, ids in mine.items()
    ]
    exported = and_(entry.subject == "employer", entry.action.in_(rules.actions_of("employer")))
    by_me = or_(
        bulk.among(reading, entry.account_id, set(mine["account"])),
        bulk.among(reading, entry.token_id, set(mine["token"])),
    )
    return or_(*about, and_(exported, by_me))


def _session_of(row: _Entry) -> str | None:
    """The session that an entry is about, or was made in."""
    about = row.detail.get("session")
    return str(about) if about else row.session_id


def _agents(
    reading: ReadContext, rows: Sequence[_Entry], accounts: Collection[str]
) -> dict[str, str]:
    """The browsers of the sessions that are the person's own and still on record."""
    ids = {id_ for row in rows if (id_ := _session_of(row))}
    statement = select(LoginSession.id, LoginSession.agent).where(
        bulk.among(reading, LoginSession.id, ids),
        bulk.among(reading, LoginSession.account_id, set(accounts)),
    )
    return {row.id: row.agent for row in reading.rows(statement)}


def _event(
    row: _Entry, mine: Mapping[str, Collection[str]], agents: Mapping[str, str]
) -> SecurityEvent:
    session_id = _session_of(row)
    is_own = session_id in agents
    return SecurityEvent(
        id=row.id,
        at=row.at,
        kind=rules.OF_ACTIONS[row.subject, row.action],
        by_me=row.account_id in mine["account"] or row.token_id in mine["token"],
        role=row.actor_role,
        session_id=session_id if is_own else None,
        agent=agents[session_id] if is_own and session_id else None,
    )


# Failed attempts.
def failures(reading: ReadContext, key: bytes) -> list[Failure]:
    """The failed attempts to sign in as the actor, of the last day; ``key`` hides whose counts.

    A right password takes its own count back, so what is left are wrong ones. Of codes by email
    those are counted whose attempts are still on record.
    """
    actor = reading.actor
    own = Account.id.in_(sessions.mine(actor))
    account = reading.row(select(Account.id, Account.email).where(own))
    if account is None:
        return []
    if actor.role == "holder":
        return _wrong_codes(reading, actor)
    who = {
        FailureKind.PASSWORD: compared(account.email),
        FailureKind.SECOND_FACTOR: account.id,
    }
    uses = {
        allowances.use_of(Allowance(_WHAT[kind], 0, _HOUR), key, text).key: kind
        for kind, text in who.items()
    }
    counts = select(Usage.key, Usage.began_at, Usage.count)
    counts = counts.where(Usage.key.in_(uses), Usage.count > 0).order_by(Usage.began_at)
    return [Failure(uses[row.key], row.count, row.began_at) for row in reading.rows(counts)]


def _wrong_codes(reading: ReadContext, actor: Actor) -> list[Failure]:
    """Wrong codes: the tries of each attempt, but for the one that signed in."""
    right = func.count(SignIn.used_at)
    tried = select(func.sum(SignIn.tries) - right, func.min(SignIn.recorded_at)).where(
        SignIn.holder_id == actor.holder_id,
        SignIn.purpose == AttemptPurpose.CODE,
        SignIn.tries > 0,
    )
    count, since = reading.row(tried)
    return [Failure(FailureKind.CODE, count, since)] if count else []
