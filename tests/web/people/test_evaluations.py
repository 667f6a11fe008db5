"""web/people/evaluations.py: points explained line by line, and what would close the gap."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests import factories
from tests.backends import SQLITE
from tests.browsers import content
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.models import Holder
from tracker.services.points import activities, activity_decisions, activity_rows

pytestmark = SQLITE


@pytest.fixture
def page(browser, container):
    """Ana's browser and the address of her points: four certifications, and a course in review."""
    ids = factories.certified(container, date(2021, 12, 25), email="ana@example.org")
    earlier = {"category": "IC", "type": "industry_certification", "title": "NIMS"}
    course = {"category": "CE", "type": "third_party", "title": "Robots"}
    with container.work(SYSTEM) as work:
        for stated, quantity in ((earlier, 4), (course, 8)):
            more = {"completed_on": date(2026, 1, 5), "quantity": Decimal(quantity)}
            made = activities.log(work, ids[1], stated | more)
            activities.submit(work, made)
            if stated is earlier:
                approved = activity_decisions.ReviewerDecision(ActivityVerdict.APPROVED)
                activity_decisions.decide(
                    work, made, approved, version=activity_rows.get(work, made).version
                )
    me = browser()
    me.sign_in("ana@example.org")
    return me, f"/account/certifications/{ids[1]}/points"


def test_every_line_says_what_it_counts_and_which_rule_cut_it(page):
    me, here = page
    text = content(me.get(here))

    assert "<strong>60 of 80 points</strong> · Approved" in text
    assert "at most 60 points count in a cycle for the category “Industry certifications”" in text
    assert "<strong>8 of 8 points</strong> · In review" in text
    assert "Where your points come from" in text


def test_what_is_missing_is_told_with_ways_to_close_it(page):
    me, here = page
    text = content(me.get(here))

    assert "How to close the gap" in text
    assert "would close the gap" in text


def test_the_bar_at_home_leads_there(page):
    me, here = page

    assert f'href="{here}"' in me.get("/account").text


def test_it_is_all_in_spanish_for_who_speaks_it(page, container):
    with container.work(SYSTEM) as work:
        work.session.scalars(select(Holder)).one().language = "es"
    me, here = page
    text = content(me.get(here))

    assert "<h1>Puntos</h1>" in text
    assert "8 de 8 puntos" in text
    assert "Cómo reunir lo que falta" in text


def test_other_holders_find_nothing_there(page, browser, container):
    with container.work(SYSTEM) as work:
        factories.holder(work, email="bo@example.org")
    other = browser()
    other.sign_in("bo@example.org")

    assert other.get(page[1]).status_code == 404
