"""The value of a spreadsheet's cell is what it shows: its text, or why it cannot be read.

The format of a cell is applied if this reader is sure of what the sender saw. The cell is refused
with a reason if not, or if it shows something else than it holds. So nothing is stored that the
sender did not see. Formulas are refused and never computed: the value saved with one is whatever
the sending program wrote.
"""

import datetime as dt
import re
from decimal import Decimal

from openpyxl.utils.datetime import from_excel  # type: ignore[import-untyped, unused-ignore]

from tracker.tabular.csv_rows import LONGEST_CELL, TOO_LONG
from tracker.tabular.dates import day_of_number, would_be
from tracker.tabular.kinds import ColumnKind
from tracker.tabular.number_formats import NumberFormat
from tracker.tabular.problems import Refused
from tracker.tabular.workbook import Cell

_DIGITS = 10**15  # a spreadsheet keeps 15 digits of a number
_PLAIN = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_AS_TEXT = "set the column's format to Text and enter it again"
# LibreOffice saves a truth value as a formula; these two have one value, whatever was saved with
# them.
_CONSTANTS: dict[object, bool] = {"=TRUE()": True, "=FALSE()": False}
_FORMULA = "must be a value, not a formula: in the spreadsheet, paste it as a value"
_TRUTH = "must be text, a number or a date, not the spreadsheet's TRUE or FALSE"
_ERROR = "must be a value, not a spreadsheet error: correct the cell, or empty it"
_HIDDEN = "is in the cell but hidden by its format: change the format, or empty the cell"
_LOST = f"has more than 15 digits, and spreadsheets lose the rest: {_AS_TEXT}"
_DATE = f"is a date in the spreadsheet, and this column takes no dates: {_AS_TEXT}, as it should be"
_NO_DATE = "is shown as a date, but is outside the spreadsheet's calendar"
_TIME = "is a time of day without a date: must be a date such as 2026-03-15"


def shown(cell: Cell, kind: ColumnKind, epoch: dt.datetime) -> str | Refused:
    """The text of a cell for a column of this kind, or the refusal of the cell."""
    found = _shown(cell, kind, epoch)
    if isinstance(found, str) and len(found) > LONGEST_CELL:
        return Refused(found, TOO_LONG)
    return found


def _shown(cell: Cell, kind: ColumnKind, epoch: dt.datetime) -> str | Refused:
    value = _CONSTANTS.get(cell.value, cell.value) if cell.type == "f" else cell.value
    if cell.type == "f" and not isinstance(value, bool):
        return Refused(str(value), _FORMULA)
    if cell.type == "e":
        return Refused(str(value), _ERROR)
    if isinstance(value, bool):
        text = str(value).upper()
        return text if kind is ColumnKind.TRUTH else Refused(text, _TRUTH)
    if isinstance(value, int | float):
        return _number(value, cell.format, kind, epoch)
    if isinstance(value, str):
        return _text(value, cell.format)
    return _day(value, None, kind)


def _text(value: str, shape: NumberFormat) -> str | Refused:
    """A text with its numeric character escapes decoded (ST_Xstring, 22.9.2.19)."""
    if "_x" in value:
        value = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)
    if shape.is_general:
        return value
    text = shape.shown_text(value)
    return text if text.strip() else Refused(value, _HIDDEN)


def _number(
    value: float, shape: NumberFormat, kind: ColumnKind, epoch: dt.datetime
) -> str | Refused:
    if abs(value) >= _DIGITS or value != value:  # noqa: PLR0124 - not a number
        return Refused(str(value), _LOST)
    # The digits that a spreadsheet keeps: 0.1 + 0.2 is 0.3.
    number = Decimal(value) if isinstance(value, int) else Decimal(f"{value:.15g}")
    if shape.is_date:
        return _date(value, f"{number:f}", shape, kind, epoch)
    text = shape.shown(number)
    if text is None:
        rule = f"has a number format that Tracker does not understand ({shape.code})"
        return Refused(f"{number:f}", f"{rule}: {_AS_TEXT}")
    if not text:
        return Refused(f"{number:f}", _HIDDEN)
    return _in_column(number, text, shape, kind, epoch)


def _in_column(
    number: Decimal,
    text: str,
    shape: NumberFormat,
    kind: ColumnKind,
    epoch: dt.datetime,
) -> str | Refused:
    """What a number that is shown as this text means in a column of this kind."""
    if kind is ColumnKind.NUMBER:
        return _plain(number, text, shape)
    if (
        kind is ColumnKind.DATE
        and shape.is_general
        and (day := day_of_number(float(number), epoch.date()))
    ):
        return Refused(text, f"is a plain number that {would_be(day)}")
    section = shape.section(number)
    if not shape.is_general and (section.grouped or section.scientific or section.thousands):
        return Refused(f"{number:f}", f"is a number shown as {text}, not text: {_AS_TEXT}")
    return text


def _plain(number: Decimal, text: str, shape: NumberFormat) -> str | Refused:
    """The digits of a number whose format shows it unchanged, except for thousands separators."""
    if shape.is_general:
        return text
    section = shape.section(number)
    if section.percent:
        rule = "is a percentage in the spreadsheet: set a plain number format, and "
        return Refused(text, f"{rule}enter the number in the unit of the column")
    seen = text.replace(",", "") if section.grouped else text
    if _PLAIN.fullmatch(seen) and Decimal(seen) == number:
        return f"{number:f}"
    rule = f"is shown as {text} in the spreadsheet: set a format that shows the number"
    return Refused(f"{number:f}", f"{rule} as it is, or enter the intended number")


def _date(
    value: float,
    digits: str,
    shape: NumberFormat,
    kind: ColumnKind,
    epoch: dt.datetime,
) -> str | Refused:
    try:
        moment = from_excel(value, epoch)
    except (OverflowError, ValueError):
        return Refused(digits, _NO_DATE)
    return _day(moment, shape, kind)


def _day(moment: object, shape: NumberFormat | None, kind: ColumnKind) -> str | Refused:
    """A day, or the moment with its time, which the column's parser then judges."""
    if isinstance(moment, dt.datetime) and moment.time() == dt.time():
        moment = moment.date()
    text = moment.isoformat(" ") if isinstance(moment, dt.datetime) else str(moment)
    if kind is not ColumnKind.DATE:
        return Refused(text, _DATE)
    if not isinstance(moment, dt.date):
        return Refused(text, _TIME)
    if shape is not None and shape.hides_part_of_date:
        rule = f"is a date of which the format ({shape.code}) shows only a part: "
        return Refused(text, f"{rule}set a format with day, month and year")
    return text
