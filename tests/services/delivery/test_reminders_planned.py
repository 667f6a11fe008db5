"""The planner on real tables: windows, pauses, holds, renewals, points, several at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, insert, select, text, update

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tests.statements import counted
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification, Holder, Reminder, ReminderCursor
from tracker.services.credentials import awards
from tracker.services.delivery import ledger, planner
from tracker.services.delivery.due_stages import AT_ONCE
from tracker.services.outbox import cursors, suppressions

EXPIRY = date(2027, 3, 15)
OFFSETS = (730, 365, 180, 90, 60, 30, 14, 7, 1, 0, -1, -30)
FIVE_US_ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Pacific/Honolulu",
)


def nine(offset: int, zone: str = "America/New_York", expires_on: date = EXPIRY) -> datetime:
    """The instant of a stage."""
    day = expires_on - timedelta(days=offset)
    return datetime(day.year, day.month, day.day, 9, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def violations(container):
    with container.reading(SYSTEM) as reading:
        return ledger.identity_violations(reading)


def latest(container):
    return cases.stages(container)[-1]


@pytest.fixture(autouse=True)
def _identity(container):
    """Whatever a test does: no stage whose instant has passed is without its row."""
    yield
    assert violations(container) == []


def test_each_stage_is_planned_at_nine_where_the_holder_lives_and_not_before(container, clock):
    """It is nine in each zone in turn, from east to west."""
    clock.now = nine(800)
    for zone in FIVE_US_ZONES:
        cases.certified(container, EXPIRY, time_zone=zone)
    for offset, zone in product(OFFSETS, FIVE_US_ZONES):
        clock.now = nine(offset, zone) - timedelta(seconds=1)
        assert jobs.plan(container).planned == 0, (offset, zone)
        clock.now = nine(offset, zone)
        assert jobs.plan(container).planned == 1, (offset, zone)
        assert latest(container) == (offset, "planned", None)
    planned = [stage for stage, *_ in cases.stages(container)]
    assert planned == [offset for offset in OFFSETS for _ in FIVE_US_ZONES]


@pytest.mark.parametrize("night", [date(2027, 3, 14), date(2027, 11, 7)])
def test_a_stage_on_the_day_of_a_clock_change_comes_once_at_nine_local_time(
    container, clock, night
):
    expires_on, west = night + timedelta(days=30), FIVE_US_ZONES[-1]
    clock.now = nine(60, west, expires_on)
    zones = {f"{n}@example.com": zone for n, zone in enumerate(FIVE_US_ZONES)}
    for email, zone in zones.items():
        cases.certified(container, expires_on, time_zone=zone, email=email)
    jobs.plan(container)
    clock.now = nine(30, FIVE_US_ZONES[0], expires_on) - timedelta(hours=12)
    while clock.now < nine(30, west, expires_on) + timedelta(hours=12):
        clock.advance(hours=1)
        jobs.plan(container)

    planned = [stage for stage, fate, _ in cases.stages(container) if fate == "planned"]
    assert planned == [60] * len(zones) + [30] * len(zones)
    latest_told = {row.address: row.created_at for row in cases.letters(container)}
    assert latest_told == {email: nine(30, zone, expires_on) for email, zone in zones.items()}


@SQLITE
def test_after_a_missed_week_only_the_latest_stage_gets_a_message(container, clock):
    clock.now = nine(30)
    cases.certified(container, EXPIRY)
    jobs.plan(container)
    clock.now = nine(7) + timedelta(days=1)
    counts = jobs.plan(container)

    assert (counts.planned, counts.superseded) == (1, 1)
    assert cases.stages(container)[-2:] == [(14, "superseded", None), (7, "planned", None)]


def test_thirty_days_offline_give_one_message_a_holder(container, clock):
    clock.now = nine(91)
    cases.certified(container, EXPIRY, 20)
    jobs.plan(container)
    before = len(cases.letters(container))
    clock.now = nine(91) + timedelta(days=95)
    jobs.plan(container)

    assert len(cases.letters(container)) == before + 20
    assert latest(container) == (-1, "planned", None)


def test_a_certification_that_expires_on_a_leap_day_has_every_stage(container, clock):
    """Awarded on a 28 February five years before, renewed from a leap day's anchor."""
    clock.now = datetime(2024, 2, 29, 17, tzinfo=UTC)
    with container.work(SYSTEM) as work:
        cases.award(work, cases.holders(work, 1), date(2024, 2, 29))
    for offset in (30, 0, -1):
        clock.now = nine(offset, expires_on=date(2029, 2, 28))
        jobs.plan(container)
        assert latest(container) == (offset, "planned", None)


@SQLITE
def test_the_planner_run_twice_plans_nothing_twice(container, clock):
    clock.now = nine(30)
    cases.certified(container, EXPIRY)
    jobs.plan(container)
    again = jobs.plan(container)

    assert again.examined == 0
    assert len(cases.letters(container)) == 1


def test_a_suspension_skips_its_stages_and_a_reinstatement_picks_up_what_is_of_use(
    container, clock
):
    clock.now = nine(61)
    (id_,) = cases.certified(container, EXPIRY)
    cases.change(container, id_, "suspend", clock.now.date())
    clock.now = nine(60)
    jobs.plan(container)
    assert latest(container) == (60, "skipped", "not_in_force")
    clock.advance(days=1)
    cases.change(container, id_, "reinstate", clock.now.date())
    jobs.plan(container)
    assert latest(container) == (60, "planned", None), "it is of use still"
    clock.now = nine(30)
    jobs.plan(container)

    assert latest(container) == (30, "planned", None)


def test_a_renewal_starts_the_stages_of_its_own_cycle_and_ends_the_old_ones(container, clock):
    clock.now = nine(60)
    (id_,) = cases.certified(container, EXPIRY)
    jobs.plan(container)
    cases.renew(container, id_, clock.now.date())
    clock.now = nine(-30)
    jobs.plan(container)
    assert latest(container) == (60, "planned", None)
    clock.now = nine(730, expires_on=date(2032, 3, 15))
    jobs.plan(container)

    assert latest(container) == (730, "planned", None)
    assert cases.cursor(container, id_).cycle == 2


def test_an_application_under_review_silences_the_stages_before_expiry(container, clock):
    clock.now = nine(31)
    (id_,) = cases.certified(container, EXPIRY)
    jobs.plan(container)
    cases.apply(container, id_, clock.now.date())
    clock.now = nine(30)
    jobs.plan(container)
    assert latest(container) == (30, "skipped", "renewal_pending")
    clock.now = nine(0)
    jobs.plan(container)

    assert latest(container) == (0, "planned", None)


@SQLITE
def test_complete_points_bring_fewer_messages(container, clock):
    clock.now = nine(91)
    (id_,) = cases.certified(container, EXPIRY)
    jobs.plan(container)
    cases.complete(container, id_, date(2025, 5, 1))
    for offset in (90, 60, 30, 14, 7, 1, 0):
        clock.now = nine(offset)
        jobs.plan(container)

    assert {stage: reason or fate for stage, fate, reason in cases.stages(container)[-7:]} == {
        90: "planned",
        60: "points_complete",
        30: "planned",
        14: "points_complete",
        7: "planned",
        1: "points_complete",
        0: "planned",
    }


def test_two_certifications_of_a_holder_on_one_day_make_one_message(container, clock):
    clock.now = nine(31)
    with container.work(SYSTEM) as work:
        ids = cases.holders(work, 3)
        for scheme in ("cpt", "clt"):
            cases.award(work, ids, cases.years_before(EXPIRY), scheme=scheme)
    jobs.plan(container)
    clock.now = nine(30)
    before = len(cases.letters(container))
    jobs.plan(container)

    assert len(cases.letters(container)) == before + 3
    with container.reading(SYSTEM) as reading:
        rows = reading.rows(select(Reminder.message_id).where(Reminder.offset == 30))
    assert len(rows) == 6
    assert len({row.message_id for row in rows}) == 3


def test_a_second_certification_in_a_later_batch_joins_the_message_that_waits(container, clock):
    clock.now = nine(30)
    with container.work(SYSTEM) as work:
        (holder_id,) = cases.holders(work, 1)
        cases.award(work, [holder_id], cases.years_before(EXPIRY))
    jobs.plan(container)
    with container.work(SYSTEM) as work:
        cases.award(work, [holder_id], cases.years_before(date(2027, 3, 22)), scheme="clt")
    jobs.plan(container)

    (message,) = cases.letters(container)
    assert message.stage == 30
    assert message.useful_until == nine(14)  # the later of the two


@SQLITE
def test_a_second_certification_after_the_message_was_taken_up_gets_a_message_of_its_own(
    container, clock
):
    clock.now = nine(30)
    with container.work(SYSTEM) as work:
        (holder_id,) = cases.holders(work, 1)
        cases.award(work, [holder_id], cases.years_before(EXPIRY))
    jobs.plan(container)
    with cases.relay(container) as (sending, _):
        jobs.dispatch(sending)
    with container.work(SYSTEM) as work:
        cases.award(work, [holder_id], cases.years_before(EXPIRY), scheme="clt")
    jobs.plan(container)

    first, second = cases.letters(container)
    assert (first.state, second.state) == ("sent", "ready")
    assert first.dedupe_key.removesuffix(":1") == second.dedupe_key.removesuffix(":2")


def test_one_hundred_certifications_in_batches_of_one_lose_no_stage(container, clock):
    clock.now = nine(30)
    small = replace(
        container,
        settings=replace(
            container.settings, reminders=replace(container.settings.reminders, batch=1)
        ),
    )
    cases.certified(container, EXPIRY, 30)
    jobs.plan(small)

    assert len(cases.letters(container)) == 30


def test_planners_at_once_give_one_row_and_one_message_a_stage(container, clock):
    clock.now = nine(30)
    with container.work(SYSTEM) as work:
        ids = cases.holders(work, 120)
        for scheme in ("cpt", "clt"):
            cases.award(work, ids, cases.years_before(EXPIRY), scheme=scheme)

    def until_done(_):
        total = 0
        while examined := planner.plan_due(container, limit=7).examined:
            total += examined
        return total

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(until_done, range(4)))
    jobs.plan(container)

    assert sum(done) == 360  # the CLA of each holder has a cursor too, and no stages
    stages = cases.stages(container)
    assert len([s for s in stages if s[0] == 30 and s[1] == "planned"]) == 240
    assert len(stages) == 240 * 6
    with container.reading(SYSTEM) as reading:
        orphans = text(
            "select count(*) from message m"
            " where not exists (select 1 from reminder r where r.message_id = m.id)"
        )
        assert reading.connection.execute(orphans).scalar() == 0


def test_planners_and_services_at_work_on_the_same_holders_never_lock_each_other_out(
    container, clock
):
    clock.now = nine(30)
    ids = cases.certified(container, EXPIRY, 12)
    done = threading.Event()

    def plan_on():
        while not done.is_set():
            planner.plan_due(container, limit=5)

    def hold_and_free(id_):
        for _ in range(4):
            cases.change(container, id_, "suspend", clock.now.date())
            cases.change(container, id_, "reinstate", clock.now.date())

    with ThreadPoolExecutor(4) as pool:
        planning = [pool.submit(plan_on) for _ in range(2)]
        changes = [pool.submit(hold_and_free, id_) for id_ in ids]
        try:
            for change in changes:
                change.result(timeout=120)
        finally:
            done.set()
        for one in planning:
            one.result(timeout=60)
    jobs.plan(container)

    assert len(cases.stages(container)) == 12 * 6


def test_a_planner_that_dies_before_its_commit_leaves_nothing_and_the_next_one_does_it_all(
    container, clock, monkeypatch
):
    clock.now = nine(30)
    cases.certified(container, EXPIRY, 5)

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(planner, "_advance", dies)
        with pytest.raises(KeyboardInterrupt):
            jobs.plan(container)
    assert cases.stages(container) == []
    jobs.plan(container)

    assert len(cases.letters(container)) == 5


def test_a_corrected_award_has_stages_of_its_own(container, clock):
    clock.now = nine(30)
    (id_,) = cases.certified(container, EXPIRY)
    jobs.plan(container)
    with container.work(SYSTEM) as work:
        work.connection.execute(text("update assessment set taken_on = '2022-03-20'"))
        scheme = work.schemes["cpt"]
        holder = work.row(select(Certification.holder_id).where(Certification.id == id_))
        awards.settle(work, scheme, [holder.holder_id])
    jobs.plan(container)
    clock.now = nine(30, expires_on=date(2027, 3, 20))
    jobs.plan(container)

    thirties = [row for row in cases.stages(container) if row[0] == 30]
    assert thirties == [(30, "planned", None)] * 2


def test_a_voided_certification_is_forgotten(container, clock):
    clock.now = nine(31)
    (id_,) = cases.certified(container, EXPIRY)
    with container.work(SYSTEM) as work:
        cursors.forget(work, [id_])

    assert cases.cursor(container, id_).next_due_at is None
    with container.work(SYSTEM) as work:
        work.connection.execute(delete(ReminderCursor))
        work.connection.execute(text("delete from standing_span"))


def test_a_holder_who_moves_east_gets_the_stage_that_is_due_there(container, clock):
    clock.now = nine(31)
    (id_,) = cases.certified(container, EXPIRY, time_zone="Pacific/Honolulu")
    jobs.plan(container)
    clock.now = nine(30, "Pacific/Honolulu") - timedelta(hours=1)
    assert jobs.plan(container).planned == 0
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Holder).values(time_zone="America/New_York"))
        row = work.row(select(Certification.holder_id).where(Certification.id == id_))
        cursors.touch_holders(work, [row.holder_id])

    assert jobs.plan(container).planned == 1


def test_a_holder_without_an_address_to_write_to_is_skipped_and_that_is_on_record(container, clock):
    clock.now = nine(30)
    cases.certified(container, EXPIRY, email="gone@example.com")
    with container.work(SYSTEM) as work:
        suppressions.suppress(work, ["GONE@example.com"], "hard_bounce")
    jobs.plan(container)

    assert latest(container) == (30, "skipped", "not_deliverable")


@SQLITE
def test_a_scheme_that_never_expires_owes_no_reminders(container):
    with container.work(SYSTEM) as work:
        cases.award(work, cases.holders(work, 1), date(2020, 5, 5), scheme="cla")
    jobs.plan(container)

    assert cases.stages(container) == []


def test_new_stages_in_the_scheme_file_are_found_at_the_next_tick(container, clock):
    clock.now = nine(50)
    cases.certified(container, EXPIRY)
    jobs.plan(container)
    scheme = container.schemes["cpt"]
    policy = replace(scheme.reminders, offsets=(*scheme.reminders.offsets, 100, 45))
    by_code = {**container.schemes.by_code, "cpt": replace(scheme, reminders=policy)}
    changed = replace(container, schemes=replace(container.schemes, by_code=by_code))
    jobs.plan(changed)
    assert (100, "superseded", None) in cases.stages(container)
    clock.now = nine(45)
    jobs.plan(changed)

    assert latest(container) == (45, "planned", None)
    assert violations(changed) == []


# What it costs.
def test_the_number_of_statements_does_not_depend_on_how_many_are_due(container, clock):
    clock.now = nine(15)
    cases.certified(container, EXPIRY, 205)
    jobs.plan(container)
    clock.now = nine(14)
    with counted(container) as few:
        assert planner.plan_due(container, limit=5).examined == 5
    with counted(container) as many:
        assert planner.plan_due(container, limit=400).examined == 200

    assert len(many) == len(few)
    assert len(few) <= 22


def test_an_idle_tick_reads_the_partial_index_and_nothing_else(container, backend):
    query = (
        "select certification_id from reminder_cursor where next_due_at <= '2026-11-21'"
        " order by next_due_at limit 500"
    )
    with container.work(SYSTEM) as work:
        rows = [
            {"certification_id": id_, "cycle": 1, "next_due_at": datetime(2030, 1, 1, tzinfo=UTC)}
            for id_ in cases.award(work, cases.holders(work, 300), date(2026, 1, 1))
        ]
        work.connection.execute(delete(ReminderCursor))
        work.connection.execute(insert(ReminderCursor), rows)
        work.execute(text("analyze reminder_cursor"))  # as both databases do by themselves
        plan = " ".join(
            str(row)
            for row in work.rows(
                text(f"{'explain query plan' if backend == 'sqlite' else 'explain'} {query}")
            )
        )
        with_for_update = select(ReminderCursor.certification_id).where(
            ReminderCursor.next_due_at <= work.now
        )
        assert work.rows(with_for_update) == []
        work.connection.execute(update(ReminderCursor).values(next_due_at=AT_ONCE))

    assert "ix_reminder_cursor_due" in plan
    jobs.plan(container)
