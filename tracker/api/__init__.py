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
from tracker.api.access import (
    accounts,
    invitations,
    me,
    passkeys,
    recoveries,
    security,
    sessions,
)
from tracker.api.credentials import (
    adjustments,
    appeals,
    apprenticeships,
    assessments,
    certificate_papers,
    certifications,
    fees,
    funding,
    imported_awards,
    managed_cases,
    module_certificates,
    pathways,
    reasons,
    renewals,
    schemes,
    sponsors,
)
from tracker.api.delivery import messages, relay_events, reminders, sending, suppressions
from tracker.api.desk import (
    approvals,
    audits,
    center_results,
    discrepancies,
    merges,
    request_proofs,
    requests,
    review_queue,
    reviews,
)
from tracker.api.employers import (
    clearances,
    confirmations,
    consent_requests,
    consents,
    digests,
    employers,
    looks,
    nudges,
    requirements,
    staffing,
    workforce,
)
from tracker.api.http import callers, errors, outer_ring, request_log, session_cookies
from tracker.api.http.openapi import Document
from tracker.api.overview import (
    archives,
    erasures,
    history,
    operations,
    resumes,
    security_events,
    transcripts,
)
from tracker.api.people import duplicates, holders, preferences
from tracker.api.points import (
    activities,
    attendance_codes,
    courses,
    discrepancy_answers,
    evaluations,
    evidence,
    other_credentials,
    providers,
)

PREFIX = "/api/v1"
SIGNING_KEYS = f"{PREFIX}/signing-keys"
"""Where the public keys are with which anybody checks what is signed."""
UNDOCUMENTED = frozenset({f"{PREFIX}/openapi.json"})
"""The public routes of the API that its document leaves out."""

_RESOURCES = (
    me,
    sessions,
    security,
    passkeys,
    accounts,
    recoveries,
    invitations,
    schemes,
    reasons,
    holders,
    duplicates,
    requests,
    request_proofs,
    history,
    security_events,
    archives,
    transcripts,
    resumes,
    erasures,
    preferences,
    assessments,
    module_certificates,
    certificate_papers,
    other_credentials,
    pathways,
    apprenticeships,
    center_results,
    funding,
    certifications,
    approvals,
    merges,
    imported_awards,
    managed_cases,
    adjustments,
    appeals,
    activities,
    evaluations,
    evidence,
    renewals,
    fees,
    review_queue,
    reviews,
    audits,
    discrepancies,
    discrepancy_answers,
    employers,
    providers,
    courses,
    attendance_codes,
    sponsors,
    confirmations,
    consents,
    consent_requests,
    nudges,
    looks,
    workforce,
    requirements,
    clearances,
    staffing,
    digests,
    imports,
    reminders,
    sending,
    messages,
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
    request_log.register(app)
    callers.register(app)
    outer_ring.register(app)
    app.after_request(_dress)
    return document


_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Strict-Transport-Security", "max-age=31536000"),
)
_UNLESS_GIVEN = (
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
)


def _dress(response: Response) -> Response:
    """Add the headers that every answer carries.

    All at once: setting one by one walks through those that are there, each time.
    """
    given = {name.lower(): value for name, value in response.headers}
    added = [("X-Request-ID", g.get("request_id", "")), *_ALWAYS]
    added += [(name, value) for name, value in _UNLESS_GIVEN if name.lower() not in given]
    caching = given.get("cache-control", "")
    is_everybodys = "immutable" in caching and response.cache_control.immutable
    sent = request.headers
    if not is_everybodys and (sent.get("Authorization") or session_cookies.secret()):
        added.append(("Cache-Control", "private, no-store"))
    for name, _ in added:
        if name.lower() in given:
            response.headers.remove(name)
    response.headers.extend(added)
    return response
