"""Messages, preferences, names and addresses, and who looked (web/people)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from tests import factories
from tests.api.employers import employer_cases
from tests.browsers import Browser, content
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.db import new_id
from tracker.domain.employers.looks import LookKind
from tracker.domain.permissions import SYSTEM
from tracker.models import EmployerLook, Holder, HolderRequest, WorkerSeen
from tracker.services.employers import roster

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def me(app, container):
    factories.certified(
        container, date(2021, 12, 25), given_name="Ana", family_name="Ruiz", email="ana@example.org"
    )
    found = Browser(app)
    found.sign_in("ana@example.org")
    return found


def test_a_holder_reads_a_copy_of_what_was_sent_and_nothing_else(app, container, clock):
    clock.now = datetime(2027, 2, 13, 15, tzinfo=UTC)
    cases.certified(container, date(2027, 3, 15))
    with container.reading(SYSTEM) as reading:
        email = reading.row(select(Holder.email)).email
    ana = Browser(app)
    ana.sign_in(email)
    here = "/account/messages"
    assert "We haven&#39;t sent you anything yet." in content(ana.get(here))
    jobs.plan(container)
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        subjects = [one.subject for one in catcher.letters()]
    page = content(ana.get(here))

    assert any(f"<strong>{one}</strong>" in page for one in subjects)
    assert "Expires March 15, 2027" in page
    assert f"{email} · sent" in page
    assert ana.get(f"{here}?after=x").status_code == 404


def test_reminders_are_turned_off_only_after_what_is_lost_was_said(me):
    here = "/account/preferences"
    assert content(me.get(here)).count(" checked>") == 2
    asked = content(me.send_form(here, decisions="yes"))
    assert "Turn reminders off?" in asked
    assert "not even in the last 7 days" in asked
    assert content(me.get(here)).count(" checked>") == 2, "nothing has changed yet"
    done = me.send_form(here, decisions="yes", sure="yes")
    assert done.location == f"{here}?saved=1"
    assert content(me.get(here)).count(" checked>") == 1
    pause = {"pause_month": "12", "pause_day": "1", "pause_year": "2026"}
    assert me.send_form(here, reminders="yes", **pause).status_code == 303
    assert "paused through December 1, 2026" in content(me.get(here))
    wrong = me.send_form(here, reminders="yes", **pause | {"pause_year": "2025"})
    assert wrong.status_code == 422
    assert 'value="2025"' in content(wrong)


def test_a_new_name_is_asked_for_and_withdrawn_and_an_address_changed(me, container):
    here = "/account/details"
    version = re.findall(r'name="version" value="(\d+)"', content(me.get(here)))[0]
    asked = me.send_form(f"{here}/name", family_name="Ruiz Gil", reason="Wed.", version=version)
    assert asked.location == here
    page = content(me.get(here))
    assert "The name Ana Ruiz Gil, asked for on November 21, 2026" in page
    (withdraw,) = re.findall(r'action="([^"]+/withdraw)"', page)
    assert me.send_form(withdraw).location == here
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(HolderRequest.state)).state == "withdrawn"
        assert reading.row(select(Holder.family_name)).family_name == "Ruiz"
    both = {"email": "ana@example.org", "version": version}
    wrong = me.send_form(f"{here}/addresses", **both, second_email="nowhere")
    assert wrong.status_code == 422
    assert 'value="nowhere"' in content(wrong)
    changed = me.send_form(f"{here}/addresses", **both, second_email="ana@work.example")
    assert changed.location == here
    assert 'value="ana@work.example"' in content(me.get(here))


def test_an_employer_is_blocked_and_let_ask_again_and_looks_are_listed(me, container):
    acme = employer_cases.company(container)
    with container.work(SYSTEM) as work:
        roster.add(work, acme.id, employee_id="1", email="ana@example.org")
        holder_id = work.row(select(Holder.id)).id
        look = EmployerLook(
            id=new_id(),
            employer_id=acme.id,
            at=datetime(2026, 11, 22, 2, tzinfo=UTC),  # the evening before, where Ana lives
            kind=LookKind.WORKER,
            scheme="cpt",
            as_of=date(2026, 11, 21),
            name="Ida",
            credential_id=new_id(),
            workers=1,
        )
        work.session.add(look)
        work.session.flush()
        work.session.add(WorkerSeen(holder_id=holder_id, look_id=look.id))
    page = content(me.get("/account/sharing/looks"))
    assert "<strong>Acme</strong><br>Ida, November 21, 2026: your page" in page
    sharing = content(me.get("/account/sharing"))
    (bar,) = re.findall(r'action="([^"]+/bar)"', sharing)
    assert me.send_form(bar).location == "/account/sharing"
    blocked = content(me.get("/account/sharing"))
    assert "You blocked Acme" in blocked
    assert "asks to see you" not in blocked
    (lift,) = re.findall(r'action="([^"]+/lift)"', blocked)
    assert me.send_form(lift).location == "/account/sharing"
    assert me.send_form(lift).status_code == 404
    assert me.get("/account/sharing/looks?after=x").status_code == 404
