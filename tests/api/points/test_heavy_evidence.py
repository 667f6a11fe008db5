"""Evidence under attack: whose and whether is asked first; the site stays small and answers."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest

from tests import factories
from tests.files.heavy_pdfs import HEAVY
from tests.files.heavy_pictures import HEAVY_PICTURES, picture
from tests.memory import Peak
from tests.serving import form, served
from tracker import turns
from tracker.services.core import turns as shared_turns


# Whose, which state, room left: asked before a file is looked at.
@pytest.fixture
def ids(container):
    return factories.certified(container, date(2024, 3, 1))


COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Lean course",
    "quantity": "20.00",
    "completed_on": "2026-01-05",
}


def upload(who, activity_id, data, name="x.pdf", **options):
    sent = form({}, data, name)
    return who.call(
        "POST",
        f"/activities/{activity_id}/evidence",
        data=sent["body"],
        content_type="multipart/form-data; boundary=x",
        **options,
    )


def test_no_file_is_looked_at_for_whoever_may_not_add_one(caller, staff, container, ids):
    ana, other = (
        caller("holder", holder_id=ids[0]),
        caller("holder", holder_id=factories.certified(container, date(2024, 3, 1))[0]),
    )
    path = f"/certifications/{ids[1]}/activities"
    small = picture("PNG", "L", (9, 9))
    full, decided = (ana.post(path, COURSE | {"title": title}).json["id"] for title in "ab")
    keyed = [upload(ana, full, small, key=f"k{n}") for n in range(5)]
    assert {one.status_code for one in keyed} == {201}
    ana.post(f"/activities/{decided}/submission")
    etag = staff.get(f"/activities/{decided}").headers["ETag"]
    approved = staff.post(f"/activities/{decided}/decision", {"verdict": "approved"}, version=etag)
    assert approved.status_code == 200
    unknown = "0192d3a0-0000-7000-8000-000000000001"
    with ExitStack() as taken:
        _take_all_turns(container, taken)
        for who, where, status in [
            (ana, unknown, 404),
            (other, full, 404),
            (other, decided, 404),
            (ana, full, 422),
            (ana, decided, 409),
            (staff, unknown, 404),
        ]:
            assert upload(who, where, b"%PDF-").status_code == status
        # Anyone who repeats a request gets the answer again.
        assert upload(ana, full, small, key="k4").json == keyed[4].json
        # And whoever may add one is told to come again while all turns are taken.
        free = ana.post(path, COURSE | {"title": "c"}).json["id"]
        busy = upload(ana, free, small)
        assert (busy.status_code, busy.json["code"]) == (503, "too_busy")
        assert busy.headers["Retry-After"] == "2"
    assert upload(ana, free, small).status_code == 201


def _take_all_turns(container, taken):
    of = container.settings.files
    folder = Path(container.settings.storage_directory) / "turns"
    for _ in range(of.at_once + of.waiting):
        taken.enter_context(turns.turn(folder, "files: in line", of=of.at_once + of.waiting))


# A whole site under attack.
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_heavy_files_from_everybody_leave_the_site_small_and_answering(caller, container, ids):
    ana = caller("holder", holder_id=ids[0])
    activity = ana.post(f"/certifications/{ids[1]}/activities", COURSE).json["id"]
    path = f"/api/v1/activities/{activity}/evidence"
    attacks = [
        HEAVY[name]() for name in ("arrays of millions of numbers", "one stream of a gigabyte")
    ]
    attacks += [make() for make in HEAVY_PICTURES.values()]
    found: list[tuple[int, float]] = []

    def attack(data):
        began = time.monotonic()
        status, body = site.ask("POST", path, ana.secret, **form({}, data))
        found.append((status, time.monotonic() - began))
        assert status in {201, 422, 503}, json.loads(body)

    with served(container) as site, Peak(site.pid) as peak:
        began = time.monotonic()
        nowhere = path.replace(activity, "0192d3a0-0000-7000-8000-000000000001")
        assert site.ask("POST", nowhere, ana.secret, **form({}, attacks[0]))[0] == 404
        assert time.monotonic() - began < 3
        attackers = [threading.Thread(target=attack, args=[data]) for data in attacks]
        for attacker in attackers:
            attacker.start()
        waits = []
        while any(attacker.is_alive() for attacker in attackers):
            waits.append(site.seconds(f"/api/v1/activities/{activity}", ana.secret))
            time.sleep(0.1)
        for attacker in attackers:
            attacker.join()
    assert len(found) == len(attacks)
    assert max(seconds for _, seconds in found) < 60
    assert max(waits) < 2
    assert peak.megabytes < 400


def test_turns_are_those_of_all_processes_and_none_is_lost_with_its_holder(container):
    with shared_turns.reading_a_file(container.settings):
        folder = Path(container.settings.storage_directory) / "turns"
        with pytest.raises(turns.NoTurn):
            turns.take(folder, "files", of=1)
    turns.give_back(turns.take(folder, "files", of=1))
