"""One log line for each request: what was asked, by whom, and what was answered.

The route stands in it with the names of its parameters, not with their values: an address may hold
a sign-in link. The actor is an id, never a name.
"""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from tracker.db import new_id
from tracker.domain.permissions import Actor

_log = logging.getLogger("tracker.requests")
_OF_BALANCERS = frozenset({"/healthz", "/readyz", "/metrics"})  # asked every few seconds


def register(app: Flask) -> None:
    """Give every request of the application an id, time it and log it."""
    app.before_request(_begin)
    app.after_request(_end)


def seconds() -> float | None:
    """How long the request has taken so far; None if it was refused before it was timed."""
    began = g.get("request_began")
    return None if began is None else time.perf_counter() - began


def _begin() -> None:
    g.request_id, g.request_began = new_id(), time.perf_counter()


def _end(response: Response) -> Response:
    asked, took = request.url_rule, seconds()
    route = asked.rule if asked else None
    if route in _OF_BALANCERS or took is None or not _log.isEnabledFor(logging.INFO):
        return response
    actor: Actor | None = g.get("actor")
    method = request.method
    line = {
        "request_id": g.get("request_id"),
        "method": method,
        "route": route,
        "status": response.status_code,
        "code": g.get("problem_code"),
        "ms": round(1000 * took, 1),
        "actor_id": actor and (actor.who or actor.credential_id),
        "role": actor and actor.role,
        "credential_id": actor and actor.credential_id,
    }
    values = (method, route, response.status_code)
    # Not info(), which walks through the stack to find this line.
    record = _log.makeRecord(
        _log.name, logging.INFO, __file__, 0, "%s %s %s", values, None, _end.__name__, line
    )
    _log.handle(record)
    return response
