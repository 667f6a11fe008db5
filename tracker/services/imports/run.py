"""One run of an import: what every kind gets, and where errors, warnings and counts go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeAlias

from tracker.domain.schemes.schemes import Scheme
from tracker.domain.value_classes import value_class
from tracker.domain.values import future_rule
from tracker.services.core.context import UnitOfWork
from tracker.services.imports.report import (
    MOST_CONSEQUENCES,
    MOST_WARNINGS,
    AwardChange,
    RowWarning,
)
from tracker.services.imports.scratch import Scratch
from tracker.tabular import Column
from tracker.tabular.problems import Problems

RowValues: TypeAlias = dict[str, Any]
"""What the columns' parsers made of the cells of a row, by column."""


@value_class()
class ImportRow:
    """A row whose cells are each valid: its number, its key, its values."""

    number: int
    key: str
    values: RowValues

    def __getitem__(self, column: str) -> Any:
        return self.values[column]


@dataclass(slots=True)
class Run:
    """The import of one file. After a refused row, later rows are checked but not written.

    ``new_centers``: assessment centers that are not on record are added. ``ends_missing``: the file
    is the employer's whole list, and the employment of whoever is not in it ends today.
    """

    id: str
    work: UnitOfWork
    header: frozenset[str]
    problems: Problems
    scratch: Scratch
    employer_id: str | None
    new_centers: bool = False
    ends_missing: bool = False
    count_bad_cells: Callable[[], int] = int
    warnings: list[RowWarning] = field(default_factory=list)
    total_warnings: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    consequences: list[AwardChange] = field(default_factory=list)
    total_consequences: int = 0
    deferred: dict[str, tuple[int, dict[str, object]]] = field(default_factory=dict)
    _refused: list[tuple[int, str, str, str]] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether any row was refused, so that nothing more need be written."""
        return bool(self._refused or self.problems.total or self.count_bad_cells())

    def refuse(self, row: ImportRow, column: str, rule: str) -> None:
        """Refuse a row because of one of its columns."""
        self.refuse_at(row.number, column, _shown(row.values.get(column)), rule)

    def refuse_future(self, row: ImportRow, *columns: str, today: date) -> None:
        """Refuse a row with a future date in a column that must be in the past."""
        for column in columns:
            if rule := future_rule(row.values.get(column), today):
                self.refuse(row, column, rule)

    def refuse_at(self, number: int, column: str, value: str, rule: str) -> None:
        """Refuse the row with that number."""
        self._refused.append((number, column, value, rule))

    def settle_refusals(self) -> set[int]:
        """Record the refusals since the last call in file order; returns their row numbers."""
        refused, self._refused = sorted(self._refused), []
        for number, column, value, rule in refused:
            self.problems.add(number, column, value, rule)
        return {number for number, *_ in refused}

    def good(self, rows: Iterable[ImportRow]) -> list[ImportRow]:
        """The rows that have not been refused so far."""
        refused = self.settle_refusals()
        return [row for row in rows if row.number not in refused]

    def warn(self, number: int, column: str, message: str) -> None:
        """Add a warning about a row."""
        self.total_warnings += 1
        if len(self.warnings) < MOST_WARNINGS:
            self.warnings.append(RowWarning(number, column, message))

    def follow(self, change: AwardChange) -> None:
        """Report what the file changed about an award on record."""
        self.total_consequences += 1
        if len(self.consequences) < MOST_CONSEQUENCES:
            self.consequences.append(change)

    def scheme(self, row: ImportRow) -> Scheme | None:
        """The scheme that a row names; if it is unknown, refuses the row and returns None."""
        scheme = self.work.schemes.by_code.get(row["scheme"])
        if scheme is None:
            choices = ", ".join(self.work.schemes.by_code)
            self.refuse(row, "scheme", f"must be one of {choices}")
        return scheme


def _shown(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


@dataclass(frozen=True, slots=True)
class ImportKind:
    """One kind of file: its columns, its key, and what is done with each chunk and at the end.

    ``take`` checks a chunk of rows and writes them; ``finish`` applies the consequences after all
    rows are written, so that the order of the rows never matters. With ``checks_on``, ``finish`` is
    also called after refusals, to report further errors; it then writes nothing. ``own_column``
    names the organization, which may leave it out of its own file: ``own_name`` fills it in.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    take: Callable[[Run, Collection[ImportRow]], None]
    finish: Callable[[Run], None]
    checks_on: bool = False
    own_column: str = ""
    own_name: Callable[[Run], str] | None = None

    def columns_of(self, *, own_file: bool) -> tuple[Column, ...]:
        """The columns of a file, which an organization's own need not name it."""
        if not own_file:
            return self.columns
        return tuple(
            replace(one, required=False) if one.name == self.own_column else one
            for one in self.columns
        )

    def key_of(self, values: RowValues) -> str:
        """The row's key as a single text."""
        return "\x1f".join(str(values[column]) for column in self.key)


def nothing_follows(run: Run) -> None:
    """``finish`` for a kind whose rows have no consequences."""
    del run
