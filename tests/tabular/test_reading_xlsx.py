"""XLSX files: the same columns as CSV, and what only a workbook can get wrong."""

import datetime as dt
import io
import re
import zipfile
from decimal import Decimal

import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula

from tracker import tabular
from tracker.tabular import BadTable, Column

HEADER = ("ref", "name", "on", "score")
COLUMNS = (
    Column("ref", tabular.text(20), required=True),
    Column("name", tabular.text(40)),
    Column("on", tabular.date()),
    Column("score", tabular.decimal(2, 0, 100)),
)
SHEET = "xl/worksheets/sheet1.xml"


def workbook(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    stream = io.BytesIO()
    book.save(stream)
    stream.seek(0)
    return stream


def altered(stream, part, change):
    """Copy a workbook with one part changed."""
    copy = io.BytesIO()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data) if name == part else data)
    copy.seek(0)
    return copy


def archive(**parts):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as new:
        for name, data in parts.items():
            new.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
    stream.seek(0)
    return stream


def reading(stream):
    return tabular.read(stream, filename="a.xlsx", columns=COLUMNS)


def errors_of(stream):
    rows = reading(stream)
    list(rows)
    return [(error.row, error.column, error.value, error.rule) for error in rows.errors]


def refused(stream):
    with pytest.raises(BadTable) as caught:
        reading(stream)
    [error] = caught.value.errors
    return error.rule


def test_dates_are_dates_and_numbers_are_their_plain_text():
    stream = workbook(
        HEADER,
        ["A", 5.0, dt.date(2026, 3, 15), 5.5],
        ["B", 123456789012, "2026-03-15", 0.1 + 0.2],
        ["C", 999_999_999_999_999, dt.datetime(2026, 3, 15), "7"],  # noqa: DTZ001 - the text has no zone; the caller knows it
    )
    day = dt.date(2026, 3, 15)
    assert list(reading(stream)) == [
        (2, {"ref": "A", "name": "5", "on": day, "score": Decimal("5.50")}),
        (3, {"ref": "B", "name": "123456789012", "on": day, "score": Decimal("0.30")}),
        (4, {"ref": "C", "name": "999999999999999", "on": day, "score": Decimal(7)}),
    ]


def test_a_date_with_an_hour_is_no_date():
    stream = workbook(HEADER, ["A", None, dt.datetime(2026, 3, 15, 13)])  # noqa: DTZ001 - the text has no zone; the caller knows it
    [(row, column, value, rule)] = errors_of(stream)
    assert (row, column, value) == (2, "on", "2026-03-15 13:00:00")
    assert rule.startswith("has a time of day (13:00:00), but this column takes a date only")


def test_a_formula_is_refused_by_name_and_its_cached_value_is_not_trusted():
    stream = workbook(HEADER, ["A", "=1+1", None, "=CMD()"], ["B", ArrayFormula("B3", "=1")])
    cached = altered(stream, SHEET, lambda xml: re.sub(rb"<v ?/>|<v></v>", b"<v>2</v>", xml))
    errors = errors_of(cached)
    assert [error[:3] for error in errors] == [
        (2, "name", "=1+1"),
        (2, "score", "=CMD()"),
        (3, "name", "=1"),
    ]
    assert all("not a formula" in error[3] for error in errors)


def test_a_text_that_looks_like_a_formula_is_a_text():
    stream = io.BytesIO()
    tabular.write_xlsx(stream, HEADER, [["A", "=1+1"]])
    stream.seek(0)
    assert next(reading(stream))[1]["name"] == "=1+1"


def test_truths_and_errors_of_the_spreadsheet_are_refused():
    errors = errors_of(workbook(HEADER, ["A", True, None, "#N/A"]))
    assert [error[:3] for error in errors] == [(2, "name", "TRUE"), (2, "score", "#N/A")]
    assert "TRUE or FALSE" in errors[0][3]
    assert "spreadsheet error" in errors[1][3]


def test_a_date_outside_the_calendar_is_refused():
    stream = workbook(HEADER, ["A", None, dt.date(2026, 3, 15)])
    stream = altered(stream, SHEET, lambda xml: xml.replace(b"<v>46096</v>", b"<v>99999999</v>"))
    [(row, column, value, rule)] = errors_of(stream)
    assert (row, column, value) == (2, "on", "99999999")
    assert rule == "is shown as a date, but is outside the spreadsheet's calendar"


def test_blank_rows_are_skipped_and_rows_keep_their_numbers():
    stream = workbook([], HEADER, [], ["A", "a"], [None, " "], ["B", "b"], [], [" ", None, ""])
    assert [(row, values["name"]) for row, values in reading(stream)] == [(4, "a"), (6, "b")]


def test_every_wrong_cell_of_a_row_is_said():
    errors = errors_of(workbook(HEADER, [None, "=1", "03/04/2026", 101]))
    assert [error[1] for error in errors] == ["ref", "name", "on", "score"]


def test_a_cell_beyond_the_header_is_refused_but_not_an_empty_one():
    stream = workbook([*HEADER, None, ""], ["A", "a", None, 1, None, " "], ["B", "b", None, 1, "x"])
    assert errors_of(stream) == [(3, "", "", "has more cells than the header, which has 4")]


def test_a_header_is_checked_as_that_of_a_csv_file():
    with pytest.raises(BadTable) as caught:
        reading(workbook(["=1+1", "nmae", None, "on", "on"]))
    assert [error.rule.replace(" (sheet 'Sheet')", "") for error in caught.value.errors] == [
        "must be a value, not a formula: in the spreadsheet, paste it as a value",
        "is not a column of this table",
        "is not a column of this table; did you mean name?",
        "has no name for column 3: every column needs a name",
        "must appear once, but appears 2 times",
        "is required, but missing from the header row",
    ]
    assert all(" (sheet 'Sheet')" in error.rule for error in caught.value.errors)


def test_a_giant_cell_is_refused():
    [(_, column, _, rule)] = errors_of(workbook(HEADER, ["A", "x" * 10_001]))
    assert (column, rule) == ("name", "must be at most 10,000 characters")


@pytest.mark.parametrize("rows", [[], [[]], [[None, " "]]])
def test_a_worksheet_without_a_header_is_refused(rows):
    assert refused(workbook(*rows)) == "is empty: it needs a header row"


def test_the_size_a_file_says_it_has_is_not_believed():
    def shrunk(xml):
        return xml.replace(b'<dimension ref="A1:D3" />', b'<dimension ref="A1:A1" />')

    stream = altered(workbook(HEADER, ["A", "a"], ["B", "b", None, 1]), SHEET, shrunk)
    assert [values["name"] for _, values in reading(stream)] == ["a", "b"]


def test_a_row_number_beyond_the_format_ends_the_reading():
    def far(xml):
        return xml.replace(b'<row r="3"', b'<row r="99999999999999"')

    stream = altered(workbook(HEADER, ["A"], ["B"]), SHEET, far)
    assert errors_of(stream) == [
        (1_048_577, "", "", "is beyond the 1,048,576 rows a worksheet can have"),
    ]


def test_a_damaged_worksheet_is_refused_where_the_damage_is():
    rows = [["A", "a"]] * 3000
    stream = altered(workbook(HEADER, *rows), SHEET, lambda xml: xml[:-5000])
    [(row, _, _, rule)] = errors_of(stream)
    assert row > 1000
    assert rule.startswith("cannot be read as XLSX: the file is damaged")


@pytest.mark.parametrize("broken", [b"PK\x03\x04", b"PK\x03\x04" + bytes(1000)])
def test_what_only_begins_like_a_workbook_is_refused(broken):
    assert refused(io.BytesIO(broken)).startswith("cannot be read as XLSX")


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ({"content_xml": "<x/>"}, "OpenDocument"),
        ({"word__document_xml": "<x/>"}, "Word"),
        ({"a": "b"}, "ZIP file but not an XLSX"),
        ({"xl__workbook_xml": "<x/>"}, "damaged"),
    ],
)
def test_another_archive_is_refused_by_name(parts, kind):
    assert kind in refused(archive(**parts))


def test_a_workbook_whose_worksheet_is_left_out_is_refused():
    stream, copy = workbook(HEADER), io.BytesIO()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            if name != SHEET:
                new.writestr(name, old.read(name))
    copy.seek(0)
    assert refused(copy) == "contains no worksheet"


def test_a_part_behind_a_password_is_refused():
    data = bytearray(workbook(HEADER).getvalue())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1  # the flag of the last part in the directory
    assert "protected by a password" in refused(io.BytesIO(bytes(data)))


def test_a_header_that_points_to_a_text_that_is_not_there_is_refused():
    def pointing(xml):
        return re.sub(rb'<c r="A1".*?</c>', b'<c r="A1" t="s"><v>99</v></c>', xml)

    assert "damaged" in refused(altered(workbook(HEADER), SHEET, pointing))


def test_a_bomb_is_refused_before_it_is_unpacked():
    bomb = altered(workbook(HEADER), SHEET, lambda xml: xml + b" " * 20_000_000)
    assert "as a ZIP bomb does" in refused(bomb)


def test_a_workbook_that_states_too_great_a_size_is_refused(monkeypatch):
    monkeypatch.setattr("tracker.tabular.archive.MOST_UNPACKED", 5000)
    assert refused(workbook(HEADER)).startswith("unpacks to more than the largest workbook")


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b'<?xml version="1.0"?>',
        b"\xef\xbb\xbf",
        b" " * 5000,
        b"<!-- a -->",
        b"<!--" + b"a" * 5000,
    ],
    ids=["nothing", "declaration", "mark", "blanks", "comment", "long comment"],
)
def test_a_document_type_is_refused_so_that_no_entity_can_grow(before):
    def laughing(xml):
        return before + b'<!DOCTYPE x [<!ENTITY a "ha">]><!-- b -->' + xml

    assert "document type" in refused(altered(workbook(HEADER), SHEET, laughing))


def test_a_comment_before_the_xml_of_a_part_does_no_harm():
    stream = altered(workbook(HEADER, ["A"]), SHEET, lambda xml: b"<!-- a --> <!----> " + xml)
    assert [row for row, _ in reading(stream)] == [2]


def test_a_part_in_another_packing_is_refused():
    stream, copy = workbook(HEADER), io.BytesIO()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(copy, "w", zipfile.ZIP_BZIP2) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    copy.seek(0)
    assert "damaged" in refused(copy)


def test_a_stream_that_cannot_be_sought_in_is_copied_first():
    class Pipe(io.RawIOBase):
        def __init__(self, data):
            self.data = io.BytesIO(data)

        def readable(self):
            return True

        def readinto(self, buffer):
            return self.data.readinto(buffer)

    stream = io.BufferedReader(Pipe(workbook(HEADER, ["A"]).getvalue()))
    assert [row for row, _ in reading(stream)] == [2]


def test_the_name_of_the_file_decides_nothing():
    stream = workbook(HEADER, ["A"])
    assert len(list(tabular.read(stream, filename="a.csv", columns=COLUMNS))) == 1


def test_a_path_to_a_workbook_is_opened_and_closed_here(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook(HEADER, ["A"]).getvalue())
    assert [row for row, _ in tabular.read(path, filename="a.xlsx", columns=COLUMNS)] == [2]
