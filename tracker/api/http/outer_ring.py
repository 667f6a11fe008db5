"""The outer ring: how many requests from one address a process answers, before it looks at them.

It keeps floods away from the database. What may be guessed is counted exactly, in the database, by
``limits``; here each process counts in its own memory, since counting a flood in the database would
be the flood.

Counted are requests of nobody: without a token or a session, or with one that is not valid. Whoever
came in lately from an address is known there, by a digest, and is not held up by what others at the
same address do. Health checks, the relay's events and unsubscribing come from few addresses for
many people, and have guards of their own: a signature each.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import Counter, OrderedDict
from threading import Lock

from flask import Flask, Response, g, request

from tracker.api.http import limits, session_cookies
from tracker.domain.errors import TooOften
from tracker.services.core.context import Container
from tracker.settings import RequestLimits

_ENTRANCES = ("/sign-in", "/password/", "/invitation/")
_EXEMPT = ("/healthz", "/readyz", "/metrics", "/api/v1/relay-events", "/unsubscribe")
_KNOWN_FOR = 600  # seconds for which who came in is known
_MOST_KNOWN = 10_000
_PERIOD = 60  # seconds in which requests are counted


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


class PeriodCounts:
    """How many requests came from whom in a period of so many seconds.

    It begins with the first request after the last one. All counts end together, so nothing has to
    look for those that are over.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, self._until = seconds, 0.0
        self._counts, self._lock = Counter[str](), Lock()

    def add(self, who: str, requests: int = 1) -> int:
        """Count requests; returns how many there are now."""
        with self._lock:
            now = time.monotonic()
            if now >= self._until:
                self._counts.clear()
                self._until = now + self._seconds
            self._counts[who] += requests
            return self._counts[who]

    def of(self, who: str) -> int:
        """How many requests there are."""
        return self.add(who, 0)


class _OuterRing:
    """The counts of a process: of requests to entrances, and of requests of nobody to any place."""

    def __init__(self, most: RequestLimits) -> None:
        self._most, self._known, self._counts = most, KnownCallers(), PeriodCounts(_PERIOD)

    def check(self) -> None:
        """Refuse one request too many. Raises TooOften."""
        if request.path.startswith(_EXEMPT) or self._known.has():
            return
        is_entrance, who = request.path.startswith(_ENTRANCES), self._caller("anywhere")
        entries = self._counts.add(self._caller("entrance")) if is_entrance else 0
        has_room = self._counts.of(who) < self._most.requests_per_minute
        if entries > self._most.entries_per_minute or not has_room:
            # Once the whole period is over, there is room again.
            detail = f"Too many requests; try again in {_PERIOD} seconds."
            raise TooOften(detail, retry_after=_PERIOD)
        g.counted_in_ring = who

    def count(self, response: Response) -> Response:
        """Count a request of nobody; know who came in."""
        if g.get("actor") is not None:
            self._known.note()
        elif who := g.get("counted_in_ring"):
            self._counts.add(who)
        return response

    def _caller(self, ring: str) -> str:
        digest = self._known.digest(f"{ring} {limits.network(request.remote_addr)}")
        return digest.hex() if digest else ring


def register(app: Flask) -> None:
    """Put the ring around the application's routes."""
    container: Container = app.extensions["tracker"]
    ring = _OuterRing(container.settings.limits)
    app.before_request(ring.check)
    app.after_request(ring.count)


def _credential() -> str:
    return request.headers.get("Authorization", "") or session_cookies.secret() or ""
