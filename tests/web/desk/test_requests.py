"""web/desk: requests are answered (requests.py), decisions corrected (decided_activities.py)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests import factories
from tests.browsers import content
from tests.statements import counted
from tracker.domain.permissions import SYSTEM, Actor
from tracker.domain.points.activities import ActivityVerdict
from tracker.services.desk import corrections
from tracker.services.people import holders
from tracker.services.points import activities, activity_decisions, activity_rows
from tracker.services.points.activity_decisions import ReviewerDecision

HERE = "/desk/requests"

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def asked(container, name="Ruiz Soto"):
    """Somebody who asks for another family name; the id."""
    with container.work(SYSTEM) as work:
        id_ = factories.holder(work, given_name="Ana", family_name="Ruiz")
    with container.work(Actor(role="holder", name="Ana Ruiz", holder_id=id_)) as work:
        version = holders.get(work, id_).version
        corrections.change(work, id_, {"family_name": name}, version=version, reason="I married.")
    return id_


def forms(page, act):
    """The address and the version of each form for an act."""
    found = []
    for part in content(page).split('<form action="')[1:]:
        address = part.partition('"')[0]
        if address.endswith(act):
            version = part.partition('name="version" value="')[2].partition('"')[0]
            found.append((address, version))
    return found


def test_a_request_is_granted_or_refused_with_a_reason_and_the_clock_is_told(
    enter, container, clock
):
    one, two = asked(container), asked(container, "Soto")
    _, me = enter("staff")
    page = me.get(HERE)
    text = content(page)
    assert "Asks for: Family name: Ruiz Soto" in text
    assert "They write: I married." in text
    assert "Answer by December 21, 2026" in text
    assert 'href="/account/erasures"' in text
    (grant, version), _ = forms(page, "grant")
    assert me.send_form(grant, version="7").status_code == 422
    assert me.send_form(grant, version=version).location == HERE
    assert "<h1>Ana Ruiz Soto</h1>" in me.get(f"/desk/people/{one}").text

    ((refuse, version),) = forms(me.get(HERE), "refuse")
    wordless = me.send_form(refuse, version=version)
    assert (wordless.status_code, "is required for a refusal" in wordless.text) == (422, True)
    clock.set("2026-12-24")
    _, me = enter("staff", email="other@example.org")
    assert "Late: it was due on December 21, 2026" in content(me.get(HERE))
    me.send_form(refuse, version=version, reason="The paper is not legible.")
    assert "No request is here." in content(me.get(HERE))
    assert "not legible" in content(me.get(f"{HERE}?state=refused"))
    assert "<h1>Ana Ruiz</h1>" in me.get(f"/desk/people/{two}").text


def test_more_requests_cost_no_more_statements_and_the_page_speaks_spanish(enter, container):
    _, me = enter("staff")
    costs = []
    for _ in range(2):
        asked(container)
        with counted(container) as sent:
            me.get(HERE)
        costs.append(len(sent))
    assert costs[0] == costs[1]
    assert "Responder a más tardar" in me.get(HERE, headers={"Accept-Language": "es"}).text
    _, reviewer = enter("reviewer")
    assert reviewer.get(HERE).status_code == 404


def test_a_decision_on_an_activity_is_superseded_with_a_reason_and_stays_readable(enter, container):
    holder_id, held = factories.certified(container, date(2021, 12, 25))
    course = {
        "category": "CE",
        "type": "third_party",
        "title": "Welding",
        "quantity": Decimal(20),
        "completed_on": date(2026, 1, 5),
    }
    with container.work(SYSTEM) as work:
        id_ = activities.log(work, held, course)
        activities.submit(work, id_)
        approved = ReviewerDecision(ActivityVerdict.APPROVED)
        activity_decisions.decide(work, id_, approved, version=activity_rows.get(work, id_).version)
    _, me = enter("staff")
    here = f"/desk/activities/{id_}"
    page = me.get(here)
    assert f'href="{here}"' in me.get(f"/desk/people/{holder_id}").text
    assert "Approved on November 21, 2026" in content(page)
    version = page.text.partition('name="version" value="')[2].partition('"')[0]
    form = {"verdict": "approved", "points_limit": "12", "version": version}
    wordless = me.send_form(here, **form)
    assert wordless.status_code == 422
    assert 'value="12"' in wordless.text
    fewer = {"reason_code": "other", "reason": "Eight hours were repeated."}
    assert me.send_form(here, **form | fewer).location == here
    text = content(me.get(here))
    assert "At most 12 points." in text
    assert text.count("Approved on November 21, 2026") == 2
    assert "Eight hours were repeated." in text
    assert me.send_form(here, **form | fewer).status_code == 422
