"""An employer's people, signed in: one who manages, and one who may only view."""

from __future__ import annotations

import pytest

from tests.api.employers import employer_cases
from tests.browsers import Browser
from tests.members import member


@pytest.fixture
def acme(container):
    """An employer on record, Acme."""
    return employer_cases.company(container)


@pytest.fixture
def enter(app, container):
    """A browser in which somebody with a role has signed in."""

    def made(role="employer", **values):
        who = member(container, role, **values)
        who.set_up()
        found = Browser(app)
        who.sign_in(found)
        return found

    return made


@pytest.fixture
def hr(enter, acme):
    """The browser of somebody who manages Acme's list."""
    return enter(employer_id=acme.id, access="manage")


@pytest.fixture
def viewer(enter, acme):
    """The browser of somebody who may only view."""
    return enter(employer_id=acme.id, access="view", email="view@example.org")
