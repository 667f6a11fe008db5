"""Refusals and HTTP errors as problem+json (RFC 9457); the only place that knows status numbers."""

from __future__ import annotations

from http import HTTPStatus

import orjson
from flask import Flask, Response, current_app, g
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from tracker.domain import errors

PROBLEM = "application/problem+json"

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
    status = next((s for kind, s in _STATUS if isinstance(error, kind)), HTTPStatus.CONFLICT)
    extra: dict[str, object] = {**error.facts, "exception": _shown(error.exception)}
    if isinstance(error, errors.Invalid) and error.fields:
        extra["errors"] = [{"field": f, "message": m} for f, m in error.fields.items()]
    response = _challenged(problem(int(status), error.code, error.told, **extra))
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
    code = HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    response = problem(status, code, error.description or "")
    headers = dict(error.get_headers())
    for name in ("Allow", "Retry-After"):
        if name in headers:
            response.headers[name] = headers[name]
    return _challenged(response)


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
    """An error in the one form that all errors have."""
    g.problem_code = code
    body = {
        "type": f"urn:tracker:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": g.get("request_id", ""),
        **extra,
    }
    return Response(orjson.dumps(body, default=str), status=status, content_type=PROBLEM)
