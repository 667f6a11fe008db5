"""Callers of the HTTP interface, one for each role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests import factories
from tracker.domain.permissions import SYSTEM
from tracker.models import Employer
from tracker.services.core.context import Container

PREFIX = "/api/v1"


@dataclass
class Caller:
    """Someone with a token; paths are those below /api/v1."""

    client: FlaskClient
    secret: str | None

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Send a request."""
        headers = dict(options.pop("headers", {}))
        if self.secret:
            headers["Authorization"] = f"Bearer {self.secret}"
        if (version := options.pop("version", None)) is not None:
            headers["If-Match"] = version
        if (key := options.pop("key", None)) is not None:
            headers["Idempotency-Key"] = key
        return self.client.open(PREFIX + path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> Any:
        """GET."""
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        """POST a JSON body."""
        return self.call("POST", path, json=body, **options)

    def by_two(self, path: str, body: Any) -> Any:
        """POST what needs two people, and have a second one approve it; the first answer."""
        made = self.post(path, body)
        if "/approvals/" not in made.headers.get("Location", ""):
            return made
        container = self.client.application.extensions["tracker"]
        second = Caller(self.client, factories.secret(container, "staff"))
        done = second.post(f"/approvals/{made.json['id']}/approval")
        assert done.status_code == 200, done.json
        return made

    def patch(self, path: str, body: Any, **options: Any) -> Any:
        """PATCH a JSON body."""
        return self.call("PATCH", path, json=body, **options)

    def delete(self, path: str, **options: Any) -> Any:
        """DELETE."""
        return self.call("DELETE", path, **options)


@pytest.fixture
def caller(app: Flask, container: Container) -> Callable[..., Caller]:
    """Make a caller of a role: ``caller("holder", holder_id=...)``."""

    def make(role: Any, **subject: str) -> Caller:
        return Caller(app.test_client(), factories.secret(container, role, **subject))

    return make


@pytest.fixture
def staff(caller: Callable[..., Caller]) -> Caller:
    """The certification body's staff."""
    return caller("staff")


@pytest.fixture
def anonymous(app: Flask) -> Caller:
    """No one in particular."""
    return Caller(app.test_client(), None)


@pytest.fixture
def employer_id(container: Container) -> str:
    """An employer on record, Palmetto Motors."""
    with container.work(SYSTEM) as work:
        row = Employer(name="Palmetto Motors", recorded_at=work.now)
        work.session.add(row)
        work.session.flush()
        return row.id
