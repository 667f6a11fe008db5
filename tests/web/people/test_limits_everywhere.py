"""How often somebody may guess or ask is counted for all processes together.

Two applications share the database and nothing else, as two processes do (cases 15, 38 and 39 of
tests/meta/security_cases.toml). Asked in turns, they allow together what one allows alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests import factories
from tests.browsers import Browser
from tests.conftest import Frozen, make_app, office_of
from tests.members import member
from tracker.api import PREFIX
from tracker.domain.permissions import SYSTEM
from tracker.services.core.context import Container


@dataclass(frozen=True)
class Bounded:
    """What is bounded: how a browser asks for it, the answer, and how often it may at most.

    It is asked with the number of the attempt and the token of a holder.
    """

    ask: Callable[[Browser, int, str], Any]
    status: int
    most: int
    by_caller: bool = True


def _attend(me: Browser, n: int, token: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    path = f"{PREFIX}/me/attendance-codes"
    return me.post(path, json={"code": f"WRONG{n}"}, headers=headers)


def _password(me: Browser, n: int, _: str) -> Any:
    return me.post("/sign-in/password", {"email": "kim@x.org", "password": f"wrong{n}"})


KINDS = {
    "verification": Bounded(lambda me, n, _: me.get(f"/verify/{n:022}"), 404, 30),
    "number": Bounded(
        lambda me, n, _: me.get(f"/verify?number=X-1&surname=A{n}"), 404, 3, by_caller=False
    ),
    "code": Bounded(lambda me, *_: me.post("/sign-in", {"identifier": "ana@x.org"}), 303, 5),
    "password": Bounded(_password, 422, 5),
    "reset": Bounded(lambda me, *_: me.post("/password/forgotten", {"email": "kim@x.org"}), 200, 5),
    "passkey": Bounded(lambda me, *_: me.post("/sign-in/passkey", {}), 200, 30),
    "claim": Bounded(_attend, 422, 7, by_caller=False),
}
VARIABLES = {
    "TRACKER_APP_BASE_URL": "https://tracker.example",
    "TRACKER_LIMITS_GUESSES_PER_HOUR": "7",
    "TRACKER_LIMITS_NUMBER_MISSES_PER_HOUR": "3",
}


@pytest.fixture
def sites(database_url: str, tmp_path: Path, clock: Frozen) -> Iterator[list[Flask]]:
    """Two applications on one database."""
    made = [make_app(database_url, tmp_path / "storage", clock, **VARIABLES) for _ in range(2)]
    yield made
    for app in made:
        office_of(app).engine.dispose()


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_allow_together_what_one_allows(sites: list[Flask], kind: str) -> None:
    container: Container = office_of(sites[0])
    member(container, "staff", email="kim@x.org")
    with container.work(SYSTEM) as work:
        holder_id = factories.holder(work, email="ana@x.org")
    token = factories.secret(container, "holder", holder_id=holder_id)
    here, there = (Browser(app) for app in sites)
    bounded = KINDS[kind]
    answers = [bounded.ask((here, there)[n % 2], n, token) for n in range(bounded.most + 2)]

    statuses = [answer.status_code for answer in answers]
    assert statuses == [bounded.status] * bounded.most + [429] * 2, answers[0].text
    assert int(answers[-1].headers["Retry-After"]) > 0
    if bounded.by_caller:
        elsewhere = Browser(sites[1], address="10.0.0.9")
        assert bounded.ask(elsewhere, 99, token).status_code == bounded.status
