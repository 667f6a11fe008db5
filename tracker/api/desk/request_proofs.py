"""The files that prove a request."""

from __future__ import annotations

from flask import Response
from marshmallow import fields

from tracker import files
from tracker.api.http import routing
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.api.http.uploads import Upload
from tracker.api.points import evidence as evidence_door
from tracker.api.points.evidence import KeptFileSchema, NewEvidenceSchema
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.desk import request_proofs
from tracker.services.desk.request_proofs import ProofRow

resource = Resource("request_proofs", __name__, description=__doc__)


class RequestProofSchema(KeptFileSchema):
    """A file of a request."""

    request_id = fields.UUID(required=True)


def _present(row: ProofRow) -> dict[str, object]:
    shown = row._asdict()
    del shown["key"]
    return shown


def _ask(reading: ReadContext, _body: Loaded, *, request_id: str) -> None:
    """Check whose request it is, whether it still waits, and whether there is room."""
    request_proofs.check_room(reading, request_id)


@resource.writes(
    "POST /requests/<uuid:request_id>/proofs",
    "holder",
    "staff",
    body=NewEvidenceSchema,
    returns=RequestProofSchema,
    status=201,
    errors=(404, 409, 503),
    upload=Upload(
        lambda settings, _actor: settings.evidence.maximum_bytes,
        evidence_door.too_large,
        ask=_ask,
        prepare=evidence_door.checked,
    ),
)
def add(work: UnitOfWork, body: Loaded, *, request_id: str) -> Response:
    """Add a file to a request that waits for a decision."""
    row = request_proofs.get(work, request_proofs.add(work, request_id, body["file"]))
    where = f"/api/v1/requests/proofs/{row.id}/content"
    return routing.answer(_present(row), status=201, location=where)


@resource.reads(
    "GET /requests/<uuid:request_id>/proofs",
    "holder",
    "staff",
    returns=RequestProofSchema(many=True),
    errors=(404,),
)
def of_request(reading: ReadContext, *, request_id: str) -> Response:
    """The files of a request, in the order of their places."""
    rows = request_proofs.of_request(reading, request_id)
    return routing.answer([_present(row) for row in rows])


@resource.reads(
    "GET /requests/proofs/<uuid:proof_id>/content",
    "holder",
    "staff",
    returns=None,
    content=files.CONTENT_TYPES,
    errors=(404,),
)
def content(reading: ReadContext, *, proof_id: str) -> Response:
    """The file itself, as a download."""
    row = request_proofs.get(reading, proof_id)
    return evidence_door.download(row, request_proofs.content(reading, row))


@resource.writes(
    "DELETE /requests/proofs/<uuid:proof_id>",
    "holder",
    "staff",
    returns=None,
    status=204,
    errors=(404, 409),
)
def remove(work: UnitOfWork, *, proof_id: str) -> Response:
    """Remove a file from a request that waits for a decision."""
    request_proofs.remove(work, proof_id)
    return routing.done()
