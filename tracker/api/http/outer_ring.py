"""The outer ring: how many requests from one address a process answers, before it looks at them.

It keeps floods away from the database. What may be guessed is counted exactly, in the database, by
``limits``; here each process counts in its own memory (Flask-Limiter), since counting a flood in
the database would be the flood.

Counted are requests of nobody: without a token or a session, or with one that is not valid. Whoever
came in lately from an address is known there, by a digest, and is not held up by what others at the
same address do. Health checks, the relay's events and unsubscribing come from few addresses for
many people, and have guards of their own: a signature each.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

from flask import Flask, Response, g, request
from flask_limiter import ApplicationLimit, Limiter, RequestLimit

from tracker.api.http import limits, session_cookies
from tracker.domain.errors import TooOften
from tracker.services.core.context import Container

_ENTRANCES = ("/sign-in", "/password/", "/invitation/")
_EXEMPT = ("/healthz", "/readyz", "/metrics", "/api/v1/relay-events", "/unsubscribe")
_KNOWN_FOR = 600  # seconds for which who came in is known
_MOST_KNOWN = 10_000


class KnownCallers:
    """Who came in lately, by digests of their tokens and sessions; the oldest are forgotten."""

    def __init__(self) -> None:
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._key = secrets.token_bytes(32)
        self._lock = Lock()

    def note(self) -> None:
        """Note the caller of this request, whose token or session was valid."""
        if (digest := self.digest(_credential())) is None:
            return
        with self._lock:
            self._until[digest] = time.monotonic() + _KNOWN_FOR
            self._until.move_to_end(digest)
            while len(self._until) > _MOST_KNOWN:
                self._until.popitem(last=False)

    def has(self) -> bool:
        """Whether the caller of this request came in lately."""
        digest = self.digest(_credential())
        return digest is not None and self._until.get(digest, 0.0) > time.monotonic()

    def digest(self, text: str) -> bytes | None:
        """The digest of a text, which only this process can make; None of no text."""
        encoded = text.encode(errors="surrogatepass")
        return hashlib.blake2b(encoded, key=self._key).digest() if text else None


class _OuterRing(Limiter):
    """A limiter that looks at no request that passes.

    Flask-Limiter takes half a millisecond to find that no limit applies, as much as many a request.
    """

    def __init__(self, is_passed: Callable[[], bool], **options: Any) -> None:
        self._is_passed = is_passed
        super().__init__(lambda: "", **options)

    def _check_request_limit(self, *arguments: Any, **options: Any) -> None:
        if not self._is_passed():
            super()._check_request_limit(*arguments, **options)


def register(app: Flask) -> None:
    """Put the ring around the application's routes."""
    container: Container = app.extensions["tracker"]
    chosen, known = container.settings.limits, KnownCallers()
    # Its lines name the key of the caller, and each request has a line of ours.
    logging.getLogger("flask-limiter").setLevel(logging.WARNING)

    def is_passed() -> bool:
        return request.path.startswith(_EXEMPT) or known.has()

    def is_no_entrance() -> bool:
        return not request.path.startswith(_ENTRANCES)

    def caller(ring: str) -> str:
        digest = known.digest(f"{ring} {limits.network(request.remote_addr)}")
        return digest.hex() if digest else ring

    def came_in(response: Response) -> Response:
        if g.get("actor") is not None:
            known.note()
        return response

    rings = [
        ApplicationLimit(
            f"{chosen.entries_per_minute} per minute",
            key_function=lambda: caller("entrance"),
            exempt_when=is_no_entrance,
        ),
        ApplicationLimit(
            f"{chosen.requests_per_minute} per minute",
            key_function=lambda: caller("anywhere"),
            deduct_when=lambda _: g.get("actor") is None,
        ),
    ]
    _OuterRing(
        is_passed,
        app=app,
        application_limits=rings,
        storage_uri="memory://",
        strategy="fixed-window",
        on_breach=_refuse,
        request_identifier=lambda: request.endpoint or "no route",
    )
    app.after_request(came_in)


def _refuse(breached: RequestLimit) -> Response:
    """Refuse; once the whole period is over, there is room again. Raises TooOften."""
    wait = breached.limit.get_expiry()
    raise TooOften(f"Too many requests; try again in {wait} seconds.", retry_after=wait)


def _credential() -> str:
    return request.headers.get("Authorization", "") or session_cookies.secret() or ""
