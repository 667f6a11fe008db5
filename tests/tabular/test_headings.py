"""tabular/expected.py: the headings by which the columns of a table are found."""

import io
from datetime import date

import openpyxl
import pytest

from tracker import tabular
from tracker.services import imports
from tracker.tabular import BadTable, Column, Encoding, child
from tracker.tabular.expected import Names

COLUMNS = (
    Column("holder_ref", tabular.text(20), required=True),
    Column("ended_on", tabular.date()),
    Column("score", tabular.decimal(2, 0, 100)),
)
AS_WRITTEN = [
    "Holder Ref",
    "HOLDER_REF",
    "holder-ref",
    "holderRef",
    "holder  ref",
    " Holder_Ref ",
    "Holder\N{NO-BREAK SPACE}Ref",
    "holder\N{EN DASH}ref",
    "\N{ZERO WIDTH SPACE}holder_ref",
    "holder_ref_",
]


def as_csv(rows, delimiter=","):
    return io.BytesIO("\n".join(delimiter.join(row) for row in rows).encode())


def as_xlsx(rows):
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(stream)
    stream.seek(0)
    return stream


def taken_apart(stream):
    """As a file comes from outside: first as texts, by a job that knows the columns' kinds."""
    columns = [(column.name, column.kind, column.required) for column in COLUMNS]
    into = io.BytesIO()
    child.work({"columns": columns, "encoding": Encoding.UTF_8}, stream, into)
    return tabular.Unpacked(into)


def read(stream):
    rows = tabular.read(stream, filename="a", columns=COLUMNS)
    good = [values for _, values in rows]
    rows.check_clean()
    return rows.header, good


@pytest.mark.parametrize("write", [as_csv, as_xlsx])
@pytest.mark.parametrize("heading", AS_WRITTEN)
def test_a_heading_may_differ_in_case_blanks_underscores_and_hyphens(write, heading):
    header, [row] = read(write([["ENDED ON", heading, "Score"], ["2026-03-15", "007", "5"]]))

    assert header == ("ended_on", "holder_ref", "score")
    assert (row["holder_ref"], str(row["ended_on"]), row["score"]) == ("007", "2026-03-15", 5)


def test_such_headings_tell_the_delimiter_and_are_known_below_titles():
    rows = [["Holder Ref", "Ended On", "Score"], ["A", "2026-03-15", "1"]]
    assert len(read(as_csv(rows, ";"))[1]) == len(read(as_csv(rows, "\t"))[1]) == 1
    with pytest.raises(BadTable, match="is not the header row, which is row 2"):
        read(as_csv([["Our workers", "", ""], *rows]))


@pytest.mark.parametrize("way", [lambda stream: stream, taken_apart])
def test_the_cells_below_such_a_heading_are_read_as_those_of_the_column(way):
    """In a workbook a column's kind says what its cells are."""
    _, [row] = read(way(as_xlsx([["Holder-Ref", "Ended-On"], ["A", date(2026, 3, 15)]])))

    assert row["ended_on"] == date(2026, 3, 15)


@pytest.mark.parametrize("write", [as_csv, as_xlsx])
def test_two_headings_of_one_column_are_refused_by_name(write):
    with pytest.raises(BadTable) as caught:
        read(write([["holder_ref", "Holder Ref", "score"], ["A", "B", "1"]]))

    [error] = caught.value.errors
    assert (error.row, error.column, error.value) == (1, "holder_ref", "Holder Ref")
    rule = "must appear once, but appears 2 times, as 'holder_ref', 'Holder Ref'"
    assert error.rule.startswith(rule)


def test_other_headings_are_unknown_as_ever():
    with pytest.raises(BadTable) as caught:
        read(as_csv([["holder_ref", "holder ref no", "scores"], ["A", "B", "1"]]))

    assert [error.rule for error in caught.value.errors] == [
        "is not a column of this table; did you mean holder_ref?",
        "is not a column of this table; did you mean score?",
    ]


def test_no_two_columns_of_a_kind_have_one_heading():
    for kind in imports.KINDS:
        columns = imports.column_names(kind)
        names = Names(columns)
        assert [names.meant(name.replace("_", " ").upper()) for name in columns] == [*columns]
