"""Requests to erase data, as a page for staff (web/people/erasures.py)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Holder, Message
from tracker.services.overview import erasures

HERE = "/account/erasures"


@pytest.fixture
def holder_id(container, ana):
    with container.reading(SYSTEM) as reading:
        return reading.row(select(Holder.id).where(Holder.email == ana)).id


def asked_by(container, actor, holder_id, reason=""):
    with container.work(SYSTEM) as work:
        return erasures.ask(replace(work, actor=actor), holder_id, reason=reason).id


def holder(holder_id):
    return Actor(role="holder", name="Ana Ruiz", holder_id=holder_id)


def told(container):
    with container.reading(SYSTEM) as reading:
        return [row.about for row in reading.rows(select(Message.about).order_by(Message.id))]


def test_staff_see_whose_data_and_until_when_and_approve(enter, container, holder_id):
    id_ = asked_by(container, holder(holder_id), holder_id)
    _, me = enter("staff")
    page = me.get(HERE).text
    assert "Ana Ruiz" in page
    assert "Asked by the holder" in page
    assert "December 21, 2026" in page

    assert me.send_form(f"{HERE}/{id_}/approve").status_code in {200, 303}

    assert "Nobody has asked." in me.get(HERE).text
    with container.reading(SYSTEM) as reading:
        row = reading.row(select(Holder.given_name).where(Holder.id == holder_id))
    assert row.given_name == "(erased)"


@SQLITE
def test_a_holder_who_is_refused_is_told_why(enter, container, holder_id):
    id_ = asked_by(container, holder(holder_id), holder_id)
    _, me = enter("staff")
    before = len(told(container))
    form = {"reason": "An appeal is open: {x}", "csrf_token": me.csrf()}

    assert me.post(f"{HERE}/{id_}/refuse", {"csrf_token": me.csrf()}).status_code == 422
    assert me.post(f"{HERE}/{id_}/refuse", form).status_code == 303

    (about,) = told(container)[before:]
    assert (about["type"], about["holder_id"]) == ("erasure_refused", holder_id)
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        letters = catcher.letters()
    (letter,) = [one for one in letters if one.subject.startswith("We did not erase your data")]
    assert "The reason: An appeal is open: {x}" in letter.text


def test_who_proposed_it_does_not_approve_it_and_takes_it_back(enter, container, holder_id):
    sam, me = enter("staff")
    proposer = Actor(role="staff", name="Sam", person_id=sam.id)
    id_ = asked_by(container, proposer, holder_id, "Asked by mail.")
    before = len(told(container))
    assert "Proposed by Sam" in me.get(HERE).text

    refused = me.send_form(f"{HERE}/{id_}/approve")
    assert (refused.status_code, "Somebody else must approve" in refused.text) == (422, True)
    form = {"reason": "A mistake.", "csrf_token": me.csrf()}
    assert me.post(f"{HERE}/{id_}/refuse", form).status_code == 303
    assert told(container)[before:] == []  # the holder knew nothing of it


@SQLITE
def test_there_is_no_such_page_for_others(enter, employer_id):
    for role, values in (("reviewer", {}), ("employer", {"employer_id": employer_id})):
        _, me = enter(role, **values)
        assert me.get(HERE).status_code == 404
        assert HERE not in me.get("/account").text
