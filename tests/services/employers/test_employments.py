"""Employments: how they begin, end and begin again, by request, by file and by the clock."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import select

from tests import factories
from tests.api.employers import employer_cases
from tests.backends import SQLITE
from tests.services.imports.importing import bring, fates, refused, rows, told
from tracker import jobs
from tracker.domain.errors import AlreadyRecorded
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Notice, RosterEntry, Sharing
from tracker.services.employers import roster, sharing, workforce, workforce_selection
from tracker.services.employers.roster import EMPLOYED

HEAD = "employer,employee_id,email,site,consented_on,ended_on\n"
ANA = "ana@example.org"


@pytest.fixture
def acme(container):
    return employer_cases.company(container)


@pytest.fixture
def ana(container):
    """The id of Ana, who is certified and has a second address."""
    return factories.certified(
        container, date(2023, 5, 1), email=ANA, second_email="ana@work.example"
    )[0]


def add(container, company, employee_id, email=ANA):
    with container.work(SYSTEM) as work:
        values = {"employee_id": employee_id, "email": email}
        return roster.add(work, company.id, **values).id


def end(container, company, entry_id):
    with container.work(SYSTEM) as work:
        roster.end(work, company.id, entry_id)


def agree(container, company, holder_id):
    with container.work(Actor(role="holder", name="x", holder_id=holder_id)) as work:
        return sharing.consent(work, company.id)


def seen(container, company):
    """The numbers of the workers whose standing the employer sees."""
    with container.reading(SYSTEM) as reading:
        asked = workforce_selection.question(reading, company.id, "cpt", on=None)
        page = workforce.page(reading, asked, after=None, limit=99, sort="employee_id")
        return [worker.employee_id for worker in page if worker.shared]


def entries(container):
    """Number, end, and whether the entry means someone, in the order of the table."""
    with container.reading(SYSTEM) as reading:
        table = RosterEntry
        statement = select(table.employee_id, table.ended_on, table.holder_id).order_by(table.id)
        return [(r[0], r[1] and str(r[1]), r[2] is not None) for r in reading.rows(statement)]


def heard(container):
    """What people are told, in its order."""
    with container.reading(SYSTEM) as reading:
        rows_ = reading.rows(select(Notice.kind).order_by(Notice.id))
        return [row.kind for row in rows_ if row.kind != "award"]


@SQLITE
def test_a_worker_who_left_is_listed_again_under_the_same_number(container, acme, ana):
    first = add(container, acme, "1")
    agree(container, acme, ana)
    assert seen(container, acme) == ["1"]
    end(container, acme, first)
    add(container, acme, "1")

    assert entries(container) == [("1", "2026-11-21", True), ("1", None, True)]
    assert seen(container, acme) == [], "the consent was of the former employment"
    assert heard(container) == ["consent_asked", "employment_ended", "consent_asked"]
    agree(container, acme, ana)
    assert seen(container, acme) == ["1"]


@SQLITE
@pytest.mark.parametrize("header", [HEAD, "employer,employee_id,email,site\n"])
def test_a_file_lists_a_worker_who_left_again_and_the_same_file_changes_nothing(
    container, acme, ana, clock, header
):
    row = f"Acme,1,{ANA},A" + ",," * (header == HEAD) + "\n"
    for own in (acme.id, None):
        bring(container, "roster", header + row, employer_id=own)
        agree(container, acme, ana)
        bring(container, "roster", HEAD + f"Acme,1,{ANA},A,,{clock().date()}\n", employer_id=own)
        assert seen(container, acme) == []
        clock.advance(days=40)
        again = bring(container, "roster", header + row, employer_id=own)
        assert fates(again) == (1, 0, 0)
        assert fates(bring(container, "roster", header + row, employer_id=own)) == (0, 0, 1)
        assert seen(container, acme) == []
    assert [ended for _, ended, _ in entries(container)] == ["2026-11-21", "2026-12-31", None]
    asked = heard(container)
    assert (asked.count("consent_asked"), asked.count("employment_ended")) == (3, 2)


@SQLITE
@pytest.mark.usefixtures("ana")
def test_a_file_without_the_words_keeps_those_of_the_employment_before(container, acme):
    end(container, acme, add(container, acme, "1"))
    bring(container, "roster", "employer,employee_id,site\nAcme,1,B\n", employer_id=acme.id)

    assert entries(container) == [("1", "2026-11-21", True), ("1", None, True)]


@SQLITE
@pytest.mark.usefixtures("acme", "ana")
def test_an_end_in_a_file_ends_or_corrects_the_latest_employment(container):
    file = HEAD + f"Acme,1,{ANA},,,%s\n"
    assert fates(bring(container, "roster", file % "2025-06-30")) == (1, 0, 0)
    assert fates(bring(container, "roster", file % "2025-05-31")) == (0, 1, 0)
    assert fates(bring(container, "roster", file % "")) == (1, 0, 0)
    assert fates(bring(container, "roster", file % "2026-01-31")) == (0, 1, 0)
    assert fates(bring(container, "roster", file % "2026-02-28")) == (0, 1, 0)
    assert fates(bring(container, "roster", file % "2026-02-28")) == (0, 0, 1)
    assert refused(container, "roster", file % "2025-05-30") == [
        (2, "ended_on", "must not be before the end of the previous employment (2025-05-31)")
    ]
    assert [ended for _, ended, _ in entries(container)] == ["2025-05-31", "2026-02-28"]


def test_an_end_that_lies_ahead_is_said_can_be_moved_and_takes_effect_by_itself(
    container, acme, ana, clock
):
    file = HEAD + f"Acme,1,{ANA},,,%s\n"
    bring(container, "roster", file % "", employer_id=acme.id)
    agree(container, acme, ana)
    ahead = bring(container, "roster", file % "2026-12-01", employer_id=acme.id)
    assert told(ahead) == [
        (2, "ended_on", "2026-12-01 is in the future: the worker stays on the list until then.")
    ]
    with pytest.raises(AlreadyRecorded, match="until 2026-12-01"):
        add(container, acme, "1")
    assert fates(bring(container, "roster", file % "2026-12-05", employer_id=acme.id)) == (0, 1, 0)
    without = "employer,employee_id,email\n" + f"Acme,1,{ANA}\n"
    assert fates(bring(container, "roster", without, employer_id=acme.id)) == (0, 0, 1)
    clock.set("2026-12-04")
    assert jobs.end_employments(container) == 0
    assert seen(container, acme) == ["1"]
    clock.set("2026-12-05")
    assert seen(container, acme) == []
    assert jobs.end_employments(container) == 1
    assert jobs.end_employments(container) == 0
    assert heard(container) == ["consent_asked", "employment_ended"]
    assert rows(container, Sharing, "end_reason") == [("employment_ended",)]
    bring(container, "roster", without, employer_id=acme.id)
    assert (entries(container)[-1], seen(container, acme)) == (("1", None, True), [])


@SQLITE
def test_an_end_that_was_taken_back_before_its_day_keeps_employment_and_consent(
    container, acme, ana, clock
):
    file = HEAD + f"Acme,1,{ANA},,,%s\n"
    bring(container, "roster", file % "2026-12-01")
    agree(container, acme, ana)
    bring(container, "roster", file % "")
    clock.set("2026-12-02")

    assert (entries(container), seen(container, acme)) == ([("1", None, True)], ["1"])


@SQLITE
@pytest.mark.usefixtures("acme", "ana")
def test_a_worker_who_left_is_listed_with_an_end_ahead_as_a_new_employment(container):
    file = HEAD + f"Acme,1,{ANA},,,%s\n"
    bring(container, "roster", file % "2025-06-30")
    assert fates(bring(container, "roster", file % "2027-06-30")) == (1, 0, 0)
    assert fates(bring(container, "roster", file % "2027-06-30")) == (0, 0, 1)


@pytest.mark.usefixtures("ana")
def test_a_consent_signed_before_the_former_employment_ended_does_not_carry_over(
    container, acme, clock
):
    file = HEAD + f"Acme,1,{ANA},,%s,%s\n"
    assert bring(container, "roster", file % ("2024-01-01", "")).effects == {"consents recorded": 1}
    bring(container, "roster", file % ("", "2026-11-21"))
    clock.set("2026-12-21")
    again = bring(container, "roster", file % ("2024-01-01", ""))
    assert (fates(again), again.effects, seen(container, acme)) == ((1, 0, 0), {}, [])
    assert fates(bring(container, "roster", file % ("2026-11-20", ""))) == (0, 0, 1)
    signed = bring(container, "roster", file % ("2026-12-20", ""))
    assert (fates(signed), seen(container, acme)) == ((0, 1, 0), ["1"])
    assert rows(container, Sharing, "with_points") == [(False,), (False,)]
    assert heard(container)[-1] == "listed"


@pytest.mark.parametrize("day", ["2026-11-22", "2031-01-05", "2200-12-31"])
@pytest.mark.usefixtures("acme", "ana")
def test_a_consent_cannot_be_signed_in_the_future_nor_after_the_employment(container, day):
    assert refused(container, "roster", HEAD + f"Acme,1,{ANA},,{day},\n") == [
        (2, "consented_on", "must not be in the future (today is 2026-11-21)")
    ]
    assert refused(container, "roster", HEAD + f"Acme,1,{ANA},,2026-02-02,2026-02-01\n") == [
        (2, "ended_on", "must not be before consented_on (2026-02-02)")
    ]
    over = bring(container, "roster", HEAD + f"Acme,1,{ANA},,2026-02-01,2026-03-01\n")
    assert told(over) == [
        (
            2,
            "consented_on",
            "The employment has ended, which also ends consent; no consent was recorded.",
        )
    ]
    assert rows(container, Sharing, "id") == []


@pytest.mark.usefixtures("acme", "ana")
def test_one_person_is_one_entry_whatever_the_order_and_the_words(container):
    words = [ANA, "ANA@work.example", "ana@WORK.example", "Ana@Example.org"]
    for number, order in enumerate((words, words[::-1])):
        file = "".join(f"Acme,{number}{n},{word},,,\n" for n, word in enumerate(order))
        bring(container, "roster", HEAD + file)
        with container.reading(SYSTEM) as reading:
            today = {"today": date(2026, 11, 21)}
            tied = select(RosterEntry.employee_id).where(
                EMPLOYED, RosterEntry.holder_id.is_not(None)
            )
            assert [row[0] for row in reading.rows(tied, today)] == [f"{number}0"]
        assert fates(bring(container, "roster", HEAD + file)) == (0, 0, 4)
        bring(container, "roster", HEAD + file.replace(",,,\n", ",,,2026-11-20\n"))


@pytest.mark.usefixtures("acme", "ana")
def test_an_address_moves_from_one_entry_to_another_in_any_order_of_rows(container):
    bring(container, "roster", HEAD + f"Acme,1,{ANA},,,\nAcme,2,x@example.org,,,\n")
    for one, two in ((2, 1), (1, 2)):
        moved = {one: ANA, two: "x@example.org"}
        file = "".join(f"Acme,{n},{moved[n]},,,\n" for n in (1, 2))
        bring(container, "roster", HEAD + file)
        assert entries(container) == [("1", None, one == 1), ("2", None, one == 2)]


@SQLITE
def test_a_new_number_with_the_same_words_is_the_same_employment(container, acme, ana):
    bring(container, "roster", HEAD + f"Acme,1,{ANA},,,\n", employer_id=acme.id)
    agree(container, acme, ana)
    file = HEAD + f"Acme,1-b,{ANA},,,\nAcme,1,{ANA},,,2026-11-20\n"
    bring(container, "roster", file, employer_id=acme.id)

    assert entries(container) == [("1", "2026-11-20", True), ("1-b", None, True)]
    assert (seen(container, acme), heard(container)) == (["1-b"], ["consent_asked"])


@SQLITE
def test_a_person_who_is_listed_by_other_words_too_is_asked_anew_when_the_first_entry_ends(
    container, acme, ana
):
    first = add(container, acme, "1")
    agree(container, acme, ana)
    add(container, acme, "2", "ana@work.example")
    end(container, acme, first)

    assert entries(container) == [("1", "2026-11-21", True), ("2", None, True)]
    assert seen(container, acme) == []
    assert heard(container) == ["consent_asked", "employment_ended", "consent_asked"]


@SQLITE
def test_a_number_that_an_employer_gives_to_somebody_else_ends_the_employment_of_the_one_before(
    container, acme, ana
):
    bring(container, "roster", HEAD + f"Acme,1,{ANA},,,\n", employer_id=acme.id)
    agree(container, acme, ana)
    other = bring(container, "roster", HEAD + "Acme,1,bo@example.org,,,\n", employer_id=acme.id)

    assert (fates(other), seen(container, acme)) == ((0, 1, 0), [])
    assert entries(container) == [("1", "2026-11-21", True), ("1", None, False)]
    assert heard(container) == ["consent_asked", "employment_ended"]


def test_a_consent_given_before_the_employer_lists_the_holder_is_asked_for_again(
    container, acme, ana
):
    agree(container, acme, ana)
    add(container, acme, "1")

    assert (seen(container, acme), heard(container)) == ([], ["consent_asked"])


@pytest.mark.usefixtures("acme")
def test_an_employer_in_another_spelling_is_refused_and_a_near_one_is_named(container):
    for name in ("ACME", "acme", "Ácme", "Acme.", "A\u0301CME"):
        assert refused(container, "roster", HEAD + f"{name},1,,,,\n") == [
            (2, "employer", "is on record as 'Acme'; spell it that way")
        ]
    bring(container, "roster", HEAD + "Palmetto Motors,1,,,,\n")
    file = HEAD + "Palmeto Motors,1,,,,\nBuckeye Foods,1,,,,\nAcme ,1,,,,\n"
    assert told(bring(container, "roster", file)) == [
        (2, "employer", "Palmeto Motors is new. Did you mean Palmetto Motors?")
    ]
    twice = HEAD + "Lone Star,1,,,,\nLONE STAR,2,,,,\nLone Star,3,,,,\n"
    assert refused(container, "roster", twice) == [
        (3, "employer", "is spelled differently in row 2; use one spelling")
    ]


@pytest.mark.usefixtures("ana")
def test_two_at_once_tie_one_entry(container, acme):
    """Over HTTP and by file, with two addresses of one person, at the same moment."""
    errors, start = [], threading.Barrier(4)

    def post(employee_id, email):
        start.wait()
        try:
            add(container, acme, employee_id, email)
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    def send(employee_id, email):
        start.wait()
        try:
            bring(
                container, "roster", HEAD + f"Acme,{employee_id},{email},,,\n", employer_id=acme.id
            )
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [
        threading.Thread(target=run, args=(str(number), email))
        for number, (run, email) in enumerate(
            [(post, ANA), (send, "ana@work.example"), (post, "ana@work.example"), (send, ANA)]
        )
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert sorted(tied for *_, tied in entries(container)) == [False, False, False, True]


@pytest.mark.usefixtures("ana")
def test_two_at_once_begin_one_employment_under_a_number(container, acme):
    bring(container, "roster", HEAD + f"Acme,1,{ANA},,,2026-11-20\n")
    refusals, start = [], threading.Barrier(2)

    def post():
        start.wait()
        try:
            add(container, acme, "1")
        except AlreadyRecorded as error:
            refusals.append(error)

    threads = [threading.Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refusals) == 1
    assert [ended for _, ended, _ in entries(container)] == ["2026-11-20", None]
