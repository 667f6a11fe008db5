"""People who sign in: the office's side of it, without HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from tracker import jobs
from tracker.domain.people import sign_in as rules
from tracker.domain.permissions import SYSTEM
from tracker.models import SignIn
from tracker.services.core.context import Container
from tracker.services.people import sessions, sign_in


@dataclass
class Desk:
    """Steps of signing in, each in its own transaction."""

    container: Container

    def begin(self, identifier: str) -> str:
        """Begin, and have the job look the person up; the browser's secret."""
        with self.container.work(SYSTEM) as work:
            secret = sign_in.begin(work, rules.identifier(identifier))
        jobs.look_up_sign_ins(self.container)
        return secret

    def attempt(self, secret: str) -> Any:
        """The row of an attempt."""
        digest = sessions.digest_of(secret)
        with self.container.reading(SYSTEM) as reading:
            return reading.row(select(SignIn.__table__).where(SignIn.digest == digest))

    def code(self, secret: str) -> str:
        """The right code."""
        return sign_in.code(self.container.message_key, self.attempt(secret).id)

    def enter(self, secret: str, code: str, **more: Any) -> str | None:
        """Enter a code; the session's secret."""
        with self.container.work(SYSTEM) as work:
            return sign_in.by_code(work, secret, code, agent="Firefox", **more)

    def sign_in(self, identifier: str) -> str | None:
        """Begin and enter the right code."""
        secret = self.begin(identifier)
        return self.enter(secret, self.code(secret))

    def actor(self, session: str | None) -> Any:
        """The actor of a session's secret, as any process sees it now."""
        with self.container.reading(SYSTEM) as reading:
            return sessions.authenticate(reading, session or "")


@pytest.fixture
def desk(container: Container) -> Desk:
    """Signing in on the test's database."""
    return Desk(container)
