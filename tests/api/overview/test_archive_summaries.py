"""language/archives.py: the summary in a person's archive, as it is read."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from decimal import Decimal

import pikepdf
import pytest
from sqlalchemy import insert, update

from tests import factories, pdf_texts
from tests.api.employers import employer_cases
from tests.api.points.activity_cases import decided, logged, submitted
from tracker.db import new_id
from tracker.domain.delivery.queue_acts import MessageState
from tracker.domain.employers.looks import LookKind
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityState
from tracker.language import archives, catalogues, voice
from tracker.models import Activity, Certification, Message
from tracker.services.delivery import composers


def taken(who):
    """The record and the summary in the archive that somebody takes of their own record."""
    answer = who.get("/me/export")
    assert answer.status_code == 200, answer.get_data()
    archive = zipfile.ZipFile(io.BytesIO(answer.get_data()))
    return json.loads(archive.read("record.json")), archive.read("summary.pdf")


def test_it_says_what_is_certified_until_when_with_which_points(caller, container, staff):
    holder_id, certification_id = factories.certified(container, date(2024, 3, 1))
    who = caller("holder", holder_id=holder_id)
    ids = (holder_id, certification_id)
    assert decided(staff, submitted(who, ids, title="Robots")).status_code == 200
    assert submitted(who, ids, title="Forklifts").status_code == 200
    record, data = taken(who)
    (standing,) = record["standings"]
    summary = pdf_texts.text(data)
    number = record["certifications"][0]["number"]

    assert standing["points"] == {"total": "8.00", "with_pending": "16.00", "required": "100.00"}
    assert f"Certified Production Technician (CPT) {number} March 1, 2024 Valid" in summary
    until = voice.in_words(date.fromisoformat(standing["expires_on"]), "en")
    points = "8 of 100; 16 if everything pending is approved"
    cycle = f"{number} March 1, 2024 {until} {points}"
    assert cycle in summary
    assert "January 5, 2026 CPT Robots Approved" in summary
    assert "January 5, 2026 CPT Forklifts Submitted" in summary


def test_it_says_who_may_see_the_person_who_looked_and_what_was_sent(caller, container):
    acme = employer_cases.company(container)
    acme.hire("A")
    hr = caller("employer", employer_id=acme.id)
    assert hr.get(acme.path("/workforce"), query_string={"scheme": "cpt"}).status_code == 200
    with container.work(SYSTEM) as work:
        row = {"dedupe_key": "a", "message_id": "a", "kind": "reminder", "state": "sent"}
        times = dict.fromkeys(("created_at", "next_at", "useful_until"), work.now)
        row |= {"id": new_id(), "holder_id": acme.holders["A"], "address": "a@example.org"}
        work.execute(insert(Message).values(row | times))
    _, data = taken(caller("holder", holder_id=acme.holders["A"]))
    summary = pdf_texts.text(data)

    assert "Acme It sees your name, your certificate number" in summary
    assert "Until you end it" in summary
    assert "A list of employees" in summary
    assert "November 21, 2026 Reminder a@example.org Sent" in summary
    with pikepdf.open(io.BytesIO(data)) as document:
        assert len(document.pages) == 1


def test_it_is_in_the_persons_language_and_no_name_fails_it(caller, container):
    name = {"given_name": "Łukasz", "family_name": "王 {{7*7}}<script> #eval(1)"}
    holder_id, certification_id = factories.certified(
        container, date(2024, 3, 1), language="es", **name
    )
    who = caller("holder", holder_id=holder_id)
    assert (
        logged(who, (holder_id, certification_id), title="Montacargas #panic()").status_code == 201
    )
    record, data = taken(who)
    summary = pdf_texts.text(data)

    assert record["holder"]["family_name"] == name["family_name"]
    assert "sobre Łukasz \ufffd {{7*7}} <script> #eval(1) Al 21 de noviembre de 2026." in summary
    assert "5 de enero de 2026 CPT Montacargas #panic() Borrador" in summary
    assert "Módulo Resultado" in summary


def test_what_a_later_award_replaced_has_no_standing_and_is_shown(caller, container):
    holder_id, certification_id = factories.certified(container, date(2024, 3, 1))
    with container.work(SYSTEM) as work:
        gone = update(Certification).where(Certification.id == certification_id)
        work.execute(gone.values(replaced_on=date(2026, 1, 1)))
    record, data = taken(caller("holder", holder_id=holder_id))

    assert record["standings"][0]["status"] is None
    assert "March 1, 2024 Replaced by a later award" in pdf_texts.text(data)


def test_a_long_record_is_cut_to_the_newest_rows_and_says_so(caller, container):
    holder_id, _ = factories.certified(container, date(2024, 3, 1))
    most = archives.MOST_ROWS
    with container.work(SYSTEM) as work:
        row = {"holder_id": holder_id, "scheme": "cpt", "quantity": Decimal(5)}
        row |= {"category": "CE", "type": "third_party"}
        row |= {"completed_on": date(2026, 1, 5), "recorded_at": work.now, "version": 1}
        row |= {"provider": "", "unit": "", "role": "", "tags": [], "duty": False, "state": "draft"}
        ids = [f"01900000-0000-7000-8000-{number:012}" for number in range(most + 1)]
        rows = [row | {"id": id_, "title": f"Course <{id_[-3:]}>"} for id_ in ids]
        work.execute(insert(Activity), rows)
    record, data = taken(caller("holder", holder_id=holder_id))
    summary = pdf_texts.text(data)

    assert len(record["activities"]) == most + 1
    assert f"These are the newest {most} of {most + 1}." in summary
    assert "Course <500>" in summary
    assert "Course <001>" in summary
    assert "Course <000>" not in summary
    with pikepdf.open(io.BytesIO(data)) as document:
        assert len(document.pages) < 15


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_every_kind_and_state_has_its_words(language):
    say = catalogues.topic(language, "archives")

    assert set(say["activity_states"]) == set(ActivityState)
    assert set(say["look_kinds"]) == set(LookKind)
    assert set(say["message_states"]) == set(MessageState)
    assert set(say["message_kinds"]) == set(composers._COMPOSERS)
    assert set(say["counted"]) == set(archives._COUNTED)
