"""Authenticator apps and recovery codes (services/people/second_factors.py)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from tests.backends import SQLITE
from tests.members import at, member
from tracker.domain.permissions import SYSTEM
from tracker.models import RecoveryCode
from tracker.services.people import second_factors


@pytest.fixture
def kim(container):
    return member(container, "admin")


def is_right(container, who, text):
    with container.work(SYSTEM) as work:
        return second_factors.is_right(work, who.id, text)


def test_one_of_ten_that_enter_a_code_at_once_gets_in(container, kim):
    kim.set_up()
    code = kim.code()
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda _: is_right(container, kim, code), range(10)))

    assert found.count(True) == 1


def test_one_of_ten_that_enter_a_recovery_code_at_once_gets_in(container, kim):
    code = kim.set_up()[0]
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda _: is_right(container, kim, code), range(10)))

    assert found.count(True) == 1


@SQLITE
def test_without_an_app_nothing_is_right(container, kim):
    assert not is_right(container, kim, "123456")
    assert not is_right(container, kim, "AAAA-AAAA")


ANYTHING = ["", "\ud800", "\uff11" * 6, "x" * 1000, "12345", "0x1234"]


@SQLITE
def test_anything_may_be_typed(container, kim):
    kim.set_up()

    for text in ANYTHING:
        assert not is_right(container, kim, text), text


def test_digits_of_other_keyboards_are_digits(container, kim):
    kim.set_up()
    wide = kim.code().translate({ord("0") + n: 0xFF10 + n for n in range(10)})

    assert is_right(container, kim, f"{wide[:3]} {wide[3:]}")


@SQLITE
def test_the_secret_is_not_stored_and_two_accounts_have_two(container, kim):
    sam = member(container)
    kim.set_up()
    sam.set_up()

    assert kim.secret() != sam.secret()
    assert len(kim.secret()) == 32


def test_recovery_codes_belong_to_one_account_and_are_stored_as_digests(container, kim):
    sam = member(container)
    codes = kim.set_up()
    sam.set_up()
    with container.reading(SYSTEM) as reading:
        stored = {row.digest for row in reading.rows(select(RecoveryCode.digest))}

    assert not is_right(container, sam, codes[0])
    assert len(stored) == 20
    assert stored.isdisjoint(codes)


def test_a_new_set_of_recovery_codes_replaces_the_one_before(container, kim):
    former = kim.set_up()
    with container.work(SYSTEM) as work:
        codes = second_factors.new_recovery_codes(work, kim.id)

    assert not is_right(container, kim, former[0])
    assert is_right(container, kim, codes[0])
    with container.reading(SYSTEM) as reading:
        assert second_factors.recovery_codes_left(reading, kim.id) == 9


@SQLITE
def test_a_new_app_replaces_the_one_before(container, kim, clock):
    kim.set_up()
    former = kim.secret()
    secret = second_factors.secret_of(container.message_key, "another seed")
    with container.work(SYSTEM) as work:
        wrong = second_factors.set_up(work, kim.id, "another seed", at(clock.now, former, 0))
        assert wrong is None
        right = second_factors.set_up(work, kim.id, "another seed", at(clock.now, secret, 0))
        assert right is not None

    clock.advance(minutes=1)
    assert not is_right(container, kim, at(clock.now, former, 0))
    assert is_right(container, kim, at(clock.now, secret, 0))


def test_an_app_that_was_removed_is_set_up_again(container, kim):
    codes = kim.set_up()
    with container.work(SYSTEM) as work:
        second_factors.remove(work, kim.id)
        assert not second_factors.is_set_up(work, kim.id)

    assert not is_right(container, kim, codes[0])
