"""Accounts in the hands of others (api/access/accounts.py, services/people/managed_accounts.py)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from tests import factories
from tests.browsers import Browser
from tests.members import member
from tracker.domain.errors import Refusal
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Account, Employer, HistoryEntry, Message
from tracker.services.people import managed_accounts

WHY = {"reason": "Left the company."}


@pytest.fixture
def manager(container, employer_id):
    """Somebody who manages for Palmetto Motors, with an app."""
    found = member(container, "employer", employer_id=employer_id, email="ida@x.org", name="Ida")
    found.set_up()
    return found


@pytest.fixture
def viewer(container, employer_id):
    values = {"employer_id": employer_id, "email": "vic@x.org", "access": "view", "name": "Vic"}
    found = member(container, "employer", **values)
    found.set_up()
    return found


@pytest.fixture
def admin(caller):
    return caller("admin")


@pytest.fixture
def elsewhere(container, caller):
    """The manager of another employer, and a token of that employer."""
    with container.work(SYSTEM) as work:
        other = Employer(name="Globex", recorded_at=work.now)
        work.session.add(other)
        work.session.flush()
        other_id = other.id
    found = member(container, "employer", employer_id=other_id, email="gus@x.org")
    return found, caller("employer", employer_id=other_id)


def signed_in(app, who):
    """The browser of somebody who signed in, and a function that sends a program's requests."""
    browser = Browser(app)
    who.sign_in(browser)
    headers = {"X-CSRF-Token": browser.get("/api/v1/me").json["csrf_token"]}

    def send(method, path, body=None):
        return browser.open(method, f"/api/v1{path}", json=body, headers=headers)

    return browser, send


def told(container):
    with container.reading(SYSTEM) as reading:
        rows = reading.rows(select(Message.address, Message.about).order_by(Message.id))
        return [(row.address, row.about["type"]) for row in rows]


def test_everybody_sees_the_accounts_of_their_place(staff, caller, manager, elsewhere, employer_id):
    admin = caller("admin")
    sam = member(manager.container, "staff")
    other, of_other = elsewhere

    def seen(who, query=""):
        return {row["id"] for row in who.get(f"/accounts{query}").json["items"]}

    own = caller("employer", employer_id=employer_id)
    assert seen(own) == {manager.id}
    assert seen(of_other) == {other.id}
    assert seen(staff) == {manager.id, other.id}
    assert seen(admin) == {manager.id, other.id, sam.id}
    assert seen(admin, "?role=staff") == {sam.id}
    assert seen(staff, f"?employer_id={employer_id}&active=true") == {manager.id}
    assert seen(staff, "?active=false") == set()
    assert own.get(f"/accounts/{other.id}").status_code == 404
    assert staff.get(f"/accounts/{sam.id}").status_code == 404
    assert own.get(f"/accounts/{manager.id}").json["has_second_factor"] is True


def test_an_account_that_is_deactivated_ends_at_once_with_its_tokens(
    app, container, manager, viewer
):
    """On the next request, in every process."""
    _, boss = signed_in(app, manager)
    browser, send = signed_in(app, viewer)
    boss("PATCH", f"/accounts/{viewer.id}", {"access": "manage"})
    assert send("GET", "/me").status_code == 401  # more rights: sign in again
    container.clock.advance(minutes=1)
    browser, send = signed_in(app, viewer)
    token = send("POST", "/tokens", {}).json["secret"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert Browser(app).get("/api/v1/me", headers=bearer).status_code == 200

    gone = boss("POST", f"/accounts/{viewer.id}/deactivation", WHY)

    assert (gone.status_code, gone.json["deactivated_at"] is not None) == (200, True)
    assert browser.get("/api/v1/me").status_code == 401
    assert Browser(app).get("/api/v1/me", headers=bearer).status_code == 401
    assert viewer.enter_password(Browser(app)).status_code == 422
    assert boss("POST", f"/accounts/{viewer.id}/deactivation", WHY).status_code == 409
    assert boss("PATCH", f"/accounts/{viewer.id}", {"access": "view"}).status_code == 409
    assert told(container) == [("vic@x.org", "rights_changed"), ("vic@x.org", "deactivated")]
    with container.reading(SYSTEM) as reading:
        lines = select(HistoryEntry.actor_role, HistoryEntry.detail)
        lines = lines.where(HistoryEntry.action == "deactivate")
        (line,) = reading.rows(lines)
    assert (line.actor_role, line.detail["reason"]) == ("employer", "Left the company.")


def test_the_address_of_a_former_account_is_invited_again(app, manager, viewer):
    _, boss = signed_in(app, manager)
    boss("POST", f"/accounts/{viewer.id}/deactivation", WHY)
    body = {"role": "employer", "access": "view", "name": "Vic", "email": viewer.email}

    assert boss("POST", "/invitations", body).status_code == 201


def test_the_last_manager_of_an_employer_hands_over_first(app, manager, viewer, staff):
    _, boss = signed_in(app, manager)
    leave = f"/accounts/{manager.id}/deactivation"
    for refused in (
        boss("POST", leave, WHY),
        boss("POST", leave, WHY | {"override_reason": "x"}),
        boss("PATCH", f"/accounts/{manager.id}", {"access": "view"}),
        staff.post(leave, WHY),
    ):
        assert (refused.status_code, refused.json["code"]) == (409, "last_manager")

    assert boss("PATCH", f"/accounts/{viewer.id}", {"access": "manage"}).status_code == 200
    assert boss("POST", leave, WHY).status_code == 200
    last = f"/accounts/{viewer.id}/deactivation"
    assert staff.post(last, WHY).json["exception"]["field"] == "override_reason"
    forced = staff.post(last, WHY | {"override_reason": "She left in anger."})
    assert forced.status_code == 200


def test_staff_see_which_employers_have_fewer_than_two_managers(
    staff, manager, viewer, employer_id
):
    found = staff.get("/employers/short-of-managers").json["items"]
    assert found == [{"id": employer_id, "name": "Palmetto Motors", "managers": 1}]

    assert staff.patch(f"/accounts/{viewer.id}", {"access": "manage"}).status_code == 200
    assert staff.get("/employers/short-of-managers").json["items"] == []
    assert manager.email


def test_the_last_administrator_stays(app, container):
    kim = member(container, "admin")
    kim.set_up()
    _, send = signed_in(app, kim)
    path = f"/accounts/{kim.id}"
    for refused in (
        send("POST", f"{path}/deactivation", WHY | {"override_reason": "x"}),
        send("PATCH", path, {"role": "staff"}),
    ):
        assert (refused.status_code, refused.json["code"]) == (409, "last_administrator")

    sam = member(container, "staff")
    assert send("PATCH", f"/accounts/{sam.id}", {"role": "admin"}).status_code == 200
    assert send("PATCH", path, {"role": "staff"}).status_code == 200
    assert send("GET", "/me").status_code == 401


@pytest.mark.parametrize("role", ["employer", "admin"])
def test_two_that_go_at_once_do_not_both_go(container, employer_id, role):
    values = {"employer_id": employer_id} if role == "employer" else {}
    pair = [member(container, role, email=f"{n}@x.org", **values) for n in range(2)]

    def leave(who):
        actor = Actor(
            role=role, name="x", person_id=who.id, organization_id=values.get("employer_id")
        )
        try:
            with container.work(actor) as work:
                managed_accounts.deactivate(work, who.id, reason="x")
        except Refusal as refused:
            return refused.code
        return "gone"

    with ThreadPoolExecutor(2) as pool:
        found = sorted(pool.map(leave, pair))

    assert found[0] == "gone"
    assert found[1].startswith("last_")
    with container.reading(SYSTEM) as reading:
        living = select(func.count()).where(Account.deactivated_at.is_(None))
        assert reading.row(living)[0] == 1


def test_nobody_changes_accounts_beside_their_place(app, manager, viewer, elsewhere):
    _, of_other = elsewhere
    _, view = signed_in(app, viewer)
    assert of_other.post(f"/accounts/{manager.id}/deactivation", WHY).status_code == 404
    assert of_other.patch(f"/accounts/{manager.id}", {"access": "view"}).status_code == 404
    assert view("POST", f"/accounts/{manager.id}/deactivation", WHY).status_code == 403


def test_nobody_changes_accounts_above_their_place_or_to_another_kind(
    container, staff, admin, elsewhere
):
    other, _ = elsewhere
    sam = member(container, "staff")
    assert staff.post(f"/accounts/{sam.id}/deactivation", WHY).status_code == 404
    for body in ({"access": "view", "role": "staff"}, {"role": "staff"}, {}):
        assert admin.patch(f"/accounts/{other.id}", body).status_code == 422
    for body in ({"access": "view"}, {}):
        assert admin.patch(f"/accounts/{sam.id}", body).status_code == 422


def test_staff_may_leave_but_not_change_their_role(app, container):
    sam = member(container, "staff")
    sam.set_up()
    _, send = signed_in(app, sam)

    assert send("GET", f"/accounts/{sam.id}").status_code == 200
    assert send("PATCH", f"/accounts/{sam.id}", {"role": "admin"}).status_code == 403
    assert send("POST", f"/accounts/{sam.id}/deactivation", WHY).status_code == 200
    assert send("GET", "/me").status_code == 401


def test_staff_see_and_end_sessions_of_others_with_history(app, container, staff, manager):
    with container.work(SYSTEM) as work:
        holder_id = factories.holder(work, email="ana@x.org")
    ana = Browser(app)
    ana.sign_in("ana@x.org")
    (theirs,) = staff.get(f"/accounts?holder_id={holder_id}").json["items"]
    boss, _ = signed_in(app, manager)
    for account_id, browser in ((theirs["id"], ana), (manager.id, boss)):
        path = f"/accounts/{account_id}/sessions"
        (session,) = staff.get(path).json["items"]
        assert session["current"] is False
        assert staff.delete(f"{path}/{session['id']}").status_code == 204
        assert browser.get("/api/v1/me").status_code == 401
        assert staff.get(path).json["items"] == []
    with container.reading(SYSTEM) as reading:
        lines = select(HistoryEntry.actor).where(HistoryEntry.action == "sign_out")
        actors = {row.actor for row in reading.rows(lines)}
    assert all(name.startswith("staff") for name in actors)
    assert staff.post(f"/accounts/{theirs['id']}/deactivation", WHY).status_code == 403


def test_nobody_ends_a_session_by_the_account_of_another(app, staff, manager, viewer):
    signed_in(app, manager)
    _, view = signed_in(app, viewer)
    (session,) = staff.get(f"/accounts/{manager.id}/sessions").json["items"]

    assert staff.delete(f"/accounts/{viewer.id}/sessions/{session['id']}").status_code == 404
    assert view("DELETE", f"/accounts/{manager.id}/sessions/{session['id']}").status_code == 403
