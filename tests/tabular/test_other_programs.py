"""Files as other programs write them: LibreOffice (kept files), openpyxl, XlsxWriter, pandas."""

import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter

from tracker import tabular
from tracker.tabular import BadTable, Column, Dates, Encoding

FILES = Path(__file__).parents[1] / "data" / "spreadsheets"
HEADER = ["ref", "name", "on", "score", "duty"]
COLUMNS = (
    Column("ref", tabular.text(20), required=True),
    Column("name", tabular.text(40)),
    Column("on", tabular.date()),
    Column("score", tabular.decimal(2, 0, 100)),
    Column("duty", tabular.truth),
)
DAY = dt.date(2024, 3, 1)


def read(source, **options):
    """Give good rows as lists, and of the errors row, column and the beginning of the rule."""
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    rows = tabular.read(source, filename="a", columns=COLUMNS, **options)
    good = [list(values.values()) for _, values in rows]
    return good, [(error.row, error.column, error.rule) for error in rows.errors], rows.notes


def rows_of(source, **options):
    good, errors, _ = read(source, **options)
    assert errors == []
    return good


LIBRE_OFFICE: list[list[Any]] = [
    ["00123", "José Ñandú, Ltd.", DAY, Decimal("5.50"), True],
    ["00124", 'He said "yes"', dt.date(2024, 12, 31), Decimal(7), False],
    ["00125", None, None, None, None],
]


def test_a_workbook_of_libreoffice_is_read_as_it_shows():
    good, errors, notes = read(FILES / "libreoffice.xlsx")
    assert (good, errors) == (LIBRE_OFFICE, [])
    assert notes == ("Only the sheet 'Activities' was read, not 'Notes'.",)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("libreoffice.csv", Encoding.UTF_8),
        ("libreoffice-windows-1252.csv", Encoding.WINDOWS_1252),
    ],
)
def test_a_csv_file_of_libreoffice_is_read(name, encoding):
    first, *others = rows_of(FILES / name, encoding=encoding)
    assert first[1:] == LIBRE_OFFICE[0][1:]
    assert others == LIBRE_OFFICE[1:]


def test_the_windows_file_of_libreoffice_is_recognized_when_nothing_is_said():
    _, [(row, _, rule)], _ = read(FILES / "libreoffice-windows-1252.csv")
    assert row == 2
    assert "looks like Windows-1252, in which it reads " in rule
    assert "set the encoding to windows-1252" in rule


def test_what_a_workbook_of_libreoffice_shows_otherwise_is_refused_by_name():
    good, errors, _ = read(FILES / "libreoffice-refused.xlsx")
    assert good == []
    expected = [
        (2, "score", "is a percentage in the spreadsheet"),
        (3, "ref", "is a date in the spreadsheet, and this column takes no dates"),
        (4, "score", "must be a value, not a formula"),
        (5, "score", "must be a value, not a formula"),
        (6, "on", "is a plain number that would be 2024-03-01"),
        (7, "on", "has a time of day (09:30:00)"),
        (8, "score", "is shown as 5.3 in the spreadsheet"),
        (9, "ref", "has more than 15 digits"),
        (10, "", "is a hidden row"),
        (11, "name", "must be text, a number or a date, not the spreadsheet's TRUE or FALSE"),
    ]
    assert [error[:2] for error in errors] == [error[:2] for error in expected]
    for (_, _, rule), (_, _, words) in zip(errors, expected, strict=True):
        assert rule.startswith(words)


def by_xlsxwriter(write, **options):
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, options) as book:
        sheet = book.add_worksheet("Roster")
        sheet.write_row(0, 0, HEADER)
        write(book, sheet)
    return stream.getvalue()


@pytest.mark.parametrize("options", [{}, {"constant_memory": True}, {"date_1904": True}])
def test_a_workbook_of_xlsxwriter_is_read_as_it_shows(options):
    def write(book, sheet):
        sheet.set_column(0, 20, 12, book.add_format({"num_format": "@"}))
        sheet.write_number(1, 0, 123, book.add_format({"num_format": "00000"}))
        sheet.write_string(1, 1, "_x000D_ & <é>")
        sheet.write_datetime(1, 2, DAY, book.add_format({"num_format": "d mmm yyyy"}))
        sheet.write_number(1, 3, 5.5, book.add_format({"num_format": "#,##0.00"}))
        sheet.write_boolean(1, 4, True)  # noqa: FBT003 - the cell's value
        sheet.write_blank(1, 9, None, book.add_format({"bold": True}))

    [row] = rows_of(by_xlsxwriter(write, **options))
    assert row == ["00123", "_x000D_ & <é>", DAY, Decimal("5.50"), True]


def test_what_xlsxwriter_writes_to_be_seen_otherwise_is_refused_by_name():
    def write(book, sheet):
        sheet.write_string(1, 0, "A\r")
        sheet.write_number(1, 3, 0.85, book.add_format({"num_format": 9}))
        sheet.write_formula(1, 4, "=NOT(A1)", None, True)  # noqa: FBT003 - the cell's value
        sheet.merge_range(2, 0, 4, 0, "B")
        sheet.write_string(3, 1, "whose?")
        sheet.write_string(6, 0, "C")
        sheet.set_row(6, None, None, {"hidden": True})

    _, errors, _ = read(by_xlsxwriter(write))
    assert [(row, column, rule.split(":")[0]) for row, column, rule in errors] == [
        (2, "ref", "must be one line of text without tabs, line breaks or control characters"),
        (2, "score", "is a percentage in the spreadsheet"),
        (2, "duty", "must be a value, not a formula"),
        (4, "ref", "must not be empty"),
        (7, "", "is a hidden row"),
        (3, "", "has merged cells (A3"),
    ]


def test_a_column_that_xlsxwriter_hides_is_refused_by_name():
    def write(book, sheet):
        del book
        sheet.set_column("D:D", None, None, {"hidden": True})
        sheet.set_column("H:XFD", None, None, {"hidden": True})

    with pytest.raises(BadTable) as caught:
        read(by_xlsxwriter(write))
    [error] = caught.value.errors
    assert (error.row, error.value) == (1, "score")
    assert error.rule == "is a hidden column: show it, or delete it (sheet 'Roster')"


def frame():
    return pd.DataFrame(
        {
            "ref": ["00123", "B"],
            "name": ["José", None],
            "on": pd.to_datetime(["2024-03-01", None]),
            "score": [5.5, 7.0],
            "duty": [True, False],
        }
    )


FRAME = [
    ["00123", "José", DAY, Decimal("5.50"), True],
    ["B", None, None, Decimal(7), False],
]


@pytest.mark.parametrize("engine", ["openpyxl", "xlsxwriter"])
def test_a_workbook_of_pandas_is_read(engine):
    stream = io.BytesIO()
    frame().to_excel(stream, index=False, engine=engine)
    assert rows_of(stream.getvalue()) == FRAME


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sep": ";", "decimal": ","},
        {"sep": "\t", "lineterminator": "\r\n"},
        {"date_format": "%Y-%m-%dT%H:%M:%SZ"},
        {"date_format": "%m/%d/%Y %I:%M:%S %p"},
        {"quoting": 1, "encoding": "utf-8-sig"},
    ],
)
def test_a_csv_file_of_pandas_is_read(options):
    stream = io.BytesIO()
    frame().to_csv(stream, index=False, **options)
    assert rows_of(stream.getvalue(), dates=Dates.US) == FRAME


def test_days_of_pandas_with_a_zone_are_read_when_it_is_utc():
    table = frame()
    table["on"] = table["on"].dt.tz_localize("UTC")
    assert rows_of(table.to_csv(index=False).encode()) == FRAME
    table["on"] = table["on"].dt.tz_convert("America/New_York")
    _, [(_, column, rule)], _ = read(table.to_csv(index=False).encode())
    assert column == "on"
    assert rule.startswith("has a time of day (19:00:00), but this column takes a date only")


def test_numbers_that_pandas_has_made_of_references_are_read_as_they_show():
    table = frame().assign(ref=[123, 124])
    stream = io.BytesIO()
    table.to_excel(stream, index=False)
    assert [row[0] for row in rows_of(stream.getvalue())] == ["123", "124"]


def test_the_index_that_pandas_writes_by_itself_is_a_column_without_a_name():
    with pytest.raises(BadTable, match="has no name for column 1: every column needs a name"):
        read(frame().to_csv().encode())
