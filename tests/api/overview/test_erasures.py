"""services/overview/erasures.py, belongings.py: what goes with a person's data, and what stays."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from tests import factories
from tests.api.access import access_cases
from tests.api.access.access_cases import PICTURE, upload
from tests.api.employers import employer_cases
from tests.browsers import Browser
from tests.services.points.attendance_cases import attend
from tracker import jobs
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Account, Base, Certification, Cycle, Erasure, Evidence, Holder, Span
from tracker.services.outbox import suppressions
from tracker.services.overview import belongings, erasures, history_checks, integrity
from tracker.services.people import accounts, holders
from tracker.services.points import evidence

NOON = datetime(2026, 11, 21, 17, tzinfo=UTC)
COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Zanzibar course",
    "quantity": "5",
    "completed_on": "2026-01-05",
}


@pytest.fixture
def ana(caller, container, staff):
    """Somebody with a record of every kind, a strange name, and a file."""
    acme = employer_cases.company(container)
    ids = access_cases.person(container, acme)
    with container.work(SYSTEM) as work:
        holder = work.session.get(Holder, ids["holder_id"])
        changes = {"given_name": "Xanthippe", "email": "xanthippe@quagga.example"}
        holders.write(work, holder, changes, reason="A test.")
    refused = staff.post(f"/erasures/{ids['erasure_id']}/refusal", {"reason": "For the test."})
    assert refused.status_code == 200
    who = caller("holder", holder_id=ids["holder_id"])
    path = f"/certifications/{ids['certification_id']}/activities"
    activity = who.post(path, COURSE).json["id"]
    made = who.post(f"/activities/{activity}/evidence", **upload(PICTURE, "quagga.png"))
    assert made.status_code == 201
    jobs.plan(container)
    return who, ids


def everything(container):
    """Every value of every row, as text."""
    with container.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                yield table.name, json.dumps([str(value) for value in row])


def approve(caller, container):
    with container.reading(SYSTEM) as reading:
        statement = select(Erasure.id).where(Erasure.state == "requested")
        (open_,) = reading.rows(statement)
    second = caller("staff")
    return second.post(f"/erasures/{open_.id}/approval")


def test_whoever_asks_is_erased_by_a_second_person_and_the_certificate_stays(
    ana, caller, container, anonymous
):
    who, ids = ana
    with container.reading(SYSTEM) as reading:
        before = reading.rows(select(Certification.number, Certification.awarded_on))
        spans = reading.rows(select(Span.__table__))
        timelines = integrity.timelines(reading)
        files = [row.key for row in reading.rows(select(Evidence.key))]
    asked = who.post("/me/erasure", {"reason": "Xanthippe wants it"})
    assert (asked.status_code, asked.json["due_on"]) == (201, "2026-12-21")
    answer = approve(caller, container)

    assert answer.status_code == 200, answer.json
    assert answer.json["state"] == "approved"
    told = [
        line
        for line in everything(container)
        for word in ("anthippe", "uagga", "Zanzibar")
        if word in line[1]
    ]
    assert told == []
    assert len(files) > 1
    assert (
        list(evidence.store(container.settings).keys(before=container.clock().timestamp() + 10**9))
        == []
    )
    with container.reading(SYSTEM) as reading:
        assert reading.rows(select(Certification.number, Certification.awarded_on)) == before
        assert reading.rows(select(Span.__table__)) == spans
        assert integrity.timelines(reading) == timelines
        assert history_checks.verify(reading, container.history_keys, []).breach is None
    assert who.get("/me").status_code == 401
    page = anonymous.client.get(f"/verify/{ids['public_id']}", headers={"Accept": "text/html"})
    assert (page.status_code, "no longer available" in page.text) == (410, True)
    as_json = anonymous.client.get(f"/verify/{ids['public_id']}")
    assert (as_json.status_code, as_json.json["code"]) == (410, "no_longer_available")


def test_nothing_is_written_any_more_to_a_record_that_was_erased(ana, caller, container, staff):
    who, ids = ana
    who.post("/me/erasure", {})
    assert approve(caller, container).status_code == 200
    holder, held = f"/holders/{ids['holder_id']}", f"/certifications/{ids['certification_id']}"
    version = staff.get(holder).headers["ETag"]
    said = {"reason_code": "conduct", "reason": "Zanzibar"}
    attempt = {"scheme": "cpt", "module": "safety", "taken_on": "2026-11-01", "result": "pass"}

    answers = [
        staff.post(f"{held}/activities", COURSE),
        staff.patch(holder, {"given_name": "Xanthippe"}, version=version),
        staff.post(f"{holder}/assessments", attempt),
        staff.post(f"{held}/suspension", said),
        staff.post(f"{held}/appeals", {"statement": "Zanzibar"}),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5
    told = [line for _, line in everything(container) if "anthippe" in line or "Zanzibar" in line]
    assert told == []


def test_who_waited_for_an_erasure_writes_nothing_after_it(ana, container):
    """The request had come before the erasure was through; its token was good then."""
    who, ids = ana
    held = f"/certifications/{ids['certification_id']}"
    with ThreadPoolExecutor(1) as pool:
        with container.work(SYSTEM) as work:
            belongings.empty(work, ids["holder_id"], work.now)
            late = pool.submit(who.post, f"{held}/activities", COURSE | {"title": "Late"})
            time.sleep(0.5)
        assert late.result().status_code in {401, 404}

    assert not [line for _, line in everything(container) if "Late" in line]


def test_nobody_approves_what_they_proposed_and_nobody_their_own(ana, caller, staff):
    who, ids = ana
    proposed = staff.post("/erasures", {"holder_id": ids["holder_id"], "reason": "By mail."})
    assert proposed.status_code == 201, proposed.json
    path = f"/erasures/{proposed.json['id']}/approval"
    own = caller("staff", holder_id=ids["holder_id"])

    assert (staff.post(path).status_code, staff.post(path).json["code"]) == (403, "same_person")
    assert own.post(path).status_code in {403, 409}
    assert who.post("/me/erasure", {}).status_code == 409
    assert who.delete("/me/erasure").status_code == 204
    assert caller("staff").post(path).status_code == 409


def test_what_others_keep_about_the_person_goes_as_well(ana, app, caller, container, staff):
    """Lists, also where nobody was found, an attempt that waits, answers kept for others."""
    who, ids = ana
    address = "Xanthippe@quagga.example"
    body = {"employee_id": "77", "email": address}
    made = staff.post(f"/employers/{ids['employer_id']}/roster", body)
    assert made.status_code == 201, made.json
    held = f"/certifications/{ids['certification_id']}"
    for path, text in (("activities", COURSE), ("appeals", {"statement": "Zanzibar"})):
        staff.post(f"{held}/{path}", text, key=path)
    for name in ("Xanthippe", "Xanthippe P."):
        attend(container, {"email": address, "name": name}, {"name": "Bo", "holder_ref": "77"})
    Browser(app).post("/sign-in", {"identifier": address})
    who.post("/me/erasure", {})
    assert approve(caller, container).status_code == 200

    words = ("anthippe", "uagga", "Zanzibar")
    told = [line for line in everything(container) if any(word in line[1] for word in words)]
    assert told == []


@pytest.mark.parametrize("change", [{"deactivated_at": NOON}, {"role": "reviewer"}])
def test_what_somebody_proposed_who_may_not_any_more_erases_nobody(ana, caller, container, change):
    who, ids = ana
    with container.work(SYSTEM) as work:
        id_ = accounts.open_account(work, role="staff", name="Kim", email="kim@x.org")
    with container.work(Actor(role="staff", name="Kim", person_id=id_)) as work:
        path = f"/erasures/{erasures.ask(work, ids['holder_id'], reason='x').id}"
    with container.work(SYSTEM) as work:
        work.execute(update(Account).where(Account.id == id_).values(change))
    lee = caller("staff")

    assert lee.post(f"{path}/approval").status_code == 403
    assert lee.post(f"{path}/refusal", {"reason": "Kim left."}).status_code == 200
    assert who.post("/me/erasure", {}).status_code == 201
    assert approve(caller, container).status_code == 200


def test_a_file_that_brings_the_person_again_makes_a_new_record(ana, caller, container):
    who, ids = ana
    with container.reading(SYSTEM) as reading:
        ref = holders.get(reading, ids["holder_id"]).ref
    who.post("/me/erasure", {})
    assert approve(caller, container).status_code == 200
    with container.work(SYSTEM) as work:
        again = factories.holder(work, ref=ref, email="xanthippe@quagga.example")

    assert again != ids["holder_id"]
    with container.reading(SYSTEM) as reading:
        assert reading.rows(select(Cycle.id)) != []
    assert jobs.audit(container).violations == 0


def test_every_table_that_refers_to_people_is_dealt_with():
    """Whatever refers to a holder, an account, a session, a token or an activity, by any way."""
    about = {"holder", "account", "login_session", "token", "activity", "renewal"}
    referring = {
        table.name
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name in about
    }
    classes = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}
    dealt_with = [value for value in vars(belongings).values() if isinstance(value, type)]
    left = {name for name in referring if classes[name] not in dealt_with}

    # The act itself, and invitations, which lead to no holder's account.
    assert left == {"erasure", "invitation"}


def test_a_suppressed_address_is_kept_as_a_digest_and_known_again(ana, caller, container):
    who, _ = ana
    address = "xanthippe@quagga.example"
    with container.work(SYSTEM) as work:
        suppressions.suppress(work, [address], suppressions.HARD)
    who.post("/me/erasure", {})
    assert approve(caller, container).status_code == 200
    assert not [line for _, line in everything(container) if "quagga" in line]
    assert caller("staff").get("/suppressions").json["items"] == []
    with container.work(SYSTEM) as work:
        factories.holder(work, email=address)

    with container.reading(SYSTEM) as reading:
        assert list(suppressions.since(reading, [address], now=reading.now)) == [address]
