"""Acts that need two people, as pages (web/people/approvals.py)."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tests.backends import SQLITE
from tracker.domain.permissions import SYSTEM
from tracker.models import ActApproval, Certification, StandingChange

HERE = "/account/approvals"


@pytest.fixture
def number(container, ana):
    assert ana
    with container.reading(SYSTEM) as reading:
        return reading.row(select(Certification.number)).number


def forms_of(browser, act):
    return re.findall(rf'action="({HERE}/[^"]+/{act})"', browser.get(HERE).text)


def test_one_proposes_a_revocation_and_another_one_approves_it(enter, container, number):
    _, sam = enter("staff", email="sam@x.org", name="Sam")
    _, lee = enter("staff", email="lee@x.org")
    wanted = {"number": number, "reason_code": "conduct", "reason": "Exam code of conduct"}
    assert sam.send_form(HERE, **wanted).location == HERE
    page = lee.get(HERE).text
    assert f"The public page will say {number}: Revoked" in page
    assert "Proposed by Sam: Exam code of conduct" in page
    (approve,) = forms_of(lee, "approve")
    assert forms_of(sam, "approve") == forms_of(sam, "refuse") == []
    assert len(forms_of(sam, "withdraw")) == 1
    assert forms_of(lee, "withdraw") == []
    own = sam.send_form(approve)
    assert (own.status_code, "Somebody else must approve" in own.text) == (422, True)

    assert lee.send_form(approve).location == HERE
    assert "Nothing is proposed." in lee.get(HERE).text
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(StandingChange.kind)).kind == "revoke"


@SQLITE
@pytest.mark.parametrize(("who", "act"), [("sam", "withdraw"), ("lee", "refuse")])
def test_a_proposal_is_withdrawn_or_declined_with_a_reason(enter, container, number, who, act):
    browsers = {name: enter("staff", email=f"{name}@x.org")[1] for name in ("sam", "lee")}
    wanted = {"number": number, "reason_code": "conduct", "reason": "x"}
    browsers["sam"].send_form(HERE, **wanted)
    (form,) = forms_of(browsers[who], act)
    assert browsers[who].send_form(form).status_code == 422

    assert browsers[who].send_form(form, reason="No").location == HERE
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(ActApproval.decision_reason)).decision_reason == "No"


@SQLITE
def test_a_form_that_says_nothing_proposes_nothing(enter, number):
    _, sam = enter("staff", email="sam@x.org")
    wanted = {"number": number, "reason_code": "conduct", "reason": "x"}
    for wrong in ({"number": ""}, {"number": "CPT-NONE"}, {"reason": ""}, {"reason_code": "no"}):
        answer = sam.send_form(HERE, **wanted | wrong)
        assert (answer.status_code, "number of a certificate" in answer.text) == (422, True)


@SQLITE
def test_others_find_no_such_page(enter, employer_id):
    _, hal = enter("employer", employer_id=employer_id)

    assert hal.get(HERE).status_code == 404
