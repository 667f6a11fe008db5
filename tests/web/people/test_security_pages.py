"""What people change about their own account, and proving who they are (web/people/security.py)."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, update

from tests import factories
from tests.backends import SQLITE
from tests.members import PASSWORD, at, member
from tests.rows import acts_on
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Account, Employer, Message
from tracker.services.people import accounts, second_factors, sign_in

NEW = "another horse entirely"
CODES = re.compile(r"<code>([A-Z2-7]{4}-[A-Z2-7]{4})</code>")
TO_CONFIRM = "/account/confirm?next=%2Faccount%2Fsecurity"


def heading(page):
    (found,) = re.findall(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    return found


def token(me):
    return re.findall(r'name="csrf_token" value="([^"]+)"', me.get("/account").text)[0]


def post(me, path, **form):
    return me.post(path, {**form, "csrf_token": token(me)})


def told(container):
    with container.reading(SYSTEM) as reading:
        return sorted(row.about["type"] for row in reading.rows(select(Message.about)))


def confirm(me, kim, clock, **changed):
    clock.advance(minutes=1)
    form = {"password": PASSWORD, "code": kim.code(), "next": "/account/security"} | changed
    return post(me, "/account/confirm", **form)


def test_a_new_password_ends_the_other_sessions_and_is_told(browser, container, kim, me, clock):
    other = browser()
    clock.advance(minutes=1)
    kim.sign_in(other)
    done = post(me, "/account/password", new_password=NEW)

    assert heading(done) == "Your password was changed"
    assert other.get("/api/v1/me").status_code == 401
    assert me.get("/api/v1/me").status_code == 200
    assert kim.enter_password(other).status_code == 422
    assert kim.enter_password(other, NEW).status_code == 303
    assert told(container) == ["password_changed"]
    assert "change_password" in acts_on(container, "account")


BAD_PASSWORDS = [("short", "too short"), ("password123", "Many people"), ("", "too short")]


@SQLITE
def test_a_bad_password_changes_nothing(kim, me, browser):
    for text, said in BAD_PASSWORDS:
        page = post(me, "/account/password", new_password=text)

        assert (page.status_code, said in page.text) == (422, True), text
        assert kim.enter_password(browser()).status_code == 303, text


@SQLITE
@pytest.mark.parametrize(
    "path", ["/account/password", "/account/recovery-codes", "/account/authenticator"]
)
def test_ten_minutes_after_signing_in_people_confirm_first(container, kim, me, clock, path):
    clock.advance(minutes=10)
    form = {"new_password": NEW, "code": "123456"}
    refused = post(me, path, **form)
    assert (refused.status_code, refused.location) == (303, TO_CONFIRM)
    asks = me.get("/account/authenticator").location
    assert asks.startswith("/account/confirm")
    assert "Then repeat what you wanted to do." in me.get(asks).text
    assert not me.get("/api/v1/me/security").json["is_fresh"]

    assert confirm(me, kim, clock).location == "/account/security"
    assert me.get("/api/v1/me/security").json["is_fresh"]
    assert post(me, path, **form).location != TO_CONFIRM
    assert "confirm" in acts_on(container, "account")


@SQLITE
@pytest.mark.parametrize("wrong", [{"password": "x"}, {"code": "000000"}, {"code": ""}])
def test_who_confirms_with_something_wrong_confirms_nothing(kim, me, clock, wrong):
    clock.advance(minutes=10)
    page = confirm(me, kim, clock, **wrong)

    assert (page.status_code, "is wrong" in page.text) == (422, True)
    assert post(me, "/account/recovery-codes").location == TO_CONFIRM


def test_six_wrong_confirmations_are_too_many(kim, me, clock):
    clock.advance(minutes=1)
    answers = [post(me, "/account/confirm", password="x").status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]

    assert confirm(me, kim, clock).status_code == 303


def test_new_recovery_codes_are_shown_once_and_replace_the_former(browser, container, kim, me):
    page = post(me, "/account/recovery-codes")
    codes = CODES.findall(page.text)
    assert len(codes) == 10
    assert "that you haven&#39;t used: 10" in me.get("/account/security").text

    other = browser()
    kim.enter_password(other)
    assert other.post("/sign-in/factor", {"code": kim.codes[0]}).status_code == 422
    assert other.post("/sign-in/factor", {"code": codes[0]}).status_code == 303
    assert told(container) == ["recovery_codes"]


def test_another_app_replaces_the_first_once_its_code_is_right(browser, container, kim, me, clock):
    page = me.get("/account/authenticator").text
    secret = re.findall(r"<dd>([A-Z2-7 ]+)</dd>", page)[0].replace(" ", "")
    assert post(me, "/account/authenticator", code="000000").status_code == 422
    former = kim.secret()
    clock.advance(minutes=1)

    done = post(me, "/account/authenticator", code=at(clock.now, secret, 0))

    assert len(CODES.findall(done.text)) == 10
    assert kim.secret() == secret != former
    assert told(container) == ["factor_changed"]
    other = browser()
    clock.advance(minutes=1)
    kim.enter_password(other)
    assert other.post("/sign-in/factor", {"code": at(clock.now, former, 0)}).status_code == 422
    assert other.post("/sign-in/factor", {"code": kim.code()}).status_code == 303


@SQLITE
def test_opening_the_page_for_another_app_changes_nothing(kim, me):
    former = kim.secret()
    pages = {me.get("/account/authenticator").text for _ in range(2)}

    assert len(pages) == 1
    assert kim.secret() == former


def test_an_account_that_came_by_a_link_sets_a_password_and_an_app(browser, container, clock):
    """As in the demo."""
    with container.work(SYSTEM) as work:
        id_ = accounts.open_account(work, role="staff", name="Sam", email="sam@example.org")
        link = sign_in.link_for(work, id_, "sam@example.org", until=clock.now.replace(hour=23))
    me = browser()
    me.post(link.removeprefix("https://tracker.example"))
    assert post(me, "/account/recovery-codes").status_code == 409
    assert heading(post(me, "/account/password", new_password=NEW)) == "Your password was changed"
    secret = re.findall(r"<dd>([A-Z2-7 ]+)</dd>", me.get("/account/authenticator").text)[0]
    code = at(clock.now, secret.replace(" ", ""), 0)

    assert len(CODES.findall(post(me, "/account/authenticator", code=code).text)) == 10


def test_holders_confirm_by_a_mailed_code_and_their_former_address_is_told(
    browser, container, ana, clock
):
    me = browser()
    me.sign_in(ana)
    clock.advance(minutes=11)

    def change():
        own = me.get("/api/v1/me").json
        path = f"/api/v1/holders/{own['holder']['id']}"
        headers = {"X-CSRF-Token": own["csrf_token"], "If-Match": me.get(path).headers["ETag"]}
        return me.open("PATCH", path, json={"email": "new@example.org"}, headers=headers)

    refused = change()
    assert (refused.status_code, refused.json["code"]) == (403, "reauthentication_required")
    assert "Email me a code" in me.get("/account/confirm").text
    with cases.relay(container) as (sending, catcher):
        asked = post(me, "/account/confirm", next="/account")
        assert asked.location == "/sign-in/code?next=%2Faccount"
        assert me.post("/sign-in/code", {"code": me.mailed()}).location == "/account"
        assert change().status_code == 200
        jobs.dispatch(sending)
        letters = catcher.letters()

    (letter,) = [one for one in letters if "changed" in one.subject]
    assert (letter.recipient, "Ana" in letter.text) == (ana, True)


@SQLITE
def test_a_second_address_needs_a_fresh_session_too(browser, ana, clock):
    me = browser()
    me.sign_in(ana)
    clock.advance(minutes=11)
    own = me.get("/api/v1/me").json
    headers = {"X-CSRF-Token": own["csrf_token"]}

    def change(**values):
        return me.open("PATCH", "/api/v1/me/preferences", json=values, headers=headers)

    assert change(second_email="two@example.org").status_code == 403
    assert change(language="es").status_code == 200


@SQLITE
def test_tokens_are_made_in_a_fresh_session_only(me, clock):
    def make():
        headers = {"X-CSRF-Token": me.get("/api/v1/me").json["csrf_token"]}
        return me.open("POST", "/api/v1/tokens", json={}, headers=headers)

    made = make()
    assert made.status_code == 201
    bearer = {"Authorization": f"Bearer {made.json['secret']}"}
    assert me.get("/api/v1/me", headers=bearer).json["name"] == "Admin Doe"
    clock.advance(minutes=10)
    assert make().json["code"] == "reauthentication_required"


def test_who_only_views_for_an_employer_changes_the_own_account(browser, container):
    with container.work(SYSTEM) as work:
        employer = Employer(name="Acme", recorded_at=work.now)
        work.session.add(employer)
        work.session.flush()
        employer_id = employer.id
    viewer = member(container, "employer", employer_id=employer_id, access="view")
    viewer.set_up()
    me = browser()
    viewer.sign_in(me)
    sessions = me.get("/api/v1/me/sessions").json["items"]
    assert post(me, "/account/password", new_password=NEW).status_code == 200
    headers = {"X-CSRF-Token": me.get("/api/v1/me").json["csrf_token"]}
    made = me.open("POST", "/api/v1/tokens", json={}, headers=headers)
    assert made.status_code == 403
    path = f"/api/v1/me/sessions/{sessions[0]['id']}"

    assert me.open("DELETE", path, headers=headers).status_code == 204


@SQLITE
def test_tokens_have_no_such_account(browser, container):
    secret = factories.secret(container, "staff")
    headers = {"Authorization": f"Bearer {secret}"}

    assert browser().get("/api/v1/me/security", headers=headers).status_code == 404


def test_the_next_app_differs_in_every_session_and_after_every_app(container, kim):
    first = second_factors.secret_of(container.message_key, kim.id)

    assert first == kim.secret()
    with container.work(SYSTEM) as work:
        work.execute(update(Account).values(language="es"))
        second_factors.set_up(work, kim.id, "x", at(work.now, secret_of(work, "x"), 0))
    assert kim.secret() != first


def secret_of(work, seed):
    return second_factors.secret_of(work.message_key, seed)


@SQLITE
@pytest.mark.parametrize(
    "path",
    [
        "/account/password",
        "/account/recovery-codes",
        "/account/authenticator",
        "/account/confirm",
    ],
)
def test_no_form_without_its_token_changes_anything(me, path):
    assert me.post(path, {"new_password": NEW, "code": "1"}).status_code == 400


@SQLITE
@pytest.mark.parametrize("path", ["/account/password", "/account/recovery-codes"])
def test_opening_an_address_changes_nothing(me, path):
    assert me.get(path).status_code == 405
