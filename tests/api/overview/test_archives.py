"""api/overview/archives.py, services/overview/personal_archives.py: everything about a person."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date

import pytest
from sqlalchemy import select

from tests import factories, pdf_texts
from tests.api.access.access_cases import PICTURE, upload
from tests.browsers import Browser
from tracker.domain.permissions import SYSTEM
from tracker.models import Evidence, HistoryEntry, Holder

COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Lockout and tagout",
    "quantity": "5",
    "completed_on": "2026-01-05",
}


@pytest.fixture
def ana(caller, container):
    """A certified holder with a piece of evidence."""
    holder_id, certification_id = factories.certified(container, date(2024, 1, 1))
    who = caller("holder", holder_id=holder_id)
    activity = who.post(f"/certifications/{certification_id}/activities", COURSE).json["id"]
    made = who.post(f"/activities/{activity}/evidence", **upload(PICTURE, "proof.png"))
    assert made.status_code == 201, made.json
    return who, holder_id, activity


def opened(answer):
    assert answer.status_code == 200, answer.get_data()
    assert answer.content_type == "application/zip"
    return zipfile.ZipFile(io.BytesIO(answer.get_data()))


def test_the_archive_has_the_record_a_summary_and_the_files(ana, container):
    who, holder_id, activity = ana
    asked = {"kind": "extension", "statement": "I was deployed."}
    request = who.post("/me/requests", asked).json["id"]
    who.post(f"/requests/{request}/proofs", **upload(PICTURE, "orders.png"))
    archive = opened(who.get("/me/export"))
    record = json.loads(archive.read("record.json"))

    assert archive.namelist() == [
        "record.json",
        "summary.pdf",
        f"files/{request}/1-orders.png",
        f"files/{activity}/1-proof.png",
    ]
    with container.reading(SYSTEM) as reading:
        (file,) = reading.rows(select(Evidence.size))
    assert len(archive.read(f"files/{activity}/1-proof.png")) == file.size
    assert record["holder"]["id"] == holder_id
    assert {"sharing", "bars", "looks", "tokens", "preferences", "messages"} <= record.keys()
    assert record["files_left_out"] == []
    assert not {"digest", "key"} & set(record["tokens"][0])
    summary = pdf_texts.text(archive.read("summary.pdf"))
    assert "Lockout and tagout" in summary
    assert record["certifications"][0]["number"] in summary


def test_taking_it_is_recorded_and_limited(ana, container, staff):
    who, holder_id, _ = ana
    for _ in range(4):
        opened(who.get("/me/export"))
    opened(staff.get(f"/holders/{holder_id}/export"))
    assert who.get("/me/export").status_code == 429
    with container.reading(SYSTEM) as reading:
        taken = select(HistoryEntry.actor_role).where(HistoryEntry.action == "export")
        roles = [row.actor_role for row in reading.rows(taken.order_by(HistoryEntry.id))]

    assert roles == ["holder"] * 4 + ["staff"]


@pytest.mark.usefixtures("ana")
def test_in_a_browser_people_prove_first_who_they_are(app, container, clock):
    with container.reading(SYSTEM) as reading:
        email = reading.row(select(Holder.email)).email
    browser = Browser(app)
    browser.sign_in(email)
    assert "Download my data" in browser.get("/account/data").text
    assert len(opened(browser.get("/account/data/archive")).namelist()) == 3
    clock.advance(minutes=15)

    assert browser.get("/account/data/archive").location.startswith("/account/confirm")
