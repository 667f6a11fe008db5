"""Security events, read by program and page, and the way out (overview/security_events.py)."""

from __future__ import annotations

import json
import logging
import re

import pytest
from sqlalchemy import select

from tests import factories
from tests.backends import SQLITE
from tests.statements import counted
from tracker import logs
from tracker.api import PREFIX
from tracker.domain.people.security_events import FailureKind, SecurityEventKind
from tracker.domain.permissions import SYSTEM
from tracker.language.catalogues import LANGUAGES
from tracker.models import Account, Holder, LoginSession, Token
from tracker.services.core import tokens
from tracker.web.people.security_events import WORDS


def events(browser, **query):
    return browser.get(f"{PREFIX}/me/security-events", query_string=query).json


def kinds(browser):
    return [one["kind"] for one in events(browser)["items"]]


def failed(browser):
    items = browser.get(f"{PREFIX}/me/failed-attempts").json["items"]
    return {one["kind"]: one["count"] for one in items}


def alive(container, model, ended):
    with container.reading(SYSTEM) as reading:
        return len(reading.rows(select(model.id).where(ended.is_(None))))


@pytest.fixture
def security_lines(caplog):
    """The lines about security so far, as JSON objects."""
    caplog.set_level(logging.INFO, "tracker.security")
    written = logs.formatter("json")
    return lambda: [
        json.loads(written.format(record))
        for record in caplog.records
        if record.name == "tracker.security"
    ]


def test_a_holder_sees_sign_ins_tokens_and_consents(browser, container, employer_id, ana):
    me = browser()
    me.ask(ana)
    phone = {"User-Agent": "Firefox on the phone"}
    me.post("/sign-in/code", {"code": me.mailed()}, headers=phone)
    with container.reading(SYSTEM) as reading:
        account = reading.row(select(Account.id, Account.holder_id))
    form = {"X-CSRF-Token": me.csrf()}
    made = me.open("POST", f"{PREFIX}/tokens", json={}, headers=form)
    shared = me.open(
        "POST", f"{PREFIX}/me/sharing", json={"employer_id": employer_id}, headers=form
    )
    assert (made.status_code, shared.status_code) == (201, 201)
    sharing_id = shared.json["id"]
    me.open("DELETE", f"{PREFIX}/me/sharing/{sharing_id}", headers=form)
    found = events(me)["items"]

    assert [one["kind"] for one in found] == [
        "consent_ended",
        "consent_given",
        "token_made",
        "signed_in",
        "account_claimed",
    ]
    assert {one["by_me"] for one in found} == {True}
    assert {one["role"] for one in found} == {"holder"}
    assert found[3]["agent"] == "Firefox on the phone"
    assert found[3]["session_id"]
    assert account.holder_id


def test_a_request_for_erasure_and_a_password_are_events_too(browser, ana):
    me = browser()
    me.sign_in(ana)
    me.send_form("/account/password", new_password="lantern meadow tractor")
    me.send_form("/account/password/remove")
    me.send_form("/account/data/erasure")
    me.send_form("/account/data/erasure/withdraw")

    asked = ["erasure_withdrawn", "erasure_asked", "password_removed", "password_changed"]
    assert kinds(me)[:4] == asked
    assert "Request for erasure withdrawn" in me.get("/account/events").text
    shut_out = me.send_form("/account/events/not-me").text
    assert "remove the passkeys that aren&#39;t yours" in shut_out


def test_what_others_did_is_said_to_be_theirs_and_their_sessions_are_not_shown(
    enter, employer_id, clock
):
    _, boss = enter("admin")
    who, me = enter("employer", employer_id=employer_id, access="view")
    assert boss.send_form(f"/account/people/{who.id}/change", access="manage").status_code == 303
    clock.advance(minutes=1)
    who.sign_in(me)
    (found,) = [one for one in events(me)["items"] if one["kind"] == "rights_changed"]

    assert found["by_me"] is False
    assert (found["role"], found["session_id"], found["agent"]) == ("admin", None, None)
    assert kinds(boss) == ["signed_in", "account_opened"]


def test_nobody_sees_the_events_of_others(browser, container, enter, ana):
    with container.work(SYSTEM) as work:
        factories.holder(work, email="bo@example.org")
        bo = work.row(select(Holder.id).where(Holder.email == "bo@example.org")).id
        tokens.create(work, name="x", role="holder", holder_id=bo)
    other, me = browser(), browser()
    other.sign_in("bo@example.org")
    _, staff = enter("staff")
    me.sign_in(ana)

    assert kinds(me) == ["signed_in", "account_claimed"]
    assert kinds(other) == ["signed_in", "account_claimed", "token_made"]
    assert kinds(staff) == ["signed_in", "account_opened"]


def test_pages_follow_each_other_in_a_constant_number_of_statements(browser, container, ana):
    me = browser()
    for _ in range(4):
        me.sign_in(ana)
    whole = [one["id"] for one in events(me)["items"]]
    parts, query, costs = [], {"limit": 3}, set()
    while True:
        with counted(container) as sent:
            page = events(me, **query)
        costs.add(len(sent))
        parts += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]

    assert parts == whole == sorted(whole, reverse=True)
    assert len(parts) > 6
    assert len(costs) == 1


def test_wrong_codes_of_emails_are_counted(browser, ana):
    me, thief = browser(), browser(address="10.0.0.9")
    thief.ask(ana)
    wrong = f"{(int(thief.mailed()) + 1) % 10**6:06}"
    for _ in range(2):
        thief.post("/sign-in/code", {"code": wrong})
    me.sign_in(ana)

    assert failed(me) == {"code": 2}
    assert "Wrong codes from emails: 2, since November 21, 2026" in me.get("/account/events").text


def test_wrong_passwords_and_wrong_codes_of_the_app_are_counted(browser, enter):
    who, me = enter("staff")
    thief = browser(address="10.0.0.9")
    for _ in range(2):
        who.enter_password(thief, "wrong horse battery")
    who.enter_password(thief)
    thief.post("/sign-in/factor", {"code": "000000"})

    assert failed(me) == {"password": 2, "second_factor": 1}
    assert "Wrong passwords: 2" in me.get("/account/events").text


def test_this_was_not_me_ends_every_session_and_token_and_says_what_to_do(browser, container, ana):
    me, thief = browser(), browser()
    for one in (me, thief):
        one.sign_in(ana)
    form = {"X-CSRF-Token": thief.csrf()}
    thief.open("POST", f"{PREFIX}/tokens", json={}, headers=form)
    page = me.send_form("/account/events/not-me")

    assert page.status_code == 200
    assert "You&#39;re signed out everywhere" in page.text
    assert "Change the password of your mailbox" in page.text
    assert alive(container, LoginSession, LoginSession.ended_at) == 0
    assert alive(container, Token, Token.revoked_at) == 0
    assert [one.get("/account").status_code for one in (me, thief)] == [303, 303]
    me.sign_in(ana)
    assert "not_me" in kinds(me)


@SQLITE
def test_a_member_is_sent_to_choose_a_new_password(enter):
    _, me = enter("staff")
    page = me.send_form("/account/events/not-me")

    assert re.findall(r'href="(/password/[^"]+)"', page.text) == ["/password/forgotten"]
    assert me.get("/account").status_code == 303


@SQLITE
def test_it_needs_the_token_of_the_session(browser, container, ana):
    """Case 25."""
    me = browser()
    me.sign_in(ana)

    assert me.post("/account/events/not-me").status_code == 400
    assert alive(container, LoginSession, LoginSession.ended_at) == 1


@SQLITE
def test_every_event_is_a_line_of_the_log_of_its_own_kind_without_secrets(
    browser, ana, security_lines
):
    """Case 43."""
    me = browser()
    me.ask(ana)
    code = me.mailed()
    me.post("/sign-in/code", {"code": f"{(int(code) + 1) % 10**6:06}"})
    me.post("/sign-in/code", {"code": code})
    lines = security_lines()

    assert [one["event"] for one in lines] == ["failed", "account_claimed", "signed_in"]
    assert {one["kind"] for one in lines} == {"security"}
    assert lines[0]["what"] == "code"
    assert lines[2]["account_id"]
    assert lines[2]["request_id"]
    text = json.dumps(lines)
    assert ana not in text
    assert code not in re.findall(r"\d+", text)
    assert "Ana" not in text


def test_what_was_taken_back_is_no_line(container, ana, security_lines):
    def undone():
        with container.work(SYSTEM) as work:
            holder_id = work.row(select(Holder.id).where(Holder.email == ana)).id
            tokens.create(work, name="x", role="holder", holder_id=holder_id)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        undone()

    assert security_lines() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_its_words(language):
    assert set(WORDS[language].kinds) == set(SecurityEventKind)
    assert set(WORDS[language].failures) == set(FailureKind)
