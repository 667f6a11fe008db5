"""What a file says of attempts beside their outcome (services/imports/assessments.py)."""

import io

import pytest
from sqlalchemy import select

from tests.backends import SQLITE
from tests.services.imports.importing import HOLDERS, bring, fates, refused
from tracker.domain.permissions import SYSTEM
from tracker.models import Assessment
from tracker.services.credentials import centers
from tracker.services.overview import export_files

PLAIN = "attempt_ref,holder_ref,scheme,module,taken_on,result"
SAID = "center,edition,proctor,instructor,funding,amount,funding_reference"
TOLD = f"{PLAIN},{SAID}\na1,A,cpt,safety,2024-03-01,pass,IN-7,4.0,Jo Lee,Kim Soto,wioa,45.00,V7\n"


@pytest.fixture
def registered(container):
    bring(container, "holders", HOLDERS)
    with container.work(SYSTEM) as work:
        name = "Ivy Tech"
        centers.add_center(work, name=name, code="IN-7", category="employer", approvals=[])
    return container


def test_what_is_said_of_an_attempt_goes_out_and_comes_in_again(registered):
    assert fates(bring(registered, "assessments", TOLD)) == (1, 0, 0)
    stream = io.BytesIO()
    with registered.reading(SYSTEM) as reading:
        export_files.write(reading, "assessments", stream=stream)
    for value in ("Ivy Tech", "4.0", "Jo Lee", "Kim Soto", "45.00", "V7"):
        assert value in stream.getvalue().decode()
    assert fates(bring(registered, "assessments", stream.getvalue())) == (0, 0, 1)


SOURCES = "funding_2,amount_2,funding_reference_2,funding_4"


def several(text):
    """The file, with more sources."""
    header, line = TOLD.splitlines()
    return f"{header},{SOURCES}\n{line},{text}\n"


def test_several_sources_go_out_and_come_in_again(registered):
    assert fates(bring(registered, "assessments", several("self,12.50,C-1,college"))) == (1, 0, 0)
    with registered.reading(SYSTEM) as reading:
        [[stored]] = reading.rows(select(Assessment.more_funding))
    assert [(one["funding"], one["amount"]) for one in stored] == [
        ("self", "12.50"),
        ("college", None),
    ]
    stream = io.BytesIO()
    with registered.reading(SYSTEM) as reading:
        export_files.write(reading, "assessments", stream=stream)
    assert fates(bring(registered, "assessments", stream.getvalue())) == (0, 0, 1)
    assert fates(bring(registered, "assessments", TOLD)) == (0, 0, 1)
    assert fates(bring(registered, "assessments", several("self,13.00,C-1,college"))) == (0, 1, 0)
    assert fates(bring(registered, "assessments", several(",,,"))) == (0, 1, 0)


@SQLITE
@pytest.mark.parametrize("said", [",12.50,,", ",,C-1,", "wioa,,,", "self,,,self"])
def test_sources_that_contradict_themselves_are_refused_by_the_column(registered, said):
    assert {named for _, named, _ in refused(registered, "assessments", several(said))} == {
        "funding_2"
    }


def test_a_file_without_these_columns_changes_nothing(registered):
    bring(registered, "assessments", TOLD)
    without = f"{PLAIN}\na1,A,cpt,safety,2024-03-01,pass\n"
    assert fates(bring(registered, "assessments", without)) == (0, 0, 1)


@SQLITE
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("funding", ""),
        ("funding", "self"),
        ("funding_2", "wioa"),
        ("proctor", "Kim Soto"),
        ("instructor", "Jo Lee"),
    ],
)
def test_what_contradicts_what_is_on_record_is_refused(registered, column, value):
    """A file with some of the columns is judged together with what it leaves as it is."""
    bring(registered, "assessments", several("self,12.50,C-1,college"))
    some = f"{PLAIN},{column}\na1,A,cpt,safety,2024-03-01,pass,{value}\n"
    named = {"instructor": "proctor"}.get(column, column)
    assert {one for _, one, _ in refused(registered, "assessments", some)} == {named}


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (("Jo Lee", "SOTO Kím"), "proctor"),
        (("wioa", ""), "funding"),
        (("4.0", "9.9"), "edition"),
        (("IN-7", "IN-8"), "center"),
    ],
)
def test_what_contradicts_itself_is_refused_by_its_column(registered, change, column):
    [(row, named, _)] = refused(registered, "assessments", TOLD.replace(*change))
    assert (row, named) == (2, column)
