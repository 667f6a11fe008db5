"""Whose rows an actor sees (services/core/row_scope.py)."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from tests import factories
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Certification, Employer, Holder, Renewal, Token
from tracker.services.core.row_scope import TABLES, scope


@pytest.fixture
def seen(container):
    """How many rows of a table an actor sees; each of two holders has a renewal."""
    ids = [factories.certified(container, date(2021, 12, 25)) for _ in range(2)]
    with container.work(SYSTEM) as work:
        work.session.add(Employer(name="Acme", recorded_at=work.now))
        for _, certification_id in ids:
            row = Renewal(
                certification_id=certification_id,
                cycle=1,
                submitted_on=date(2026, 11, 21),
                recorded_at=work.now,
            )
            work.session.add(row)

    def count(actor, table):
        with container.reading(SYSTEM) as reading:
            wanted = select(func.count()).select_from(table).where(scope(actor, table))
            return reading.row(wanted)[0]

    return ids[0][0], count


def test_a_holder_sees_their_own_rows_and_the_body_all(seen):
    ana, count = seen
    holder = Actor(role="holder", name="Ana", holder_id=ana)

    for table in (Holder, Certification, Renewal):
        assert [count(holder, table), count(SYSTEM, table)] == [1, 2], table
        assert count(Actor(role="reviewer", name="Rae"), table) == 2


def test_nothing_is_seen_by_default(seen):
    ana, count = seen
    nobody = Actor(role="holder", name="anonymous")
    elsewhere = Actor(role="employer", name="Acme", organization_id=ana, holder_id=ana)

    for table in TABLES:
        assert count(nobody, table) == 0, table
        assert count(elsewhere, table) == 0, table
    with pytest.raises(KeyError):
        scope(nobody, Token)
