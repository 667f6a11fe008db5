"""The JSON API: schemas and routes, one module for each resource, grouped in areas.

What lives here: parsing a request, checking role and scope, opening one unit of work, calling one
service, presenting the answer, and the OpenAPI document generated from all routes. What does not:
rules, SQL, sentences, HTML (``tracker.web``).

A resource is a module with ``resource = Resource(...)`` and a view for each route, decorated with
``@resource.reads`` or ``@resource.writes`` (``api/http/routing.py``). A new module is added to the
tuple ``_RESOURCES`` below, in the order in which the document lists it.
"""

from __future__ import annotations

from flask import Flask, Response, g, request

from tracker.api import imports
from tracker.api.access import me, sessions
from tracker.api.credentials import (
    adjustments,
    appeals,
    assessments,
    certifications,
    imported_awards,
    reasons,
    renewals,
    schemes,
)
from tracker.api.delivery import letters, relay_events, reminders, sending, suppressions
from tracker.api.desk import requests, review_queue
from tracker.api.employers import consents, digests, employers, workforce
from tracker.api.http import callers, errors, session_cookies
from tracker.api.http.openapi import Document
from tracker.api.overview import history, operations
from tracker.api.people import holders, preferences
from tracker.api.points import activities, evaluations, evidence
from tracker.db import new_id

PREFIX = "/api/v1"
UNDOCUMENTED = frozenset({f"{PREFIX}/openapi.json"})
"""The public routes of the API that its document leaves out."""

_RESOURCES = (
    me,
    sessions,
    schemes,
    reasons,
    holders,
    requests,
    history,
    preferences,
    assessments,
    certifications,
    imported_awards,
    adjustments,
    appeals,
    activities,
    evaluations,
    evidence,
    renewals,
    review_queue,
    employers,
    consents,
    workforce,
    digests,
    imports,
    reminders,
    sending,
    letters,
    suppressions,
    relay_events,
)
_JSON_BYTES = 1024 * 1024  # the longest body; forms with files have their own limits
_FORM_PARTS = 20


def register(app: Flask) -> Document:
    """Attach every route to the application; returns their OpenAPI document."""
    app.config.update(MAX_CONTENT_LENGTH=_JSON_BYTES, MAX_FORM_PARTS=_FORM_PARTS)
    document = Document(app, f"{PREFIX}/openapi.json")
    for module in _RESOURCES:
        document.add(module.resource, url_prefix=PREFIX)
    document.add(operations.resource)
    errors.register(app)
    operations.register(app, app.extensions["tracker"])
    app.before_request(_name_request)
    callers.register(app)
    app.after_request(_dress)
    return document


def _name_request() -> None:
    g.request_id = new_id()


def _dress(response: Response) -> Response:
    """Add the headers that every answer carries."""
    response.headers["X-Request-ID"] = g.get("request_id", "")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault(
        "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"
    )
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.headers.get("Authorization") or session_cookies.secret():
        response.headers["Cache-Control"] = "private, no-store"
    return response
