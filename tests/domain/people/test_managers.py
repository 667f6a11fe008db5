"""An employer keeps a manager, the body an administrator (domain/people/managers.py)."""

import pytest

from tracker.domain.errors import LastAdministrator, LastManager
from tracker.domain.people.managers import check_not_last
from tracker.domain.permissions import Actor

STAFF, ADMIN = Actor(role="staff", name="S"), Actor(role="admin", name="A")
MANAGER = Actor(role="employer", name="M", organization_id="x")


@pytest.mark.parametrize("role", ["employer", "admin"])
def test_where_another_one_is_left_somebody_may_go(role):
    check_not_last(MANAGER, role, 1, override_reason=None)


def test_the_last_administrator_stays_whatever_the_reason():
    with pytest.raises(LastAdministrator):
        check_not_last(ADMIN, "admin", 0, override_reason="x")


def test_staff_may_end_the_last_managers_account_with_a_reason():
    check_not_last(STAFF, "employer", 0, override_reason="She left in anger.")
    with pytest.raises(LastManager) as refused:
        check_not_last(STAFF, "employer", 0, override_reason=None)
    assert refused.value.exception.field == "override_reason"


def test_an_employers_last_manager_hands_over_first():
    with pytest.raises(LastManager) as refused:
        check_not_last(MANAGER, "employer", 0, override_reason="x")
    assert refused.value.exception.kind == "none"
