"""Which two people do what needs two (domain/desk/approvals.py)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tracker.domain.desk.approvals import (
    LASTS,
    ApprovalState,
    answers,
    check_answer,
    check_may_approve,
    check_may_propose,
    check_open,
    state_on,
)
from tracker.domain.errors import IllegalTransition, NotAllowed, SamePerson, SelfReview
from tracker.domain.permissions import SYSTEM, Actor

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
SAM = Actor(role="staff", name="Sam", person_id="sam", holder_id="sams")


def test_a_proposal_expires_unless_it_was_answered():
    end = NOW + LASTS
    last = end - timedelta(seconds=1)
    assert state_on(ApprovalState.OPEN, end, last) == ApprovalState.OPEN
    assert state_on(ApprovalState.OPEN, end, end) == ApprovalState.EXPIRED
    assert state_on(ApprovalState.APPROVED, end, end) == ApprovalState.APPROVED


def test_nobody_in_particular_and_nobody_about_themselves_proposes():
    check_may_propose(SAM, holder_id="ana", ids={"sam"})
    with pytest.raises(NotAllowed):
        check_may_propose(SYSTEM, holder_id="ana", ids=())
    for holder_id in ("sams", "other"):
        with pytest.raises(SelfReview):
            check_may_propose(SAM, holder_id=holder_id, ids={"sam", "other"})


def test_a_second_person_who_is_not_the_holder_approves():
    check_may_approve(SAM, holder_id="ana", ids={"sam", "sams"}, proposer_ids={"kim"})
    with pytest.raises(SamePerson):
        check_may_approve(SAM, holder_id="ana", ids={"sam", "boss"}, proposer_ids={"boss"})
    with pytest.raises(SelfReview):
        check_may_approve(SAM, holder_id="sams", ids={"sam"}, proposer_ids={"kim"})


def test_who_proposed_withdraws_and_anybody_declines():
    check_answer(ApprovalState.WITHDRAWN, ids={"sam"}, proposer_ids={"sam", "x"})
    check_answer(ApprovalState.DECLINED, ids={"kim"}, proposer_ids={"sam"})
    with pytest.raises(NotAllowed, match="decline it instead"):
        check_answer(ApprovalState.WITHDRAWN, ids={"kim"}, proposer_ids={"sam"})


@pytest.mark.parametrize("state", [one for one in ApprovalState if one != ApprovalState.OPEN])
def test_what_was_answered_or_expired_is_not_answered_again(state):
    check_open(ApprovalState.OPEN)
    with pytest.raises(IllegalTransition) as refused:
        check_open(state)
    assert refused.value.facts == {"state": state}


def test_who_proposed_withdraws_whose_record_it_is_declines_and_others_decide():
    def possible(*ids):
        return answers(ids=ids, holder_id="ana", proposer_ids=["sam", "sams"])

    assert possible("sams", "x") == {ApprovalState.WITHDRAWN}
    assert possible("ana", "kim") == {ApprovalState.DECLINED}
    assert possible("kim") == {ApprovalState.APPROVED, ApprovalState.DECLINED}
