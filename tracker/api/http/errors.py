"""Refusals and HTTP errors as problem+json (RFC 9457); the only place that knows status numbers."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import NamedTuple

import orjson
from flask import Flask, Response, current_app, g
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from tracker.domain import errors

PROBLEM = "application/problem+json"
DOCUMENTATION = "/docs/errors"
"""The page about every code, each with an anchor of its name (``web/error_codes.py``)."""

_RETRY_SECONDS = 2
_STATUS: tuple[tuple[type[errors.Refusal], int], ...] = (
    (errors.TooBusy, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.NoLongerAvailable, HTTPStatus.GONE),
    (errors.TooManyAtOnce, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.EvidenceTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (errors.NotFound, HTTPStatus.NOT_FOUND),
    (errors.TooOften, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.TokenEnded, HTTPStatus.UNAUTHORIZED),
    (errors.SessionEnded, HTTPStatus.UNAUTHORIZED),
    (errors.NotAllowed, HTTPStatus.FORBIDDEN),
    (errors.Stale, HTTPStatus.PRECONDITION_FAILED),
    (errors.Invalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.Conflict, HTTPStatus.CONFLICT),
)
_PASSING = (errors.TooBusy, errors.TooManyAtOnce)
_HTTP_CODES = {
    400: "bad_request",
    401: "unauthorized",
    405: "method_not_allowed",
    413: "request_entity_too_large",
    415: "unsupported_media_type",
    428: "precondition_required",
}
"""The codes of errors that no rule raised; Python's own phrases differ from release to release."""
_FAILURES = {"internal_error": 500, "database_unavailable": 503, "not_ready": 503}
"""The codes of what failed on our side, with their status numbers."""


class KnownError(NamedTuple):
    """A code that an error may have, its status number, and whether a rule has exceptions."""

    code: str
    status: int
    way_out: errors.WayOut = errors.NONE


def known() -> list[KnownError]:
    """Every code that an answer may have, as the page about them lists it."""
    found = {code: KnownError(code, status) for status, code in _HTTP_CODES.items()}
    found |= {code: KnownError(code, status) for code, status in _FAILURES.items()}
    for one in _kinds(errors.Refusal):  # a kind may share its code with the one above it
        found.setdefault(one.code, KnownError(one.code, _status(one), one.way_out))
    return sorted(found.values())


def _kinds(kind: type[errors.Refusal]) -> Iterator[type[errors.Refusal]]:
    """The kind and all below it that the program itself has; tests have others."""
    if kind.__module__.startswith("tracker."):
        yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _status(kind: type[errors.Refusal]) -> int:
    return int(next((s for base, s in _STATUS if issubclass(kind, base)), HTTPStatus.CONFLICT))


def register(app: Flask) -> None:
    """Answer every refusal and error in the same form."""
    app.register_error_handler(errors.Refusal, refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(IntegrityError, _contradicted)
    app.register_error_handler(OperationalError, _busy)
    app.register_error_handler(PoolTimeoutError, _busy)
    app.register_error_handler(DBAPIError, _disconnected)
    app.register_error_handler(Exception, _unforeseen)


def refused(error: errors.Refusal) -> Response:
    """The answer to a refusal; a view returns it where the transaction has counted the attempt."""
    extra: dict[str, object] = {**error.facts, "exception": _shown(error.exception)}
    if isinstance(error, errors.Invalid) and error.fields:
        extra["errors"] = [{"field": f, "message": m} for f, m in error.fields.items()]
    response = _challenged(problem(_status(type(error)), error.code, error.told, **extra))
    if isinstance(error, _PASSING):
        response.headers["Retry-After"] = str(_RETRY_SECONDS)
    if isinstance(error, errors.TooOften):
        response.headers["Retry-After"] = str(error.facts["retry_after"])
    return response


def _shown(way_out: errors.WayOut) -> dict[str, object]:
    return {
        "kind": way_out.kind,
        "field": way_out.field,
        "ask_for": list(way_out.ask_for),
    }


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None:
        return error.response  # type: ignore[return-value]
    response = problem(status, _http_code(status), error.description or "")
    headers = dict(error.get_headers())
    for name in ("Allow", "Retry-After"):
        if name in headers:
            response.headers[name] = headers[name]
    return _challenged(response)


def _http_code(status: int) -> str:
    phrase = HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    return _HTTP_CODES.get(status, phrase)


def _challenged(response: Response) -> Response:
    """Add how to sign in, if the caller is not signed in."""
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _contradicted(error: Exception) -> Response:
    """A database constraint refused the change, and no service had named the refusal."""
    _log("met an unnamed constraint", error)
    return problem(409, "conflict", "It conflicts with a record that has changed; read it again.")


def _busy(error: Exception) -> Response:
    """The database is busy or unreachable; nothing was stored, so the request may be repeated."""
    _log("found the database busy or unavailable", error)
    response = problem(503, "database_unavailable", "The database is busy; try again shortly.")
    response.headers["Retry-After"] = str(_RETRY_SECONDS)
    return response


def _disconnected(error: DBAPIError) -> Response:
    return _busy(error) if error.connection_invalidated else _unforeseen(error)


def _log(what: str, error: Exception) -> None:
    current_app.logger.error("request %s %s", g.get("request_id"), what, exc_info=error)


def _unforeseen(error: Exception) -> Response:
    _log("failed", error)
    return problem(500, "internal_error", "Something went wrong on our side; the error was logged.")


def problem(status: int, code: str, detail: str, **extra: object) -> Response:
    """An error in the one form that all errors have; its type leads to the page about its code."""
    g.problem_code = code
    base = current_app.extensions["tracker"].settings.app.base_url.rstrip("/")
    body = {
        "type": f"{base}{DOCUMENTATION}#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": g.get("request_id", ""),
        **extra,
    }
    return Response(orjson.dumps(body, default=str), status=status, content_type=PROBLEM)
