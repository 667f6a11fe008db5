"""A person's transcript as one paper: certifications, cycles, renewals, passes and activities."""

from __future__ import annotations

from flask import Response

from tracker.api.credentials.certificate_papers import PDF, PaperQuerySchema
from tracker.api.http import routing
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.services.core.context import ReadContext
from tracker.services.overview import transcripts

resource = Resource("transcripts", __name__, description=__doc__)


@resource.reads(
    "GET /holders/<uuid:holder_id>/transcript.pdf",
    "staff",
    "holder",
    query=PaperQuerySchema,
    returns=None,
    content=PDF,
    errors=(404, 503),
)
def of_holder(reading: ReadContext, query: Loaded, *, holder_id: str) -> Response:
    """What a person has earned, as of today."""
    return answer(reading, holder_id, query.get("lang"))


def answer(reading: ReadContext, holder_id: str, language: str | None) -> Response:
    """The transcript as a download. Raises NotFound, TooBusy, TooManyAtOnce."""
    language = language or routing.language()
    response = Response(transcripts.pdf(reading, holder_id, language), content_type=PDF)
    name = f"transcript-{reading.now:%Y-%m-%d}.pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Language"] = language
    response.vary.add("Accept-Language")
    return response
