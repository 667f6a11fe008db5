"""Activities of a holder over HTTP, for the tests of points."""

from __future__ import annotations

COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Robot Safety",
    "provider": "Amatrol",
    "quantity": "8.00",
    "completed_on": "2026-01-05",
}


def logged(ana, ids, **change):
    return ana.post(f"/certifications/{ids[1]}/activities", {**COURSE, **change})


def submitted(ana, ids, **change):
    activity = logged(ana, ids, **change).json["id"]
    return ana.post(f"/activities/{activity}/submission")


def decided(staff, answer, **verdict):
    path = f"/activities/{answer.json['id']}/decision"
    return staff.post(path, {"verdict": "approved", **verdict}, version=answer.headers["ETag"])


def evaluation(who, ids, **options):
    return who.get(f"/certifications/{ids[1]}/evaluation", **options).json
