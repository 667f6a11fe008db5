"""HTTP: schemas and routes by noun; the conventions of all of them in ``doors.py``."""

from __future__ import annotations

import flask_smorest
from flask import Flask, Response, g, request

from tracker.api import (
    activities,
    assessments,
    catalogue,
    certifications,
    errors,
    holders,
    renewals,
)
from tracker.db import new_id

PREFIX = "/api/v1"
_DESCRIPTION = """Recertification and credential tracking.

Dates are calendar dates, the expiry is the last valid day. Points and money are strings with two
decimals. Errors are problem+json with a stable `code`. A record of somebody else's answers as an
unknown one does.
"""
_NOUNS = (catalogue, holders, assessments, certifications, activities, renewals)


def register(app: Flask) -> None:
    """Attach every route to the application, with its OpenAPI document."""
    app.config.update(
        API_TITLE="Tracker", API_VERSION="v1", OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX, OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={"info": {"description": _DESCRIPTION}},
    )  # fmt: skip
    api = flask_smorest.Api(app)
    api.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    for module in _NOUNS:
        api.register_blueprint(module.nouns, url_prefix=PREFIX)
    errors.register(app)
    app.before_request(_name_request)
    app.after_request(_dress)


def _name_request() -> None:
    g.request_id = new_id()


def _dress(response: Response) -> Response:
    """The headers that every answer carries."""
    response.headers["X-Request-ID"] = g.get("request_id", "")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault(
        "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"
    )
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    if request.headers.get("Authorization"):
        response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
