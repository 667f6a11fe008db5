"""Everything on record about a person as one ZIP file."""

from __future__ import annotations

from typing import IO

from flask import Response

from tracker.api.http import attachments, limits, routing
from tracker.api.http.routing import Resource
from tracker.domain.errors import NotFound
from tracker.services.core.context import ReadContext
from tracker.services.overview import personal_archives
from tracker.services.people import sessions

resource = Resource("archives", __name__, description=__doc__)

ZIP = "application/zip"


@resource.reads("GET /me/export", "holder", returns=None, content=ZIP, errors=(404, 429))
def mine(reading: ReadContext) -> Response:
    """Everything about me: ``record.json``, a summary to read, and my evidence."""
    if reading.actor.holder_id is None:
        raise NotFound
    return archive(reading, reading.actor.holder_id)


@resource.reads(
    "GET /holders/<uuid:holder_id>/export",
    "staff",
    returns=None,
    content=ZIP,
    errors=(404, 429),
)
def of_holder(reading: ReadContext, *, holder_id: str) -> Response:
    """The same about a holder, for one who asked for access to their data."""
    return archive(reading, holder_id)


def archive(reading: ReadContext, holder_id: str) -> Response:
    """A person's archive; taking it is recorded. In a session, people prove first who they are.

    Raises NotFound, ReauthenticationRequired, TooOften, TooManyAtOnce.
    """
    sessions.check_fresh_person(reading)
    whose = personal_archives.person(reading, holder_id)
    limits.archived(whose.id)
    with routing.container().work(reading.actor) as work:
        personal_archives.note(work, whose.id)

    def write(file: IO[bytes]) -> None:
        personal_archives.write(reading, whose, file)

    return attachments.attached(
        reading, write, content_type=ZIP, name=f"record-{reading.now:%Y-%m-%d}.zip"
    )
