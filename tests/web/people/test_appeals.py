"""web/people/appeals.py: what can be appealed until when, the form, and the appeals so far."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests import factories
from tests.backends import SQLITE
from tests.browsers import content
from tests.rows import count
from tracker.domain.credentials.appeals import AppealVerdict
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.permissions import SYSTEM
from tracker.models import Appeal, Holder, Renewal, StandingChange
from tracker.services.credentials import appeals, certifications, renewals
from tracker.services.points import activities


@pytest.fixture
def held(container):
    """The id of Ana's certification."""
    return factories.certified(container, date(2021, 12, 25), email="ana@example.org")[1]


@pytest.fixture
def page(browser, held):
    """Ana's browser, and the address of the page about her appeals."""
    me = browser()
    me.sign_in("ana@example.org")
    return me, f"/account/certifications/{held}/appeals"


def suspend(container, held):
    """Suspend the certification today."""
    with container.work(SYSTEM) as work:
        certifications.change(
            work, held, kind=ChangeKind.SUSPEND, reason_code="conduct", reason="Exam conduct."
        )


def deny_a_renewal(container, held):
    """Have a renewal applied for and denied; returns its id."""
    with container.work(SYSTEM) as work:
        course = {
            "category": "CE",
            "type": "third_party",
            "title": "Course",
            "quantity": Decimal(100),
            "completed_on": date(2026, 1, 5),
        }
        activities.submit(work, activities.log(work, held, course))
        made = renewals.apply(work, held)
        version = work.row(select(Renewal.version)).version
        denied = RenewalVerdict.DENIED
        renewals.decide(work, made, decision=denied, reason="Unpaid.", version=version)
        return made


@SQLITE
def test_with_nothing_to_appeal_against_there_is_no_form(page):
    me, here = page
    text = content(me.get(here))

    assert "There is nothing to appeal now" in text
    assert "<textarea" not in text
    refused = me.send_form(here, statement="It was not me.")
    assert refused.status_code == 422


def test_a_suspension_is_appealed_in_time_once_and_its_outcome_is_told(page, container, held):
    suspend(container, held)
    me, here = page
    text = content(me.get(here))
    assert "Suspension you were told about on November 21, 2026" in text
    assert "You can appeal until December 21, 2026." in text
    assert "An appeal costs $50.00; you get it back if your appeal succeeds." in text
    assert me.send_form(here, statement="It was not me.", renewal_id="").location == here
    filed = content(me.get(here))
    assert "Filed on November 21, 2026." in filed
    assert "We decide by February 19, 2027." in filed
    assert "It was not me." in filed
    assert "<textarea" not in filed
    assert me.send_form(here, statement="Again.").status_code == 422
    assert count(container, Appeal) == 1
    with container.work(SYSTEM) as work:
        row = work.row(select(Appeal.id, Appeal.version))
        # Who suspended may not decide; the system did both here, so say that somebody else did.
        change = work.session.scalars(select(StandingChange)).one()
        change.decided_by, change.decided_by_id = "Kim", None
        work.session.flush()
        upheld = AppealVerdict.UPHELD
        appeals.decide(work, row.id, outcome=upheld, reason="Mistaken.", version=row.version)
    decided = content(me.get(here))

    assert "Your appeal succeeded on November 21, 2026." in decided
    assert "Mistaken." in decided
    assert "If you paid the fee, you get it back." in decided


@SQLITE
def test_what_was_written_stays_in_the_form_when_it_is_refused(page, container, held):
    suspend(container, held)
    me, here = page
    long = "x" * 20_001
    refused = me.send_form(here, statement=long, renewal_id="")
    text = content(refused)

    assert refused.status_code == 422
    assert long in text
    assert '<a href="#statement">Say why the decision is wrong' in text
    assert '<textarea id="statement"' in text
    assert count(container, Appeal) == 0
    assert me.send_form(here, statement="", renewal_id="").status_code == 422


def test_a_denied_renewal_is_appealed_by_its_own_form_until_its_last_day(
    page, container, held, clock
):
    made = deny_a_renewal(container, held)
    me, here = page
    text = content(me.get(here))
    assert "Denied renewal you were told about on November 21, 2026" in text
    assert re.findall(r'name="renewal_id" value="([^"]+)"', text) == [made]
    clock.advance(days=31)
    me.sign_in("ana@example.org")
    late = content(me.get(here))
    assert "The time to appeal ended on December 21, 2026." in late
    assert "<textarea" not in late
    refused = content(me.send_form(here, statement="Paid.", renewal_id=made))
    assert "The time to appeal is over." in refused
    clock.advance(days=-1)
    assert me.send_form(here, statement="Paid.", renewal_id=made).location == here

    assert "Appeal of a denied renewal" in content(me.get(here))


@SQLITE
def test_it_is_all_in_spanish_for_who_speaks_it(page, container, held):
    suspend(container, held)
    with container.work(SYSTEM) as work:
        work.session.scalars(select(Holder)).one().language = "es"
    me, here = page
    text = content(me.get(here))

    assert "<h1>Apelaciones</h1>" in text
    assert "Puede apelar hasta el 21 de diciembre de 2026." in text
    assert "Presentar esta apelación" in text


@SQLITE
def test_other_holders_find_nothing_there(page, browser, container, held):
    suspend(container, held)
    with container.work(SYSTEM) as work:
        factories.holder(work, email="bo@example.org")
    other = browser()
    other.sign_in("bo@example.org")
    _, here = page

    assert other.get(here).status_code == 404
    assert other.send_form(here, statement="Mine.").status_code == 404
