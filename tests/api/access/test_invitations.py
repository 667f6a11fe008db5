"""Invitations over the interface (api/access/invitations.py, services/people/invitations.py)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from tests.browsers import Browser
from tests.members import member
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.db import new_id
from tracker.domain.errors import AlreadyRecorded
from tracker.domain.permissions import SYSTEM
from tracker.models import Account, Employer, HistoryEntry, Invitation, Message
from tracker.services.delivery import composers, sent_messages
from tracker.services.delivery.sealing import Composed
from tracker.services.delivery.sent_messages import MessageFilter
from tracker.services.people import invitations

HAL = {"role": "employer", "access": "view", "name": "Hal Doe", "email": "Hal@example.org"}
SAM = {"role": "staff", "name": "Sam Soto", "email": "sam@example.org", "language": "es"}


@pytest.fixture
def manager(caller, employer_id):
    return caller("employer", employer_id=employer_id)


@pytest.fixture
def admin(caller):
    return caller("admin")


def accept(container, invitation_id, sending=1):
    with container.work(SYSTEM) as work:
        link = invitations.link(work, work.message_key, invitation_id, sending)
        return invitations.accept(work, link.rpartition("/")[2], "hash")


def test_an_employer_invites_colleagues_and_sees_what_became_of_it(manager, container, clock):
    made = manager.post("/invitations", HAL)
    assert made.status_code == 201
    assert made.headers["Location"] == f"/api/v1/invitations/{made.json['id']}"
    assert (made.json["state"], made.json["access"]) == ("open", "view")

    path = f"/invitations/{made.json['id']}"
    clock.advance(days=7)
    assert manager.get(path).json["state"] == "expired"
    again = manager.post(f"{path}/sending")
    assert (again.status_code, again.json["state"]) == (200, "open")
    assert accept(container, made.json["id"]) is None  # the former link
    assert accept(container, made.json["id"], 2) is not None
    assert manager.get(path).json["state"] == "accepted"
    assert manager.post(f"{path}/sending").status_code == 409
    assert manager.delete(path).status_code == 409
    assert manager.get("/invitations?waiting=true").json["items"] == []
    assert len(manager.get("/invitations?waiting=false").json["items"]) == 1


def test_nobody_invites_above_or_beside_their_place(manager, staff, admin, container, employer_id):
    with container.work(SYSTEM) as work:
        other = Employer(name="Globex", recorded_at=work.now)
        work.session.add(other)
        work.session.flush()
        elsewhere = {**HAL, "employer_id": other.id}
    assert manager.post("/invitations", elsewhere).status_code == 404
    for who in (manager, staff):
        assert who.post("/invitations", SAM).status_code == 403
        assert who.post("/invitations", SAM | {"role": "admin"}).status_code == 403
    assert staff.post("/invitations", HAL).status_code == 422
    assert staff.post("/invitations", HAL | {"employer_id": employer_id}).status_code == 201
    assert admin.post("/invitations", SAM).status_code == 201
    assert (
        admin.post("/invitations", SAM | {"email": "k@x.org", "role": "admin"}).status_code == 201
    )
    unknown = HAL | {"employer_id": "01900000-0000-7000-8000-000000000000"}
    assert staff.post("/invitations", unknown).status_code == 422


def test_who_only_views_invites_nobody(app, container, employer_id):
    viewer = member(container, "employer", employer_id=employer_id, access="view")
    viewer.set_up()
    me = Browser(app)
    viewer.sign_in(me)
    csrf = {"X-CSRF-Token": me.get("/api/v1/me").json["csrf_token"]}

    assert me.get("/api/v1/me").json["scopes"] == ["read"]
    assert me.get("/api/v1/invitations").status_code == 200
    refused = me.open("POST", "/api/v1/invitations", json=HAL, headers=csrf)
    assert refused.status_code == 403


def test_one_invitation_is_open_for_an_address_and_employer(manager, staff, employer_id):
    first = manager.post("/invitations", HAL)
    again = manager.post("/invitations", HAL | {"email": "HAL@EXAMPLE.ORG"})
    assert (again.status_code, again.json["code"]) == (409, "already_recorded")
    assert staff.post("/invitations", HAL | {"employer_id": employer_id}).status_code == 409

    assert manager.delete(f"/invitations/{first.json['id']}").status_code == 204
    assert manager.post("/invitations", HAL).status_code == 201


@pytest.mark.parametrize("employer", [True, False])
def test_the_database_keeps_one_open_invitation_and_one_account(container, employer_id, employer):
    """The constraints have the last word."""
    about = {"role": "employer", "access": "view", "employer_id": employer_id}
    role = about if employer else {"role": "staff"}
    common = {"name": "H", "email": "h@x.org", "email_key": "h@x.org", "language": "en"}
    now = container.clock()
    sent = {"invited_by": "x", "recorded_at": now, "sent_at": now, "sendings": 1, "expires_at": now}
    for table, row in (
        (Invitation, role | common | sent),
        (Account, role | common | {"recorded_at": now}),
    ):
        with container.work(SYSTEM) as work:
            work.execute(insert(table).values(id=new_id(), **row))
        with pytest.raises(IntegrityError), container.work(SYSTEM) as work:
            work.execute(insert(table).values(id=new_id(), **row))


def test_an_address_with_an_account_is_not_invited_again(manager, admin, container, employer_id):
    """An employer is told of its own accounts only; others show when somebody accepts."""
    member(container, "employer", employer_id=employer_id, email="hal@example.org")
    member(container, "staff", email="sam@example.org")
    assert manager.post("/invitations", HAL).status_code == 409
    assert admin.post("/invitations", SAM).status_code == 409

    made = manager.post("/invitations", HAL | {"email": "sam@example.org"})
    assert made.status_code == 201
    with pytest.raises(AlreadyRecorded):
        accept(container, made.json["id"])
    assert manager.get(f"/invitations/{made.json['id']}").json["state"] == "open"


def test_one_of_ten_that_accept_at_once_gets_the_account(manager, container):
    made = manager.post("/invitations", HAL).json["id"]

    def attempt(_):
        try:
            return accept(container, made)
        except AlreadyRecorded:
            return None

    with ThreadPoolExecutor(10) as pool:
        found = [one for one in pool.map(attempt, range(10)) if one is not None]

    assert len(found) == 1


def test_employers_and_staff_see_no_invitation_of_others(manager, staff, admin, caller, container):
    of_staff = admin.post("/invitations", SAM).json["id"]
    of_employer = manager.post("/invitations", HAL).json["id"]
    with container.work(SYSTEM) as work:
        other = Employer(name="Globex", recorded_at=work.now)
        work.session.add(other)
        work.session.flush()
        stranger = other.id
    foreign = caller("employer", employer_id=stranger)

    def seen(who):
        return {row["id"] for row in who.get("/invitations").json["items"]}

    assert seen(admin) == {of_staff, of_employer}
    assert seen(staff) == seen(manager) == {of_employer}
    assert seen(foreign) == set()
    for who, id_ in ((staff, of_staff), (manager, of_staff), (foreign, of_employer)):
        assert who.get(f"/invitations/{id_}").status_code == 404
        assert who.delete(f"/invitations/{id_}").status_code == 404
        assert who.post(f"/invitations/{id_}/sending").status_code == 404


def test_the_email_has_the_link_and_the_history_says_who_invited(admin, container):
    with cases.relay(container) as (sending, catcher):
        made = admin.post("/invitations", SAM).json
        jobs.dispatch(sending)
        (letter,) = catcher.letters()

    assert letter.recipient == "sam@example.org"
    assert letter.subject == "Su invitación a Tracker"
    assert "durante 7 días" in letter.text
    (proof,) = re.findall(r"/invitation/(\S+)", letter.text)
    with container.reading(SYSTEM) as reading:
        found = invitations.opened(reading, container.message_key, proof)
        lines = select(HistoryEntry.action, HistoryEntry.detail)
        lines = reading.rows(lines.where(HistoryEntry.subject == "invitation"))
        copies = sent_messages.page(reading, container.message_key, MessageFilter(None, 10))
        stored = [str(tuple(row)) for row in reading.rows(select(Message.__table__))]
    assert found is not None
    assert (found.id, found.name) == (made["id"], "Sam Soto")
    assert [(row.action, row.detail) for row in lines] == [("invite", {"role": "staff"})]
    assert [(copy.subject, copy.text) for copy in copies] == [(None, None)]
    assert not any(proof in row for row in stored)


def test_a_withdrawn_or_repeated_invitation_is_not_mailed(manager, container):
    with cases.relay(container) as (sending, catcher):
        first = manager.post("/invitations", HAL).json["id"]
        manager.post(f"/invitations/{first}/sending")
        second = manager.post("/invitations", HAL | {"email": "ida@example.org"}).json["id"]
        manager.delete(f"/invitations/{second}")
        jobs.dispatch(sending)
        (letter,) = catcher.letters()

    assert letter.recipient == "Hal@example.org"


def test_a_second_copy_has_the_same_bytes(manager, container):
    with cases.relay(container) as (sending, catcher):
        manager.post("/invitations", HAL)
        jobs.dispatch(sending)
        (letter,) = catcher.letters()
    with container.reading(SYSTEM) as reading:
        row = reading.row(sent_messages._OUTBOX)
        made = composers.written(reading, container.message_key, [sent_messages._claim(row)])

    (composed,) = made.values()
    assert isinstance(composed, Composed)
    assert composed.data == letter.raw


@pytest.mark.parametrize("text", ["", "x", "x.y", "é", "0.a", "'"])
def test_any_other_link_is_worth_nothing(container, text):
    with container.work(SYSTEM) as work:
        assert invitations.opened(work, work.message_key, text) is None
        assert invitations.accept(work, text, "hash") is None
