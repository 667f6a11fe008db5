"""What an employer's own roster file would do, row by row, before anything is stored or sent.

The file is imported into a copy of the database (``apart.check``), so that the same rules decide as
later. Here the rows are shown with what is wrong in which cell, and with whom of the employer's own
list a new row may mean. Invariant: a row is compared with what the employer itself wrote, and with
nothing else; whether anybody is on record is not told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select

from tracker import tabular
from tracker.domain.permissions import Actor
from tracker.domain.values import tidy
from tracker.models import RosterEntry
from tracker.services.core.context import Container, ReadContext
from tracker.services.employers import employers
from tracker.services.employers.consents import EMPLOYED
from tracker.services.employers.naming import NamedWorker, WorkerKey
from tracker.services.imports import apart, roster
from tracker.services.imports.report import ImportRefused, ImportReport, RowWarning
from tracker.tabular import Dates, RowError, Unpacked
from tracker.tabular.expected import Names
from tracker.tabular.problems import Refused, Unreadable

MOST_FAULTY, MOST_NOTED, FIRST = 100, 50, 10
"""How many rows are shown: with errors, with notes, and from the beginning of the file."""
_NAMES = Names([column.name for column in roster.KIND.columns])
_KINDS = {column.name: column.kind for column in roster.KIND.columns}


class RowChange(StrEnum):
    """What a row would do: list somebody, repeat or correct an entry, end an employment."""

    NEW = "new"
    LISTED = "listed"
    ENDS = "ends"


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row as it stands in the file; ``faults`` are rules that cells break, by column.

    ``like``: the employee_id of an entry that has the same email or certificate number, or the same
    number but for zeros at its beginning.
    """

    number: int
    cells: Sequence[str]
    faults: Mapping[str, str]
    notes: Sequence[str]
    change: RowChange
    like: str | None


@dataclass(frozen=True, slots=True)
class RosterPreview:
    """What a file would do; without a ``report`` it would be refused.

    ``faults`` are the first thousand of ``total_faults``. ``rows`` are those that deserve a look,
    and the first ones; ``changes`` counts all. ``missing`` are the numbers of those on the list who
    are not in the file: they stay, unless their end is asked for.
    """

    columns: Sequence[str]
    rows: Sequence[PreviewRow]
    changes: Mapping[RowChange, int]
    report: ImportReport | None
    faults: Sequence[RowError]
    total_faults: int
    missing: Sequence[str]


class _OwnRow(NamedTuple):
    employee_id: str
    given_number: str | None
    given_email: str | None


@dataclass(slots=True)
class _OwnList:
    """The employer's current entries, found by number and by the words in them."""

    today: date
    numbers: set[str] = field(default_factory=set)
    in_file: set[str] = field(default_factory=set)
    by_word: dict[WorkerKey, str] = field(default_factory=dict)
    by_digits: dict[str, str] = field(default_factory=dict)

    def like(self, values: Mapping[str, str]) -> str | None:
        """The number of an entry that a new row may mean."""
        named = _named(values.get("certificate_number"), values.get("email"))
        same = (self.by_word[word] for word in sorted(named.words) if word in self.by_word)
        return next(same, self.by_digits.get(_digits(values.get("employee_id", ""))))

    def change(self, values: Mapping[str, str]) -> RowChange:
        """What a row with these values would do."""
        if values.get("ended_on"):
            return RowChange.ENDS
        listed = values.get("employee_id") in self.numbers
        return RowChange.LISTED if listed else RowChange.NEW


def preview(
    container: Container,
    actor: Actor,
    table: Unpacked,
    *,
    employer_id: str,
    filename: str,
    dates: Dates,
) -> RosterPreview:
    """What the file would do. Raises TooBusy; a file that would be refused says why."""
    report: ImportReport | None = None
    errors: Sequence[RowError] = ()
    total = 0
    try:
        options = {"filename": filename, "dates": dates, "employer_id": employer_id}
        report = apart.check(container, actor, roster.KIND.name, table, **options)  # type: ignore[arg-type]
    except ImportRefused as refusal:
        errors, total = refusal.errors, refusal.total
    with container.reading(actor) as reading:
        own = _own_list(reading, employer_id)
    columns, rows, changes = _rows(table, own, errors, report.warnings if report else ())
    missing = sorted(own.numbers - own.in_file) if report and report.rows else ()
    return RosterPreview(columns, rows, changes, report, errors, total, missing)


def _own_list(reading: ReadContext, employer_id: str) -> _OwnList:
    employers.get(reading, employer_id)
    table = RosterEntry
    statement = select(table.employee_id, table.given_number, table.given_email)
    own = _OwnList(employers.today(reading))
    current = statement.where(table.employer_id == employer_id, EMPLOYED)
    for row in reading.rows_as(_OwnRow, current, {"today": own.today}):
        own.numbers.add(row.employee_id)
        own.by_digits[_digits(row.employee_id)] = row.employee_id
        for word in _named(row.given_number, row.given_email).words:
            own.by_word[word] = row.employee_id
    return own


def _named(number: str | None, email: str | None) -> NamedWorker:
    return NamedWorker(None, number or None, email or None)


def _digits(employee_id: str) -> str:
    """A number without the zeros at its beginning, which spreadsheets drop."""
    return employee_id.lstrip("0").casefold()


def _rows(
    table: Unpacked,
    own: _OwnList,
    errors: Sequence[RowError],
    warnings: Collection[RowWarning],
) -> tuple[Sequence[str], Sequence[PreviewRow], Mapping[RowChange, int]]:
    """The columns, the rows to show, and how many rows do what; nothing if it is no table."""
    faults: dict[int, dict[str, str]] = defaultdict(dict)
    notes: dict[int, list[str]] = defaultdict(list)
    for error in errors:
        if error.column:
            faults[error.row].setdefault(error.column, error.rule)
    for warning in warnings:
        notes[warning.row].append(warning.message)
    changes = dict.fromkeys(RowChange, 0)
    shown: list[PreviewRow] = []
    room = {"faulty": MOST_FAULTY, "noted": MOST_NOTED, "first": FIRST}
    try:
        source = table.source()
        columns = [_NAMES.meant(_text(cell)) for cell in source.header()[1]]
        kinds = [_KINDS[name] for name in columns if name in _KINDS]
        lines: Iterator[tuple[int, object]] = iter(source.rows(kinds))
        for number, cells in lines:
            texts = _texts(cells, len(columns))
            values = dict(zip(columns, texts, strict=True))
            own.in_file.add(values.get("employee_id", ""))
            change = own.change(values)
            changes[change] += 1
            like = own.like(values) if change == RowChange.NEW else None
            row = PreviewRow(number, texts, faults[number], notes[number], change, like)
            why = "faulty" if row.faults else "noted" if like or row.notes else "first"
            if room[why] > 0:
                room[why] -= 1
                shown.append(row)
    except (Unreadable, tabular.BadTable):
        return (), (), changes
    return columns, shown, changes


def _texts(cells: object, width: int) -> list[str]:
    """The cells of a row as they would be kept; a row refused as a whole is one cell."""
    if isinstance(cells, Refused):
        return [cells.value, *[""] * (width - 1)]
    texts = [_text(cell) for cell in cells] if isinstance(cells, list) else []
    return (texts + [""] * width)[:width]


def _text(cell: str | Refused) -> str:
    return tidy(cell.value if isinstance(cell, Refused) else cell)
