"""The site at https://, staff who have signed in, and people with activities that wait."""

from __future__ import annotations

import pytest

from tests.services.desk.queue_cases import Desk
from tests.web.people.conftest import ana, app, browser, employer_id, enter, kim
from tracker.services.core.context import Container

__all__ = ["ana", "app", "browser", "desk", "employer_id", "enter", "kim"]


@pytest.fixture
def desk(container: Container) -> Desk:
    """The queue: Ana, whose renewal is open, and Bea."""
    found = Desk(container)
    found.person("ana", given_name="Ana", family_name="Ruiz", email="ana@example.org")
    found.person("bea", given_name="Bea", family_name="Roe", email="bea@example.org")
    return found
