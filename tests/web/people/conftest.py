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
from tracker.services.core.context import Container


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
def ana(container: Container) -> str:
    """A holder with a certification; the address."""
    email = "ana@example.org"
    factories.certified(
        container, date(2021, 12, 25), given_name="Ana", family_name="Ruiz", email=email
    )
    return email
