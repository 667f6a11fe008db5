"""Fees of applications (services, api: fees.py), and applications that share one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests import factories
from tests.api.credentials.test_renewals import apply, decide, earn
from tests.rows import count
from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.domain.permissions import SYSTEM
from tracker.models import Fee, Notice, Renewal
from tracker.services.credentials import assessments


@pytest.fixture
def ids(container):
    made = factories.certified(container, date(2021, 12, 25))  # expires December 25, 2026
    earn(container, made, Decimal(100))
    return made


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0])


def _with_fees(app, **rule):
    """Change what CPT says of fees."""
    site = app.extensions["tracker"]
    cpt = site.schemes["cpt"]
    changed = {"cpt": replace(cpt, fees=replace(cpt.fees, **rule))}
    schemes = replace(site.schemes, by_code=site.schemes.by_code | changed)
    app.extensions["tracker"] = replace(site, schemes=schemes)


@pytest.fixture
def asking(app):
    """The same site, whose CPT is approved only once the fee is paid or waived."""
    _with_fees(app, paid_before_approval=True)


def record(staff, fee, state, **more):
    path = f"/fees/{fee['id']}"
    version = more.pop("version", None) or staff.get(path).headers["ETag"]
    return staff.post(f"{path}/state", {"state": state, **more}, version=version)


def test_an_application_has_a_fee_whose_every_change_is_recorded(ana, staff, ids, employer_id):
    applied = apply(ana, ids)
    [fee] = ana.get("/fees").json["items"]
    assert (fee["id"], applied.headers["ETag"]) == (applied.json["fee_id"], '"1"')
    assert (fee["amount"], fee["currency"], fee["state"]) == ("75.00", "USD", "quoted")
    assert ana.post(f"/fees/{fee['id']}/state", {"state": "due"}, version='"1"').status_code == 403

    billed = record(staff, fee, "invoiced", reference="INV-7", employer_id=employer_id)
    assert (billed.status_code, billed.json["employer_id"]) == (200, employer_id)
    unknown = {"reference": "INV-8", "employer_id": fee["id"]}
    assert record(staff, fee, "due").json["employer_id"] is None
    assert record(staff, fee, "invoiced", **unknown).json["errors"][0]["field"] == "employer_id"
    assert record(staff, fee, "paid", reference="R-9").json["changed_by"]
    assert record(staff, fee, "paid", reference="R-9").json["code"] == "illegal_transition"
    wrong = record(staff, fee, "due", reason="It was the payment of somebody else.")
    assert wrong.json["state"] == "due"
    stale = record(staff, fee, "paid", reference="R-1", version='"1"')
    assert stale.status_code == 412
    lines = staff.get(f"/fees/{fee['id']}/history").json["items"]
    assert [line["action"] for line in lines] == ["change"] * 4 + ["quote"]
    assert lines[1]["detail"]["reference"] == "R-9"
    of_person = staff.get(f"/history?holder_id={ids[0]}&subject=fee").json["items"]
    assert of_person == lines
    assert [item["state"] for item in staff.get("/fees?state=due").json["items"]] == ["due"]


@pytest.mark.usefixtures("asking")
@pytest.mark.parametrize(
    "settled",
    [{"state": "paid", "reference": "R-7"}, {"state": "waived", "reason": "Hardship."}],
)
def test_an_approval_asks_for_a_fee_that_is_paid_or_waived(ana, staff, ids, settled):
    applied = apply(ana, ids)
    refused = decide(staff, applied)
    assert (refused.status_code, refused.json["code"]) == (409, "fee_open")
    assert decide(staff, applied, "denied", reason="Evidence is false.").status_code == 200
    again = staff.get(f"/renewals/{applied.json['id']}")
    assert record(staff, {"id": applied.json["fee_id"]}, **settled).status_code == 200
    assert decide(staff, again, reason="It was not.").json["decision"] == "approved"


def test_an_application_that_is_withdrawn_owes_nothing_more(ana, staff, ids):
    applied = apply(ana, ids).json
    ana.post(f"/renewals/{applied['id']}/withdrawal")
    [fee] = ana.get("/fees?state=waived").json["items"]
    assert fee["reason"] == "The application was withdrawn."
    paid = apply(ana, ids).json
    record(staff, {"id": paid["fee_id"]}, "paid", reference="R-1")
    ana.post(f"/renewals/{paid['id']}/withdrawal")
    assert [one["id"] for one in ana.get("/fees?state=paid").json["items"]] == [paid["fee_id"]]


def both(container, clt_on):
    """Somebody certified as CPT through April 1, 2030, and as CLT; the ids."""
    holder_id, cpt = factories.certified(container, date(2025, 4, 1))
    with container.work(SYSTEM) as work:
        for scheme, module in (("cla", "associate"), ("clt", "technician")):
            attempt = AttemptToRecord(scheme, module, clt_on, passed=True)
            assessments.record(work, holder_id, attempt)
        clt = factories.certification(work, holder_id, "clt").id
    return holder_id, cpt, clt


def test_two_certifications_are_one_application_with_one_fee_and_two_ledgers(
    container, caller, staff, clock
):
    holder_id, cpt, clt = both(container, date(2025, 4, 20))
    clock.set("2030-02-01")
    bundle = {"certification_ids": [cpt, clt]}
    ana = caller("holder", holder_id=holder_id)
    earn(container, (holder_id, cpt), Decimal(100))
    short = ana.post("/renewals/bundles", bundle)
    assert short.json["code"] == "points_missing"  # of the CLT: nothing is stored of either
    assert (count(container, Renewal), count(container, Fee)) == (0, 0)

    earn(container, (holder_id, clt), Decimal(100))
    made = ana.post("/renewals/bundles", bundle)
    assert made.status_code == 201, made.json
    first, second = made.json["renewals"]
    assert first["fee_id"] == second["fee_id"]
    [fee] = ana.get("/fees").json["items"]
    assert (fee["amount"], fee["bundled"]) == ("100.00", True)
    ana.post(f"/renewals/{second['id']}/withdrawal")
    rest = ana.get(f"/fees/{fee['id']}").json  # the other one stands, and costs what it costs
    assert (rest["state"], rest["amount"], rest["bundled"]) == ("quoted", "75.00", False)
    assert decide(staff, staff.get(f"/renewals/{first['id']}")).json["decision"] == "approved"


def test_a_bundle_needs_a_price_and_one_person(container, staff, clock, ids):
    holder_id, cpt, clt = both(container, date(2025, 8, 1))
    clock.set("2030-02-01")
    for one in (cpt, clt):
        earn(container, (holder_id, one), Decimal(100))
    alone = staff.post("/renewals/bundles", {"certification_ids": [cpt, cpt]})
    assert alone.json["detail"] == "There is no bundle price today. Each renewal has its own price."
    clock.set("2030-05-05")
    apart = staff.post("/renewals/bundles", {"certification_ids": [cpt, clt]})
    assert apart.status_code in {409, 422}
    twice = staff.post("/renewals/bundles", {"certification_ids": [ids[1], cpt]})
    assert twice.status_code in {409, 422}
    assert count(container, Fee) == 0


@pytest.mark.parametrize(
    "values",
    [
        {"state": "paid"},
        {"state": "waived"},
        {"state": "invoiced", "reference": "x"},
        {"state": "lost"},
        {"state": "due", "amount": Decimal(-1)},
    ],
)
def test_the_database_refuses_a_fee_that_says_too_little(container, ids, values):
    with pytest.raises(IntegrityError):
        store(container, {"holder_id": ids[0], "amount": Decimal(75), **values})


def store(container, values):
    words: Any = dict.fromkeys(("currency", "basis", "changed_by"), "USD")
    with container.work(SYSTEM) as work:
        times = {"changed_at": work.now, "recorded_at": work.now}
        work.session.add(Fee(bundled=False, **words, **times, **values))


@pytest.fixture
def giving_back(app):
    """The same site, whose CPT gives the fee back if an application is denied."""
    _with_fees(app, refund_on_denial=True)


def told(container):
    with container.engine.connect() as connection:
        rows = connection.execute(
            select(Notice.event).where(Notice.kind == "fee_changed").order_by(Notice.id)
        )
        return [event.partition(":")[0] for event in rows.scalars()]


@pytest.mark.usefixtures("giving_back")
def test_a_denial_gives_the_fee_back_where_the_scheme_says_so(container, ana, staff, ids):
    applied = apply(ana, ids)
    fee = {"id": applied.json["fee_id"]}
    record(staff, fee, "paid", reference="R-7")
    assert decide(staff, applied, "denied", reason="Evidence is false.").status_code == 200
    assert ana.get(f"/fees/{fee['id']}").json["refund_due"] is True
    version = staff.get(f"/renewals/{applied.json['id']}").headers["ETag"]
    path = f"/renewals/{applied.json['id']}/decision/undo"
    assert staff.post(path, {"reason": "It is true."}, version=version).status_code == 200
    assert ana.get(f"/fees/{fee['id']}").json["refund_due"] is False
    decide(staff, staff.get(f"/renewals/{applied.json['id']}"), "denied", reason="It is not.")
    back = record(staff, fee, "refunded", reference="R-8", reason="Denied.").json
    assert (back["state"], back["refund_due"]) == ("refunded", False)
    assert told(container) == ["paid", "refund_due", "refunded"]


def test_a_denial_keeps_the_fee_otherwise(container, ana, staff, ids):
    applied = apply(ana, ids)
    decide(staff, applied, "denied", reason="Evidence is false.")
    assert ana.get(f"/fees/{applied.json['fee_id']}").json["state"] == "due"
    assert told(container) == ["due"]


def appealed(ana, caller, ids, applied):
    """An appeal against a denial, and how somebody else gives its outcome."""
    body = {"statement": "It is true.", "renewal_id": applied.json["id"]}
    appeal, other = ana.post(f"/certifications/{ids[1]}/appeals", body).json, caller("staff")
    path = f"/appeals/{appeal['id']}"

    def outcome(what):
        given = {"outcome": what, "reason": "We looked again."}
        return other.post(f"{path}/decision", given, version=other.get(path).headers["ETag"])

    return appeal, outcome


@pytest.mark.usefixtures("asking")
def test_an_upheld_appeal_waits_for_the_fee_and_is_carried_out_once_it_is_paid(
    container, ana, caller, staff, ids
):
    applied = apply(ana, ids)
    renewal, fee = f"/renewals/{applied.json['id']}", {"id": applied.json["fee_id"]}
    decide(staff, applied, "denied", reason="Evidence is false.")
    appeal, outcome = appealed(ana, caller, ids, applied)

    assert outcome("upheld").status_code == 200
    assert staff.get(renewal).json["decision"] is None
    assert ana.get(f"/fees/{appeal['fee_id']}").json["state"] == "waived"  # its own fee
    assert outcome("dismissed").status_code == 200
    assert staff.get(renewal).json["decision"] == "denied"
    assert ana.get(f"/fees/{appeal['fee_id']}").json["state"] == "due"
    assert outcome("upheld").status_code == 200
    assert record(staff, fee, "paid", reference="R-9").status_code == 200
    assert staff.get(renewal).json["decision"] == "approved"
    assert told(container)[-1] == "paid"


@pytest.mark.usefixtures("asking")
def test_what_waits_for_its_fee_alone_is_not_denied_for_points(ana, caller, staff, ids, clock):
    applied = apply(ana, ids)
    renewal, fee = f"/renewals/{applied.json['id']}", {"id": applied.json["fee_id"]}
    decide(staff, applied, "denied", reason="Evidence is false.")
    _, outcome = appealed(ana, caller, ids, applied)
    assert outcome("upheld").status_code == 200
    clock.set("2027-01-10")  # after the expiry, and nothing more can come
    [course] = staff.get(f"/certifications/{ids[1]}/activities").json["items"]
    version = staff.get(f"/activities/{course['id']}").headers["ETag"]
    no = {"verdict": "rejected", "reason_code": "insufficient_evidence", "reason": "No proof."}
    done = staff.post(f"/activities/{course['id']}/decision", no, version=version)
    assert done.status_code == 200, done.json
    assert staff.get(renewal).json["decision"] is None
    assert record(staff, fee, "paid", reference="R-9").status_code == 200
    assert staff.get(renewal).json["decision"] == "approved"


@pytest.mark.usefixtures("asking")
def test_a_payment_is_recorded_though_the_certification_was_suspended_since(
    ana, caller, staff, ids
):
    applied = apply(ana, ids)
    decide(staff, applied, "denied", reason="Evidence is false.")
    _, outcome = appealed(ana, caller, ids, applied)
    assert outcome("upheld").status_code == 200
    why = {"reason_code": "conduct", "reason": "Under review."}
    assert staff.post(f"/certifications/{ids[1]}/suspension", why).status_code == 201
    paid = record(staff, {"id": applied.json["fee_id"]}, "paid", reference="R-9")
    assert (paid.status_code, paid.json["state"]) == (200, "paid")
    assert staff.get(f"/renewals/{applied.json['id']}").json["decision"] is None
    lines = staff.get(f"/renewals/{applied.json['id']}/history").json["items"]
    assert lines[0]["action"] == "wait"


@pytest.mark.usefixtures("giving_back", "asking")
def test_a_fee_that_was_given_back_is_due_again_after_an_upheld_appeal(ana, caller, staff, ids):
    applied = apply(ana, ids)
    fee = {"id": applied.json["fee_id"]}
    record(staff, fee, "paid", reference="R-7")
    decide(staff, applied, "denied", reason="Evidence is false.")
    record(staff, fee, "refunded", reference="R-8", reason="Denied.")
    _, outcome = appealed(ana, caller, ids, applied)
    assert outcome("upheld").status_code == 200
    assert ana.get(f"/fees/{fee['id']}").json["state"] == "due"
    record(staff, fee, "paid", reference="R-9")
    assert staff.get(f"/renewals/{applied.json['id']}").json["decision"] == "approved"


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("giving_back")
def test_the_fee_of_a_bundle_follows_the_denial_of_one_once_the_other_is_withdrawn(
    container, caller, staff, clock
):
    holder_id, cpt, clt = both(container, date(2025, 4, 20))
    clock.set("2030-02-01")
    for one in (cpt, clt):
        earn(container, (holder_id, one), Decimal(100))
    ana = caller("holder", holder_id=holder_id)
    first, second = ana.post("/renewals/bundles", {"certification_ids": [cpt, clt]}).json[
        "renewals"
    ]
    denied = staff.get(f"/renewals/{first['id']}")
    assert decide(staff, denied, "denied", reason="Evidence is false.").status_code == 200
    assert ana.get(f"/fees/{first['fee_id']}").json["state"] == "quoted"  # the other needs it
    ana.post(f"/renewals/{second['id']}/withdrawal")
    fee = ana.get(f"/fees/{first['fee_id']}").json
    assert (fee["amount"], fee["state"]) == ("75.00", "waived")


def _attempt(staff, holder_id, day="2026-10-05"):
    said = {"scheme": "cpt", "module": "green", "taken_on": day, "result": "fail"}
    return staff.post(f"/holders/{holder_id}/assessments", said).json


def test_an_attempt_has_a_fee_with_the_states_of_every_fee(ana, staff, ids):
    made = _attempt(staff, ids[0])
    path = f"/assessments/{made['id']}/fee"
    assert ana.post(path, {"amount": "45.00"}).status_code == 403
    fee = staff.post(path, {"amount": "45.00"}).json
    assert (fee["state"], fee["currency"], fee["holder_id"]) == ("quoted", "USD", ids[0])
    assert ana.get(f"/assessments/{made['id']}").json["fee_id"] == fee["id"]
    assert [one["id"] for one in ana.get("/fees").json["items"]] == [fee["id"]]
    assert staff.post(path, {"amount": "45.00"}).json["code"] == "already_recorded"

    seen = staff.get(f"/fees/{fee['id']}").headers["ETag"]
    change = {"amount": "40.00", "reason": "The price of a paper test."}
    fixed = staff.post(f"/fees/{fee['id']}/amount", change, version=seen)
    assert (fixed.status_code, fixed.json["amount"]) == (200, "40.00")
    assert staff.post(f"/fees/{fee['id']}/amount", change, version=seen).status_code == 412
    again = staff.post(f"/fees/{fee['id']}/amount", change, version=fixed.headers["ETag"])
    assert [error["field"] for error in again.json["errors"]] == ["amount"]
    assert record(staff, fee, "paid", reference="R-1").status_code == 200
    seen = staff.get(f"/fees/{fee['id']}").headers["ETag"]
    late = staff.post(f"/fees/{fee['id']}/amount", change, version=seen)
    assert (late.status_code, late.json["code"]) == (409, "illegal_transition")
    lines = staff.get(f"/fees/{fee['id']}/history").json["items"]
    assert [line["action"] for line in lines] == ["change", "reprice", "quote"]


def test_the_amount_of_an_application_is_the_schemes(ana, staff, ids):
    applied = apply(ana, ids).json
    seen = staff.get(f"/fees/{applied['fee_id']}").headers["ETag"]
    change = {"amount": "1.00", "reason": "A friend."}
    refused = staff.post(f"/fees/{applied['fee_id']}/amount", change, version=seen)
    assert (refused.status_code, refused.json["code"]) == (409, "illegal_transition")


@pytest.mark.parametrize(
    ("paid", "state", "refund_due"), [(False, "waived", False), (True, "paid", True)]
)
def test_nobody_owes_the_fee_of_an_attempt_that_is_voided(staff, ids, paid, state, refund_due):
    made = _attempt(staff, ids[0])
    fee = staff.post(f"/assessments/{made['id']}/fee", {"amount": "45.00"}).json
    if paid:
        record(staff, fee, "paid", reference="R-1")
    void = f"/assessments/{made['id']}/void"
    staff.post(void, {"reason": "Of somebody else.", "preview": True})
    assert staff.get(f"/fees/{fee['id']}").json["state"] == ("paid" if paid else "quoted")
    staff.post(void, {"reason": "Of somebody else."})
    left = staff.get(f"/fees/{fee['id']}").json
    assert (left["state"], left["refund_due"]) == (state, refund_due)
    other = staff.post(f"/assessments/{made['id']}/fee", {"amount": "45.00"})
    assert (other.status_code, other.json["code"]) == (409, "illegal_transition")


@pytest.mark.usefixtures("asking")
def test_who_denied_it_does_not_deny_again_what_waits_for_its_fee_alone(ana, caller, staff, ids):
    applied = apply(ana, ids)
    renewal = f"/renewals/{applied.json['id']}"
    decide(staff, applied, "denied", reason="Evidence is false.")
    _, outcome = appealed(ana, caller, ids, applied)
    outcome("upheld")
    waits = staff.get(renewal)
    refused = decide(staff, waits, "denied", reason="I still think so.")
    assert (refused.status_code, refused.json["code"]) == (403, "not_allowed")
    assert staff.get(renewal).json["decision"] is None
    other = decide(caller("staff"), waits, "denied", reason="The holder asked for it.")
    assert other.json["decision"] == "denied"
