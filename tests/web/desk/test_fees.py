"""web/desk/fees.py: fees of all kinds are invoiced, refunded and corrected; an attempt gets one."""

from __future__ import annotations

import html
import re
from datetime import date

import pytest
from sqlalchemy import select

from tests import factories
from tests.browsers import content
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Assessment, Fee
from tracker.services.employers import sharing

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def attempt(container):
    """The attempt of somebody who passed one module: ids of the person and of the attempt."""
    with container.work(SYSTEM) as work:
        holder_id = factories.holder(work, given_name="Ana")
        factories.passed(work, holder_id, date(2026, 10, 5), modules=("safety",))
    with container.reading(SYSTEM) as reading:
        return holder_id, reading.row(select(Assessment.id)).id


def version(page):
    return re.findall(r'name="version" value="(\d+)"', page.text)[0]


def fee_of(container):
    with container.reading(SYSTEM) as reading:
        return reading.row(select(Fee.state, Fee.amount, Fee.employer_id))


def test_an_attempt_gets_a_fee_that_is_invoiced_paid_and_refunded(
    enter, container, attempt, employer_id
):
    holder_id, attempt_id = attempt
    with container.work(Actor(role="holder", name="Ana", holder_id=holder_id)) as work:
        sharing.consent(work, employer_id)
    _, me = enter("staff")
    person = f"/desk/people/{holder_id}"
    asked = f"/desk/assessments/{attempt_id}/fee"
    assert f'href="{asked}"' in me.get(person).text
    assert "Safety" in content(me.get(asked))
    assert me.send_form(asked, amount="much").status_code == 422
    here = me.send_form(asked, amount="1045").location
    assert here.startswith("/desk/fees/")
    assert "$1,045.00: Quoted" in content(me.get(here))

    fixed = {"amount": "45", "reason": "A typing error.", "version": version(me.get(here))}
    assert me.send_form(f"{here}/amount", **fixed).location == here
    nobody = {"state": "invoiced", "reference": "INV-7", "version": version(me.get(here))}
    assert '<a href="#employer_id">' in me.send_form(here, **nobody).text
    assert me.send_form(here, **nobody, employer_id=employer_id).location == here
    assert fee_of(container).employer_id == employer_id
    billed = content(me.get(here))
    assert "$45.00: Invoiced to an employer" in billed
    assert "INV-7" in billed

    card = {"state": "paid", "reference": "4111 1111 1111 1111", "version": version(me.get(here))}
    assert "number of a card" in html.unescape(me.send_form(here, **card).text)
    me.send_form(here, **card | {"reference": "R-7"})
    assert "Correct the amount" not in me.get(here).text
    back = {"state": "refunded", "reference": "R-8", "version": version(me.get(here))}
    assert me.send_form(here, **back).status_code == 422
    me.send_form(here, **back, reason="The center was closed.")
    assert fee_of(container).state == "refunded"
    listed = content(me.get(person))
    assert f'<a href="{here}">$45.00</a>: Refunded (R-8)' in listed
    assert "Cuota" in me.get(here, headers={"Accept-Language": "es"}).text


def test_a_change_by_somebody_else_in_the_meantime_is_told(enter, container, attempt):
    _, me = enter("staff")
    here = me.send_form(f"/desk/assessments/{attempt[1]}/fee", amount="45").location
    first = version(me.get(here))
    me.send_form(here, state="due", version=first)
    stale = me.send_form(here, state="waived", reason="Hardship.", version=first)
    assert (stale.status_code, fee_of(container).state) == (422, "due")
    again = me.send_form(f"/desk/assessments/{attempt[1]}/fee", amount="45")
    assert again.status_code == 422
    _, reviewer = enter("reviewer")
    assert reviewer.get(here).status_code == 404
