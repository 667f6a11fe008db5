"""tabular/totals.py: the row of totals that programs and people add below a table."""

import io

import openpyxl
import pytest

from tracker import tabular
from tracker.tabular import Column

RULE = "looks like a row of totals: delete it, or if it is not, fill in its other cells"
CLAIMS = (
    Column("ref", tabular.text(20), required=True),
    Column("title", tabular.text(40), required=True),
    Column("on", tabular.date(), required=True),
    Column("hours", tabular.decimal(2, 0, 100)),
)
# A table whose rows may consist of a name and a number.
WORKERS = (
    Column("company", tabular.text(40), required=True),
    Column("number", tabular.text(20), required=True),
    Column("site", tabular.text(20)),
)


def as_csv(columns, rows):
    lines = [",".join(column.name for column in columns)]
    lines += [",".join('"' + str(cell or "").replace('"', '""') + '"' for cell in r) for r in rows]
    return io.BytesIO("\r\n".join(lines).encode())


def as_xlsx(columns, rows):
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for row in [[column.name for column in columns], *rows]:
        book.worksheets[0].append(row)
    book.save(stream)
    stream.seek(0)
    return stream


@pytest.fixture(params=[as_csv, as_xlsx])
def read(request):
    """Read rows from a file of the form at hand; the good rows' numbers, and the errors."""

    def read(columns, rows):
        found = tabular.read(request.param(columns, rows), filename="a", columns=columns)
        good = [number for number, _ in found]
        return good, [(e.row, e.column, e.value, e.rule) for e in found.errors]

    return read


GOOD = [["A", "Welding", "2026-01-05", 4], ["B", "Safety", "2026-01-06", 8]]


@pytest.mark.parametrize(
    "word",
    [
        "Total",
        "TOTALS",
        "sum",
        "Summe",
        "gesamt",
        "Subtotal",
        "Suma",
        "Grand Total",
        "Total:",
        " total ",
    ],
)
def test_a_totals_row_below_a_table_is_refused_by_name_alone(read, word):
    good, errors = read(CLAIMS, [*GOOD, [word, None, None, 12]])

    assert good == [2, 3]
    assert errors == [(4, "", word.strip(), RULE)]


@pytest.mark.parametrize(
    "others",
    [
        (None, None, None),
        (None, None, "1,234.50"),
        (2, 2, 12),
        (None, None, "=SUM(D2:D3)"),
        (None, "$ 1,200.00", "75%"),
        (None, None, "1.234,5 \N{EURO SIGN}"),
    ],
)
def test_its_other_cells_are_empty_numbers_or_formulas(read, others):
    assert read(CLAIMS, [*GOOD, ["Total", *others]]) == ([2, 3], [(4, "", "Total", RULE)])


def test_the_word_may_stand_in_a_later_cell_and_blank_rows_above_it(read):
    rows = [*GOOD, [None, None, None, None], [None, "Total", None, 12]]

    assert read(CLAIMS, rows) == ([2, 3], [(5, "", "Total", RULE)])


def test_subtotals_between_the_rows_are_refused_by_name_each(read):
    rows = [
        GOOD[0],
        ["Subtotal", None, None, 4],
        GOOD[1],
        ["Subtotal", None, None, 8],
        ["Total", None, None, 12],
    ]

    good, errors = read(CLAIMS, rows)
    assert good == [2, 4]
    assert errors == [(n, "", w, RULE) for n, w in [(3, "Subtotal"), (5, "Subtotal"), (6, "Total")]]


def test_a_row_that_could_be_good_is_a_totals_row_at_the_end_alone(read):
    acme, total = ["Acme", "7", None], ["Total", "12", None]

    assert read(WORKERS, [acme, total]) == ([2], [(3, "", "Total", RULE)])
    assert read(WORKERS, [acme, ["Subtotal", 1, None], total])[1] == [
        (3, "", "Subtotal", RULE),
        (4, "", "Total", RULE),
    ]
    assert read(WORKERS, [acme, total, acme]) == ([2, 3, 4], [])


def test_a_company_of_that_name_is_read(read):
    acme, total = ["Acme", "7", None], ["Total", "12", None]

    assert read(WORKERS, [total]) == ([2], [])
    assert read(WORKERS, [total, ["Total", "13", None], ["Total", "14", None]]) == ([2, 3, 4], [])
    for count in (2, 3, 4):
        assert read(WORKERS, [acme, *[total] * count])[1] == []
    assert read(WORKERS, [acme, ["Total", "12", "Main"]]) == ([2, 3], [])


@pytest.mark.parametrize(
    "row",
    [
        ["Total", "Welding", None, 4],
        ["Total quality", None, None, 4],
        ["Summary", None, None, None],
    ],
)
def test_other_rows_are_told_what_is_wrong_with_their_cells(read, row):
    _, errors = read(CLAIMS, [*GOOD, row])

    assert errors
    assert {rule for *_, rule in errors} == {"must not be empty"}
