"""An employer's people, signed in: one who manages, and one who may only view."""

from __future__ import annotations

import pytest

from tests.api.employers import employer_cases


@pytest.fixture
def acme(container):
    """An employer on record, Acme."""
    return employer_cases.company(container)


@pytest.fixture
def hr(enter, acme):
    """The browser of somebody who manages Acme's list."""
    return enter("employer", employer_id=acme.id, access="manage")


@pytest.fixture
def viewer(enter, acme):
    """The browser of somebody who may only view."""
    return enter("employer", employer_id=acme.id, access="view", email="view@example.org")
