"""Letting somebody in again, as pages (web/people/recoveries.py)."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tests.backends import SQLITE
from tests.members import member
from tracker.domain.permissions import SYSTEM
from tracker.models import Employer, Holder, Recovery

HERE = "/account/recoveries"


@pytest.fixture
def hal(container):
    with container.work(SYSTEM) as work:
        row = Employer(name="Palmetto Motors", recorded_at=work.now)
        work.session.add(row)
        work.session.flush()
        employer_id = row.id
    found = member(container, "employer", employer_id=employer_id)
    found.set_up()
    return found


def test_one_proposes_and_another_one_approves(enter, browser, hal):
    _, sam = enter("staff", email="sam@x.org")
    _, lee = enter("staff", email="lee@x.org")
    assert "Remove the second factor" in sam.get(f"/account/people/{hal.id}").text
    done = sam.send_form(HERE, account_id=hal.id, reason="Lost the phone")
    assert (done.status_code, done.location) == (303, HERE)
    page = lee.get(HERE).text
    assert hal.email in page
    approve = re.findall(rf'action="({HERE}/[^"]+/approve)"', page)[0]
    own = sam.send_form(approve)
    assert (own.status_code, "Somebody else must approve" in own.text) == (422, True)

    assert lee.send_form(approve).location == HERE
    assert "Nothing is proposed." in lee.get(HERE).text
    me = browser()
    entered = hal.enter_password(me)
    assert "Set up your authenticator app" in me.get(entered.location).text


def test_a_holder_gets_a_new_address(enter, container, ana):
    _, sam = enter("staff", email="sam@x.org")
    _, kim = enter("admin", email="kim@x.org")
    with container.reading(SYSTEM) as reading:
        ref = reading.row(select(Holder.ref).where(Holder.email == ana)).ref
    form = {"holder": ref, "email": "new@x.org", "reason": "Mailbox of a former employer"}
    for bad in ({"holder": "nope"}, {"email": "x"}, {"reason": ""}, {"account_id": "x"}):
        answer = sam.send_form(HERE, **(form | bad))
        assert (answer.status_code, "reference of a holder on record" in answer.text) == (422, True)
        assert f'name="email" value="{(form | bad)["email"]}"' in answer.text
    assert sam.send_form(HERE, **form).status_code == 303
    page = kim.get(HERE).text
    assert "new@x.org" in page
    assert f"Ana Ruiz, {ref}" in page
    refuse = re.findall(rf'action="({HERE}/[^"]+/refuse)"', page)[0]
    assert kim.send_form(refuse).status_code == 422
    assert kim.send_form(refuse, reason="Not sure it is her").status_code == 303
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(Recovery.state)).state == "refused"


@SQLITE
def test_others_have_no_such_page(browser, hal, ana):
    boss, holder = browser(), browser()
    hal.sign_in(boss)
    holder.sign_in(ana)
    for me in (boss, holder):
        assert me.get(HERE).status_code == 404
        assert me.send_form(HERE, account_id=hal.id, reason="x").status_code == 404


@SQLITE
def test_no_form_without_its_token_changes_anything(enter, hal):
    _, me = enter("staff", email="sam@x.org")

    assert me.post(HERE, {"account_id": hal.id, "reason": "x"}).status_code == 400


NO_REFS = ["", "\0", "x\r\ny", "x" * 300]


@SQLITE
def test_a_holder_who_cannot_have_the_ref_is_refused(enter):
    _, sam = enter("staff", email="sam@x.org")
    for ref in NO_REFS:
        form = {"holder": ref, "email": "new@x.org", "reason": "Lost the mailbox"}

        assert sam.send_form(HERE, **form).status_code == 422, ref
