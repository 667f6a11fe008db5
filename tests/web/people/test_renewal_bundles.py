"""One application for two certifications, and past cycles (web/people/renewals.py)."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from tests import factories
from tests.api.credentials.test_renewals import earn
from tests.browsers import content
from tests.rows import count
from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.permissions import SYSTEM
from tracker.models import Fee, Renewal
from tracker.services.credentials import assessments, renewals

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def ids(container, clock):
    """The holder, their CPT and their CLT, which expire within weeks of each other."""
    holder_id, cpt = factories.certified(container, date(2025, 4, 1), email="ana@example.org")
    with container.work(SYSTEM) as work:
        for scheme, module in (("cla", "associate"), ("clt", "technician")):
            attempt = AttemptToRecord(scheme, module, date(2025, 4, 20), passed=True)
            assessments.record(work, holder_id, attempt)
        clt = factories.certification(work, holder_id, "clt").id
    clock.set("2030-02-01")
    return holder_id, cpt, clt


def test_both_are_applied_for_at_once_when_both_are_ready(browser, container, ids):
    holder_id, cpt, clt = ids
    me, here = browser(), f"/account/certifications/{cpt}/renewal"
    me.sign_in("ana@example.org")
    earn(container, (holder_id, cpt), Decimal(100))
    assert "/together" not in content(me.get(here)), "the other one still lacks points"
    refused = me.send_form(f"{here}/together", certification_ids=cpt)
    assert refused.status_code == 422
    earn(container, (holder_id, clt), Decimal(100))
    page = content(me.get(here))
    offer = page.partition("Renew both at once")[2].partition("</section>")[0]
    assert "(CPT) and Certified Logistics Technician (CLT)" in offer
    assert "$100.00" in offer
    shown = re.findall(r'name="certification_ids" value="([^"]+)"', offer)
    assert shown == [cpt, clt]
    form = {"csrf_token": me.csrf(), "certification_ids": shown}
    assert me.post(f"{here}/together", form).location == here
    assert (count(container, Renewal), count(container, Fee)) == (2, 1)
    assert "under review" in content(me.get(here))


def test_a_cycle_that_is_over_keeps_its_points(browser, container, ids, clock):
    holder_id, cpt, _ = ids
    earn(container, (holder_id, cpt), Decimal(100))
    with container.work(SYSTEM) as work:
        made = renewals.apply(work, cpt)
        version = renewals.get(work, made).version
        decision = RenewalVerdict.APPROVED
        renewals.decide(work, made, decision=decision, reason=None, version=version)
    clock.set("2030-06-01")
    me = browser()
    me.sign_in("ana@example.org")
    page = content(me.get(f"/account/certifications/{cpt}/renewal"))
    (past,) = re.findall(r'href="([^"]+\?as_of=[^"]+)"', page)
    points = content(me.get(past))

    assert "As of April 1, 2030." in points
    assert "100 of 100 points" in points
    assert "0 of 100 points" in content(me.get(past.partition("?")[0]))
    assert me.get(f"{past.partition('?')[0]}?as_of=x").status_code == 404
