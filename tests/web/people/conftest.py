"""The site at https://, as in production, and browsers at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask

from tests import factories
from tests.browsers import Browser
from tests.conftest import Frozen, allow_sending, make_app, office_of
from tests.members import Member, member
from tracker.domain.permissions import SYSTEM, Role
from tracker.models import Employer
from tracker.services.core.context import Container

Entered = tuple[Member, Browser]


@pytest.fixture
def app(database_url: str, tmp_path: Path, clock: Frozen) -> Iterator[Flask]:
    """The application at an address with TLS."""
    made = make_app(
        database_url, tmp_path / "storage", clock, TRACKER_APP_BASE_URL="https://tracker.example"
    )
    made.testing = True
    allow_sending(office_of(made))
    yield made
    office_of(made).engine.dispose()


@pytest.fixture
def browser(app: Flask) -> Callable[..., Browser]:
    """Make a browser without cookies."""
    return lambda **more: Browser(app, **more)


@pytest.fixture
def enter(browser: Callable[..., Browser], container: Container) -> Callable[..., Entered]:
    """Make somebody with a password and an app, who has signed in; them and their browser."""

    def make(role: Role, **values: str) -> Entered:
        who = member(container, role, **values)
        who.set_up()
        me = browser()
        who.sign_in(me)
        return who, me

    return make


@pytest.fixture
def kim(container: Container) -> Member:
    """An administrator with a password and an app."""
    found = member(container, "admin")
    found.codes = found.set_up()
    return found


@pytest.fixture
def me(browser: Callable[..., Browser], kim: Member) -> Browser:
    """Kim's browser, signed in with password and app."""
    found = browser()
    kim.sign_in(found)
    return found


@pytest.fixture
def employer_id(container: Container) -> str:
    """An employer on record, Palmetto Motors."""
    with container.work(SYSTEM) as work:
        row = Employer(name="Palmetto Motors", recorded_at=work.now)
        work.session.add(row)
        work.session.flush()
        return row.id


@pytest.fixture
def ana(container: Container) -> str:
    """A holder with a certification; the address."""
    email = "ana@example.org"
    factories.certified(
        container, date(2021, 12, 25), given_name="Ana", family_name="Ruiz", email=email
    )
    return email
