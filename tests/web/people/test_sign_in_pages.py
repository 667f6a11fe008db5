"""The pages for signing in and out (web/people/sign_in.py), and their cookies."""

from __future__ import annotations

import logging
import re

import pytest
from sqlalchemy import func, select

from tests.backends import SQLITE
from tests.conftest import make_app, office_of
from tests.statements import counted
from tracker.domain.permissions import SYSTEM
from tracker.models import Account, LoginSession

CSP = re.compile(r"default-src 'none'; style-src 'self'; img-src [^;]+; form-action 'self'; .*")


def heading(page):
    (found,) = re.findall(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    return found


def living(container):
    alive = select(func.count()).where(LoginSession.ended_at.is_(None))
    with container.reading(SYSTEM) as reading:
        return reading.row(alive)[0]


def test_a_holder_signs_in_by_a_mailed_code(browser, ana):
    me = browser()
    assert heading(me.get("/sign-in")) == "Sign in"

    asked = me.ask(ana)
    assert (asked.status_code, asked.location) == (303, "/sign-in/code?next=%2Faccount")
    assert heading(me.get(asked.location)) == "Enter your code"
    entered = me.post("/sign-in/code", {"code": me.mailed(), "next": "/account"})

    assert (entered.status_code, entered.location) == (303, "/account")
    assert heading(me.get("/account")) == "Ana Ruiz"
    assert me.get("/sign-in").location == "/account"


def test_a_link_signs_in_only_when_its_button_is_pressed(browser, container, ana):
    me, phone = browser(), browser()
    me.ask(ana)
    link = me.link()

    for _ in range(2):
        assert heading(phone.get(link)) == "Sign in here?"
    assert living(container) == 0
    assert phone.post(link).location == "/account"
    assert heading(phone.get("/account")) == "Ana Ruiz"
    for again in (
        phone.get(link),
        phone.post(link),
        me.post(f"{link}x"),
        me.get("/sign-in/link/x"),
    ):
        assert again.status_code == 404
        assert heading(again) == "This link can&#39;t be used anymore"
    assert living(container) == 1


def test_a_wrong_code_does_not_sign_in(browser, container, ana):
    me = browser()
    me.ask(ana)
    wrong = f"{(int(me.mailed()) + 1) % 10**6:06}"
    for code in (wrong, "", "abc", "\x00"):
        page = me.post("/sign-in/code", {"code": code})
        assert page.status_code == 422
        assert "That code is wrong" in page.text
    assert living(container) == 0
    assert me.post("/sign-in/code", {"code": me.mailed()}).status_code == 303


@SQLITE
def test_what_is_neither_address_nor_number_is_said_to_be_so(browser):
    page = browser().post("/sign-in", {"identifier": "a@b"})

    assert page.status_code == 422
    assert "Enter your email address or your certificate number." in page.text


def test_known_and_unknown_people_get_the_same_bytes_from_the_same_statements(
    browser, container, ana
):
    """By construction, so nothing is timed. Statements are those of the requests."""
    answers, cookies, statements = [], [], []
    for address, identifier in enumerate((ana, "nobody@example.org", "CPT-AAAAA-AAAAA")):
        me = browser(address=f"10.0.0.{address}")
        with counted(container) as sent:
            first = me.post("/sign-in", {"identifier": identifier})
        me.ask(identifier)
        with counted(container) as more:
            wrong = me.post("/sign-in/code", {"code": "x"})
        secret = re.compile(rb"__Host-sign-in=[^;]+")
        answers.append([(a.status_code, a.data, a.location) for a in (first, wrong)])
        cookies.append(secret.sub(b"", first.headers["Set-Cookie"].encode()))
        statements.append([*sent, *more])

    assert answers[0] == answers[1] == answers[2]
    assert cookies[0] == cookies[1] == cookies[2]
    assert statements[0] == statements[1] == statements[2]


def test_a_sixth_code_within_the_hour_is_refused_but_not_to_another_caller(browser, ana):
    """Nobody can lock somebody else out."""
    thief, owner = browser(address="10.0.0.1"), browser(address="10.0.0.2")
    assert [thief.ask(ana).status_code for _ in range(6)] == [303] * 5 + [429]
    refused = thief.ask(ana)

    assert heading(refused) == "Too many attempts"
    assert 0 < int(refused.headers["Retry-After"]) <= 3601
    assert owner.sign_in(ana).status_code == 303


def test_where_many_callers_ask_each_still_gets_one_code(browser, ana):
    form = {"identifier": ana}
    crowd = [browser(address=f"10.0.1.{n}") for n in range(4)]
    for one in crowd:
        assert [one.post("/sign-in", form).status_code for _ in range(5)] == [303] * 5
    owner = browser(address="10.0.0.2")

    assert [owner.post("/sign-in", form).status_code for _ in range(2)] == [303, 429]


def test_one_caller_gets_thirty_codes_an_hour_whatever_it_says_of_itself(browser):
    """X-Forwarded-For counts only from a proxy that the settings trust."""
    me, answers = browser(), []
    for n in range(31):
        headers = {"X-Forwarded-For": f"10.9.9.{n}"}
        answers.append(me.post("/sign-in", {"identifier": f"x{n}@example.org"}, headers=headers))

    assert [one.status_code for one in answers] == [303] * 30 + [429]


@SQLITE
def test_another_host_gets_nothing(app):
    page = app.test_client().post("/sign-in", base_url="https://evil.example")

    assert page.status_code == 404


@SQLITE
def test_the_cookies_are_for_this_site_alone(browser, ana):
    me = browser()
    asked = me.ask(ana)
    entered = me.post("/sign-in/code", {"code": me.mailed()})
    (attempt,), (session, taken) = (
        answer.headers.getlist("Set-Cookie") for answer in (asked, entered)
    )

    rules = r"; Secure; HttpOnly; Path=/; SameSite=Lax"
    assert re.fullmatch(rf"__Host-session=[0-9a-f]{{64}}\.[a-z2-7]{{15}}{rules}", session)
    assert re.fullmatch(rf"__Host-sign-in=[\w-]{{43}}{rules}", attempt)
    assert taken.startswith("__Host-sign-in=; Expires=Thu, 01 Jan 1970")


@SQLITE
def test_at_an_address_without_tls_the_cookies_have_plain_names(browser, ana, monkeypatch):
    monkeypatch.setattr("tracker.api.http.session_cookies._is_secure", lambda: False, raising=True)
    (session, _) = browser().sign_in(ana).headers.getlist("Set-Cookie")

    assert session.startswith("session=")
    assert "Secure" not in session


def test_signing_in_makes_a_new_session_and_ends_the_one_before(browser, container, ana):
    me, thief = browser(), browser()
    me.sign_in(ana)
    before = me.cookie()
    me.client.delete_cookie("__Host-session", domain="tracker.example")
    me.set_cookie(before)
    me.ask(ana)
    me.post("/sign-in/code", {"code": me.mailed()})

    assert me.cookie() != before
    thief.set_cookie(before)
    assert thief.get("/account").status_code == 303
    assert thief.get("/api/v1/me").status_code == 401
    assert living(container) == 1


def test_a_cookie_is_worth_nothing_after_signing_out(browser, container, ana):
    me, thief = browser(), browser()
    me.sign_in(ana)
    stolen = me.cookie()
    page = me.post("/sign-out", {"csrf_token": me.csrf()})

    assert heading(page) == "You&#39;re signed out"
    assert me.cookie() is None
    thief.set_cookie(stolen)
    assert thief.get("/account").location == "/sign-in?next=%2Faccount"
    assert thief.get("/api/v1/me").status_code == 401
    assert living(container) == 0


@SQLITE
def test_signing_out_twice_is_no_mistake(browser):
    assert browser().post("/sign-out").status_code == 200


NOT_OURS = ["", "x", "a" * 64, "é.é", "a" * 64 + "." + "a" * 15]


@SQLITE
def test_a_cookie_that_we_did_not_sign_asks_the_database_nothing(browser, container):
    for value in NOT_OURS:
        me = browser()
        me.set_cookie(value)
        with counted(container) as sent:
            assert me.get("/api/v1/me").status_code == 401, value

        assert sent == [], value


def test_a_session_ends_when_it_is_not_used_and_at_the_latest_after_twelve_hours(
    browser, ana, clock
):
    me = browser()
    me.sign_in(ana)
    clock.advance(minutes=29)
    assert me.get("/account").status_code == 200
    clock.advance(minutes=31)
    assert me.get("/account").status_code == 303

    me.sign_in(ana)
    for _ in range(25):
        clock.advance(minutes=28)
        assert me.get("/account").status_code == 200
    clock.advance(minutes=28)
    assert me.get("/account").status_code == 303


@SQLITE
@pytest.mark.parametrize(
    ("wanted", "opened"),
    [
        ("/verify?number=1", "/verify?number=1"),
        ("//evil.example", "/account"),
        ("https://evil.example", "/account"),
        ("/\\evil.example", "/account"),
    ],
)
def test_only_pages_of_ours_are_opened_afterwards(browser, ana, wanted, opened):
    me = browser()
    assert me.sign_in(ana, next=wanted).location == opened
    assert me.get("/sign-in", query_string={"next": wanted}).location == opened


@SQLITE
def test_a_page_that_asks_to_sign_in_is_opened_afterwards(browser, ana):
    me = browser()
    asked = me.get("/account?tab=1")
    assert asked.location == "/sign-in?next=%2Faccount%3Ftab%3D1"
    page = me.get(asked.location)
    (wanted,) = set(re.findall(r'name="next" value="([^"]*)"', page.text))

    assert me.sign_in(ana, next=wanted).location == "/account?tab=1"


@SQLITE
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_no_other_site_signs_anybody_in_or_out(browser, container, ana, headers):
    me = browser()
    me.ask(ana)
    link = me.link()
    for path, form in (
        ("/sign-in", {"identifier": ana}),
        ("/sign-in/code", {"code": me.mailed()}),
        (link, {}),
    ):
        answer = me.post(path, form, headers=headers)
        assert answer.status_code == 400
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert living(container) == 0

    me.post("/sign-in/code", {"code": me.mailed()})
    form = {"csrf_token": me.csrf()}
    assert me.post("/sign-out", form, headers=headers).status_code == 400
    own = {"Origin": "https://tracker.example", "Sec-Fetch-Site": "same-origin"}
    assert me.post("/sign-out", form, headers=own).status_code == 200
    assert living(container) == 0


@SQLITE
@pytest.mark.parametrize("path", ["/sign-out", "/account/sessions/{id}/end"])
def test_no_form_without_its_token_changes_anything(browser, container, ana, path):
    me = browser()
    me.sign_in(ana)
    with container.reading(SYSTEM) as reading:
        path = path.format(id=reading.row(select(LoginSession.id)).id)
    for form in ({}, {"csrf_token": ""}, {"csrf_token": "x"}, {"csrf_token": "é"}):
        page = me.post(path, form)
        assert page.status_code == 400
        assert heading(page) == "This page is out of date"
    assert living(container) == 1


@SQLITE
@pytest.mark.parametrize("path", ["/sign-out", "/account/sessions/{id}/end"])
def test_opening_an_address_changes_nothing(browser, container, ana, path):
    me = browser()
    me.sign_in(ana)
    with container.reading(SYSTEM) as reading:
        path = path.format(id=reading.row(select(LoginSession.id)).id)

    assert me.get(path).status_code == 405
    assert living(container) == 1


@SQLITE
def test_every_page_is_private_and_loads_nothing(browser, ana):
    me = browser()
    pages = [me.get("/sign-in"), me.ask(ana), me.get("/sign-in/code"), me.get(me.link())]
    pages += [me.post("/sign-in/code", {"code": me.mailed()}), me.get("/account")]
    pages += [me.get("/sign-in/link/x"), me.post("/sign-out", {"csrf_token": me.csrf()})]
    for page in pages:
        if page.status_code != 303:
            assert CSP.fullmatch(page.headers["Content-Security-Policy"])
            assert "<script" not in page.text
            assert "src=" not in page.text
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Cache-Control"] in {"no-store", "private, no-store"}
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert page.headers["X-Robots-Tag"] == "noindex, nofollow"


@SQLITE
def test_no_secret_gets_into_the_log(browser, ana, caplog):
    caplog.set_level(logging.DEBUG)
    me = browser()
    me.ask(ana)
    me.post("/sign-in/code", {"code": "hunter2\nforged line"})
    code, link = me.mailed(), me.link()
    me.post("/sign-in/code", {"code": code})

    for secret in ("hunter2", code, link, me.cookie(), ana):
        assert secret not in caplog.text


@SQLITE
def test_the_pages_speak_spanish(browser):
    page = browser().get("/sign-in", headers={"Accept-Language": "es-MX"})

    assert heading(page) == "Iniciar sesión"
    assert page.headers["Content-Language"] == "es"


def test_the_account_remembers_the_address_that_signed_in_last(browser, container, ana):
    browser().sign_in(ana.upper())
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(Account.email)).email == ana


NO_ADDRESSES = ["http://[", "https://", "https://[::1", "", "é"]


@SQLITE
def test_an_origin_that_is_no_address_is_another_site(browser, ana):
    me = browser()
    me.ask(ana)
    for origin in NO_ADDRESSES:
        answer = me.post("/sign-in/code", {"code": me.mailed()}, headers={"Origin": origin})

        assert answer.status_code == 400, origin


SPELLED = ["tracker.example", "tracker.example:443", "Tracker.example"]


@SQLITE
def test_behind_a_proxy_our_own_forms_are_ours(browser, ana):
    """Proxies pass Host with the port, or in another case."""
    for host in SPELLED:
        headers = {"Host": host, "Origin": "https://tracker.example"}
        me = browser()
        answer = me.client.post(
            "/sign-in", data={"identifier": ana}, headers=headers, base_url=f"http://{host}"
        )

        assert answer.status_code == 303, host


@SQLITE
def test_the_cookies_are_secure_however_the_scheme_is_spelled(database_url, tmp_path, clock, ana):
    base = "HTTPS://tracker.example"
    app = make_app(database_url, tmp_path / "storage", clock, TRACKER_APP_BASE_URL=base)
    answer = app.test_client().post(
        "/sign-in", data={"identifier": ana}, base_url="https://tracker.example"
    )
    office_of(app).engine.dispose()

    assert answer.headers["Set-Cookie"].startswith("__Host-sign-in=")
    assert "; Secure;" in answer.headers["Set-Cookie"]
