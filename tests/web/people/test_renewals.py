"""web/people/renewals.py: the checklist, applying, withdrawing, and what was decided before."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests import factories
from tests.backends import SQLITE
from tests.browsers import Browser, content
from tests.rows import count
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.models import Certification, Holder, Renewal
from tracker.services.credentials import renewals
from tracker.services.points import activities, activity_decisions, activity_rows


@pytest.fixture
def held(container, ana):
    """The id of Ana's certification, whose window is open until December 25, 2026."""
    assert ana
    with container.reading(SYSTEM) as reading:
        return reading.row(select(Certification.id)).id


@pytest.fixture
def page(browser, ana, held):
    """Ana's browser, and the address of the page about her renewal."""
    me = browser()
    me.sign_in(ana)
    return me, f"/account/certifications/{held}/renewal"


def claim(container, held, points, verdict=None):
    """Log and submit a course of so many hours, and decide it if there is a verdict."""
    with container.work(SYSTEM) as work:
        course = {
            "category": "CE",
            "type": "third_party",
            "title": f"Course {points}",
            "quantity": Decimal(points),
            "completed_on": date(2026, 1, 5),
        }
        made = activities.log(work, held, course)
        activities.submit(work, made)
        if verdict:
            decision = activity_decisions.ReviewerDecision(
                verdict, reason_code="other", reason="Which hours?"
            )
            version = activity_rows.get(work, made).version
            activity_decisions.decide(work, made, decision, version=version)


def checks(text):
    """The state of each line of the checklist."""
    return re.findall(r'<li class="(done|open|waiting)">', text)


def decided(container, verdict, reason):
    """Decide the undecided application."""
    with container.work(SYSTEM) as work:
        row = work.row(select(Renewal.id, Renewal.version).where(Renewal.decision.is_(None)))
        renewals.decide(work, row.id, decision=verdict, reason=reason, version=row.version)


@SQLITE
def test_what_is_missing_is_told_and_there_is_no_button(page, container, held):
    me, here = page
    claim(container, held, 60, ActivityVerdict.APPROVED)
    text = content(me.get(here))

    assert checks(text) == ["done", "open", "done", "done"]
    assert "You have 60 of 100 points; 40 points still to earn." in text
    assert "Apply for renewal</button>" not in text
    refused = me.send_form(here)
    assert refused.status_code == 422
    assert "Points are still missing." in content(refused)
    assert "<title>Error: Renewal" in refused.text
    assert count(container, Renewal) == 0


@SQLITE
def test_before_the_window_nobody_can_apply(page, container, held, clock):
    clock.set("2026-09-20")
    claim(container, held, 100, ActivityVerdict.APPROVED)
    me, here = page
    me.sign_in("ana@example.org")
    text = content(me.get(here))

    assert checks(text) == ["open", "done", "done", "done"]
    assert "Your renewal window opens on September 26, 2026." in text


def test_the_list_ends_in_one_button_with_the_fee_and_the_application_can_be_withdrawn(
    page, container, held
):
    me, here = page
    claim(container, held, 100)
    claim(container, held, 5, ActivityVerdict.MORE_INFORMATION)
    text = content(me.get(here))

    assert checks(text) == ["done", "waiting", "open", "done"]
    assert "You have 0 of 100 points, and 105 points in review. You don" in text
    assert "A reviewer has a question about 1 activity." in text
    assert text.count("<form") == 1
    assert re.search(r"<dt>Fee</dt><dd>\$\d+\.\d\d", text)
    assert me.send_form(here).location == here
    applied = content(me.get(here))
    assert "You applied on November 21, 2026." in applied
    assert "A decision may take up to 10 business days." in applied
    assert checks(applied)[-1] == "waiting"
    assert "Under review." in applied
    assert "Apply for renewal</button>" not in applied
    again = me.send_form(here)
    assert "Your application is already under review." in content(again)
    assert count(container, Renewal) == 1
    (withdraw,) = re.findall(r'action="([^"]+/withdraw)"', applied)
    me.send_form(withdraw)
    withdrawn = content(me.get(here))
    assert "Withdrawn on November 21, 2026." in withdrawn
    assert "Apply for renewal</button>" in withdrawn


def test_every_cycle_tells_its_applications_with_decision_reason_and_what_was_replaced(
    page, container, held
):
    me, here = page
    claim(container, held, 100, ActivityVerdict.APPROVED)
    me.send_form(here)
    decided(container, RenewalVerdict.DENIED, "The fee was not paid.")
    denied = content(me.get(here))
    assert "Denied on November 21, 2026." in denied
    assert "The fee was not paid." in denied
    assert f'href="{here.removesuffix("renewal")}appeals"' in denied
    # A denial is told before the step that follows: without it, one would just apply again.
    assert denied.index("The fee was not paid.") < denied.index("What to do next")
    assert checks(denied) == ["done"] * 4
    with container.work(SYSTEM) as work:
        row = work.row(select(Renewal.id, Renewal.version))
        approved = RenewalVerdict.APPROVED
        renewals.decide(work, row.id, decision=approved, reason="Paid.", version=row.version)
    text = content(me.get(here))

    # Until December 25 the points are those of the cycle that is renewed already.
    assert checks(text) == ["open", "done", "done"]
    assert "of 100 points." not in text
    assert text.index("What to do next") < text.index("The fee was not paid.")
    days = re.findall(r"<h3>(.+?)</h3>", text)
    assert days == [
        "December 26, 2026 to December 25, 2031",
        "December 25, 2021 to December 25, 2026",
    ]
    assert "Approved on November 21, 2026." in text
    assert "Denied on November 21, 2026. The fee was not paid." in text


@SQLITE
def test_it_is_all_in_spanish_for_who_speaks_it(page, container):
    with container.work(SYSTEM) as work:
        work.session.scalars(select(Holder)).one().language = "es"
    me, here = page
    text = content(me.get(here))

    assert "<h1>Renovación</h1>" in text
    assert "Tiene 0 de 100 puntos; faltan 100 puntos." in text
    assert "Qué sigue" in text


@SQLITE
def test_other_holders_find_nothing_there(page, browser, container):
    with container.work(SYSTEM) as work:
        factories.holder(work, email="bo@example.org")
    other: Browser = browser()
    other.sign_in("bo@example.org")
    _, here = page

    assert other.get(here).status_code == 404
    assert other.send_form(here).status_code == 404
    assert count(container, Renewal) == 0
