"""api/overview/transcripts.py: the whole record as one paper."""

from __future__ import annotations

from datetime import date

import pytest

from tests import factories, pdf_pages
from tracker.domain.permissions import SYSTEM
from tracker.models import Renewal

COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Lockout and tagout",
    "quantity": "5",
    "completed_on": "2026-01-05",
}


@pytest.fixture
def ids(container):
    holder_id, certification_id = factories.certified(
        container, date(2021, 12, 25), given_name="Ana", family_name="Ruiz", email="a@example.org"
    )
    with container.work(SYSTEM) as work:
        work.session.add(
            Renewal(
                certification_id=certification_id,
                cycle=1,
                submitted_on=date(2026, 10, 1),
                recorded_at=work.now,
            )
        )
    return holder_id, certification_id


@pytest.fixture
def me(caller, ids):
    found = caller("holder", holder_id=ids[0])
    found.post(f"/certifications/{ids[1]}/activities", COURSE)
    return found


def test_it_says_what_was_earned_and_nothing_else(me, ids):
    answer = me.get(f"/holders/{ids[0]}/transcript.pdf")
    text = pdf_pages.text(answer.get_data())

    assert answer.content_type == "application/pdf"
    for said in (
        "Transcript of Ana Ruiz",
        "As of November 21, 2026.",
        "Certified Production Technician (CPT)",
        "December 25, 2026",
        "0 of 100",
        "October 1, 2026 Waiting for a decision",
        "Maintenance Awareness Passed",
        "Lockout and tagout Draft",
    ):
        assert said in text, said
    for left_out in ("a@example.org", "Messages", "record.json", "Your "):
        assert left_out not in text, left_out


def test_it_is_had_in_spanish_and_by_staff_and_by_nobody_else(staff, me, caller, container, ids):
    path = f"/holders/{ids[0]}/transcript.pdf"
    other, _ = factories.certified(container, date(2022, 1, 3))

    assert "Expediente de Ana Ruiz" in pdf_pages.text(me.get(f"{path}?lang=es").get_data())
    assert staff.get(path).status_code == 200
    assert caller("holder", holder_id=other).get(path).status_code == 404
