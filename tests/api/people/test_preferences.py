"""Preferences over HTTP: one's own, and what staff see of a holder's."""

from __future__ import annotations

from datetime import date

import pytest

from tests import factories
from tests.backends import SQLITE
from tests.statements import counted
from tracker.api.people.preferences import WantedSchema


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25), email="ana@example.org")


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0])


def test_a_holder_wants_every_letter_until_they_say_otherwise(ana):
    answer = ana.get("/me/preferences")
    assert answer.status_code == 200
    WantedSchema().load(answer.json)
    assert answer.json["reminders"] == {"wanted": True, "snoozed_until": None}
    assert answer.json["decisions"] == {"wanted": True}
    assert answer.json["email"] == "ana@example.org"
    assert answer.json["warnings"] == []
    assert answer.json["always_sent"] == ["suspended", "reinstated", "revoked", "consent_asked"]
    assert "We always send" in answer.json["always_sent_because"]


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "the last 7 days before"), ("es", "los últimos 7 días antes de que venza")],
)
def test_switching_reminders_off_warns_that_the_last_letters_stop_too(ana, language, words):
    headers = {"Accept-Language": language}
    answer = ana.patch("/me/preferences", {"reminders": {"wanted": False}}, headers=headers)
    assert answer.status_code == 200
    assert answer.json["reminders"] == {"wanted": False, "snoozed_until": None}
    (warning,) = answer.json["warnings"]
    assert warning["code"] == "last_reminders_stop"
    assert words in warning["message"]
    on = ana.patch("/me/preferences", {"reminders": {"wanted": True}}, headers=headers)
    assert on.json["warnings"] == []


def test_what_is_not_given_stays_as_it_is(ana):
    ana.patch("/me/preferences", {"reminders": {"snoozed_until": "2027-01-31"}})
    ana.patch("/me/preferences", {"decisions": {"wanted": False}})
    told = ana.patch("/me/preferences", {"language": "es", "second_email": "a@b.example"}).json
    assert told["reminders"] == {"wanted": True, "snoozed_until": "2027-01-31"}
    assert told["decisions"] == {"wanted": False}
    assert (told["language"], told["second_email"]) == ("es", "a@b.example")
    told = ana.patch("/me/preferences", {"reminders": {"snoozed_until": None}}).json
    assert told["reminders"] == {"wanted": True, "snoozed_until": None}


CANNOT_BE_WANTED: list[tuple[dict[str, object], str]] = [
    ({"reminders": {"snoozed_until": "2026-11-20"}}, "reminders.snoozed_until"),
    ({"reminders": {"snoozed_until": "2027-11-22"}}, "reminders.snoozed_until"),
    ({"reminders": {"wanted": "no"}}, "reminders.wanted"),
    ({"decisions": {"snoozed_until": "2027-01-01"}}, "decisions.snoozed_until"),
    ({"safety": {"wanted": False}}, "safety"),
    ({"email": "other@example.org"}, "email"),
    ({"second_email": "nobody"}, "second_email"),
    ({"language": "fr"}, "language"),
]


@SQLITE
def test_what_cannot_be_wanted_is_refused_by_name(ana):
    for body, field in CANNOT_BE_WANTED:
        answer = ana.patch("/me/preferences", body)
        assert answer.status_code == 422, body
        assert [error["field"] for error in answer.json["errors"]] == [field], body


def test_staff_see_a_holders_and_nobody_else_does(ana, staff, caller, container, ids):
    ana.patch("/me/preferences", {"reminders": {"wanted": False}})
    told = staff.get(f"/holders/{ids[0]}/preferences")
    assert told.json["reminders"]["wanted"] is False
    assert staff.get("/me/preferences").status_code == 403
    assert ana.get(f"/holders/{ids[0]}/preferences").status_code == 403
    other = caller("holder", holder_id=factories.certified(container, date(2024, 3, 1))[0])
    assert other.get("/me/preferences").json["reminders"]["wanted"] is True
    assert staff.get("/holders/01900000-0000-7000-8000-000000000000/preferences").status_code == 404


def test_staff_set_them_in_the_holders_place_with_a_reason_and_the_holder_switches_back(
    ana, staff, ids, clock
):
    path = f"/holders/{ids[0]}/preferences"
    body = {
        "reminders": {"wanted": False},
        "decisions": {"wanted": False},
        "reason": "Asked by telephone",
    }
    told = staff.patch(path, body)
    assert told.status_code == 200
    for type_ in ("reminders", "decisions"):
        said = told.json[type_]
        assert (said["wanted"], said["reason"]) == (False, "Asked by telephone")
        assert said["changed_by"].startswith("staff-")
        assert said["changed_at"] == "2026-11-21T17:00:00Z"
    assert staff.get(path).json == told.json
    seen = ana.get("/me/preferences").json
    assert seen["reminders"] == {
        "wanted": False,
        "snoozed_until": None,
        "reason": "Asked by telephone",
    }

    clock.advance(hours=1)
    back = ana.patch("/me/preferences", {"reminders": {"wanted": True}}).json
    assert back["reminders"] == {"wanted": True, "snoozed_until": None}
    assert staff.get(path).json["decisions"]["reason"] == "Asked by telephone"
    lines = staff.get(f"/holders/{ids[0]}/history?limit=200").json["items"]
    preferred = [line for line in lines if line["action"] == "prefer"]
    assert [
        (one["detail"]["type"], one["detail"].get("reason"), one["changes"]) for one in preferred
    ] == [
        ("reminders", None, [{"field": "wanted", "before": False, "after": True}]),
        ("decisions", "Asked by telephone", [{"field": "wanted", "before": True, "after": False}]),
        ("reminders", "Asked by telephone", [{"field": "wanted", "before": True, "after": False}]),
    ]


def test_staff_set_a_pause_and_give_another_reason(ana, staff, ids):
    path = f"/holders/{ids[0]}/preferences"
    until = {"reminders": {"snoozed_until": "2027-01-31"}}
    assert staff.patch(path, until).json["reminders"]["snoozed_until"] == "2027-01-31"
    staff.patch(path, {**until, "reason": "Parental leave"})
    assert ana.get("/me/preferences").json["reminders"]["reason"] == "Parental leave"
    past = staff.patch(path, {"reminders": {"snoozed_until": "2020-01-31"}})
    assert past.json["errors"][0]["field"] == "reminders.snoozed_until"
    for body in ({"language": "es"}, {"email": "x@example.org"}, {"reminders": {"wanted": "no"}}):
        assert staff.patch(path, body).status_code == 422
    assert ana.patch(path, until).status_code == 403
    unknown = "/holders/01900000-0000-7000-8000-000000000000/preferences"
    assert staff.patch(unknown, until).status_code == 404


def test_reading_ones_preferences_costs_the_same_whatever_was_said(container, ana):
    ana.get("/me/preferences")  # the first use of a token is written down
    with counted(container.engine) as before:
        ana.get("/me/preferences")
    ana.patch("/me/preferences", {"reminders": {"wanted": False}, "decisions": {"wanted": False}})
    with counted(container.engine) as after:
        ana.get("/me/preferences")
    assert len(before) == len(after)
    assert len([s for s in after if "preference" in s]) == 1
