"""Managed cases: a case manager gets the report of those who consented, until they end it."""

from __future__ import annotations

import pytest

from tests import factories
from tests.statements import counted
from tracker.domain.permissions import SYSTEM
from tracker.models import HistoryEntry
from tracker.services.credentials import sponsors

DAYS = "since=2026-01-01&until=2026-12-31"
REPORT, LIST = f"/reports/funding?{DAYS}", f"/reports/funding/attempts?{DAYS}"


@pytest.fixture
def boards(container):
    """Two workforce boards; their ids."""
    with container.work(SYSTEM) as work:
        return [sponsors.DIRECTORY.enter(work, name=name).id for name in ("Board", "Other")]


@pytest.fixture
def people(container, staff):
    """Ana and Bea, each with one attempt that WIOA and they themselves paid; their ids."""
    with container.work(SYSTEM) as work:
        ids = [factories.holder(work, given_name=name) for name in ("Ana", "Bea")]
    for id_ in ids:
        attempt = {
            "scheme": "cpt",
            "module": "safety",
            "taken_on": "2026-05-12",
            "result": "pass",
            "funding": "wioa",
            "amount": "30.00",
            "more_funding": [{"funding": "self", "amount": "15.00"}],
        }
        assert staff.post(f"/holders/{id_}/assessments", attempt).status_code == 201
    return ids


def seen(by):
    """What a report says to somebody: attempts, amount, and who is in the list and the CSV."""
    report = by.get(REPORT).json
    names = [one["person"] for one in by.get(LIST).json["items"]]
    lines = by.get(f"/reports/funding.csv?{DAYS}").get_data().decode().splitlines()
    return report["attempts"], report["amount"], names, len(lines) - 1


def test_a_case_manager_gets_the_report_of_those_who_consent_until_they_end_it(
    caller, staff, people, boards
):
    ana = people[0]
    own, other = (caller("sponsor", sponsor_id=id_) for id_ in boards)
    me, admin = caller("holder", holder_id=ana), caller("admin")
    assert seen(staff) == (2, "90.00", ["Ana Peña", "Bea Peña"], 2)
    made = staff.post(f"/holders/{ana}/managed-cases", {"sponsor_id": boards[0]}).json
    path = f"/managed-cases/{made['id']}/consent"
    nothing: tuple[object, ...] = (0, "0.00", [], 0)
    assert (made["shared"], seen(own), own.get("/managed-cases").json["items"]) == (
        False,
        nothing,
        [],
    )
    assert admin.post(path).status_code == 404, "nobody consents for somebody else"
    assert caller("holder", holder_id=people[1]).post(path).status_code == 404

    assert me.post(path).json["shared"] is True
    assert me.post(path).status_code == 409
    assert seen(own) == (1, "45.00", ["Ana Peña"], 2)
    assert [one["person"] for one in own.get("/managed-cases").json["items"]] == ["Ana Peña"]
    assert seen(other) == nothing

    assert me.post(f"{path}/end").json["shared"] is False
    assert me.post(f"{path}/end").status_code == 409
    assert (seen(own), own.get("/managed-cases").json["items"]) == (nothing, [])
    me.post(path)
    assert staff.post(f"{path}/end").json["shared"] is False
    assert seen(own) == nothing


def test_a_case_is_recorded_once_and_its_changes_are_in_the_history(
    container, caller, staff, people, boards
):
    path = f"/holders/{people[0]}/managed-cases"
    made = staff.post(path, {"sponsor_id": boards[0]}).json
    assert staff.post(path, {"sponsor_id": boards[0]}).json["code"] == "already_recorded"
    unknown = staff.post(path, {"sponsor_id": made["id"]})
    assert [error["field"] for error in unknown.json["errors"]] == ["sponsor_id"]
    me = caller("holder", holder_id=people[0])
    assert me.post(path, {"sponsor_id": boards[1]}).status_code == 403
    me.post(f"/managed-cases/{made['id']}/consent")
    assert me.get(path).json["items"][0]["shared"] is True
    assert caller("holder", holder_id=people[1]).get(path).status_code == 404
    with container.reading(SYSTEM) as reading:
        about = HistoryEntry.__table__.select().where(HistoryEntry.subject == "managed_case")
        assert [row.action for row in reading.rows(about)] == ["register", "consent"]


def test_a_death_ends_the_consent(caller, staff, people, boards):
    ana, own = people[0], caller("sponsor", sponsor_id=boards[0])
    made = staff.post(f"/holders/{ana}/managed-cases", {"sponsor_id": boards[0]}).json
    caller("holder", holder_id=ana).post(f"/managed-cases/{made['id']}/consent")
    assert seen(own)[0] == 1
    version = staff.get(f"/holders/{ana}").headers["ETag"]
    died = {"deceased_on": "2026-11-01", "reason": "The family wrote."}
    assert staff.patch(f"/holders/{ana}", died, version=version).status_code == 200
    assert seen(own)[0] == 0


def test_more_people_cost_no_more_statements(container, caller, staff, people, boards):
    own, costs = caller("sponsor", sponsor_id=boards[0]), []
    seen(own)  # a token is noted as used once in a while
    for id_ in people:
        made = staff.post(f"/holders/{id_}/managed-cases", {"sponsor_id": boards[0]}).json
        caller("holder", holder_id=id_).post(f"/managed-cases/{made['id']}/consent")
        with counted(container) as ran:
            seen(own)
            own.get("/managed-cases")
        costs.append(len(ran))
    assert costs[0] == costs[1]
