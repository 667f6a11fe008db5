"""News that comes by file: what is recent is told, what is history is not, and nothing twice."""

from __future__ import annotations

import pytest

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tests.services.imports.importing import HOLDERS, as_csv, bring, certify, passes, rows
from tests.statements import counted
from tracker import jobs
from tracker.models import Employer, Message, Notice

ROSTER = "employer,employee_id,holder_ref,consented_on,ended_on\n"
ACTIVITIES = (
    "activity_ref,holder_ref,scheme,category,type,title,provider,quantity,completed_on,status,"
    "submitted_on,decided_on\n"
)
RENEWALS = "renewal_ref,holder_ref,scheme,submitted_on,decided_on,decision\n"
CHANGES = "change_ref,holder_ref,scheme,kind,effective_on,reason\n"


@pytest.fixture
def registered(container):
    """A and B are on record, A is certified for years."""
    bring(container, "holders", HOLDERS)
    certify(container, "A", "2022-01-15")
    return container


def told(container):
    """The kinds of news on record, and how many messages tell them."""
    messages = rows(container, Message, "id")
    return sorted(kind for (kind,) in rows(container, Notice, "kind")), len(messages)


def subjects(container, clock):
    clock.advance(minutes=11)
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        return sorted(message.subject for message in catcher.letters())


@SQLITE
def test_awards_by_file_are_told_if_they_are_news(registered):
    assert told(registered) == ([], 0)
    certify(registered, "B", "2026-11-10")
    certify(registered, "B", "2026-11-10")

    assert told(registered) == (["award"], 1)


@SQLITE
def test_decisions_by_file_are_told_if_they_are_news(registered, clock):
    row = "{0},A,cpt,CE,third_party,Course {0},Amatrol,16,2026-05-01,{1},2026-06-01,{2}\n"
    file = ACTIVITIES + "".join(
        row.format(*one)
        for one in (
            ("a1", "approved", "2026-06-10"),
            ("a2", "approved", "2026-11-20"),
            ("a3", "rejected", "2026-11-20"),
        )
    )
    bring(registered, "activities", file)
    bring(registered, "activities", file)

    assert told(registered) == (["activity_decided", "activity_decided"], 1)
    assert subjects(registered, clock) == [
        "Certified Production Technician: an activity was not accepted (and 1 more update)"
    ]


@SQLITE
def test_renewals_by_file_are_told_if_they_are_news(registered, clock):
    bring(registered, "renewals", RENEWALS + "r1,A,cpt,2026-11-01,2026-11-20,approved\n")
    bring(registered, "renewals", RENEWALS + "r1,A,cpt,2026-11-01,2026-11-20,approved\n")

    assert told(registered) == (["renewal_decided"], 1)
    assert subjects(registered, clock) == [
        "Certified Production Technician: your renewal is approved"
    ]


@SQLITE
def test_changes_of_standing_by_file_are_told_if_they_are_news(registered, clock):
    old = CHANGES + "c1,A,cpt,suspend,2025-01-01,x\nc2,A,cpt,reinstate,2025-02-01,x\n"
    bring(registered, "standing-changes", old)
    assert told(registered) == ([], 0)
    bring(registered, "standing-changes", old + "c3,A,cpt,suspend,2026-11-20,Fees\n")
    bring(registered, "standing-changes", CHANGES + "c4,A,cpt,surrender,2026-11-21,x\n")

    assert told(registered) == (["suspended"], 1)
    assert subjects(registered, clock) == [], "it was surrendered meanwhile"


@SQLITE
def test_whoever_is_listed_by_file_is_asked_for_consent_by_whomever_the_file_is(registered, clock):
    bring(registered, "roster", ROSTER + "Acme,1,A,,\n")
    bring(registered, "roster", ROSTER + "Acme,1,A,,\n")
    assert told(registered) == (["consent_asked"], 1)
    ((own,),) = rows(registered, Employer, "id")
    file = "employer,employee_id,email\nAcme,2,bo@example.org\nAcme,3,nobody@example.org\n"
    bring(registered, "roster", file, employer_id=own)
    bring(registered, "roster", file, employer_id=own)

    assert told(registered) == (["consent_asked", "consent_asked"], 2)
    assert (
        subjects(registered, clock)
        == ["An employer would like to see whether you are certified"] * 2
    )


def test_a_signed_consent_by_file_is_told_if_it_is_news_and_asks_nobody(registered):
    bring(registered, "roster", ROSTER + "Acme,1,A,2026-11-07,\nAcme,2,B,2026-11-06,\n")
    bring(registered, "roster", ROSTER + "Acme,1,A,2026-11-07,\nAcme,2,B,2026-11-06,\n")

    assert told(registered) == (["listed"], 1)


@SQLITE
def test_whoever_is_taken_off_a_list_by_file_is_told_if_it_is_news(registered):
    bring(registered, "roster", ROSTER + "Acme,1,A,2024-01-01,\nAcme,2,B,2024-01-01,\n")
    ended = ROSTER + "Acme,1,A,,2026-11-07\nAcme,2,B,,2026-11-06\nAcme,3,A,,2026-11-10\n"
    bring(registered, "roster", ended)
    bring(registered, "roster", ended)

    assert told(registered) == (["employment_ended"], 1), "B's end is old, and A's other is no end"


def test_a_dry_run_tells_nobody(registered):
    file = as_csv(passes("B", "2026-11-20"))
    assert bring(registered, "assessments", file, dry_run=True).effects == {
        "certifications awarded": 1
    }
    assert told(registered) == ([], 0)


def test_telling_of_many_awards_takes_no_more_statements_than_of_few(container):
    ran = []
    for number, count in enumerate((30, 90)):
        people = [f"{number}-{n}" for n in range(count)]
        bring(
            container,
            "holders",
            "holder_ref,given_name,family_name,email\n"
            + "".join(f"{person},Ana,Reyes,{person}@example.org\n" for person in people),
        )
        lines = [line for person in people for line in passes(person, "2026-11-20")]
        with counted(container) as statements:
            bring(container, "assessments", as_csv(lines))
        ran.append(len(statements))

    assert ran[0] == ran[1]
    assert len(rows(container, Notice, "id")) == 120


def test_telling_of_many_employments_takes_no_more_statements_than_of_few(container):
    ran = []
    for number, count in enumerate((30, 90)):
        people = [f"{number}-{n}" for n in range(count)]
        bring(
            container,
            "holders",
            "holder_ref,given_name,family_name,email\n"
            + "".join(f"{person},Ana,Reyes,{person}@example.org\n" for person in people),
        )
        listed = "".join(f"Acme {number},{person},{person},,\n" for person in people)
        with counted(container) as beginning:
            bring(container, "roster", ROSTER + listed)
        with counted(container) as ending:
            bring(container, "roster", ROSTER + listed.replace(",,\n", ",,2026-11-21\n"))
        with counted(container) as again:
            bring(container, "roster", ROSTER + listed)
        ran.append((len(beginning), len(ending), len(again)))

    assert ran[0] == ran[1]
    assert len(rows(container, Notice, "id")) == 3 * 120
