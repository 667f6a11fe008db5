"""Stages, their instants in every zone and on both DST nights, and what a pause leaves owed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.delivery import reminders
from tracker.domain.delivery.reminders import LONG_PAST, ReminderFacts, Stage
from tracker.domain.errors import Invalid
from tracker.domain.schemes.schemes import ReminderPolicy

NEW_YORK = ZoneInfo("America/New_York")
FIVE_US_ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Pacific/Honolulu",
)
POLICY = ReminderPolicy(
    offsets=(730, 365, 180, 90, 60, 30, 14, 7, 1, 0, -1, -30),
    offsets_when_complete=frozenset({90, 30, 7, 0, -1}),
    send_at=time(9),
    resend_ambiguous_at_or_below=7,
)
EXPIRY = date(2027, 3, 15)
OPENED = datetime(2022, 3, 15, 5, tzinfo=UTC)
STAGES = reminders.stages(POLICY, EXPIRY, NEW_YORK)
BY_OFFSET = {stage.offset: stage for stage in STAGES}
MOMENT = timedelta(microseconds=1)


def plan(now: datetime, **changes: object) -> reminders.ReminderPlan:
    facts = replace(ReminderFacts(now=now, opened_at=OPENED), **changes)  # type: ignore[arg-type]
    return reminders.plan(STAGES, facts, POLICY)


def fates(found: reminders.ReminderPlan) -> dict[int, str]:
    """What became of each stage; of those skipped, and of no others, why."""
    assert all((fate == "skipped") == (reason is not None) for _, fate, reason in found.fates)
    return {stage.offset: reason or fate for stage, fate, reason in found.fates}


# Quiet hours.
@pytest.mark.parametrize(
    ("at", "begins", "ends", "expected"),
    [
        ("2027-02-13T20:59:59", 21, 7, None),
        ("2027-02-13T21:00:00", 21, 7, "2027-02-14T07:00:00"),
        ("2027-02-13T23:59:59", 21, 7, "2027-02-14T07:00:00"),
        ("2027-02-14T00:00:00", 21, 7, "2027-02-14T07:00:00"),
        ("2027-02-14T06:59:59", 21, 7, "2027-02-14T07:00:00"),
        ("2027-02-14T07:00:00", 21, 7, None),
        ("2027-02-14T00:00:00", 1, 6, None),
        ("2027-02-14T01:00:00", 1, 6, "2027-02-14T06:00:00"),
        ("2027-02-14T05:59:59", 1, 6, "2027-02-14T06:00:00"),
        ("2027-02-14T06:00:00", 1, 6, None),
        ("2027-02-14T03:00:00", 3, 3, None),
        ("2027-02-14T00:00:00", 0, 0, None),
        ("2027-03-14T01:30:00", 21, 7, "2027-03-14T07:00:00"),  # an hour less to wait
        ("2027-03-14T01:30:00", 21, 2, "2027-03-14T03:00:00"),  # there is no two o'clock
    ],
)
def test_what_falls_into_quiet_hours_waits_for_their_end(at, begins, ends, expected):
    given_at = datetime.fromisoformat(at).replace(tzinfo=NEW_YORK).astimezone(UTC)
    found = reminders.after_quiet(given_at, time(begins), time(ends), NEW_YORK)
    expected_at = datetime.fromisoformat(expected or at).replace(tzinfo=NEW_YORK)
    assert found == expected_at.astimezone(UTC)
    assert found.tzinfo is UTC


def test_quiet_hours_never_end_before_they_began():
    second_pass = datetime(2026, 11, 1, 6, 15, tzinfo=UTC)  # 01:15 for the second time
    found = reminders.after_quiet(second_pass, time(0), time(1, 30), NEW_YORK)
    assert found == second_pass


# Instants.
@pytest.mark.parametrize("zone", FIVE_US_ZONES)
@pytest.mark.parametrize("offset", POLICY.offsets)
def test_a_stage_falls_due_at_nine_where_the_holder_lives(zone, offset):
    local = reminders.instant(EXPIRY, offset, POLICY, ZoneInfo(zone)).astimezone(ZoneInfo(zone))

    assert reminders.instant(EXPIRY, offset, POLICY, ZoneInfo(zone)).tzinfo is UTC
    assert (local.hour, local.minute) == (9, 0)
    assert local.date() == EXPIRY - timedelta(days=offset)


def test_the_day_of_the_spring_change_is_nine_in_summer_time_and_the_day_before_in_winter_time():
    before = reminders.instant(date(2027, 3, 13), 0, POLICY, NEW_YORK)
    after = reminders.instant(date(2027, 3, 14), 0, POLICY, NEW_YORK)

    assert before == datetime(2027, 3, 13, 14, tzinfo=UTC)
    assert after == datetime(2027, 3, 14, 13, tzinfo=UTC)


def test_a_time_that_the_spring_night_skips_is_read_with_the_offset_before_it():
    night = replace(POLICY, send_at=time(2, 30))

    assert reminders.instant(date(2027, 3, 14), 0, night, NEW_YORK) == datetime(
        2027, 3, 14, 7, 30, tzinfo=UTC
    )


def test_a_time_that_comes_twice_in_the_autumn_night_means_the_first():
    night = replace(POLICY, send_at=time(1, 30))

    assert reminders.instant(date(2027, 11, 7), 0, night, NEW_YORK) == datetime(
        2027, 11, 7, 5, 30, tzinfo=UTC
    )


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    expires_on=st.dates(date(2024, 1, 1), date(2040, 12, 31)),
    send_at=st.times(),
)
def test_instants_always_go_forward_in_every_zone_at_every_time_of_day(zone, expires_on, send_at):
    policy = replace(POLICY, send_at=send_at.replace(fold=0))
    found = reminders.stages(policy, expires_on, ZoneInfo(zone))
    instants = [stage.due_at for stage in found]

    assert instants == sorted(set(instants))
    assert [s.useful_until for s in found] == [*instants[1:], instants[-1] + LONG_PAST]


def test_a_leap_day_has_its_stages_and_so_has_the_28th_that_other_years_put_in_its_place():
    leap = reminders.stages(POLICY, date(2028, 2, 29), NEW_YORK)
    usual = reminders.stages(POLICY, date(2029, 2, 28), NEW_YORK)

    assert [s.due_at.date() for s in leap if s.offset in {0, -1}] == [
        date(2028, 2, 29),
        date(2028, 3, 1),
    ]
    assert [s.due_at.date() for s in usual if s.offset in {0, -1}] == [
        date(2029, 2, 28),
        date(2029, 3, 1),
    ]


def test_an_offset_given_twice_is_one_stage():
    twice = replace(POLICY, offsets=(30, 30, 7))

    assert [s.offset for s in reminders.stages(twice, EXPIRY, NEW_YORK)] == [30, 7]


def test_a_policy_without_stages_owes_nothing():
    none = replace(POLICY, offsets=())

    assert reminders.stages(none, EXPIRY, NEW_YORK) == ()
    assert reminders.plan([], ReminderFacts(now=OPENED, opened_at=OPENED), none).next_due_at is None


def test_a_day_opens_and_closes_at_midnight_where_the_holder_lives():
    day = date(2027, 3, 14)

    assert reminders.opening(day, NEW_YORK).tzinfo is UTC
    assert reminders.opening(day, NEW_YORK) == datetime(2027, 3, 14, 5, tzinfo=UTC)
    assert reminders.closing(day, NEW_YORK) == datetime(2027, 3, 15, 4, tzinfo=UTC) - MOMENT


# Windows.
@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: str(stage.offset))
def test_a_stage_is_owed_from_its_instant_until_the_next_and_not_a_moment_longer(stage):
    earlier = {s.offset for s in STAGES if s.offset > stage.offset}
    before = plan(stage.due_at - MOMENT, decided=earlier)
    begin = plan(stage.due_at, decided=earlier)
    end = plan(stage.useful_until - MOMENT, decided=earlier)

    assert before.current is None
    assert before.next_due_at == stage.due_at
    assert begin.current == end.current == stage
    last = stage is STAGES[-1]
    assert begin.next_due_at == end.next_due_at == (None if last else stage.useful_until)
    assert stage not in [s for s, fate, _ in plan(stage.useful_until).fates if fate == "planned"]


def test_after_a_missed_week_only_the_latest_stage_is_sent():
    missed = plan(
        BY_OFFSET[7].due_at + timedelta(days=2), last_offset=30, decided={730, 365, 180, 90, 60, 30}
    )

    assert fates(missed) == {14: "superseded", 7: "planned"}
    assert missed.last_offset == 7
    assert missed.next_due_at == BY_OFFSET[1].due_at


def test_what_fell_before_the_cycle_was_opened_is_skipped_for_that_reason():
    found = plan(BY_OFFSET[60].due_at, opened_at=BY_OFFSET[90].due_at + MOMENT)

    assert fates(found) == {
        730: "before_certification",
        365: "before_certification",
        180: "before_certification",
        90: "before_certification",
        60: "planned",
    }


def test_a_stage_of_the_very_instant_the_cycle_was_opened_is_sent():
    due_at = BY_OFFSET[60].due_at

    assert fates(plan(due_at, opened_at=due_at))[60] == "planned"


def test_the_last_stage_is_sent_for_thirty_days_and_then_no_more():
    last = BY_OFFSET[-30]

    assert fates(plan(last.useful_until - MOMENT))[-30] == "planned"
    assert fates(plan(last.useful_until))[-30] == "long_past"


def test_a_stage_months_late_is_still_owed_while_no_other_has_taken_its_place():
    assert fates(plan(BY_OFFSET[365].due_at - timedelta(days=1)))[730] == "planned"


@pytest.mark.parametrize("hold", ["suspended", "revoked", "surrendered"])
def test_nobody_is_reminded_of_a_certification_that_is_not_in_force(hold):
    assert fates(plan(BY_OFFSET[30].due_at, hold=hold))[30] == "not_in_force"


def test_an_application_under_review_silences_the_stages_before_expiry_only():
    assert [fates(plan(BY_OFFSET[n].due_at, pending=True))[n] for n in (7, 1, 0, -1)] == [
        "renewal_pending",
        "renewal_pending",
        "planned",
        "planned",
    ]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: str(stage.offset))
def test_complete_points_leave_only_the_stages_that_the_policy_names(stage):
    wanted = "planned" if stage.offset in POLICY.offsets_when_complete else "points_complete"

    assert fates(plan(stage.due_at, complete=True))[stage.offset] == wanted


def test_a_stage_without_an_address_is_skipped_and_says_so():
    assert fates(plan(BY_OFFSET[30].due_at, deliverable=False))[30] == "not_deliverable"


def test_a_decided_stage_is_never_decided_again():
    first = plan(BY_OFFSET[30].due_at)
    second = plan(BY_OFFSET[30].due_at, decided=set(fates(first)), last_offset=first.last_offset)

    assert second.fates == ()
    assert second.last_offset == 30
    assert second.next_due_at == BY_OFFSET[14].due_at


def test_a_stage_from_before_the_last_one_sent_is_superseded_not_sent_late():
    """A policy that gains a stage, or a holder who moves, must not set the reminders back."""
    found = plan(BY_OFFSET[30].due_at, decided={730, 365, 180, 90, 30}, last_offset=30)

    assert fates(found) == {60: "superseded"}
    assert found.last_offset == 30


def test_the_last_stage_sent_is_not_sent_again_though_nothing_but_its_offset_is_known():
    assert fates(plan(BY_OFFSET[30].due_at, last_offset=30))[30] == "superseded"


def test_the_last_stage_is_told_after_all_where_it_did_not_reach_the_holder():
    found = plan(BY_OFFSET[30].due_at, last_offset=30, reopened={30})

    assert fates(found)[30] == "planned"


def test_a_plan_that_sends_nothing_has_no_current_stage():
    assert plan(BY_OFFSET[30].due_at, hold="revoked").current is None


@given(
    ticks=st.lists(
        st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the text has no zone; the caller knows it
        min_size=1,
        max_size=8,
    )
)
def test_whenever_the_planner_looks_every_stage_that_passed_has_exactly_one_fate(ticks):
    decided: dict[int, str] = {}
    last: int | None = None
    sent: list[Stage] = []
    for now in sorted(ticks):
        found = plan(now, decided=set(decided), last_offset=last)
        for stage, fate, reason in found.fates:
            assert stage.offset not in decided
            decided[stage.offset] = reason or fate
        last = found.last_offset
        sent += [found.current] if found.current else []

    passed = {stage.offset for stage in STAGES if stage.due_at <= max(ticks)}
    assert set(decided) == passed
    assert [s.offset for s in sent] == sorted({s.offset for s in sent}, reverse=True)
    assert len(sent) <= len(ticks)


# What the holder said.
@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: str(stage.offset))
def test_who_wants_no_reminders_gets_none_those_of_the_last_days_included(stage):
    assert fates(plan(stage.due_at, wanted=False))[stage.offset] == "unwanted"


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: str(stage.offset))
def test_a_pause_holds_back_all_but_the_stages_of_the_last_seven_days(stage):
    told = "snoozed" if stage.offset > 7 else "planned"

    assert fates(plan(stage.due_at, snoozed=True))[stage.offset] == told


@pytest.mark.parametrize("else_", [{}, {"hold": "revoked"}, {"wanted": False}, {"pending": True}])
def test_nobody_is_reminded_after_their_death_whatever_else_is_true(else_):
    look = plan(BY_OFFSET[30].due_at, deceased=True, **else_)
    assert fates(look)[30] == "deceased"
    assert fates(look)[730] == "superseded"


def test_whoever_wants_no_reminders_and_paused_them_wants_none():
    assert fates(plan(BY_OFFSET[7].due_at, wanted=False, snoozed=True))[7] == "unwanted"


def test_a_stage_that_is_not_owed_says_so_whatever_the_holder_wants():
    assert fates(plan(BY_OFFSET[30].due_at, wanted=False, hold="revoked"))[30] == "not_in_force"


TODAY = date(2026, 11, 21)


@pytest.mark.parametrize("days", [0, 1, 365])
def test_reminders_are_paused_through_today_or_a_day_within_a_year(days):
    reminders.check_pause(TODAY + timedelta(days=days), TODAY)


@pytest.mark.parametrize("days", [-1, 366])
def test_a_pause_that_is_past_or_longer_than_a_year_is_refused(days):
    with pytest.raises(Invalid) as refused:
        reminders.check_pause(TODAY + timedelta(days=days), TODAY)

    rule = "must be between 2026-11-21 and 2027-11-21"
    assert refused.value.fields == {"snoozed_until": rule}


# What withholds a stage for a while.
def test_the_planner_looks_again_when_an_obstacle_ends_while_the_stage_is_useful():
    stage, ends = BY_OFFSET[90], BY_OFFSET[90].due_at + timedelta(days=3)
    assert plan(stage.due_at, snoozed=True, mended_at=ends).next_due_at == ends
    late = stage.useful_until
    assert plan(stage.due_at, snoozed=True, mended_at=late).next_due_at == BY_OFFSET[60].due_at
    assert plan(stage.due_at, mended_at=ends).next_due_at == BY_OFFSET[60].due_at


@pytest.mark.parametrize(
    ("until", "paused"),
    [(None, False), (date(2027, 1, 1), False), (date(2027, 1, 2), True), (EXPIRY, True)],
)
def test_a_pause_runs_through_its_last_day(until, paused):
    assert reminders.is_paused(until, date(2027, 1, 2)) is paused
