"""Centers send results (services/credentials, desk, imports: center_results.py); staff decide."""

from __future__ import annotations

import io
import threading
from datetime import date

import pytest
from sqlalchemy import select

from tests import factories
from tests.members import member
from tests.rows import count
from tracker import tabular
from tracker.db import new_id
from tracker.domain.credentials.assessments import Approval, AttemptToRecord
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Assessment, CenterResult, Certification, HistoryEntry, Holder, Message
from tracker.services.credentials import center_results, centers
from tracker.services.credentials.center_results import SentResult
from tracker.services.desk import merges
from tracker.services.overview import belongings, exports
from tracker.services.overview.belongings import ErasedPerson
from tracker.services.people import holders

APPROVED = [Approval(date(2020, 1, 1), None)]
HEADER = [
    "attempt_ref",
    "holder_ref",
    "family_name",
    "scheme",
    "module",
    "taken_on",
    "result",
    "proctor",
    "instructor",
    "funding",
    "amount",
    "funding_reference",
    "override_reason",
]


def center(container, name, approvals=APPROVED):
    with container.work(SYSTEM) as work:
        return centers.add_center(work, name=name, category="employer", approvals=approvals)


@pytest.fixture
def ivy(container):
    return center(container, "Ivy Tech")


@pytest.fixture
def kim(caller, ivy):
    return caller("center", center_id=ivy)


def refs(container, how_many):
    """The numbers of so many people on record, all named Peña."""
    with container.work(SYSTEM) as work:
        ids = [factories.holder(work) for _ in range(how_many)]
        return [holders.get(work, id_).ref for id_ in ids]


def result(ref, attempt_ref="a1", module="safety", **more):
    return {
        "attempt_ref": attempt_ref,
        "holder_ref": ref,
        "family_name": "Pena",
        "scheme": "cpt",
        "module": module,
        "taken_on": "2026-11-02",
        "result": "pass",
        **more,
    }


def upload(who, rows, name="results.csv", **options):
    stream = io.BytesIO()
    write = tabular.write_xlsx if name.endswith("xlsx") else tabular.write_csv
    write(stream, HEADER, ([row.get(column) for column in HEADER] for row in rows))
    stream.seek(0)
    form = {"kind": "center_results", "file": (stream, name), **options}
    return who.call("POST", "/imports", data=form)


def decide(who, verdict="accept", **what):
    return who.post("/center-results/decisions", {"verdict": verdict, **what})


def fields(refused):
    return {error["field"] for error in refused.json["errors"]}


MISTAKES = [
    {"family_name": "Okafor"},
    {"holder_ref": "nobody"},
    {"module": "welding"},
    {"taken_on": "2026-11-22"},
    {"taken_on": "2019-12-31"},
    {"result": "passed"},
    {"proctor": "Kim Soto", "instructor": "Soto, Kim"},
    {"funding": "lottery"},
    {"amount": "45"},
    {"attempt_ref": "a399"},
]


@pytest.mark.parametrize("name", ["results.csv", "results.xlsx"])
def test_of_an_upload_of_400_with_ten_errors_nothing_is_stored_and_each_is_told(
    container, kim, ivy, staff, name
):
    rows = [result(ref, f"a{n}") for n, ref in enumerate(refs(container, 400), 1)]
    bad = [row | mistake for row, mistake in zip(rows, MISTAKES, strict=False)] + rows[10:]

    refused = upload(kim, bad, name)

    assert (refused.status_code, refused.json["total"]) == (422, 10)
    told = [(error["row"], error["column"]) for error in refused.json["errors"]]
    assert told == [
        (2, "holder_ref"),
        (3, "holder_ref"),
        (4, "module"),
        (5, "taken_on"),
        (6, "taken_on"),
        (7, "result"),
        (8, "proctor"),
        (9, "funding"),
        (10, "funding"),
        (400, "attempt_ref"),
    ]
    assert refused.json["errors"][0]["rule"] == refused.json["errors"][1]["rule"]
    assert count(container, CenterResult) == 0

    made = upload(kim, rows, name)
    assert (made.status_code, made.json["created"]) == (201, 400), made.json
    assert upload(kim, rows, name).json["unchanged"] == 400
    assert count(container, Assessment) == 0
    assert decide(staff, upload_id=made.json["id"]).json == {"decided": 400}
    assert count(container, Assessment) == 400
    listed = kim.get(f"/centers/{ivy}/assessments?limit=1").json["items"]
    assert [one["attempt_ref"] for one in listed] == ["a1"]


def test_results_wait_until_staff_accept_them_or_send_them_back_with_a_reason(
    container, kim, staff, ivy
):
    member(container, "center", center_id=ivy, email="kim@example.org", access="manage")
    [ana] = refs(container, 1)
    modules = enumerate(factories.REQUIRED)
    made = [kim.post("/center-results", result(ana, f"a{n}", m)) for n, m in modules]
    assert [one.json["state"] for one in made] == ["waiting"] * 4
    assert count(container, Assessment) == 0

    *first, last = (one.json["id"] for one in made)
    assert decide(staff, result_ids=first).json == {"decided": 3}
    assert fields(decide(staff, "send_back", result_ids=[last])) == {"reason"}
    why = {"reason": "It was taken the day before."}
    assert decide(staff, "send_back", result_ids=[last], **why).status_code == 200
    assert decide(staff, result_ids=[last]).json["code"] == "illegal_transition"
    told = [one["reason"] for one in kim.get("/center-results?state=sent_back").json["items"]]
    assert told == [why["reason"]]
    with container.reading(SYSTEM) as reading:
        types = [row.about["type"] for row in reading.rows(Message.__table__.select()) if row.about]
    assert {"results_accepted", "results_sent_back"} <= set(types)

    again = result(ana, "a3", "maintenance", taken_on="2026-11-01")
    corrected = kim.post("/center-results", again)
    assert corrected.status_code == 201
    assert count(container, Certification) == 0
    decide(staff, result_ids=[corrected.json["id"]])
    assert count(container, Certification) == 1


def test_what_a_center_says_of_several_sources_becomes_part_of_the_attempt(kim, staff, container):
    [ref] = refs(container, 1)
    said = {"funding": "wioa", "more_funding": [{"funding": "self", "amount": "10.00"}]}
    sent = kim.post("/center-results", result(ref, **said)).json
    assert [one["funding"] for one in sent["more_funding"]] == ["self"]
    assert decide(staff, result_ids=[sent["id"]]).status_code == 200
    [accepted] = staff.get("/center-results?state=accepted").json["items"]
    attempt = staff.get(f"/assessments/{accepted['assessment_id']}").json
    assert attempt["more_funding"] == sent["more_funding"]


def test_a_center_that_enters_directly_is_trusted_until_that_is_taken_back(
    container, kim, staff, ivy
):
    ana, bea = refs(container, 2)
    path, why = f"/centers/{ivy}/direct-entry", {"reason": "Two years without an error."}
    trusted = staff.post(path, {"enters_directly": True, **why})
    assert trusted.json["enters_directly"] is True
    assert staff.post(path, {"enters_directly": True, **why}).status_code == 409
    assert [kim.post("/center-results", result(ana, "a1")).json["state"]] == ["accepted"]
    rows = [result(bea, f"b{n}", module) for n, module in enumerate(factories.REQUIRED)]
    assert upload(kim, rows, dry_run="true").json["outcome"] == "checked"
    assert (count(container, CenterResult), count(container, Assessment)) == (1, 1)
    made = upload(kim, rows)
    assert made.json["created"] == 4
    assert count(container, Certification) == 1

    # What the records elsewhere rule out waits, and the center is not told why.
    taken = kim.post("/center-results", result(ana, "a2", taken_on="2026-11-20"))
    assert (taken.status_code, taken.json["state"], taken.json["warnings"]) == (201, "waiting", [])
    [error] = decide(staff, result_ids=[taken.json["id"]]).json["errors"]
    assert error["field"] == taken.json["id"]
    assert "was passed on 2026-11-02" in error["message"]

    staff.post(path, {"enters_directly": False, **why})
    assert kim.post("/center-results", result(ana, "a3", "quality")).json["state"] == "waiting"
    with container.reading(SYSTEM) as reading:
        acts = [row.action for row in reading.rows(HistoryEntry.__table__.select())]
    assert acts.count("let_enter") == 2


def test_a_center_sees_its_own_sittings_and_results_alone(container, caller, kim, staff, ivy):
    ana, _ = refs(container, 2)
    other = center(container, "Elsewhere")
    ben = caller("center", center_id=other)
    sent = ben.post("/center-results", result(ana, "a1")).json
    decide(staff, result_ids=[sent["id"]])
    [sitting] = ben.get(f"/centers/{other}/assessments").json["items"]
    assert kim.get("/center-results").json["items"] == []
    assert kim.get(f"/centers/{ivy}/assessments").json["items"] == []
    assert kim.get(f"/centers/{other}/assessments").status_code == 404
    # The same attempt elsewhere is taken like any other: the answer tells nothing of Ana.
    assert kim.post("/center-results", result(ana, "a1")).json["state"] == "waiting"
    assert kim.get(f"/assessments/{sitting['id']}").status_code == 403
    assert staff.post("/center-results", result(ana)).status_code == 403


def test_a_center_without_approval_on_the_day_says_why_and_is_flagged(container, caller):
    lapsed = center(container, "Lapsed", [Approval(date(2020, 1, 1), date(2025, 1, 1))])
    kim = caller("center", center_id=lapsed)
    [ana] = refs(container, 1)
    assert fields(kim.post("/center-results", result(ana))) == {"taken_on"}
    made = kim.post("/center-results", result(ana, override_reason="The renewal was late."))
    assert made.json["warnings"] == ["Assessment center Lapsed was not approved on 2026-11-02."]


def test_a_second_click_is_refused_and_gives_no_second_row(container, caller, ivy):
    [ana] = refs(container, 1)
    gate, answers = threading.Barrier(2), []

    def send(attempt_ref):
        who = caller("center", center_id=ivy)
        gate.wait()
        answers.append(who.post("/center-results", result(ana, attempt_ref)).status_code)

    threads = [threading.Thread(target=send, args=(ref,)) for ref in ("a1", "a1")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 409]
    assert count(container, CenterResult) == 1


def test_two_who_accept_the_same_result_at_once_record_it_once(container, caller, kim):
    [ana] = refs(container, 1)
    sent = kim.post("/center-results", result(ana)).json
    gate, answers = threading.Barrier(2), []

    def accept():
        who = caller("staff")
        gate.wait()
        answers.append(decide(who, result_ids=[sent["id"]]).status_code)

    threads = [threading.Thread(target=accept) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409]
    assert count(container, Assessment) == 1


def test_what_a_center_sent_is_part_of_a_persons_data_and_goes_with_them(container, kim):
    [ref] = refs(container, 1)
    kim.post("/center-results", result(ref, proctor="Jo Lee"))
    with container.work(SYSTEM) as work:
        record = exports.record(work, ref)
        [told] = record["center_results"]
        assert (told["proctor"], told["center"]) == ("Jo Lee", "Ivy Tech")
        belongings.remove(work, ErasedPerson(record["holder"]["id"], ["x@example.org"]))
    assert count(container, CenterResult) == 0


def test_nobody_accepts_a_result_of_their_own(container, caller, kim):
    with container.work(SYSTEM) as work:
        own = factories.holder(work)
        ref = holders.get(work, own).ref
    sent = kim.post("/center-results", result(ref)).json
    refused = decide(caller("staff", holder_id=own), result_ids=[sent["id"]])
    assert refused.json["code"] == "self_review"


def test_results_of_a_person_with_two_records(container, kim, staff):
    kept, other = refs(container, 2)
    rows = [result(kept, "a1"), result(other, "a2"), result(other, "a3", "quality")]
    sent = {row["attempt_ref"]: kim.post("/center-results", row).json["id"] for row in rows}
    decide(staff, "send_back", result_ids=[sent["a1"]], reason="Of another person.")
    with container.work(Actor(role="staff", name="Sam", person_id=new_id())) as work:
        ids = [holder_of(work, ref) for ref in (kept, other)]
        merges.merge(work, *ids, reason="One person.")

    again = kim.post("/center-results", result(other, "a4", "maintenance"))

    assert again.json["holder_id"] == ids[0]
    assert decide(staff, result_ids=[sent["a2"], sent["a3"], again.json["id"]]).json["decided"] == 3
    assert {row.holder_id for row in assessments_of(container)} == {ids[0]}


def holder_of(work, ref):
    return work.row(select(Holder.id).where(Holder.ref == ref)).id


def assessments_of(container):
    with container.reading(SYSTEM) as reading:
        return reading.rows(Assessment.__table__.select())


def test_a_center_that_enters_directly_overrides_no_rule_and_records_nothing_of_its_own(
    container, kim, staff, ivy
):
    ana, bea = refs(container, 2)
    why = {"reason": "Two years without an error."}
    staff.post(f"/centers/{ivy}/direct-entry", {"enters_directly": True, **why})
    failed = result(ana, "a1", taken_on="2026-11-02", result="fail")
    assert kim.post("/center-results", failed).json["state"] == "accepted"

    soon = result(ana, "a2", taken_on="2026-11-04", override_reason="She asked for it.")
    assert kim.post("/center-results", soon).json["state"] == "waiting"
    with container.work(SYSTEM) as work:
        own = holder_of(work, bea)
    pat = Actor(role="center", name="Pat", organization_id=ivy, makers=frozenset({own}))
    attempt = AttemptToRecord("cpt", "safety", date(2026, 11, 2), passed=True)
    with container.work(pat) as work:
        row, _ = center_results.send(work, SentResult("b1", bea, "Peña", attempt))
    assert (row.state, count(container, Assessment)) == ("waiting", 1)
