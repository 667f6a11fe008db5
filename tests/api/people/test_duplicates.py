"""Likely duplicates (api/people/duplicates.py, services/people/duplicates.py)."""

from __future__ import annotations

from sqlalchemy import insert, select, text

from tests import factories
from tests.rows import acts_on
from tracker import jobs
from tracker.db import new_id
from tracker.domain.permissions import SYSTEM
from tracker.models import Employer, LikelyDuplicate, RosterEntry
from tracker.services.people import duplicates

ANA = {"given_name": "Ana", "family_name": "Peña", "email": "ana@example.org"}
LIST = "/holders/duplicates"


def pairs(container):
    with container.reading(SYSTEM) as reading:
        rows = reading.rows(select(LikelyDuplicate.first_id, LikelyDuplicate.second_id))
    return {tuple(row) for row in rows}


def test_a_pair_is_listed_once_somebody_is_recorded_and_settled_for_good(container, staff, caller):
    first = staff.post("/holders", ANA | {"ref": "P1"}).json["id"]
    made = staff.post("/holders", ANA | {"email": "ANA@example.org", "ref": "P2"}).json
    (warning,) = made["warnings"]
    assert "'P1' has the same name and the same email address" in warning
    (pair,) = staff.get(LIST).json["items"]
    assert [one["ref"] for one in pair["people"]] == ["P1", "P2"]
    assert pair["signs"] == ["same_name", "same_email"]
    path = f"{LIST}/{pair['id']}"

    own = caller("staff", holder_id=first)
    assert own.post(f"{path}/settlement", {"reason": "Me."}).json["code"] == "self_review"
    settled = staff.post(f"{path}/settlement", {"reason": "Mother and daughter."}).json
    assert settled["settled_reason"] == "Mother and daughter."
    assert staff.get(LIST).json["items"] == []
    assert staff.get(f"{LIST}?settled=true").json["items"] == [settled]
    again = staff.post(f"{path}/settlement", {"reason": "x"})
    assert (again.status_code, again.json["code"]) == (409, "illegal_transition")
    jobs.find_duplicates(container)
    assert staff.get(LIST).json["items"] == []

    assert staff.post(f"{path}/reopening", {"reason": "Mistaken."}).json["settled_at"] is None
    assert staff.get(LIST).json["items"] == [pair]
    assert staff.post(f"{path}/reopening", {"reason": "x"}).status_code == 409
    assert staff.post(f"{LIST}/{new_id()}/settlement", {"reason": "x"}).status_code == 404
    acts = acts_on(container, "holder")
    assert [act for act in acts if act != "register"] == [
        "suspect_duplicate",
        *["settle_duplicate"] * 2,
        *["reopen_duplicate"] * 2,
    ]


def test_all_are_looked_through_by_address_and_by_employer(container):
    with container.work(SYSTEM) as work:
        names = [("Ana", "Peña"), ("Pena", "Ana"), ("Cy", "Ruiz"), ("Ana", "Peña"), ("Bo", "Li")]
        ids = [
            factories.holder(work, given_name=given, family_name=family) for given, family in names
        ]
        shared = {"email": f"{'x' * 9}@example.org"}
        ids += [factories.holder(work, second_email=shared["email"].upper()) for _ in range(1)]
        ids += [factories.holder(work, **shared)]
        employer = Employer(name="Acme", recorded_at=work.now)
        work.session.add(employer)
        work.session.flush()
        for number, id_ in enumerate(ids[:3]):
            entry = {"employer_id": employer.id, "employee_id": f"{number}", "holder_id": id_}
            work.execute(insert(RosterEntry).values(id=new_id(), recorded_at=work.now, **entry))

    assert pairs(container) == set()
    assert jobs.find_duplicates(container) == 1
    assert pairs(container) == {tuple(sorted(ids[:2])), tuple(sorted(ids[5:]))}


def test_of_a_file_of_many_the_addresses_are_found_by_their_index(container):
    with container.work(SYSTEM) as work:
        first = [factories.holder(work, email=f"P{n}@x.org") for n in range(21)]
        then = [factories.holder(work, email=f"P{n}@x.org") for n in range(21)]
        found = duplicates.look_for(work, then)
        plan = work.rows(_explained(work))
    assert {one.holder_id for some in found.values() for one in some} == set(then)
    assert pairs(container) == {tuple(sorted(pair)) for pair in zip(first, then, strict=True)}
    assert "ix_holder_email" in str(plan)
    assert "ix_holder_second_email" in str(plan)


def _explained(work):
    if work.dialect == "postgresql":
        work.execute(text("set local enable_seqscan = off"))
    how = "explain query plan" if work.dialect == "sqlite" else "explain"
    return text(f"{how} select id from holder where email in ('a', 'b') or second_email in ('a')")
