"""The result of an import: the report of a run, or the refusal that lists every bad row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import ClassVar

from tracker.domain.errors import Invalid
from tracker.tabular import RowError

MOST_WARNINGS = 1000  # kept in full, as with errors; beyond that only counted


@dataclass(frozen=True, slots=True)
class RowWarning:
    """Something that the API would refuse, in a row that was imported nevertheless.

    ``column`` is empty if it is about the whole row; a warning about the file has row 1.
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
    """What a file changed about one award: its day before and after, None if it did not exist.

    ``what`` describes it in words. The number is the certificate number, which stays the same.
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

    def to_dict(self) -> dict[str, object]:
        """The change as plain values, for JSON."""
        days = {"before": self.before, "after": self.after}
        return asdict(self) | {k: str(v) if v is not None else None for k, v in days.items()}


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Which file a run takes; ``employer_id``: it is that employer's own roster."""

    id: str
    kind: str
    filename: str
    dry_run: bool
    employer_id: str | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a run did: its rows by result, and their effects.

    ``warnings`` are the first thousand of ``total_warnings``. ``effects`` counts other results of
    the rows: certifications awarded, cycles opened, consents recorded. ``consequences`` lists the
    first thousand of ``total_consequences`` awards on record that were moved, withdrawn, restored
    or kept.
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

    def to_dict(self) -> dict[str, object]:
        """The report as plain values, for JSON."""
        return asdict(self) | {
            "warnings": [asdict(w) for w in self.warnings],
            "consequences": [one.to_dict() for one in self.consequences],
        }


class ImportRefused(Invalid):
    """The file has bad rows, so nothing of it was stored.

    ``errors`` are the first thousand of ``total``, in the order of the file.
    """

    code: ClassVar[str] = "import_refused"

    def __init__(self, errors: Sequence[RowError], total: int, *, run: RunFacts) -> None:
        count = "1 error" if total == 1 else f"{total:,} errors"
        super().__init__(
            f"The file was refused with {count}; nothing was stored.",
            errors=[error.to_dict() for error in errors],
            total=total,
        )
        self.errors = tuple(errors)
        self.total = total
        self.run = run
