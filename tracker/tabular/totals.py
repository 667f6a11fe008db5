"""Totals rows: what a spreadsheet adds below a table, and no row of it.

Such a row says Total, or the like, in its first filled cell; every other cell is empty, a number,
or a formula. What is no good row anyway is told by that name wherever it stands. What could be a
good row, as in a table that begins with the names of companies, is one only at the end, below
rows that begin with something else.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from tracker.tabular.columns import BLANKS
from tracker.tabular.problems import Cells, Refused

RULE = "looks like a totals row: delete it, or fill in its other cells if it is none"
_WORDS = frozenset(
    {
        "total",
        "totals",
        "grand total",
        "subtotal",
        "subtotals",
        "sub-total",
        "sum",
        "summe",
        "gesamt",
        "gesamtsumme",
        "gesamtergebnis",
        "zwischensumme",
        "suma",
        "suma total",
        "total general",
        "somme",
        "totale",
    }
)
_LONGEST = 40  # characters, with the blanks around
# A number as some program or person writes it: marks of thousands, percent, a sign of money.
_NUMBER = re.compile("[-+(]?[$€£]? ?[0-9][0-9.,'\u00a0\u202f ]*[%$€£)]{0,2}")
_Row = Sequence[str | Refused]


def without_totals(
    rows: Iterator[tuple[int, Cells]], is_good: Callable[[_Row], bool]
) -> Iterator[tuple[int, Cells]]:
    """Give the rows, and in place of each totals row its refusal.

    ``is_good`` says whether a row could be read, were it none.
    """
    held: list[tuple[int, _Row]] = []  # totals rows if no other row follows
    begun: set[str] = set()  # words of the list that good rows above begin with
    above = False
    for row, cells in rows:
        if isinstance(cells, Refused) or (word := _word(cells)) is None:
            yield from held
            held.clear()
            yield row, cells
        elif not is_good(cells):
            yield _refused(row, cells)
        elif above and word not in begun:
            begun.add(word)
            held.append((row, cells))
        else:
            begun.add(word)
            yield from held
            held.clear()
            yield row, cells
        above = True
    yield from (_refused(row, cells) for row, cells in held)


def _word(cells: _Row) -> str | None:
    """Give the word of the list that a row consists of, numbers and formulas apart."""
    for place, cell in enumerate(cells):
        if isinstance(cell, Refused) or len(cell) > _LONGEST:
            return None
        if word := cell.strip(BLANKS).rstrip(": ").casefold():
            is_one = word in _WORDS and all(map(_is_number, cells[place + 1 :]))
            return word if is_one else None
    return None


def _is_number(cell: str | Refused) -> bool:
    text = cell.value if isinstance(cell, Refused) else cell.strip(BLANKS)
    return not text or text.startswith("=") or _NUMBER.fullmatch(text) is not None


def _refused(row: int, cells: _Row) -> tuple[int, Refused]:
    first = next(cell for cell in cells if isinstance(cell, str) and cell.strip(BLANKS))
    return row, Refused(first.strip(BLANKS), RULE)
