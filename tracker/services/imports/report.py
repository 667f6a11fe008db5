"""What an import answers: the report of a run, or the refusal that names every bad row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, ClassVar

from tracker.domain.errors import Invalid
from tracker.tabular import RowError

MOST_WARNINGS = 1000  # kept in full, as of errors; beyond them only the count goes on


@dataclass(frozen=True, slots=True)
class RowWarning:
    """Something that live use would refuse, found in a row that was imported all the same.

    `column` is empty when it is about the whole row; of what is about the file the row is 1.
    """

    row: int
    column: str
    message: str

    def __str__(self) -> str:
        where = f"row {self.row}, {self.column}" if self.column else f"row {self.row}"
        return f"{where}: {self.message}"


MOST_CONSEQUENCES = 1000


@dataclass(frozen=True, slots=True)
class AwardChange:
    """What a file brought about for one award: its day before and after, as far as it stood.

    ``what`` says it in words. The number is that of the certificate, which it keeps.
    """

    holder_ref: str
    number: str
    scheme: str
    what: str
    before: date | None
    after: date | None

    def __str__(self) -> str:
        days = f"{self.before or 'none'} -> {self.after or 'none'}"
        return f"{self.holder_ref}, {self.number}: {self.what}, {days}"

    def to_dict(self) -> dict[str, Any]:
        """The change as plain values, for JSON."""
        days = {"before": self.before, "after": self.after}
        return asdict(self) | {k: str(v) if v is not None else None for k, v in days.items()}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a run did: the count of its rows by fate, and what followed from them.

    ``warnings`` are the first thousand of ``total_warnings``. ``effects`` counts what the rows
    brought about besides themselves: certifications awarded, cycles opened, consents recorded.
    ``consequences`` name the first thousand of ``total_consequences`` awards on record that were
    dated anew, withdrawn, given back or kept.
    """

    id: str
    kind: str
    filename: str
    dry_run: bool
    rows: int
    created: int
    changed: int
    unchanged: int
    warnings: tuple[RowWarning, ...] = ()
    total_warnings: int = 0
    effects: dict[str, int] = field(default_factory=dict)
    consequences: tuple[AwardChange, ...] = ()
    total_consequences: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, for JSON."""
        return asdict(self) | {
            "warnings": [asdict(w) for w in self.warnings],
            "consequences": [one.to_dict() for one in self.consequences],
        }


class ImportRefused(Invalid):
    """The file holds bad rows, so nothing of it was stored.

    ``errors`` are the first thousand of ``total``, in the order of the file.
    """

    code: ClassVar[str] = "import_refused"

    def __init__(self, errors: Sequence[RowError], total: int, *, run: dict[str, Any]) -> None:
        count = "1 error" if total == 1 else f"{total:,} errors"
        super().__init__(
            f"The file was refused with {count}; nothing was stored.",
            errors=[error.to_dict() for error in errors],
            total=total,
        )
        self.errors = tuple(errors)
        self.total = total
        self.run = run
