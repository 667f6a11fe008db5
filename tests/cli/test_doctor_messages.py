"""tracker doctor: what it says of the planner, the outbox, the relay, bounces and the audit."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from tests.api.employers.employer_cases import company
from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.delivery.digests import DigestFrequency
from tracker.domain.permissions import SYSTEM
from tracker.models import Bounce, Certification, Message
from tracker.services.core import counters
from tracker.services.delivery import send_safety
from tracker.services.employers import digests


@pytest.fixture
def found(tracker, clock):
    """The doctor's finding of a check: its state and detail."""

    def examine(check):
        result = tracker("doctor", "--json", TRACKER_NOW=clock.now.isoformat())
        by_check = {finding["check"]: finding for finding in json.loads(result.stdout)}
        one = by_check[check]
        assert (one["state"] == "ok") is (one["fix"] == "")
        return one["state"], one["detail"]

    return examine


@pytest.fixture
def planned(container, clock):
    """Three messages that wait to be sent."""
    clock.now = datetime(2027, 2, 13, 15, tzinfo=UTC)
    ids = cases.certified(container, date(2027, 3, 15), 3)
    jobs.plan(container)
    return ids


@SQLITE
@pytest.mark.usefixtures("planned")
def test_letters_that_nobody_sends(found, clock):
    assert found("outbox") == ("ok", "3 messages are waiting to be sent")
    clock.advance(hours=2, minutes=5)
    assert found("outbox") == (
        "problem",
        "usual messages are waiting, the oldest due 2 h 5 min ago",
    )


@SQLITE
def test_a_planner_that_does_not_run(found, container, clock):
    clock.now = datetime(2027, 2, 13, 15, tzinfo=UTC)
    cases.certified(container, date(2027, 3, 15))
    assert found("planner") == ("ok", "1 certifications are waiting for the planner")
    jobs.plan(container)
    clock.advance(days=20)
    state, detail = found("planner")
    assert state == "problem"
    assert detail.startswith("1 certifications are waiting for the planner, the oldest due ")


@SQLITE
@pytest.mark.usefixtures("planned")
def test_letters_that_need_somebodys_hand(found, container):
    assert found("messages") == ("ok", "0 dead, 0 ambiguous, 0 parked")
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Message).values(state="ambiguous"))
    assert found("messages") == ("warning", "0 dead, 3 ambiguous, 0 parked")


@SQLITE
def test_a_relay_that_fails_and_is_then_left_alone(found, container):
    assert found("relay")[0] == "ok"
    for _ in range(4):
        with container.work(SYSTEM) as work:
            send_safety.relay_failed(work, "connection refused")
    assert found("relay") == (
        "warning",
        "4 connections in a row failed: connection refused",
    )
    with container.work(SYSTEM) as work:
        send_safety.relay_failed(work, "connection refused")
    state, detail = found("relay")
    assert state == "problem"
    assert detail.startswith("Nothing is sent until ")


@SQLITE
def test_somebody_who_takes_a_letter_for_spam(found, container):
    assert found("bounces")[0] == "ok"
    bounce(container, "hard", hours=1)
    bounce(container, "complaint", hours=30)
    assert found("bounces") == (
        "ok",
        "0 addresses get no email; in the last day: 1 hard, 0 soft, 0 complaint",
    )
    bounce(container, "complaint", hours=2)
    assert found("bounces")[0] == "warning"


def bounce(container, kind, *, hours):
    with container.work(SYSTEM) as work:
        row = {
            "digest": f"{kind}{hours}",
            "message_id": "01900000-0000-7000-8000-000000000000",
            "address": "a@example.org",
            "kind": kind,
            "status": "5.1.1",
            "diagnostic": "",
            "at": work.now - timedelta(hours=hours),
        }
        work.connection.execute(insert(Bounce).values(row))


@SQLITE
def test_digests_that_nobody_writes(found, container, clock):
    acme = company(container)
    with container.work(SYSTEM) as work:
        digests.order(
            work, acme.id, every=DigestFrequency.WEEK, language="en", address="hr@acme.example"
        )
    clock.set("2026-11-23T05:59:00+00:00")
    assert found("digests")[0] == "ok"
    clock.set("2026-11-23T06:01:00+00:00")
    assert found("digests") == ("problem", "1 digests are more than an hour late")
    jobs.digest(container)
    assert found("digests")[0] == "ok"


@SQLITE
def test_an_audit_that_found_something_or_is_long_ago(found, container, clock):
    assert found("audit") == ("warning", "it has never run on this database")
    jobs.audit(container)
    assert found("audit") == ("ok", "the last audit was 0 min ago")
    clock.advance(hours=4)
    assert found("audit") == ("warning", "the last audit was 4 h 0 min ago")
    with container.work(SYSTEM) as work:
        counters.put(work, counters.VIOLATIONS, 2)
    assert found("audit") == ("problem", "the last audit found 2 due stages without a row")


def test_a_scheme_on_record_whose_file_is_missing_is_named_and_the_scheduler_does_not_start(
    tracker, container, clock
):
    cases.certified(container, date(2027, 3, 15))
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Certification).values(scheme="gone"))
    now = {"TRACKER_NOW": clock.now.isoformat()}
    findings = json.loads(tracker("doctor", "--json", **now).stdout)
    started = tracker("scheduler", **now)

    assert findings[-1]["check"] == "schemes on record"
    assert findings[-1]["state"] == "problem"
    assert findings[-1]["detail"] == "there are certifications under gone, but no scheme file"
    assert started.exit_code == 1
    assert started.stderr.startswith("There are certifications under gone, but no scheme file in ")
