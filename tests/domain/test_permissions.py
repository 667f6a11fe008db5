"""Who may do what: denied by default, and someone else's record looks like none."""

from dataclasses import replace

import pytest

from tracker.domain.errors import Invalid, NotAllowed, NotFound, SelfReview
from tracker.domain.permissions import (
    ORGANIZATIONS,
    ROLES,
    SYSTEM,
    Actor,
    Role,
    check_not_own,
    check_own_employer,
    check_own_holder,
    check_own_organization,
    check_role,
    check_scope,
    organization_ids,
    organization_of,
    own_records,
)

HOLDER = Actor(role="holder", name="Ana", holder_id="h1")
EMPLOYER = Actor(role="employer", name="Palmetto", organization_id="e1")
STAFF = Actor(role="staff", name="Sam")
REVIEWER = Actor(role="reviewer", name="Rae")
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


@pytest.mark.parametrize("actor", [REVIEWER, STAFF, ADMIN, SYSTEM, HOLDER])
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


@pytest.mark.parametrize(
    ("actor", "employer_id"), [(EMPLOYER, "e2"), (HOLDER, "e1"), (REVIEWER, "e1")]
)
def test_another_employers_roster_is_answered_like_one_that_does_not_exist(actor, employer_id):
    with pytest.raises(NotFound):
        check_own_employer(actor, employer_id)


def test_a_reviewer_works_for_the_body_and_is_not_staff():
    assert [one.is_of_the_body for one in (HOLDER, EMPLOYER, REVIEWER, STAFF, ADMIN)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert (REVIEWER.is_staff, STAFF.is_staff, ADMIN.is_staff) == (False, True, True)


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
    assert Actor(role="holder", name="Ana", person_id="p1", holder_id="h1").who == "h1"
    assert Actor(role="staff", name="Sam", holder_id="h1").who == "h1"
    assert Actor(role="holder", name="Ana", person_id="p1").who == "p1"
    assert Actor(role="staff", name="Sam", person_id="p1").who == "p1"
    assert Actor(role="staff", name="Sam", person_id="p1", holder_id="h1").who == "p1"
    assert SYSTEM.who is None


def test_a_persons_ids_are_those_of_person_record_and_makers():
    sam = Actor(role="staff", name="S", person_id="p", holder_id="h", makers=frozenset({"m"}))

    assert sam.ids == {"p", "h", "m"}
    assert SYSTEM.ids == set()


def test_an_actor_came_in_by_a_token_or_by_a_session():
    assert Actor(role="staff", name="Sam", token_id="t").credential_id == "t"
    assert Actor(role="staff", name="Sam", session_id="s").credential_id == "s"
    assert SYSTEM.credential_id is None


@pytest.mark.parametrize(
    ("actor", "is_personal", "account"),
    [
        (Actor(role="staff", name="clerk", token_id="t", person_id="p"), False, None),
        (Actor(role="holder", name="Ana", token_id="t", person_id="p"), True, None),
        (Actor(role="holder", name="Ana", session_id="s", person_id="p"), True, "p"),
        (Actor(role="staff", name="Bo", session_id="s", person_id="p"), True, "p"),
        (Actor(role="holder", name="link in an email"), False, None),
        (SYSTEM, False, None),
    ],
)
def test_a_name_is_personal_if_a_person_signed_in_or_a_holder_uses_a_token(
    actor, is_personal, account
):
    assert (actor.has_personal_name, actor.account_id) == (is_personal, account)


def test_the_name_is_personal_of_who_has_an_account_and_of_holders():
    ana = Actor(role="holder", name="Ana", holder_id="ana", person_id="a", session_id="s")
    kim = Actor(role="admin", name="Kim", person_id="kim")
    entering, by_token = [kim, replace(kim, session_id="s")], replace(kim, token_id="t")

    assert {who.account_id for who in entering} == {"kim"}
    assert all(who.has_personal_name for who in (ana, *entering))
    assert replace(ana, session_id=None, token_id="t").has_personal_name
    assert (by_token.account_id, by_token.has_personal_name) == (None, False)
    assert not Actor(role="admin", name="system").has_personal_name


@pytest.mark.parametrize("role", ORGANIZATIONS)
def test_who_acts_for_an_organization_reaches_that_one_of_its_kind_alone(role):
    actor = Actor(role=role, name="Kim", organization_id="x")
    other = next(one for one in ORGANIZATIONS if one != role)

    check_own_organization(actor, role, "x")
    assert actor.is_of_organization
    assert not actor.is_of_the_body
    assert actor.employer_id == ("x" if role == "employer" else None)
    for kind, id_ in ((role, "y"), (other, "x")):
        with pytest.raises(NotFound):
            check_own_organization(actor, kind, id_)


def test_staff_and_nobody_else_reach_every_organization():
    check_own_organization(STAFF, "center", "x")
    for actor in (REVIEWER, HOLDER, EMPLOYER):
        with pytest.raises(NotFound):
            check_own_organization(actor, "center", "x")


def test_an_organization_is_named_by_the_id_of_its_kind():
    ids = organization_ids("provider", "x")

    assert ids == {"employer_id": None, "center_id": None, "provider_id": "x", "sponsor_id": None}
    assert organization_of("provider", ids) == "x"
    assert organization_of("staff", organization_ids("staff", None)) is None
    assert organization_of("holder", {"holder_id": "x"}) is None
    with pytest.raises(Invalid) as refused:
        organization_of("center", ids)
    assert refused.value.fields == {"provider_id": "must be empty for the role center"}
