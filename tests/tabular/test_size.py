"""Large tables: the one bad row is found, and memory does not grow with the file."""

import gc
import io
import tracemalloc
import zipfile

import pytest

from tracker import tabular
from tracker.tabular import Column

# Memory is counted at every allocation, and to measure what is covered doubles that.
pytestmark = pytest.mark.no_cover

COLUMNS = (
    Column("ref", tabular.text(20), required=True),
    Column("taken_on", tabular.date(), required=True),
    Column("result", tabular.choice(["pass", "fail"]), required=True),
    Column("score", tabular.decimal(2, 0, 100)),
)


class Lines(io.BytesIO):
    """A file of any length that is nowhere as a whole."""

    def __init__(self, lines):
        super().__init__()
        self._lines = lines
        self._left = b""

    def read(self, size):  # type: ignore[override]
        while len(self._left) < size and (line := next(self._lines, None)):
            self._left += line
        block, self._left = self._left[:size], self._left[size:]
        return block


def lines(count, broken=None, instead=b""):
    yield b"ref,taken_on,result,score\n"
    for number in range(2, count + 2):
        day = 1 + number % 28
        good = b"R%06d,2026-03-%02d,pass,%d\n" % (number, day, number % 100)
        yield instead if number == broken else good


@pytest.mark.parametrize(
    "instead",
    [
        b"R,2026-02-30,pass,1\n",
        b"R,2026-02-03,pass,1,x\n",
        b'R,"2026-02-03,pass,1\n',
        b'R,2026-02-03,pass,1"\n',
        b"R\xe9,2026-02-03,pass,1\n",
        b"R\0,2026-02-03,pass,1\n",
        b"R,2026-02-03,pass," + b"1" * 100_000 + b"\n",
    ],
    ids=["date", "cells", "mark opened", "mark closed", "encoding", "NUL", "giant"],
)
def test_one_broken_row_among_thirty_thousand_is_the_one_that_is_reported(instead):
    stream = Lines(lines(30_000, broken=21_321, instead=instead))
    rows = tabular.read(stream, filename="a.csv", columns=COLUMNS)
    numbers = [number for number, _ in rows]
    assert [error.row for error in rows.errors] == [21_321]
    assert rows.total_errors == 1
    assert numbers == [number for number in range(2, 30_002) if number != 21_321]


def peak_of(work):
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_reading_twenty_thousand_rows_takes_no_more_memory_than_five_thousand():
    def reading(count):
        for _ in tabular.read(Lines(lines(count)), filename="", columns=COLUMNS):
            pass

    reading(5_000)  # so that caches are warm
    small, large = peak_of(lambda: reading(5_000)), peak_of(lambda: reading(20_000))
    assert large < small + 100_000
    assert large < 1_500_000


def formatted(count):
    """Write a workbook of one row, and below it rows that are only formatted."""
    stream, copy = io.BytesIO(), io.BytesIO()
    tabular.write_xlsx(stream, ["ref", "taken_on", "result"], [["R", "2026-03-01", "pass"]])
    row = '<row r="%d" s="1" customFormat="1" ht="15"><c r="A%d" s="1"/></row>'
    below = "".join(row % (number, number) for number in range(3, count)).encode()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"</sheetData>", below + b"</sheetData>"))
    return copy


def test_rows_that_are_only_formatted_take_no_memory_and_are_no_rows():
    def reading(stream):
        stream.seek(0)
        return [row for row, _ in tabular.read(stream, filename="", columns=COLUMNS)]

    few, many = formatted(1000), formatted(20_000)
    assert reading(few) == reading(many) == [2]
    assert peak_of(lambda: reading(many)) < peak_of(lambda: reading(few)) + 300_000


def test_reading_a_long_workbook_takes_the_memory_of_its_texts():
    def book(count):
        stream = io.BytesIO()
        row = ("R", "2026-03-01", "pass", 5)
        tabular.write_xlsx(stream, ["ref", "taken_on", "result", "score"], [row] * count)
        return stream

    def reading(stream):
        stream.seek(0)
        for _ in tabular.read(stream, filename="", columns=COLUMNS):
            pass

    few, many = book(500), book(4_000)
    reading(few)
    assert peak_of(lambda: reading(many)) < peak_of(lambda: reading(few)) + 300_000


def test_errors_beyond_the_thousand_take_no_memory():
    bad = (line.replace(b"pass", b"past") for line in lines(20_000))
    rows = tabular.read(Lines(bad), filename="", columns=COLUMNS)

    assert peak_of(lambda: list(rows)) < 1_500_000
    assert rows.total_errors == 20_000


def test_writing_csv_takes_the_memory_of_a_chunk():
    class Nowhere(io.BytesIO):
        def write(self, data):
            return len(data)

    def writing(count):
        tabular.write_csv(Nowhere(), ["a", "b"], (["x" * 20, number] for number in range(count)))

    assert peak_of(lambda: writing(30_000)) < peak_of(lambda: writing(5_000)) + 200_000
