"""api/employers/requirements.py: an employer says what it asks of whoever does a job."""

from __future__ import annotations

import pytest

from tests.api.employers import employer_cases
from tests.api.employers.employer_cases import read
from tracker.api.employers.requirements import RequirementSchema
from tracker.api.http.schemas import page_of

PLAIN = {"name": "Line 3", "kind": "line", "needs": [[{"scheme": "cpt"}]]}


@pytest.fixture
def acme(container):
    return employer_cases.company(container)


@pytest.fixture
def hr(caller, acme):
    return caller("employer", employer_id=acme.id)


def added(hr, acme, **changes):
    return hr.post(acme.path("/requirements"), PLAIN | changes)


def test_a_requirement_is_added_shown_changed_and_ended(hr, acme):
    made = added(
        hr, acme, needs=[[{"scheme": "cpt", "module": "safety"}, {"credential": "osha_10"}]]
    )
    row = read(RequirementSchema, made, 201)
    where = acme.path(f"/requirements/{row['id']}")
    other = hr.patch(
        where, {"needs": [[{"scheme": "clt"}]]}, headers={"If-Match": made.headers["ETag"]}
    )

    assert row["needs"] == [[{"scheme": "cpt", "module": "safety"}, {"credential": "osha_10"}]]
    assert read(RequirementSchema, other)["needs"] == [[{"scheme": "clt"}]]
    assert read(RequirementSchema, hr.get(where))["name"] == "Line 3"

    stale = hr.delete(where, headers={"If-Match": made.headers["ETag"]})
    ended = hr.delete(where, headers={"If-Match": other.headers["ETag"]})
    assert (stale.status_code, ended.status_code) == (412, 204)
    assert read(RequirementSchema, hr.get(where))["ended_at"] is not None
    assert read(page_of(RequirementSchema), hr.get(acme.path("/requirements")))["items"] == []
    assert hr.patch(where, {"name": "X"}, headers={"If-Match": '"3"'}).status_code == 404


def test_what_it_asked_before_stands_in_the_history(hr, acme, staff):
    made = added(hr, acme)
    where = acme.path(f"/requirements/{made.json['id']}")
    hr.patch(where, {"needs": [[{"scheme": "clt"}]]}, headers={"If-Match": '"1"'})
    lines = staff.get(f"/employers/{acme.id}/history").json["items"]
    found = [
        (line["action"], line["changes"]) for line in lines if line["subject"] == "job_requirement"
    ]

    assert [action for action, _ in found] == ["change", "add"]
    assert found[0][1] == [
        {"field": "needs", "before": [[{"scheme": "cpt"}]], "after": [[{"scheme": "clt"}]]}
    ]


@pytest.mark.parametrize(
    "needs",
    [
        [],
        [[]],
        [[{}]],
        [[{"module": "safety"}]],
        [[{"scheme": "cpt", "credential": "osha_10"}]],
        [[{"scheme": "nope"}]],
        [[{"scheme": "cpt", "module": "nope"}]],
        [[{"credential": "nope"}]],
        [[{"scheme": "cpt"}, {"scheme": "cpt"}]],
        [[{"scheme": "cpt"}], [{"scheme": "cpt"}]],
        [[{"scheme": "cpt"}]] * 11,
    ],
)
def test_needs_that_nobody_could_meet_or_that_say_the_same_twice_are_refused(hr, acme, needs):
    assert added(hr, acme, needs=needs).status_code == 422


def test_two_requirements_have_two_names_until_one_has_ended(hr, acme):
    made = added(hr, acme)
    where = acme.path(f"/requirements/{made.json['id']}")

    assert added(hr, acme).status_code == 409
    assert hr.delete(where, headers={"If-Match": '"1"'}).status_code == 204
    assert added(hr, acme).status_code == 201


def test_who_only_views_reads_and_nobody_sees_those_of_another_company(hr, acme, caller, container):
    made = added(hr, acme)
    where = acme.path(f"/requirements/{made.json['id']}")
    viewer = caller("employer", employer_id=acme.id, scopes=["read"])
    other = employer_cases.company(container, "Other")
    stranger = caller("employer", employer_id=other.id)

    assert viewer.get(where).status_code == 200
    assert viewer.post(acme.path("/requirements"), PLAIN).status_code == 403
    assert stranger.get(where).status_code == 404
    assert stranger.get(other.path(f"/requirements/{made.json['id']}")).status_code == 404
    assert stranger.get(acme.path("/requirements")).status_code == 404
