"""A folder of files: find the kind of each file, and import all of them as one act.

Invariant: the files of a folder are imported in one transaction, in the order of the kinds, so that
each finds what earlier ones imported, even in a dry run; if any row is bad, nothing is stored.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tracker.domain.errors import Invalid
from tracker.services import imports
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork
from tracker.services.imports.report import ImportRefused, ImportReport
from tracker.tabular import Dates, Encoding, Unpacked
from tracker.tabular.reader import Readable

FORMS = (".csv", ".xlsx")
_OF_PROGRAMS = ("~$", ".")  # files that spreadsheets and operating systems put beside a file
_OF_SYSTEMS = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A file of a folder and the kind that its name gives; ``table`` once it is unpacked."""

    kind: str
    path: Path
    table: Unpacked | None = None

    @property
    def rows(self) -> Readable:
        """The source of the rows."""
        return self.table or self.path


class FolderRefused(Invalid):
    """Nothing of a folder was stored.

    ``refusals`` are those of its files, ``checked`` the reports of the others, ``unchecked`` the
    files after the first refused one, of which only the cells were checked.
    """

    def __init__(
        self,
        detail: str,
        *,
        fields: dict[str, str] | None = None,
        refusals: Sequence[ImportRefused] = (),
        checked: Sequence[ImportReport] = (),
        unchecked: Sequence[str] = (),
    ) -> None:
        super().__init__(detail, fields=fields or {})
        self.refusals, self.checked, self.unchecked = refusals, checked, unchecked


def find(folder: Path) -> list[FolderFile]:
    """The files of a folder in the order in which they are imported.

    A file is named after its kind: ``holders.csv``, ``standing-changes.xlsx``. Raises FolderRefused
    with every other name and every kind that occurs twice, and for a folder without files.
    """
    wrong: dict[str, str] = {}
    paths: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(_OF_PROGRAMS) or path.name.lower() in _OF_SYSTEMS:
            continue
        kind, rule = _kind_of(path)
        if rule is None and kind in paths:
            rule = (
                f"is a second file of the kind {kind}, besides {paths[kind].name}; keep only one "
                "of them"
            )
        if rule is not None:
            wrong[path.name] = rule
        else:
            paths[kind] = path
    if wrong:
        raise FolderRefused(
            f"The folder {folder.name} contains something that cannot be imported; nothing was "
            "read. Remove it from the folder, or rename it.",
            fields=wrong,
        )
    if not paths:
        raise FolderRefused(
            f"The folder {folder.name} contains no file to import. Name the files after their "
            f"kinds, with .csv or .xlsx: {', '.join(imports.FOLDER_KINDS)}."
        )
    return [FolderFile(kind, paths[kind]) for kind in imports.FOLDER_KINDS if kind in paths]


def _kind_of(path: Path) -> tuple[str, str | None]:
    """The kind that a name gives, or the rule that the name breaks."""
    if path.is_dir():
        return "", "is a folder; put all files directly in one folder"
    kind = path.stem.lower().replace("_", "-")
    if path.suffix.lower() not in FORMS:
        return kind, "must end in .csv or .xlsx"
    if kind in imports.FOLDER_KINDS:
        return kind, None
    near = difflib.get_close_matches(kind, imports.FOLDER_KINDS, n=1)
    meant = f"; did you mean {near[0]}{path.suffix.lower()}?" if near else ""
    kinds = ", ".join(imports.FOLDER_KINDS)
    return kind, f"is not named after a kind of file; the kinds are {kinds}{meant}"


def run(
    work: UnitOfWork,
    files: Sequence[FolderFile],
    *,
    dates: Dates = Dates.ISO,
    encoding: Encoding = Encoding.UTF_8,
    dry_run: bool = False,
    new_centers: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> list[ImportReport]:
    """Import the files: every row of all of them, or none.

    After a refused file only the cells of the others are checked, since the record lacks that
    file's rows. Raises FolderRefused, after which the transaction is as it was before, and what
    ``imports.run`` raises besides ImportRefused.
    """
    nested = bulk.savepoint(work)
    results = _FolderResults(dates, encoding, new_centers, on_progress)
    try:
        for file in files:
            results.take(work, file)
    except Exception:
        nested.rollback()
        raise
    if results.refusals:
        nested.rollback()
        raise _refused(results.refusals, results.reports, results.unchecked)
    if not dry_run:
        nested.commit()
        return results.reports
    nested.rollback()
    checked = [replace(report, dry_run=True) for report in results.reports]
    for report in checked:
        imports.keep_checked(work, report)
    return checked


@dataclass(slots=True)
class _FolderResults:
    """The results of the files so far."""

    dates: Dates
    encoding: Encoding
    new_centers: bool
    on_progress: Callable[[int], None] | None
    reports: list[ImportReport] = field(default_factory=list)
    refusals: list[ImportRefused] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def take(self, work: UnitOfWork, file: FolderFile) -> None:
        """Import a file; after a refused one, check its cells only."""
        name = file.path.name
        try:
            if self.refusals:
                imports.check_cells(
                    file.kind, file.rows, filename=name, dates=self.dates, encoding=self.encoding
                )
                self.unchecked.append(name)
                return
            report = imports.run(
                work,
                file.kind,
                file.rows,
                filename=name,
                dates=self.dates,
                encoding=self.encoding,
                new_centers=self.new_centers,
                on_progress=self.on_progress,
            )
            self.reports.append(report)
        except ImportRefused as refusal:
            self.refusals.append(refusal)


def _refused(
    refusals: Sequence[ImportRefused], reports: Sequence[ImportReport], unchecked: Sequence[str]
) -> FolderRefused:
    total = sum(refusal.total for refusal in refusals)
    count = "1 error" if total == 1 else f"{total:,} errors"
    named = ", ".join(refusal.run.filename for refusal in refusals)
    return FolderRefused(
        f"The folder was refused with {count}, in {named}; nothing was stored.",
        refusals=refusals,
        checked=reports,
        unchecked=unchecked,
    )
