"""Written tables: the same words in both formats, and no cell that becomes a formula."""

import csv
import datetime as dt
import enum
import io
import re
import tempfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from tracker import tabular

# What a spreadsheet takes for a formula, and what hides the same from the eye.
DANGEROUS = ["=HYPERLINK()", "\t=1", " @x", "＝1", "+1", "-1", "@SUM(1)", "\r=1", "\n=1", "＋1"]  # noqa: RUF001 - these signs are meant
DANGEROUS += ["－1", "＠x", "  -1", "\u00a0=1", "\u3000=1", "\u200b=1", "\ufeff=1", "\tx", " \rx"]  # noqa: RUF001 - these signs are meant
DANGEROUS += ["'=1", "''-1", "' @x"]
SAFE = ["", "Ana", "a=1", "1+1", "#N/A", "Ana -", "é", "😀", " x", ".=1", "_=1", "(=1)", "'t", "'"]


def csv_of(*rows):
    stream = io.BytesIO()
    tabular.write_csv(stream, ["a", "b"], rows)
    return stream.getvalue()


def sheet_of(*rows):
    stream = io.BytesIO()
    tabular.write_xlsx(stream, ["a", "b"], rows)
    stream.seek(0)
    return openpyxl.load_workbook(stream).worksheets[0]


@pytest.mark.parametrize("text", DANGEROUS)
def test_a_text_that_could_be_a_formula_gets_an_apostrophe(text):
    assert tabular.harmless(text) == "'" + text


@pytest.mark.parametrize("text", [*DANGEROUS, *SAFE])
def test_a_text_is_restored_from_what_was_made_of_it(text):
    assert tabular.restored(tabular.harmless(text)) == text


@pytest.mark.parametrize("text", SAFE)
def test_any_other_text_stays_as_it_is(text):
    assert tabular.harmless(text) == text


@pytest.mark.parametrize("text", DANGEROUS)
def test_in_csv_a_dangerous_cell_begins_with_an_apostrophe_and_so_does_a_header(text):
    stream = io.BytesIO()
    tabular.write_csv(stream, [text], [[text]])
    written = stream.getvalue().decode()
    assert [row[0][0] for row in csv.reader(io.StringIO(written, newline=""))] == ["'", "'"]


@pytest.mark.parametrize("text", [*DANGEROUS, *SAFE])
def test_in_xlsx_every_text_is_a_text_and_unchanged(text):
    cell = sheet_of([text, "x"])["A2"]
    assert cell.value == (text or None)
    assert cell.data_type in {"s", "inlineStr"}


def test_csv_is_utf_8_without_a_mark_and_with_line_feeds():
    assert csv_of(["Dvořák", 'a "b", c']) == 'a,b\nDvořák,"a ""b"", c"\n'.encode()


def test_csv_writes_values_in_their_plain_words():
    class Kind(str, enum.Enum):  # noqa: UP042 - an older form of StrEnum, which is written too
        A = "=a"

    written = csv_of(
        [dt.date(2026, 3, 15), Decimal("59.00")],
        [True, None],
        [False, Decimal("-5.10")],
        [-5, Decimal("1E+3")],
        [dt.datetime(2026, 3, 15, 13, tzinfo=dt.UTC), -0.5],
        [Kind.A, ["=1"]],
    )
    assert written.decode().splitlines()[1:] == [
        "2026-03-15,59.00",
        "true,",
        "false,-5.10",
        "-5,1000",
        "2026-03-15T13:00:00+00:00,-0.5",
        "'=a,['=1']",
    ]


def test_a_carriage_return_in_a_cell_is_quoted():
    assert csv_of(["a\rb", "c\nd"]) == b'a,b\n"a\rb","c\nd"\n'


def test_what_utf_8_or_csv_cannot_hold_is_replaced():
    assert csv_of(["a\ud800b", "c\0d"]).decode() == "a,b\na?b,c\ufffdd\n"


def test_xlsx_holds_real_dates_and_numbers_with_their_places():
    sheet = sheet_of([dt.date(2026, 3, 15), Decimal("59.00")], [-5, Decimal(7)])
    assert (sheet["A2"].value.date(), sheet["A2"].number_format) == (
        dt.date(2026, 3, 15),
        "yyyy-mm-dd",
    )
    points = sheet["B2"]
    assert (points.value, points.data_type, points.number_format) == (59, "n", "0.00")
    assert (sheet["A3"].value, sheet["B3"].number_format) == (-5, "0")


def test_xlsx_says_true_and_false_in_words_and_leaves_nothing_empty():
    sheet = sheet_of([True, None], [False, ""])
    assert [sheet["A2"].value, sheet["B2"].value, sheet["A3"].value] == ["true", None, "false"]


def test_what_an_xlsx_number_or_date_cannot_hold_is_written_as_text():
    sheet = sheet_of(
        [10**20, Decimal("12345678901234567890.12")],
        [float("nan"), Decimal("NaN")],
        [dt.date(1800, 1, 1), dt.datetime(2026, 3, 15, tzinfo=dt.UTC)],
    )
    assert [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)] == [
        ["100000000000000000000", "12345678901234567890.12"],
        ["nan", "NaN"],
        ["1800-01-01", "2026-03-15T00:00:00+00:00"],
    ]


@pytest.mark.parametrize("character", ["\0", "\x01", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_a_character_that_xml_cannot_hold_is_replaced(character):
    assert sheet_of([f"=a{character}", f"b{character}"])["A2"].value == "=a\ufffd"


def test_an_error_of_a_spreadsheet_written_as_text_is_a_text():
    assert sheet_of(["#N/A", "#REF!"])["A2"].data_type == "s"


def test_csv_is_given_in_chunks_while_the_rows_are_made():
    def endless():
        while True:
            yield ["a", "b"]

    chunks = tabular.csv_chunks(["a", "b"], endless())
    assert next(chunks).startswith(b"a,b\na,b\n")
    assert next(chunks).startswith(b"a,b\n")


def test_rows_that_fail_on_the_way_leave_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def failing():
        yield ["a", "b"]
        raise RuntimeError("the database went away")

    stream = io.BytesIO()
    with pytest.raises(RuntimeError, match="went away"):
        tabular.write_xlsx(stream, ["a", "b"], failing())
    assert stream.getvalue() == b""
    assert list(tmp_path.iterdir()) == []


def test_nothing_else_writes_tables():
    """So every text column of every export, in CSV and XLSX, is written as above (case 35)."""
    program = Path(tabular.__file__).parents[1]
    writes = re.compile(r"\b(?:csv\.(?:Dict)?[Ww]riter|Workbook)\(")
    found = {
        str(file.relative_to(program))
        for file in program.rglob("*.py")
        if writes.search(file.read_text("utf-8"))
    }

    assert found == {"tabular/writer.py", "tabular/xlsx_rows.py"}  # the second one reads
