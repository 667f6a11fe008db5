"""What an XLSX cell is read as (`tabular.cells`, `number_formats`): what it shows, or nothing."""

import datetime as dt
import io
from decimal import Decimal

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tracker import tabular
from tracker.tabular import Column
from tracker.tabular.number_formats import NumberFormat

COLUMNS = (
    Column("text", tabular.text(200)),
    Column("number", tabular.decimal(2, 0, 100_000_000)),
    Column("day", tabular.date()),
    Column("truth", tabular.truth),
)
NAMES = [column.name for column in COLUMNS]
DAY, MORNING = dt.datetime(2024, 3, 1), dt.datetime(2024, 3, 1, 9, 30)  # noqa: DTZ001 - the text has no zone; the caller knows it


def sheet(column, value, number_format="General", *, epoch=None):
    """Write a workbook of one cell that is not empty."""
    book = openpyxl.Workbook()
    book.epoch = epoch or book.epoch
    book.worksheets[0].append(NAMES)
    cell = book.worksheets[0].cell(2, 1 + NAMES.index(column), value)
    cell.number_format = number_format
    stream = io.BytesIO()
    book.save(stream)
    stream.seek(0)
    return stream


def value_of(column, *cell, **options):
    rows = tabular.read(sheet(column, *cell, **options), filename="", columns=COLUMNS)
    found = list(rows)
    rows.check_clean()
    return found[0][1][column]


def refusal_of(column, *cell, **options):
    rows = tabular.read(sheet(column, *cell, **options), filename="", columns=COLUMNS)
    assert list(rows) == []
    [error] = rows.errors
    assert (error.row, error.column) == (2, column)
    return error.value, error.rule


@pytest.mark.parametrize(
    ("value", "shape", "shown"),
    [
        (123, "00000", "00123"),
        (7, "000000", "000007"),
        (0, "000", "000"),
        (123, "0", "123"),
        (123, "General", "123"),
        (123, "@", "123"),
        (5, "0.00", "5.00"),
        (5.256, "0.00", "5.26"),
        (2.5, "0", "3"),
        (-5, "0", "-5"),
        (-5, "0;(0)", "(5)"),
        (123456789, "000-00-0000", "123-45-6789"),
        (5551234567, "(000) 000-0000", "(555) 123-4567"),
        (123456789, "00000-0000", "12345-6789"),
        (7, '"ID-"0000', "ID-0007"),
        (7, '0" h"', "7 h"),
        (7, "\\A000", "A007"),
        (7, "[$-409]000", "007"),
        (7, "[Red]000", "007"),
        (7, "000_)", "007"),
        (7, "* 000", "007"),
        (0.85, "0%", "85%"),
        (5, "[$€-407] 0.00", "€ 5.00"),
        (20240301, "0000-00-00", "2024-03-01"),
        (0.1 + 0.2, "General", "0.3"),
        (-5, "0;@", "-5"),
        (0, "0;-0;@", "0"),
        (-5, "0;(0);@", "(5)"),
        (5, '"No. "@', "5"),
        (-5, '@" h"', "-5"),
        (1.5, ".00", "1.50"),
        (0.5, ".00", ".50"),
        (-12.25, ".0#", "-12.25"),
        (123456789012345, "General", "123456789012345"),
    ],
)
def test_a_number_in_a_column_of_texts_is_the_text_that_is_shown(value, shape, shown):
    assert value_of("text", value, shape) == shown


@pytest.mark.parametrize(
    ("value", "shape", "words"),
    [
        (1234, "#,##0", "is a number shown as 1,234, not text"),
        (1234.5, "#,##0.00", "is a number shown as 1,234.50, not text"),
        (123456789012, "0.00E+00", "is a number shown as 1.23E+11, not text"),
        (12345, "0,", "is a number shown as 12, not text"),
        (5, "# ?/?", "has a number format that Tracker does not understand (# ?/?)"),
        (5, "[<9]0;00", "has a number format that Tracker does not understand"),
        (0, '[=1]"Yes";[=0]"No";0', "has a number format that Tracker does not understand"),
        (1234, "0.00,", "is a number shown as 1.23, not text"),
        (5, ";;;", "is in the cell but hidden by its format"),
        (10**15, "General", "has more than 15 digits"),
        (1234567890123456789, "0", "has more than 15 digits"),
        (12345678901234567890.0, "@", "has more than 15 digits"),
    ],
)
def test_a_number_that_may_be_seen_otherwise_is_no_text(value, shape, words):
    assert words in refusal_of("text", value, shape)[1]


@pytest.mark.parametrize(
    ("value", "shape", "number"),
    [
        (85, "General", "85.00"),
        (85, "@", "85.00"),
        (5.5, "0.00", "5.50"),
        (5.25, "0.00", "5.25"),
        (5, "0.0", "5.00"),
        (12, "00000", "12.00"),
        (1234567, "#,##0", "1234567.00"),
        (1234.5, "#,##0.00_);(#,##0.00)", "1234.50"),
        (1234.5, '_(* #,##0.00_);_(* \\(#,##0.00\\);_(* "-"??_);_(@_)', "1234.50"),
        (5.0999999999999996, "0.0", "5.10"),
        (0.1 + 0.2, "General", "0.30"),
        ("85", "@", "85.00"),
        ("85.5", "General", "85.50"),
    ],
)
def test_a_number_is_read_where_its_format_shows_it_as_it_is(value, shape, number):
    assert str(value_of("number", value, shape)) == number


@pytest.mark.parametrize(
    ("value", "shape", "shown", "words"),
    [
        (0.85, "0%", "85%", "is a percentage in the spreadsheet"),
        (0.855, "0.0%", "85.5%", "is a percentage in the spreadsheet"),
        (0.855, "0%", "86%", "is a percentage in the spreadsheet"),
        (85, '0"%"', "85", "is shown as 85% in the spreadsheet"),
        (5.256, "0.00", "5.256", "is shown as 5.26 in the spreadsheet"),
        (5.5, "0", "5.5", "is shown as 6 in the spreadsheet"),
        (40, '0 "min"', "40", "is shown as 40 min in the spreadsheet"),
        (5, "$0.00", "5", "is shown as $5.00 in the spreadsheet"),
        (12000, "0,", "12000", "is shown as 12 in the spreadsheet"),
        (5000000, "0.0,,", "5000000", "is shown as 5.0 in the spreadsheet"),
        (0, '[=1]"Yes";[=0]"No";0', "0", "has a number format that Tracker does not understand"),
        (123456, "0.00E+00", "123456", "is shown as 1.23E+5 in the spreadsheet"),
        (5, "# ?/?", "5", "has a number format that Tracker does not understand"),
        (5, "0;;", "5", None),
        (0, "0;;", "0", "hidden by its format"),
        (0, '0;0;"-"', "0", "is shown as - in the spreadsheet"),
        (0, "0;0;.", "0", "is shown as . in the spreadsheet"),
        (0, '_(* #,##0_);_(* (#,##0);_(* "-"??_);_(@_)', "0", "is shown as - in the spreadsheet"),
        (0, "#", "0", "hidden by its format"),
        (5.256, "General", "5.256", "with at most 2 decimal places"),
        (1e15, "General", "1000000000000000", "has more than 15 digits"),
        ("85%", "General", "85%", "is a percentage, but must be a plain number"),
        ("5,5", "General", "5,5", "has a decimal comma"),
    ],
)
def test_a_number_that_is_shown_as_another_is_refused_with_what_is_seen(value, shape, shown, words):
    if words is None:
        assert value_of("number", value, shape) == value
    else:
        seen, rule = refusal_of("number", value, shape)
        assert seen == shown
        assert words in rule


@pytest.mark.parametrize("column", ["text", "number", "truth"])
@pytest.mark.parametrize(
    "shape", ["d-mmm", "mmm-yy", "m/d/yyyy", "yyyy-mm-dd", "[$-409]d-mmm-yy;@"]
)
def test_a_text_that_a_spreadsheet_has_made_a_date_is_refused_by_name(column, shape):
    value, rule = refusal_of(column, DAY, shape)
    assert value == "2024-03-01"
    assert rule.startswith("is a date in the spreadsheet, and this column takes no dates: set the")


@pytest.mark.parametrize(
    "shape",
    [
        "yyyy-mm-dd",
        "m/d/yyyy",
        "mm-dd-yy",
        "d-mmm-yy",
        "dd.mm.yyyy",
        "yyyy-mm-dd h:mm:ss",
        "m/d/yy h:mm",
        "[$-F800]dddd\\, mmmm dd\\, yyyy",
        "dd/mm/yyyy hh:mm AM/PM",
        'yyyy"年"m"月"d"日"',
        "YYYY/MM/DD",
    ],
)
@pytest.mark.parametrize("value", [DAY, DAY.date()])
def test_a_day_is_read_in_any_format_that_shows_it_whole(value, shape):
    assert value_of("day", value, shape) == dt.date(2024, 3, 1)


@pytest.mark.parametrize("shape", ["mmm-yy", "d-mmm", "yyyy", "dddd", "m/yyyy", "mmmm yyyy"])
def test_a_day_of_which_a_part_cannot_be_seen_is_refused(shape):
    value, rule = refusal_of("day", DAY, shape)
    assert value == "2024-03-01"
    assert rule.startswith(f"is a date of which the format ({shape}) shows only a part")


@pytest.mark.parametrize("shape", ["yyyy-mm-dd", "m/d/yyyy h:mm", "h:mm"])
def test_a_time_behind_the_day_is_refused_by_name(shape):
    value, rule = refusal_of("day", MORNING, shape)
    assert value == "2024-03-01 09:30:00"
    assert "time of day" in rule or "shows only a part" in rule


def test_a_time_without_a_day_is_refused_by_name():
    assert refusal_of("day", dt.time(9, 30), "h:mm") == (
        "09:30:00",
        "is a time of day without a date: must be a date such as 2026-03-15",
    )


@pytest.mark.parametrize("shape", ["General", "0", "@", "00000"])
def test_a_bare_number_in_a_column_of_days_is_refused_with_the_day_it_would_be(shape):
    value, rule = refusal_of("day", 45352, shape)
    assert value == "45352"
    assert "would be 2024-03-01" in rule
    assert "set a date format" in rule


def test_a_workbook_that_counts_from_1904_is_read_as_it_shows():
    options = {"epoch": CALENDAR_MAC_1904}
    assert value_of("day", DAY, "yyyy-mm-dd", **options) == dt.date(2024, 3, 1)
    assert "would be 2024-03-01" in refusal_of("day", 43890, "General", **options)[1]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (2024, "looks like a year without month and day"),
        (20240301, "looks like 2024-03-01"),
        (5, "must be a date"),
    ],
)
def test_another_number_in_a_column_of_days_is_called_what_it_looks_like(value, words):
    assert words in refusal_of("day", value)[1]


def test_a_number_whose_format_makes_it_look_like_a_day_is_that_day():
    assert value_of("day", 20240301, "0000-00-00") == dt.date(2024, 3, 1)


@pytest.mark.parametrize("value", ["2024-03-01", "2024-03-01T00:00:00Z", "2024-03-01 00:00:00"])
def test_a_day_that_is_a_text_is_read_as_in_csv(value):
    assert value_of("day", value) == dt.date(2024, 3, 1)


@pytest.mark.parametrize("value", [True, "TRUE", "true", "True"])
def test_a_truth_of_the_spreadsheet_is_a_truth(value):
    assert value_of("truth", value) is True


@pytest.mark.parametrize("value", [False, "FALSE", "false"])
def test_a_falsehood_of_the_spreadsheet_is_one(value):
    assert value_of("truth", value) is False


def test_a_number_is_no_truth_but_is_recognized():
    assert refusal_of("truth", 1) == ("1", "must be true or false; did you mean true?")


@pytest.mark.parametrize("column", ["text", "number", "day"])
def test_a_truth_elsewhere_is_refused_by_name(column):
    value, rule = refusal_of(column, True)  # noqa: FBT003 - the cell's value
    assert value == "TRUE"
    assert "not the spreadsheet's TRUE or FALSE" in rule


@pytest.mark.parametrize("column", NAMES)
@pytest.mark.parametrize("value", ["#N/A", "#REF!", "#DIV/0!", "#VALUE!"])
def test_an_error_is_refused_by_name_in_every_column(column, value):
    seen, rule = refusal_of(column, value)
    assert seen == value
    assert rule.startswith("must be a value, not a spreadsheet error")


@pytest.mark.parametrize("column", NAMES)
def test_a_formula_is_refused_by_name_in_every_column(column):
    value, rule = refusal_of(column, "=NOT(FALSE())")
    assert (value, rule[:32]) == ("=NOT(FALSE())", "must be a value, not a formula: ")


def test_the_formula_of_a_constant_truth_is_that_truth():
    assert value_of("truth", "=TRUE()") is True
    assert value_of("truth", "=FALSE()") is False
    assert refusal_of("text", "=TRUE()")[0] == "TRUE"


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        ("a_x0041_b", "aAb"),
        ("_x005F_x000D_", "_x000D_"),
        ("_x00e9_", "é"),
        ("_x00E9_t_x00E9_", "été"),
        ("_x00E_", "_x00E_"),
        ("x005F_", "x005F_"),
        ("a_xyz_", "a_xyz_"),
    ],
)
def test_a_character_that_is_named_by_its_number_is_that_character(held, shown):
    assert value_of("text", held) == shown


@pytest.mark.parametrize("held", ["a_x000D_", "a_x000D_\nb", "_x0000_", "a_x0009_b", "_xD83D_"])
def test_a_line_end_or_control_character_hidden_in_an_escape_is_refused(held):
    assert "one line of text" in refusal_of("text", held)[1]


@pytest.mark.parametrize("text", ["_x000D_", "a_x0041_b", "_x005F_", "__x000D__"])
def test_a_text_that_only_looks_like_an_escape_is_written_so_that_it_is_read_again(text):
    stream = io.BytesIO()
    tabular.write_xlsx(stream, ["text"], [[text]])
    stream.seek(0)
    [(_, values)] = tabular.read(stream, filename="", columns=COLUMNS)
    assert values["text"] == text


def test_a_text_is_what_its_format_makes_of_it():
    assert value_of("text", "7", '"ID-"@') == "ID-7"
    assert value_of("text", "7", "0;0;0;@") == "7"
    assert value_of("text", "7", "0") == "7"
    assert "hidden by its format" in refusal_of("text", "7", ";;;")[1]


@pytest.mark.parametrize(
    "code",
    [
        "0" * 300,
        "." * 50 + "0" * 200,
        "%" * 200,
        "0" + "," * 200,
        '"',
        "[",
        "\\",
        "_",
        "*",
        ";" * 250,
        "E+E+",
        "@" * 250,
        "#" * 250,
        "0.0.0.0",
        "[h",
        "General" * 30,
        "�",
        "0%0%0/0",
    ],
)
def test_no_format_stops_the_reader(code):
    shape = NumberFormat(code)
    for value in (Decimal(0), Decimal("-0.5"), Decimal(10**15 - 1), Decimal("1E-300")):
        shown = shape.shown(value)
        assert shown is None or len(shown) < 100_000
    assert len(shape.shown_text("x" * 10)) <= 2_600
