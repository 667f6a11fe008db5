"""Signing in by a mailed code or link, and links to choose a new password: begin, look up, use.

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
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, select, update

from tracker.db import new_id
from tracker.domain.errors import TooOften
from tracker.domain.people.security_events import FailureKind
from tracker.domain.people.sign_in import AttemptPurpose, code_of, own_path, typed
from tracker.models import SignIn
from tracker.services.core import allowances, history, security_log, signed_links
from tracker.services.core.allowances import Allowance
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.outbox import queue
from tracker.services.outbox.queue import ACCOUNT, SIGN_IN, MessageAbout, MessageToSend
from tracker.services.people import accounts, sessions
from tracker.services.people.accounts import SignInRecipient

_BYTES = 32  # of randomness in a browser's secret
_PURPOSE = "sign-in"
_AT_ONCE = 100  # attempts that are looked up in one transaction
_CALLERS = 8  # who may use up the codes for one person
_KEPT = timedelta(days=1)


class SignedInByLink(NamedTuple):
    """The secret of the new session, and the page that was asked for where the attempt began."""

    secret: str
    wanted: str


def code(key: bytes, sign_in_id: str) -> str:
    """The code of an attempt."""
    return code_of(hmac.digest(key, f"{_PURPOSE}-code:{sign_in_id}".encode(), "sha256"))


def link(reading: ReadContext, key: bytes, sign_in_id: str) -> str:
    """The address of the page with the button that signs in."""
    base = reading.settings.app.base_url.rstrip("/")
    return f"{base}/sign-in/link/{signed_links.proof(key, _PURPOSE, sign_in_id)}"


def begin(work: UnitOfWork, identifier: str, *, wanted: str | None = None) -> str:
    """Begin an attempt for an identifier (``domain.people.sign_in.identifier``).

    The mailed link opens the page ``wanted``. Returns the secret for this browser, without which
    the code is worth nothing.
    """
    secret = secrets.token_urlsafe(_BYTES)
    digest = sessions.digest_of(secret)
    _add(work, AttemptPurpose.CODE, identifier, digest=digest, wanted=wanted)
    return secret


def begin_again(work: UnitOfWork, *, wanted: str | None = None) -> str:
    """Begin an attempt of a holder who is signed in, to prove who they are once more.

    The code goes at once to the address that signed in; the mailed link opens the page ``wanted``.
    Returns the secret for this browser. Raises SessionEnded.
    """
    sessions.check_alive(work)
    own = work.actor.holder_id or ""
    return begin_for(work, own, sessions.own_address(work), wanted=wanted)


def begin_for(work: UnitOfWork, holder_id: str, email: str, *, wanted: str | None = None) -> str:
    """Begin an attempt of a holder who is known already; the code goes at once to that address.

    The mailed link opens the page ``wanted``. Returns the secret for this browser.
    """
    secret, id_ = secrets.token_urlsafe(_BYTES), new_id()
    row = SignIn(
        id=id_,
        digest=sessions.digest_of(secret),
        holder_id=holder_id,
        email=email,
        recorded_at=work.now,
        expires_at=work.now + lasts(work, AttemptPurpose.CODE),
        wanted=wanted,
    )
    work.session.add(row)
    work.session.flush()
    if _take_code(work, holder_id):
        queue.enqueue(work, work.message_key, [_message(row, email)])
    return secret


def begin_reset(work: UnitOfWork, address: str) -> None:
    """Begin an attempt to choose a new password, for an address in compared form."""
    _add(work, AttemptPurpose.RESET, address)


def _add(
    work: UnitOfWork,
    purpose: AttemptPurpose,
    identifier: str,
    *,
    digest: str | None = None,
    wanted: str | None = None,
) -> None:
    row = SignIn(
        digest=digest,
        identifier=identifier,
        recorded_at=work.now,
        expires_at=work.now + lasts(work, purpose),
        purpose=purpose,
        wanted=wanted,
    )
    work.session.add(row)


def lasts(reading: ReadContext, purpose: str) -> timedelta:
    """How long an attempt may be used."""
    chosen = reading.settings.accounts
    is_reset = purpose == AttemptPurpose.RESET
    return timedelta(minutes=chosen.reset_minutes if is_reset else chosen.code_minutes)


def is_anybody_waiting(reading: ReadContext) -> bool:
    """Whether attempts wait to be looked up."""
    return reading.row(select(SignIn.id).where(SignIn.identifier.is_not(None)).limit(1)) is not None


def look_up(work: UnitOfWork) -> int:
    """Look up attempts that wait for it and put their messages into the outbox; returns how many.

    What the person typed is erased.
    """
    waiting = select(SignIn.id, SignIn.identifier, SignIn.expires_at, SignIn.purpose)
    waiting = waiting.where(SignIn.identifier.is_not(None))
    waiting = waiting.order_by(SignIn.recorded_at).limit(_AT_ONCE)
    rows = work.rows(waiting.with_for_update(skip_locked=True))
    messages: list[MessageToSend] = []
    for row, person in _recipients(work, rows):
        values: dict[str, Any] = {"identifier": None}
        if person is not None and _take_code(work, person.subject_id):
            values |= person.columns
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
    alive = [row for row in rows if row.expires_at > reading.now]
    resets = {row.identifier for row in alive if row.purpose == AttemptPurpose.RESET}
    codes = {row.identifier for row in alive if row.purpose == AttemptPurpose.CODE}
    people = {
        AttemptPurpose.CODE: accounts.recipients(reading, codes),
        AttemptPurpose.RESET: accounts.owners(reading, resets),
    }
    pairs = [(row, people[row.purpose].get(row.identifier)) for row in rows]
    return sorted(pairs, key=lambda pair: pair[1].subject_id if pair[1] else "")


def _take_code(work: UnitOfWork, subject_id: str) -> bool:
    """Count a code for a person; whether it may be mailed.

    The limits of the page give every new caller one code. Here is the end of that: without it,
    whoever has many addresses of the network could guess and mail without bound.
    """
    most = work.settings.limits.codes_per_hour * _CALLERS
    allowance = Allowance("codes for a person", most, timedelta(hours=1))
    try:
        allowances.take(work, allowances.use_of(allowance, work.message_key, subject_id))
    except TooOften:
        return False
    return True


def _message(row: Any, email: str) -> MessageToSend:
    is_reset = row.purpose == AttemptPurpose.RESET
    about: MessageAbout = {"sign_in_id": row.id}
    return MessageToSend(
        key=f"{SIGN_IN}:{row.id}",
        kind=ACCOUNT if is_reset else SIGN_IN,
        address=email,
        useful_until=row.expires_at,
        about={**about, "type": "reset"} if is_reset else about,
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
        .where(*is_usable(work, AttemptPurpose.CODE))
        .values(tries=SignIn.tries + 1)
    )
    row = work.row(tried.returning(*_ATTEMPT))
    if row is None:
        return None
    right = code(work.message_key, row.id)
    if not hmac.compare_digest(right.encode(), typed(text).encode()):
        security_log.failed(FailureKind.CODE, row.holder_id or row.account_id)
        return None
    return _sign_in(work, row, agent=agent, former=former)


def is_open(reading: ReadContext, key: bytes, proof: str) -> bool:
    """Whether the link can still be used."""
    id_ = signed_links.proven(key, _PURPOSE, proof)
    if id_ is None:
        return False
    usable = is_usable(reading, AttemptPurpose.CODE)
    return reading.row(select(SignIn.id).where(SignIn.id == id_, *usable)) is not None


def by_link(
    work: UnitOfWork, proof: str, *, agent: str, former: str | None = None
) -> SignedInByLink | None:
    """Sign in with a link; None if it is worth nothing."""
    id_ = signed_links.proven(work.message_key, _PURPOSE, proof)
    if id_ is None:
        return None
    taken = update(SignIn).where(SignIn.id == id_, *is_usable(work, AttemptPurpose.CODE))
    row = work.row(taken.values(used_at=work.now).returning(*_ATTEMPT))
    secret = None if row is None else _sign_in(work, row, agent=agent, former=former)
    return None if secret is None else SignedInByLink(secret, own_path(row.wanted or ""))


_ATTEMPT = (SignIn.id, SignIn.holder_id, SignIn.account_id, SignIn.email, SignIn.wanted)


def is_usable(reading: ReadContext, purpose: AttemptPurpose) -> tuple[ColumnElement[bool], ...]:
    """The conditions of an attempt for this purpose that was not used and has not expired."""
    return SignIn.purpose == purpose, SignIn.used_at.is_(None), SignIn.expires_at > reading.now


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
