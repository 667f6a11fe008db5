"""Signing in by a mailed code or link: begin, look up, use.

Beginning looks nobody up, so that known and unknown people get the same answer from the same
statements. A job (``look_up``) then finds the person and puts the message into the outbox.

Code and link are derived from the attempt's id with the installation's key, which is outside the
database: whoever reads the database cannot sign in with what is there. A code is worth something
only in the browser where the attempt began; it is used once, expires, and allows few tries.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from tracker.domain.errors import TooOften
from tracker.domain.people.sign_in import code_of, typed
from tracker.models import SignIn
from tracker.services.core import allowances, history, signed_links
from tracker.services.core.allowances import Allowance
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.outbox import queue
from tracker.services.outbox.queue import SIGN_IN, MessageToSend
from tracker.services.people import accounts, sessions
from tracker.services.people.accounts import SignInRecipient

_BYTES = 32  # of randomness in a browser's secret
_PURPOSE = "sign-in"
_AT_ONCE = 100  # attempts that are looked up in one transaction
_CALLERS = 8  # who may use up the codes for one person
_KEPT = timedelta(days=1)


def code(key: bytes, sign_in_id: str) -> str:
    """The code of an attempt."""
    return code_of(hmac.digest(key, f"{_PURPOSE}-code:{sign_in_id}".encode(), "sha256"))


def link(reading: ReadContext, key: bytes, sign_in_id: str) -> str:
    """The address of the page with the button that signs in."""
    base = reading.settings.app.base_url.rstrip("/")
    return f"{base}/sign-in/link/{signed_links.proof(key, _PURPOSE, sign_in_id)}"


def begin(work: UnitOfWork, identifier: str) -> str:
    """Begin an attempt for an identifier (``domain.people.sign_in.identifier``).

    Returns the secret for this browser, without which the code is worth nothing.
    """
    secret = secrets.token_urlsafe(_BYTES)
    lasts = timedelta(minutes=work.settings.accounts.code_minutes)
    row = SignIn(
        digest=sessions.digest_of(secret),
        identifier=identifier,
        recorded_at=work.now,
        expires_at=work.now + lasts,
    )
    work.session.add(row)
    return secret


def is_anybody_waiting(reading: ReadContext) -> bool:
    """Whether attempts wait to be looked up."""
    return reading.row(select(SignIn.id).where(SignIn.identifier.is_not(None)).limit(1)) is not None


def look_up(work: UnitOfWork) -> int:
    """Look up attempts that wait for it and put their messages into the outbox; returns how many.

    What the person typed is erased.
    """
    waiting = select(SignIn.id, SignIn.identifier, SignIn.expires_at).where(
        SignIn.identifier.is_not(None)
    )
    waiting = waiting.order_by(SignIn.recorded_at).limit(_AT_ONCE)
    rows = work.rows(waiting.with_for_update(skip_locked=True))
    messages: list[MessageToSend] = []
    for row, person in _recipients(work, rows):
        values: dict[str, Any] = {"identifier": None}
        if person is not None and _take_code(work, person.holder_id):
            values |= {"holder_id": person.holder_id, "email": person.email}
            messages.append(_message(row, person.email))
        work.execute(update(SignIn).where(SignIn.id == row.id).values(values))
    queue.enqueue(work, work.message_key, messages)
    return len(rows)


def _recipients(
    reading: ReadContext, rows: Sequence[Any]
) -> list[tuple[Any, SignInRecipient | None]]:
    """Each attempt with its person, in the order of the people.

    Every process counts people's codes in this order, so that two of them cannot deadlock.
    """
    alive = {row.identifier for row in rows if row.expires_at > reading.now}
    people = accounts.recipients(reading, alive)
    pairs = [(row, people.get(row.identifier)) for row in rows]
    return sorted(pairs, key=lambda pair: pair[1].holder_id if pair[1] else "")


def _take_code(work: UnitOfWork, holder_id: str) -> bool:
    """Count a code for a person; whether it may be mailed.

    The limits of the page give every new caller one code. Here is the end of that: without it,
    whoever has many addresses of the network could guess and mail without bound.
    """
    most = work.settings.limits.codes_per_hour * _CALLERS
    allowance = Allowance("codes for a person", most, timedelta(hours=1))
    try:
        allowances.take(work, allowances.use_of(allowance, work.message_key, holder_id))
    except TooOften:
        return False
    return True


def _message(row: Any, email: str) -> MessageToSend:
    return MessageToSend(
        key=f"{SIGN_IN}:{row.id}",
        kind=SIGN_IN,
        address=email,
        useful_until=row.expires_at,
        about={"sign_in_id": row.id},
    )


def by_code(
    work: UnitOfWork, secret: str, text: str, *, agent: str, former: str | None = None
) -> str | None:
    """Sign in with a code, in the browser with this secret; returns the session's secret.

    None, and one try fewer, if the code is wrong; None as well if the attempt is unknown, used up,
    used or expired. ``former`` is the secret of the browser's session until now, which ends.
    """
    most = work.settings.accounts.code_tries
    tried = (
        update(SignIn)
        .where(SignIn.digest == sessions.digest_of(secret), SignIn.tries < most)
        .where(*_is_open(work))
        .values(tries=SignIn.tries + 1)
    )
    row = work.row(tried.returning(*_ATTEMPT))
    if row is None:
        return None
    right = code(work.message_key, row.id)
    if not hmac.compare_digest(right.encode(), typed(text).encode()):
        return None
    return _sign_in(work, row, agent=agent, former=former)


def is_open(reading: ReadContext, key: bytes, proof: str) -> bool:
    """Whether the link can still be used."""
    id_ = signed_links.proven(key, _PURPOSE, proof)
    if id_ is None:
        return False
    return reading.row(select(SignIn.id).where(SignIn.id == id_, *_is_open(reading))) is not None


def by_link(work: UnitOfWork, proof: str, *, agent: str, former: str | None = None) -> str | None:
    """Sign in with a link; returns the session's secret, or None if the link is worth nothing."""
    id_ = signed_links.proven(work.message_key, _PURPOSE, proof)
    if id_ is None:
        return None
    taken = update(SignIn).where(SignIn.id == id_, *_is_open(work)).values(used_at=work.now)
    row = work.row(taken.returning(*_ATTEMPT))
    return None if row is None else _sign_in(work, row, agent=agent, former=former)


_ATTEMPT = (SignIn.id, SignIn.holder_id, SignIn.account_id, SignIn.email)


def _is_open(reading: ReadContext) -> tuple[Any, ...]:
    return SignIn.used_at.is_(None), SignIn.expires_at > reading.now


def _sign_in(work: UnitOfWork, row: Any, *, agent: str, former: str | None) -> str | None:
    """Use the attempt up and start a session; None if nobody is behind it, or no longer."""
    if row.email is None:
        return None
    work.execute(update(SignIn).where(SignIn.id == row.id).values(used_at=work.now))
    account_id, is_new = row.account_id, False
    if account_id is None:
        # The person may have died meanwhile, or staff recorded another address.
        if not accounts.may_sign_in(work, row.holder_id, row.email):
            return None
        account_id, is_new = accounts.claim(work, row.holder_id, row.email)
    session_id, secret = sessions.start(work, account_id, email=row.email, agent=agent)
    actor = sessions.actor_of(work, session_id)
    if actor is None:  # staff recorded another address at this very moment
        return None
    own = replace(work, actor=actor)
    if is_new:
        history.record(own, "claim", "account", account_id)
    if former is not None:
        sessions.end_by_secret(own, former)
    history.record(own, "sign_in", "account", account_id, session=session_id)
    return secret


def link_for(work: UnitOfWork, account_id: str, email: str, *, until: datetime) -> str:
    """A link that signs in once, which the operator hands out."""
    row = SignIn(account_id=account_id, email=email, recorded_at=work.now, expires_at=until)
    work.session.add(row)
    work.session.flush()
    return link(work, work.message_key, row.id)


def forget_old(work: UnitOfWork) -> None:
    """Delete attempts that expired a day ago."""
    work.execute(delete(SignIn).where(SignIn.expires_at < work.now - _KEPT))
