"""tracker account invite, tracker account reset-factor."""

from sqlalchemy import select

from tests.backends import SQLITE
from tests.members import member
from tracker.domain.permissions import SYSTEM
from tracker.models import Invitation
from tracker.services.people import second_factors


def test_the_first_administrator_is_invited_from_the_command_line(tracker, container):
    done = tracker("account", "invite", "--role", "admin", "--name", "Kim", "--email", "K@x.org")

    assert done.exit_code == 0, done.output
    assert "/invitation/" in done.stdout
    with container.reading(SYSTEM) as reading:
        row = reading.row(select(Invitation.role, Invitation.email, Invitation.invited_by))
    assert tuple(row) == ("admin", "K@x.org", "operator")


@SQLITE
def test_an_address_or_an_employer_that_cannot_be_is_named(tracker):
    args = ("account", "invite", "--name", "Kim", "--role")
    bad = tracker(*args, "admin", "--email", "x")
    unknown = tracker(*args, "employer", "--email", "k@x.org", "--employer", "Nope")

    assert (bad.exit_code, "must be one email address" in bad.stderr) == (1, True)
    assert (unknown.exit_code, "There is no employer 'Nope'" in unknown.stderr) == (1, True)


@SQLITE
def test_the_operator_removes_a_lost_second_factor(tracker, container):
    kim = member(container, "admin", email="kim@x.org")
    kim.set_up()
    done = tracker("account", "reset-factor", "--email", "KIM@x.org")
    unknown = tracker("account", "reset-factor", "--email", "lee@x.org")

    assert done.exit_code == 0, done.output
    assert (unknown.exit_code, "There is no account" in unknown.stderr) == (1, True)
    with container.reading(SYSTEM) as reading:
        assert not second_factors.is_set_up(reading, kim.id)
