"""The first page of a holder and their timeline (web/people/account.py, timeline_shown.py)."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from sqlalchemy import insert

from tests import factories, statements
from tests.browsers import content
from tracker.domain.permissions import SYSTEM
from tracker.models import Renewal, Suppression
from tracker.services.points import activities

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Robot Safety",
    "completed_on": date(2026, 1, 5),
}


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25), email="ana@example.org")


@pytest.fixture
def me(browser, ids):
    assert ids
    found = browser()
    found.sign_in("ana@example.org")
    return found


def logged(container, ids):
    with container.work(SYSTEM) as work:
        return activities.log(work, ids[1], {**COURSE, "quantity": Decimal(8)})


def test_status_days_points_and_one_thing_to_do_with_its_button(me, ids):
    page = content(me.get("/account"))

    assert "<strong>Valid</strong> · 34 days left" in page
    assert page.count('<svg class="bar"') == page.count('class="next"') == 1
    (button,) = re.findall(r'<a role="button" href="([^"]+)">([^<]+)</a>', page)
    assert button == (f"/account/certifications/{ids[1]}/activities/new", "Log an activity")
    assert "again</a>" not in page
    assert me.get(button[0]).status_code == 200


def test_the_last_activity_is_offered_to_be_logged_again(me, container, ids):
    id_ = logged(container, ids)
    page = content(me.get("/account"))

    assert f"/activities/new?copy={id_}" in page
    assert "Log “Robot Safety” again" in page


def test_a_denial_is_told_with_the_next_step(me, container, ids):
    with container.work(SYSTEM) as work:
        work.session.add(
            Renewal(
                certification_id=ids[1],
                cycle=1,
                submitted_on=date(2026, 11, 1),
                decision="denied",
                decided_on=date(2026, 11, 20),
                reason="No proof.",
                recorded_at=work.now,
            )
        )
    for path in ("/account", f"/account/certifications/{ids[1]}"):
        page = content(me.get(path))
        assert "Your application was denied on November 20, 2026. Reason: No proof." in page
        assert page.index("No proof.") < page.index("Log your activities")


def test_who_gets_no_email_is_told_so_at_the_top(me, container):
    assert 'role="alert"' not in me.get("/account").text
    with container.work(SYSTEM) as work:
        gone = {"address": "ana@example.org", "reason": "hard_bounce"}
        work.execute(insert(Suppression), [{**gone, "recorded_at": work.now}])
    page = content(me.get("/account"))
    assert "No email reaches you: those to ana@example.org have been coming back since" in page
    assert page.index('role="alert"') < page.index("<h3>")


def test_the_statements_do_not_grow_with_what_is_on_record(me, container, ids):
    numbers = []
    for more in (1, 6):
        for _ in range(more):
            logged(container, ids)
        with statements.counted(container) as told:
            assert me.get("/account").status_code == 200
        numbers.append(len(told))

    assert numbers[0] == numbers[1] < 40


def test_the_timeline_has_every_day_once_in_the_picture_and_in_the_list(me, ids):
    page = content(me.get(f"/account/certifications/{ids[1]}"))
    svg, _, rest = page.partition('<svg class="timeline"')[2].partition("</svg>")
    listed = re.findall(r"<li(?: class=\"now\")?>([^<]+) <strong>([^<]+)</strong></li>", rest)

    assert listed[0] == ("This period began", "December 25, 2021")
    assert ("Today", "November 21, 2026") in listed
    assert listed[-1] == ("Valid through", "December 25, 2026")
    assert svg.count("<circle") == len(listed)
    assert all(f"{said}: {when}" in svg for said, when in listed)
    places = [int(x) for x in re.findall(r'<circle[^>]+cx="(\d+)"', svg)]
    assert all(right - left >= 24 for left, right in pairwise(places))
    assert 0 <= places[0] <= places[-1] <= 340
