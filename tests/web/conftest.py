"""Browsers of people who signed in with a password and an app."""

from __future__ import annotations

import pytest

from tests.browsers import Browser
from tests.members import member


@pytest.fixture
def enter(app, container):
    """A browser in which somebody with a role has signed in."""

    def made(role, **values):
        who = member(container, role, **values)
        who.set_up()
        found = Browser(app)
        who.sign_in(found)
        return found

    return made
