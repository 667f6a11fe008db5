"""api/http/fields.py, tabular/columns.py: a value is the same in HTTP, CSV, XLSX and searches.

Strategies spell one value in many ways: composed and decomposed, with blanks of any width, with
characters that no one sees, with domains in either form.
"""

import csv
import io
import itertools
import re
import unicodedata
from datetime import date
from urllib.parse import quote

import hypothesis
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from sqlalchemy import select

from tests import factories
from tests.conftest import examples
from tracker import tabular
from tracker.api.http import fields
from tracker.domain import emails, values
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification, RosterEntry
from tracker.services import imports
from tracker.services.imports import ImportRefused

UNSEEN = ("\u200b", "\u00ad", "\u2060", "\ufeff", "\u200e")
BLANKS = (" ", "  ", "\u00a0", "\u2009", "\u3000", "\u202f")
_NOT_XML = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")


# Files.
def as_csv(rows):
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(rows)
    return stream.getvalue().encode()


def as_xlsx(rows):
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for at, row in enumerate(rows, start=1):
        for column, text in enumerate(row, start=1):
            cell = sheet.cell(at, column, text)
            cell.data_type = "s"  # also what begins with =
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


FORMS = {"csv": as_csv, "xlsx": as_xlsx}
REFUSED = object()


def by_http(field, text):
    try:
        return field.deserialize(text)
    except ValidationError:
        return REFUSED


def by_file(form, parse, texts):
    """What a column makes of each text, in order; blank cells are None."""
    columns = [tabular.Column("key", tabular.text(9)), tabular.Column("value", parse)]
    rows = [("key", "value"), *((str(at), text) for at, text in enumerate(texts))]
    reader = tabular.read(io.BytesIO(FORMS[form](rows)), filename="f", columns=columns)
    found = {int(str(row["key"])): row["value"] for _, row in reader}
    return [found.get(at, REFUSED) for at in range(len(texts))]


SIGNS = "aB9 é\u0301.,:@-_+'\"\t\u00a0\u200b\u200c\u202e\u2028\u0661\uff11\ue000Łüß漢😀"
LOST = [*sorted(values.NOTHING), "#REF!", "########", "Err:502", "1.23457E+11", "-1,5E+100"]
FRACTIONS = ["17.0", "0017.00", "5,0"]
ODD = st.text(
    st.sampled_from(SIGNS) | st.characters(exclude_categories=["Cs"]), max_size=9
) | st.sampled_from(LOST + FRACTIONS)
AMOUNTS = st.sampled_from(
    [
        "NaN",
        "Infinity",
        "1e3",
        "1E+2",
        "12.345",
        "-1",
        "-0",
        "+1",
        "007",
        "1_0",
        " 5.50\u00a0",
        "999999.99",
        "1000000",
        "1,5",
        "\u0661",
        ".5",
        "5.",
        "0x1",
        "1 000",
        "\u22121",
    ]
) | st.decimals(-10, 10**7, places=2).map(str)
DAYS = st.sampled_from(
    [
        "2026-3-5",
        "20260305",
        "2026-W10-1",
        "26-03-05",
        "2026-02-29",
        "1899-12-31",
        "2200-12-31",
        "2201-01-01",
        "\ufeff2026-03-05",
        " 2026-03-05",
        "\u0662026-03-05",
        "2026-03-05x",
    ]
) | st.dates().map(str)
ADDRESSES = (
    st.sampled_from(
        [
            "ana@münchen.example",
            "Ana@XN--MNCHEN-3YA.example",
            "a:b@example.org",
            "a..b@example.org",
            "José@Example.ORG",
            "ana@b--c.example",
            "ana\u200b@example.org",
            "a@b",
            "ana@ex_a.org",
            "Ana <ana@example.org>",
            "ana@example.org.",
            "ana@[::1]",
            "ana@straße.de",
        ]
    )
    | st.emails()
)


@pytest.mark.parametrize(
    ("field", "parse", "texts"),
    [
        pytest.param(fields.WordsField(5), tabular.text(5), ODD, id="line"),
        pytest.param(fields.NameField(), tabular.text(100), ODD, id="name"),
        pytest.param(fields.Reference(), tabular.text(64), ODD, id="reference"),
        pytest.param(fields.CertificateNumber(), tabular.certificate_number, ODD, id="number"),
        pytest.param(fields.Email(), tabular.email, ODD | ADDRESSES, id="email"),
        pytest.param(fields.DayField(), tabular.date(), ODD | DAYS, id="day"),
        pytest.param(
            fields.AmountField(),
            tabular.decimal(2, 0, values.MOST_CENTS),
            ODD | AMOUNTS,
            id="amount",
        ),
    ],
)
@given(data=st.data())
@examples(10)
def test_any_text_is_the_same_value_or_refused_through_every_door(field, parse, texts, data):
    many = data.draw(st.lists(texts.map(lambda x: _NOT_XML.sub("", x)), min_size=12, max_size=12))
    expected = [None if not values.trimmed(x) else by_http(field, x) for x in many]
    for form in FORMS:
        assert by_file(form, parse, many) == expected, form


@pytest.mark.parametrize("lost", LOST)
def test_what_a_program_writes_in_place_of_a_value_is_refused_by_every_door(lost):
    for form in FORMS:
        assert by_file(form, tabular.text(64), [lost]) == [REFUSED], form
    for field in (
        fields.WordsField(64),
        fields.Reference(),
        fields.NameField(),
        fields.CompanyName(),
    ):
        assert by_http(field, f" {lost}\N{ZERO WIDTH SPACE}") is REFUSED
    assert by_http(fields.Sought(64), lost) == lost, "a search may ask for a name in capitals"


def test_what_people_and_records_are_called_is_no_such_thing():
    kept = ["Null", "Nan", "nil", "NULL 2", "#1", "##", "E", "E+11", "Errol", "Err:5", "1.5E10"]
    assert [by_http(fields.WordsField(64), x) for x in kept] == kept


@pytest.mark.parametrize("number", [16, 12.5, 0.1 + 0.2, True, None, [], float("nan")])
def test_an_amount_that_is_no_string_is_refused(number):
    with pytest.raises(ValidationError):
        fields.AmountField().deserialize(number)


# Spellings of one value.
@st.composite
def spelled(draw, text):
    """The same text as someone else may type, paste or export it."""
    form = draw(st.sampled_from(["NFC", "NFD"]))
    pieces = []
    for sign in unicodedata.normalize(form, text):
        pieces += [draw(st.sampled_from(BLANKS)) if sign == " " else sign]
        pieces += [draw(st.sampled_from(UNSEEN))] * draw(st.sampled_from([0, 0, 0, 1]))
    around = st.sampled_from(["", *BLANKS])
    return draw(around) + "".join(pieces) + draw(around)


@st.composite
def addressed(draw, address):
    """The same address with its domain in another form or case."""
    kept = draw(st.sampled_from([address, emails.for_relay(address)]))
    local, _, domain = kept.rpartition("@")
    changed = draw(st.sampled_from([str.upper, str.lower, str.title]))(domain)
    return draw(spelled(f"{local}@{changed}"))


NAMES = st.sampled_from(
    ["José María", "Łucja", "O'Neill-García", "Ngô Đình", "李 小龍", "Àé̂", "마리아", "علی‌رضا"]
).map(values.name)
LOCALS = st.sampled_from(["Ana.Soto", "josé", "x+y"])
DOMAINS = st.sampled_from(["plant.example", "münchen.example", "почта.рф", "b--c.example"])


@st.composite
def people(draw):
    """One person, spelled three times: for HTTP, CSV and XLSX; perhaps with one bad value."""
    ref = draw(st.sampled_from(["P 1", "É-7", "EMP/42", "漢-1"]))
    person = {
        "ref": ref,
        "given_name": draw(NAMES),
        "family_name": draw(NAMES),
        "email": emails.email(f"{draw(LOCALS)}@{draw(DOMAINS)}"),
    }
    told = [
        {
            name: draw(addressed(value) if name == "email" else spelled(value))
            for name, value in person.items()
        }
        for _ in range(3)
    ]
    bad = draw(st.sampled_from([None, None, *person]))
    if bad is not None:
        sign = draw(st.sampled_from(["\t", "\u202e", "\ue000", "\u2028"]))
        for one in told:
            one[bad] = one[bad][:1] + sign + one[bad][1:]
    return person, told, bad


_numbers = itertools.count(1)


@given(example=people())
@hypothesis.settings(
    examples(8),
    phases=[hypothesis.Phase.generate],  # to make an example smaller takes minutes
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
def test_a_person_is_one_however_spelled_and_through_whichever_door(container, staff, example):
    person, told, bad = example
    another = next(_numbers)
    for one in (person, *told):
        one["ref"] = f"{another}-{values.trimmed(one['ref'])}"
    if bad is None:
        _check_stored(container, staff, person, told)
    else:
        _check_refused(container, staff, told, bad)


HEADER = ["holder_ref", "given_name", "family_name", "email"]


def bring(container, form, told):
    with container.work(SYSTEM) as work:
        file = io.BytesIO(FORMS[form]([HEADER, list(told.values())]))
        return imports.run(work, "holders", file, filename=f"holders.{form}")


def _check_refused(container, staff, told, bad):
    answer = staff.post("/holders", told[0])
    assert [error["field"] for error in answer.json["errors"]] == [bad]
    for form, row in zip(FORMS, told[1:], strict=True):
        with pytest.raises(ImportRefused) as refused:
            bring(container, form, row)
        column = "holder_ref" if bad == "ref" else bad
        assert [error.column for error in refused.value.errors] == [column]


def _check_stored(container, staff, person, told):
    stored = staff.post("/holders", told[0]).json
    assert {name: stored[name] for name in person} == person
    for form, row in zip(FORMS, told[1:], strict=True):
        report = bring(container, form, row)
        assert (report.created, report.changed, report.unchanged) == (0, 0, 1), form
        for key in ("given_name", "family_name", "email"):
            asked = f"/holders?{key}={quote(row[key])}&ref={quote(row['ref'])}"
            assert [x["id"] for x in staff.get(asked).json["items"]] == [stored["id"]], key
        for words in (row["email"].swapcase(), row["ref"], row["given_name"]):
            found = staff.get(f"/holders?limit=200&q={quote(words)}").json["items"]
            assert stored["id"] in [x["id"] for x in found], words


# What is found and counted by such values.
ACTIVITY = [
    "activity_ref",
    "holder_ref",
    "scheme",
    "category",
    "type",
    "title",
    "provider",
    "quantity",
    "completed_on",
    "status",
    "submitted_on",
    "decided_on",
]


@pytest.fixture
def ana(container):
    """Someone who is certified: ids of holder and certification, and its number."""
    ids = factories.certified(
        container,
        date(2023, 5, 1),
        ref="P-1",
        family_name="Núñez",
        email="Ana.Soto@münchen.example",
    )
    with container.reading(SYSTEM) as reading:
        number = reading.row(select(Certification.number).where(Certification.id == ids[1])).number
    return *ids, number


def test_one_course_in_other_letters_counts_once_through_every_door(container, staff, ana):
    course = {
        "category": "CE",
        "type": "third_party",
        "title": "Se\u00f1al  \u2013 Robots",
        "provider": "Ivy\u00a0Tech",
        "quantity": " 016 ",
        "completed_on": "2026-01-05\u200b",
    }
    made = staff.post(f"/certifications/{ana[1]}/activities", course, key="1").json
    assert (made["title"], made["quantity"]) == ("Señal \u2013 Robots", "16.00")
    assert staff.post(f"/activities/{made['id']}/submission").status_code == 200
    assert staff.post(f"/activities/{made['id']}/decision", {"decision": "approved"}).json
    rows = {
        "csv": ["A\u200b1", "P-1", "cpt", "CE", "third_party", "SENAL - ROBOTS", "ivy tech"],
        "xlsx": [
            "A2",
            "P-1\u00a0",
            "cpt",
            "CE",
            "third_party",
            "Sen\u0303al - robots",
            "IVY  TECH",
        ],
    }
    for form, row in rows.items():
        days = ["16.0", " 2026-01-05", "approved", "2026-01-06", "2026-01-07"]
        with container.work(SYSTEM) as work:
            file = io.BytesIO(FORMS[form]([ACTIVITY, [*row, *days]]))
            assert imports.run(work, "activities", file, filename=form).created == 1

    told = staff.get(f"/certifications/{ana[1]}/evaluation").json
    assert told["total"] == "16.00"


def test_a_worker_is_found_by_an_address_in_any_form_through_every_door(container, staff, ana):
    employer = staff.post("/employers", {"name": "Palmetto"}).json["id"]
    entry = {"employee_id": "1", "email": " ANA.SOTO@xn--mnchen-3ya.EXAMPLE"}
    assert staff.post(f"/employers/{employer}/roster", entry).status_code == 201
    header = ["employer", "employee_id", "email", "certificate_number"]
    number = ana[2].replace("-", "\u2011").lower()
    for form, written in FORMS.items():
        with container.work(SYSTEM) as work:
            rows = [
                header,
                [f"Company {form}", "2\u200b", "ana.soto@M\u00dcNCHEN.example", ""],
                [f"Other {form}", "3", "", f" {number}\u00a0"],
            ]
            imports.run(work, "roster", io.BytesIO(written(rows)), filename=form)

    with container.reading(SYSTEM) as reading:
        entries = select(RosterEntry.employee_id, RosterEntry.given_email, RosterEntry.holder_id)
        found = {(row.employee_id, row.given_email, row.holder_id) for row in reading.rows(entries)}
    assert {(number, email) for number, email, _ in found} == {
        ("1", "ANA.SOTO@münchen.example"),
        ("2", "ana.soto@münchen.example"),
        ("3", None),
    }
    assert {who for *_, who in found} == {ana[0]}


@pytest.mark.parametrize("surname", ["NUNEZ", "Nu\u0301n\u0303ez\u200b", " n\u00fa\u00f1ez\u00a0"])
def test_a_certificate_is_verified_and_found_by_any_spelling_of_number_and_name(
    anonymous, staff, ana, surname
):
    for number in (ana[2].lower(), ana[2].replace("-", "\u2013"), f"\u200b{ana[2]} "):
        asked = f"/verify?number={quote(number)}&surname={quote(surname)}"
        answer = anonymous.client.get(asked, headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json["number"]) == (200, ana[2])
        found = staff.get(f"/certifications?number={quote(number)}").json["items"]
        assert [row["id"] for row in found] == [ana[1]]
