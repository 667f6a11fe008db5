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


@pytest.fixture
def asking(app, container):
    """The same site, whose CPT is approved only once the fee is paid or waived."""
    cpt = container.schemes["cpt"]
    changed = replace(cpt, fees=replace(cpt.fees, paid_before_approval=True))
    schemes = replace(container.schemes, by_code=container.schemes.by_code | {"cpt": changed})
    app.extensions["tracker"] = replace(app.extensions["tracker"], schemes=schemes)


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
def giving_back(app, container):
    """The same site, whose CPT gives the fee back if an application is denied."""
    cpt = container.schemes["cpt"]
    changed = replace(cpt, fees=replace(cpt.fees, refund_on_denial=True))
    schemes = replace(container.schemes, by_code=container.schemes.by_code | {"cpt": changed})
    app.extensions["tracker"] = replace(app.extensions["tracker"], schemes=schemes)


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


@pytest.mark.usefixtures("asking")
def test_an_upheld_appeal_waits_for_the_fee_and_is_carried_out_once_it_is_paid(
    container, ana, caller, staff, ids
):
    applied = apply(ana, ids)
    renewal, fee = f"/renewals/{applied.json['id']}", {"id": applied.json["fee_id"]}
    decide(staff, applied, "denied", reason="Evidence is false.")
    body = {"statement": "It is true.", "renewal_id": applied.json["id"]}
    appeal = ana.post(f"/certifications/{ids[1]}/appeals", body).json
    other = caller("staff")

    def outcome(what):
        path = f"/appeals/{appeal['id']}"
        given = {"outcome": what, "reason": "We looked again."}
        version = other.get(path).headers["ETag"]
        return other.post(f"{path}/decision", given, version=version)

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
