"""Who am I, what next, and the tokens that people make."""

from __future__ import annotations

import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests import factories
from tests.api.conftest import Caller
from tracker.api.access.me import MadeTokenSchema, MeSchema, TokenSchema
from tracker.api.http.schemas import page_of
from tracker.domain.credentials.certifications import ChangeKind, Standing, Status
from tracker.domain.errors import TokenEnded
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.models import HistoryEntry, IdempotencyKey
from tracker.services.core import tokens
from tracker.services.credentials import certifications, renewals
from tracker.services.points import activities, activity_decisions, activity_rows
from tracker.services.standings import standings
from tracker.services.standings.standings import HeldCertification


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25))  # the window opens September 26, 2026


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0], name="ana")


def earn(container, ids, points):
    with container.work(SYSTEM) as work:
        course = {
            "category": "CE",
            "type": "third_party",
            "title": "Course",
            "quantity": Decimal(points),
            "completed_on": date(2026, 1, 5),
        }
        made = activities.log(work, ids[1], course)
        activities.submit(work, made)
        version = activity_rows.get(work, made).version
        activity_decisions.decide(
            work,
            made,
            activity_decisions.ReviewerDecision(ActivityVerdict.APPROVED),
            version=version,
        )


def step(who, **options):
    (one,) = who.get("/me", **options).json["certifications"]
    return one["next"]


def test_a_holder_sees_their_record_and_standing(ana, ids):
    answer = ana.get("/me")
    assert answer.status_code == 200
    MeSchema().load(answer.json)
    assert (answer.json["role"], answer.json["name"]) == ("holder", "ana")
    assert answer.json["scopes"] == ["read", "write"]
    assert answer.json["holder"]["id"] == ids[0]
    assert answer.json["employer"] is None
    (one,) = answer.json["certifications"]
    assert (one["id"], one["standing"]["status"]) == (ids[1], "renewal_open")


def test_staff_admin_and_employer_see_who_they_are(caller, employer_id):
    for role in ("staff", "admin"):
        told = caller(role).get("/me").json
        assert (told["role"], told["holder"], told["certifications"]) == (role, None, [])
    told = caller("employer", employer_id=employer_id).get("/me").json
    MeSchema().load(told)
    assert told["employer"] == {"id": employer_id, "name": "Palmetto Motors"}


def test_a_reviewer_who_is_a_holder_sees_both(caller, ids):
    told = caller("staff", holder_id=ids[0]).get("/me").json
    assert (told["role"], told["holder"]["id"]) == ("staff", ids[0])


def test_nobody_is_nobody(anonymous):
    for path in ("/me", "/tokens"):
        refused = anonymous.get(path)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_missing_points_come_first(ana):
    assert step(ana) == {
        "action": "log_activities",
        "on": "2026-12-25",
        "time_zone": "America/New_York",
        "points_missing": "100.00",
        "points_waiting": "0.00",
        "questions": 0,
        "sentence": "You need 100 more points. Log your activities as you complete them."
        " Your last day is December 25, 2026: you have until midnight Eastern time.",
        "confirm_at": None,
    }


def test_then_the_application_from_the_day_on_which_the_window_opens(ana, container, ids, clock):
    clock.set("2026-09-25")
    earn(container, ids, 100)
    told = step(ana)
    assert (told["action"], told["on"]) == ("apply_from", "2026-09-26")
    assert told["sentence"] == (
        "You have everything you need. You can apply for renewal from September 26, 2026."
    )
    clock.set("2026-09-26")
    assert (step(ana)["action"], step(ana)["on"]) == ("apply_now", "2026-12-25")
    spanish = step(ana, headers={"Accept-Language": "es"})["sentence"]
    assert spanish == (
        "Ya cumple los requisitos. Confirme ahora que desea renovar. Su último día es el 25 de"
        " diciembre de 2026: tiene hasta la medianoche (hora del Este)."
    )


def test_the_language_is_that_of_the_account_unless_another_is_asked_for(caller, container):
    holder_id, _ = factories.certified(container, date(2021, 12, 25), language="es")
    luis = caller("holder", holder_id=holder_id, name="luis")
    assert step(luis)["sentence"].startswith("Le faltan 100 puntos.")
    assert step(luis, headers={"Accept-Language": "en"})["sentence"].startswith("You need")


def test_then_the_decision_is_waited_for(ana, container, ids):
    earn(container, ids, 100)
    with container.work(SYSTEM) as work:
        renewals.apply(work, ids[1])
    assert step(ana)["action"] == "wait_for_decision"


def test_after_the_expiry_it_starts_again(ana, clock):
    clock.set("2026-12-26")
    assert step(ana)["action"] == "start_again"


def test_what_is_held_goes_to_the_issuer(ana, container, ids):
    with container.work(SYSTEM) as work:
        certifications.change(
            work,
            ids[1],
            kind=ChangeKind.SUSPEND,
            effective_on=date(2026, 11, 1),
            reason_code="conduct",
            reason="x",
        )
    told = step(ana)
    assert told["action"] == "contact_issuer"
    assert told["sentence"] == "Your certification is not in force. Ask MSSC what you can do."


def test_what_never_expires_needs_nothing():
    standing = Standing(
        status=Status.ACTIVE,
        valid=True,
        on=date(2026, 1, 1),
        cycle=1,
        cycle_starts_on=date(2025, 1, 1),
        expires_on=None,
        window_opens_on=None,
        window_closes_on=None,
        pending_since=None,
    )
    held = HeldCertification("i", "n", "p", "h", "cla", date(2025, 1, 1), standing)
    assert standings.next_step(held.standing, None).action == "none"


def test_an_admin_makes_tokens_for_anybody(caller, app, ids, employer_id):
    admin = caller("admin")
    for body in (
        {"role": "holder", "holder_id": ids[0]},
        {"role": "employer", "employer_id": employer_id},
        {"role": "staff"},
        {"role": "staff", "holder_id": ids[0]},
        {"role": "admin", "expires_at": None},
    ):
        made = admin.post("/tokens", {"name": "made", "scopes": ["read"], **body})
        assert made.status_code == 201, made.json
        MadeTokenSchema().load(made.json)
        assert made.headers["Cache-Control"] == "private, no-store"
        told = Caller(app.test_client(), made.json["secret"]).get("/me").json
        assert (told["role"], told["scopes"]) == (body["role"], ["read"])


def test_an_admins_mistakes_are_named(caller, ids):
    admin = caller("admin")
    unknown = "0192d3a0-0000-7000-8000-000000000000"
    for body, field in (
        ({"role": "holder"}, "holder_id"),
        ({"role": "holder", "holder_id": unknown}, "holder_id"),
        ({"role": "employer", "holder_id": ids[0]}, "holder_id"),
        ({"role": "boss"}, "role"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes.0"),
        ({"expires_at": "2026-11-21T17:00:00Z"}, "expires_at"),
        ({"expires_at": "2027-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-05:00"}, "expires_at"),
        ({"name": "x\ny"}, "name"),
        ({"secret": "mine"}, "secret"),
    ):
        refused = admin.post("/tokens", body)
        assert refused.status_code == 422, body
        assert field in {error["field"] for error in refused.json["errors"]}, (body, refused.json)


def test_everybody_makes_tokens_for_themselves(caller, app, ids, employer_id):
    for role, subject in (
        ("holder", {"holder_id": ids[0]}),
        ("employer", {"employer_id": employer_id}),
        ("staff", {}),
    ):
        who = caller(role, name=f"{role} one", **subject)
        made = who.post("/tokens", {})
        assert made.status_code == 201
        shown = {"role": role, "name": f"{role} one", "scopes": ["read", "write"]}
        assert shown.items() <= made.json.items()
        assert made.json["expires_at"] == "2027-11-21T17:00:00Z"
        told = Caller(app.test_client(), made.json["secret"]).get("/me").json
        assert told == who.get("/me").json


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "admin"}, "role"),
        ({"role": "staff"}, "role"),
        ({"name": "somebody else"}, "name"),
        ({"holder_id": "0192d3a0-0000-7000-8000-000000000000"}, "holder_id"),
        ({"holder_id": None}, "holder_id"),
        ({"employer_id": "0192d3a0-0000-7000-8000-000000000000"}, "employer_id"),
        ({"expires_at": None}, "expires_at"),
        ({"expires_at": "2027-11-21T17:00:01Z"}, "expires_at"),
    ],
)
def test_nobody_makes_themselves_more_than_they_are(ana, body, field):
    refused = ana.post("/tokens", body)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json["errors"]] == [field]


def test_a_token_is_never_wider_than_the_one_that_made_it(container, app, ids):
    with container.work(SYSTEM) as work:
        secret = tokens.create(
            work, name="narrow", role="holder", holder_id=ids[0], scopes=["write"]
        )[1]
    narrow = Caller(app.test_client(), secret)
    refused = narrow.post("/tokens", {"scopes": ["read", "write"]})
    assert [error["field"] for error in refused.json["errors"]] == ["scopes"]
    assert narrow.post("/tokens", {}).json["scopes"] == ["write"]


def test_a_token_that_only_reads_makes_none(container, app, ids):
    with container.work(SYSTEM) as work:
        secret = tokens.create(
            work, name="reader", role="holder", holder_id=ids[0], scopes=["read"]
        )[1]
    assert Caller(app.test_client(), secret).post("/tokens", {}).status_code == 403


def test_the_secret_is_shown_once_and_kept_nowhere(ana, container):
    first = ana.post("/tokens", {}, key="once")
    again = ana.post("/tokens", {}, key="once")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json["secret"].startswith("trk_")
    assert again.json == {**first.json, "secret": None}
    MadeTokenSchema().load(again.json)
    assert again.headers["Location"] == first.headers["Location"]
    assert len(ana.get("/tokens").json["items"]) == 2
    with container.reading(SYSTEM) as reading:
        (kept,) = reading.rows(select(IdempotencyKey.body))
    assert b"trk_" not in kept.body
    assert first.json["secret"] not in ana.get("/tokens").text
    assert "secret" not in ana.get(f"/tokens/{first.json['id']}").json


def test_one_sees_and_ends_ones_own_tokens_only(caller, container, ana, employer_id):
    other = caller("holder", holder_id=factories.certified(container, date(2024, 3, 1))[0])
    mine = ana.post("/tokens", {}).json["id"]
    listed = ana.get("/tokens")
    page_of(TokenSchema)().load(listed.json)
    assert mine in {one["id"] for one in listed.json["items"]}
    assert mine not in {one["id"] for one in other.get("/tokens").json["items"]}
    unknown = "0192d3a0-0000-7000-8000-000000000000"
    for who in (other, caller("employer", employer_id=employer_id)):
        for method in ("GET", "DELETE"):
            foreign = who.call(method, f"/tokens/{mine}")
            none = who.call(method, f"/tokens/{unknown}")
            assert foreign.status_code == none.status_code == 404
            assert {**foreign.json, "request_id": ""} == {**none.json, "request_id": ""}
    admin = caller("admin")
    assert mine in {one["id"] for one in admin.get("/tokens?limit=200").json["items"]}
    assert admin.get(f"/tokens/{mine}").json["name"] == "ana"
    assert caller("staff").get(f"/tokens/{mine}").json["name"] == "ana", "staff may have to end it"


def test_an_ended_token_is_dead_at_once_and_stays_on_record(ana, app):
    made = ana.post("/tokens", {}).json
    own = Caller(app.test_client(), made["secret"])
    assert own.delete(f"/tokens/{made['id']}").status_code == 204
    assert own.get("/me").status_code == 401
    assert ana.get(f"/tokens/{made['id']}").json["revoked_at"] == "2026-11-21T17:00:00Z"
    assert ana.delete(f"/tokens/{made['id']}").status_code == 204


def test_ending_a_token_ends_all_that_were_made_with_it(caller, app, container):
    admin = caller("admin")
    made = admin.post("/tokens", {"role": "staff", "name": "sam"}).json
    sam = Caller(app.test_client(), made["secret"])
    child = sam.post("/tokens", {}).json
    grandchild = Caller(app.test_client(), child["secret"]).post("/tokens", {}).json
    beside = admin.post("/tokens", {"role": "staff", "name": "eve"}).json

    assert admin.delete(f"/tokens/{made['id']}").status_code == 204

    for one in (made, child, grandchild):
        assert Caller(app.test_client(), one["secret"]).get("/me").status_code == 401
        assert admin.get(f"/tokens/{one['id']}").json["revoked_at"] == "2026-11-21T17:00:00Z"
    assert Caller(app.test_client(), beside["secret"]).get("/me").status_code == 200
    with container.reading(SYSTEM) as reading:
        lines = reading.rows(
            select(HistoryEntry.subject_id, HistoryEntry.detail).where(
                HistoryEntry.action == "revoke"
            )
        )
    told = {row.subject_id: row.detail.get("with") for row in lines}
    assert told == {made["id"]: None, child["id"]: made["id"], grandchild["id"]: made["id"]}


@pytest.mark.parametrize("role", ["admin", "holder"])
def test_no_token_outlives_the_one_it_is_made_with(caller, app, clock, ids, role):
    subject = {"holder_id": ids[0]} if role == "holder" else {}
    soon = (clock.now + timedelta(minutes=5)).isoformat()
    five = caller(role, **subject).post("/tokens", {"expires_at": soon}).json
    short = Caller(app.test_client(), five["secret"])

    for later in ("2026-11-21T17:05:01Z", "2027-11-21T17:00:00Z", None):
        refused = short.post("/tokens", {"expires_at": later})
        assert [error["field"] for error in refused.json["errors"]] == ["expires_at"], later
    assert short.post("/tokens", {}).json["expires_at"] == "2026-11-21T17:05:00Z"


def test_a_request_whose_token_ends_while_it_is_sent_changes_nothing(ana, app):
    """The body comes slowly, and the token is ended before it has come whole."""
    made = ana.post("/tokens", {}).json

    class Slow(io.BytesIO):
        def readinto(self, buffer):
            if self.tell() == 0:
                assert ana.delete(f"/tokens/{made['id']}").status_code == 204
            return super().readinto(buffer)

    body = b'{"employer_id": "0192d3a0-0000-7000-8000-000000000000"}'
    headers = {"Authorization": f"Bearer {made['secret']}"}
    refused = app.test_client().post(
        "/api/v1/me/sharing",
        input_stream=Slow(body),
        content_length=len(body),
        headers=headers,
        content_type="application/json",
    )

    assert (refused.status_code, refused.json["code"]) == (401, "token_ended")
    assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_no_token_is_made_with_one_that_has_ended(container, ids):
    with container.work(SYSTEM) as work:
        id_, secret = tokens.create(work, name="ana", role="holder", holder_id=ids[0])
    with container.reading(SYSTEM) as reading:
        actor = tokens.authenticate(reading, secret)
    with container.work(SYSTEM) as work:
        tokens.revoke(work, id_)
    with pytest.raises(TokenEnded), container.work(actor) as work:
        tokens.create(work, name="ana", role="holder", holder_id=ids[0])


def test_an_expired_token_is_dead(ana, app, clock):
    soon = (clock.now + timedelta(hours=1)).isoformat()
    made = ana.post("/tokens", {"expires_at": soon}).json
    own = Caller(app.test_client(), made["secret"])
    assert own.get("/me").status_code == 200
    clock.advance(hours=1)
    assert own.get("/me").status_code == 401


def test_tokens_come_in_pages_and_show_when_they_were_used(ana, clock):
    for _ in range(3):
        ana.post("/tokens", {})
    first = ana.get("/tokens?limit=2").json
    rest = ana.get(f"/tokens?limit=2&after={first['next']}").json
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 2, None)
    clock.advance(minutes=2)
    used = [one["last_used_at"] for one in ana.get("/tokens").json["items"]]
    assert used == ["2026-11-21T17:02:00Z", None, None, None]
