"""Numbers in plain digits, exactly as written; what a spreadsheet adds to them is recognized.

No floats, no exponents, no NaN or infinity, no thousands separators. A comma is a decimal separator
only in a file with semicolons between its cells: there the comma has no other use.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, partial
from typing import ClassVar, Generic, TypeVar

from tracker.domain.values import amount, amount_rule, bounds
from tracker.tabular.kinds import ColumnKind, Conventions, Parser

ColumnNumber = TypeVar("ColumnNumber", Decimal, int)

_COMMA = re.compile(r"(-?[0-9]{1,15}),([0-9]+)")
# Three digits after one mark may be decimals or thousands: nobody can tell.
_UNCLEAR = re.compile(r"-?[0-9]{1,3}[.,][0-9]{3}")
_GROUPED = re.compile(
    r"-?[0-9]{1,3}(?:([,.' \u00a0\u2019\u202f])[0-9]{3})(?:\1[0-9]{3})*(?:[.,][0-9]+)?"
)
_LOOKS = (
    (re.compile(r"-?[0-9.,]{1,20} ?%"), "is a percentage, but must be a plain number: "),
    (re.compile(r"-?[0-9]{1,15},[0-9]{1,2}"), "has a decimal comma: "),
    (re.compile(r"-?[0-9](?:[.,][0-9]{1,14})?E[+-]?[0-9]{1,3}"), "is in scientific notation: "),
    (_UNCLEAR, "has a mark that could be a decimal point or a thousands separator: "),
    (_GROUPED, "has thousands separators: "),
    (re.compile(r"[$€£] ?-?[0-9.,]{1,20}|-?[0-9.,]{1,20} ?[$€£]"), "is an amount of money: "),
)


@dataclass(frozen=True)
class NumberParser(Parser[ColumnNumber], Generic[ColumnNumber]):
    """A parser of numbers: `parse` reads plain digits, with a point before the decimals."""

    kind: ClassVar[ColumnKind] = ColumnKind.NUMBER
    parse: Callable[[str], ColumnNumber]
    rule: str

    def settled(self, conventions: Conventions) -> Callable[[str], ColumnNumber]:
        """Fix whether a comma may stand before the decimals."""
        return lru_cache(maxsize=4096)(
            self._with_comma if conventions.decimal_comma else self._plain
        )

    def _plain(self, value: str) -> ColumnNumber:
        try:
            return self.parse(value)
        except ValueError:
            raise ValueError(_recognized(value) + self.rule) from None

    def _with_comma(self, value: str) -> ColumnNumber:
        """Read a comma before the decimals; a point could be a thousands separator."""
        if "." in value and _UNCLEAR.fullmatch(value):
            raise ValueError(_recognized(value) + self.rule)
        found = _COMMA.fullmatch(value)
        try:
            return self.parse(f"{found[1]}.{found[2]}" if found else value)
        except ValueError:
            raise ValueError(_recognized(value) + self.rule) from None


def decimal(
    places: int,
    minimum: Decimal | int | None = None,
    maximum: Decimal | int | None = None,
) -> NumberParser[Decimal]:
    """Read a number in ASCII digits, exactly as written; the result has `places` decimals."""
    parse = partial(amount, places=places, minimum=minimum, maximum=maximum)
    return NumberParser(parse, amount_rule(places, minimum, maximum))


def integer(minimum: int | None = None, maximum: int | None = None) -> NumberParser[int]:
    """Read a whole number in ASCII digits."""
    shape = re.compile(r"-?[0-9]{1,18}")
    rule = f"must be a whole number{bounds(minimum, maximum)}"

    def parse(value: str) -> int:
        number = int(value) if shape.fullmatch(value) else None
        if number is None or not _within(number, minimum, maximum):
            raise ValueError(rule)
        return number

    return NumberParser(parse, rule)


def _recognized(value: str) -> str:
    """What a text that is not a plain number looks like; or nothing."""
    return next((words for shape, words in _LOOKS if shape.fullmatch(value)), "")


def _within(number: int, minimum: int | None, maximum: int | None) -> bool:
    return (minimum is None or number >= minimum) and (maximum is None or number <= maximum)
