"""services/imports/holders.py: names in files, what people changed since, and likely duplicates."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.services.imports.importing import bring, fates, rows, told
from tracker.domain.desk.requests import RequestVerdict
from tracker.domain.names import FoldedName, searchable
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import FormerName, Holder
from tracker.services.desk import corrections, requests
from tracker.services.overview import history_pages
from tracker.services.overview.history_pages import HistoryFilter

HEAD = "holder_ref,given_name,family_name,email,second_email,language,time_zone\n"
FIRST = "A,Ana,Soto,ana@example.org,a2@example.org,en,America/Denver\n"
CLERK = Actor(role="staff", name="clerk")


@pytest.fixture
def id_(container):
    bring(container, "holders", HEAD + FIRST)
    ((found,),) = rows(container, Holder, "id")
    return found


def change(container, id_, by=CLERK, **values):
    with container.work(by) as work:
        version = work.row(select(Holder.version).where(Holder.id == id_)).version
        return corrections.change(work, id_, values, version=version, reason=None)


def record(container):
    fields = ("given_name", "family_name", "email", "second_email", "language", "time_zone")
    ((*found,),) = rows(container, Holder, *fields)
    return found


def changes(container, id_):
    """What history tells of the person, the newest first, by field."""
    with container.reading(SYSTEM) as reading:
        lines = history_pages.page(reading, HistoryFilter(limit=50), holder_id=id_)
    return [(c.field, c.before, c.after) for line in lines for c in line.changes]


@pytest.mark.parametrize(
    ("field", "value", "was"),
    [
        ("family_name", "Ruiz", '"Soto"'),
        ("given_name", "Anna", '"Ana"'),
        ("email", "new@example.org", '"ana@example.org"'),
        ("second_email", "b2@example.org", '"a2@example.org"'),
        ("second_email", None, '"a2@'),
        ("language", "es", '"en"'),
        ("time_zone", "America/Chicago", '"America/Denver"'),
    ],
)
def test_a_file_does_not_take_back_what_the_staff_changed_and_says_so(
    container, id_, field, value, was
):
    change(container, id_, **{field: value})
    corrected = record(container)
    for _ in range(2):
        report = bring(container, "holders", HEAD + FIRST)

        assert fates(report) == (0, 0, 1)
        ((row, column, message),) = told(report)
        assert (row, column) == (2, field)
        assert message.startswith(was)
        assert "replaced by clerk on 2026-11-21" in message
        assert f'"{value}"' in message or value is None
        assert message.endswith("If the file is right, correct the record manually.")
        assert record(container) == corrected


def test_what_the_holder_changed_and_what_was_granted_are_not_taken_back_either(container, id_):
    ana = Actor(role="holder", name="Ana", holder_id=id_)
    asked = change(container, id_, by=ana, family_name="Ruiz", email="new@example.org").request
    with container.work(CLERK) as work:
        requests.decide(work, asked.id, decision=RequestVerdict.GRANTED, reason=None, version=1)

    report = bring(container, "holders", HEAD + FIRST)

    assert [(column, fate) for _, column, fate in told(report)] == [
        ("family_name", told(report)[0][2]),
        ("email", told(report)[1][2]),
    ]
    assert record(container)[1:3] == ["Ruiz", "new@example.org"]


def test_a_really_new_value_changes_the_record_and_history_keeps_both(container, id_):
    change(container, id_, family_name="Ruiz")
    report = bring(container, "holders", HEAD + FIRST.replace("Soto", "Ruiz-Soto"))

    assert (fates(report), told(report)) == ((0, 1, 0), [])
    assert changes(container, id_)[0] == ("family_name", "Ruiz", "Ruiz-Soto")
    assert rows(container, FormerName, "given_name", "family_name") == [
        ("Ana", "Ruiz"),
        ("Ana", "Soto"),
    ]


def test_what_a_file_changed_another_file_may_change_back(container, id_):
    bring(container, "holders", HEAD + FIRST.replace("Soto", "Ruiz"))
    report = bring(container, "holders", HEAD + FIRST)

    assert (fates(report), told(report)) == ((0, 1, 0), [])
    assert record(container)[1] == "Soto"
    assert [name for _, name in rows(container, FormerName, "id", "family_name")] == [
        "Soto",
        "Ruiz",
    ]
    ((text,),) = rows(container, Holder, "folded_name")
    assert text == searchable(FoldedName("Ana", "Soto"), [FoldedName("Ana", "Ruiz")])
    assert id_


@pytest.mark.parametrize(
    ("replaced", "given"),
    [("GARCIA", "garcia"), ("Garcia", "GARCIA"), ("Straße", "STRASSE")],
)
def test_the_same_letters_in_another_case_are_taken_back_as_little(container, id_, replaced, given):
    change(container, id_, family_name=replaced)
    change(container, id_, family_name="Ruiz")
    report = bring(container, "holders", HEAD + FIRST.replace("Soto", given))
    assert [column for _, column, _ in told(report)] == ["family_name"]
    assert record(container)[1] == "Ruiz"


def test_only_what_was_replaced_stays_and_the_rest_of_the_row_is_taken(container, id_):
    change(container, id_, family_name="Ruiz")
    report = bring(
        container, "holders", HEAD + FIRST.replace("Ana,", "Anna,").replace(",en,", ",es,")
    )
    assert fates(report) == (0, 1, 0)
    assert [column for _, column, _ in told(report)] == ["family_name"]
    assert record(container)[:2] == ["Anna", "Ruiz"]
    assert record(container)[4] == "es"


def test_names_are_stored_composed_and_a_file_in_other_letters_changes_nothing(container):
    apart = HEAD + "A,Jose\N{COMBINING ACUTE ACCENT},Nun\N{COMBINING TILDE}ez,a@x.org,,,\n"
    bring(container, "holders", apart)
    assert rows(container, Holder, "given_name", "family_name", "folded_name") == [
        ("José", "Nuñez", " nunez , jose ;")
    ]
    assert bring(container, "holders", apart).unchanged == 1
    assert bring(container, "holders", HEAD + "A,José,Nuñez,a@x.org,,,\n").unchanged == 1
    assert rows(container, FormerName, "id") == []


def test_many_rows_are_found_by_their_names_however_they_came(container):
    many = "".join(f"P{n},Zoë,Peña-{n},p{n}@x.org,,,\n" for n in range(60))
    bring(container, "holders", HEAD + many)
    bring(container, "holders", HEAD + many.replace("Peña", "O'Hara"))
    for given, family, text in rows(container, Holder, "given_name", "family_name", "folded_name"):
        former = [FoldedName("Zoë", family.replace("O'Hara", "Peña"))]
        assert text == searchable(FoldedName(given, family), former)
    assert len(rows(container, FormerName, "id")) == 60


# People who look like someone on record.
@pytest.mark.parametrize(
    "line",
    [
        "B,Ana,Soto,ANA@example.org,,,\n",
        "B,ana,SOTO,ana@Example.org,,,\n",
        "B,Aná,Sotó,ana@example.org,,,\n",
    ],
)
def test_a_new_person_with_name_and_address_of_another_is_remarked_on(container, id_, line):
    report = bring(container, "holders", HEAD + line)
    assert report.created == 1
    ((row, column, message),) = told(report)
    assert (row, column, "'A'" in message) == (2, "holder_ref", True)
    assert told(bring(container, "holders", HEAD + line)) == []
    assert id_


def test_two_such_people_in_one_file_are_remarked_on_once(container):
    report = bring(container, "holders", HEAD + FIRST + FIRST.replace("A,", "B,", 1))
    assert [(row, column) for row, column, _ in told(report)] == [(3, "holder_ref")]


def test_the_same_address_alone_is_remarked_on_and_the_same_name_alone_is_not(container, id_):
    assert told(bring(container, "holders", HEAD + "B,Ana,Soto,b@x.org,,,\n")) == []
    ((_, _, message),) = told(
        bring(container, "holders", HEAD + "C,Rosa,Diaz,ana@example.org,,,\n")
    )
    assert "the ref 'A' has the same email address" in message
    assert id_
