"""Who may invite whom, and the state of an invitation (domain/people/invitations.py)."""

from datetime import UTC, datetime, timedelta

import pytest

from tracker.domain.errors import Invalid, NotAllowed, NotFound
from tracker.domain.people.accounts import OrganizationAccess, scopes_of
from tracker.domain.people.invitations import (
    InvitationState,
    InvitationTimes,
    check_may_manage,
    check_place,
    check_visible,
)
from tracker.domain.permissions import Actor

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
VIEWER = Actor(role="employer", name="V", organization_id="x", scopes=frozenset({"read"}))
MANAGER = Actor(role="employer", name="M", organization_id="x")
STAFF = Actor(role="staff", name="S")
CENTER = Actor(role="center", name="C", organization_id="x")
ADMIN = Actor(role="admin", name="A")
REVIEWER = Actor(role="reviewer", name="R")
HOLDER = Actor(role="holder", name="H", holder_id="h")


@pytest.mark.parametrize(
    ("actor", "role", "employer_id", "error"),
    [
        (ADMIN, "admin", None, None),
        (ADMIN, "staff", None, None),
        (ADMIN, "employer", "y", None),
        (STAFF, "employer", "y", None),
        (ADMIN, "reviewer", None, None),
        (STAFF, "reviewer", None, NotAllowed),
        (REVIEWER, "employer", "x", NotAllowed),
        (STAFF, "staff", None, NotAllowed),
        (STAFF, "admin", None, NotAllowed),
        (MANAGER, "employer", "x", None),
        (MANAGER, "employer", "y", NotFound),
        (MANAGER, "employer", None, NotFound),
        (MANAGER, "staff", None, NotAllowed),
        (VIEWER, "employer", "x", NotAllowed),
        (HOLDER, "employer", "x", NotAllowed),
        (HOLDER, "holder", None, NotAllowed),
        (STAFF, "sponsor", "y", None),
        (CENTER, "center", "x", None),
        (CENTER, "center", "y", NotFound),
        (CENTER, "employer", "x", NotAllowed),
        (MANAGER, "provider", "x", NotAllowed),
    ],
)
def test_each_role_manages_those_below_it(actor, role, employer_id, error):
    if error is None:
        check_may_manage(actor, role, employer_id)
        return
    with pytest.raises(error):
        check_may_manage(actor, role, employer_id)


@pytest.mark.parametrize(
    ("actor", "role", "employer_id", "visible"),
    [
        (ADMIN, "admin", None, True),
        (STAFF, "employer", "y", True),
        (STAFF, "holder", None, True),
        (STAFF, "staff", None, False),
        (VIEWER, "employer", "x", True),
        (MANAGER, "employer", "y", False),
        (MANAGER, "staff", None, False),
        (HOLDER, "employer", "x", False),
        (STAFF, "provider", "y", True),
        (CENTER, "center", "x", True),
        (CENTER, "center", "y", False),
        (CENTER, "employer", "x", False),
    ],
)
def test_people_see_those_of_their_own_place(actor, role, employer_id, visible):
    if visible:
        check_visible(actor, role, employer_id)
        return
    with pytest.raises(NotFound):
        check_visible(actor, role, employer_id)


@pytest.mark.parametrize(
    ("role", "employer_id", "access", "wrong"),
    [
        ("employer", "x", OrganizationAccess.VIEW, set()),
        ("staff", None, None, set()),
        ("employer", None, None, {"employer_id", "access"}),
        ("employer", "x", None, {"access"}),
        ("sponsor", None, OrganizationAccess.VIEW, {"sponsor_id"}),
        ("admin", "x", OrganizationAccess.MANAGE, {"organization_id", "access"}),
    ],
)
def test_organizations_people_have_an_organization_and_an_access_and_nobody_else(
    role, employer_id, access, wrong
):
    if not wrong:
        check_place(role, employer_id, access)
        return
    with pytest.raises(Invalid) as refused:
        check_place(role, employer_id, access)
    assert set(refused.value.fields) == wrong


def test_an_invitation_is_open_until_something_ends_it():
    end, before = NOW + timedelta(days=7), NOW + timedelta(days=6)

    assert InvitationTimes(end).state(before) == InvitationState.OPEN
    assert InvitationTimes(end).state(end) == InvitationState.EXPIRED
    assert InvitationTimes(end, accepted_at=NOW).state(end) == InvitationState.ACCEPTED
    assert InvitationTimes(end, withdrawn_at=NOW).state(before) == InvitationState.WITHDRAWN


def test_who_only_views_for_an_employer_changes_nothing():
    assert scopes_of(OrganizationAccess.VIEW) == {"read"}
    assert scopes_of(OrganizationAccess.MANAGE) == scopes_of(None) == {"read", "write"}
