"""api/employers/clearances.py, services/employers/clearances.py: who may do a job, and why not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from tests import factories
from tests.api.employers import employer_cases
from tests.api.employers.employer_cases import read
from tests.statements import counted
from tracker import signatures
from tracker.api.employers.clearances import ClearancesSchema, GateListSchema
from tracker.domain import numbers
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification, Sharing
from tracker.services.credentials import certifications
from tracker.services.employers import gate_lists
from tracker.services.points import other_credentials

TODAY = date(2026, 11, 21)
EXPIRES = "2028-05-01"


@pytest.fixture
def acme(container):
    company = employer_cases.company(container)
    company.hire("valid")
    company.hire("old", awarded_on=date(2018, 5, 1))
    company.hire("never", awarded_on=None)
    company.hire("private", shared=False)
    return company


@pytest.fixture
def hr(caller, acme):
    return caller("employer", employer_id=acme.id)


def requirement(hr, acme, *needs, name="Job"):
    needs = needs or ([{"scheme": "cpt"}],)
    made = hr.post(acme.path("/requirements"), {"name": name, "needs": list(needs)})
    assert made.status_code == 201, made.json
    return made.json["id"]


def asked(hr, acme, job, *people, **more):
    answer = hr.post(
        acme.path("/clearances"), {"requirement_id": job, "people": list(people)} | more
    )
    return read(ClearancesSchema, answer)["items"]


def number_of(acme, employee_id):
    with acme.container.reading(SYSTEM) as reading:
        mine = Certification.holder_id == acme.holders[employee_id]
        return reading.row(select(Certification.number, Certification.public_id).where(mine))


def change_consent(acme, employee_id, **values):
    with acme.container.work(SYSTEM) as work:
        mine = Sharing.holder_id == acme.holders[employee_id]
        work.execute(update(Sharing).where(mine).values(**values))


def bring(acme, employee_id, **stated):
    with acme.container.work(SYSTEM) as work:
        other_credentials.add(
            work,
            acme.holders[employee_id],
            {"credential": "osha_10", "issued_on": date(2025, 1, 1), **stated},
        )


def test_each_is_told_yes_until_when_or_no_because(hr, acme):
    found = asked(hr, acme, requirement(hr, acme), "valid", "old", "never", "private", "nobody")

    assert [(one["said"], one["state"], one["until_on"]) for one in found] == [
        ("valid", "cleared", EXPIRES),
        ("old", "not_cleared", None),
        ("never", "not_cleared", None),
        ("private", "not_shared", None),
        ("nobody", "unknown", None),
    ]
    assert found[0]["answer"] == "Yes, until May 1, 2028"
    assert found[1]["lacking"] == [
        [{"scheme": "cpt", "status": "expired", "ended_on": "2023-05-01"}]
    ]
    assert "expired on May 1, 2023" in found[1]["answer"]
    assert found[2]["lacking"][0][0]["status"] == "not_certified"
    assert found[3]["name"] is None


def test_the_answer_is_in_the_language_of_who_asks(hr, acme):
    job = requirement(hr, acme)
    answer = hr.post(
        acme.path("/clearances"),
        {"requirement_id": job, "people": ["valid"]},
        headers={"Accept-Language": "es"},
    )

    assert answer.json["items"][0]["answer"] == "Sí, hasta el 1 de mayo de 2028"


def test_a_certificate_number_or_address_finds_whoever_shares_and_nobody_else(hr, acme, container):
    other = employer_cases.company(container, "Other")
    other.hire("elsewhere")
    job = requirement(hr, acme)
    mine, hidden = number_of(acme, "valid"), number_of(acme, "private")
    theirs = number_of(other, "elsewhere")
    found = asked(
        hr,
        acme,
        job,
        mine.number.lower().replace("-", " "),
        f"https://example.org/verify/{mine.public_id}",
        hidden.number,
        f"https://example.org/verify/{hidden.public_id}",
        theirs.number,
    )

    assert [one["state"] for one in found] == ["cleared"] * 2 + ["unknown"] * 3
    assert [one["employee_id"] for one in found] == ["valid", "valid", None, None, None]


def test_a_number_printed_before_finds_its_worker_unless_it_is_now_anothers(hr, acme, container):
    def printed_before(employee_id, number):
        with container.work(SYSTEM) as work:
            mine = Certification.holder_id == acme.holders[employee_id]
            work.execute(update(Certification).where(mine).values(former_key=numbers.key(number)))
        (found,) = asked(hr, acme, job, number)
        return found["employee_id"], found["state"]

    job = requirement(hr, acme)

    assert printed_before("private", "old-122") == (None, "unknown")
    assert printed_before("valid", "old-123") == ("valid", "cleared")
    assert printed_before("old", number_of(acme, "valid").number) == (None, "unknown")


def test_any_day_may_be_asked_about_as_far_as_dates_are_shared(hr, acme):
    job = requirement(hr, acme)
    after = asked(hr, acme, job, "valid", as_of="2028-05-02")[0]
    before = asked(hr, acme, job, "valid", as_of="2026-11-20")[0]
    change_consent(acme, "valid", with_dates=False)
    today = asked(hr, acme, job, "valid")[0]
    tomorrow = asked(hr, acme, job, "valid", as_of="2026-11-22")[0]

    assert (after["state"], after["lacking"][0][0]["ended_on"]) == ("not_cleared", EXPIRES)
    assert before["state"] == "not_shared"  # a consent tells no day before it was given
    assert (today["state"], today["until_on"], today["dates_shared"]) == ("cleared", None, False)
    assert today["answer"] == "Yes"
    assert tomorrow["state"] == "not_shared"


def test_without_the_dates_nothing_that_has_ended_has_a_day(hr, acme):
    change_consent(acme, "old", with_dates=False)

    assert asked(hr, acme, requirement(hr, acme), "old")[0]["lacking"][0][0]["ended_on"] is None


def test_a_module_or_another_credential_counts_if_it_is_shared(hr, acme):
    module = requirement(hr, acme, [{"scheme": "cpt", "module": "safety"}], name="Module")
    osha = requirement(hr, acme, [{"credential": "osha_10"}], name="OSHA")
    bring(acme, "old", expires_on=date(2027, 2, 1))

    def states(who):
        return [asked(hr, acme, job, who)[0]["state"] for job in (module, osha)]

    assert states("old") == ["not_shared", "not_shared"]
    for who in ("old", "never"):
        change_consent(acme, who, with_modules=True, with_credentials=True)
    assert states("old") == ["cleared", "cleared"]
    assert states("never") == ["not_cleared", "not_cleared"]
    assert asked(hr, acme, osha, "old")[0]["until_on"] == "2027-02-01"
    over = asked(hr, acme, osha, "old", as_of="2027-02-02")[0]
    assert over["lacking"] == [
        [{"credential": "osha_10", "status": "over", "ended_on": "2027-02-01"}]
    ]
    assert asked(hr, acme, module, "never")[0]["lacking"][0][0]["status"] == "not_passed"


def test_a_suspension_to_come_ends_the_clearance_the_day_before(hr, acme):
    job = requirement(hr, acme)
    with acme.container.work(SYSTEM) as work:
        held = factories.certification(work, acme.holders["valid"], "cpt")
        certifications.change(
            work,
            held.id,
            kind=ChangeKind.SUSPEND,
            effective_on=date(2026, 12, 24),
            reason_code="other",
            reason="A test.",
        )

    assert asked(hr, acme, job, "valid")[0]["until_on"] == "2026-12-23"
    later = asked(hr, acme, job, "valid", as_of="2026-12-24")[0]
    assert later["lacking"] == [[{"scheme": "cpt", "status": "suspended", "ended_on": None}]]


def test_every_question_is_a_look_at_those_who_share_and_at_nobody_else(hr, acme, caller):
    asked(hr, acme, requirement(hr, acme), "valid", "private", "nobody")

    def looks(who):
        holder = caller("holder", holder_id=acme.holders[who])
        return [one["kind"] for one in holder.get("/me/looks").json["items"]]

    assert looks("valid") == ["clearance"]
    assert looks("private") == []


def test_two_hundred_are_asked_about_in_three_statements(hr, acme, container):
    acme.hire(*(f"w{n:03}" for n in range(200)), with_modules=True)
    job = requirement(hr, acme, [{"scheme": "cpt"}], [{"scheme": "cpt", "module": "safety"}])
    people = [f"w{n:03}" for n in range(200)]

    def reads(*some):
        with counted(container) as ran:
            found = asked(hr, acme, job, *some)
        assert {one["state"] for one in found} == {"cleared"}
        tables = ("job_requirement", "standing_span", "assessment")
        return [
            one
            for one in ran
            if one.startswith(("SELECT", "WITH")) and any(t in one for t in tables)
        ], ran

    of_many, all_of_many = reads(*people)
    of_one, all_of_one = reads("w000")
    assert len(of_many) == len(of_one) == 3
    assert len(all_of_many) == len(all_of_one)


def test_one_more_than_two_hundred_is_refused(hr, acme):
    job = requirement(hr, acme)
    body = {"requirement_id": job, "people": ["valid"] * 201}

    assert hr.post(acme.path("/clearances"), body).status_code == 422


# Lists for gates.
def made(hr, acme, job, hours):
    where = acme.path(f"/requirements/{job}/gate-list")
    return read(GateListSchema, hr.post(where, {"hours": hours}))


def test_a_gate_checks_the_list_with_the_public_key_alone(hr, acme, app):
    listed = made(hr, acme, requirement(hr, acme), 8)
    (key,) = app.test_client().get("/api/v1/signing-keys").json["keys"]
    values = signatures.read(key, gate_lists.KIND, listed["signed"]) or {}

    assert "d" not in key
    assert values["employee_ids"] == listed["employee_ids"] == ["valid"]
    assert values["exp"] - values["iat"] == 8 * 3600
    assert values["requirement"] == "Job"


def test_a_list_that_was_changed_or_is_of_another_kind_or_key_is_no_list(hr, acme, app):
    signed = made(hr, acme, requirement(hr, acme), 8)["signed"]
    (key,) = app.test_client().get("/api/v1/signing-keys").json["keys"]
    head, payload, proof = signed.split(".")
    other = signatures.public_key(bytes(32))

    assert signatures.read(key, gate_lists.KIND, signed) is not None
    for wrong in (f"{head}.{payload}x.{proof}", f"{head}.{payload}.", head, "", f"{signed}.x"):
        assert signatures.read(key, gate_lists.KIND, wrong) is None
    assert signatures.read(key, "something-else", signed) is None
    assert signatures.read(other, gate_lists.KIND, signed) is None


def test_whoever_is_on_a_list_is_cleared_through_its_last_day(hr, acme):
    """And who shares no dates is on none that reaches beyond today, which would tell one."""
    job = requirement(hr, acme)
    acme.hire("undated", with_dates=False)
    acme.hire("ends")
    with acme.container.work(SYSTEM) as work:
        held = factories.certification(work, acme.holders["ends"], "cpt")
        certifications.change(
            work,
            held.id,
            kind=ChangeKind.REVOKE,
            effective_on=TODAY + timedelta(days=2),
            reason_code="other",
            reason="A test.",
        )

    assert made(hr, acme, job, 8)["employee_ids"] == ["ends", "undated", "valid"]
    assert made(hr, acme, job, 24)["employee_ids"] == ["ends", "valid"]
    assert made(hr, acme, job, 48)["employee_ids"] == ["valid"]
    where = acme.path(f"/requirements/{job}/gate-list")
    for hours in (0, 73, "8"):
        assert hr.post(where, {"hours": hours}).status_code == 422


def test_a_list_is_a_look_at_everybody_who_shares(hr, acme, caller):
    made(hr, acme, requirement(hr, acme), 8)
    for who, expected in (("valid", ["gate_list"]), ("old", ["gate_list"]), ("private", [])):
        holder = caller("holder", holder_id=acme.holders[who])
        assert [one["kind"] for one in holder.get("/me/looks").json["items"]] == expected
