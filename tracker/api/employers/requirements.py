"""Requirements of an employer: what it asks of whoever has a role, works a line or does a task."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.employers.requirements import (
    LONGEST_NAME,
    MOST_ALTERNATIVES,
    MOST_NEEDS,
    RequirementKind,
)
from tracker.domain.permissions import Role
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import requirements
from tracker.services.employers.requirements import RequirementOnRecord

resource = Resource("requirements", __name__, description=__doc__)

PATH = "/employers/<uuid:employer_id>/requirements"
_ONE = f"{PATH}/<uuid:requirement_id>"
MAY_ASK: tuple[Role, ...] = ("employer", "staff")
_EXAMPLE = [[{"scheme": "cpt"}, {"scheme": "cpt", "module": "safety"}], [{"credential": "osha_10"}]]


class NeededProofSchema(ClosedSchema):
    """The certification of a scheme, a module of it, or a credential of another issuer."""

    scheme = WordsField(32)
    module = WordsField(32)
    credential = WordsField(32, metadata={"description": "A code of GET /credentials."})

    @validates_schema
    def _check(self, data: dict[str, Any], **_: object) -> None:
        if ("scheme" in data) == ("credential" in data):
            raise ValidationError("either scheme or credential is required", "scheme")
        if "module" in data and "scheme" not in data:
            raise ValidationError("goes with a scheme", "module")


def _needs(*, required: bool) -> fields.List[Any]:
    """Needs that must all be met, of each the alternatives."""
    alternatives = fields.List(
        fields.Nested(NeededProofSchema), validate=validate.Length(1, MOST_ALTERNATIVES)
    )
    about = "All must be met; of each need, one of its alternatives is enough."
    return fields.List(
        alternatives,
        required=required,
        validate=validate.Length(1, MOST_NEEDS),
        metadata={"description": about, "example": _EXAMPLE},
    )


class RequirementChangeSchema(ClosedSchema):
    """The fields that may be changed."""

    name = WordsField(LONGEST_NAME)
    kind = choice(*RequirementKind)
    needs = _needs(required=False)


class NewRequirementSchema(ClosedSchema):
    """A requirement to add."""

    name = WordsField(LONGEST_NAME, required=True)
    kind = choice(*RequirementKind, load_default=RequirementKind.ROLE)
    needs = _needs(required=True)


class RequirementSchema(Schema):
    """A requirement on record; ``ended_at`` is when it ceased to be asked for."""

    id = fields.UUID(required=True)
    employer_id = fields.UUID(required=True)
    name = fields.String(required=True)
    kind = choice(*RequirementKind, required=True)
    needs = _needs(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)


def _present(row: RequirementOnRecord) -> dict[str, object]:
    return {
        "id": row.id,
        "employer_id": row.employer_id,
        "name": row.name,
        "kind": row.kind,
        "needs": requirements.stored(row.needs),
        "recorded_at": row.recorded_at,
        "ended_at": row.ended_at,
    }


def _answer(row: RequirementOnRecord, status: int = 200) -> Response:
    where = f"/api/v1/employers/{row.employer_id}/requirements/{row.id}"
    created = status == 201  # noqa: PLR2004 - HTTP's own number
    return routing.answer(
        _present(row), status=status, version=row.version, location=where if created else None
    )


def stated(body: Loaded) -> dict[str, Any]:
    """What a body says of a requirement, as the services take it."""
    values = dict(body)
    if "kind" in values:
        values["kind"] = RequirementKind(values["kind"])
    if "needs" in values:
        values["needs"] = requirements.needs_of(values["needs"])
    return values


@resource.reads(
    f"GET {PATH}",
    *MAY_ASK,
    query=paging.PageSchema,
    returns=page_of(RequirementSchema),
    errors=(404,),
)
def of_employer(reading: ReadContext, query: Loaded, *, employer_id: str) -> Response:
    """What an employer asks for now."""
    rows = requirements.page(
        reading, employer_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, _present)


@resource.writes(
    f"POST {PATH}",
    *MAY_ASK,
    body=NewRequirementSchema,
    returns=RequirementSchema,
    status=201,
    errors=(404, 409),
)
def add(work: UnitOfWork, body: Loaded, *, employer_id: str) -> Response:
    """Add a requirement."""
    return _answer(requirements.add(work, employer_id, **stated(body)), 201)


@resource.reads(f"GET {_ONE}", *MAY_ASK, returns=RequirementSchema, errors=(404,))
def show(reading: ReadContext, *, employer_id: str, requirement_id: str) -> Response:
    """One requirement, also one that has ended."""
    return _answer(requirements.get(reading, employer_id, requirement_id))


@resource.writes(
    f"PATCH {_ONE}",
    *MAY_ASK,
    body=RequirementChangeSchema,
    returns=RequirementSchema,
    versioned=True,
    errors=(404, 409),
)
def change(
    work: UnitOfWork, body: Loaded, *, employer_id: str, requirement_id: str, version: int
) -> Response:
    """Change a requirement; what it asked before stands in the history."""
    row = requirements.change(work, employer_id, requirement_id, stated(body), version=version)
    return _answer(row)


@resource.writes(
    f"DELETE {_ONE}", *MAY_ASK, returns=None, status=204, versioned=True, errors=(404,)
)
def end(work: UnitOfWork, *, employer_id: str, requirement_id: str, version: int) -> Response:
    """End a requirement; it stays on record."""
    requirements.end(work, employer_id, requirement_id, version=version)
    return routing.done()
