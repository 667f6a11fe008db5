"""Employment that employers confirm, and what they permit while a renewal is decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from tests import factories
from tests.services.delivery import reminder_cases
from tests.services.points import attendance_cases
from tests.statements import counted
from tracker import jobs
from tracker.domain.errors import SelfReview
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Activity, Decision, HistoryEntry, HistoryValue, Notice, Renewal
from tracker.services.employers import confirmations, employers, roster, sharing
from tracker.services.people import holders
from tracker.services.points import activities

JOB = {
    "type": "employment_full_time",
    "title": "Operator",
    "provider": "Acme",
    "starts_on": date(2026, 1, 1),
    "completed_on": date(2026, 12, 31),
}


@pytest.fixture
def company(container):
    with container.work(SYSTEM) as work:
        return employers.register(work, name="Acme").id


def listed(container, clock, company, number="1", **values):
    """Somebody certified whom Acme has listed since June 1, 2025, and who shares: all ids."""
    now = clock()
    holder_id, certification_id = factories.certified(container, date(2023, 1, 10), **values)
    clock.set("2025-06-01")
    with container.work(SYSTEM) as work:
        ref = holders.get(work, holder_id).ref
        entry = roster.add(work, company, employee_id=number, holder_ref=ref).id
    with container.work(Actor(role="holder", name="Ana", holder_id=holder_id)) as work:
        sharing.consent(work, company)
    clock.now = now
    return holder_id, certification_id, entry


@pytest.fixture
def ids(container, clock, company):
    clock.set("2027-01-10")
    return listed(container, clock, company)


@pytest.fixture
def by(caller, company, ids, staff):
    """Who acts: HR of Acme, Ana, staff, an administrator."""
    return SimpleNamespace(
        hr=caller("employer", employer_id=company),
        ana=caller("holder", holder_id=ids[0]),
        staff=staff,
        admin=caller("admin"),
    )


def due(hr, company):
    items = hr.get(f"/employers/{company}/confirmations/due").json["items"]
    return {one["employee_id"]: [year["year"] for year in one["years"]] for one in items}


def confirm(hr, company, entry_id, year=2026, **more):
    body = {"entry_id": entry_id, "year": year, **more}
    return hr.post(f"/employers/{company}/confirmations", body)


def test_a_year_is_confirmed_in_one_act_seen_by_the_holder_and_withdrawn(by, company, ids):
    holder_id, _, entry = ids
    assert due(by.hr, company) == {"1": [2025, 2026]}
    absent = by.ana.get(f"/holders/{holder_id}/confirmations/missing").json["items"]
    assert absent == [{"employer": "Acme", "years": [2025, 2026]}]

    made = confirm(by.hr, company, entry)
    assert made.status_code == 201, made.json
    assert (made.json["starts_on"], made.json["ends_on"]) == ("2026-01-01", "2026-12-31")
    assert confirm(by.hr, company, entry).json["code"] == "already_recorded"
    assert due(by.hr, company) == {"1": [2025]}
    first = confirm(by.hr, company, entry, 2025).json
    assert first["starts_on"] == "2025-06-01", "the day on which the worker was listed"
    shown = by.ana.get(f"/holders/{holder_id}/confirmations").json["items"]
    assert [(one["employer"], one["year"], one["counts"]) for one in shown] == [
        ("Acme", 2026, True),
        ("Acme", 2025, True),
    ]
    assert shown[0]["signed_by"] == made.json["signed_by"]
    assert by.ana.get(f"/holders/{holder_id}/confirmations/missing").json["items"] == []

    path = f"/confirmations/{made.json['id']}/withdrawal"
    assert by.ana.post(path, {"reason": "x"}).status_code == 403
    gone = by.hr.post(path, {"reason": "It was somebody else."}).json
    assert (gone["counts"], gone["withdrawn_reason"]) == (False, "It was somebody else.")
    assert by.hr.post(path, {"reason": "x"}).status_code == 409
    assert due(by.hr, company) == {"1": [2026]}
    assert confirm(by.hr, company, entry, ends_on="2026-10-31").status_code == 201
    listed_ = by.hr.get(f"/employers/{company}/confirmations").json["items"]
    assert len(listed_) == 3, "nothing is overwritten"
    told = by.staff.get(f"/history?holder_id={holder_id}&subject=employment_confirmation").json
    assert {one["action"] for one in told["items"]} == {"confirm", "withdraw"}


def test_nobody_confirms_for_themselves_and_nobody_but_the_employer(
    by, caller, company, ids, container
):
    _, _, entry = ids
    path = f"/employers/{company}/confirmations"
    body = {"entry_id": entry, "year": 2026}
    assert by.ana.post(path, body).status_code == 403
    assert by.staff.post(path, body).status_code == 403
    assert by.admin.post(path, body).status_code == 403
    with container.work(SYSTEM) as work:
        other = employers.register(work, name="Initech").id
    assert caller("employer", employer_id=other).post(path, body).status_code == 404
    assert confirm(by.hr, company, company).status_code == 404
    assert confirm(by.hr, company, entry, 2027, ends_on="2027-01-11").status_code == 422


def test_a_worker_who_does_not_share_cannot_be_confirmed(by, company, ids):
    _, _, entry = ids
    [consent] = by.ana.get("/me/sharing").json
    by.ana.delete(f"/me/sharing/{consent['id']}")
    refused = confirm(by.hr, company, entry)
    assert (refused.status_code, refused.json["state"]) == (409, "not_shared")
    assert due(by.hr, company) == {}


def job(container, certification_id, **change):
    """A job that the holder logs; its id."""
    with container.work(SYSTEM) as work:
        said = JOB | change
        types = work.schemes["cpt"].policies[0].types
        category = types["employment_full_time"].category
        return activities.log(work, certification_id, said | {"category": category})


@pytest.fixture
def asking(app):
    """The same site, whose CPT asks for evidence of a job."""
    site = app.extensions["tracker"]
    cpt, name = site.schemes["cpt"], "employment_full_time"
    policies = tuple(
        replace(one, types={**one.types, name: replace(one.types[name], evidence="required")})
        for one in cpt.policies
    )
    changed = site.schemes.by_code | {"cpt": replace(cpt, policies=policies)}
    app.extensions["tracker"] = replace(site, schemes=replace(site.schemes, by_code=changed))


@pytest.mark.usefixtures("asking")
def test_a_confirmation_is_evidence_in_place_of_a_file(container, by, company, ids):
    _, certification_id, entry = ids
    mine = job(container, certification_id)
    other = job(container, certification_id, provider="Initech", title="Fitter")
    submission = f"/activities/{mine}/submission"
    assert by.ana.post(submission).json["code"] == "evidence_missing"
    confirm(by.hr, company, entry)
    assert by.ana.post(submission).status_code == 200
    assert by.ana.post(f"/activities/{other}/submission").json["code"] == "evidence_missing"
    review = by.staff.post(f"/queue/{mine}/review").json
    [shown] = review["confirmed"]
    assert (shown["employer"], shown["starts_on"]) == ("Acme", "2026-01-01")
    assert review["activity"]["state"] == "submitted", "the employer is not trusted"


def test_who_qualifies_by_confirmed_months_and_providers_credit_has_only_to_confirm(
    container, clock, by, company, ids
):
    _, certification_id, entry = ids
    trusted = {"confirms_directly": True, "reason": "Audited in May."}
    assert by.staff.post(f"/employers/{company}/direct-confirmation", trusted).status_code == 204
    attendance_cases.course(container)
    number = by.ana.get(f"/certifications/{certification_id}").json["number"]
    for day, quantity in ((12, "60"), (13, "35")):
        row = {"certificate_number": number, "quantity": quantity}
        attendance_cases.attend(container, row | {"held_on": date(2026, 10, day)})
    mine = job(container, certification_id)
    with container.work(SYSTEM) as work:
        activities.submit(work, mine)
    clock.set("2027-12-01")
    before = by.ana.get("/me").json["certifications"][0]["next"]

    assert confirm(by.hr, company, entry).status_code == 201
    step = by.ana.get("/me").json["certifications"][0]["next"]

    assert before["confirm_at"] is None
    assert "You already qualify" in step["sentence"]
    method, path = step["confirm_at"].split()
    assert by.ana.call(method, path.removeprefix("/api/v1")).status_code == 201


def test_what_a_trusted_employer_confirms_counts_until_it_no_longer_stands(
    container, by, company, ids
):
    _, certification_id, entry = ids
    path = f"/employers/{company}/direct-confirmation"
    trusted = {"confirms_directly": True, "reason": "Audited in May."}
    assert by.hr.post(path, trusted).status_code == 403
    record = f"/employers/{company}"
    assert by.hr.get(record).json["confirms_directly"] is False
    assert by.staff.post(path, trusted).status_code == 204
    assert by.staff.post(path, trusted).status_code == 409
    assert by.staff.get("/employers").json["items"][0]["confirms_directly"] is True
    mine, longer = (
        job(container, certification_id),
        job(container, certification_id, starts_on=date(2025, 1, 1), title="Longer"),
    )
    with container.work(SYSTEM) as work:
        for one in (mine, longer):
            row = work.session.get(Activity, one)
            row.state, row.submitted_on, row.submitted_at = "submitted", date(2027, 1, 9), work.now
    before = by.ana.get(f"/certifications/{certification_id}/evaluation").json
    made = confirm(by.hr, company, entry).json
    states = {one: by.ana.get(f"/activities/{one}").json["state"] for one in (mine, longer)}
    assert states == {mine: "approved", longer: "submitted"}, "2025 is not confirmed"
    after = by.ana.get(f"/certifications/{certification_id}/evaluation").json
    assert after["total"] > before["total"]
    with container.reading(SYSTEM) as reading:
        decided = reading.row(select(Decision.decided_by, Decision.reason))
    assert decided.decided_by == made["signed_by"]
    assert made["signed_by"] in decided.reason

    contest = f"/confirmations/{made['id']}/contest"
    assert by.hr.post(contest, {"statement": "x"}).status_code == 403
    assert by.ana.post(contest, {"statement": "I left in May."}).json["counts"] is False
    assert by.ana.post(contest, {"statement": "x"}).status_code == 409
    assert by.ana.get(f"/activities/{mine}").json["state"] == "submitted"
    assert by.ana.post(f"{contest}/end").json["counts"] is True
    assert by.ana.post(f"{contest}/end").status_code == 409
    with container.reading(SYSTEM) as reading:
        details = reading.rows(
            select(HistoryEntry.detail).where(HistoryEntry.subject == "employment_confirmation")
        )
        words = select(HistoryValue.before, HistoryValue.after).where(
            HistoryValue.field == "contest"
        )
        assert [*reading.rows(words.order_by(HistoryValue.history_id))] == [
            (None, "I left in May."),
            ("I left in May.", None),
        ]
    assert "May" not in str(details), "what the holder wrote can be erased"


def submitted(container, certification_id, **change):
    """A job that the holder has submitted; its id."""
    id_ = job(container, certification_id, **change)
    with container.work(SYSTEM) as work:
        row = work.session.get(Activity, id_)
        row.state, row.submitted_on, row.submitted_at = "submitted", date(2027, 1, 9), work.now
    return id_


def test_what_two_years_together_confirm_falls_with_either(container, by, company, ids):
    _, certification_id, entry = ids
    trusted = {"confirms_directly": True, "reason": "Audited in May."}
    by.staff.post(f"/employers/{company}/direct-confirmation", trusted)
    both = submitted(container, certification_id, starts_on=date(2025, 6, 1))
    first = confirm(by.hr, company, entry, 2025).json
    assert by.ana.get(f"/activities/{both}").json["state"] == "submitted"
    confirm(by.hr, company, entry, 2026)
    assert by.ana.get(f"/activities/{both}").json["state"] == "approved"
    by.ana.post(f"/confirmations/{first['id']}/contest", {"statement": "I came in August."})
    assert by.ana.get(f"/activities/{both}").json["state"] == "submitted", "2025 is contested"


def test_more_workers_cost_no_more_statements(container, clock, by, company):
    costs = []
    by.hr.get("/me")
    for number in "23":
        with counted(container) as ran:
            due(by.hr, company)
            by.hr.get(f"/employers/{company}/confirmations")
        costs.append(len(ran))
        _, _, entry = listed(container, clock, company, number)
        confirm(by.hr, company, entry)
    assert costs[0] == costs[1]


def waiting_renewal(container, certification_id):
    """An application that waits for a decision."""
    with container.work(SYSTEM) as work:
        made = Renewal(
            certification_id=certification_id,
            cycle=1,
            submitted_on=date(2027, 1, 5),
            recorded_at=work.now,
        )
        work.session.add(made)


def test_an_employer_permits_work_while_a_renewal_is_decided_in_its_own_words(
    container, clock, by, company, ids
):
    holder_id, certification_id, entry = ids
    path = f"/employers/{company}/work-permissions"
    said = {"entry_id": entry, "words": "May run line 4.", "ends_on": "2027-02-28"}
    early = by.hr.post(path, said)
    assert (early.status_code, early.json["state"]) == (409, "decided")
    waiting_renewal(container, certification_id)
    assert by.hr.post(path, said | {"ends_on": "2027-01-09"}).status_code == 422
    made = by.hr.post(path, said)
    assert made.status_code == 201, made.json
    assert (made.json["in_force"], made.json["words"]) == (True, "May run line 4.")
    mine = f"/holders/{holder_id}/work-permissions"
    assert [one["employer"] for one in by.ana.get(mine).json["items"]] == ["Acme"]
    with container.reading(SYSTEM) as reading:
        kinds = reading.rows(select(Notice.kind).where(Notice.kind == "permission_given"))
    assert len(kinds) == 1, "the holder is told"

    held = by.ana.get(f"/certifications/{certification_id}").json
    page = by.ana.client.get(f"/verify/{held['public_id']}").text
    api = by.ana.client.get(f"/api/v1/verify/{held['public_id']}").text
    assert "line 4" not in page + api
    with container.reading(SYSTEM) as reading:
        details = [*reading.rows(select(HistoryEntry.detail))]
    assert "line 4" not in str(details), "the words go with the person's data"
    assert "Acme" not in page + api

    clock.advance(days=60)
    assert by.ana.get(mine).json["items"][0]["in_force"] is False, "it ends by its day"
    clock.advance(days=-60)
    over = by.hr.post(f"/work-permissions/{made.json['id']}/end", {"reason": "He moved."})
    assert (over.json["in_force"], over.json["end_reason"]) == (False, "He moved.")
    assert (
        by.hr.post(f"/work-permissions/{made.json['id']}/end", {"reason": "x"}).status_code == 409
    )


def test_what_an_employer_writes_brings_no_link_into_our_email(container, clock, by, company, ids):
    _, certification_id, entry = ids
    waiting_renewal(container, certification_id)
    words = "Line 4. Sign in at https://evil.example/login"
    said = {"entry_id": entry, "words": words, "ends_on": "2027-02-28"}
    assert by.hr.post(f"/employers/{company}/work-permissions", said).status_code == 201
    clock.advance(days=2)
    with reminder_cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        [text] = [one.text for one in catcher.letters() if "Line 4." in one.text]
    assert "evil.example" in text
    assert "https://evil" not in text


def test_whoever_confirms_is_never_the_one_who_is_confirmed(container, company, ids):
    holder_id, _, entry = ids
    own = Actor(role="employer", name="Ana", organization_id=company, makers=frozenset({holder_id}))
    with container.work(own) as work, pytest.raises(SelfReview):
        confirmations.confirm(work, company, entry, 2026)
