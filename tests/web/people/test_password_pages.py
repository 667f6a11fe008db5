"""Signing in with a password and a second factor, and forgotten passwords (web/people)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from tests.backends import SQLITE
from tests.members import PASSWORD, member, set_up_code
from tests.statements import counted
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Account, HistoryEntry, LoginSession, Message, PasswordHash, SignIn
from tracker.services.people import password_changes, passwords, sessions

CODES = re.compile(r"<code>([A-Z2-7]{4}-[A-Z2-7]{4})</code>")


def heading(page):
    (found,) = re.findall(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    return found


def living(container):
    alive = select(func.count()).where(LoginSession.ended_at.is_(None))
    with container.reading(SYSTEM) as reading:
        return reading.row(alive)[0]


@pytest.fixture
def sam(container):
    """Staff with a password and no app yet."""
    return member(container)


def reset_link(container):
    with container.reading(SYSTEM) as reading:
        newest = select(SignIn.id).order_by(SignIn.id.desc()).limit(1)
        link = password_changes.link(reading, container.message_key, reading.row(newest).id)
    return link.removeprefix("https://tracker.example")


def ask_for_reset(browser, container, email):
    answer = browser.post("/password/forgotten", {"email": email})
    jobs.look_up_sign_ins(container)
    return answer


def test_the_first_sign_in_sets_the_app_up_and_shows_recovery_codes_once(browser, container, sam):
    me = browser()
    entered = sam.enter_password(me)
    assert (entered.status_code, entered.location) == (303, "/sign-in/factor?next=%2Faccount")
    page = me.get(entered.location)
    assert heading(page) == "Set up your authenticator app"
    assert "otpauth://totp/Tracker:" in page.text

    wrong = me.post("/sign-in/factor", {"code": "000000"})
    assert wrong.status_code == 422
    done = me.post("/sign-in/factor", {"code": set_up_code(container), "next": "/account"})

    assert heading(done) == "Your recovery codes"
    codes = CODES.findall(done.text)
    assert len(set(codes)) == 10
    assert 'href="/account"' in done.text
    assert heading(me.get("/account")) == "Staff Doe"
    assert me.get("/sign-in/password").location == "/account"
    with container.reading(SYSTEM) as reading:
        told = [row.action for row in reading.rows(select(HistoryEntry.action))]
    assert told[-2:] == ["set_up_factor", "sign_in"]


def test_the_next_sign_in_asks_for_a_code(browser, kim):
    me = browser()
    kim.enter_password(me)

    assert heading(me.get("/sign-in/factor")) == "Enter the code from your authenticator app"
    assert me.post("/sign-in/factor", {"code": kim.code()}).location == "/account"
    assert heading(me.get("/account")) == "Admin Doe"


@SQLITE
@pytest.mark.parametrize("name", ["sam", "kim"])
def test_after_the_password_alone_nothing_is_open_but_the_second_factor(
    browser, container, request, name
):
    """Whether or not there is an app already."""
    me = browser()
    request.getfixturevalue(name).enter_password(me)

    answer = me.get("/api/v1/me")
    assert (answer.status_code, answer.json["code"]) == (403, "second_factor_missing")
    path = "/api/v1/me/sessions/01900000-0000-7000-8000-000000000000"
    assert me.open("DELETE", path).status_code == 403
    assert me.get("/account").location == "/sign-in/factor?next=%2Faccount"
    assert living(container) == 0


def test_a_code_is_used_once_whoever_enters_it(browser, kim):
    """Twice within its 30 seconds, and an earlier one after a later one."""
    me, thief = browser(), browser()
    kim.enter_password(me)
    kim.enter_password(thief)
    earlier, now, later = (kim.code(steps=steps) for steps in (-1, 0, 1))
    assert me.post("/sign-in/factor", {"code": now}).status_code == 303

    for code in (now, earlier):
        assert thief.post("/sign-in/factor", {"code": code}).status_code == 422
    assert thief.post("/sign-in/factor", {"code": later}).status_code == 303


@SQLITE
def test_codes_of_other_times_are_wrong(browser, kim):
    me = browser()
    kim.enter_password(me)
    for steps in (-2, 2):
        assert me.post("/sign-in/factor", {"code": kim.code(steps=steps)}).status_code == 422


def test_a_recovery_code_replaces_the_app_once_however_it_is_typed(browser, kim):
    first, second = browser(), browser()
    kim.enter_password(first)
    kim.enter_password(second)
    typed = kim.codes[3].lower().replace("-", " ")

    assert first.post("/sign-in/factor", {"code": typed}).status_code == 303
    assert second.post("/sign-in/factor", {"code": kim.codes[3]}).status_code == 422
    assert second.post("/sign-in/factor", {"code": kim.codes[4]}).status_code == 303


def test_five_wrong_codes_end_the_attempt(browser, container, kim):
    me = browser()
    kim.enter_password(me)
    answers = [me.post("/sign-in/factor", {"code": "abc"}).status_code for _ in range(5)]

    assert answers == [422, 422, 422, 422, 403]
    assert me.post("/sign-in/factor", {"code": kim.code()}).status_code == 403
    assert living(container) == 0


def test_an_attempt_lasts_ten_minutes(browser, kim, clock):
    me = browser()
    kim.enter_password(me)
    clock.advance(minutes=11)

    assert heading(me.get("/sign-in/factor")) == "Please sign in again"
    assert me.get("/api/v1/me").status_code == 401


def test_known_and_unknown_people_get_the_same_bytes_from_the_same_work(
    browser, container, kim, monkeypatch
):
    """The statements are the same, and one hash is verified for either."""
    verified, answers, statements = [], [], []
    right = passwords.is_right

    def counting(*given):
        verified.append(given)
        return right(*given)

    monkeypatch.setattr(passwords, "is_right", counting)
    for n, email in enumerate((kim.email, "nobody@example.org", kim.email.upper())):
        me = browser(address=f"10.0.0.{n}")
        with counted(container) as sent:
            page = me.post("/sign-in/password", {"email": email, "password": "wrong horse one"})
        answers.append((page.status_code, page.data, page.headers.getlist("Set-Cookie")))
        statements.append(list(sent))

    assert answers[0] == answers[1] == answers[2]
    assert statements[0] == statements[1] == statements[2]
    assert len(verified) == 3


def test_a_forgotten_password_is_asked_for_by_known_and_unknown_alike(browser, container, kim):
    answers, statements = [], []
    for n, email in enumerate((kim.email, "nobody@example.org")):
        me = browser(address=f"10.0.0.{n}")
        with counted(container) as sent:
            page = me.post("/password/forgotten", {"email": email})
        answers.append((page.status_code, page.data))
        statements.append(list(sent))

    assert answers[0] == answers[1]
    assert statements[0] == statements[1]
    jobs.look_up_sign_ins(container)
    with container.reading(SYSTEM) as reading:
        assert [row.address for row in reading.rows(select(Message.address))] == [kim.email]


def test_six_wrong_passwords_are_too_many_but_not_for_somebody_elsewhere(browser, kim):
    thief, owner = browser(address="10.0.0.1"), browser(address="10.0.0.2")
    wrong = [kim.enter_password(thief, "wrong horse one").status_code for _ in range(6)]
    refused = kim.enter_password(thief)

    assert wrong == [422] * 5 + [429]
    assert (refused.status_code, heading(refused)) == (429, "Too many attempts")
    assert 0 < int(refused.headers["Retry-After"]) <= 61
    assert kim.enter_password(owner).status_code == 303


def test_right_passwords_are_not_counted(browser, kim):
    me = browser()
    assert [kim.enter_password(me).status_code for _ in range(8)] == [303] * 8
    assert [kim.enter_password(me, "wrong").status_code for _ in range(5)] == [422] * 5


def test_where_a_crowd_guesses_each_caller_still_has_one_guess(browser, kim):
    crowd = [browser(address=f"10.0.1.{n}") for n in range(20)]
    for one in crowd:
        assert {kim.enter_password(one, "wrong").status_code for _ in range(5)} == {422}
    owner = browser(address="10.0.0.2")

    assert kim.enter_password(owner, "wrong").status_code == 422
    assert kim.enter_password(owner).status_code == 429


INCOMPLETE: list[dict[str, str]] = [{}, {"email": "x"}, {"email": "kim@example.org"}]


@SQLITE
def test_what_is_missing_is_no_error(browser):
    for form in INCOMPLETE:
        assert browser().post("/sign-in/password", form).status_code == 422, form
        assert browser().post("/sign-in/factor", form).status_code == 403, form
        assert browser().post("/password/reset/x", form).status_code == 404, form


def test_a_forgotten_password_is_replaced_by_a_link_that_works_once(browser, container, kim):
    """Every session ends, and the second factor is asked for as before."""
    me, other = browser(), browser()
    kim.sign_in(other)
    kim.enter_password(me)
    assert heading(ask_for_reset(me, container, kim.email.upper())) == "Check your email"
    link = reset_link(container)
    for _ in range(2):
        assert heading(me.get(link)) == "Choose a new password"
    short = me.post(link, {"new_password": "short"})
    assert (short.status_code, "too short" in short.text) == (422, True)
    own = me.post(link, {"new_password": "Admin Doe 2026"})
    assert "is easy to guess" in own.text

    done = me.post(link, {"new_password": "another horse entirely"})

    assert heading(done) == "Your password was changed"
    assert other.get("/account").status_code == 303
    assert me.post("/sign-in/factor", {"code": kim.code(steps=1)}).status_code == 403
    for again in (me.get(link), me.post(link, {"new_password": "another horse entirely"})):
        assert again.status_code == 404
    assert kim.enter_password(me).status_code == 422
    entered = kim.enter_password(me, "another horse entirely")
    assert heading(me.get(entered.location)) == "Enter the code from your authenticator app"
    with container.reading(SYSTEM) as reading:
        about = [row.about["type"] for row in reading.rows(select(Message.about))]
    assert sorted(about) == ["password_changed", "reset"]


def test_a_reset_link_lasts_an_hour(browser, container, kim, clock):
    me = browser()
    ask_for_reset(me, container, kim.email)
    link = reset_link(container)
    clock.advance(minutes=61)

    assert me.get(link).status_code == 404


@SQLITE
def test_the_cookie_changes_between_password_and_factor(browser, kim):
    """Neither is worth anything as the other."""
    me, thief = browser(), browser()
    entered = kim.enter_password(me)
    (attempt,) = entered.headers.getlist("Set-Cookie")
    assert attempt.startswith("__Host-sign-in=")
    assert attempt.endswith("; Secure; HttpOnly; Path=/; SameSite=Lax")
    thief.set_cookie(attempt.partition("=")[2].partition(";")[0])

    assert thief.get("/api/v1/me").status_code == 401


@SQLITE
def test_another_site_signs_nobody_in(browser, kim):
    evil = {"headers": {"Origin": "https://evil.example"}}
    me = browser()
    kim.enter_password(me)
    answers = [
        kim.enter_password(me, **evil),
        me.post("/sign-in/factor", {"code": kim.code()}, **evil),
        me.post("/password/forgotten", {"email": kim.email}, **evil),
        me.post("/password/reset/x", {}, **evil),
    ]

    assert [one.status_code for one in answers] == [400] * 4


@SQLITE
def test_only_pages_of_ours_are_opened_afterwards(browser, kim):
    me = browser()
    form = {"email": kim.email, "password": PASSWORD, "next": "//evil.example"}
    assert me.post("/sign-in/password", form).location == "/sign-in/factor?next=%2Faccount"
    entered = me.post("/sign-in/factor", {"code": kim.code(), "next": "//evil.example"})

    assert entered.location == "/account"


def test_somebody_who_was_deactivated_does_not_sign_in(browser, container, kim):
    me, other = browser(), browser()
    kim.sign_in(other)
    kim.enter_password(me)
    with container.work(SYSTEM) as work:
        work.execute(update(Account).values(deactivated_at=work.now))

    assert me.post("/sign-in/factor", {"code": kim.code(steps=1)}).status_code == 403
    assert kim.enter_password(me).status_code == 422
    assert other.get("/api/v1/me").status_code == 401


def test_a_hash_with_former_costs_is_renewed(browser, container, kim, monkeypatch):
    def stored():
        with container.reading(SYSTEM) as reading:
            return reading.row(select(PasswordHash.hash)).hash

    chosen = replace(container.settings.accounts, password_rounds=2)
    settings = replace(container.settings, accounts=chosen)
    app_container = replace(container, settings=settings)
    me = browser()
    monkeypatch.setitem(me.app.extensions, "tracker", app_container)

    assert kim.enter_password(me).status_code == 303
    assert ",t=2," in stored()
    assert kim.enter_password(me).status_code == 303


@SQLITE
def test_the_pages_speak_spanish(browser):
    page = browser().get("/sign-in/password", headers={"Accept-Language": "es-MX"})

    assert heading(page) == "Iniciar sesión con contraseña"


def test_no_password_and_no_code_gets_into_the_log_or_the_database(browser, container, kim, caplog):
    caplog.set_level("DEBUG")
    me = browser()
    kim.enter_password(me, "hunter2 hunter2")
    kim.sign_in(me)
    with container.reading(SYSTEM) as reading:
        rows = [
            str(tuple(row))
            for table in (HistoryEntry, SignIn, LoginSession, PasswordHash)
            for row in reading.rows(select(table.__table__))
        ]

    for secret in ("hunter2", PASSWORD, kim.secret(), *kim.codes):
        assert secret not in caplog.text
        assert not any(secret in row for row in rows)
    assert sessions.digest_of(me.cookie().partition(".")[0]) in "".join(rows)
