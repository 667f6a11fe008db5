"""Inviting people and accepting invitations, as pages (web/people)."""

from __future__ import annotations

import re

from sqlalchemy import select

from tests import authenticators
from tests.authenticators import Device
from tests.backends import SQLITE
from tests.browsers import content
from tests.members import member, set_up_code
from tracker.domain.permissions import SYSTEM
from tracker.models import Account, Invitation
from tracker.services.people import invitations
from tracker.services.people.invitations import PersonToInvite

PASSWORD = "another horse entirely"


def heading(page):
    (found,) = re.findall(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    return found


def invited(container, role="staff", **values):
    """The path of an invitation's link."""
    with container.work(SYSTEM) as work:
        wanted = PersonToInvite(role, "Sam Soto", values.pop("email", "sam@example.org"), **values)
        row = invitations.invite(work, wanted)
        link = invitations.link(work, work.message_key, row.id, row.sendings)
    return link.removeprefix("https://tracker.example")


def test_an_invitation_leads_to_a_password_an_app_and_the_account(browser, container):
    me, link = browser(), invited(container)
    for _ in range(2):
        page = me.get(link)
        assert heading(page) == "You&#39;re invited"
        assert "Sam Soto" in page.text
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(Account.id)) is None
    for bad, said in (
        ("short", "too short"),
        ("password123", "Many people"),
        ("Sam Soto 99", "eas"),
    ):
        refused = me.post(link, {"new_password": bad})
        assert (refused.status_code, said in refused.text) == (422, True)

    accepted = me.post(link, {"new_password": PASSWORD})
    assert (accepted.status_code, accepted.location) == (303, "/sign-in/factor")
    assert me.get("/api/v1/me").status_code == 403
    assert heading(me.get("/sign-in/factor")) == "Set up your authenticator app"
    done = me.post("/sign-in/factor", {"code": set_up_code(container)})

    assert heading(done) == "Your recovery codes"
    assert me.get("/api/v1/me").json["role"] == "staff"
    for again in (me.get(link), me.post(link, {"new_password": PASSWORD})):
        assert (again.status_code, "sign in with your password" in again.text) == (404, True)
        assert 'href="/sign-in/password"' in again.text


def test_who_left_before_the_app_was_set_up_goes_on_with_the_password(browser, container):
    browser().post(invited(container), {"new_password": PASSWORD})
    me = browser()
    form = {"email": "sam@example.org", "password": PASSWORD}
    entered = me.post("/sign-in/password", form)

    assert heading(me.get(entered.location)) == "Set up your authenticator app"


def test_an_invitation_lasts_seven_days(browser, container, clock):
    link = invited(container)
    clock.advance(days=7)

    assert browser().get(link).status_code == 404
    assert browser().post(link, {"new_password": PASSWORD}).status_code == 404


def test_an_address_with_an_account_gets_no_second_one(browser, container):
    link = invited(container)
    member(container, email="SAM@example.org")
    page = browser().post(link, {"new_password": PASSWORD})

    assert (page.status_code, heading(page)) == (409, "You already have an account")


@SQLITE
def test_another_site_accepts_nothing(browser, container):
    evil = {"Origin": "https://evil.example"}
    page = browser().post(invited(container), {"new_password": PASSWORD}, headers=evil)

    assert page.status_code == 400


def signed_in(browser, container, role, **values):
    who = member(container, role, **values)
    who.set_up()
    me = browser()
    who.sign_in(me)
    return me


def token(me):
    return re.findall(r'name="csrf_token" value="([^"]+)"', me.get("/account").text)[0]


def test_a_manager_invites_sends_again_and_withdraws(browser, container, employer_id):
    me = signed_in(browser, container, "employer", employer_id=employer_id)
    form = {"name": "Hal", "email": "hal@example.org", "access": "manage", "language": "es"}
    sent = me.post("/account/people/invitations", form | {"csrf_token": token(me)})
    assert (sent.status_code, sent.location) == (303, "/account/people")
    page = me.get("/account/people").text
    assert "hal@example.org" in page
    assert "Can view, change and invite · invited" in page
    assert "<script" not in page
    again, withdraw = re.findall(r'action="(/account/people/invitations/[^"]+)"', page)
    for path in (again, withdraw):
        assert me.post(path, {"csrf_token": token(me)}).status_code == 303
    refused = me.post(withdraw, {"csrf_token": token(me)})
    assert (refused.status_code, "answered in the meantime" in refused.text) == (422, True)

    with container.reading(SYSTEM) as reading:
        row = reading.row(select(Invitation.__table__))
    assert (row.employer_id, row.access, row.language) == (employer_id, "manage", "es")
    assert (row.sendings, row.withdrawn_at is not None) == (2, True)
    assert "Nobody is invited" in me.get("/account/people").text


def test_staff_name_the_company_and_invite_nobody_else(browser, container, employer_id):
    me = signed_in(browser, container, "staff")
    form = {"name": "Hal", "email": "hal@example.org", "csrf_token": token(me)}
    there = me.post("/account/people/invitations", form | {"organization": "Palmetto Motors"})
    assert there.status_code == 303
    for bad in ({"organization": "Nope"}, {"role": "admin"}, {"name": ""}, {"email": "x"}):
        typed = form | {"organization": "", "access": "manage"} | bad
        page = me.post("/account/people/invitations", typed)
        assert page.status_code == 422
        assert '<option value="manage" selected>' in page.text
        for name in ("name", "email", "organization"):
            assert f'name="{name}" value="{typed[name]}"' in page.text
    with container.reading(SYSTEM) as reading:
        (row,) = reading.rows(select(Invitation.employer_id, Invitation.access))
    assert (row.employer_id, row.access) == (employer_id, "view")


def test_an_administrator_invites_staff(browser, container):
    me = signed_in(browser, container, "admin")
    form = {"name": "Sam", "email": "sam@example.org", "role": "staff", "csrf_token": token(me)}

    assert me.post("/account/people/invitations", form).status_code == 303
    assert "Staff · invited" in me.get("/account/people").text


@SQLITE
def test_who_only_views_sees_the_page_and_changes_nothing(browser, container, employer_id):
    """Pages ask for no scope, so the rule itself must."""
    me = signed_in(browser, container, "employer", employer_id=employer_id, access="view")
    form = {"name": "Hal", "email": "hal@example.org", "csrf_token": token(me)}
    page = me.get("/account/people")
    assert (page.status_code, "<form" in content(page)) == (200, False)
    assert me.post("/account/people/invitations", form).status_code == 422
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(Invitation.id)) is None


@SQLITE
def test_holders_have_no_such_page(browser, ana):
    me = browser()
    me.sign_in(ana)

    assert me.get("/account/people").status_code == 404
    assert me.post("/account/people/invitations", {"csrf_token": me.csrf()}).status_code == 404


@SQLITE
def test_no_form_without_its_token_changes_anything(browser, container, employer_id):
    me = signed_in(browser, container, "employer", employer_id=employer_id)
    form = {"name": "Hal", "email": "hal@example.org"}

    assert me.post("/account/people/invitations", form).status_code == 400


def test_a_passkey_opens_the_account_without_a_password(browser, container):
    me, device, link = browser(), Device(), invited(container)
    assert "Use a passkey instead of a password" in me.get(link).text

    asked = me.post(f"{link}/passkey")
    done = authenticators.send(me, asked, device.make(authenticators.options_in(asked)))

    assert (done.status_code, done.location) == (303, "/account")
    assert me.get("/api/v1/me").json["role"] == "staff"
    assert me.get("/api/v1/me/security").json["has_passkey"]
    assert me.get(link).status_code == 404
    elsewhere = browser()
    assert authenticators.sign_in(elsewhere, device).location == "/account"
    assert elsewhere.get("/api/v1/me").json["name"] == "Sam Soto"


@SQLITE
def test_a_passkey_that_proves_nothing_opens_no_account(browser, container):
    me, link = browser(), invited(container)
    for device in (Device(origin="https://evil.example"), Device(verifies=False)):
        asked = me.post(f"{link}/passkey")
        refused = authenticators.send(me, asked, device.make(authenticators.options_in(asked)))
        assert (refused.status_code, "can&#39;t be used here" in refused.text) == (422, True)
    assert authenticators.send(me, me.post(f"{link}/passkey"), "{}").status_code == 422
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(Account.id)) is None
    assert me.post(f"{link}x/passkey").status_code == 404
    assert me.post(f"{link}x/passkey/answer").status_code == 404


def test_an_address_with_an_account_gets_no_second_one_by_a_passkey(browser, container):
    me, device, link = browser(), Device(), invited(container)
    member(container, "admin", email="sam@example.org")

    asked = me.post(f"{link}/passkey")
    refused = authenticators.send(me, asked, device.make(authenticators.options_in(asked)))

    assert refused.status_code == 409
