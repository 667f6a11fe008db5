"""Evidence: the files that support an activity."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol
from urllib.parse import quote

from flask import Response
from marshmallow import Schema, fields

from tracker import files
from tracker.api.http import routing
from tracker.api.http.fields import ClosedSchema, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.api.http.uploads import File, Upload
from tracker.domain.errors import EvidenceTooLarge
from tracker.domain.permissions import Actor
from tracker.services.core.context import Container, ReadContext, UnitOfWork
from tracker.services.points import evidence
from tracker.services.points.evidence import EvidenceRow

_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"

resource = Resource("evidence", __name__, description=__doc__)


class NewEvidenceSchema(ClosedSchema):
    """A PDF, JPG or PNG."""

    file = File(
        required=True, metadata={"description": "At most 10 MB; at most five files per activity."}
    )


class KeptFileSchema(Schema):
    """A file as it is kept: a picture is re-encoded, so it has its own size and digest."""

    id = fields.UUID(required=True)
    slot = fields.Integer(required=True, metadata={"description": "Its position, from 1."})
    filename = fields.String(required=True)
    content_type = choice(*files.CONTENT_TYPES, required=True)
    size = fields.Integer(required=True, metadata={"description": "The size in bytes."})
    sha256 = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)


class EvidenceSchema(KeptFileSchema):
    """A file of an activity."""

    activity_id = fields.UUID(required=True)
    came_later = fields.Boolean(
        required=True,
        metadata={"description": "Whether it was added after the activity was submitted."},
    )


def present(row: EvidenceRow) -> dict[str, object]:
    """A file's row in the form of the API."""
    return {name: getattr(row, name) for name in EvidenceSchema._declared_fields}  # noqa: SLF001 - marshmallow's own list


def too_large(maximum: int) -> EvidenceTooLarge:
    """The refusal of a file with too many bytes."""
    return EvidenceTooLarge(f"The file must have at most {maximum:,} bytes.", maximum=maximum)


def _ask(reading: ReadContext, _body: Loaded, *, activity_id: str) -> None:
    """Check whose activity it is, whether it accepts files now, and whether there is room."""
    evidence.check_room(reading, activity_id)


@contextmanager
def checked(container: Container, _actor: Actor, body: Loaded) -> Iterator[dict[str, object]]:
    """The file in a form that may be kept, checked by its content."""
    yield {"file": evidence.checked(container.settings, body["file"].stream, body["file"].filename)}


@resource.writes(
    "POST /activities/<uuid:activity_id>/evidence",
    "holder",
    "staff",
    body=NewEvidenceSchema,
    returns=EvidenceSchema,
    status=201,
    errors=(404, 409, 503),
    upload=Upload(
        lambda settings, _actor: settings.evidence.maximum_bytes,
        too_large,
        ask=_ask,
        prepare=checked,
    ),
)
def add(work: UnitOfWork, body: Loaded, *, activity_id: str) -> Response:
    """Add a file to an activity that is with its holder or waiting for a decision."""
    row = evidence.get(work, evidence.add(work, activity_id, body["file"]))
    return routing.answer(present(row), status=201, location=f"/api/v1/evidence/{row.id}")


@resource.reads(
    "GET /activities/<uuid:activity_id>/evidence",
    "holder",
    "reviewer",
    "staff",
    returns=EvidenceSchema(many=True),
    errors=(404,),
)
def of_activity(reading: ReadContext, *, activity_id: str) -> Response:
    """The files of an activity, in the order of their places."""
    return routing.answer([present(row) for row in evidence.of_activity(reading, activity_id)])


@resource.reads(
    "GET /evidence/<uuid:evidence_id>",
    "holder",
    "reviewer",
    "staff",
    returns=EvidenceSchema,
    errors=(404,),
)
def show(reading: ReadContext, *, evidence_id: str) -> Response:
    """The details of one file."""
    return routing.answer(present(evidence.get(reading, evidence_id)))


@resource.reads(
    "GET /evidence/<uuid:evidence_id>/content",
    "holder",
    "reviewer",
    "staff",
    returns=None,
    content=files.CONTENT_TYPES,
    errors=(404,),
)
def content(reading: ReadContext, *, evidence_id: str) -> Response:
    """The file itself, as a download."""
    row = evidence.get(reading, evidence_id)
    return download(row, evidence.content(reading, row))


class KeptFile(Protocol):
    """What is told of a file that is kept."""

    @property
    def filename(self) -> str:
        """Its name, as it was given."""

    @property
    def content_type(self) -> str:
        """What it is."""

    @property
    def sha256(self) -> str:
        """The digest of its bytes."""


def download(row: KeptFile, data: bytes) -> Response:
    """A kept file as an answer that no browser shows or runs in our place."""
    response = Response(data, content_type=row.content_type)
    response.headers["Content-Disposition"] = _attachment(row.filename)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.set_etag(row.sha256)
    return response


def _attachment(name: str) -> str:
    """A header value that no name can break: plain ASCII, and the real name percent-encoded."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " ._-()") else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


@resource.writes(
    "DELETE /evidence/<uuid:evidence_id>",
    "holder",
    "staff",
    returns=None,
    status=204,
    errors=(404, 409),
)
def remove(work: UnitOfWork, *, evidence_id: str) -> Response:
    """Remove a file from an activity that is still with its holder."""
    evidence.remove(work, evidence_id)
    return routing.done()
