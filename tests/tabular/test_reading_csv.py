"""CSV files: what is read, and every way a file, a header, a row or a cell can be refused."""

import datetime as dt
import io
from decimal import Decimal

import pytest

from tracker import tabular
from tracker.tabular import BadTable, Column, Dates, Encoding

COLUMNS = (
    Column("ref", tabular.text(20), required=True),
    Column("name", tabular.text(40)),
    Column("on", tabular.date()),
    Column("score", tabular.decimal(2, 0, 100)),
)


ONE_CELL = (
    "is one cell that contains a delimiter: either the whole row is in quotation marks, or it has "
    "another delimiter"
)


def reading(content, **options):
    data = content if isinstance(content, bytes) else content.encode()
    return tabular.read(io.BytesIO(data), filename="a.csv", columns=COLUMNS, **options)


def rows_of(content, **options):
    rows = reading(content, **options)
    good = list(rows)
    rows.check_clean()
    return good


def errors_of(content, **options):
    rows = reading(content, **options)
    list(rows)
    return [(error.row, error.column, error.rule) for error in rows.errors]


def refused(content):
    with pytest.raises(BadTable) as caught:
        reading(content)
    return [(error.row, error.column, error.rule) for error in caught.value.errors]


def names_of(content, **options):
    return [(row, values["name"]) for row, values in rows_of(content, **options)]


def test_a_row_has_a_value_for_every_column_and_none_where_there_is_nothing():
    assert rows_of("ref,on,score\nA,2026-03-15,5\nB,,\n") == [
        (2, {"ref": "A", "name": None, "on": dt.date(2026, 3, 15), "score": Decimal(5)}),
        (3, {"ref": "B", "name": None, "on": None, "score": None}),
    ]


def test_columns_stand_in_any_order_and_the_header_is_kept():
    rows = reading("score,ref\n5,A\n")
    assert rows.header == ("score", "ref")
    assert next(rows)[1]["ref"] == "A"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_mark_delimiter_and_line_end_are_found(mark, delimiter, end):
    lines = [f"ref{delimiter}name", f"A{delimiter}Ana", f"B{delimiter}Bo"]
    assert names_of(mark + end.join(lines)) == [(2, "Ana"), (3, "Bo")]
    assert names_of(mark + end.join([*lines, ""])) == [(2, "Ana"), (3, "Bo")]


def test_the_delimiter_is_known_by_the_names_not_by_counting_signs():
    columns = (Column("a", str), Column("b;c;d;e", str))
    stream = io.BytesIO(b'a,"b;c;d;e"\n1,2\n')
    assert list(tabular.read(stream, filename="", columns=columns)) == [
        (2, {"a": "1", "b;c;d;e": "2"}),
    ]


def test_a_header_of_one_column_needs_no_delimiter():
    assert [values["ref"] for _, values in rows_of("ref\nA\nB\n")] == ["A", "B"]


def test_quoted_cells_may_hold_delimiters_and_doubled_marks():
    assert names_of('ref,"name"\nA,"Ruiz, Ana ""Anita"""\n') == [(2, 'Ruiz, Ana "Anita"')]


def test_a_line_end_inside_quotes_belongs_to_the_cell_and_counts_as_no_row():
    columns = (Column("ref", str), Column("name", str))
    stream = io.BytesIO(b'ref,name\r\nA,"one\r\n\r\n""two"""\r\nB,b\r\n')
    rows = tabular.read(stream, filename="", columns=columns)
    assert [(row, values["name"]) for row, values in rows] == [
        (2, 'one\r\n\r\n"two"'),
        (3, "b"),
    ]


def test_blank_lines_are_skipped_and_counted_as_a_spreadsheet_counts():
    assert names_of("\n\nref,name\n\nA,a\n , \n,\n  \nB,b\n\n") == [(5, "a"), (9, "b")]


def test_blanks_around_a_cell_are_no_part_of_it():
    assert names_of(" ref , name\n A , \u00a0Ana \n") == [(2, "Ana")]


def test_dates_are_read_as_the_reader_is_told():
    content = "ref,on\nA,03/04/2026\n"
    assert rows_of(content, dates=Dates.US)[0][1]["on"] == dt.date(2026, 3, 4)
    assert rows_of(content, dates=Dates.EU)[0][1]["on"] == dt.date(2026, 4, 3)
    assert "ambiguous" in errors_of(content)[0][2]


def test_a_column_that_says_how_its_dates_are_read_keeps_to_it():
    columns = (Column("on", tabular.date(Dates.US)),)
    stream = io.BytesIO(b"on\n03/04/2026\n")
    rows = tabular.read(stream, filename="", columns=columns, dates=Dates.EU)
    assert next(rows)[1]["on"] == dt.date(2026, 3, 4)


def test_good_rows_are_given_and_every_bad_cell_is_kept_for_the_end():
    rows = reading("ref,on,score\nA,2026-02-30,500\nB,,5\n,2026-01-01,\n")
    assert [row for row, _ in rows] == [3]
    assert [(error.row, error.column, error.value) for error in rows.errors] == [
        (2, "on", "2026-02-30"),
        (2, "score", "500"),
        (4, "ref", ""),
    ]
    with pytest.raises(BadTable, match=r"3 errors; first: a\.csv, row 2, on: '2026-02-30' must be"):
        rows.check_clean()


def test_an_error_is_plain_values_for_json():
    rows = reading("ref\nA\n" + "x" * 300 + "\n")
    list(rows)
    assert rows.errors[0].to_dict() == {
        "file": "a.csv",
        "row": 3,
        "column": "ref",
        "value": "x" * 199 + "…",
        "rule": "must be at most 20 characters",
    }


def test_of_many_errors_the_first_thousand_are_kept_and_all_are_counted():
    rows = reading("ref,score\n" + "A,x\n" * 1500)
    assert list(rows) == []
    with pytest.raises(BadTable) as caught:
        rows.check_clean()
    assert (len(caught.value.errors), caught.value.total) == (1000, 1500)
    assert caught.value.errors[-1].row == 1001
    assert rows.total_errors == 1500


def test_everything_wrong_with_a_header_is_said_at_once():
    assert refused("Names,nmae,score,score,,zzz\n") == [
        (1, "Names", "is not a column of this table; did you mean name?"),
        (1, "nmae", "is not a column of this table; did you mean name?"),
        (1, "score", "must appear once, but appears 2 times"),
        (1, "", "has no name for column 5: every column needs a name"),
        (1, "zzz", "is not a column of this table"),
        (1, "ref", "is required, but missing from the header row"),
    ]


def test_a_header_of_a_hundred_thousand_unknown_names_is_refused_quickly():
    with pytest.raises(BadTable) as caught:
        reading(",".join(f"n{number}" for number in range(100_000)))
    assert caught.value.total == 100_001


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", " \r\n"])
def test_a_file_without_a_header_is_refused(content):
    assert refused(content) == [(1, "", "is empty: it needs a header row")]


def test_a_header_alone_is_a_table_of_no_rows():
    assert rows_of("ref,name") == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "old Excel file (.xls)"),
        ("ref\nA\n".encode("utf-16"), "UTF-16"),
        ("ref\nA\n".encode("utf-32"), "UTF-32"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"PK\x05\x06" + bytes(18), "empty ZIP"),
        (b"<!DOCTYPE html><table>", "web page"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?>", "XML"),
    ],
)
def test_what_is_neither_csv_nor_xlsx_is_refused_by_name(content, kind):
    [(row, column, rule)] = refused(content)
    assert (row, column) == (1, "")
    assert kind in rule


def test_a_line_that_is_not_utf_8_is_refused_with_its_row_and_byte_and_the_rest_is_read():
    rows = reading(b"ref,name\nA,a\n" + "B,José\nC,c\n".encode("cp1252"))
    assert [row for row, _ in rows] == [2, 4]
    assert [(error.row, error.value, error.rule) for error in rows.errors] == [
        (
            3,
            "B,Jos\\xe9",
            (
                "is not UTF-8 (0xE9, byte 19 of the file) and looks like Windows-1252, in which "
                "it reads 'B,José': set the encoding to windows-1252, or save the file as "
                "CSV UTF-8"
            ),
        ),
    ]


def test_bytes_that_are_no_text_at_all_are_not_taken_for_windows():
    [(_, _, rule)] = errors_of(b"\xef\xbb\xbfref\n\x81\n")
    assert rule == "is not UTF-8 (0x81, byte 8 of the file): save the file as CSV UTF-8"


def test_a_nul_is_refused_with_its_row_and_byte():
    [(row, _, rule)] = errors_of("ref,name\nA,a\0\nB,b\n")
    assert (row, rule[:48]) == (2, "contains a NUL (zero) byte, byte 13 of the file:")


def test_a_header_that_is_not_utf_8_is_refused_at_once():
    [(row, _, rule)] = refused("\nréf\n".encode("latin-1"))
    assert row == 2
    assert "0xE9, byte 3 of the file" in rule


@pytest.mark.parametrize("broken", ['B,"b', 'B,5" pipe', 'B,"b"x', 'B,b"b"b', '"B,b', 'B, "b"'])
def test_a_quotation_mark_without_its_partner_is_refused_in_its_own_row(broken):
    rows = reading(f'ref,name\nA,a\n{broken}\nC,c\nD,"d, ""d"""\nE,e\n')
    assert [row for row, _ in rows] == [2, 4, 5, 6]
    assert [(error.row, error.value, error.rule[:31]) for error in rows.errors] == [
        (3, broken, "has an unpaired quotation mark:"),
    ]


def test_a_lost_mark_before_a_cell_of_two_lines_costs_its_own_row_only():
    columns = (Column("ref", str), Column("name", str))
    stream = io.BytesIO(b'ref,name\nA,"a\nB,b\nC,"c\nc"\nD,d\n')
    rows = tabular.read(stream, filename="", columns=columns)
    assert [values["ref"] for _, values in rows] == ["B", "C", "D"]
    assert [error.row for error in rows.errors] == [2]


def test_a_header_with_a_lost_mark_is_refused():
    [(row, _, rule)] = refused('ref,"name\nA,a\n')
    assert (row, rule[:31]) == (1, "has an unpaired quotation mark:")


def test_a_file_of_lost_marks_is_read_in_time():
    lines = 'b","\n' * 20_000 + 'b,"\n' * 20_000 + '"\n,\n' * 20_000
    rows = reading("ref,name\n" + lines)
    list(rows)
    assert rows.total_errors >= 40_000


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("B,b,c", "has 3 cells where the header has 2"),
        ("B,b,,,c", "has 5 cells where the header has 2"),
        ("B,,c", "has 3 cells where the header has 2"),
        ('"B,b"', ONE_CELL),
        ('"B;b"', ONE_CELL),
        ("B;b", ONE_CELL),
        ("B\tb", ONE_CELL),
    ],
)
def test_a_row_with_too_many_cells_or_all_in_one_is_refused(line, rule):
    assert errors_of(f"ref,name\nA,a\n{line}\nC,c\n") == [(3, "", rule)]


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ('="00123"', "00123"),
        ('"=""00123"""', "00123"),
        ("'=1+1", "=1+1"),
        ("'-5 points", "-5 points"),
        ("''@home", "'@home"),
        ("'t Hooft", "'t Hooft"),
        ("=1+1", "=1+1"),
        ('"a,=""b"",c"', 'a,="b",c'),
    ],
)
def test_what_keeps_a_spreadsheet_from_computing_is_no_part_of_a_cell(cell, name):
    assert names_of(f"ref,name,on\nA,{cell},\n") == [(2, name)]


@pytest.mark.parametrize("cell", ["#REF!", "#NUM!", "#N/D", "########", "Err:502"])
def test_what_a_spreadsheet_writes_in_place_of_a_value_is_refused_by_name(cell):
    columns = (Column("ref", tabular.text(20)),)
    rows = tabular.read(io.BytesIO(f"ref\n{cell}\n#1\n".encode()), filename="", columns=columns)
    assert [values["ref"] for _, values in rows] == ["#1"]
    [error] = rows.errors
    assert error.rule.startswith("is what a spreadsheet shows instead of a value")


@pytest.mark.parametrize("line", ["B", "B,", "B,,", "B,,,,,", "B, ,\u00a0,", '"B"', '"B","",""'])
def test_empty_cells_at_the_end_may_be_left_out_or_be_too_many(line):
    assert names_of(f"ref,name,on\nA,a\n{line}\nC,c,\n") == [(2, "a"), (3, None), (4, "c")]


def test_a_required_cell_that_was_left_out_is_named():
    columns = (Column("ref", str, required=True), Column("name", str, required=True))
    rows = tabular.read(io.BytesIO(b"ref,name\nA\n"), filename="", columns=columns)
    assert list(rows) == []
    assert [(e.row, e.column, e.rule) for e in rows.errors] == [(2, "name", "must not be empty")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_behind_the_last_column_are_no_columns(delimiter):
    lines = ["ref,name,,", "A,a,,", "B,b", ",,,", "C,,,"]
    content = "\n".join(lines).replace(",", delimiter)
    assert names_of(content) == [(2, "a"), (3, "b"), (5, None)]


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;", "sep=;;;;"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_first_line_may_name_the_delimiter(first, end):
    lines = [first, 'ref;name;"score"', 'A;"a,b,c";5,5']
    assert rows_of(end.join(lines)) == [
        (3, {"ref": "A", "name": "a,b,c", "on": None, "score": Decimal("5.50")}),
    ]


def test_the_delimiter_that_the_first_line_names_is_believed():
    columns = (Column("a;b", str), Column("c", str))
    stream = io.BytesIO(b"sep=,\na;b,c\n1;2,3\n")
    assert list(tabular.read(stream, filename="", columns=columns)) == [
        (3, {"a;b": "1;2", "c": "3"})
    ]


@pytest.mark.parametrize("content", ["sep=|\nref|name\n", "ref|name\nA|a\n"])
def test_another_delimiter_is_refused_by_name(content):
    rule = "has | between its cells: use comma, semicolon or tab"
    assert refused(content) == [(1, "", rule)]


def test_a_delimiter_that_is_not_named_or_has_nothing_below_is_refused():
    assert "has nothing between its cells" in refused("sep=\nref,name\n")[0][2]
    assert refused("sep=;\n") == [(1, "", "is empty: it needs a header row")]


def test_a_comma_stands_before_decimals_where_semicolons_stand_between_cells():
    content = "ref;score\nA;5,5\nB;5.5\nC;7\n"
    assert [v["score"] for _, v in rows_of(content)] == [Decimal("5.5"), Decimal("5.5"), Decimal(7)]


@pytest.mark.parametrize("content", ['ref,score\nA,"5,5"\n', "ref\tscore\nA\t5,5\n"])
def test_a_decimal_comma_elsewhere_is_refused_by_name(content):
    [(row, column, rule)] = errors_of(content)
    assert (row, column) == (2, "score")
    assert rule.startswith("has a decimal comma: must be a number from 0 to 100")


@pytest.mark.parametrize(
    ("above", "value"),
    [
        ("Roster of Acme, Inc.\n", "Roster of Acme"),
        ("Roster\nPrinted on 2026-11-28\n\n", "Roster"),
        (",,,\nRoster,,,\n,,,\n", "Roster"),
        ('"A title; of two,\nlines"\n', "A title; of two,\nlines"),
        ("nmae;on;score\n", "nmae"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_titles_above_the_header_are_refused_with_the_row_of_the_header(above, value, delimiter):
    content = f"{above}ref{delimiter}name\nA{delimiter}a\n"
    with pytest.raises(BadTable) as caught:
        reading(content)
    [error] = caught.value.errors
    assert error.rule.startswith("is not the header row, which is row ")
    assert error.rule.endswith(": delete the rows above it")
    assert error.value.split(delimiter)[0] in value or error.value in value


def test_a_header_far_below_is_not_looked_for():
    assert "is required, but missing" in refused("title\n" * 30 + "ref,name\n")[-1][2]


WINDOWS = Encoding.WINDOWS_1252


def test_windows_1252_is_read_when_it_is_said():
    content = "ref,name\nA,José “Pepe” … 5 €\nB,Zoë\nC,plain\n".encode("cp1252")
    assert names_of(content, encoding=WINDOWS) == [
        (2, "José “Pepe” … 5 €"),
        (3, "Zoë"),
        (4, "plain"),
    ]


def test_utf_8_is_not_read_as_windows_1252():
    rows = reading("ref,name\nA,plain\nB,José\n", encoding=WINDOWS)
    assert [row for row, _ in rows] == [2]
    [error] = rows.errors
    assert (error.row, error.value) == (3, "B,José")
    assert error.rule.startswith("is UTF-8, not Windows-1252: leave out the encoding")


def test_a_mark_of_utf_8_is_not_read_as_windows_1252():
    with pytest.raises(BadTable, match="is UTF-8, not Windows-1252"):
        reading("\ufeffref\nA\n", encoding=WINDOWS)


def test_bytes_that_windows_1252_does_not_have_are_refused():
    [(row, _, rule)] = errors_of(b"ref,name\nA,\x81\xe9\n", encoding=WINDOWS)
    assert (row, rule) == (
        2,
        "is not Windows-1252 (0x81, byte 12 of the file): save the file as CSV UTF-8",
    )


def test_a_nul_is_refused_in_windows_1252_too():
    [(row, _, rule)] = errors_of(b"ref,name\nA,\xe9\0\n", encoding=WINDOWS)
    assert (row, rule[:27]) == (2, "contains a NUL (zero) byte,")


@pytest.mark.parametrize("length", [10_001, 200_000, 1_000_000])
def test_a_giant_cell_is_refused_and_the_rest_is_read(length):
    giant = "x" * length
    rows = reading(f'ref,name\nA,{giant}\nB,"{giant}"\nC,c\n')
    assert [row for row, _ in rows] == [4]
    assert [error.row for error in rows.errors] == [2, 3]
    assert all("10,000 characters" in error.rule for error in rows.errors)


def test_long_rows_of_cells_that_are_not_giant_are_read():
    columns = tuple(Column(name, str) for name in "abc")
    long = "x" * 10_000
    stream = io.BytesIO(f'a,b,c\n{long},{long},"{long}"\n'.encode())
    assert list(tabular.read(stream, filename="", columns=columns)) == [
        (2, {"a": long, "b": long, "c": long}),
    ]


def test_a_line_without_an_end_is_given_up():
    rows = reading("ref\nA\n" + "x" * 3_000_000 + "\nB\n")
    assert [row for row, _ in rows] == [2]
    assert [error.row for error in rows.errors] == [3]
    assert rows.errors[0].rule.endswith("the rest of the file was not read")


def test_a_parser_of_ones_own_refuses_with_its_own_words():
    def even(value):
        if int(value) % 2:
            raise ValueError("must be even")
        return int(value)

    rows = tabular.read(io.BytesIO(b"n\n2\n3\n"), filename="", columns=[Column("n", even)])
    assert list(rows) == [(2, {"n": 2})]
    assert rows.errors[0].rule == "must be even"


def test_a_path_is_opened_and_closed_here(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("ref\nA\nB\n")
    rows = tabular.read(path, filename="a.csv", columns=COLUMNS)
    assert [row for row, _ in rows] == [2, 3]
    with tabular.read(str(path), filename="a.csv", columns=COLUMNS) as unfinished:
        assert next(unfinished)[0] == 2
    path.write_text("wrong\n")
    with pytest.raises(BadTable):
        tabular.read(path, filename="a.csv", columns=COLUMNS)


def test_a_path_that_is_not_there_is_the_callers_mistake(tmp_path):
    with pytest.raises(FileNotFoundError):
        tabular.read(tmp_path / "none.csv", filename="none.csv", columns=COLUMNS)


def test_a_stream_stays_open_for_whoever_opened_it():
    stream = io.BytesIO(b"ref\nA\n")
    list(tabular.read(stream, filename="", columns=COLUMNS))
    assert not stream.closed


def test_the_name_of_the_file_decides_nothing():
    stream = io.BytesIO(b"ref\nA\n")
    assert len(list(tabular.read(stream, filename="a.xlsx", columns=COLUMNS))) == 1
