"""tracker reminders calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tracker import jobs


@SQLITE
def test_it_shows_a_bar_for_each_day_with_what_falls_due(tracker, container, clock):
    clock.now = datetime(2027, 2, 13, 15, tzinfo=UTC)
    cases.certified(container, date(2027, 3, 15), 4)
    cases.certified(container, date(2027, 3, 16))
    jobs.plan(container)
    found = tracker("reminders", "calendar", "--days", "18", TRACKER_NOW=clock.now.isoformat())
    lines = found.stdout.splitlines()

    assert found.exit_code == 0
    assert len(lines) == 19
    by_day = {line.split()[1]: line for line in lines}
    assert by_day["2027-02-14"] == f"Sun 2027-02-14        1  {'#' * 10:<40}  cpt 30: 1"
    assert by_day["2027-03-01"] == f"Mon 2027-03-01        4  {'#' * 40}  cpt 14*: 4"
    assert by_day["2027-02-20"] == "Sat 2027-02-20        0"
    assert "6 stages fall due by 2027-03-03." in found.stderr


@SQLITE
def test_an_empty_calendar_is_still_one(tracker):
    found = tracker("reminders", "calendar", "--days", "2")
    assert [line.split()[-1] for line in found.stdout.splitlines()] == ["0", "0", "0"]
    assert tracker("reminders", "calendar", "--days", "400").exit_code == 2
