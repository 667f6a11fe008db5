"""What the program prints when something was refused or failed."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tracker.domain.errors import Invalid, Refusal
from tracker.scheme_files import SchemesRefusedError
from tracker.services.imports import ImportRefused
from tracker.services.imports.folder import FolderRefused
from tracker.settings import SettingsRefusedError

KNOWN = (Refusal, SettingsRefusedError, SchemesRefusedError, SQLAlchemyError, OSError)
"""Everything else is a bug and is shown with its traceback."""


def words(refusal: Exception) -> Iterator[str]:
    """The lines that describe a refusal or a failure."""
    if isinstance(refusal, FolderRefused):
        yield from _of_folder(refusal)
    if isinstance(refusal, ImportRefused):
        yield from map(str, refusal.errors)
        if refusal.total > len(refusal.errors):
            yield f"... and {refusal.total - len(refusal.errors):,} more"
    if isinstance(refusal, SQLAlchemyError):
        cause = refusal.orig if isinstance(refusal, DBAPIError) else refusal
        yield f"The database refused: {str(cause).strip()}"
        yield "To find out what is wrong, run `tracker doctor`."
        return
    yield refusal.detail if isinstance(refusal, Refusal) else str(refusal)
    if isinstance(refusal, Invalid):
        yield from (f"  {field}: {rule}" for field, rule in refusal.fields.items())


def _of_folder(refusal: FolderRefused) -> Iterator[str]:
    """The errors in each file of a folder."""
    for report in refusal.checked:
        yield f"{report.filename}: {report.rows:,} rows have no errors"
    for one in refusal.refusals:
        yield from words(one)
    for name in refusal.unchecked:
        yield (
            f"{name}: its cells have no errors; its rows were not checked against the records, "
            "which lack the refused file's rows"
        )
