"""Spoiled files are refused in words: evidence (files) and imports (tabular), through every door.

Nothing of a refused file is stored, no process is left, and memory does not grow.
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from tests import factories
from tests.files.spoiled_files import spoiled
from tests.memory import Peak
from tests.services.imports.importing import counts
from tests.serving import form

COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Lean course",
    "quantity": "20.00",
    "completed_on": "2026-01-05",
}
KINDS = ("holders", "roster", "assessments")  # by the numbers of the valid files
WARM = 12  # files after which every library is loaded
MORE = 48  # megabytes that a process may grow by in a thousand files


@pytest.fixture(params=["short", pytest.param("long", marks=pytest.mark.scale)])
def numbers(request, backend):
    """Which files are sent: in the short run 60 of every shape, half to each database."""
    if request.param == "long":
        return range(1_000)
    return range(30) if backend == "sqlite" else range(30, 60)


@pytest.fixture(autouse=True)
def own_temporary_files(tmp_path, monkeypatch):
    """Temporary files of the server, to see whether one is left."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def send(caller, container, staff):
    """Send a file as evidence, or import it; takes back what was kept."""
    holder_id, certification_id = factories.certified(container, date(2024, 3, 1))
    ana = caller("holder", holder_id=holder_id)
    made = ana.post(f"/certifications/{certification_id}/activities", COURSE)
    evidence = f"/activities/{made.json['id']}/evidence"

    def upload(name, data):
        sent = form({}, data, name)
        answer = ana.call("POST", evidence, data=sent["body"], headers=sent["headers"])
        if answer.status_code == 201:
            assert ana.delete(f"/evidence/{answer.json['id']}").status_code == 204
        return answer

    def bring(name, data, kind, **fields):
        sent = form({"kind": kind, **fields}, data, name)
        return staff.call("POST", "/imports", data=sent["body"], headers=sent["headers"])

    return upload, bring


def test_a_spoiled_file_is_kept_or_refused_in_words_and_leaves_nothing(
    send, numbers, container, tmp_path, own_temporary_files
):
    upload, bring = send
    told, small = Counter[str](), 0.0
    for turn, number in enumerate(numbers):
        name, data = spoiled(number)
        before = counts(container)
        if name.endswith(("xlsx", "csv")):
            fields = {"dry_run": "true"} if number % 2 else {}
            answer = bring(name, data, kind_of(name), **fields)
            is_kept = answer.status_code == 201 and not fields
        else:
            answer = upload(name, data)
            is_kept = answer.status_code == 201
        told[f"{name.partition('.')[2]} {answer.status_code}"] += 1
        assert answer.status_code in {201, 413, 422}, (number, answer.status_code, answer.data)
        assert answer.status_code == 201 or answer.json["errors"] or answer.status_code == 413
        assert is_kept or counts(container) == before, number
        small = megabytes() if turn == WARM else small
    assert list(own_temporary_files.iterdir()) == []
    assert list((tmp_path / "storage" / "evidence").glob("*")) == []
    assert not children()
    assert megabytes() - small < MORE
    sys.stdout.write(f"{dict(sorted(told.items()))}, {megabytes() - small:.0f} MB more\n")


def kind_of(name):
    """What a valid file of that name has: the numbers of both kinds of tables go on in turn."""
    return KINDS[int(name[0]) % 3]


def megabytes():
    """What this process takes, which is also the server."""
    return Peak()._now() - Peak(itself=False)._now()


def children():
    """The processes started to read a file that still run."""
    lists = Path("/proc/self/task").glob("*/children")
    started = [pid for text in lists for pid in text.read_text().split()]
    return [pid for pid in started if b"tracker.apart" in Path(f"/proc/{pid}/cmdline").read_bytes()]
