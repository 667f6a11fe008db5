"""Large files: nothing of a broken one, flat memory, few statements, two at once."""

import gc
import os
import subprocess
import sys
import tracemalloc
from contextlib import contextmanager

import pytest

from tests.services.imports.importing import as_csv, bring, counts, passes, refused
from tests.statements import counted
from tracker.settings import ROOT

# Large files take as long again where it is measured what they cover, which small ones cover too.
pytestmark = pytest.mark.no_cover

PEOPLE = "holder_ref,given_name,family_name,email,language\n"


def people(number):
    return PEOPLE + "".join(f"P{n:06},Pat,Ek,p{n}@example.org,en\n" for n in range(number))


def attempts(number):
    return as_csv([row for n in range(number // 4) for row in passes(f"P{n:06}", "2024-01-15")])


@pytest.mark.parametrize("number", [10_000, pytest.param(100_000, marks=pytest.mark.scale)])
def test_a_broken_row_in_the_middle_is_named_and_nothing_is_stored(container, number):
    before = counts(container)
    row = number // 2
    good = f"P{row - 2:06},Pat,Ek,p{row - 2}@example.org,en"
    file = people(number).replace(good, "P000001,,Ek,nobody,fr")

    assert [(row, column) for row, column, _ in refused(container, "holders", file)] == [
        (row, "given_name"),
        (row, "email"),
        (row, "language"),
    ]
    assert counts(container) == before


@contextmanager
def peak():
    """Measure memory; garbage is collected as often as in the program, not as in other tests."""
    usual = gc.get_threshold()
    gc.set_threshold(700)
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.set_threshold(*usual)


def test_memory_does_not_grow_with_the_file(container, tmp_path):
    bring(container, "holders", people(3_000))
    used = {}
    for number in (4_000, 12_000):  # the second file holds the first one's rows, and others
        path = tmp_path / f"{number}.csv"
        path.write_bytes(attempts(number))
        with peak() as measured:
            bring(container, "assessments", path)
            used[number] = measured()

    assert used[12_000] < 1.15 * used[4_000]


def held(number):
    lines = (f"P{n:06},cpt,N-{n:06},2024-01-15,2029-01-15\n" for n in range(number))
    return "holder_ref,scheme,certificate_number,awarded_on,expires_on\n" + "".join(lines)


@pytest.mark.parametrize(("first", "a_thousand"), [(False, 37), (True, 49)])
def test_a_thousand_certifications_cost_a_few_statements(container, first, a_thousand):
    """Whether they are new, or awards on record that passes carry."""
    bring(container, "holders", people(2_000))
    if first:
        bring(container, "assessments", attempts(8_000))
    cost = []
    for number in (1_000, 2_000):
        with counted(container) as found:
            bring(container, "certifications", held(number))
        cost.append(len(found))

    assert cost[1] - cost[0] <= a_thousand


@pytest.mark.parametrize(("kind", "a_thousand"), [("holders", 6), ("assessments", 18)])
def test_a_thousand_rows_cost_a_few_statements(container, kind, a_thousand):
    bring(container, "holders", people(1_000))
    cost = []
    for number in (2_000, 4_000):
        file = people(1_000 + number) if kind == "holders" else attempts(number)
        with counted(container) as found:
            bring(container, kind, file)
        cost.append(len(found))

    assert cost[1] - cost[0] <= 2 * a_thousand


def test_two_processes_that_import_one_file_at_once_end_in_one_set_of_rows(
    container, database_url, tmp_path
):
    variables = {
        **os.environ,
        "TRACKER_ENV": "testing",
        "TRACKER_DATABASE_URL": database_url,
        "TRACKER_STORAGE_DIRECTORY": str(tmp_path / "storage"),
        "PYTHONPATH": str(ROOT),
    }
    (tmp_path / "holders.csv").write_text(people(750))
    (tmp_path / "assessments.csv").write_bytes(attempts(3_000))
    for kind, number in (("holders", 750), ("assessments", 3_000)):
        command = [sys.executable, "-m", "tracker.cli", "import", kind, str(tmp_path / kind)]
        running = [
            subprocess.Popen(
                [*command[:-1], f"{command[-1]}.csv"],
                env=variables,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for _ in range(2)
        ]
        answers = [process.communicate(timeout=120) for process in running]
        assert [process.returncode for process in running] == [0, 0], answers
        fates = sorted(answer.splitlines()[0].split(": ")[2] for answer, _ in answers)
        second, first = (
            "0 created, 0 changed, {:,} unchanged",
            "{:,} created, 0 changed, 0 unchanged",
        )
        assert fates == [second.format(number), first.format(number)]

    stored = counts(container)
    assert (stored["holder"], stored["assessment"], stored["certification"]) == (750, 3000, 750)
