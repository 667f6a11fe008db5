"""The accounts of others, as pages (web/people/colleagues.py)."""

from __future__ import annotations

import re

from sqlalchemy import select

from tests.backends import SQLITE
from tests.browsers import content
from tests.members import member
from tracker.domain.permissions import SYSTEM
from tracker.models import Account, Holder
from tracker.services.people import accounts


def row_of(container, id_):
    with container.reading(SYSTEM) as reading:
        return reading.row(select(Account.__table__).where(Account.id == id_))


def test_a_manager_changes_ends_sessions_and_deactivates(enter, container, employer_id):
    _, me = enter("employer", employer_id=employer_id, name="Ida")
    values = {"employer_id": employer_id, "email": "vic@x.org", "access": "view", "name": "Vic"}
    vic, other = enter("employer", **values)
    page = me.get("/account/people").text
    assert "vic@x.org" in page
    assert "Can view<" not in page.split("vic@x.org")[0]
    path = f"/account/people/{vic.id}"
    (end,) = re.findall(rf'action="({path}/sessions/[^"]+)"', me.get(path).text)

    assert me.send_form(end).location == path
    assert other.get("/account").status_code == 303
    assert '<option value="view" selected>' in me.get(path).text
    assert me.send_form(f"{path}/change", access="manage").location == path
    assert '<option value="manage" selected>' in me.get(path).text
    assert row_of(container, vic.id).access == "manage"
    missing = me.send_form(f"{path}/deactivate")
    assert (missing.status_code, "Enter a reason." in missing.text) == (422, True)
    assert me.send_form(f"{path}/deactivate", reason="Left").location == path
    assert "deactivated" in me.get(path).text
    assert "vic@x.org" not in me.get("/account/people").text


def test_the_last_manager_reads_why_not(enter, employer_id):
    ida, me = enter("employer", employer_id=employer_id)
    page = me.send_form(f"/account/people/{ida.id}/deactivate", reason="x")

    assert page.status_code == 422
    assert "Make somebody else a manager first." in page.text


@SQLITE
def test_who_leaves_is_sent_to_the_sign_in_page(enter):
    _, me = enter("admin", email="a@x.org")
    kim, other = enter("admin", email="b@x.org")

    left = other.send_form(f"/account/people/{kim.id}/deactivate", reason="x")

    assert left.location == "/sign-in"
    assert other.get("/account").status_code == 303
    assert me.get("/account").status_code == 200


def test_staff_see_companies_without_managers_and_force_the_last_one(enter, container, employer_id):
    ida = member(container, "employer", employer_id=employer_id)
    _, me = enter("staff")
    assert "Palmetto Motors: 1" in me.get("/account/people").text
    path = f"/account/people/{ida.id}"
    assert me.send_form(f"{path}/deactivate", reason="x").status_code == 422
    done = me.send_form(f"{path}/deactivate", reason="x", override_reason="Ida left in anger")

    assert done.location == path
    assert "Palmetto Motors: 0" in me.get("/account/people").text


def test_an_administrator_makes_staff_an_administrator(enter, container, employer_id):
    _, me = enter("admin")
    sam = member(container, "staff")
    hal = member(container, "employer", employer_id=employer_id)
    assert sam.email in me.get("/account/people").text
    assert hal.email in me.get("/account/people?role=employer").text
    path = f"/account/people/{sam.id}"

    assert me.send_form(f"{path}/change", role="admin").location == path
    assert row_of(container, sam.id).role == "admin"
    assert me.send_form(f"{path}/change", role="employer").status_code == 422


def test_an_administrator_names_the_own_record_of_a_colleague(enter, container, ana):
    kim, me = enter("admin", email="kim@x.org")
    sam = member(container, "staff", email="sam@x.org")
    path, own = f"/account/people/{sam.id}", f"/account/people/{kim.id}"
    with container.reading(SYSTEM) as reading:
        found = reading.row(select(Holder.id, Holder.ref).where(Holder.email == ana))
    assert "/own-record" not in me.get(own).text
    assert me.send_form(f"{path}/own-record", holder=found.ref).status_code == 422
    refused = me.send_form(f"{own}/own-record", holder=found.ref, reason="x")
    assert (refused.status_code, row_of(container, kim.id).own_record_id) == (422, None)

    assert me.send_form(f"{path}/own-record", holder=found.ref, reason="x").location == path
    assert row_of(container, sam.id).own_record_id == found.id
    assert "certificate holder, too" in me.get(path).text
    assert me.send_form(f"{path}/own-record", reason="A mistake").location == path
    assert row_of(container, sam.id).own_record_id is None


@SQLITE
def test_staff_name_no_own_record(enter, container, employer_id):
    hal = member(container, "employer", employer_id=employer_id)
    _, me = enter("staff")

    assert me.send_form(f"/account/people/{hal.id}/own-record", reason="x").status_code == 422


def test_a_page_begins_after_any_id_and_the_next_one_has_the_same_role(enter, container):
    _, me = enter("admin")
    assert me.get("/account/people?after=01900000-0000-7000-8000-000000000000").status_code == 200
    assert me.get("/account/people?after=x").status_code == 404
    with container.work(SYSTEM) as work:
        for n in range(101):
            accounts.open_account(work, role="reviewer", name="Rae", email=f"r{n}@x.org")

    page = content(me.get("/account/people?role=reviewer"))
    (more,) = re.findall(r'href="(/account/people\?role=reviewer&amp;after=[^"]+)"', page)
    assert "@x.org" in content(me.get(more.replace("&amp;", "&")))


@SQLITE
def test_who_only_views_and_who_is_elsewhere_changes_nothing(enter, container, employer_id):
    ida = member(container, "employer", employer_id=employer_id, email="ida@x.org")
    values = {"employer_id": employer_id, "email": "vic@x.org", "access": "view"}
    _, me = enter("employer", **values)
    path = f"/account/people/{ida.id}"
    assert "<form" not in content(me.get(path))
    for act, form in (("change", {"access": "view"}), ("deactivate", {"reason": "x"})):
        assert me.send_form(f"{path}/{act}", **form).status_code == 422
    sam = member(container, "staff")
    for act in ("", "/change", "/deactivate"):
        theirs = f"/account/people/{sam.id}{act}"
        answer = me.send_form(theirs, reason="x") if act else me.get(theirs)
        assert answer.status_code == 404
    assert row_of(container, ida.id).deactivated_at is None


@SQLITE
def test_who_only_views_cannot_give_themselves_more(enter, container, employer_id):
    member(container, "employer", employer_id=employer_id, email="ida@x.org")
    values = {"employer_id": employer_id, "email": "vic@x.org", "access": "view"}
    vic, me = enter("employer", **values)
    path = f"/account/people/{vic.id}"
    for form in ({"access": "manage"}, {"access": "view"}, {"role": "admin"}):
        assert me.send_form(f"{path}/change", **form).status_code == 422
    invited = {"name": "Eve", "email": "eve@x.org", "access": "manage"}
    assert me.send_form("/account/people/invitations", **invited).status_code == 422

    assert row_of(container, vic.id).access == "view"
    assert me.send_form(f"{path}/deactivate", reason="I leave").location == "/sign-in"


NO_NAMES = ["", "\0", "x\r\ny", "x" * 300]


@SQLITE
def test_a_company_that_cannot_have_the_name_is_refused(enter):
    _, me = enter("staff")
    for name in NO_NAMES:
        form = {"role": "employer", "name": "Eve", "email": "eve@x.org", "employer": name}

        assert me.send_form("/account/people/invitations", **form).status_code == 422, name


@SQLITE
def test_staff_cannot_make_themselves_administrators(enter, container):
    sam, me = enter("staff")

    assert me.send_form(f"/account/people/{sam.id}/change", role="admin").status_code == 422
    assert row_of(container, sam.id).role == "staff"


@SQLITE
def test_pages_have_no_script_and_no_signs_of_names(enter, container, employer_id):
    name = "<script>alert(1)</script>"
    ida = member(container, "employer", employer_id=employer_id, email="ida@x.org", name=name)
    _, me = enter("staff")
    for path in ("/account/people", f"/account/people/{ida.id}"):
        page = me.get(path)
        assert "<script" not in page.text
        assert "unsafe" not in page.headers["Content-Security-Policy"]


@SQLITE
def test_a_misspelled_organization_is_offered_as_it_is_on_record(enter, employer_id):
    assert employer_id
    _, sam = enter("staff", email="sam@x.org")
    form = {"role": "employer", "name": "Hal", "email": "hal@x.org", "access": "view"}
    where = "/account/people/invitations"
    refused = sam.send_form(where, **form, organization="palmeto motor")
    assert refused.status_code == 422
    assert "<strong>Palmetto Motors</strong>" in refused.text
    assert '<option value="Palmetto Motors"></option>' in refused.text
    far = sam.send_form(where, **form, organization="Carpenters")
    assert "organization-near" not in far.text
