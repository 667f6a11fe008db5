"""Large files: nothing of a broken one, flat memory, few statements, two at once."""

import gc
import os
import re
import subprocess
import sys
import time
import tracemalloc
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.benchmarks.people import register
from tests.services.imports.importing import (
    REQUIRED,
    as_csv,
    bring,
    counts,
    fates,
    passes,
    refused,
)
from tests.statements import counted
from tracker.cli.commands import SELDOM
from tracker.domain.permissions import SYSTEM
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
def own_peak():
    """The most memory that the block adds to this process, in megabytes, as the system counts.

    The process itself holds whatever other tests have loaded.
    """
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before, usual = megabytes_of("VmRSS"), gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield lambda: megabytes_of("VmHWM") - before
    finally:
        gc.set_threshold(*usual)


def megabytes_of(what):
    found = re.search(rf"{what}:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


@pytest.mark.parametrize(
    "number",
    [4_000, *(pytest.param(n, marks=pytest.mark.scale) for n in (200_000, 1_000_000))],
)
def test_a_file_with_one_bad_row_is_refused_then_mended_then_changes_nothing(
    container, number, tmp_path, record_property
):
    bring_people(container, number // 4)
    path, bad = tmp_path / "assessments.csv", number // 2

    def measured(what, act):
        begun = time.perf_counter()
        with own_peak() as megabytes:
            done = act()
        taken = time.perf_counter() - begun
        record_property(what, f"{taken:.1f} s, {number / taken:.0f}/s, {megabytes():.0f} MB")
        assert megabytes() < 300  # beside the 200 that a program of ours takes
        return done

    write_attempts(path, number, bad=bad)
    ((row, column, _),) = measured("refused", lambda: refused(container, "assessments", path))
    assert (row, column) == (bad, "module")

    write_attempts(path, number)
    report = measured("created", lambda: bring(container, "assessments", path))
    assert fates(report) == (number, 0, 0)
    stored = counts(container)
    assert (stored["assessment"], stored["certification"]) == (number, number // 4)

    report = measured("unchanged", lambda: bring(container, "assessments", path))
    assert fates(report) == (0, 0, number)
    assert counts(container) == stored


def bring_people(container, number):
    for first in range(0, number, 50_000):
        with container.work(SYSTEM) as work:
            register(work, min(50_000, number - first), prefix=f"G{first:07}-")


def write_attempts(path, number, *, bad=None):
    """A file of attempts, whose row ``bad`` names a module that there is not."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("attempt_ref,holder_ref,scheme,module,taken_on,result\n")
        for n in range(number):
            who, module = divmod(n, 4)
            ref = f"G{who // 50_000 * 50_000:07}-{who % 50_000:07}"
            code = "none" if n + 2 == bad else REQUIRED[module]
            file.write(f"T{n:07},{ref},cpt,{code},2024-01-15,pass\n")


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

    # A row that is kept takes 700 bytes and more; what the history's chain keeps of an award, 50.
    assert used[12_000] - used[4_000] < 250 * 8_000


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
