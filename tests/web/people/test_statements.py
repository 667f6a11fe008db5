"""What the pages that a holder opens first send to the database (services/overview/holder_home.py).

A statement that is made anew for each request costs two to three times as much as one that is made
once; so these pages send the same objects each time, and few of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, select

from tracker.domain.permissions import SYSTEM
from tracker.models import Certification
from tracker.services.core.context import Container


@contextmanager
def sent(container: Container) -> Iterator[list[object]]:
    """The statements of the block, as objects."""
    found: list[object] = []

    def note(_connection: object, statement: object, *_: object) -> None:
        found.append(statement)

    event.listen(container.engine, "before_execute", note)
    try:
        yield found
    finally:
        event.remove(container.engine, "before_execute", note)


@pytest.mark.parametrize(("page", "most"), [("", 4), ("/certifications/{}/renewal", 8)])
def test_a_page_sends_few_statements_that_were_made_once(container, browser, ana, page, most):
    with container.reading(SYSTEM) as reading:
        held = reading.row(select(Certification.id)).id
    me = browser()
    me.sign_in(ana)
    asked = []
    for _ in range(2):
        with sent(container) as statements:
            assert me.get(f"/account{page}".format(held)).status_code == 200
        asked.append(statements)
    assert len(asked[0]) <= most
    assert [id(one) for one in asked[1]] == [id(one) for one in asked[0]]
