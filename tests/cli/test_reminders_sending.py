"""tracker reminders enable and disable, tracker golive, and how remind begins an installation."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import select, update

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tracker.domain.permissions import SYSTEM
from tracker.models import Runtime

EXPIRY = date(2027, 3, 15)
NOW = "2027-02-16T15:00:00+00:00"


@pytest.fixture
def new(container, clock):
    """An installation from which nothing was ever sent, with late reminders for two people."""
    clock.now = datetime.fromisoformat(NOW)
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Runtime).values(armed=False, armed_at=None))
    cases.certified(container, EXPIRY, 2)
    return container


def is_enabled(container):
    with container.reading(SYSTEM) as reading:
        return reading.row(select(Runtime.armed)).armed


@SQLITE
def test_sending_is_disabled_and_enabled_again(tracker, container):
    assert tracker("reminders", "disable", "--reason", "The relay moves.").exit_code == 0
    assert not is_enabled(container)
    again = tracker("reminders", "enable", "--reason", "It has moved.")
    assert (again.exit_code, again.stderr) == (0, "Sending is enabled.\n")
    assert is_enabled(container)


def test_golive_shows_the_amount_and_changes_nothing_in_a_dry_run(tracker, new):
    shown = tracker("golive", "--dry-run", TRACKER_NOW=NOW)

    assert "2 reminders 30 days before expiration" in shown.stdout
    assert "2 messages" in shown.stdout
    assert cases.letters(new) == []
    assert not is_enabled(new)


def test_golive_asks_and_without_an_answer_nothing_leaves(tracker, new):
    refused = tracker("golive", TRACKER_NOW=NOW)

    assert refused.exit_code == 1
    assert not is_enabled(new)


def test_golive_plans_spreads_and_enables(tracker, new):
    done = tracker("golive", "--yes", "--days", "2", TRACKER_NOW=NOW)

    assert (
        "2 reminders that are not due within a week of expiration are spread over 2 days"
        in done.stdout
    )
    assert "2027-02-16: 1 messages\n2027-02-17: 1 messages\n" in done.stdout
    assert is_enabled(new)


@SQLITE
def test_remind_begins_an_installation_by_itself_while_the_messages_are_few(tracker, new):
    with cases.relay(new) as (_, catcher):
        done = tracker("remind", TRACKER_NOW=NOW, TRACKER_MAIL_PORT=str(catcher.port))
        assert done.exit_code == 0
        assert len(catcher.letters()) == 2


def test_remind_names_golive_where_they_are_many(tracker, new):
    cases.certified(new, EXPIRY, 24)
    refused = tracker("remind", TRACKER_NOW=NOW)

    assert refused.exit_code == 1
    assert "tracker golive" in refused.stderr
    assert not is_enabled(new)
