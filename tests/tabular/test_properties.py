"""What holds for every text and every file, tried on thousands that no one would think of."""

import csv
import datetime as dt
import io
import random
import zipfile
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import WINDOWS_EPOCH

from tracker import tabular
from tracker.domain.values import NOTHING
from tracker.tabular import BadTable, Column, csv_rows
from tracker.tabular.cells import shown
from tracker.tabular.columns import BLANKS
from tracker.tabular.kinds import ColumnKind
from tracker.tabular.number_formats import NumberFormat
from tracker.tabular.workbook import Cell
from tracker.tabular.writer import _NOT_XML

# Line ends and quotes often, any other character sometimes; what no file can hold is left out.
texts = st.text(
    st.sampled_from("\",;\t\r\n'=+-@ aé") | st.characters(codec="utf-8", exclude_characters="\0"),
    max_size=12,
)
# What programs write where they have nothing is refused by name: test_nothing.py.
told = texts.filter(lambda text: seen(text) not in NOTHING)
pairs = st.lists(st.tuples(told, told), max_size=8)
COLUMNS = (Column("key", str, required=True), Column("a", str), Column("b", str))
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def keyed(rows):
    """Put a key before each row, so that no row is blank."""
    return [(f"k{number}", *row) for number, row in enumerate(rows)]


def read(stream):
    rows = tabular.read(stream, filename="", columns=COLUMNS)
    good = [tuple(values.values()) for _, values in rows]
    return good, rows.errors


def read_or_refuse(data):
    """Give the numbers of the good rows, and the errors; any exception but BadTable escapes."""
    try:
        rows = tabular.read(io.BytesIO(data), filename="", columns=COLUMNS)
    except BadTable as refused:
        return [], refused.errors
    return [row for row, _ in rows], rows.errors


def seen(text):
    """Give a text as a reader sees it: without blanks around it, None when nothing is left."""
    return text.strip(BLANKS) or None


@given(pairs)
@settings(deadline=None)
def test_what_is_written_as_csv_is_read_again(rows):
    stream = io.BytesIO()
    tabular.write_csv(stream, ["key", "a", "b"], keyed(rows))
    stream.seek(0)
    assert read(stream) == ([(key, *map(seen, row)) for key, *row in keyed(rows)], ())


@given(pairs, st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"]))
@settings(deadline=None)
def test_what_another_program_writes_as_csv_is_read(rows, delimiter, end):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("key", "a", "b"), *keyed(rows)])
    stream = io.BytesIO(text.getvalue().encode("utf-8-sig"))
    expected = [(key, *map(seen, map(csv_rows._shown, row))) for key, *row in keyed(rows)]
    assert read(stream) == (expected, ())


@given(pairs)
@SLOW
def test_what_is_written_as_xlsx_is_read_again(rows):
    stream = io.BytesIO()
    tabular.write_xlsx(stream, ["key", "a", "b"], keyed(rows))
    stream.seek(0)
    expected = [
        (key, *(seen(_NOT_XML.sub("\ufffd", text)) for text in row)) for key, *row in keyed(rows)
    ]
    assert read(stream) == (expected, ())


@given(
    st.dates(dt.date(1900, 1, 1), dt.date(2200, 12, 31)),
    st.decimals(-(10**9), 10**9, places=2),
    st.sampled_from([tabular.write_csv, tabular.write_xlsx]),
)
@SLOW
def test_dates_and_decimals_are_the_same_after_a_journey(day, number, write):
    stream = io.BytesIO()
    write(stream, ["day", "number"], [[day, number]])
    stream.seek(0)
    columns = (Column("day", tabular.date()), Column("number", tabular.decimal(2)))
    [(_, values)] = tabular.read(stream, filename="", columns=columns)
    assert values == {"day": day, "number": Decimal(number)}


@given(
    st.integers() | st.floats() | st.text(max_size=8) | st.booleans() | st.datetimes() | st.dates(),
    st.text(st.sampled_from('0#?.,%;@E+-/"\\_*[]$<dmyhsGeneral ') | st.characters(), max_size=20),
    st.sampled_from(ColumnKind),
)
@settings(max_examples=600, deadline=None)
def test_any_value_in_any_format_is_a_text_or_refused(value, code, kind):
    cell = Cell(1, value, "n", NumberFormat(code))
    found = shown(cell, kind, WINDOWS_EPOCH)
    assert isinstance(found, str) or (found.rule and isinstance(found.value, str))


@given(st.integers(0, 10**12), st.integers(1, 14))
def test_leading_zeros_that_are_shown_are_read(number, places):
    cell = Cell(1, number, "n", NumberFormat("0" * places))
    assert shown(cell, ColumnKind.TEXT, WINDOWS_EPOCH) == str(number).zfill(places)
    assert shown(cell, ColumnKind.NUMBER, WINDOWS_EPOCH) == str(number)


@given(st.decimals(0, 10**9, places=2), st.integers(0, 4))
def test_a_number_is_read_only_where_all_its_digits_are_shown(number, places):
    cell = Cell(1, float(number), "n", NumberFormat(f"#,##0.{'0' * places}"))
    found = shown(cell, ColumnKind.NUMBER, WINDOWS_EPOCH)
    whole = number == round(number, places)
    assert isinstance(found, str) is whole
    assert not isinstance(found, str) or Decimal(found) == number


@given(texts)
def test_nothing_harmless_begins_like_a_formula_and_it_can_be_restored(text):
    safe = tabular.harmless(text)
    assert not safe.lstrip(" \u00a0\u3000").startswith(tuple("=+-@\t\r\n＝＋－＠"))  # noqa: RUF001 - these signs are meant
    assert tabular.restored(safe) == text
    assert safe in (text, "'" + text)


@given(
    st.binary(max_size=200)
    | st.text(st.sampled_from('",;\t\r\n\0é ab'), max_size=60).map(str.encode),
)
@example(b"\xef\xbb\xbf")
@example(b'key,a,b\r"')
@settings(max_examples=600, deadline=None)
def test_no_bytes_stop_the_reader_but_as_a_bad_table(tail):
    for data in (tail, b"key,a,b\n" + tail, b"PK\x03\x04" + tail):
        good, errors = read_or_refuse(data)
        assert good == sorted(set(good))
        assert {error.row for error in errors}.isdisjoint(good)


@given(st.integers(0, 2**32))
@SLOW
def test_no_damage_to_a_workbook_stops_the_reader_but_as_a_bad_table(seed):
    chance = random.Random(seed)
    stream, damaged = io.BytesIO(), io.BytesIO()
    tabular.write_xlsx(stream, ["key", "a", "b"], keyed([("=1", "b"), ("c", "d")]))
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(damaged, "w") as new:
        victim = chance.choice(old.namelist())
        for name in old.namelist():
            data = bytearray(old.read(name))
            for _ in range(3 if name == victim else 0):
                data[chance.randrange(len(data))] = chance.randrange(256)
            new.writestr(name, bytes(data))
    raw = bytearray(stream.getvalue())
    raw[chance.randrange(4, len(raw))] ^= 1 << chance.randrange(8)
    for content in (damaged.getvalue(), bytes(raw)):
        good, errors = read_or_refuse(content)
        assert good == sorted(set(good))
        assert {error.row for error in errors}.isdisjoint(good)


@pytest.mark.parametrize(
    "parse",
    [
        pytest.param(tabular.text(9), id="text"),
        pytest.param(tabular.date(), id="date"),
        pytest.param(tabular.decimal(2), id="decimal"),
        pytest.param(tabular.integer(), id="integer"),
        pytest.param(tabular.choice(["pass", "fail"]), id="choice"),
        pytest.param(tabular.email, id="email"),
        pytest.param(tabular.time_zone, id="time_zone"),
        pytest.param(tabular.truth, id="truth"),
    ],
)
@given(texts | st.text(max_size=20))
def test_a_parser_gives_a_value_or_refuses_in_words(parse, value):
    try:
        rule = None if parse(value) is not None else "gave nothing"
    except ValueError as refusal:
        rule = str(refusal)
    assert rule is None or rule.startswith(("must be ", "must not be ", "is ", "has ", "looks "))
