"""Signing in with a password and a second factor (services/people/password_sign_in.py)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from tests.members import member
from tracker.domain.permissions import SYSTEM
from tracker.models import SignIn
from tracker.services.people import password_sign_in


def test_an_attempt_has_five_tries_however_many_come_at_once(container):
    kim = member(container, "admin")
    kim.set_up()
    with container.work(SYSTEM) as work:
        secret = password_sign_in.begin_factor(work, kim.id, kim.email)

    def enter(code):
        with container.work(SYSTEM) as work:
            return password_sign_in.enter(work, secret, code, agent="")

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(enter, ["000000"] * 20)) == {None}
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(SignIn.tries)).tries == container.settings.accounts.code_tries
    assert enter(kim.code()) is None
