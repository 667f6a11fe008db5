"""Nudges: an employer reminds workers who share with it, in words that it sees first."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response
from marshmallow import Schema, fields
from marshmallow.validate import Length

from tracker.api.http import routing
from tracker.api.http.fields import ClosedSchema, DayField, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.domain.employers.nudges import NotNudgedReason
from tracker.language.catalogues import LANGUAGES
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.delivery import nudge_previews
from tracker.services.employers import nudges

resource = Resource("nudges", __name__, description=__doc__)

_PATH = "/employers/<uuid:employer_id>/nudges"
_MOST = 200


class NudgeQuerySchema(ClosedSchema):
    """About which scheme."""

    scheme = WordsField(32, load_default="cpt")


class NewNudgesSchema(NudgeQuerySchema):
    """Whom to nudge, by the ids of their entries in the roster."""

    entry_ids = fields.List(fields.UUID(), required=True, validate=Length(min=1, max=_MOST))


class NudgedWorkerSchema(Schema):
    """Whether a worker is nudged; otherwise why not, and from which day it is possible.

    ``reason``: ``not_shared``, ``nothing_to_do`` (no certification that the worker could renew), or
    ``nudged`` within the last 14 days.
    """

    entry_id = fields.UUID(required=True)
    nudged = fields.Boolean(required=True)
    reason = choice(*NotNudgedReason, required=True, allow_none=True)
    again_on = DayField(required=True, allow_none=True)


class NudgeTextSchema(Schema):
    """What workers of a language read; a name and their own addresses are ``[…]``."""

    language = choice(*LANGUAGES, required=True)
    subject = fields.String(required=True)
    text = fields.String(required=True)


@resource.reads(
    f"GET {_PATH}/text",
    "employer",
    query=NudgeQuerySchema,
    returns=NudgeTextSchema(many=True),
    errors=(404,),
)
def text(reading: ReadContext, query: Loaded, *, employer_id: str) -> Response:
    """What a nudge says, in each language."""
    told = nudge_previews.texts(reading, employer_id, query["scheme"])
    return routing.answer([asdict(one) for one in told])


@resource.writes(
    f"POST {_PATH}",
    "employer",
    body=NewNudgesSchema,
    returns=NudgedWorkerSchema(many=True),
    errors=(404,),
)
def nudge(work: UnitOfWork, body: Loaded, *, employer_id: str) -> Response:
    """Remind workers who share, each at most once in 14 days."""
    ids = {str(id_) for id_ in body["entry_ids"]}
    results = nudges.nudge(work, employer_id, ids, body["scheme"])
    return routing.answer([asdict(one) for one in results])
