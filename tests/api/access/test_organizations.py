"""Whoever acts for an organization, of any of the four kinds, has the same (domain/permissions.py).

Invitations, accounts, sessions, tokens, ``/me``, directories (api/http/directories.py).
"""

from __future__ import annotations

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from tests.browsers import Browser
from tests.members import member
from tracker.db import new_id
from tracker.domain.permissions import ORGANIZATIONS, SYSTEM, organization_ids
from tracker.models import Account, Invitation, Token
from tracker.services.core import organizations
from tracker.services.people import invitations

OTHERS = [role for role in ORGANIZATIONS if role != "employer"]
CONTACTS = ["employer", "provider", "sponsor"]
KIM = {"name": "Kim Soto", "email": "kim@example.org", "access": "manage"}


def organization(container, role, name):
    """An organization on record; its id."""
    with container.work(SYSTEM) as work:
        row = organizations.TABLES[role](name=name, recorded_at=work.now)
        work.session.add(row)
        work.session.flush()
        return row.id


def wrong_fields(refused):
    """The fields that a refusal names."""
    return {error["field"] for error in refused.json["errors"]}


@pytest.fixture(params=OTHERS)
def role(request):
    return request.param


@pytest.fixture
def ivy(container, role):
    return organization(container, role, "Ivy Tech")


@pytest.fixture
def elsewhere(container, role):
    return organization(container, role, "Elsewhere")


def signed_in(app, container, role, **values):
    """Somebody with a password and an app; their browser and what it sends with each request."""
    who = member(container, role, **values)
    who.set_up()
    me = Browser(app)
    who.sign_in(me)
    return who, me, {"X-CSRF-Token": me.get("/api/v1/me").json["csrf_token"]}


def test_staff_invite_them_and_they_are_told_for_whom_they_act(
    container, staff, role, ivy, elsewhere
):
    body = KIM | {"role": role, f"{role}_id": ivy}
    made = staff.post("/invitations", body)
    assert made.status_code == 201, made.json
    assert made.json[f"{role}_id"] == ivy
    assert [made.json[f"{one}_id"] for one in ORGANIZATIONS if one != role] == [None] * 3
    assert staff.post("/invitations", body).json["code"] == "already_recorded"
    again = staff.post("/invitations", KIM | {"role": role, f"{role}_id": elsewhere})
    assert again.status_code == 201  # another organization may invite the same person

    with container.work(SYSTEM) as work:
        link = invitations.link(work, work.message_key, made.json["id"], 1)
        opened = invitations.opened(work, work.message_key, link.rpartition("/")[2])
        assert opened is not None
        assert (opened.role, opened.organization) == (role, "Ivy Tech")
        assert invitations.accept(work, link.rpartition("/")[2], "hash") is not None
    (found,) = staff.get(f"/accounts?{role}_id={ivy}").json["items"]
    assert (found["role"], found["access"], found[f"{role}_id"]) == (role, "manage", ivy)
    assert staff.get(f"/accounts?{role}_id={elsewhere}").json["items"] == []


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({}, {"own"}),
        ({"own": "unknown"}, {"own"}),
        ({"own": "ivy", "access": None}, {"access"}),
        ({"own": "ivy", "employer_id": "ivy"}, {"employer_id"}),
    ],
)
def test_an_organization_that_cannot_be_is_named_by_its_field(staff, role, ivy, more, wrong):
    values = {"ivy": ivy, "unknown": new_id()}
    fields = {key: values.get(value, value) for key, value in more.items()}
    own = {f"{role}_id": fields.pop("own")} if "own" in fields else {}
    body = {key: value for key, value in (KIM | {"role": role} | own | fields).items() if value}

    refused = staff.post("/invitations", body)

    assert refused.status_code == 422
    assert wrong_fields(refused) == {f"{role}_id" if one == "own" else one for one in wrong}


def test_managers_have_colleagues_and_who_views_changes_nothing(
    app, container, role, ivy, elsewhere
):
    own = {f"{role}_id": ivy}
    _, me, csrf = signed_in(app, container, role, email="ada@x.org", name="Ada", **own)
    other = member(container, role, email="gus@x.org", **{f"{role}_id": elsewhere})
    assert me.get("/api/v1/me").json[role] == {"id": ivy, "name": "Ivy Tech"}

    invited = me.open("POST", "/api/v1/invitations", json=KIM | {"role": role}, headers=csrf)
    assert (invited.status_code, invited.json[f"{role}_id"]) == (201, ivy)
    for beside in ({"role": "employer", "employer_id": ivy}, {"role": "staff"}):
        body = KIM | beside | {"email": "x@x.org"}
        body = body if beside["role"] == "employer" else {k: body[k] for k in body if k != "access"}
        refused = me.open("POST", "/api/v1/invitations", json=body, headers=csrf)
        assert refused.status_code == 403
    outside = KIM | {"role": role, f"{role}_id": elsewhere}
    refused = me.open("POST", "/api/v1/invitations", json=outside, headers=csrf)
    assert refused.status_code == 404
    assert me.get(f"/api/v1/accounts/{other.id}").status_code == 404
    assert [one["email"] for one in me.get("/api/v1/accounts").json["items"]] == ["ada@x.org"]

    page = me.get("/account/people")
    assert "Kim Soto" in page.text
    assert "Ivy Tech" in me.get("/account").text

    _, viewer, token = signed_in(app, container, role, email="vic@x.org", access="view", **own)
    assert viewer.get("/api/v1/me").json["scopes"] == ["read"]
    refused = viewer.open("POST", "/api/v1/invitations", json=KIM | {"role": role}, headers=token)
    assert refused.status_code == 403


def test_the_last_manager_stays_and_staff_see_who_is_short(app, container, staff, role, ivy):
    ada, me, csrf = signed_in(
        app, container, role, email="ada@x.org", name="Ada", **{f"{role}_id": ivy}
    )
    path = f"/accounts/{ada.id}/deactivation"
    assert staff.get(f"/{role}s/short-of-managers").json["items"] == [
        {"id": ivy, "name": "Ivy Tech", "managers": 1}
    ]
    refused = me.open("POST", f"/api/v1{path}", json={"reason": "x"}, headers=csrf)
    assert (refused.status_code, refused.json["code"]) == (409, "last_manager")
    assert staff.post(path, {"reason": "x"}).status_code == 409
    assert staff.post(path, {"reason": "x", "override_reason": "Left."}).status_code == 200
    assert me.get("/api/v1/me").status_code == 401


def test_their_tokens_act_for_the_same_organization(caller, role, ivy, elsewhere):
    mine = caller(role, **{f"{role}_id": ivy})
    made = mine.post("/tokens", {"name": mine.get("/me").json["name"]})
    assert made.status_code == 201, made.json
    assert made.json[f"{role}_id"] == ivy
    for wrong in ({f"{role}_id": elsewhere}, {"role": "staff"}, {"employer_id": ivy}):
        refused = mine.post("/tokens", wrong)
        assert (refused.status_code, wrong_fields(refused)) == (422, wrong.keys())
    other = caller(role, **{f"{role}_id": elsewhere})
    assert other.get(f"/tokens/{made.json['id']}").status_code == 404
    admin = caller("admin")
    body = {"role": role, f"{role}_id": elsewhere, "name": "a program"}
    assert admin.post("/tokens", body).json[f"{role}_id"] == elsewhere
    assert wrong_fields(admin.post("/tokens", {"role": role})) == {f"{role}_id"}
    assert len(admin.get(f"/tokens?{role}_id={ivy}").json["items"]) == 2


@pytest.mark.parametrize("table", [Account, Invitation, Token])
@pytest.mark.parametrize("named", ["none", "two", "another"])
def test_the_database_has_each_name_the_organization_of_its_role(
    container, role, ivy, table, named
):
    """The constraint has the last word."""
    another = organization(container, "employer", "Acme")
    ids = organization_ids(role, ivy)
    ids |= {"none": {f"{role}_id": None}, "two": {"employer_id": another}, "another": {}}[named]
    if named == "another":
        ids = organization_ids("employer", another)
    now = container.clock()
    about = {"role": role, "name": "x", "recorded_at": now, "id": new_id()}
    person = {"email": "x@x.org", "email_key": "x@x.org", "language": "en", "access": "view"}
    more = {
        Account: person,
        Invitation: person | {"invited_by": "x", "sent_at": now, "sendings": 1, "expires_at": now},
        Token: {"digest": "x", "scopes": [], "person_id": new_id(), "made_by_holders": []},
    }[table]
    with pytest.raises(IntegrityError), container.work(SYSTEM) as work:
        work.execute(insert(table).values(**about, **more, **ids))
    with container.work(SYSTEM) as work:
        work.execute(insert(table).values(**about, **more, **organization_ids(role, ivy)))
        assert work.row(select(func.count()).select_from(table))[0] == 1


@pytest.mark.parametrize("kind", CONTACTS)
def test_a_directory_has_each_name_once_and_finds_it_by_its_beginning(staff, caller, kind):
    path = f"/{kind}s"
    made = staff.post(path, {"name": "Ivy Tech", "email": "a@ivy.example"})
    assert made.status_code == 201
    one = made.headers["Location"].removeprefix("/api/v1")
    assert staff.get(one).json == made.json
    again = staff.post(path, {"name": "IVY-TECH"})
    assert (again.status_code, again.json["code"]) == (409, "already_recorded")
    assert "'Ivy Tech'" in again.json["detail"]
    assert staff.get(f"{path}?name=ivy").json["items"] == [made.json]
    assert staff.get(f"{path}?name=tech").json["items"] == []

    own = caller(kind, **{f"{kind}_id": made.json["id"]})
    etag = own.get(one).headers["ETag"]
    assert own.patch(one, {"name": "Other"}, version=etag).status_code == 403
    changed = own.patch(one, {"email": "b@ivy.example"}, version=etag)
    assert changed.json["email"] == "b@ivy.example"
    assert staff.patch(one, {"name": "Ivy"}, version=etag).status_code == 412
    renamed = staff.patch(one, {"name": "Ivy"}, version=changed.headers["ETag"])
    assert renamed.json["name"] == "Ivy"
    lines = staff.get(f"{one}/history").json["items"]
    assert [line["action"] for line in lines] == ["correct", "correct", "register"]
