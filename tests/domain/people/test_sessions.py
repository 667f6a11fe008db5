"""How long a session lives (domain/people/sessions.py)."""

from datetime import UTC, datetime, timedelta

import pytest

from tracker.domain.errors import NotAllowed, ReauthenticationRequired
from tracker.domain.people.sessions import SessionLimits, check_fresh, is_fresh
from tracker.domain.permissions import Actor

LIMITS = SessionLimits(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("used_after", "asked_after", "is_over"),
    [
        (timedelta(0), timedelta(minutes=29, seconds=59), False),
        (timedelta(0), timedelta(minutes=30), True),
        (timedelta(minutes=20), timedelta(minutes=49), False),
        (timedelta(hours=11, minutes=59), timedelta(hours=11, minutes=59, seconds=59), False),
        (timedelta(hours=11, minutes=59), timedelta(hours=12), True),
    ],
)
def test_a_session_ends_when_it_is_not_used_and_at_the_latest_in_the_evening(
    used_after, asked_after, is_over
):
    used = {"started_at": NOON, "last_used_at": NOON + used_after}

    assert LIMITS.is_over(NOON + asked_after, **used) is is_over


def test_for_ten_minutes_after_proving_it_people_do_sensitive_things():
    actor = Actor(role="staff", name="Sam", session_id="s", proved_at=NOON)
    within = timedelta(minutes=10)
    check_fresh(actor, NOON + timedelta(minutes=9, seconds=59), within=within)

    assert not is_fresh(actor, NOON + within, within=within)
    with pytest.raises(ReauthenticationRequired):
        check_fresh(actor, NOON + within, within=within)


def test_a_token_proves_nothing():
    actor = Actor(role="staff", name="Sam", token_id="t", proved_at=None)
    with pytest.raises(NotAllowed) as refused:
        check_fresh(actor, NOON, within=timedelta(minutes=10))

    assert not isinstance(refused.value, ReauthenticationRequired)
