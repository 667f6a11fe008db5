"""Looks: when employers saw the standing of workers who share with them."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import paging
from tracker.api.http.fields import DayField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.employers.looks import LookKind
from tracker.services.core.context import ReadContext
from tracker.services.employers import looks
from tracker.services.employers.looks import LookRow

resource = Resource("looks", __name__, description=__doc__)


class LookSchema(Schema):
    """Somebody of an employer saw the standing of workers on a day (``as_of``).

    ``name`` is the person or the program that looked. ``kind``: a page of the list, one worker, a
    file of the whole list, numbers that count the workers, a digest by email, whether workers are
    cleared, or a list of those who are for a gate. ``scheme`` is empty where only credentials of
    other issuers were asked about.
    """

    id = fields.UUID(required=True)
    at = fields.AwareDateTime(required=True)
    employer_id = fields.UUID(required=True)
    employer_name = fields.String(required=True)
    name = fields.String(required=True)
    kind = choice(*LookKind, required=True)
    scheme = fields.String(required=True)
    as_of = DayField(required=True)


class EmployerLookSchema(LookSchema):
    """The same with the number of workers who were seen."""

    workers = fields.Integer(required=True)


def _present(look: LookRow) -> dict[str, object]:
    return {name: getattr(look, name) for name in LookSchema().fields}


def _with_workers(look: LookRow) -> dict[str, object]:
    return {**_present(look), "workers": look.workers}


@resource.reads(
    "GET /me/looks", "holder", query=paging.PageSchema, returns=page_of(LookSchema), errors=(404,)
)
def mine(reading: ReadContext, query: Loaded) -> Response:
    """Which employers looked at my standing, the newest look first."""
    rows = looks.mine(reading, after=query.get("after"), limit=query["limit"] + 1)
    return paging.answer(rows, query, _present)


@resource.reads(
    "GET /holders/<uuid:holder_id>/looks",
    "staff",
    query=paging.PageSchema,
    returns=page_of(LookSchema),
    errors=(404,),
)
def of_holder(reading: ReadContext, query: Loaded, *, holder_id: str) -> Response:
    """Which employers looked at a holder's standing, the newest look first."""
    rows = looks.of_holder(reading, holder_id, after=query.get("after"), limit=query["limit"] + 1)
    return paging.answer(rows, query, _present)


@resource.reads(
    "GET /employers/<uuid:employer_id>/looks",
    "employer",
    "staff",
    query=paging.PageSchema,
    returns=page_of(EmployerLookSchema),
    errors=(404,),
)
def of_employer(reading: ReadContext, query: Loaded, *, employer_id: str) -> Response:
    """Who of an employer looked at its workers, the newest look first; for those who manage."""
    rows = looks.of_employer(
        reading, employer_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, _with_workers)
