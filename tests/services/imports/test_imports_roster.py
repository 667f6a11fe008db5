"""Rosters: whom an entry means, what employers may not say, and consent that stays ended."""

from datetime import date

import pytest
from sqlalchemy import select, update

from tests.backends import SQLITE
from tests.services.imports.importing import HOLDERS, bring, certify, fates, refused, rows, told
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Certification, Employer, Holder, RosterEntry, Sharing
from tracker.services import imports

ROSTER = "employer,employee_id,holder_ref,email,certificate_number,site,consented_on,ended_on\n"


@pytest.fixture
def registered(container):
    """A and B are on record, and A is certified."""
    bring(container, "holders", HOLDERS)
    certify(container, "A", "2022-01-15")
    return container


@pytest.fixture
def own(registered):
    """The id of the employer Acme, whose roster is empty."""
    bring(registered, "roster", ROSTER + "Acme,0,,,,,,\n")
    ((id_,),) = rows(registered, Employer, "id")
    return id_


def meant(container):
    """Whom the entries mean: employee_id and holder_ref."""
    with container.reading(SYSTEM) as reading:
        statement = select(RosterEntry.employee_id, Holder.ref).join(
            Holder, Holder.id == RosterEntry.holder_id, isouter=True
        )
        return {row.employee_id: row.ref for row in reading.rows(statement)}


def test_a_worker_is_found_by_ref_else_by_number_else_by_either_address(registered):
    ((number,),) = rows(registered, Certification, "number")
    with registered.engine.begin() as connection:
        second = update(Holder).where(Holder.ref == "B").values(second_email="b@work.example")
        connection.execute(second)
    plain = number.replace("-", "").lower()
    report = bring(
        registered,
        "roster",
        ROSTER
        + (
            f"One,1,B,ana@example.org,{number},,,\n"
            f"One,2,,bo@example.org,{number},,,\n"
            "Two,3,,BO@example.org,,,,\n"
            f"Two,8,,,{plain},,,\n"
            "Three,4,,B@Work.Example,,,,\n"
            "Three,5,,nobody@example.org,,,,\n"
            "Three,6,,ana@example.org,CPT-22222-22222,,,\n"
            "Three,7,,,,,,\n"
        ),
    )

    assert meant(registered) == {
        "1": "B",
        "2": "A",
        "3": "B",
        "8": "A",
        "4": "B",
        "5": None,
        "6": None,
        "7": None,
    }
    assert told(report) == [
        (7, "email", "No holder with this address was found."),
        (8, "certificate_number", "No holder with this certificate number was found."),
    ]


def test_an_address_that_two_holders_share_names_neither(registered):
    with registered.engine.begin() as connection:
        connection.execute(update(Holder).values(email="home@example.org"))
    bring(registered, "roster", ROSTER + "Acme,1,,home@example.org,,,,\n")

    assert meant(registered) == {"1": None}


@SQLITE
def test_a_worker_registered_later_is_found_by_the_same_file(registered):
    file = ROSTER + "Acme,1,,cy@example.org,,,,\n"
    bring(registered, "roster", file)
    bring(
        registered,
        "holders",
        "holder_ref,given_name,family_name,email\nC,Cy,Ek,cy@example.org\n",
    )

    assert fates(bring(registered, "roster", file)) == (0, 1, 0)
    assert meant(registered) == {"1": "C"}


def test_an_entry_tied_to_its_holder_since_stays_tied_while_the_file_says_the_same(registered):
    file = ROSTER + "Acme,1,,work@acme.example,,Plant 1,,\n"
    bring(registered, "roster", file)
    with registered.engine.begin() as connection:
        tied = select(Holder.id).where(Holder.ref == "A").scalar_subquery()
        connection.execute(update(RosterEntry).values(holder_id=tied))

    assert fates(bring(registered, "roster", file)) == (0, 0, 1)
    assert fates(bring(registered, "roster", file.replace("Plant 1", "Plant 2"))) == (0, 1, 0)
    assert meant(registered) == {"1": "A"}
    bring(registered, "roster", file.replace("work@", "other@"))
    assert meant(registered) == {"1": None}


@SQLITE
def test_an_employers_own_file_says_nothing_of_consent_nor_of_other_employers(registered, own):
    file = ROSTER + "Acme,1,A,,,,2024-01-01,\nOther,2,,,,,,\n"

    assert refused(registered, "roster", file, employer_id=own) == [
        (2, "consented_on", "must be empty: only workers can give consent, not their employer"),
        (2, "holder_ref", "must be empty: use the worker's email or certificate_number instead"),
        (3, "employer", "must be your own company, Acme"),
    ]


@SQLITE
def test_an_employers_own_file_is_not_told_who_is_on_record(registered, own):
    file = ROSTER + "Acme,1,,ana@example.org,,,,\nAcme,2,,nobody@example.org,,,,\n"
    report = bring(registered, "roster", file, employer_id=own)

    assert (fates(report), told(report), report.effects) == ((2, 0, 0), [], {})
    assert meant(registered) == {"0": None, "1": "A", "2": None}


def test_an_employer_reads_its_own_runs_only(registered, own):
    report = bring(registered, "roster", ROSTER + "Acme,1,,,,,,\n", employer_id=own)
    other = bring(registered, "holders", HOLDERS)
    with registered.reading(Actor(role="employer", name="HR", organization_id=own)) as reading:
        assert imports.get(reading, report.id).outcome == "stored"
        with pytest.raises(NotFound):
            imports.get(reading, other.id)


def test_a_consent_that_was_signed_is_recorded_once(registered):
    file = ROSTER + "Acme,1,A,,,,2024-01-01,\nAcme,2,A,,,,2024-02-01,\nBolt,1,A,,,,2024-03-01,\n"
    report = bring(registered, "roster", file)

    assert report.effects == {"employers added": 2, "consents recorded": 2}
    assert rows(registered, Sharing, "consented_on", "recorded_by") == [
        (date(2024, 1, 1), "system"),
        (date(2024, 3, 1), "system"),
    ]
    again = bring(registered, "roster", file)
    assert (fates(again), again.effects) == ((0, 0, 3), {})


def test_a_consent_that_the_holder_ended_does_not_come_back_with_an_old_file(registered, clock):
    file = ROSTER + "Acme,1,A,,,,2024-01-01,\n"
    bring(registered, "roster", file)
    with registered.engine.begin() as connection:
        connection.execute(update(Sharing).values(ended_at=clock(), end_reason="withdrawn"))

    assert fates(bring(registered, "roster", file)) == (0, 0, 1)
    assert fates(bring(registered, "roster", file.replace("2024-01-01", "2026-11-21"))) == (0, 0, 1)
    clock.set("2026-11-22")
    signed_anew = bring(registered, "roster", file.replace("2024-01-01", "2026-11-22"))
    assert (fates(signed_anew), signed_anew.effects) == ((0, 1, 0), {"consents recorded": 1})


def test_the_end_of_an_employment_is_a_change_of_the_entry(registered):
    file = ROSTER + "Acme,1,A,,,,2024-01-01,\n"
    bring(registered, "roster", file)
    report = bring(registered, "roster", file.replace(",2024-01-01,", ",2024-01-01,2026-01-31"))

    assert fates(report) == (0, 1, 0)
    assert rows(registered, RosterEntry, "ended_on") == [(date(2026, 1, 31),)]


def test_whoever_is_not_in_a_whole_list_is_named_first_and_ended_when_it_is_stored(registered, own):
    """Their consents end with the employment; who is in the file, and others' lists, stay."""
    bring(registered, "roster", ROSTER + "Acme,1,A,,,,2026-01-05,\nOther,0,,,,,,\nAcme,2,,,,,,\n")
    whole = {"employer_id": own, "ends_missing": True}
    file = "employer,employee_id\nAcme,2\nAcme,3\n"
    checked = bring(registered, "roster", file, dry_run=True, **whole)
    before = ended(registered)
    done = bring(registered, "roster", file, **whole)

    assert before == {}
    assert [(row, column) for row, column, _ in told(checked)] == [(1, "employee_id")] * 2
    assert {words.split()[0] for *_, words in told(checked)} == {"0", "1"}
    assert (done.rows, done.created, done.changed, done.unchanged) == (2, 1, 0, 1)
    assert done.effects["ended_missing"] == 2
    assert ended(registered) == dict.fromkeys(["0", "1"], date(2026, 11, 21))
    ((reason,),) = rows(registered, Sharing, "end_reason")
    assert reason == "employment_ended"
    again = bring(registered, "roster", file, **whole)
    assert (again.unchanged, again.effects) == (2, {})


def ended(container):
    """The employer's entries that have ended, with the day, by employee_id."""
    with container.reading(SYSTEM) as reading:
        statement = select(RosterEntry.employee_id, RosterEntry.ended_on).where(
            RosterEntry.ended_on.is_not(None)
        )
        return {row.employee_id: row.ended_on for row in reading.rows(statement)}


@SQLITE
def test_a_file_that_does_not_say_that_it_is_whole_ends_nobody(registered, own):
    bring(registered, "roster", "employer,employee_id\nAcme,3\n", employer_id=own)

    assert ended(registered) == {}


def test_a_refused_file_ends_nobody(registered, own):
    file = "employer,employee_id\nAcme,3\nWrong,4\n"
    with pytest.raises(imports.ImportRefused):
        bring(registered, "roster", file, employer_id=own, ends_missing=True)

    assert ended(registered) == {}


def test_a_file_that_lists_nobody_is_no_whole_list(registered, own):
    bring(registered, "roster", "employer,employee_id\nAcme,3\n", employer_id=own)
    with pytest.raises(imports.ImportRefused) as refused:
        bring(registered, "roster", "employee_id\n", employer_id=own, ends_missing=True)

    assert [error.column for error in refused.value.errors] == ["employee_id"]
    assert ended(registered) == {}


@pytest.mark.parametrize("kind", ["roster", "holders"])
def test_only_an_employers_own_list_is_whole(registered, kind):
    with pytest.raises(Invalid):
        bring(registered, kind, "employer,employee_id\nAcme,3\n", ends_missing=True)
