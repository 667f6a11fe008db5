"""Passwords that holders choose, which nobody has to (services/people/own_account.py)."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import select

from tests import authenticators, factories
from tests.authenticators import Device
from tests.backends import SQLITE
from tests.members import at, member
from tests.rows import count
from tests.services.delivery import reminder_cases as cases
from tests.statements import counted
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import (
    Account,
    Certification,
    Holder,
    LoginSession,
    Message,
    PasswordHash,
    SignIn,
)
from tracker.services.overview import exports
from tracker.services.people import holders

WORDS = "correct horse battery"
SECURITY = "/account/security"


def heading(page):
    (found,) = re.findall(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    return found


def try_password(browser, email, password=WORDS, **more):
    return browser.post("/sign-in/password", {"email": email, "password": password}, **more)


@pytest.fixture
def me(browser, ana):
    """Ana's browser, signed in by a code."""
    found = browser()
    found.sign_in(ana)
    return found


@pytest.fixture
def chosen(me):
    """Ana has chosen a password."""
    page = me.get(SECURITY)
    assert "Choose a new password" in page.text
    done = me.send_form("/account/password", new_password=WORDS)
    assert (done.status_code, f'<a href="{SECURITY}">' in done.text) == (200, True)
    return me


def set_up_app(me, clock):
    """Set an app up in a fresh session; its secret."""
    page = me.get("/account/authenticator").text
    secret = re.findall(r"<dd>([A-Z2-7 ]+)</dd>", page)[0].replace(" ", "")
    answer = me.send_form("/account/authenticator", code=at(clock.now, secret, 0))
    assert answer.status_code == 200, answer.text
    return secret


@SQLITE
def test_the_page_of_a_first_app_does_not_speak_of_another_one(me, clock):
    assert heading(me.get("/account/authenticator")) == "Set up your authenticator app"
    set_up_app(me, clock)

    assert heading(me.get("/account/authenticator")) == "Set up another authenticator app"


@pytest.mark.usefixtures("chosen")
def test_the_password_is_followed_by_a_mailed_code(browser, container, ana):
    other = browser()
    entered = try_password(other, ana.upper())
    assert (entered.status_code, entered.location) == (303, "/sign-in/code?next=%2Faccount")
    assert other.get("/api/v1/me").status_code == 401
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        letters = [one for one in catcher.letters() if other.mailed() in one.text.replace(" ", "")]
    assert [one.recipient for one in letters] == [ana]

    assert other.post("/sign-in/code", {"code": other.mailed()}).location == "/account"
    assert other.get("/api/v1/me").json["holder"]["email"] == ana
    assert other.get("/api/v1/me/security").json["is_fresh"]


def test_with_an_app_no_mail_is_needed(browser, container, ana, chosen, clock):
    secret = set_up_app(chosen, clock)
    clock.advance(minutes=1)
    other = browser()
    mailed = count(container, Message)
    assert try_password(other, ana).location == "/sign-in/factor?next=%2Faccount"
    assert other.get("/api/v1/me").json["code"] == "second_factor_missing"

    assert other.post("/sign-in/factor", {"code": "000000"}).status_code == 422
    done = other.post("/sign-in/factor", {"code": at(clock.now, secret, 0)})
    assert done.location == "/account"
    assert other.get("/api/v1/me").json["role"] == "holder"
    assert count(container, Message) == mailed
    thief = browser()
    try_password(thief, ana)
    again = thief.post("/sign-in/factor", {"code": at(clock.now, secret, 0)})
    assert again.status_code == 422


@SQLITE
@pytest.mark.usefixtures("chosen")
def test_the_code_goes_on_letting_in(browser, ana):
    other = browser()
    assert other.sign_in(ana).location == "/account"


@pytest.mark.usefixtures("chosen")
def test_known_and_unknown_people_get_the_same_answer_after_as_much_work(browser, container, ana):
    """Case 16."""
    pages, statements = [], []
    for email in (ana, "nobody@example.org"):
        with counted(container) as sent:
            page = try_password(browser(), email, "wrong words entirely")
        pages.append((page.status_code, page.text))
        statements.append(len(sent))

    assert pages[0] == pages[1]
    assert pages[0][0] == 422
    assert statements[0] == statements[1]


@pytest.mark.usefixtures("chosen")
def test_wrong_passwords_of_holders_are_counted_too(browser, ana):
    """Case 15."""
    me = browser(address="10.0.0.1")
    answers = [try_password(me, ana, "wrong").status_code for _ in range(6)]

    assert answers == [422] * 5 + [429]
    assert try_password(browser(address="10.0.0.2"), ana).status_code == 303


def test_another_password_ends_the_other_sessions_and_is_told(browser, container, ana, chosen):
    other = browser()
    other.sign_in(ana)
    assert "Change the password" in chosen.get(SECURITY).text
    chosen.send_form("/account/password", new_password="another horse entirely")

    assert other.get("/api/v1/me").status_code == 401
    assert try_password(browser(), ana).status_code == 422
    assert try_password(browser(), ana, "another horse entirely").status_code == 303
    with container.reading(SYSTEM) as reading:
        told = [row.about.get("type") for row in reading.rows(select(Message.about))]
    assert told.count("password_changed") == 2


BAD_PASSWORDS = ["short", "password123", "ana ruiz", "Ana Ruiz 1234567"]


@SQLITE
def test_a_bad_password_is_refused(container, me):
    for text in BAD_PASSWORDS:
        assert me.send_form("/account/password", new_password=text).status_code == 422, text
        assert count(container, PasswordHash) == 0, text


def test_a_password_can_be_removed(browser, container, ana, chosen):
    other, waiting = browser(), browser()
    other.sign_in(ana)
    assert "Remove the password" in chosen.get(SECURITY).text
    try_password(waiting, ana)

    assert chosen.send_form("/account/password/remove").location == SECURITY
    assert chosen.get("/api/v1/me/security").json["password_changed_at"] is None
    assert other.get("/api/v1/me").status_code == 401
    assert try_password(browser(), ana).status_code == 422
    assert chosen.send_form("/account/password/remove").status_code == 404
    with container.reading(SYSTEM) as reading:
        told = {row.about.get("type") for row in reading.rows(select(Message.about))}
    assert "password_removed" in told


def test_an_attempt_that_rests_on_a_removed_password_ends(browser, ana, chosen, clock):
    secret = set_up_app(chosen, clock)
    clock.advance(minutes=1)
    waiting = browser()
    try_password(waiting, ana)
    chosen.send_form("/account/password/remove")

    assert waiting.post("/sign-in/factor", {"code": at(clock.now, secret, 0)}).status_code == 403


@SQLITE
@pytest.mark.parametrize("path", ["/account/password", "/account/password/remove"])
def test_choosing_and_removing_need_a_fresh_proof(container, chosen, clock, path):
    """Case 23."""
    clock.advance(minutes=11)
    refused = chosen.send_form(path, new_password="another horse entirely")

    assert refused.location.startswith("/account/confirm?")
    assert count(container, PasswordHash) == 1


@SQLITE
def test_who_needs_the_password_cannot_remove_it(container, enter):
    _, sam = enter("staff")

    assert sam.send_form("/account/password/remove").status_code == 403
    assert count(container, PasswordHash) == 1


def test_the_password_ends_with_the_address_that_chose_it(browser, container, ana, chosen):
    with container.work(SYSTEM) as work:
        holder = work.session.scalar(select(Holder).where(Holder.email == ana))
        changed = {"email": "new@example.org"}
        holders.write(work, holder, changed, reason="Lost", is_approved=True)
    assert chosen.get("/api/v1/me").status_code == 401
    for email in (ana, "new@example.org"):
        assert try_password(browser(), email).status_code == 422

    other = browser()
    other.sign_in("new@example.org")
    assert other.get("/api/v1/me/security").json["password_changed_at"] is None
    assert other.send_form("/account/password", new_password=WORDS).status_code == 200
    assert try_password(browser(), "new@example.org").status_code == 303
    assert count(container, PasswordHash) == 1


def test_the_dead_do_not_sign_in(browser, container, ana, chosen):
    with container.work(SYSTEM) as work:
        holder = work.session.scalar(select(Holder).where(Holder.email == ana))
        holders.write(work, holder, {"deceased_on": date(2026, 11, 1)}, reason="Told")

    assert try_password(browser(), ana).status_code == 422
    assert chosen.get("/api/v1/me").status_code == 401
    assert count(container, LoginSession) == 1


@pytest.mark.usefixtures("chosen")
def test_one_address_of_several_people_has_one_password(browser, container, ana):
    _, certification_id = factories.certified(
        container, date(2021, 12, 25), given_name="Bea", family_name="Soto", email=ana
    )
    with container.reading(SYSTEM) as reading:
        numbered = select(Certification.number).where(Certification.id == certification_id)
        number = reading.row(numbered).number
    bea = browser()
    bea.sign_in(number)
    refused = bea.send_form("/account/password", new_password="another horse entirely")

    assert (refused.status_code, "several people" in refused.text) == (422, True)
    assert count(container, PasswordHash) == 1


@SQLITE
def test_an_address_of_a_member_signs_in_the_member(browser, container, ana, me):
    sam = member(container, "staff", email=ana)
    refused = me.send_form("/account/password", new_password="another horse entirely")
    assert refused.status_code == 422
    other = browser()

    assert sam.enter_password(other).location == "/sign-in/factor?next=%2Faccount"
    assert count(container, PasswordHash) == 1


@pytest.mark.usefixtures("chosen")
def test_a_member_of_the_same_address_comes_first(browser, container, ana):
    sam = member(container, "staff", email=ana)
    sam.set_up()
    other = browser()
    sam.sign_in(other)

    assert other.get("/api/v1/me").json["role"] == "staff"


@pytest.mark.usefixtures("chosen")
def test_who_forgot_it_signs_in_by_a_code(browser, container, ana):
    me = browser()
    assert "emailed code" in me.get("/password/forgotten").text
    before = count(container, Message)
    me.post("/password/forgotten", {"email": ana})
    jobs.look_up_sign_ins(container)

    assert count(container, Message) == before
    assert count(container, SignIn, SignIn.purpose == "reset") == 1


@SQLITE
def test_a_passkey_stays_beside_it(browser, ana, chosen):
    phone = Device()
    authenticators.add(chosen, phone)
    other = browser()

    assert try_password(other, ana).location.startswith("/sign-in/code")
    assert authenticators.sign_in(other, phone).status_code == 303


@pytest.mark.usefixtures("chosen")
def test_a_holders_record_says_when_it_was_chosen_and_not_what_it_is(container):
    with container.reading(SYSTEM) as reading:
        ref = reading.row(select(Holder.ref)).ref
        (account,) = exports.record(reading, ref)["accounts"]

    assert account["password_changed_at"] == "2026-11-21T17:00:00Z"
    assert account["app_confirmed_at"] is None
    assert "hash" not in account


@SQLITE
def test_holders_see_how_their_account_is_protected(container, me):
    shown = me.get("/api/v1/me/security").json

    assert (shown["password_changed_at"], shown["app_confirmed_at"]) == (None, None)
    assert not shown["has_passkey"]
    assert count(container, Account) == 1
