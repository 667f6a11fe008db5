"""Who may do what: denied by default, and someone else's record looks like none."""

import pytest

from tracker.domain.errors import NotAllowed, NotFound, SelfReview
from tracker.domain.permissions import (
    ROLES,
    SYSTEM,
    Actor,
    Role,
    check_not_own,
    check_own_employer,
    check_own_holder,
    check_role,
    check_scope,
    own_records,
)

HOLDER = Actor(role="holder", name="Ana", holder_id="h1")
EMPLOYER = Actor(role="employer", name="Palmetto", employer_id="e1")
STAFF = Actor(role="staff", name="Sam")
ADMIN = Actor(role="admin", name="Alex")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("allowed", [frozenset[Role](), frozenset[Role]({"staff", "holder"})])
def test_a_role_must_be_among_those_allowed_but_admin_may_do_all(role, allowed):
    actor = Actor(role=role, name="somebody")
    if role == "admin" or role in allowed:
        check_role(actor, allowed)
    else:
        with pytest.raises(NotAllowed) as refused:
            check_role(actor, allowed)
        assert refused.value.facts == {"role": role}
        assert refused.value.detail == f"The role {role} may not do this."


def test_a_token_may_only_do_what_its_scopes_say():
    reader = Actor(role="admin", name="reader", scopes=frozenset({"read"}))
    check_scope(reader, "read")
    with pytest.raises(NotAllowed) as refused:
        check_scope(reader, "write")

    assert refused.value.facts == {"scope": "write"}
    assert refused.value.detail == "This token lacks the scope 'write'."
    check_scope(SYSTEM, "write")


@pytest.mark.parametrize("actor", [STAFF, ADMIN, SYSTEM, HOLDER])
def test_a_holder_and_the_staff_see_the_holders_record(actor):
    check_own_holder(actor, "h1")


@pytest.mark.parametrize(("actor", "holder_id"), [(HOLDER, "h2"), (EMPLOYER, "h1")])
def test_somebody_elses_record_is_answered_like_one_that_does_not_exist(actor, holder_id):
    with pytest.raises(NotFound) as refused:
        check_own_holder(actor, holder_id)

    assert refused.value.detail == NotFound().detail


@pytest.mark.parametrize("actor", [STAFF, ADMIN, EMPLOYER])
def test_an_employer_and_the_staff_see_the_employers_roster(actor):
    check_own_employer(actor, "e1")


@pytest.mark.parametrize(("actor", "employer_id"), [(EMPLOYER, "e2"), (HOLDER, "e1")])
def test_another_employers_roster_is_answered_like_one_that_does_not_exist(actor, employer_id):
    with pytest.raises(NotFound):
        check_own_employer(actor, employer_id)


def test_nobody_decides_on_a_record_of_their_own():
    reviewer = Actor(role="staff", name="Sam", holder_id="h1")
    check_not_own(reviewer, "h2")
    with pytest.raises(SelfReview) as refused:
        check_not_own(reviewer, "h1")

    assert refused.value.detail == "You cannot decide on your own record."


def test_a_token_decides_on_the_records_of_its_makers_no_more_than_they_do():
    made = Actor(role="staff", name="Sam", makers=frozenset({"h1", "h2"}))
    with pytest.raises(SelfReview):
        check_not_own(made, "h2")

    assert own_records(made, ["h2", "h3"]) == {"h2"}


def test_a_person_is_an_id_whatever_the_name():
    assert Actor(role="staff", name="Sam", person_id="p1").who == "p1"
    assert Actor(role="staff", name="Sam", person_id="p1", holder_id="h1").who == "h1"
    assert SYSTEM.who is None


def test_an_actor_came_in_by_a_token_or_by_a_session():
    assert Actor(role="staff", name="Sam", token_id="t").credential_id == "t"
    assert Actor(role="staff", name="Sam", session_id="s").credential_id == "s"
    assert SYSTEM.credential_id is None
