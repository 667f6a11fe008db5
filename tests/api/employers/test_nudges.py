"""services/employers/nudges.py and api/employers/nudges.py: employers remind workers who share."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from tests.api.employers import employer_cases
from tests.api.employers.employer_cases import read
from tests.services.delivery import reminder_cases
from tracker import jobs
from tracker.api.employers.nudges import NudgedWorkerSchema, NudgeTextSchema
from tracker.domain.permissions import SYSTEM
from tracker.models import EmployerNudge, Notice
from tracker.services.overview import exports
from tracker.services.people import preferences


@pytest.fixture
def acme(container):
    company = employer_cases.company(container)
    company.hire("1")
    return company


@pytest.fixture
def hr(caller, acme):
    return caller("employer", employer_id=acme.id)


def nudge(hr, acme, *employee_ids):
    """The answer for each of these workers, by number."""
    ids = {acme.entries[one]: one for one in employee_ids}
    answer = hr.post(acme.path("/nudges"), {"entry_ids": list(ids)})
    return {ids[one.pop("entry_id")]: one for one in read(NudgedWorkerSchema, answer)}


def nudges_told(container):
    with container.reading(SYSTEM) as reading:
        return [row.kind for row in reading.rows(select(Notice.kind))].count("employer_nudge")


def sent(container, clock):
    clock.set("2026-11-23")
    with reminder_cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        return [one for one in catcher.letters() if "Acme" in one.text]


def test_whoever_shares_is_nudged_and_the_others_are_told_why_not(hr, acme, container):
    acme.hire("2", shared=False)
    acme.hire("3", awarded_on=None)

    answers = nudge(hr, acme, "1", "2", "3")

    assert answers["1"] == {"nudged": True, "reason": None, "again_on": None}
    reasons = {key: answers[key]["reason"] for key in "23"}
    assert reasons == {"2": "not_shared", "3": "nothing_to_do"}
    assert nudges_told(container) == 1
    with container.reading(SYSTEM) as reading:
        row = reading.row(select(EmployerNudge.holder_id, EmployerNudge.nudged_on))
    assert (row.holder_id, str(row.nudged_on)) == (acme.holders["1"], "2026-11-21")


def test_nobody_is_nudged_twice_within_a_fortnight_even_if_listed_again(hr, acme, container, clock):
    nudge(hr, acme, "1")
    clock.advance(days=13)
    too_soon = {"nudged": False, "reason": "nudged", "again_on": "2026-12-05"}
    assert nudge(hr, acme, "1") == {"1": too_soon}
    clock.advance(days=1)

    assert nudge(hr, acme, "1")["1"]["nudged"]
    assert nudges_told(container) == 2


def test_of_two_requests_at_once_one_nudges(hr, acme, container):
    """The row of the pair decides: both requests have read that nobody was nudged."""
    start, results = threading.Barrier(4), []

    def ask():
        start.wait()
        results.append(nudge(hr, acme, "1")["1"]["nudged"])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert sorted(results) == [False, False, False, True]
    assert nudges_told(container) == 1


def test_the_email_is_what_was_shown_and_tells_nothing_that_is_not_shared(
    hr, acme, container, clock
):
    shown = read(NudgeTextSchema, hr.get(acme.path("/nudges/text")))
    assert [one["language"] for one in shown] == ["en", "es"]
    nudge(hr, acme, "1")
    (letter,) = sent(container, clock)

    assert letter.subject == shown[0]["subject"]
    assert letter.subject.startswith("A reminder from your employer: Certified Production")
    lines = [line for line in shown[0]["text"].splitlines() if line and "[…]" not in line]
    assert [line for line in lines if line not in letter.text] == []
    assert "learn whether you read this" in letter.text


def test_whoever_turned_reminders_off_gets_none_and_the_employer_does_not_learn_it(
    hr, acme, container, clock
):
    with container.work(SYSTEM) as work:
        preferences.put(work, "reminders", [acme.holders["1"]], {"wanted": False})

    assert nudge(hr, acme, "1")["1"]["nudged"]
    assert sent(container, clock) == []


def test_a_consent_that_ends_before_the_email_leaves_ends_it(hr, acme, caller, container, clock):
    nudge(hr, acme, "1")
    ana = caller("holder", holder_id=acme.holders["1"])
    assert ana.delete(f"/me/sharing/{acme.sharing_of('1')}").status_code == 204

    assert sent(container, clock) == []
    assert nudge(hr, acme, "1")["1"]["reason"] == "not_shared"


def test_another_employers_worker_is_like_none(caller, acme, container):
    globex = employer_cases.company(container, "Globex")
    theirs = caller("employer", employer_id=globex.id)
    body = {"entry_ids": [acme.entries["1"]]}

    assert theirs.post(globex.path("/nudges"), body).status_code == 404
    assert theirs.post(acme.path("/nudges"), body).status_code == 404
    assert theirs.get(acme.path("/nudges/text")).status_code == 404


def test_a_person_finds_the_nudge_in_their_export(hr, acme, container):
    nudge(hr, acme, "1")
    with container.reading(SYSTEM) as reading:
        (found,) = exports.record(reading, acme.holders["1"])["nudges"]

    assert (found["employer"], found["nudged_on"]) == ("Acme", "2026-11-21")
