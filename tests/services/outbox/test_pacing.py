"""When messages go: by day (services/pacing)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.models import Message
from tracker.services.credentials import certifications
from tracker.services.points import activities, activity_decisions, activity_rows

EXPIRY = date(2027, 3, 15)
NEW_YORK = ZoneInfo("America/New_York")
SECONDS = timedelta(seconds=1)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of February 2027 by New York's clock."""
    return datetime(2027, 2, day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


def paced(container, **reminders):
    """The container with other settings of reminders."""
    settings = container.settings
    return replace(
        container, settings=replace(settings, reminders=replace(settings.reminders, **reminders))
    )


@pytest.fixture
def quiet(container):
    return paced(container, quiet_from_hour=21, quiet_until_hour=7)


# At night.
@SQLITE
@pytest.mark.parametrize(
    ("now", "goes"),
    [
        (at(13, 20, 59), at(13, 20, 59)),
        (at(13, 21), at(14, 7)),
        (at(14, 2), at(14, 7)),
        (at(14, 7), at(14, 7)),
    ],
)
def test_a_reminder_that_is_planned_at_night_goes_in_the_morning(quiet, clock, now, goes):
    cases.certified(quiet, EXPIRY)
    clock.now = now
    jobs.plan(quiet)

    (message,) = cases.letters(quiet)
    assert message.next_at == goes
    with cases.relay(quiet) as (sending, catcher):
        jobs.dispatch(sending)
        assert len(catcher.letters()) == (goes == now)
        clock.now = goes
        jobs.dispatch(sending)
        assert len(catcher.letters()) == 1


def test_the_night_is_the_holders(quiet, clock):
    cases.certified(quiet, EXPIRY, time_zone="Pacific/Honolulu")
    clock.now = at(14, 2)  # nine in the evening of the 13th there
    jobs.plan(quiet)
    assert cases.letters(quiet)[0].next_at == at(14, 12)


@SQLITE
def test_what_would_come_too_late_in_the_morning_goes_at_night(container, clock):
    late_riser = paced(container, quiet_from_hour=21, quiet_until_hour=12)
    cases.certified(late_riser, EXPIRY)
    clock.now = datetime(2027, 3, 14, 22, tzinfo=NEW_YORK).astimezone(UTC)
    jobs.plan(late_riser)

    (message,) = cases.letters(late_riser)
    assert message.useful_until < clock.now + timedelta(hours=12)
    assert message.next_at == clock.now


def test_what_is_planned_before_and_after_midnight_is_one_message(quiet, clock):
    (first,) = cases.certified(quiet, EXPIRY)
    clock.now = at(13, 23, 30)
    jobs.plan(quiet)
    with quiet.work(SYSTEM) as work:
        cases.award(work, [cases.holder_of(work, first)], cases.years_before(EXPIRY), scheme="clt")
    clock.now = at(14, 0, 30)
    jobs.plan(quiet)
    (message,) = cases.letters(quiet)
    assert message.next_at == at(14, 7)


def test_news_of_a_night_make_one_message_in_the_morning_but_a_new_address_is_told_at_once(
    quiet, clock
):
    clock.now = at(13, 12)
    (id_,) = cases.certified(quiet, EXPIRY)
    clock.now = at(13, 23)
    ids = [_submitted(quiet, id_, title) for title in ("Robot Safety", "Welding")]
    for activity_id in ids:
        clock.advance(minutes=40)
        _approve(quiet, activity_id)

    notices = [row for row in cases.letters(quiet) if row.kind == "notice" and row.about["type"]]
    assert [row.next_at for row in notices if row.created_at >= at(13, 23)] == [at(14, 7)]


def _submitted(container, certification_id, title):
    with container.work(SYSTEM) as work:
        row = certifications.locked(work, certification_id)
        id_ = activities.log(
            work,
            row.id,
            {
                "category": "CE",
                "type": "third_party",
                "title": title,
                "provider": "Amatrol",
                "quantity": Decimal(16),
                "completed_on": date(2027, 1, 4),
            },
        )
        activities.submit(work, id_)
    return id_


def _approve(container, activity_id):
    with container.work(SYSTEM) as work:
        version = activity_rows.get(work, activity_id).version
        activity_decisions.decide(
            work,
            activity_id,
            activity_decisions.ReviewerDecision(ActivityVerdict.APPROVED),
            version=version,
        )


def test_a_message_that_waits_goes_at_once_when_it_has_something_urgent_to_tell(container, clock):
    clock.now = datetime(2027, 3, 8, 15, tzinfo=UTC)
    (first,) = cases.certified(container, date(2027, 4, 7))
    jobs.plan(container)
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Message).values(next_at=clock.now + timedelta(days=2)))
        cases.award(work, [cases.holder_of(work, first)], cases.years_before(EXPIRY), scheme="clt")
    jobs.plan(container)

    (message,) = cases.letters(container)
    assert (message.stage, message.next_at) == (7, clock.now)
