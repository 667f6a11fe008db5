"""A Postfix log as it is written, in both formats of time, whole and in pieces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.mail.postfix import Log, Taken

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
ID = "<abc@tracker.example>"


def line(text, *, at="2027-03-01T10:00:00.5+00:00", program="postfix/cleanup"):
    return f"{at} mail {program}[1234]: {text}\n"


def named(queue_id="4F5A1", message_id=ID, **more):
    return line(f"{queue_id}: message-id={message_id}", **more)


def active(queue_id="4F5A1", program="postfix/qmgr", **more):
    text = f"{queue_id}: from=<b+x@tracker.example>, size=2541, nrcpt=1 (queue active)"
    return line(text, program=program, **more)


@pytest.fixture
def log():
    return Log("tracker.example", zone=UTC)


def test_a_message_is_the_relays_once_it_is_in_the_queue(log):
    assert log.read([named()], now=NOW) == []
    assert log.read([active(at="2027-03-01T10:00:01Z")], now=NOW) == [
        Taken(ID, "4F5A1", datetime(2027, 3, 1, 10, 0, 1, tzinfo=UTC))
    ]


def test_a_message_that_is_tried_again_later_was_taken_once(log):
    assert len(log.read([named(), active(), active(), active()], now=NOW)) == 1


def test_a_queue_id_used_again_means_the_later_message(log):
    other = "<def@tracker.example>"
    taken = log.read([named(), active(), named(message_id=other), active()], now=NOW)

    assert [acceptance.message_id for acceptance in taken] == [ID, other]


@pytest.mark.parametrize(
    "lines",
    [
        [named(message_id="<abc@other.example>"), active()],
        [named(), active("9999")],
        [active()],
        [named(program="exim/cleanup"), active()],
        [named(), active().replace("(queue active)", "(queue deferred)")],
        [named(), active().rstrip("\n")],
        [named(message_id="<abc@tracker.example"), active()],
        [named(program="postfix/smtpd"), active()],
        ["\n", "nonsense\n", "2027-99-99T10:00:00Z mail postfix/cleanup[1]: A: x\n"],
    ],
)
def test_other_lines_say_nothing_of_our_messages(log, lines):
    assert log.read(lines, now=NOW) == []


@pytest.mark.parametrize(
    "program", ["postfix/cleanup", "postfix-out/cleanup", "postfix/in/cleanup"]
)
def test_an_instance_of_any_name_is_read(log, program):
    taken = log.read(
        [named(program=program), active(program=program.replace("cleanup", "qmgr"))], now=NOW
    )

    assert len(taken) == 1


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("Mar  1 10:00:00", datetime(2027, 3, 1, 10, tzinfo=UTC)),
        ("Mar  2 11:00:00", datetime(2027, 3, 2, 11, tzinfo=UTC)),
        ("Mar  2 13:00:00", datetime(2026, 3, 2, 13, tzinfo=UTC)),
        ("Dec 31 23:59:60", datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("Feb 29 10:00:00", datetime(2024, 2, 29, 10, tzinfo=UTC)),
        ("2027-03-01T05:00:00-05:00", datetime(2027, 3, 1, 10, tzinfo=UTC)),
        ("2027-03-01T10:00:00,250", datetime(2027, 3, 1, 10, 0, 0, 250000, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_both_formats_the_year_being_the_last_that_fits(log, stamp, at):
    log.read([active(at=stamp)], now=NOW)

    assert log.begins == log.ends == at


@pytest.mark.parametrize("stamp", ["Feb 30 10:00:00", "Foo 30 10:00:00", "Mar  1 99:00:00"])
def test_a_time_that_makes_no_sense_is_no_time(log, stamp):
    assert log.read([named(at=stamp), active(at=stamp)], now=NOW) == []
    assert log.complete_until is None


def test_times_without_a_zone_are_of_the_zone_that_is_given():
    log = Log("tracker.example", zone=ZoneInfo("America/New_York"))
    log.read([active(at="Mar  1 05:00:00")], now=NOW)

    assert log.ends == datetime(2027, 3, 1, 10, tzinfo=UTC)


def test_times_without_any_zone_are_this_machines():
    log = Log("tracker.example")
    log.read([active(at="2027-03-01T05:00:00")], now=NOW)

    assert log.ends == datetime(2027, 3, 1, 5).astimezone(UTC)


def test_a_log_is_complete_up_to_its_last_line_but_not_beyond_a_message_half_told(log):
    half = datetime(2027, 3, 1, 10, 0, 0, 500000, tzinfo=UTC)
    later = ["2027-03-01T10:10:00Z mail dovecot: hello\n"]

    assert log.complete_until is None
    log.read([named(), *later], now=NOW)
    assert log.complete_until == half - timedelta(microseconds=1)
    log.read([active(at="2027-03-01T10:10:01Z")], now=NOW)
    assert log.complete_until == datetime(2027, 3, 1, 10, 10, 1, tzinfo=UTC)


def test_a_message_that_was_never_queued_holds_the_log_up_for_a_quarter_of_an_hour_only(log):
    log.read([named(), active("9999", at="2027-03-01T10:16:00Z")], now=NOW)

    assert log.complete_until == datetime(2027, 3, 1, 10, 16, tzinfo=UTC)


def test_only_so_many_messages_half_told_are_remembered(log):
    log.read((named(f"Q{n:06}") for n in range(100_001)), now=NOW)

    assert log.read([active("Q000000")], now=NOW) == []
    assert len(log.read([active("Q000001")], now=NOW)) == 1


@given(st.lists(st.text(max_size=80).map(lambda text: text + "\n"), max_size=20))
def test_whatever_stands_in_a_log_it_is_read_to_its_end(lines):
    log = Log("tracker.example", zone=UTC)
    log.read([named() + lines[0] if lines else named(), *lines], now=NOW)

    assert len(log.read([named("Q9ZZZZ"), active("Q9ZZZZ")], now=NOW)) == 1
