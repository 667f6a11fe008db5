"""Which sheet, rows and columns of a workbook are read (`tabular.xlsx_rows`, `workbook`)."""

import io
import re
import zipfile

import openpyxl
import pytest

from tracker import tabular
from tracker.tabular import BadTable, Column

COLUMNS = (
    Column("ref", tabular.text(20), required=True),
    Column("name", tabular.text(40)),
    Column("score", tabular.decimal(2, 0, 100)),
)
HEADER = ["ref", "name", "score"]
TABLE = [HEADER, ["A", "a"]]
OLD = [HEADER, ["OLD", "x"]]
NOTES = [["How to fill in this file"], ["Name every worker."]]


def workbook(**sheets):
    """Write sheets of rows; a name that begins with hidden or veryHidden says so of the sheet."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = next(
            (s for s in ("hidden", "veryHidden") if name.startswith(s)), "visible"
        )
        for row in rows:
            sheet.append(row)
    return book


def saved(book):
    stream = io.BytesIO()
    book.save(stream)
    stream.seek(0)
    return stream


def replaced(stream, part, old, new):
    """Give a workbook with other bytes in one of its parts."""
    copy = io.BytesIO()
    with zipfile.ZipFile(stream) as before, zipfile.ZipFile(copy, "w") as after:
        for name in before.namelist():
            data = before.read(name)
            after.writestr(name, data.replace(old, new) if name == part else data)
    copy.seek(0)
    return copy


def read(book):
    rows = tabular.read(saved(book), filename="a.xlsx", columns=COLUMNS)
    good = [values["ref"] for _, values in rows]
    return good, [(error.row, error.column, error.rule) for error in rows.errors], rows.notes


def refused(book):
    with pytest.raises(BadTable) as caught:
        read(book)
    return [(error.row, error.value, error.rule) for error in caught.value.errors]


@pytest.mark.parametrize(
    "sheets",
    [
        {"New": TABLE},
        {"hidden old": OLD, "New": TABLE},
        {"veryHidden old": OLD, "hidden older": OLD, "New": TABLE},
        {"New": TABLE, "hidden old": OLD},
        {"Empty": [], "New": TABLE},
        {"New": TABLE, "Sheet2": [], "Sheet3": [[None, " "]]},
    ],
)
def test_the_first_visible_sheet_with_anything_in_it_is_read(sheets):
    assert read(workbook(**sheets)) == (["A"], [], ())


def test_hidden_sheets_alone_are_refused_by_name():
    book = workbook(**{"hidden a": TABLE, "hidden b": TABLE, "c": []})
    book.active = 2
    stream = saved(book)
    visible = b'name="c" sheetId="3" state="visible"'
    hidden = b'name="c" sheetId="3" state="hidden"'
    copy = replaced(stream, "xl/workbook.xml", visible, hidden)
    with pytest.raises(
        BadTable, match=r"has only hidden sheets \('hidden a', 'hidden b', 'c'\): show"
    ):
        tabular.read(copy, filename="", columns=COLUMNS)


def test_a_second_table_is_refused_with_the_names_of_the_sheets():
    [(row, _, rule)] = refused(workbook(North=TABLE, Notes=NOTES, South=OLD))
    assert row == 1
    assert rule == (
        "has such a table in several sheets ('North', 'South'): save each sheet as a separate file"
    )


def test_other_visible_sheets_are_named_and_not_read():
    good, errors, notes = read(workbook(Workers=TABLE, Notes=NOTES, Lists=[["pass"], ["fail"]]))
    assert (good, errors) == (["A"], [])
    assert notes == ("Only the sheet 'Workers' was read, not 'Notes', 'Lists'.",)


def test_a_cover_sheet_is_refused_with_the_name_of_the_sheet_that_has_the_header():
    [(_, _, rule)] = refused(workbook(Cover=NOTES, Workers=[["A title"], *TABLE]))
    assert rule == (
        "the sheet 'Cover' has no header row, but the sheet 'Workers' has: put that sheet first, "
        "or save it as a separate file"
    )


def test_titles_above_the_header_are_refused_with_the_row_of_the_header():
    [found] = refused(workbook(Workers=[["Roster 2026"], [], ["Acme"], *TABLE]))
    assert found == (
        1,
        "Roster 2026",
        "is not the header row, which is row 4: delete the rows above it (sheet 'Workers')",
    )


def test_a_refusal_of_the_header_names_the_sheet():
    found = refused(workbook(Empty=[], Workers=[["nmae", "score"]]))
    assert [rule for _, _, rule in found] == [
        "is not a column of this table (sheet 'Workers'); did you mean name?",
        "is required, but missing from the header row (sheet 'Workers')",
    ]


def test_hidden_rows_are_refused_unless_they_are_blank():
    book = workbook(Workers=[*TABLE, ["B"], ["C"], []])
    for row in (3, 5, 6):
        book.worksheets[0].row_dimensions[row].hidden = True
    good, [(row, _, rule)], _ = read(book)
    assert (good, row) == (["A", "C"], 3)
    assert rule.startswith("is a hidden row: show all rows (a filter may be on), and delete those")


@pytest.mark.parametrize(
    ("shown", "hidden", "expected"),
    [
        (b'ht="7"', b'ht="0"', (2, "is a hidden row")),
        (b'width="7"', b'width="0"', (1, "is a hidden column")),
    ],
)
def test_a_row_without_height_or_a_column_without_width_is_hidden_too(shown, hidden, expected):
    book = workbook(Workers=TABLE)
    book.worksheets[0].row_dimensions[2].height = 7
    book.worksheets[0].column_dimensions["B"].width = 7
    stream = replaced(saved(book), "xl/worksheets/sheet1.xml", shown, hidden)

    with pytest.raises(BadTable) as caught:
        _read_clean(stream)

    [error] = caught.value.errors
    assert (error.row, error.rule.split(":")[0]) == expected


def _read_clean(stream):
    rows = tabular.read(stream, filename="", columns=COLUMNS)
    list(rows)
    rows.check_clean()


def test_a_hidden_header_is_refused():
    book = workbook(Workers=TABLE)
    book.worksheets[0].row_dimensions[1].hidden = True
    assert refused(book)[0][2].startswith("is a hidden row")


def test_hidden_columns_are_refused_where_they_have_a_name():
    book = workbook(Workers=TABLE)
    book.worksheets[0].column_dimensions["F"].hidden = True
    assert read(book)[0] == ["A"]
    book.worksheets[0].column_dimensions["B"].hidden = True
    rule = "is a hidden column: show it, or delete it (sheet 'Workers')"
    assert refused(book) == [(1, "name", rule)]


@pytest.mark.parametrize("area", ["B2:B3", "A2:B2", "C3:F9"])
def test_merged_cells_in_the_table_are_refused(area):
    book = workbook(Workers=[*TABLE, ["B"], ["C"]])
    book.worksheets[0].merge_cells(area)
    _, errors, _ = read(book)
    assert errors[-1][2] == f"has merged cells ({area}): unmerge them, and fill in every cell"


@pytest.mark.parametrize("area", ["E2:F3", "A9:C9"])
def test_merged_cells_beside_and_below_the_table_do_no_harm(area):
    book = workbook(Workers=TABLE)
    book.worksheets[0].merge_cells(area)
    assert read(book)[:2] == (["A"], [])


def with_sheet(change, **sheets):
    """Write a workbook with the XML of its first sheet changed."""
    stream, copy = saved(workbook(**sheets)), io.BytesIO()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data) if name == "xl/worksheets/sheet1.xml" else data)
    copy.seek(0)
    return tabular.read(copy, filename="", columns=COLUMNS)


@pytest.mark.parametrize(
    "row",
    [
        b'<row r="1048576" s="1" customFormat="1"/>',
        b'<row r="1048576"><c r="A1048576" s="1"/></row>',
        b'<row r="1048577" s="1"/>',
    ],
)
def test_a_row_that_is_only_formatted_is_no_row_wherever_it_stands(row):
    rows = with_sheet(
        lambda xml: xml.replace(b"</sheetData>", row + b"</sheetData>"), Workers=TABLE
    )
    assert [number for number, _ in rows] == [2]
    assert rows.errors == ()


@pytest.mark.parametrize("number", [b"2", b"1", b"0", b"-5"])
def test_rows_out_of_order_are_refused_as_damage_and_not_passed_over(number):
    rows = with_sheet(
        lambda xml: xml.replace(b'<row r="3"', b'<row r="' + number + b'"'), Workers=[*TABLE, ["B"]]
    )
    assert [row for row, _ in rows] == [2]
    [error] = rows.errors
    assert error.row == 3
    assert "the file is damaged" in error.rule


def test_rows_and_cells_without_numbers_are_counted():
    def bare(xml):
        return re.sub(rb'<(row|c) r="[A-Z0-9]+"', rb"<\1", xml)

    rows = with_sheet(bare, Workers=[*TABLE, ["B", None, 5]])
    assert [(row, values["ref"]) for row, values in rows] == [(2, "A"), (3, "B")]


def test_a_row_of_more_cells_than_the_format_has_columns_is_damage():
    cells = b'<row r="3">' + b"<c/>" * 20_000 + b"</row></sheetData>"
    rows = with_sheet(lambda xml: xml.replace(b"</sheetData>", cells), Workers=TABLE)
    assert [number for number, _ in rows] == [2]
    assert "damaged" in rows.errors[0].rule


def test_parts_beside_the_sheet_do_no_harm_when_they_are_broken():
    stream, copy = saved(workbook(Workers=TABLE)), io.BytesIO()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            broken = name.startswith(("docProps/", "xl/theme/"))
            new.writestr(name, b"<broken" if broken else old.read(name))
    copy.seek(0)
    assert [row for row, _ in tabular.read(copy, filename="", columns=COLUMNS)] == [2]
