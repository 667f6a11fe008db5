"""Who sees a holder's standing, and what they see."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from tracker.api import doors
from tracker.api.doors import Nouns
from tracker.api.fields import Closed, Day, choice
from tracker.domain.workforce import FIELDS, POINTS_FIELDS
from tracker.services import bars, sharing
from tracker.services.work import Reading, Work

nouns = Nouns("sharing", __name__, description=__doc__)


class Sharing(Schema):
    """An employer who lists the holder, or whom the holder lets see their standing.

    ``id`` is that of the consent in force, null without one; it lasts no longer than the
    employment. ``fields`` are what the employer sees today.
    """

    id = fields.UUID(required=True, allow_none=True)
    employer_id = fields.UUID(required=True)
    employer_name = fields.String(required=True)
    on_roster = fields.Boolean(required=True)
    shared = fields.Boolean(required=True)
    barred = fields.Boolean(
        required=True, metadata={"description": "It can ask for nothing: see POST /me/bars."}
    )
    since = Day(required=True, allow_none=True)
    until_on = Day(required=True, allow_none=True, metadata={"description": "Last day included."})
    with_points = fields.Boolean(required=True, allow_none=True)
    fields_seen = fields.List(choice(*FIELDS, *POINTS_FIELDS), required=True, data_key="fields")


class NewSharing(Closed):
    """Consent: whom to, until when (no end if not given), and whether points are shown (no).

    It ends with the employment: an employer that lists the holder anew asks anew.
    """

    employer_id = fields.UUID(required=True)
    until_on = Day(load_default=None, allow_none=True)
    with_points = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class NewBar(Closed):
    """An employer that is to ask for nothing."""

    employer_id = fields.UUID(required=True)


class Bar(Schema):
    """A barred employer."""

    employer_id = fields.UUID(required=True)


def _present(viewer: sharing.Viewer) -> dict[str, Any]:
    return {
        "id": viewer.id, "employer_id": viewer.employer_id,
        "employer_name": viewer.employer_name, "on_roster": bool(viewer.on_roster),
        "shared": viewer.shared, "barred": viewer.barred, "since": viewer.since,
        "until_on": viewer.until_on, "with_points": viewer.with_points, "fields": viewer.fields,
    }  # fmt: skip


@nouns.reads("GET /me/sharing", "holder", returns=Sharing(many=True), errors=(404,))
def mine(reading: Reading) -> Response:
    """Who can see me: employers who list me or whom I share with, and what they see."""
    return doors.answer([_present(viewer) for viewer in sharing.mine(reading)])


@nouns.writes(
    "POST /me/sharing",
    "holder",
    body=NewSharing,
    returns=Sharing,
    status=201,
    errors=(404, 409),
)
def consent(work: Work, body: dict[str, Any]) -> Response:
    """Let an employer see my standing; a second consent beside a live one is refused."""
    viewer = sharing.consent(
        work, str(body["employer_id"]), until_on=body["until_on"], with_points=body["with_points"]
    )
    return doors.answer(_present(viewer), status=201)


@nouns.writes(
    "DELETE /me/sharing/<uuid:sharing_id>", "holder", returns=None, status=204, errors=(404,)
)
def end(work: Work, *, sharing_id: str) -> Response:
    """End a consent; the employer sees nothing more from this moment."""
    sharing.end(work, sharing_id)
    return doors.done()


@nouns.writes("POST /me/bars", "holder", body=NewBar, returns=Bar, status=201, errors=(404, 409))
def bar(work: Work, body: dict[str, Any]) -> Response:
    """Bar an employer: its consent ends, and no message about it is sent to me any more.

    It is told nothing; its list shows the same as of whoever never consented.
    """
    employer_id = str(body["employer_id"])
    bars.put(work, employer_id)
    return doors.answer({"employer_id": employer_id}, status=201)


@nouns.writes(
    "DELETE /me/bars/<uuid:employer_id>", "holder", returns=None, status=204, errors=(404,)
)
def lift(work: Work, *, employer_id: str) -> Response:
    """Let an employer ask me again."""
    bars.lift(work, employer_id)
    return doors.done()


@nouns.reads(
    "GET /holders/<uuid:holder_id>/sharing",
    "staff",
    returns=Sharing(many=True),
    errors=(404,),
)
def of_holder(reading: Reading, *, holder_id: str) -> Response:
    """Who sees a holder."""
    return doors.answer([_present(viewer) for viewer in sharing.viewers(reading, holder_id)])
