"""The calendar of what falls due: it says what the dry run says, for every day ahead."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tests.services.imports import importing
from tests.statements import counted
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.services.delivery import ledger, reminder_calendar

KINDS = ("holders", "assessments", "activities", "renewals", "standing-changes", "roster")
TODAY, SOON = date(2026, 11, 21), date(2026, 11, 28)
EXPIRY = date(2027, 3, 15)
# What only the day itself tells; the calendar counts these among those that fall due.
OPEN = {"points_complete", "not_deliverable", "unwanted", "snoozed"}


def shown(container, days=90):
    with container.reading(SYSTEM) as reading:
        return reminder_calendar.ahead(reading, days=days)


def by_day(calendar):
    return Counter({(due.on, due.scheme, due.stage): due.count for due in calendar.due})


def foreseen(container, days=range(91)):
    """The same from the dry run of each day: what it would decide about that day's stages."""
    today = container.clock().date()
    counts: Counter[tuple[date, str, int]] = Counter()
    for n in days:
        day = today + timedelta(days=n)
        with container.reading(SYSTEM) as reading:
            for stage in ledger.foresee(reading, as_of=day):
                due_on = max(stage.expires_on - timedelta(days=stage.offset), today)
                if due_on == day and (stage.fate == "planned" or stage.reason in OPEN):
                    counts[day, stage.scheme, stage.offset] += 1
    return counts


@pytest.fixture
def sample(container):
    for kind in KINDS:
        importing.bring(container, kind, importing.SAMPLE / f"{kind}.csv")


@pytest.mark.no_cover
@pytest.mark.usefixtures("sample")
def test_it_agrees_with_the_dry_run_on_the_sample_before_and_after_planning(container):
    before = by_day(shown(container))
    days = [0, *sorted({(key[0] - TODAY).days for key in before} - {0})[::4], 45, 90]
    dates = {TODAY + timedelta(days=n) for n in days}
    assert {key: n for key, n in before.items() if key[0] in dates} == foreseen(
        container, set(days)
    )
    assert sum(before.values()) > 10
    jobs.plan(container)
    after = by_day(shown(container))
    soon = {key: n for key, n in after.items() if key[0] <= SOON}
    assert soon == foreseen(container, range(8))
    assert {key for key in after if key[0] > TODAY} == {key for key in before if key[0] > TODAY}


@SQLITE
def test_a_stage_is_shown_on_its_day_and_gone_once_it_is_planned(container, clock):
    clock.now = datetime(2027, 1, 10, 15, tzinfo=UTC)
    cases.certified(container, EXPIRY, 3)
    jobs.plan(container)
    calendar = shown(container, days=60)

    assert [(due.on, due.stage, due.count, due.when_complete) for due in calendar.due] == [
        (EXPIRY - timedelta(days=offset), offset, 3, offset in COMPLETE)
        for offset in (60, 30, 14, 7)
    ]
    assert (calendar.from_on, calendar.through_on) == (date(2027, 1, 10), date(2027, 3, 11))


COMPLETE = (90, 30, 7, 0, -1)


@SQLITE
@pytest.mark.parametrize("kind", ["suspend", "revoke"])
def test_what_is_not_in_force_on_the_day_is_left_out(container, clock, kind):
    clock.now = datetime(2027, 1, 10, 15, tzinfo=UTC)
    (id_,) = cases.certified(container, EXPIRY)
    jobs.plan(container)
    cases.change(container, id_, kind, date(2027, 2, 1))
    clock.set("2027-02-02")
    assert shown(container, days=60).due == ()
    assert foreseen(container, range(61)) == Counter()


@SQLITE
def test_an_application_under_review_leaves_the_stages_after_expiry(container, clock):
    clock.now = datetime(2027, 2, 20, 15, tzinfo=UTC)
    (id_,) = cases.certified(container, EXPIRY)
    cases.apply(container, id_, date(2027, 2, 20))
    counts = by_day(shown(container, days=60))
    assert counts == foreseen(container, range(61))
    assert {stage for _, _, stage in counts} <= {0, -1, -30}


@SQLITE
def test_a_stage_long_past_and_a_renewed_cycle_are_left_out(container, clock):
    clock.now = datetime(2027, 6, 1, 15, tzinfo=UTC)
    cases.certified(container, EXPIRY)
    (renewed,) = cases.certified(container, date(2027, 6, 20))
    cases.renew(container, renewed, date(2027, 5, 20))
    counts = by_day(shown(container))
    assert counts == foreseen(container) == Counter()


def test_it_takes_one_statement_however_many_there_are(container):
    cases.certified(container, date(2027, 1, 15), 2)

    def statements():
        with counted(container) as ran:
            shown(container)
        return len(ran)

    assert statements() == 1
    cases.certified(container, date(2027, 1, 20), 30)
    assert statements() == 1
