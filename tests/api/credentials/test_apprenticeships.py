"""Apprenticeships: recorded by staff, seen by the sponsor with consent and no longer."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from tests import factories
from tracker.domain.permissions import SYSTEM
from tracker.models import HistoryEntry
from tracker.services.credentials import sponsors


@pytest.fixture
def sponsor_ids(container):
    with container.work(SYSTEM) as work:
        return [sponsors.DIRECTORY.enter(work, name=name).id for name in ("Carpenters", "Welders")]


@pytest.fixture
def ana(container):
    with container.work(SYSTEM) as work:
        holder_id = factories.holder(work, given_name="Ana", family_name="Peña")
        factories.passed(work, holder_id, date(2026, 5, 12), modules=("maintenance",))
    return holder_id


@pytest.fixture
def registered(staff, ana, sponsor_ids):
    def register(**change):
        stated = {
            "sponsor_id": sponsor_ids[0],
            "program_code": "2021-OH-0001",
            "occupation": "Mechatronics Technician",
            "started_on": "2025-01-06",
            "expected_end_on": "2028-12-31",
            "instruction_hours": 144,
            "instruction_hours_required": 576,
        }
        return staff.post(f"/holders/{ana}/apprenticeships", stated | change)

    return register


def test_progress_is_computed_from_passes_hours_and_dates(caller, ana, registered):
    made = registered().json
    me = caller("holder", holder_id=ana)
    assert me.get(f"/apprenticeships/{made['id']}").json == made
    assert me.get(f"/holders/{ana}/apprenticeships").json["items"] == [made]
    assert made["modules_credited"] == [{"module": "maintenance", "passed_on": "2026-05-12"}]
    assert made["modules_missing"] == ["safety", "quality", "processes"]
    assert (made["instruction_hours_left"], made["days_left"]) == (432, 771)
    assert (made["apprentice"], made["sponsor"], made["shared"]) == (
        "Ana Peña",
        "Carpenters",
        False,
    )


def test_a_sponsor_sees_its_own_with_consent_and_no_longer(caller, ana, registered, sponsor_ids):
    path = f"/apprenticeships/{registered().json['id']}"
    own, other = (caller("sponsor", sponsor_id=id_) for id_ in sponsor_ids)
    me, admin = caller("holder", holder_id=ana), caller("admin")

    def seen(by):
        return by.get(path).status_code, len(by.get("/apprenticeships").json["items"])

    assert seen(own) == (404, 0)
    assert admin.post(f"{path}/consent").status_code == 404, "nobody consents for somebody else"
    assert me.post(f"{path}/consent").json["shared"] is True
    assert me.post(f"{path}/consent").status_code == 409
    assert seen(own) == (200, 1)
    shown = own.get(path).json
    assert (shown["apprentice"], len(shown["modules_credited"])) == ("Ana Peña", 1)
    assert seen(other) == (404, 0)

    assert me.post(f"{path}/consent/end").json["shared"] is False
    assert me.post(f"{path}/consent/end").status_code == 409
    assert seen(own) == (404, 0)
    me.post(f"{path}/consent")
    assert seen(own) == (200, 1)


def test_another_sponsor_needs_another_consent(caller, staff, ana, registered, sponsor_ids):
    path = f"/apprenticeships/{registered().json['id']}"
    caller("holder", holder_id=ana).post(f"{path}/consent")
    change = {"sponsor_id": sponsor_ids[1], "reason": "It was the other union."}
    assert staff.post(f"{path}/correction", change).json["shared"] is False
    assert caller("sponsor", sponsor_id=sponsor_ids[1]).get(path).status_code == 404


def test_another_scheme_needs_another_consent_and_a_death_ends_it(
    caller, staff, ana, registered, sponsor_ids
):
    path = f"/apprenticeships/{registered().json['id']}"
    me, own = caller("holder", holder_id=ana), caller("sponsor", sponsor_id=sponsor_ids[0])
    me.post(f"{path}/consent")
    change = {"scheme": "clt", "reason": "It is about logistics."}
    assert staff.post(f"{path}/correction", change).json["shared"] is False
    assert own.get(path).status_code == 404
    assert me.post(f"{path}/consent").json["shared"] is True
    assert own.get(path).status_code == 200

    version = staff.get(f"/holders/{ana}").headers["ETag"]
    died = {"deceased_on": "2026-11-01", "reason": "The family wrote."}
    assert staff.patch(f"/holders/{ana}", died, version=version).status_code == 200
    assert own.get(path).status_code == 404
    assert own.get("/apprenticeships").json["items"] == []


def test_each_change_has_a_reason_and_is_in_the_history(staff, container, registered):
    path = f"/apprenticeships/{registered().json['id']}/correction"
    assert staff.post(path, {"instruction_hours": 200}).status_code == 422
    more = staff.post(path, {"instruction_hours": 200, "reason": "Report of May."})
    assert more.json["instruction_hours_left"] == 376
    over = {"status": "completed", "ended_on": "2026-11-01", "reason": "Finished early."}
    done = staff.post(path, over).json
    assert (done["status"], done["days_left"]) == ("completed", None)
    with container.reading(SYSTEM) as reading:
        about = HistoryEntry.subject == "apprenticeship"
        rows = reading.rows(select(HistoryEntry.action).where(about).order_by(HistoryEntry.id))
    assert [row.action for row in rows] == ["register", "correct", "correct"]


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"sponsor_id": "01900000-0000-7000-8000-000000000000"}, 422, "sponsor_id"),
        ({"scheme": "xyz"}, 422, None),
        ({"status": "completed"}, 422, "ended_on"),
        ({"instruction_hours": -1}, 422, "instruction_hours"),
        ({}, 409, None),
    ],
)
def test_what_cannot_be_is_refused(registered, change, status, field):
    if status == 409:
        registered()
    refused = registered(**change)
    assert refused.status_code == status
    if field:
        assert refused.json["errors"][0]["field"] == field
