"""When letters go: by day, not too many to a holder, not too fast to a mail domain."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text, update

from tests.services import reminder_cases as cases
from tests.statements import counted
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import MailDomain, Message
from tracker.services import activities, certifications, outbox, pacing, runtime

EXPIRY = date(2027, 3, 15)
NEW_YORK = ZoneInfo("America/New_York")
SECONDS = timedelta(seconds=1)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of February 2027 by New York's clock."""
    return datetime(2027, 2, day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


def paced(office, **reminders):
    """The office with other settings of reminders."""
    settings = office.settings
    return replace(
        office, settings=replace(settings, reminders=replace(settings.reminders, **reminders))
    )


@pytest.fixture
def quiet(office):
    return paced(office, quiet_from_hour=21, quiet_until_hour=7)


# At night.
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

    (letter,) = cases.letters(quiet)
    assert letter.next_at == goes
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


def test_what_would_come_too_late_in_the_morning_goes_at_night(office, clock):
    late_riser = paced(office, quiet_from_hour=21, quiet_until_hour=12)
    cases.certified(late_riser, EXPIRY)
    clock.now = datetime(2027, 3, 14, 22, tzinfo=NEW_YORK).astimezone(UTC)
    jobs.plan(late_riser)

    (letter,) = cases.letters(late_riser)
    assert letter.useful_until < clock.now + timedelta(hours=12)
    assert letter.next_at == clock.now


def test_what_is_planned_before_and_after_midnight_is_one_letter(quiet, clock):
    (first,) = cases.certified(quiet, EXPIRY)
    clock.now = at(13, 23, 30)
    jobs.plan(quiet)
    with quiet.work(SYSTEM) as work:
        cases.award(work, [cases.holder_of(work, first)], cases.years_before(EXPIRY), scheme="clt")
    clock.now = at(14, 0, 30)
    jobs.plan(quiet)
    (letter,) = cases.letters(quiet)
    assert letter.next_at == at(14, 7)


def test_what_is_too_many_and_too_late_tomorrow_goes_in_the_morning(office, clock):
    office = paced(office, quiet_from_hour=21, quiet_until_hour=7, holder_per_day=1)
    clock.now = datetime(2027, 2, 28, 19, tzinfo=NEW_YORK).astimezone(UTC)
    (id_,) = cases.certified(office, EXPIRY)
    clock.now = datetime(2027, 3, 7, 20, tzinfo=NEW_YORK).astimezone(UTC)
    _wrote(office, id_, 1)
    clock.now = datetime(2027, 3, 8, 2, tzinfo=NEW_YORK).astimezone(UTC)
    jobs.plan(office)  # the stage of 14 days, until the one of 7 at nine
    assert (_reminder(office).stage, _reminder(office).next_at) == (
        14, datetime(2027, 3, 8, 7, tzinfo=NEW_YORK).astimezone(UTC),
    )  # fmt: skip


def test_news_of_a_night_make_one_letter_in_the_morning_but_a_new_address_is_told_at_once(
    quiet, clock
):
    clock.now = at(13, 12)
    (id_,) = cases.certified(quiet, EXPIRY)
    clock.now = at(13, 23)
    ids = [_submitted(quiet, id_, title) for title in ("Robot Safety", "Welding")]
    for activity_id in ids:
        clock.advance(minutes=40)
        _approve(quiet, activity_id)

    told = [row for row in cases.letters(quiet) if row.kind == "notice" and row.about["type"]]
    assert [row.next_at for row in told if row.created_at > at(13, 23)] == [at(14, 7)]


def _submitted(office, certification_id, title):
    with office.work(SYSTEM) as work:
        row = certifications.locked(work, certification_id)
        id_ = activities.log(
            work, row.id,
            {"category": "CE", "type": "third_party", "title": title, "provider": "Amatrol",
             "quantity": Decimal(16), "completed_on": date(2027, 1, 4)},
        )  # fmt: skip
        activities.submit(work, id_)
    return id_


def _approve(office, activity_id):
    with office.work(SYSTEM) as work:
        version = activities.get(work, activity_id).version
        activities.decide(work, activity_id, activities.Verdict("approved"), version=version)


# To one holder.
def _wrote(office, certification_id, count, **more):
    """Queue letters to the holder of a certification, of kinds that do not matter here."""
    with office.work(SYSTEM) as work:
        holder_id = cases.holder_of(work, certification_id)
        wanted = [
            outbox.Wanted(
                key=f"t:{work.now}:{n}", kind="notice", holder_id=holder_id, address="a@b.example",
                useful_until=work.now + timedelta(days=9), about={"type": ""}, **more,
            )
            for n in range(count)
        ]  # fmt: skip
        outbox.enqueue(work, work.message_key, wanted)


def _reminder(office):
    return next(row for row in cases.letters(office) if row.kind == "reminder")


@pytest.mark.parametrize(("before", "waits"), [(1, False), (2, True), (3, True)])
def test_a_holder_who_got_the_days_number_gets_the_next_a_day_after_the_first(
    office, clock, before, waits
):
    office = paced(office, holder_per_day=2)
    clock.now = at(13, 8)
    (id_,) = cases.certified(office, EXPIRY)
    _wrote(office, id_, before)
    clock.now = at(13, 10)
    jobs.plan(office)
    assert _reminder(office).next_at == (at(14, 8) if waits else at(13, 10))


def _full_until(office, certification_id):
    with office.reading(SYSTEM) as reading:
        holder_id = cases.holder_of(reading, certification_id)
        return pacing.of_holders(reading, {holder_id: "America/New_York"})[holder_id].full_until


@pytest.mark.parametrize("state", ["cancelled", "dead"])
def test_letters_of_yesterday_of_other_people_and_those_that_never_came_do_not_count(
    office, clock, state
):
    office = paced(office, holder_per_day=1)
    clock.now = at(12, 9)
    id_, other = cases.certified(office, EXPIRY, 2)
    _wrote(office, id_, 1)
    clock.now = at(13, 10)
    _wrote(office, other, 1)
    assert (_full_until(office, id_), _full_until(office, other)) == (None, at(14, 10))
    with office.work(SYSTEM) as work:
        work.connection.execute(update(Message).values(state=state))
    assert _full_until(office, other) is None


def test_letters_that_wait_count_for_the_day_on_which_they_go(office, clock):
    office = paced(office, holder_per_day=2)
    clock.now = at(12, 9)
    (id_,) = cases.certified(office, EXPIRY)
    for hour, full_until in ((8, None), (10, at(14, 8)), (11, at(14, 10)), (12, at(15, 8))):
        clock.now = at(13, hour)
        _wrote(office, id_, 1, not_before=_full_until(office, id_))
        assert (_full_until(office, id_) or at(14, 8)) == (full_until or at(14, 8))


def test_the_last_reminders_wait_for_nobody(office, clock):
    office = paced(office, holder_per_day=1)
    clock.now = datetime(2027, 3, 8, 15, tzinfo=UTC)
    (id_,) = cases.certified(office, EXPIRY)
    _wrote(office, id_, 1)
    jobs.plan(office)
    assert (_reminder(office).stage, _reminder(office).next_at) == (7, clock.now)


def test_a_letter_that_waits_goes_at_once_when_it_has_something_urgent_to_tell(office, clock):
    office = paced(office, holder_per_day=1)
    clock.now = datetime(2027, 3, 8, 15, tzinfo=UTC)
    (first,) = cases.certified(office, date(2027, 4, 7))
    _wrote(office, first, 1)
    jobs.plan(office)
    assert (_reminder(office).stage, _reminder(office).next_at > clock.now) == (30, True)

    with office.work(SYSTEM) as work:
        cases.award(work, [cases.holder_of(work, first)], cases.years_before(EXPIRY), scheme="clt")
    jobs.plan(office)
    assert (_reminder(office).stage, _reminder(office).next_at) == (7, clock.now)
    assert len([row for row in cases.letters(office) if row.kind == "reminder"]) == 1


def test_no_number_is_no_limit(office, clock):
    office = paced(office, holder_per_day=0)
    clock.now = at(13, 10)
    (id_,) = cases.certified(office, EXPIRY)
    _wrote(office, id_, 30)
    jobs.plan(office)
    assert _reminder(office).next_at == clock.now


def test_paces_of_many_are_found_by_the_index_with_one_statement(office, clock, backend):
    clock.now = at(13, 10)
    asked = []
    for count in (2, 60):
        with office.work(SYSTEM) as work:
            zones = dict.fromkeys(cases.holders(work, count), "America/Chicago")
        with office.reading(SYSTEM) as reading, counted(office) as ran:
            assert pacing.of_holders(reading, zones).keys() == zones.keys()
        asked.append(len(ran))
    assert asked == [1, 1]

    with office.work(SYSTEM) as work:
        if backend == "postgresql":
            work.connection.exec_driver_sql("set local enable_seqscan = off")
        explain = "explain query plan" if backend == "sqlite" else "explain"
        question = (
            "select holder_id, next_at from message where next_at > '2027-01-01'"
            f" and holder_id in ('{next(iter(zones))}')"
        )
        plan = str(work.rows(text(f"{explain} {question}")))
    assert "ix_message_holder" in plan


# To one mail domain.
@pytest.fixture
def slow(office, clock):
    """An office that sends two letters a minute to one domain, and three that wait for each."""
    office = paced(office, domain_per_minute=2)
    for domain in ("big.example", "BIG.example", "other.example"):
        for n in range(3 if domain == "other.example" else 2):
            email = f"{len(domain)}{domain[0]}{n}@{domain}"
            cases.certified(office, EXPIRY, email=email)
    clock.now = at(13, 9)
    jobs.plan(office)
    return office


def _claimed(office, limit=10):
    """The domains of what is claimed now."""
    with office.work(SYSTEM) as work:
        runtime.open_row(work)
        claims = outbox.claim(work, owner="test", place=runtime.place(work), limit=limit)
    addresses = {row.id: row.address for row in cases.letters(office)}
    return Counter(addresses[one.id].rpartition("@")[2].lower() for one in claims)


def test_a_domain_gets_so_many_at_once_and_the_others_one_by_one(slow, clock):
    assert _claimed(slow) == {"big.example": 2, "other.example": 2}
    assert _claimed(slow) == {}
    waiting = [row for row in cases.letters(slow) if row.state == "ready"]
    assert {(row.attempts, row.next_at) for row in waiting} == {(0, clock.now)}

    clock.advance(seconds=29.9)
    assert _claimed(slow) == {}
    clock.advance(seconds=0.1)
    assert _claimed(slow) == {"big.example": 1, "other.example": 1}
    clock.advance(seconds=30)
    assert _claimed(slow) == {"big.example": 1}


def test_letters_behind_those_that_must_wait_are_found(slow):
    claims = [_claimed(slow, limit=1) for _ in range(6)]
    assert sum(claims, Counter()) == {"big.example": 2, "other.example": 2}
    assert claims[4:] == [{}, {}]


def test_a_clock_that_is_behind_takes_no_more_than_there_is(slow, clock):
    assert _claimed(slow).total() == 4
    clock.advance(minutes=-2)
    with slow.work(SYSTEM) as work:
        work.connection.execute(update(Message).values(next_at=work.now))
    assert _claimed(slow) == {}
    with slow.reading(SYSTEM) as reading:
        full = {row.full_at for row in reading.rows(select(MailDomain.full_at))}
    assert full == {clock.now + timedelta(minutes=3)}


@pytest.mark.parametrize("size", [7, 13, 60_000])
def test_as_many_tokens_as_are_said_fit_into_a_minute(size):
    each = pacing._each(size)
    assert timedelta(minutes=1) // each >= size
    assert each * size <= timedelta(minutes=1) < each * size + size * timedelta(microseconds=1)


def test_a_bucket_holds_no_more_than_a_minutes_letters(slow, clock):
    clock.advance(hours=5)
    assert _claimed(slow) == {"big.example": 2, "other.example": 2}


def test_processes_take_from_the_same_buckets(slow):
    with ThreadPoolExecutor(4) as pool:
        found: Counter[str] = sum(pool.map(lambda _: _claimed(slow, limit=1), range(8)), Counter())
    assert found == {"big.example": 2, "other.example": 2}


def test_all_arrive_in_the_end_and_each_once(slow, clock):
    with cases.relay(slow) as (sending, catcher):
        for _ in range(3):
            jobs.dispatch(sending)
            clock.advance(seconds=30)
        assert len({one.message_id for one in catcher.letters()}) == 7
        assert len(catcher.letters()) == 7


def test_without_a_limit_no_bucket_is_asked(office, clock):
    clock.now = at(13, 9)
    cases.certified(office, EXPIRY, 2)
    jobs.plan(office)
    with counted(office) as ran:
        assert _claimed(office).total() == 2
    assert not any("mail_domain" in one for one in ran)
