"""Sessions of people who signed in (services/people/sessions.py)."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select

from tests import factories
from tests.backends import SQLITE
from tracker.domain.errors import NotFound, SessionEnded
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import LoginSession
from tracker.services.people import accounts, sessions, sign_in

ANA = "ana@example.org"

pytestmark = pytest.mark.usefixtures("ana")


@pytest.fixture
def ana(container):
    with container.work(SYSTEM) as work:
        return factories.holder(work, email=ANA)


def listed(container, actor):
    with container.reading(actor) as reading:
        return [row.id for row in sessions.page(reading, after=None, limit=10)]


@SQLITE
def test_a_session_not_used_for_half_an_hour_is_over(desk, clock):
    session = desk.sign_in(ANA)
    for _ in range(3):
        clock.advance(minutes=29)
        assert desk.actor(session) is not None
    clock.advance(minutes=31)

    assert desk.actor(session) is None


@SQLITE
def test_no_session_lasts_longer_than_twelve_hours(container, desk, clock):
    session = desk.sign_in(ANA)
    actor = desk.actor(session)
    for _ in range(24):
        clock.advance(minutes=29)
        assert desk.actor(session) is not None
    clock.advance(minutes=24)

    assert desk.actor(session) is None
    assert listed(container, actor) == []


def test_a_use_is_recorded_once_a_minute(container, desk, clock):
    session, start = desk.sign_in(ANA), clock.now
    for seconds in (0, 30, 31):
        clock.advance(seconds=seconds)
        desk.actor(session)
    with container.reading(SYSTEM) as reading:
        row = reading.row(select(LoginSession.started_at, LoginSession.last_used_at))

    assert (row.started_at, row.last_used_at) == (start, clock.now)


def test_signing_in_again_ends_the_session_that_the_browser_had(desk):
    first, again = desk.sign_in(ANA), desk.begin(ANA)
    second = desk.enter(again, desk.code(again), former=first)

    assert desk.actor(first) is None
    assert desk.actor(second) is not None


def test_people_list_and_end_their_own_sessions(container, desk):
    first, second = desk.sign_in(ANA), desk.sign_in(ANA)
    actor, other = desk.actor(first), desk.actor(second)
    assert sorted(listed(container, actor)) == sorted([actor.session_id, other.session_id])

    with container.work(actor) as work:
        for _ in range(2):
            sessions.end(work, other.session_id)

    assert desk.actor(second) is None
    assert listed(container, actor) == [actor.session_id]
    with container.work(other) as work, pytest.raises(SessionEnded):
        sessions.check_alive(work)


def test_nobody_ends_or_sees_another_persons_session(container, desk):
    with container.work(SYSTEM) as work:
        bea = factories.holder(work, email="bea@example.org")
    mine = desk.actor(desk.sign_in(ANA)).session_id
    for stranger in (
        Actor(role="holder", name="Bea", holder_id=bea),
        Actor(role="staff", name="Sam", person_id=bea),
        Actor(role="admin", name="Alex"),
    ):
        assert listed(container, stranger) == []
        with container.work(stranger) as work, pytest.raises(NotFound):
            sessions.end(work, mine)


def test_somebody_who_is_no_holder_signs_in_by_a_link_of_the_operator(container, desk, clock):
    with container.work(SYSTEM) as work:
        account_id = accounts.open_account(work, role="staff", name="Sam", email="sam@example.org")
        until = clock.now.replace(hour=23)
        link = sign_in.link_for(work, account_id, "sam@example.org", until=until)
        done = sign_in.by_link(work, link.rpartition("/")[2], agent="")
    assert done is not None
    actor = desk.actor(done.secret)

    assert (actor.role, actor.name, actor.person_id) == ("staff", "Sam", account_id)
    assert listed(container, actor) == [actor.session_id]
    assert desk.sign_in("sam@example.org") is None


def test_recording_a_use_never_waits_for_another_writer(container, desk, clock):
    """An import holds SQLite's write lock for minutes; a page that is read must not fail."""
    session, start = desk.sign_in(ANA), clock.now
    clock.advance(minutes=5)
    with container.work(SYSTEM) as importing:
        importing.execute(select(LoginSession.id).with_for_update())
        began = time.monotonic()
        assert desk.actor(session) is not None
        assert time.monotonic() - began < 1
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(LoginSession.last_used_at)).last_used_at == start

    assert desk.actor(session) is not None
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(LoginSession.last_used_at)).last_used_at == clock.now
