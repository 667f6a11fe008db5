"""The interface for people who signed in: the same guard as for tokens (api/access/sessions.py)."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from tests import factories
from tests.browsers import Browser
from tracker.api import PREFIX
from tracker.domain.permissions import SYSTEM
from tracker.models import IdempotencyKey
from tracker.services.overview import exports
from tracker.services.people import holders

ANA = "ana@example.org"


@pytest.fixture
def ana(container):
    holder_id, certification_id = factories.certified(container, date(2021, 12, 25), email=ANA)
    return {"holder_id": holder_id, "certification_id": certification_id}


@pytest.fixture
def me(app, ana):
    """Ana's browser, signed in."""
    assert ana
    browser = Browser(app)
    browser.sign_in(ANA)
    return browser


def call(browser, method, path, **options):
    """A request of a program of ours in that browser."""
    headers = options.pop("headers", {})
    if token := browser.get(f"{PREFIX}/me").json["csrf_token"]:
        headers = {"X-CSRF-Token": token, **headers}
    return browser.open(method, PREFIX + path, headers=headers, **options)


def test_a_session_is_the_same_person_as_a_token(me, ana, caller):
    by_token = caller("holder", holder_id=ana["holder_id"]).get("/me").json
    by_session = me.get(f"{PREFIX}/me")

    assert by_session.headers["Cache-Control"] == "private, no-store"
    assert by_session.json.pop("csrf_token") is not None
    told = by_session.json | {"name": "", "csrf_token": None}
    assert told == by_token | {"name": ""}


@pytest.mark.parametrize("token", [None, "", "x", "é"])
def test_what_changes_something_needs_the_token_of_the_session(me, token):
    headers = {} if token is None else {"X-CSRF-Token": token}
    answer = me.open("PATCH", f"{PREFIX}/me/preferences", json={"language": "es"}, headers=headers)

    assert answer.status_code == 400
    assert answer.json["code"] == "bad_request"
    assert "X-CSRF-Token" in answer.json["detail"]


def test_with_its_token_a_session_changes_what_its_person_may(me, ana):
    changed = call(me, "PATCH", "/me/preferences", json={"language": "es"})

    assert changed.status_code == 200
    assert me.get(f"{PREFIX}/holders/{ana['holder_id']}").json["language"] == "es"


def test_the_token_of_another_session_is_none(app, me):
    other = Browser(app)
    other.sign_in(ANA)
    foreign = other.get(f"{PREFIX}/me").json["csrf_token"]
    answer = call(me, "DELETE", "/me/sessions/x", headers={"X-CSRF-Token": foreign})
    refused = call(
        me, "PATCH", "/me/preferences", json={"language": "es"}, headers={"X-CSRF-Token": foreign}
    )

    assert answer.status_code == 404
    assert refused.status_code == 400


def test_a_form_of_another_site_changes_nothing(me):
    """JSON as text/plain, as forms can send it; and no other site reads an answer."""
    plain = call(
        me, "PATCH", "/me/preferences", data=b'{"language": "es"}', content_type="text/plain"
    )
    evil = call(
        me,
        "PATCH",
        "/me/preferences",
        json={"language": "es"},
        headers={"Origin": "https://evil.example"},
    )
    read = me.get(f"{PREFIX}/me", headers={"Origin": "https://evil.example"})

    assert (plain.status_code, evil.status_code, read.status_code) == (415, 400, 200)
    assert not any("Access-Control-Allow-Origin" in one.headers for one in (plain, evil, read))


def test_a_token_that_is_not_valid_is_refused_whatever_the_session(me):
    headers = {"Authorization": "Bearer trk_x"}

    assert me.get(f"{PREFIX}/me", headers=headers).status_code == 401


def test_sessions_are_listed_and_ended(app, me, ana, caller):
    phone = Browser(app)
    phone.sign_in(ANA)
    listed = me.get(f"{PREFIX}/me/sessions").json["items"]
    (current,) = (one for one in listed if one["current"])
    (other,) = (one for one in listed if not one["current"])
    assert current["agent"].startswith("Werkzeug")

    assert call(me, "DELETE", f"/me/sessions/{other['id']}").status_code == 204
    assert phone.get(f"{PREFIX}/me").status_code == 401
    token = caller("holder", holder_id=ana["holder_id"])
    assert [one["id"] for one in token.get("/me/sessions").json["items"]] == [current["id"]]
    assert token.delete(f"/me/sessions/{current['id']}").status_code == 204
    assert me.get(f"{PREFIX}/me").status_code == 401


def test_a_long_list_of_sessions_comes_in_pages(app, me):
    Browser(app).sign_in(ANA)
    whole = me.get(f"{PREFIX}/me/sessions").json["items"]
    first = me.get(f"{PREFIX}/me/sessions?limit=1")
    second = me.get(first.headers["Link"].partition(">")[0].removeprefix("<"))

    assert len(whole) == 2
    assert first.json["items"] + second.json["items"] == whole


def test_a_session_ended_in_another_process_is_over_at_the_next_request(me, app, container):
    """The other process shares the database and nothing else."""
    with container.reading(SYSTEM) as reading:
        found = me.get(f"{PREFIX}/me/sessions").json["items"][0]["id"]
        assert reading.now
    thief = Browser(app)
    thief.client.set_cookie("session", me.cookie(), domain="127.0.0.1")
    assert thief.get(f"{PREFIX}/me").status_code == 200
    call(me, "DELETE", f"/me/sessions/{found}")

    assert thief.get(f"{PREFIX}/me").status_code == 401


def test_a_repeated_request_of_a_session_gets_the_same_answer(me, ana, container):
    course = {
        "category": "CE",
        "type": "third_party",
        "title": "Course",
        "quantity": "5",
        "completed_on": "2026-01-05",
    }
    path = f"/certifications/{ana['certification_id']}/activities"
    key = {"Idempotency-Key": "one"}
    first, again = (call(me, "POST", path, json=course, headers=dict(key)) for _ in range(2))
    other = call(me, "POST", path, json=course | {"title": "Other"}, headers=dict(key))

    assert first.status_code == again.status_code == 201
    assert first.json == again.json
    assert other.status_code == 422
    with container.reading(SYSTEM) as reading:
        kept = reading.row(select(IdempotencyKey.token_id, IdempotencyKey.session_id))
    assert kept.token_id is None
    assert kept.session_id is not None


def test_a_session_makes_tokens_only_while_it_is_known_who_uses_it(me, clock):
    """A token outlives the session."""
    assert call(me, "POST", "/tokens", json={}).status_code == 201
    clock.advance(minutes=10)
    assert call(me, "POST", "/tokens", json={}).json["code"] == "reauthentication_required"


def test_the_history_of_a_person_says_when_they_signed_in(me, ana, staff):
    call(me, "DELETE", f"/me/sessions/{me.get(f'{PREFIX}/me/sessions').json['items'][0]['id']}")
    lines = staff.get(f"/history?holder_id={ana['holder_id']}&limit=50").json["items"]
    told = [line["action"] for line in lines if line["subject"] == "account"]

    assert sorted(told) == ["claim", "sign_in", "sign_out"]


@pytest.mark.usefixtures("me")
def test_the_export_of_a_person_has_the_account_and_no_secret(ana, container):
    with container.reading(SYSTEM) as reading:
        record = exports.record(reading, holders.get(reading, ana["holder_id"]).ref)
    (account,) = record["accounts"]

    assert account["email"] == ANA
    (session,) = account["sessions"]
    assert "digest" not in session
    assert "account_id" not in session
