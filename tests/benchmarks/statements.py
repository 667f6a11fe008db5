"""How many statements a request runs, the look at the caller's token included.

Measured against openedx/credentials, the nearest open peer: 62, 4 and 27.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import event
from werkzeug.test import TestResponse

from tests.benchmarks.measurements import Measured, at_most, measures
from tests.benchmarks.people import AWARDED, SCHEME
from tests.benchmarks.workshop import Workshop
from tracker.db import new_id
from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.domain.permissions import SYSTEM
from tracker.services.credentials import assessments
from tracker.services.people import holders

_PREFIX = "/api/v1"


@contextmanager
def _counted(shop: Workshop) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):  # which PostgreSQL's driver does not show
            sent.append(statement)

    event.listen(shop.container.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(shop.container.engine, "before_cursor_execute", note)


def _count(shop: Workshop, ask: Callable[[], TestResponse]) -> Measured:
    with _counted(shop) as sent:
        answer = ask()
    if answer.status_code not in {200, 201}:
        raise RuntimeError(f"answered {answer.status}: {answer.text}")
    return Measured(len(sent))


def _get(shop: Workshop, path: str) -> Measured:
    client = shop.app.test_client()
    client.get(f"{_PREFIX}{path}", headers=shop.headers)  # notes the token's use
    return _count(shop, lambda: client.get(f"{_PREFIX}{path}", headers=shop.headers))


@measures("statements-list", at_most(3), against="62 of openedx/credentials")
def of_a_list(shop: Workshop) -> Measured:
    """Statements of GET /certifications, a page of 20."""
    return _get(shop, f"/certifications?limit={min(20, len(shop.people))}")


@measures("statements-detail", at_most(3), against="4 of openedx/credentials")
def of_a_detail(shop: Workshop) -> Measured:
    """Statements of GET /certifications/{id}."""
    return _get(shop, f"/certifications/{shop.people[0].certification_id}")


@measures("statements-award", at_most(12), against="27 of openedx/credentials")
def of_an_award(shop: Workshop) -> Measured:
    """Statements of POST an assessment that awards the certification."""
    *others, last = shop.container.schemes[SCHEME].required
    with shop.container.work(SYSTEM) as work:
        given = {"given_name": "Ana", "family_name": "Peña", "email": "ana@example.org"}
        holder = holders.register(work, {"ref": new_id(), **given}).id
        for n, module in enumerate(others):
            taken_on = AWARDED - timedelta(days=n)
            assessments.record(work, holder, AttemptToRecord(SCHEME, module, taken_on, passed=True))
    client, path = shop.app.test_client(), f"{_PREFIX}/holders/{holder}/assessments"
    client.get(f"{_PREFIX}/holders?limit=1", headers=shop.headers)  # notes the token's use
    body = {"scheme": SCHEME, "module": last, "result": "pass", "taken_on": AWARDED.isoformat()}
    return _count(shop, lambda: client.post(path, json=body, headers=shop.headers))
