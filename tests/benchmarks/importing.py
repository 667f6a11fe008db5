"""An import with all its checks and awards, against the database's own way of loading the file."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests.benchmarks import people
from tests.benchmarks.measurements import Measured, NotHereError, at_least, measures, ratio_of_rates
from tests.benchmarks.people import AWARDED, SCHEME
from tests.benchmarks.workshop import Workshop
from tracker.db import new_id
from tracker.domain.permissions import SYSTEM
from tracker.services import imports

_PEOPLE, _ROUNDS = 5_000, 3
_COLUMNS = ("attempt_ref", "holder_ref", "scheme", "module", "taken_on", "result")
_STAGE = f"create temp table stage ({', '.join(f'{c} text' for c in _COLUMNS)}) on commit drop"
_INTO_TABLES = """
insert into assessment (id, ref, holder_id, scheme, module, taken_on, passed, warnings,
                        recorded_at, recorded_by)
select gen_random_uuid(), s.attempt_ref, h.id, s.scheme, s.module, s.taken_on::date,
       s.result = 'pass', '[]', now(), 'bench'
from stage s join holder h on h.ref = s.holder_ref
"""


@measures("import", at_least(0.5), against="COPY to a stage + INSERT SELECT")
def assessments(shop: Workshop) -> Measured:
    """Import assessments from CSV: validated, judged, awarded."""
    if shop.container.engine.dialect.name != "postgresql":
        raise NotHereError("it needs PostgreSQL")
    sizes = iter(range(2 * _ROUNDS))

    def imported() -> float:
        path, rows = _file(shop, next(sizes))
        begun = time.perf_counter()
        with shop.container.work(SYSTEM) as work:
            imports.run(work, "assessments", path, filename=path.name)
        return rows / (time.perf_counter() - begun)

    def loaded() -> float:
        path, rows = _file(shop, next(sizes))
        begun = time.perf_counter()
        with shop.container.work(SYSTEM) as work:
            _load(work.connection, path)
        return rows / (time.perf_counter() - begun)

    return ratio_of_rates(imported, loaded, rounds=_ROUNDS, unit="rows/s")


def _load(connection: Any, path: Path) -> None:
    connection.execute(text(_STAGE))
    with connection.connection.cursor().copy("copy stage from stdin (format csv, header)") as copy:
        copy.write(path.read_bytes())
    connection.execute(text(_INTO_TABLES))


def _file(shop: Workshop, number: int) -> tuple[Path, int]:
    """A file with all passes of people who are on record and have none; its number of rows."""
    path, modules = shop.home / f"assessments-{number}.csv", shop.container.schemes[SCHEME].required
    with shop.container.work(SYSTEM) as work:
        refs = people.register(work, shop.sized(_PEOPLE), prefix=f"I{number}-")
    shop.analyze()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for ref in refs:
            writer.writerows(
                (new_id(), ref, SCHEME, module, AWARDED.isoformat(), "pass") for module in modules
            )
    return path, len(refs) * len(modules)
