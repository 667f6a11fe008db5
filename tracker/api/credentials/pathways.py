"""Pathways: the steps that people of one kind usually take, and where somebody stands."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import routing
from tracker.api.http.fields import AmountField, ClosedSchema, DayField, WordsField, by_language
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.domain.schemes.pathways import Pathway, PathwayStep
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import pathways
from tracker.services.credentials.pathways import ChosenPathway
from tracker.services.people import holders

resource = Resource("pathways", __name__, description=__doc__)


class CostRangeSchema(Schema):
    """What a step usually costs, both ends included, in US dollars."""

    at_least = AmountField(required=True)
    at_most = AmountField(required=True)


class PathwayStepSchema(Schema):
    """A step; ``verified``: its facts were checked. What is null, or empty, is unknown."""

    code = fields.String(required=True)
    name = by_language()
    typical_time = by_language(allow_none=True)
    cost = fields.Nested(CostRangeSchema, required=True, allow_none=True)
    paid_by = fields.List(
        fields.String(), required=True, metadata={"description": "Who usually pays."}
    )
    source = fields.String(required=True)
    verified = fields.Boolean(required=True)


class PathwaySchema(Schema):
    """A pathway with its steps."""

    code = fields.String(required=True)
    name = by_language()
    steps = fields.List(fields.Nested(PathwayStepSchema), required=True)


class StepProgressSchema(PathwayStepSchema):
    """A step, and the day on which it was completed."""

    done_on = DayField(required=True, allow_none=True)


class ChosenPathwaySchema(Schema):
    """A pathway that somebody is on; ``next`` is null once all steps are completed."""

    choice_id = fields.UUID(required=True)
    pathway = fields.String(required=True)
    name = by_language()
    chosen_at = fields.AwareDateTime(required=True)
    steps = fields.List(fields.Nested(StepProgressSchema), required=True)
    next = fields.Nested(PathwayStepSchema, required=True, allow_none=True)


class NewPathwaySchema(ClosedSchema):
    """The pathway to be on."""

    pathway = WordsField(32, required=True, metadata={"example": "career_changer"})


def _present_step(step: PathwayStep) -> dict[str, object]:
    cost = step.cost
    return {
        "code": step.code,
        "name": step.name,
        "typical_time": step.typical_time,
        "cost": {"at_least": cost.at_least, "at_most": cost.at_most} if cost else None,
        "paid_by": list(step.paid_by),
        "source": step.provenance.source,
        "verified": step.provenance.verified,
    }


def _present_pathway(pathway: Pathway) -> dict[str, object]:
    steps = [_present_step(step) for step in pathway.steps]
    return {"code": pathway.code, "name": pathway.name, "steps": steps}


def present(chosen: Sequence[ChosenPathway]) -> list[dict[str, object]]:
    """Where somebody stands on their pathways, in the form of the API."""
    return [
        {
            "choice_id": choice.id,
            "pathway": choice.pathway,
            "name": progress.pathway.name,
            "chosen_at": choice.recorded_at,
            "steps": [
                {**_present_step(one.step), "done_on": one.done_on} for one in progress.steps
            ],
            "next": _present_step(progress.next) if progress.next else None,
        }
        for choice, progress in chosen
    ]


@resource.reads("GET /pathways", public=True, returns=PathwaySchema(many=True))
def catalog(reading: ReadContext) -> Response:
    """All pathways."""
    return routing.answer([_present_pathway(one) for one in reading.pathways.values()])


@resource.reads("GET /me/pathways", "holder", returns=ChosenPathwaySchema(many=True))
def mine(reading: ReadContext) -> Response:
    """Where the caller stands on their pathways, and the next step of each."""
    holder_id = reading.actor.holder_id
    return routing.answer(present(pathways.of_holder(reading, holder_id) if holder_id else ()))


@resource.reads(
    "GET /holders/<uuid:holder_id>/pathways",
    "holder",
    "staff",
    returns=ChosenPathwaySchema(many=True),
    errors=(404,),
)
def of_holder(reading: ReadContext, *, holder_id: str) -> Response:
    """Where a person stands on their pathways, and the next step of each."""
    holders.get(reading, holder_id)
    return routing.answer(present(pathways.of_holder(reading, holder_id)))


@resource.writes(
    "POST /holders/<uuid:holder_id>/pathways",
    "holder",
    "staff",
    body=NewPathwaySchema,
    returns=ChosenPathwaySchema(many=True),
    status=201,
    errors=(404, 409),
)
def choose(work: UnitOfWork, body: Loaded, *, holder_id: str) -> Response:
    """Put a person on a pathway; one may be on several."""
    holders.get(work, holder_id)
    pathways.choose(work, holder_id, body["pathway"])
    return routing.answer(present(pathways.of_holder(work, holder_id)), status=201)


@resource.writes(
    "POST /pathway-choices/<uuid:choice_id>/end",
    "holder",
    "staff",
    returns=None,
    status=204,
    errors=(404, 409),
)
def leave(work: UnitOfWork, *, choice_id: str) -> Response:
    """Take a person off a pathway; it can be chosen again."""
    pathways.leave(work, choice_id)
    return routing.done()
