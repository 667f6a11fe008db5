"""Pathways: chosen by holders, completed by what is on record, with the next step named."""

from __future__ import annotations

from datetime import date

import pytest

from tests import factories
from tests.backends import SQLITE
from tracker.domain.permissions import SYSTEM


@pytest.fixture
def ana(container, caller):
    with container.work(SYSTEM) as work:
        holder_id = factories.holder(work)
    return holder_id, caller("holder", holder_id=holder_id)


def standing(caller):
    """The completed steps and the next one, by pathway."""
    return {
        one["pathway"]: (
            [step["code"] for step in one["steps"] if step["done_on"]],
            one["next"] and one["next"]["code"],
        )
        for one in caller.get("/me/pathways").json
    }


def test_a_career_changer_goes_from_funding_to_the_title(ana, staff):
    holder_id, me = ana
    made = me.post(f"/holders/{holder_id}/pathways", {"pathway": "career_changer"})
    assert made.status_code == 201
    assert standing(me) == {"career_changer": ([], "funding")}
    assert me.get("/me").json["pathways"] == me.get("/me/pathways").json

    def passed(module, day, **more):
        attempt = {"scheme": "cpt", "module": module, "taken_on": day, "result": "pass"}
        staff.post(f"/holders/{holder_id}/assessments", attempt | more)

    passed("maintenance", "2026-05-12", funding="wioa")
    [career] = me.get("/me/pathways").json
    assert career["next"]["code"] == "other_modules"
    assert career["next"]["cost"] == {"at_least": "270.00", "at_most": "360.00"}
    assert career["next"]["paid_by"] == ["wioa"]
    assert career["next"]["typical_time"]["en"] == "months 3 to 6"
    assert career["next"]["verified"] is False
    for module in ("safety", "quality", "processes"):
        passed(module, "2026-08-03")
    assert standing(me) == {
        "career_changer": (["funding", "maintenance", "other_modules", "title"], None)
    }
    assert staff.get(f"/holders/{holder_id}/pathways").json == me.get("/me/pathways").json


def test_a_person_is_on_several_and_may_leave_and_come_back(ana, caller, container):
    holder_id, me = ana
    path = f"/holders/{holder_id}/pathways"
    for pathway in ("mechatronics_student", "sponsored_apprentice"):
        me.post(path, {"pathway": pathway})
    twice = me.post(path, {"pathway": "mechatronics_student"})
    assert (twice.status_code, twice.json["code"]) == (409, "already_recorded")
    unknown = me.post(path, {"pathway": "astronaut"})
    assert (unknown.status_code, unknown.json["errors"][0]["field"]) == (422, "pathway")
    assert set(standing(me)) == {"mechatronics_student", "sponsored_apprentice"}

    [first, _] = me.get("/me/pathways").json
    leave = f"/pathway-choices/{first['choice_id']}/end"
    with container.work(SYSTEM) as work:
        other = factories.holder(work)
    assert caller("holder", holder_id=other).post(leave).status_code == 404
    assert me.post(leave).status_code == 204
    assert me.post(leave).status_code == 409
    assert set(standing(me)) == {"sponsored_apprentice"}
    assert me.post(path, {"pathway": "mechatronics_student"}).status_code == 201


def test_a_student_completes_steps_by_credentials_of_others(container, caller):
    holder_id, _ = factories.certified(container, date(2025, 5, 1))
    me = caller("holder", holder_id=holder_id)
    me.post(f"/holders/{holder_id}/pathways", {"pathway": "mechatronics_student"})
    osha = {"credential": "osha_10", "issued_on": "2026-02-03"}
    made = me.post(f"/holders/{holder_id}/credentials", osha)
    assert standing(me) == {"mechatronics_student": (["cpt", "osha_10"], "smscp_1")}

    me.post(f"/credentials/{made.json['id']}/withdrawal", {"reason": "Not mine."})
    smscp = {"credential": "smscp", "level": "1", "issued_on": "2026-03-02"}
    me.post(f"/holders/{holder_id}/credentials", smscp)
    assert standing(me) == {"mechatronics_student": (["cpt", "smscp_1"], "osha_10")}


@SQLITE
def test_everybody_reads_what_pathways_and_credentials_there_are(anonymous):
    assert [one["code"] for one in anonymous.get("/pathways").json] == [
        "career_changer",
        "mechatronics_student",
        "sponsored_apprentice",
    ]
    assert {"smscp", "osha_10", "mssc_cla"} <= {
        one["code"] for one in anonymous.get("/credentials").json
    }
