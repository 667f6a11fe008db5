"""Which two people let somebody in again (domain/people/recoveries.py)."""

from dataclasses import replace

import pytest

from tracker.domain.errors import NotAllowed, SamePerson, SelfReview
from tracker.domain.people.recoveries import Proposal, check_may_approve, check_may_propose
from tracker.domain.permissions import Actor

SAM = Actor(role="staff", name="Sam", person_id="sam")
KIM = Actor(role="admin", name="Kim", person_id="kim")
REVIEWER = Actor(role="staff", name="R", person_id="r", holder_id="ana")
OF_EMPLOYER = Proposal("sam", "staff", "employer", account_id="hal")
OF_STAFF = Proposal("sam", "staff", "staff", account_id="pat")
OF_HOLDER = Proposal("sam", "staff", "holder", holder_id="ana")


def test_two_different_people_let_somebody_in():
    check_may_propose(SAM, account_id="hal", holder_id=None)
    for proposal in (OF_EMPLOYER, OF_STAFF, OF_HOLDER):
        check_may_approve(KIM, proposal, above=())


@pytest.mark.parametrize("proposal", [OF_EMPLOYER, OF_STAFF, OF_HOLDER])
def test_nobody_approves_what_they_proposed(proposal):
    with pytest.raises(SamePerson):
        check_may_approve(SAM, proposal, above=())


def test_who_made_a_token_for_another_name_is_the_same_person():
    """Whether the proposer made the approver's token, or the other way round."""
    other = replace(KIM, person_id="x")
    with pytest.raises(SamePerson):
        check_may_approve(other, OF_EMPLOYER, above={"sam"})
    with pytest.raises(SamePerson):
        check_may_approve(KIM, replace(OF_EMPLOYER, above={"kim"}), above=())


def test_two_tokens_that_one_person_made_are_one_person():
    third, proposal = replace(SAM, person_id="x"), replace(OF_EMPLOYER, above={"kim", "y"})
    with pytest.raises(SamePerson):
        check_may_approve(third, proposal, above={"kim"})
    check_may_approve(third, proposal, above={"z"})


def test_for_staff_one_of_the_two_is_an_administrator():
    pat = replace(SAM, person_id="lee")
    with pytest.raises(NotAllowed):
        check_may_approve(pat, OF_STAFF, above=())
    check_may_approve(pat, replace(OF_STAFF, proposer_role="admin"), above=())
    check_may_approve(pat, OF_EMPLOYER, above=())


def test_nobody_lets_themselves_in():
    with pytest.raises(SelfReview):
        check_may_propose(SAM, account_id="sam", holder_id=None)
    with pytest.raises(SelfReview):
        check_may_propose(REVIEWER, account_id=None, holder_id="ana")
    with pytest.raises(SelfReview):
        check_may_approve(REVIEWER, OF_HOLDER, above=())


def test_nobody_in_particular_is_no_second_person():
    with pytest.raises(NotAllowed):
        check_may_approve(Actor(role="admin", name="operator"), OF_EMPLOYER, above=())
