"""Totals rows: rows that a spreadsheet adds below a table, and that are not data.

Such a row says Total, or the like, in its first filled cell; every other cell is empty, a number,
or a formula. A row that is not a good row anyway is recognized by that word wherever it is. A row
that could be a good row, as in a table that starts with company names, is a totals row only at the
end, below rows that start with something else.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from tracker.tabular.columns import BLANKS
from tracker.tabular.problems import Cells, Refused

RULE = "looks like a row of totals: delete it, or if it is not, fill in its other cells"
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
_LONGEST = 40  # characters, with the spaces around
# A number as some program or person writes it: thousands separators, percent, a currency sign.
_NUMBER = re.compile("[-+(]?[$€£]? ?[0-9][0-9.,'\u00a0\u202f ]*[%$€£)]{0,2}")
_Row = Sequence[str | Refused]


def without_totals(
    rows: Iterator[tuple[int, Cells]], is_good: Callable[[_Row], bool]
) -> Iterator[tuple[int, Cells]]:
    """The rows, with a refusal in place of each totals row.

    ``is_good`` says whether a row could be read if it is not a totals row.
    """
    held: list[tuple[int, _Row]] = []  # totals rows if no other row follows
    begun: set[str] = set()  # words of the list with which good rows above begin
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
    """The word of the list that a row consists of, apart from numbers and formulas."""
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
