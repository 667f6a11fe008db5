"""What ends with rights and secrets (services/people/endings.py)."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import func, select

from tests import factories
from tests.backends import SQLITE
from tests.members import member
from tracker.domain.errors import SessionEnded, TokenEnded
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Invitation, LoginSession, SignIn, Token
from tracker.services.core import tokens
from tracker.services.overview import me
from tracker.services.people import (
    accounts,
    endings,
    invitations,
    managed_accounts,
    own_account,
    password_sign_in,
    recoveries,
    sessions,
)
from tracker.services.people.invitations import PersonToInvite

EVE = PersonToInvite("staff", "Eve", "eve@example.org")


def signed_in(container, who):
    """Somebody in a new session."""
    with container.work(SYSTEM) as work:
        id_, _ = sessions.start(work, who.id, email=who.email, agent="")
        return sessions.actor_of(work, id_)


def count(container, which):
    with container.reading(SYSTEM) as reading:
        return reading.row(select(func.count()).where(which))[0]


def living(container, person_id):
    return count(container, (Token.person_id == person_id) & Token.revoked_at.is_(None))


@pytest.fixture
def kim(container):
    member(container, "admin", email="boss@example.org")
    return member(container, "admin")


def make_token(container, actor, **wanted):
    with container.work(actor) as work:
        return me.make_token(work, wanted)[0]


def _deactivate(work, who):
    managed_accounts.deactivate(work, who.id, reason="x")


def _demote(work, who):
    managed_accounts.change(work, who.id, role="staff")


@pytest.mark.parametrize("end", [_deactivate, _demote])
def test_nobody_comes_back_by_what_they_gave_to_others(container, kim, end):
    """A token of staff under another name, what was made with it, and invitations of both."""
    actor = signed_in(container, kim)
    other = make_token(container, actor, role="admin", name="CI")
    with container.reading(SYSTEM) as reading:
        program = reading.row(select(Token.person_id).where(Token.id == other)).person_id
    inviting = Actor(role="admin", name="CI", token_id=other, person_id=program)
    for who, email in ((actor, "a@x.org"), (inviting, "b@x.org")):
        with container.work(who) as work:
            invitations.invite(work, EVE._replace(email=email))
    with container.work(SYSTEM) as work:
        of_ana = factories.holder(work)
    theirs = make_token(container, actor, role="holder", holder_id=of_ana, name="Ana")
    with container.work(SYSTEM) as work:
        end(work, kim)

    assert living(container, program) == 0
    assert count(container, Invitation.withdrawn_at.is_(None)) == 0
    assert count(container, (Token.id == theirs) & Token.revoked_at.is_(None)) == 1


def _change_password(work, _who):
    own_account.change_password(work, "x")


def _reset_factor(work, who):
    recoveries.reset_factor(work, who.id)


@pytest.mark.parametrize("act", [_change_password, _reset_factor])
def test_with_a_secret_end_tokens_and_half_a_sign_in(container, kim, act):
    kim.set_up()
    actor, other = signed_in(container, kim), signed_in(container, kim)
    make_token(container, actor)
    with container.work(SYSTEM) as work:
        password_sign_in.begin_factor(work, kim.id, kim.email)
    with container.work(actor) as work:
        act(work, kim)

    assert living(container, kim.id) == 0
    assert count(container, (SignIn.account_id == kim.id) & SignIn.used_at.is_(None)) == 0
    ended = LoginSession.ended_at.is_not(None)
    assert count(container, (LoginSession.id == other.session_id) & ended) == 1


def test_a_holders_tokens_end_with_the_mailbox(container):
    """Those of a holder who has an account and of one who has none, not those of a reviewer."""
    with container.work(SYSTEM) as work:
        claimed, unclaimed = factories.holder(work), factories.holder(work)
        account_id, _ = accounts.claim(work, claimed, "ana@example.org")
    actor = Actor(role="holder", name="Ana", holder_id=claimed, person_id=account_id)
    make_token(container, actor)
    for holder_id in (claimed, unclaimed):
        factories.secret(container, "holder", holder_id=holder_id)
    factories.secret(container, "staff", holder_id=claimed)
    with container.work(SYSTEM) as work:
        for holder_id in (claimed, unclaimed):
            endings.of_holder(work, holder_id)

    with container.reading(SYSTEM) as reading:
        rows = reading.rows(select(Token.role).where(Token.revoked_at.is_(None)))
    assert [row.role for row in rows] == ["staff"]


def _token(work):
    return me.make_token(work, {})


def _invitation(work):
    return invitations.invite(work, EVE)


@pytest.mark.parametrize("make", [_token, _invitation])
def test_what_is_made_at_the_same_moment_ends_too(container, kim, make):
    """Who deactivates waits for the transaction that makes it, and then finds it."""
    actor = signed_in(container, kim)

    def deactivate():
        with container.work(SYSTEM) as work:
            _deactivate(work, kim)

    other = threading.Thread(target=deactivate)
    with container.work(actor) as work:
        make(work)
        other.start()
        time.sleep(0.3)
    other.join()

    assert living(container, kim.id) == 0
    assert count(container, Invitation.withdrawn_at.is_(None)) == 0


@pytest.mark.parametrize("make", [_token, _invitation])
def test_who_was_deactivated_meanwhile_makes_nothing(container, kim, make):
    actor = signed_in(container, kim)
    with container.work(SYSTEM) as work:
        _deactivate(work, kim)
    with pytest.raises(SessionEnded), container.work(actor) as work:
        make(work)


@SQLITE
def test_nor_does_a_token_that_has_ended(container, kim):
    id_ = make_token(container, signed_in(container, kim))
    with container.work(SYSTEM) as work:
        tokens.revoke(work, id_)
    program = Actor(role="admin", name="Kim", token_id=id_, person_id=kim.id)
    with pytest.raises(TokenEnded), container.work(program) as work:
        invitations.invite(work, EVE)
