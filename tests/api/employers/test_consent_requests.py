"""services/employers/consent_requests.py: employers ask, holders answer, nobody else is told."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from tests import factories
from tests.api.employers import employer_cases
from tests.api.employers.employer_cases import everything, read
from tracker.api.employers.consent_requests import AskedWorkerSchema, ConsentRequestSchema
from tracker.api.employers.consents import SharingSchema
from tracker.domain.permissions import SYSTEM
from tracker.models import Notice

EVERYTHING = ["standing", "dates", "points", "modules"]


@pytest.fixture
def acme(container):
    return employer_cases.company(container)


@pytest.fixture
def hr(caller, acme):
    return caller("employer", employer_id=acme.id)


@pytest.fixture
def ana(caller, container):
    """A holder who is on record with this address."""
    with container.work(SYSTEM) as work:
        holder_id = factories.holder(work, email="ana@example.org")
    return caller("holder", holder_id=holder_id)


def listed(hr, acme, employee_id, **words):
    """The id of a new entry."""
    made = hr.post(acme.path("/roster"), {"employee_id": employee_id, **words})
    assert made.status_code == 201, made.json
    return made.json["id"]


def ask(hr, acme, *entry_ids, fields=EVERYTHING, purpose="training"):
    body = {"entry_ids": list(entry_ids), "fields": fields, "purpose": purpose}
    return read(AskedWorkerSchema, hr.post(acme.path("/consent-requests"), body))


def reason(hr, acme):
    """Why each worker is not shared, by number."""
    rows = everything(hr, acme.path("/workforce"))
    return {row["employee_id"]: (row["reason"], row["reason_on"]) for row in rows}


def mine(ana):
    return read(ConsentRequestSchema, ana.get("/me/consent-requests"))


def asked_by_mail(container):
    with container.reading(SYSTEM) as reading:
        kinds = reading.rows(select(Notice.kind).order_by(Notice.id))
    return [row.kind for row in kinds].count("consent_asked")


def test_whoever_is_listed_is_asked_for_the_standing_with_its_dates_and_accepts_less(acme, hr, ana):
    entry = listed(hr, acme, "1", email="ana@example.org")
    (found,) = mine(ana)
    path = f"/me/consent-requests/{found['id']}/acceptance"
    assert (found["employer_name"], found["fields"]) == ("Acme", ["standing", "dates"])
    assert ana.post(path, {"fields": ["points"]}).status_code == 422
    assert ana.post(path, {"until_on": "2026-11-20"}).status_code == 422
    shared = read(SharingSchema, ana.post(path, {"fields": []}), 201)

    assert (shared["fields"], shared["purpose"]) == (["standing"], "employment")
    assert mine(ana) == []
    assert ana.post(path, {}).status_code == 404
    assert hr.get(acme.path(f"/workforce/{entry}")).json["shared"] is True


def test_an_employer_asks_for_more_and_the_new_consent_replaces_the_old(acme, hr, ana, clock):
    entry = listed(hr, acme, "1", email="ana@example.org")
    ana.post(f"/me/consent-requests/{entry}/acceptance", {})
    clock.advance(days=20)
    (told,) = ask(hr, acme, entry)
    assert told == {"entry_id": entry, "asked": True, "reason": None, "again_on": None}
    assert hr.get(acme.path(f"/workforce/{entry}")).json["modules"] is None
    ana.post(f"/me/consent-requests/{entry}/acceptance", {})

    assert hr.get(acme.path(f"/workforce/{entry}")).json["modules"] == []
    (viewer,) = ana.get("/me/sharing").json
    assert (viewer["fields"], viewer["purpose"]) == (EVERYTHING, "training")
    assert ask(hr, acme, entry)[0]["reason"] == "shared"


def test_whoever_declined_is_not_asked_again_for_90_days_by_whatever_words(
    acme, hr, ana, clock, container
):
    entry = listed(hr, acme, "1", email="ana@example.org")
    assert ana.post(f"/me/consent-requests/{entry}/refusal").status_code == 204
    assert reason(hr, acme) == {"1": ("declined", "2026-11-21")}
    (told,) = ask(hr, acme, entry)
    assert (told["asked"], told["reason"], told["again_on"]) == (False, "declined", "2027-02-19")
    mails = asked_by_mail(container)
    hr.delete(acme.path(f"/roster/{entry}"))
    again = listed(hr, acme, "2", email="ana@example.org")
    assert reason(hr, acme) == {"2": ("asked", "2026-11-21")}, "as for anybody else"
    assert (mine(ana), asked_by_mail(container)) == ([], mails)
    clock.advance(days=91)

    assert [found["id"] for found in mine(ana)] == [again]


def test_no_answer_to_an_employer_tells_who_is_on_record(acme, hr, ana, clock):
    """One entry means Ana, one nobody, one has no word, and one means Ana a second time."""
    entries = {
        "1": listed(hr, acme, "1", email="ana@example.org"),
        "2": listed(hr, acme, "2", email="nobody@example.org"),
        "3": listed(hr, acme, "3"),
    }
    asked = ("asked", "2026-11-21")
    assert reason(hr, acme) == {"1": asked, "2": asked, "3": ("not_matched", None)}
    refused = {told["entry_id"]: told["reason"] for told in ask(hr, acme, *entries.values())}
    assert [refused[id_] for id_ in entries.values()] == ["asked", "asked", "not_matched"]
    clock.advance(days=14)
    again = {told["entry_id"]: told["asked"] for told in ask(hr, acme, *entries.values())}
    assert [again[id_] for id_ in entries.values()] == [True, True, False]
    assert len(mine(ana)) == 1
    ana.post("/me/bars", {"employer_id": acme.id})

    assert mine(ana) == []
    assert reason(hr, acme)["1"] == reason(hr, acme)["2"] == ("asked", "2026-12-05")


def test_a_consent_that_ended_reads_so_and_one_never_asked_for_too(acme, hr, caller):
    acme.hire("1", until_on=date(2026, 12, 1))
    acme.hire("2", shared=False, given_email="bob@example.org")
    ana = caller("holder", holder_id=acme.holders["1"])
    assert reason(hr, acme) == {"1": (None, None), "2": ("not_asked", None)}
    ana.delete(f"/me/sharing/{acme.sharing_of('1')}")

    assert reason(hr, acme)["1"] == ("ended", None)


def test_nobody_asks_through_entries_of_others_or_answers_for_others(
    acme, hr, ana, caller, container
):
    entry = listed(hr, acme, "1", email="ana@example.org")
    other = employer_cases.company(container, "Globex")
    stranger = caller("employer", employer_id=other.id)
    body = {"entry_ids": [entry], "purpose": "training"}
    with container.work(SYSTEM) as work:
        bob = factories.holder(work, email="bob@example.org")
    bob_signs = caller("holder", holder_id=bob)

    assert stranger.post(acme.path("/consent-requests"), body).status_code == 404
    assert stranger.post(other.path("/consent-requests"), body).status_code == 404
    assert bob_signs.post(f"/me/consent-requests/{entry}/acceptance", {}).status_code == 404
    assert bob_signs.post(f"/me/consent-requests/{entry}/refusal").status_code == 404
    assert len(mine(ana)) == 1
