"""Appeals over HTTP: filed in time, decided by somebody else, and what they restore."""

from __future__ import annotations

from datetime import date

import pytest

from tests import factories


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25))  # expires December 25, 2026


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0])


def standing(who, ids, as_of=None):
    query = {"as_of": as_of} if as_of else {}
    return who.get(f"/certifications/{ids[1]}", query_string=query).json["standing"]


def test_an_upheld_appeal_restores_the_gap_and_last_months_report_still_says_so(
    caller, ana, ids, clock
):
    reviewer, appeals = caller("staff"), caller("staff")
    why = {"reason_code": "conduct", "reason": "Exam code of conduct."}
    reviewer.by_two(f"/certifications/{ids[1]}/revocation", why)
    while_revoked = clock().isoformat().replace("+00:00", "Z")
    assert standing(ana, ids)["status"] == "revoked"
    assert standing(ana, ids, "2026-10-21")["status"] == "renewal_open"
    clock.advance(days=20)
    made = ana.post(f"/certifications/{ids[1]}/appeals", {"statement": "It was not me."})
    assert (made.status_code, made.json["fee"]) == (201, "50.00")
    assert made.json["due_on"] == "2027-03-11"
    second = ana.post(f"/certifications/{ids[1]}/appeals", {"statement": "Again."})
    assert second.status_code == 409
    path, etag = f"/appeals/{made.json['id']}/decision", made.headers["ETag"]
    verdict = {"outcome": "upheld", "reason": "Mistaken identity."}
    assert reviewer.post(path, verdict, version=etag).status_code == 403
    upheld = appeals.post(path, verdict, version=etag)
    assert (upheld.status_code, upheld.json["fee_refunded"]) == (200, True)
    assert standing(ana, ids)["status"] == "renewal_open"
    assert standing(ana, ids, "2026-11-25")["status"] == "renewal_open"
    query = {"as_of": "2026-11-25", "known_at": while_revoked}
    known = ana.get(f"/certifications/{ids[1]}", query_string=query).json["standing"]
    assert known["status"] == "revoked"


def test_an_appeal_is_due_thirty_days_after_the_notice(ana, staff, ids, clock):
    why = {"reason_code": "conduct", "reason": "Exam code of conduct."}
    staff.by_two(f"/certifications/{ids[1]}/revocation", why)
    clock.advance(days=31)
    late = ana.post(f"/certifications/{ids[1]}/appeals", {"statement": "Late."})
    assert (late.status_code, late.json["code"]) == (409, "appeal_too_late")
    clock.advance(days=-1)
    assert (
        ana.post(f"/certifications/{ids[1]}/appeals", {"statement": "In time."}).status_code == 201
    )
