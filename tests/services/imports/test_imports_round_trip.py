"""Random histories go out as files and come into an empty database as what they were."""

import shutil
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings

from tests.conftest import examples
from tests.services.imports.importing import as_csv, bring, standings
from tests.services.imports.test_imports_any_order import (
    HOLDERS,
    SLOW,
    START,
    awarded,
    emptied,
    history,
)
from tracker.domain.permissions import SYSTEM
from tracker.services import imports
from tracker.services.imports import folder
from tracker.services.overview import export_files

DAYS = [date(year, month, 1) for year in range(START.year, 2032) for month in (3, 9)]


def _changed(ref, number, kind, day):
    return {
        "change_ref": f"c{number}",
        "holder_ref": ref,
        "scheme": "cpt",
        "kind": kind,
        "effective_on": day,
        "reason": "x",
    }


def _again(kind):
    """An award that ended long before its expiry, and one earned again before that."""
    files = {
        "assessments": [
            *awarded("A", date(2015, 3, 12)),
            *awarded("B", date(2016, 3, 12)),
            *(
                {**row, "attempt_ref": f"again-{row['attempt_ref']}"}
                for row in awarded("A", date(2019, 3, 12))
            ),
        ],
        "activities": [],
        "renewals": [],
        "standing-changes": [_changed("A", 1, kind, date(2016, 5, 1))],
    }
    return files, files, date(2018, 5, 1)


def _written(container, into: Path):
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    with container.reading(SYSTEM) as reading:
        for kind in imports.FOLDER_KINDS:
            with (into / f"{kind}.csv").open("wb") as stream:
                export_files.write(reading, kind, stream=stream)
    return {file.name: file.read_text() for file in into.iterdir()}


@pytest.mark.parametrize("backend", ["sqlite"])
@settings(examples(15), suppress_health_check=SLOW)
@given(history())
@example(_again("surrender"))
@example(_again("revoke"))
def test_the_standings_of_every_day_are_the_same(container, tmp_path, given_history):
    _go_out_and_come_in(container, tmp_path, given_history)


@pytest.mark.parametrize("backend", ["postgresql"])
@settings(examples(4), suppress_health_check=SLOW)
@given(history())
@example(_again("surrender"))
@example(_again("revoke"))
def test_so_they_are_on_postgresql(container, tmp_path, given_history):
    _go_out_and_come_in(container, tmp_path, given_history)


def _go_out_and_come_in(container, tmp_path, given_history):
    files, _, on = given_history
    emptied(container)
    people = [
        {"holder_ref": r, "given_name": r, "family_name": "E", "email": f"{r}@x.org"}
        for r in HOLDERS
    ]
    for kind, rows in {"holders": people, **files}.items():
        if rows:
            bring(container, kind, as_csv(rows))
    before = [standings(container, day) for day in (*DAYS, on)]
    written = _written(container, tmp_path / "first")

    emptied(container)
    with container.work(SYSTEM) as work:
        folder.run(work, folder.find(tmp_path / "first"))

    assert [standings(container, day) for day in (*DAYS, on)] == before
    assert _written(container, tmp_path / "second") == written
