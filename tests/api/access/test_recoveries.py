"""Letting somebody in again, by two people (api/access/recoveries.py, services/people)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from tests import factories
from tests.browsers import Browser
from tests.members import member
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.db import new_id
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Account, HistoryEntry, Recovery
from tracker.services.people import accounts, recoveries

NOON = datetime(2026, 11, 21, 17, tzinfo=UTC)
WHY = {"reason": "Called from the number on record; lost the phone."}


@pytest.fixture
def sam(caller):
    return caller("staff")


@pytest.fixture
def lee(caller):
    return caller("staff")


@pytest.fixture
def hal(container, employer_id):
    """An employer's manager with an app."""
    found = member(container, "employer", employer_id=employer_id)
    found.codes = found.set_up()
    return found


def test_a_lost_second_factor_is_removed_by_two_and_set_up_again(app, container, sam, lee, hal):
    browser = Browser(app)
    hal.sign_in(browser)
    made = sam.post("/recoveries", WHY | {"account_id": hal.id})
    assert (made.status_code, made.json["kind"], made.json["state"]) == (
        201,
        "second_factor",
        "proposed",
    )
    path = f"/recoveries/{made.json['id']}"
    own = sam.post(f"{path}/approval")
    assert (own.status_code, own.json["code"]) == (403, "same_person")
    assert browser.get("/api/v1/me").status_code == 200

    with cases.relay(container) as (sending, catcher):
        done = lee.post(f"{path}/approval")
        jobs.dispatch(sending)
        (letter,) = catcher.letters()

    assert (done.status_code, done.json["state"]) == (200, "approved")
    assert browser.get("/api/v1/me").status_code == 401
    entered = hal.enter_password(browser)
    assert "Set up your authenticator app" in browser.get(entered.location).text
    assert browser.post("/sign-in/factor", {"code": hal.codes[0]}).status_code == 422
    assert (letter.recipient, "second factor" in letter.subject) == (hal.email, True)
    for again in (lee.post(f"{path}/approval"), sam.post(f"{path}/refusal", WHY)):
        assert again.status_code == 409
    with container.reading(SYSTEM) as reading:
        lines = select(HistoryEntry.action).where(HistoryEntry.subject == "recovery")
        assert [row.action for row in reading.rows(lines)] == ["propose", "approve"]


def test_a_holder_without_the_old_mailbox_signs_in_by_the_new_one(app, container, sam, lee):
    with container.work(SYSTEM) as work:
        ana = factories.holder(work, email="old@x.org", given_name="Ana", language="es")
    browser = Browser(app)
    browser.sign_in("old@x.org")
    body = WHY | {"holder_id": ana, "email": "New@x.org"}
    path = f"/recoveries/{sam.post('/recoveries', body).json['id']}"
    assert sam.post(f"{path}/approval").status_code == 403
    with cases.relay(container) as (sending, catcher):
        assert lee.post(f"{path}/approval").status_code == 200
        jobs.dispatch(sending)
        (letter,) = catcher.letters()

    assert (letter.recipient, letter.subject) == ("old@x.org", "Se cambió su correo en Tracker")
    assert "New@x.org" not in letter.text
    assert browser.get("/api/v1/me").status_code == 401
    old, new = Browser(app, address="10.0.0.1"), Browser(app, address="10.0.0.2")
    assert old.sign_in("old@x.org").status_code == 422
    assert new.sign_in("new@x.org").status_code == 303
    assert new.get("/api/v1/me").json["holder"]["id"] == ana


def test_a_holder_who_never_signed_in_is_told_too(container, sam, lee):
    with container.work(SYSTEM) as work:
        ana = factories.holder(work, email="old@x.org")
    body = WHY | {"holder_id": ana, "email": "new@x.org"}
    path = f"/recoveries/{sam.post('/recoveries', body).json['id']}"
    with cases.relay(container) as (sending, catcher):
        lee.post(f"{path}/approval")
        jobs.dispatch(sending)

        assert [letter.recipient for letter in catcher.letters()] == ["old@x.org"]


def test_the_holder_is_not_one_of_the_two(caller, container, sam):
    with container.work(SYSTEM) as work:
        ana = factories.holder(work, email="old@x.org")
    herself = caller("staff", holder_id=ana)
    body = WHY | {"holder_id": ana, "email": "new@x.org"}
    assert herself.post("/recoveries", body).json["code"] == "self_review"
    path = f"/recoveries/{sam.post('/recoveries', body).json['id']}"

    assert herself.post(f"{path}/approval").json["code"] == "self_review"


def test_a_token_that_the_proposer_made_for_another_name_approves_nothing(app, caller, hal):
    kim = caller("admin")
    other = kim.post("/tokens", {"role": "staff", "name": "Somebody else"}).json["secret"]
    third = type(kim)(app.test_client(), other)
    path = f"/recoveries/{kim.post('/recoveries', WHY | {'account_id': hal.id}).json['id']}"
    assert third.post(f"{path}/approval").json["code"] == "same_person"
    assert third.post(f"{path}/refusal", WHY).status_code == 200

    path = f"/recoveries/{third.post('/recoveries', WHY | {'account_id': hal.id}).json['id']}"
    assert kim.post(f"{path}/approval").json["code"] == "same_person"


def test_nor_do_two_tokens_that_one_person_made_for_others(app, caller, hal):
    kim = caller("admin")
    secrets = [kim.post("/tokens", {"role": "staff", "name": x}).json["secret"] for x in "AB"]
    first, second = (type(kim)(app.test_client(), secret) for secret in secrets)
    path = f"/recoveries/{first.post('/recoveries', WHY | {'account_id': hal.id}).json['id']}"

    assert second.post(f"{path}/approval").json["code"] == "same_person"


def test_nor_does_one_that_was_made_in_a_session(app, container, hal):
    kim = member(container, "admin")
    kim.set_up()
    browser = Browser(app)
    kim.sign_in(browser)
    headers = {"X-CSRF-Token": browser.get("/api/v1/me").json["csrf_token"]}

    def send(path, body):
        return browser.open("POST", f"/api/v1{path}", json=body, headers=headers)

    secret = send("/tokens", {"role": "staff", "name": "Somebody else"}).json["secret"]
    path = f"/recoveries/{send('/recoveries', WHY | {'account_id': hal.id}).json['id']}/approval"
    bearer = {"Authorization": f"Bearer {secret}"}

    assert Browser(app).post(f"/api/v1{path}", headers=bearer).json["code"] == "same_person"


def test_for_staff_one_of_the_two_is_an_administrator(caller, container, sam, lee):
    pat = member(container, "staff")
    pat.set_up()
    path = f"/recoveries/{sam.post('/recoveries', WHY | {'account_id': pat.id}).json['id']}"

    assert lee.post(f"{path}/approval").status_code == 403
    assert caller("admin").post(f"{path}/approval").status_code == 200


def test_a_proposal_counts_for_what_its_maker_is_today(app, container, caller, sam):
    """One who was an administrator then is none now; one who has left proposes nothing."""
    pat = member(container, "staff")
    kim, _ = (member(container, "admin", email=f"{name}@x.org") for name in ("kim", "lou"))
    kim.set_up()
    browser = Browser(app)
    kim.sign_in(browser)
    headers = {"X-CSRF-Token": browser.get("/api/v1/me").json["csrf_token"]}
    body = WHY | {"account_id": pat.id}
    made = browser.post("/api/v1/recoveries", json=body, headers=headers).json
    path, admin = f"/recoveries/{made['id']}/approval", caller("admin")

    assert admin.patch(f"/accounts/{kim.id}", {"role": "staff"}).status_code == 200
    assert sam.post(path).status_code == 403
    assert admin.post(f"/accounts/{kim.id}/deactivation", WHY).status_code == 200
    assert admin.post(path).status_code == 403
    assert sam.post(f"/recoveries/{made['id']}/refusal", WHY).status_code == 200


@pytest.mark.parametrize("change", [{"deactivated_at": NOON}, {"role": "reviewer"}])
def test_what_somebody_proposed_who_may_not_any_more_is_nobodys_word(container, lee, change):
    with container.work(SYSTEM) as work:
        ana = factories.holder(work, email="old@x.org")
        kim = accounts.open_account(work, role="staff", name="Kim", email="kim@x.org")
    with container.work(Actor(role="staff", name="Kim", person_id=kim)) as work:
        wanted = recoveries.NewRecovery("Called.", holder_id=ana, email="new@x.org")
        path = f"/recoveries/{recoveries.propose(work, wanted).id}"
    with container.work(SYSTEM) as work:
        work.execute(update(Account).where(Account.id == kim).values(change))

    assert lee.post(f"{path}/approval").json["code"] == "not_allowed"
    assert lee.post(f"{path}/refusal", WHY).status_code == 200
    assert (
        lee.post("/recoveries", WHY | {"holder_id": ana, "email": "new@x.org"}).status_code == 201
    )


def test_one_proposal_waits_for_an_account(sam, lee, hal):
    first = sam.post("/recoveries", WHY | {"account_id": hal.id})
    assert lee.post("/recoveries", WHY | {"account_id": hal.id}).status_code == 409
    assert sam.post(f"/recoveries/{first.json['id']}/refusal", WHY).json["state"] == "refused"
    assert lee.post("/recoveries", WHY | {"account_id": hal.id}).status_code == 201
    assert len(sam.get("/recoveries?state=proposed").json["items"]) == 1
    assert sam.get(f"/recoveries/{first.json['id']}").json["decision_reason"] == WHY["reason"]


@pytest.mark.parametrize("body", [{}, {"email": "x@x.org"}, {"account_id": "", "email": "x@x.org"}])
def test_half_a_proposal_is_refused(sam, hal, body):
    if "account_id" in body:
        body = body | {"account_id": hal.id}
    unknown = {"account_id": "01900000-0000-7000-8000-000000000000"}

    assert sam.post("/recoveries", WHY | body).status_code == 422
    assert sam.post("/recoveries", WHY | unknown).status_code == 422
    assert sam.post("/recoveries", {"account_id": hal.id}).status_code == 422


def test_two_that_approve_at_once_approve_once(caller, sam, hal):
    path = f"/recoveries/{sam.post('/recoveries', WHY | {'account_id': hal.id}).json['id']}"
    others = [caller("staff") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda who: who.post(f"{path}/approval").status_code, others)

    assert sorted(found) == [200, 409]


def test_the_database_wants_two_people_as_well(container, hal):
    person = new_id()
    now = container.clock()
    row = {
        "kind": "second_factor",
        "account_id": hal.id,
        "reason": "x",
        "proposed_by": "x",
        "proposer_id": person,
        "proposer_role": "staff",
        "proposer_above": [],
        "recorded_at": now,
        "state": "approved",
        "decided_at": now,
    }
    with pytest.raises(IntegrityError), container.work(SYSTEM) as work:
        work.execute(insert(Recovery).values(row | {"id": new_id(), "decider_id": person}))
