"""web/delivery: reminders ahead, a dry run, dead addresses, and why one person got none."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tests import factories
from tests.browsers import content
from tests.statements import counted
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.services.outbox import suppressions
from tracker.services.people import preferences

HERE = "/desk/reminders"

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def certified(container, email):
    """Somebody whose certification expires on December 25, 2026; the id."""
    return factories.certified(container, date(2021, 12, 25), family_name="Ruiz", email=email)[0]


def test_the_days_ahead_are_a_strip_and_a_table_and_a_day_is_rehearsed(enter, container):
    certified(container, "ana@example.org")
    _, me = enter("staff")
    text = content(me.get(HERE))
    assert "Messages are being sent." in text
    assert text.count("<rect") == 91
    assert "<title>November 25, 2026: 1</title>" in text
    assert re.search(r'<th scope="row">November 25, 2026</th><td>1</td><td>30 days before', text)

    day = {"as_of_year": "2026", "as_of_month": "11", "as_of_day": "26"}
    run = content(me.get(HERE, query_string=day))
    assert "By the end of November 26, 2026" in run
    assert "30 days before the expiry" in run.partition("By the end of")[2]
    assert "ana@example.org" in run
    wrong = me.get(HERE, query_string=day | {"as_of_day": "31"})
    assert (wrong.status_code, 'value="31"' in wrong.text) == (422, True)
    spanish = me.get(HERE, headers={"Accept-Language": "es"})
    assert "Los próximos 90 días" in spanish.text


def test_a_dead_address_names_its_owner_and_is_written_to_again_with_a_reason(enter, container):
    holder_id = certified(container, "ana@example.org")
    with container.work(SYSTEM) as work:
        suppressions.suppress(work, ["ANA@example.org"], suppressions.HARD)
    _, me = enter("staff")
    here = f"{HERE}/addresses"
    text = content(me.get(here))
    assert "ana@example.org" in text
    assert me.get(f"{here}?after=a%00b").status_code == 404
    assert f'href="/desk/people/{holder_id}/edit"' in text
    assert "came back" in content(me.get(f"/desk/people/{holder_id}"))
    assert "do not reach" in content(me.get(f"/desk/people/{holder_id}/messages"))
    assert me.send_form(here, address="ana@example.org").status_code == 422
    me.send_form(here, address="ana@example.org", reason="Ana called.")
    assert "Every address works." in content(me.get(here))


def test_why_a_reminder_was_not_sent_is_said(enter, container, clock):
    holder_id = certified(container, "ana@example.org")
    with container.work(SYSTEM) as work:
        off = {"reminders": {"wanted": False}}
        preferences.change_for(work, holder_id, off, reason="Asked by phone.")
    clock.set("2026-11-26")
    jobs.plan(container)
    _, me = enter("staff")
    text = content(me.get(f"/desk/people/{holder_id}/messages"))
    assert "Messages reach this person." in text
    assert "The person turned these reminders off." in text
    assert "Set by staff: Asked by phone." in text
    assert "Not due yet" in text


def test_more_certifications_and_addresses_cost_no_more_statements(enter, container):
    _, me = enter("staff")
    costs = []
    for number in range(1, 3):
        holder_id = certified(container, f"ana{number}@example.org")
        with container.work(SYSTEM) as work:
            suppressions.suppress(work, [f"ana{number}@example.org"], suppressions.HARD)
        pages = (HERE, f"{HERE}/addresses", f"/desk/people/{holder_id}/messages")
        cost = []
        for page in pages:
            with counted(container) as sent:
                assert me.get(page).status_code == 200
            cost.append(len(sent))
        costs.append(cost)
    assert costs[0] == costs[1]


def test_reviewers_find_no_such_page(enter, container):
    holder_id = certified(container, "ana@example.org")
    _, me = enter("reviewer")
    for page in (HERE, f"{HERE}/addresses", f"/desk/people/{holder_id}/messages"):
        assert me.get(page).status_code == 404
