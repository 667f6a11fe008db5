"""Small files to import, and what comes of them."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Base
from tracker.services import imports
from tracker.services.core.context import Container
from tracker.services.imports import ImportRefused, ImportReport
from tracker.services.overview import exports

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
SAMPLE_KINDS = [kind for kind in imports.KINDS if (SAMPLE / f"{kind}.csv").exists()]
TODAY = date(2026, 11, 21)  # as the tests' clock has it
REQUIRED = ("safety", "quality", "processes", "maintenance")

HOLDERS = """holder_ref,given_name,family_name,email
A,Ana,Gómez,ana@example.org
B,Bo,Łuk,bo@example.org
"""


def bring(
    container: Container, kind: str, file: str | bytes | Path, *, by: Actor = SYSTEM, **options: Any
) -> ImportReport:
    """Import a file in a separate transaction."""
    if isinstance(file, str):
        file = file.encode()
    source = io.BytesIO(file) if isinstance(file, bytes) else file
    with container.work(by) as work:
        return imports.run(work, kind, source, filename=f"{kind}.csv", **options)


def refused(
    container: Container, kind: str, file: str, **options: Any
) -> list[tuple[int, str, str]]:
    """Import a file that is refused: row, column and rule of each error. Nothing is stored."""
    before = counts(container)
    with pytest.raises(ImportRefused) as raised:
        bring(container, kind, file, **options)
    refusal = raised.value
    assert refusal.total == len(refusal.errors)
    assert counts(container) == before
    assert {error.file for error in refusal.errors} == {f"{kind}.csv"}
    return [(error.row, error.column, error.rule) for error in refusal.errors]


def fates(report: ImportReport) -> tuple[int, int, int]:
    """How many rows were created, changed, unchanged."""
    return report.created, report.changed, report.unchanged


def told(report: ImportReport) -> list[tuple[int, str, str]]:
    """The warnings as row, column, message."""
    return [(w.row, w.column, w.message) for w in report.warnings]


def counts(container: Container) -> dict[str, int]:
    """The number of rows of every table but the runs of imports and the trail of them."""
    leave_out = {"import_run", "history", "history_block", "history_head"}
    with container.engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in Base.metadata.sorted_tables
            if table.name not in leave_out
        }


def rows(container: Container, table: type[Base], *columns: str) -> list[tuple[Any, ...]]:
    """Some columns of every row of a table, sorted."""
    named = [table.__table__.c[name] for name in columns]
    with container.engine.connect() as connection:
        return sorted((tuple(r) for r in connection.execute(select(*named))), key=repr)


def standings(container: Container, on: date = TODAY) -> list[dict[str, str]]:
    """The export of standings without the certificate numbers, which are random."""
    stream = io.BytesIO()
    with container.reading(SYSTEM) as reading:
        exports.standings(reading, on=on, stream=stream)
    lines = list(csv.DictReader(io.StringIO(stream.getvalue().decode())))
    for line in lines:
        del line["certificate_number"]
    return lines


def standing(container: Container, holder_ref: str, on: date = TODAY) -> dict[str, str]:
    """A holder's line of the export."""
    (line,) = [line for line in standings(container, on) if line["holder_ref"] == holder_ref]
    return line


def as_csv(lines: Iterable[Mapping[str, object]], delimiter: str = ",") -> bytes:
    """A CSV file of these lines; the first one names the columns."""
    lines = list(lines)
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(lines[0]), delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(lines)
    return stream.getvalue().encode()


def passes(ref: str, last: str, modules: Iterable[str] = REQUIRED) -> list[dict[str, object]]:
    """Passed attempts at modules, a day apart, the last one on the given day."""
    modules = list(modules)
    first = date.fromisoformat(last) - timedelta(days=len(modules) - 1)
    return [
        {
            "attempt_ref": f"{ref}-{module}",
            "holder_ref": ref,
            "scheme": "cpt",
            "module": module,
            "taken_on": first + timedelta(days=n),
            "result": "pass",
        }
        for n, module in enumerate(modules)
    ]


def certify(container: Container, ref: str, last: str) -> None:
    """Have a holder of HOLDERS awarded the CPT on a day."""
    bring(container, "assessments", as_csv(passes(ref, last)))
