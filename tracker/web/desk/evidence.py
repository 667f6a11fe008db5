"""Files of activities shown in a page of reviewers, in the frame that holds them or by themselves.

Invariant: what is shown was checked when it was sent. A picture is our own copy of its dots, a PDF
has no script, sends nothing and holds no attachment (``files/pdfs.py``); either is served as what
it is, under a policy that lets it load nothing from elsewhere.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from tracker.api.http import routing
from tracker.domain.permissions import Actor
from tracker.services.points import evidence
from tracker.web.people import visitors

pages = Blueprint("evidence-pages", __name__)

_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; object-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@pages.get("/desk/evidence/<uuid:evidence_id>")
@visitors.for_reviewers
def content(actor: Actor, *, evidence_id: UUID) -> Response:
    """The file itself, to be looked at."""
    with routing.container().reading(actor) as reading:
        row = evidence.get(reading, str(evidence_id))
        kept = evidence.content(reading, row)
    response = Response(kept, content_type=row.content_type)
    response.headers["Content-Disposition"] = "inline"
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return visitors.private(response)
