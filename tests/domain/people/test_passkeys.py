"""The rules of passkeys (domain/people/passkeys.py)."""

from __future__ import annotations

import pytest

from tracker.domain.errors import LastFactor, LimitReached
from tracker.domain.people import passkeys
from tracker.domain.people.passkeys import MOST
from tracker.domain.permissions import ROLES


@pytest.mark.parametrize(
    ("stored", "shown", "copied"),
    [(0, 0, False), (0, 1, False), (1, 2, False), (1, 1, True), (2, 1, True), (1, 0, True)],
)
def test_a_counter_that_does_not_go_up_shows_a_copy(stored, shown, copied):
    assert passkeys.is_copied(stored, shown) is copied


def test_there_is_room_for_twenty():
    passkeys.check_room(MOST - 1)
    with pytest.raises(LimitReached):
        passkeys.check_room(MOST)


@pytest.mark.parametrize("role", ROLES)
def test_only_holders_remove_their_last_factor(role):
    passkeys.check_removable(role, others=1, has_app=False)
    passkeys.check_removable(role, others=0, has_app=True)
    if role == "holder":
        passkeys.check_removable(role, others=0, has_app=False)
    else:
        with pytest.raises(LastFactor):
            passkeys.check_removable(role, others=0, has_app=False)
