"""Ana and Bea, whose records the tables of access are about."""

from __future__ import annotations

import pytest

from tests.api.access import access_cases
from tests.api.access.access_cases import Ids
from tests.api.employers import employer_cases
from tracker.services.core.context import Container


@pytest.fixture
def people(container: Container) -> tuple[Ids, Ids]:
    """Ana and Bea, each with organizations; what they share is the other things on record."""
    ana, bea = (
        access_cases.person(container, employer_cases.company(container, name))
        for name in ("Acme", "Globex")
    )
    shared = {"batch_id": access_cases.batch(container), "code": "cpt", "topic": "reminders"}
    shared["provider"] = "acme"
    return ana | shared, bea | shared
