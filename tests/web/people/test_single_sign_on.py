"""Signing in at an identity provider (web/people/single_sign_on.py, openid.py)."""

from __future__ import annotations

import base64
import html
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import urllib3
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.jwk import ECKey
from sqlalchemy import select

from tests import identity_providers
from tests.backends import SQLITE
from tests.browsers import Browser
from tests.conftest import allow_sending, make_app, office_of
from tests.identity_providers import CLIENT, SECRET, oct_of, query_of
from tests.members import member
from tests.rows import count
from tracker import openid
from tracker.domain.people.accounts import OrganizationAccess
from tracker.domain.permissions import SYSTEM
from tracker.models import (
    Account,
    Employer,
    HistoryEntry,
    Invitation,
    LoginSession,
    Message,
    ProviderIdentity,
)
from tracker.openid import ProviderFailedError
from tracker.services.people import invitations, managed_accounts, recoveries
from tracker.services.people.invitations import PersonToInvite

START, RETURN = "/sign-in/with/acme", "/sign-in/with/acme/return"
KIM = "kim@acme.example"


def heading(page):
    (found,) = re.findall(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    return found


@pytest.fixture
def provider():
    openid.forget()
    with identity_providers.liar() as found:
        yield found
    openid.forget()


@pytest.fixture
def more():
    """What the operator says of the provider besides."""
    return ""


@pytest.fixture
def app(database_url, tmp_path, clock, provider, more):
    provider.now = int(clock.now.timestamp())
    described = identity_providers.describe(tmp_path, provider.issuer, more)
    made = make_app(
        database_url,
        tmp_path / "storage",
        clock,
        TRACKER_APP_BASE_URL="https://tracker.example",
        **described,
    )
    made.testing = True
    allow_sending(office_of(made))
    yield made
    office_of(made).engine.dispose()


@pytest.fixture
def kim(container):
    """An administrator at the provider's domain, with a password and an app."""
    found = member(container, "admin", email=KIM)
    found.codes = found.set_up()
    return found


def go(browser, provider, **form):
    """Go to the provider; what our site asks it."""
    csrf = {"csrf_token": browser.csrf()} if browser.cookie() else {}
    page = browser.post(START, {"next": "/account"} | form | csrf)
    assert page.status_code == 200, page.text
    (address,) = re.findall(r'<a href="([^"]+)" rel', page.text)
    asked = query_of(html.unescape(address))
    provider.nonce = asked["nonce"]
    return asked


def back(browser, asked, **changed):
    """Come back from the provider with a code."""
    query = {"state": asked["state"], "code": "abc"} | changed
    return browser.get(RETURN, query_string=query)


def enter(browser, provider, **form):
    return back(browser, go(browser, provider, **form))


def test_two_factors_at_the_provider_sign_in_and_bind_the_account(
    browser, container, provider, kim
):
    me = browser()
    assert "Sign in with Acme" in me.get("/sign-in").text
    done = enter(me, provider, next="/account/people")

    assert (done.status_code, done.location) == (303, "/account/people")
    assert heading(me.get("/account")) == "Admin Doe"
    assert me.get("/api/v1/me/security").json["is_fresh"]
    with container.reading(SYSTEM) as reading:
        bound = reading.row(select(ProviderIdentity.__table__))
        lines = reading.rows(select(HistoryEntry.action).order_by(HistoryEntry.id))
        told = reading.rows(select(Message.about))
    assert (bound.account_id, bound.subject) == (kim.id, "248289761001")
    assert [row.action for row in lines][-2:] == ["bind_provider", "sign_in"]
    assert [row.about["type"] for row in told] == ["provider_bound"]


@SQLITE
@pytest.mark.usefixtures("kim")
def test_what_is_asked_of_the_provider(browser, provider):
    me = browser()
    asked = go(me, provider)
    assert asked["response_type"] == "code"
    assert asked["client_id"] == CLIENT
    assert asked["redirect_uri"] == f"https://tracker.example{RETURN}"
    assert asked["code_challenge_method"] == "S256"
    assert set(asked["scope"].split()) == {"openid", "email"}
    assert "prompt" not in asked

    assert back(me, asked).status_code == 303
    (form,) = provider.forms
    verifier = form["code_verifier"][0]
    assert create_s256_code_challenge(verifier) == asked["code_challenge"]
    assert len(verifier) >= 43
    pair = base64.b64decode(provider.authorizations[0].removeprefix("Basic ")).decode()
    assert pair == "tracker%20%26%20co:s3cret%2Fwith%2Bsigns"
    assert SECRET not in me.get("/account").text


@SQLITE
@pytest.mark.parametrize(
    "claims",
    [
        {"amr": ["pwd"]},
        {"amr": None},
        {"amr": [], "acr": "urn:one"},
        {"amr": False},
        {"amr": 0},
        {"amr": [{}, ["mfa"]]},
    ],
    ids=str,
)
def test_one_factor_at_the_provider_is_followed_by_ours(browser, container, provider, kim, claims):
    provider.claims = claims
    me = browser()
    done = enter(me, provider)

    assert done.location == "/sign-in/factor?next=%2Faccount"
    assert me.get("/api/v1/me").json["code"] == "second_factor_missing"
    assert count(container, LoginSession) == 0
    assert me.post("/sign-in/factor", {"code": kim.code()}).location == "/account"
    assert heading(me.get("/account")) == "Admin Doe"


@SQLITE
@pytest.mark.usefixtures("kim")
def test_the_class_that_the_operator_names_is_two_factors(browser, provider):
    provider.claims = {"amr": None, "acr": "urn:two"}

    assert enter(browser(), provider).location == "/account"


WRONG_CLAIMS: list[dict[str, object]] = [
    {"nonce": "another"},
    {"nonce": None},
    {"aud": "somebody-else"},
    {"aud": ["somebody-else"]},
    {"aud": None},
    {"aud": [CLIENT, "other"]},
    {"aud": [CLIENT, "other"], "azp": "other"},
    {"exp": 1_700_000_000},
    {"exp": None},
    {"exp": "soon"},
    {"iat": None},
    {"iat": 2_000_000_000},
    {"nbf": 2_000_000_000},
    {"iss": "https://other.example"},
    {"iss": None},
    {"sub": None},
    {"sub": ""},
    {"sub": "x" * 256},
    {"sub": 7},
    {"sub": "a\0b"},
    {"sub": "\ud800"},
    {"email": None},
    {"email": "x"},
    {"email": ["kim@acme.example"]},
    {"email_verified": False},
    {"email_verified": None},
    {"email_verified": "true"},
    {"amr": "mfa"},
    {"auth_time": 1e300},
    {"at_hash": "AAAA"},
]


@SQLITE
@pytest.mark.usefixtures("kim")
def test_a_token_that_is_not_right_in_every_claim_signs_nobody_in(browser, container, provider):
    """Case 41, for the tokens of others."""
    for n, claims in enumerate(WRONG_CLAIMS):
        provider.claims = claims
        done = enter(browser(address=f"10.0.0.{n}"), provider)

        assert (done.status_code, heading(done)) == (502, "Single sign-on didn&#39;t work"), claims
        assert count(container, LoginSession) == 0, claims
        assert count(container, ProviderIdentity) == 0, claims


@SQLITE
@pytest.mark.usefixtures("kim")
def test_a_token_that_another_key_signed_signs_nobody_in(browser, container, provider, clock):
    """Unknown kid, known kid with another key, the public key as a secret, no signature."""
    other = ECKey.generate_key("P-256", {"kid": "two"})
    same_name = ECKey.generate_key("P-256", {"kid": "one"})
    for signs, algorithm in (
        (other, "ES256"),
        (same_name, "ES256"),
        (oct_of(provider.key), "HS256"),
    ):
        provider.signs, provider.algorithm = signs, algorithm
        assert enter(browser(), provider).status_code == 502
    provider.signs, provider.algorithm = None, "ES256"
    me = browser()
    asked = go(me, provider)
    head, body, signature = provider.signed().split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for token in (f"{none}.{body}.", f"{none}.{body}.{signature}", f"{head}.{body}.", "x", "a.b.c"):
        provider.token = token
        assert back(me, asked).status_code in {403, 502}
        asked = go(me, provider)
    assert count(container, LoginSession) == 0
    provider.token = None
    clock.advance(minutes=1)
    provider.now += 60
    assert enter(browser(), provider).status_code == 303


@SQLITE
@pytest.mark.usefixtures("kim")
def test_a_new_key_is_read_once_a_minute_at_most(browser, provider, clock):
    assert enter(browser(), provider).status_code == 303
    provider.key = ECKey.generate_key("P-256", {"kid": "two"})
    assert enter(browser(), provider).status_code == 502
    assert provider.asked.count("/jwks") == 1

    clock.advance(minutes=2)
    provider.now += 120
    assert enter(browser(), provider).status_code == 303
    assert provider.asked.count("/jwks") == 2


@SQLITE
@pytest.mark.usefixtures("kim")
def test_what_is_known_of_a_provider_is_kept_for_an_hour(browser, provider, clock):
    go(browser(), provider)
    go(browser(), provider)
    assert provider.asked.count("/.well-known/openid-configuration") == 1
    clock.advance(minutes=61)
    provider.sends["/.well-known/openid-configuration"] = (503, {}, b"{}")

    assert browser().post(START).status_code == 502


@SQLITE
@pytest.mark.usefixtures("kim")
def test_a_clock_may_be_off_by_a_minute(browser, provider):
    provider.claims = {"iat": provider.now + 50, "exp": provider.now - 50}
    assert enter(browser(), provider).status_code == 303
    provider.claims = {"exp": provider.now - 61}
    assert enter(browser(), provider).status_code == 502


NO_ANSWERS: list[tuple[int, dict[str, str], bytes]] = [
    (302, {"Location": "https://evil.example/token"}, b""),
    (400, {}, b'{"error": "invalid_grant"}'),
    (200, {}, b"not json"),
    (200, {}, b"[]"),
    (200, {}, b"{}"),
    (200, {}, b'{"id_token": 7}'),
    (200, {}, b" " * 300_000),
]


@SQLITE
@pytest.mark.usefixtures("kim")
def test_an_answer_that_is_none_signs_nobody_in(browser, container, provider):
    for answer in NO_ANSWERS:
        provider.sends["/token"] = answer

        assert enter(browser(), provider).status_code == 502, answer[2][:20]
        assert count(container, LoginSession) == 0


@SQLITE
def test_an_answer_that_never_ends_is_given_up(container):
    """One byte at a time, so that no single wait is too long."""
    settings = replace(container.settings.sso, timeout_seconds=1)

    def drip(server):
        client, _ = server.accept()
        with client, suppress(OSError):
            client.recv(65_536)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while client.send(b" "):
                time.sleep(0.2)

    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        pool.submit(drip, server)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(ProviderFailedError, match="took too long"):
            openid._asked(address, settings)


@SQLITE
@pytest.mark.parametrize(
    "lie",
    [
        {"issuer": "https://other.example"},
        {"token_endpoint": "http://other.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
    ],
    ids=str,
)
def test_a_document_of_another_issuer_or_with_open_addresses_is_refused(
    browser, provider, monkeypatch, lie
):
    right = provider.document()
    monkeypatch.setattr(provider, "document", lambda: right | lie)

    assert browser().post(START).status_code == 502


@SQLITE
@pytest.mark.usefixtures("provider")
def test_a_provider_that_cannot_be_reached_is_said_to_be(browser, monkeypatch):
    def fail(*_, **__):
        raise urllib3.exceptions.ProtocolError("no route")

    monkeypatch.setattr(openid._POOL, "request", fail)
    assert browser().post(START).status_code == 502


@pytest.mark.usefixtures("kim")
def test_a_state_is_used_once_in_its_own_browser(browser, container, provider, clock):
    me, thief = browser(), browser()
    asked = go(me, provider)
    assert back(thief, asked).status_code == 403
    assert back(me, asked).status_code == 303
    assert back(me, asked).status_code == 403

    asked = go(me, provider)
    assert back(me, asked, state=f"x{asked['state']}").status_code == 403
    assert back(me, asked).status_code == 403
    asked = go(me, provider)
    clock.advance(minutes=10)
    assert back(me, asked).status_code == 403
    assert count(container, LoginSession, LoginSession.ended_at.is_(None)) == 1


@SQLITE
@pytest.mark.usefixtures("kim")
def test_who_says_no_at_the_provider_is_not_signed_in(browser, provider):
    me = browser()
    asked = go(me, provider)
    answer = me.get(RETURN, query_string={"state": asked["state"], "error": "access_denied"})

    assert (answer.status_code, provider.forms) == (403, [])


@SQLITE
@pytest.mark.usefixtures("kim")
def test_the_page_that_opens_is_always_ours(browser, provider):
    """Case 47."""
    for packed in ("Ly9ldmlsLmV4YW1wbGU", "!", "_w", "aHR0cHM6Ly9ldmls", ""):
        me = browser()
        asked = go(me, provider)
        state = f"{asked['state'].partition('.')[0]}.{packed}"

        assert back(me, asked, state=state).location == "/account", packed


@SQLITE
def test_nobody_is_let_in_whom_the_site_does_not_know(browser, container, provider):
    done = enter(browser(), provider)

    assert (done.status_code, count(container, Account)) == (403, 0)


@SQLITE
@pytest.mark.parametrize(
    "address", ["kim@other.example", "kim@sub.acme.example", "kim@acme.example.evil.example"]
)
def test_only_addresses_of_the_providers_domains_are_its_business(
    browser, container, provider, address
):
    member(container, "admin", email=address)
    provider.claims = {"email": address}

    assert enter(browser(), provider).status_code == 403


def test_once_bound_the_subject_counts_and_not_the_address(browser, container, provider, kim):
    assert enter(browser(), provider).status_code == 303
    sam = member(container, "staff", email="sam@acme.example")

    provider.claims = {"email": "sam@acme.example"}
    me = browser()
    assert enter(me, provider).status_code == 303
    assert heading(me.get("/account")) == "Admin Doe"
    provider.claims = {"sub": "another", "email": KIM}
    assert enter(browser(), provider).status_code == 403
    assert count(container, ProviderIdentity, ProviderIdentity.account_id == sam.id) == 0
    assert count(container, ProviderIdentity) == 1
    assert kim.id


def test_who_was_deactivated_is_not_let_in(browser, container, provider, kim):
    """Neither by the bound subject nor by the address."""
    member(container, "admin", email="boss@acme.example")
    assert enter(browser(), provider).status_code == 303
    with container.work(SYSTEM) as work:
        managed_accounts.deactivate(work, kim.id, reason="Left")

    assert enter(browser(), provider).status_code == 403
    provider.claims = {"sub": "another"}
    assert enter(browser(), provider).status_code == 403


def test_who_left_and_is_invited_again_comes_back_to_a_new_account(
    browser, container, provider, kim
):
    member(container, "admin", email="boss@acme.example")
    assert enter(browser(), provider).status_code == 303
    with container.work(SYSTEM) as work:
        managed_accounts.deactivate(work, kim.id, reason="Left")
    invite(container, "staff")
    me = browser()

    assert enter(me, provider).status_code == 303
    assert heading(me.get("/account")) == "Kim Soto"


def test_two_people_who_reset_the_second_factor_unbind_the_provider(
    browser, container, provider, kim
):
    """So whoever has a new subject there comes in again, by the address as the first time."""
    assert enter(browser(), provider).status_code == 303
    provider.claims = {"sub": "new"}
    assert enter(browser(), provider).status_code == 403
    with container.work(SYSTEM) as work:
        recoveries.reset_factor_at(work, kim.email)

    assert enter(browser(), provider).status_code == 303
    assert count(container, ProviderIdentity) == 1


def invite(container, role, email=KIM, employer_id=None):
    access = OrganizationAccess.VIEW if role == "employer" else None
    with container.work(SYSTEM) as work:
        invitations.invite(work, PersonToInvite(role, "Kim Soto", email, employer_id, access))


def test_an_open_invitation_is_accepted(browser, container, provider):
    invite(container, "staff")
    me = browser()
    assert enter(me, provider).status_code == 303

    assert heading(me.get("/account")) == "Kim Soto"
    assert count(container, Invitation, Invitation.accepted_at.is_not(None)) == 1
    assert enter(browser(), provider).status_code == 303
    assert count(container, Account) == 1


def test_an_invitation_that_ended_lets_nobody_in(browser, container, provider, clock):
    invite(container, "staff")
    clock.advance(days=8)
    provider.now = int(clock.now.timestamp())

    assert enter(browser(), provider).status_code == 403


class TestOneEmployer:
    """A provider of one employer signs in its people and nobody else."""

    @pytest.fixture
    def more(self):
        return 'employer_id = "01900000-0000-7000-8000-000000000001"'

    @pytest.fixture
    def employers(self, container):
        with container.work(SYSTEM) as work:
            own = Employer(
                id="01900000-0000-7000-8000-000000000001", name="Acme", recorded_at=work.now
            )
            other = Employer(name="Globex", recorded_at=work.now)
            work.session.add_all([own, other])
            work.session.flush()
            return own.id, other.id

    def test_its_own_people(self, browser, container, provider, employers):
        own, other = employers
        invite(container, "employer", employer_id=other)
        assert enter(browser(), provider).status_code == 403
        invite(container, "employer", employer_id=own)
        me = browser()
        assert enter(me, provider).status_code == 303
        assert me.get("/api/v1/me").json["employer"]["name"] == "Acme"

    def test_no_account_of_another_employer(self, browser, container, provider, employers):
        member(container, "employer", email=KIM, employer_id=employers[1])
        assert enter(browser(), provider).status_code == 403
        assert count(container, ProviderIdentity) == 0


@pytest.mark.usefixtures("kim")
def test_who_confirms_who_they_are_is_asked_by_the_provider_again(browser, provider, clock):
    """Case 23."""
    me = browser()
    assert enter(me, provider).status_code == 303
    former = me.cookie()
    clock.advance(minutes=11)
    assert not me.get("/api/v1/me/security").json["is_fresh"]
    assert "Sign in with Acme" in me.get("/account/confirm").text
    asked = go(me, provider, next="/account/security")
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")

    provider.now = int(clock.now.timestamp())
    provider.claims = {"auth_time": provider.now - 660}
    assert back(me, asked).status_code == 303
    assert not me.get("/api/v1/me/security").json["is_fresh"]
    provider.claims = {}  # it does not say when it asked, so it proves nothing of today
    assert enter(me, provider).status_code == 303
    assert not me.get("/api/v1/me/security").json["is_fresh"]
    provider.claims = {"auth_time": provider.now - 5}
    assert enter(me, provider, next="/account/security").location == "/account/security"
    assert me.get("/api/v1/me/security").json["is_fresh"]
    thief = browser()
    thief.set_cookie(former)
    assert thief.get("/api/v1/me").status_code == 401


def test_who_unties_the_account_is_told_and_comes_back_with_another_subject(
    browser, container, provider, kim
):
    me, elsewhere = browser(), browser()
    for one in (elsewhere, me):
        enter(one, provider)
    assert me.get("/api/v1/me/security").json["providers"] == [{"name": "acme", "label": "Acme"}]
    assert "Single sign-on" in me.get("/account/security").text
    assert me.send_form("/account/security/providers/nobody/unbind").status_code == 404

    done = me.send_form("/account/security/providers/acme/unbind")

    assert done.status_code in {200, 303}
    assert me.get("/api/v1/me/security").json["providers"] == []
    assert elsewhere.get("/api/v1/me").status_code == 401
    with container.reading(SYSTEM) as reading:
        about = [row.about for row in reading.rows(select(Message.about).order_by(Message.id))]
        lines = {row.action for row in reading.rows(select(HistoryEntry.action))}
    assert about[-1] == {"type": "provider_unbound", "account_id": kim.id, "place": "Acme"}
    assert "unbind_provider" in lines
    provider.claims = {"sub": "another"}
    assert enter(browser(), provider).status_code == 303
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(ProviderIdentity.subject)).subject == "another"


@SQLITE
@pytest.mark.usefixtures("kim")
def test_who_unties_the_account_has_just_proved_who_they_are(browser, provider, clock):
    me = browser()
    enter(me, provider)
    clock.advance(minutes=11)
    csrf = {"csrf_token": me.csrf()}

    asked = me.post("/account/security/providers/acme/unbind", csrf)

    assert asked.location.startswith("/account/confirm")
    assert me.get("/api/v1/me/security").json["providers"] != []
    headers = {"X-CSRF-Token": me.get("/api/v1/me").json["csrf_token"]}
    refused = me.open("DELETE", "/api/v1/me/identity-providers/acme", headers=headers)
    assert refused.status_code == 403
    clock.advance(minutes=-11)
    done = me.open("DELETE", "/api/v1/me/identity-providers/acme", headers=headers)
    assert done.status_code == 204


@SQLITE
@pytest.mark.usefixtures("kim")
def test_signing_out_ends_our_session(browser, provider):
    me = browser()
    enter(me, provider)
    cookie = me.cookie()
    assert me.send_form("/sign-out").status_code == 200
    me.set_cookie(cookie)

    assert me.get("/api/v1/me").status_code == 401


@SQLITE
@pytest.mark.usefixtures("kim")
@pytest.mark.usefixtures("provider")
def test_there_and_back_are_bounded_by_caller(browser):
    me = browser()
    answers = [me.get(RETURN).status_code for _ in range(31)]

    assert answers == [403] * 30 + [429]
    assert me.post(START).status_code == 429


@SQLITE
def test_another_site_starts_nothing_and_there_are_no_other_providers(browser, provider):
    me = browser()
    assert me.post(START, headers={"Origin": "https://evil.example"}).status_code == 400
    assert provider.asked == []
    assert me.post("/sign-in/with/globex").status_code == 404
    assert me.get("/sign-in/with/globex/return").status_code == 404


@SQLITE
def test_a_real_provider_signs_in(database_url, tmp_path, clock, monkeypatch):
    """That of the package oidc-provider-mock, over a socket, by its own clock."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    openid.forget()
    clock.now = datetime.now(UTC)
    kim = {"email": KIM, "email_verified": True, "amr": ["mfa"]}
    eve = {"email": "boss@acme.example", "email_verified": False, "amr": ["mfa"]}
    with identity_providers.real(kim=kim, eve=eve) as issuer:
        made = make_app(
            database_url,
            tmp_path / "storage",
            clock,
            TRACKER_APP_BASE_URL="https://tracker.example",
            **identity_providers.describe(tmp_path, issuer),
        )
        container = office_of(made)
        member(container, "admin", email=KIM)
        member(container, "admin", email="boss@acme.example")
        me, other = Browser(made), Browser(made)

        assert come_back(me, "kim").status_code == 303
        assert me.get("/api/v1/me").json["role"] == "admin"
        assert come_back(other, "eve").status_code == 502
        assert come_back(Browser(made), "kim").status_code == 303
        assert count(container, ProviderIdentity) == 1
        container.engine.dispose()


def come_back(browser, user):
    """Go to a real provider, sign in there as a user, and come back."""
    page = browser.post(START)
    (address,) = re.findall(r'<a href="([^"]+)" rel', page.text)
    with urllib3.PoolManager() as pool:
        answer = pool.request("POST", html.unescape(address), fields={"sub": user}, redirect=False)
    assert answer.status == 302, answer.data
    path = answer.headers["Location"].removeprefix("https://tracker.example")
    return browser.get(path)
