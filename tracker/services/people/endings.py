"""What ends with somebody's rights, or when a secret of theirs is lost or replaced.

Invariant: who makes what outlives a session (a token, an invitation) holds the own account and
token until the transaction ends (``hold``), and who ends them has locked them. So one waits for the
other: what was made is found and ended, or its maker finds that the session or the token is over.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, select, update

from tracker.domain.people.sign_in import AttemptPurpose
from tracker.domain.permissions import OF_THE_BODY
from tracker.models import Account, Invitation, SignIn, Token
from tracker.services.core import history, tokens
from tracker.services.core.context import UnitOfWork
from tracker.services.people import accounts, sessions


def hold(work: UnitOfWork) -> None:
    """Hold the actor's account and token, so that neither ends meanwhile.

    Raises SessionEnded, TokenEnded.
    """
    own = select(Account.id).where(Account.id == work.actor.person_id)
    token = select(Token.id).where(Token.id == work.actor.token_id)
    for mine in (own, token):
        work.row(mine.with_for_update(read=True))
    tokens.check_alive(work)
    sessions.check_alive(work)


def of_access(work: UnitOfWork, account_id: str, *, but: str | None = None) -> None:
    """End an account's sessions, except one, its attempts to sign in, and its owner's tokens.

    Somebody else who knew the secret could have begun any of them. The account is locked.
    """
    sessions.end_all(work, account_id, but=but)
    waits = update(SignIn).where(SignIn.account_id == account_id, SignIn.used_at.is_(None))
    work.execute(waits.where(SignIn.purpose != AttemptPurpose.CODE).values(used_at=work.now))
    _end_tokens(work, Token.person_id == account_id)


def of_rights(work: UnitOfWork, account_id: str) -> None:
    """The same, and what the owner could come back by. The account is locked.

    That is: tokens of staff and administrators that the owner made under other names, and open
    invitations. Tokens made for holders and employers are theirs and stay.
    """
    of_access(work, account_id)
    people = tokens.people_below(work, account_id)
    _end_tokens(work, Token.person_id.in_(people) & Token.role.in_(sorted(OF_THE_BODY)))
    open_ = Invitation.accepted_at.is_(None) & Invitation.withdrawn_at.is_(None)
    sent = update(Invitation).where(Invitation.inviter_id.in_(people), open_)
    for row in work.rows(sent.values(withdrawn_at=work.now).returning(Invitation.id)):
        history.record(work, "withdraw", "invitation", row.id)


def of_holder(work: UnitOfWork, holder_id: str) -> None:
    """End the sessions and tokens of a holder, who perhaps has no account."""
    account = work.row(select(Account.id).where(Account.holder_id == holder_id))
    if account is not None:
        accounts.lock(work, account.id)
        of_access(work, account.id)
    _end_tokens(work, (Token.role == "holder") & (Token.holder_id == holder_id))


def _end_tokens(work: UnitOfWork, which: ColumnElement[bool]) -> None:
    living = select(Token.id).where(which, Token.revoked_at.is_(None))
    for row in work.rows(living.order_by(Token.id)):
        tokens.revoke(work, row.id)
