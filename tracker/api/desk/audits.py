"""Audits of approved claims: drawn, answered by holders, settled one by one."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response
from marshmallow import Schema, fields, validate

from tracker.api.http import paging, routing
from tracker.api.http.fields import (
    AmountField,
    ClosedSchema,
    DayField,
    WordsField,
    choice,
    reason_code_field,
)
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.desk.audits import (
    LARGEST,
    AuditBasis,
    AuditOutcome,
    AuditState,
    AuditUnit,
    AuditVerdict,
    NoAnswer,
)
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.desk import audit_items, audit_repeats, audits
from tracker.services.desk.audit_effects import AuditEffects, AuditSituation
from tracker.services.desk.audit_items import AuditItemRow
from tracker.services.desk.audits import AuditRow, AuditToDraw, DrawnClaim
from tracker.services.desk.queue_order import FLAGS

resource = Resource("audits", __name__, description=__doc__)


class AuditToDrawSchema(ClosedSchema):
    """What to draw from, and how; a seed that draws twice a day from the same draws the same.

    ``from_on`` and ``until_on`` are days of approvals. ``reply_days`` may be left out where the
    scheme's policy says them.
    """

    scheme = WordsField(32, required=True)
    basis = choice(*AuditBasis, required=True)
    unit = choice(*AuditUnit, load_default=AuditUnit.ACTIVITY)
    seed = WordsField(64, required=True)
    from_on = DayField(required=True)
    until_on = DayField(required=True)
    cycle = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(1, 100)
    )
    percent = AmountField(load_default=None, allow_none=True)
    flag = choice(*FLAGS, load_default=None, allow_none=True)
    activity_ids = fields.List(
        fields.UUID(), load_default=list, validate=validate.Length(max=LARGEST)
    )
    reply_days = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(1, 3650)
    )
    reason = WordsField(2000, required=True)


class DrawnClaimSchema(Schema):
    """An activity that is drawn, and its approval."""

    id = fields.UUID(required=True)
    holder_id = fields.UUID(required=True)
    decision_id = fields.UUID(required=True)
    title = fields.String(required=True)


class SampleSchema(Schema):
    """What would be drawn, in the order of the draw, and from how many."""

    population = fields.Integer(required=True)
    population_digest = fields.String(required=True)
    drawn = fields.List(fields.Nested(DrawnClaimSchema), required=True)


class AuditFiguresSchema(Schema):
    """How many were drawn, and what became of each; ``unanswered`` are asked, and reminded."""

    drawn = fields.Integer(required=True)
    asked = fields.Integer(required=True)
    answered = fields.Integer(required=True)
    confirmed = fields.Integer(required=True)
    reduced = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    called_off = fields.Integer(required=True)
    unanswered = fields.Integer(required=True)
    appealed = fields.Integer(required=True)
    points_removed = AmountField(required=True)


class AuditSchema(Schema):
    """An audit as it was drawn."""

    id = fields.UUID(required=True)
    scheme = fields.String(required=True)
    basis = choice(*AuditBasis, required=True)
    unit = choice(*AuditUnit, required=True)
    seed = fields.String(required=True)
    drawn_on = DayField(required=True)
    from_on = DayField(required=True)
    until_on = DayField(required=True)
    cycle = fields.Integer(required=True, allow_none=True)
    percent = AmountField(required=True, allow_none=True)
    flag = choice(*FLAGS, required=True, allow_none=True)
    population = fields.Integer(required=True)
    population_digest = fields.String(required=True)
    reply_days = fields.Integer(required=True)
    no_answer = choice(*NoAnswer, required=True)
    reason = fields.String(required=True)
    drawn_by = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)


class AuditWithFiguresSchema(AuditSchema):
    """The same with its figures."""

    figures = fields.Nested(AuditFiguresSchema, required=True)


class RepeatedDrawSchema(Schema):
    """Whether the draw, made again, yields the same; else the activities that differ."""

    population = fields.Integer(required=True)
    same_population = fields.Boolean(required=True)
    same_sample = fields.Boolean(required=True)
    missing = fields.List(fields.UUID(), required=True)
    added = fields.List(fields.UUID(), required=True)


class MyAuditItemSchema(Schema):
    """An audited activity, as its holder sees it."""

    id = fields.UUID(required=True)
    activity_id = fields.UUID(required=True)
    scheme = fields.String(required=True)
    title = fields.String(required=True)
    state = choice(*AuditState, required=True)
    due_on = DayField(required=True)
    reminders = fields.Integer(required=True)
    answer = fields.String(required=True, allow_none=True)
    answered_at = fields.AwareDateTime(required=True, allow_none=True)
    points = AmountField(required=True, allow_none=True)
    reason_code = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    appeal = fields.String(required=True, allow_none=True)
    appealed_on = DayField(required=True, allow_none=True)
    appeal_due_on = DayField(required=True, allow_none=True)
    appeal_decided_at = fields.AwareDateTime(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)


class AuditItemSchema(MyAuditItemSchema):
    """An audited activity; ``points_before`` and ``_after`` are those of its cycle."""

    audit_id = fields.UUID(required=True)
    holder_id = fields.UUID(required=True)
    given_name = fields.String(required=True)
    family_name = fields.String(required=True)
    place = fields.Integer(required=True)
    points_before = AmountField(required=True, allow_none=True)
    points_after = AmountField(required=True, allow_none=True)
    decided_by = fields.String(required=True, allow_none=True)


class AuditQuerySchema(paging.PageSchema):
    """Those of one scheme."""

    scheme = fields.String()


class AuditItemQuerySchema(paging.PageSchema):
    """Those in one state."""

    state = choice(*AuditState)


class AuditAnswerSchema(ClosedSchema):
    """What the holder says; evidence is added to the activity."""

    answer = WordsField(20_000, required=True)


class AuditAppealSchema(ClosedSchema):
    """Why the outcome is wrong."""

    statement = WordsField(20_000, required=True)


class AuditOutcomeSchema(ClosedSchema):
    """An outcome with what it needs.

    ``reduced`` needs ``points``, the most that the activity may bring; it and ``rejected`` need a
    ``reason_code`` and a reason. A later outcome needs a reason, and so does calling off.
    """

    outcome = choice(*AuditOutcome, required=True)
    points = AmountField(load_default=None, allow_none=True)
    reason_code = reason_code_field(allow_none=True)
    reason = WordsField(2000, load_default=None, allow_none=True)


class AppliedPointsSchema(Schema):
    """An application, and the points of what was submitted for it in time."""

    renewal_id = fields.UUID(required=True)
    submitted_on = DayField(required=True)
    decision = choice(*RenewalVerdict, required=True, allow_none=True)
    total = AmountField(required=True)
    required = AmountField(required=True)
    complete = fields.Boolean(required=True)


class AuditSituationSchema(Schema):
    """The points of the activity's cycle, and the certification today."""

    points = AmountField(required=True, allow_none=True)
    status = fields.String(required=True, allow_none=True)
    valid = fields.Boolean(required=True)
    expires_on = DayField(required=True, allow_none=True)
    applications = fields.List(fields.Nested(AppliedPointsSchema), required=True)


class AuditEffectsSchema(Schema):
    """What an outcome would bring.

    ``fallen`` are the applications that would lack points. An approved one stays approved until
    somebody decides it again; one that waits is denied where nothing more can come.
    """

    before = fields.Nested(AuditSituationSchema, required=True)
    after = fields.Nested(AuditSituationSchema, required=True)
    fallen = fields.List(fields.Nested(AppliedPointsSchema), required=True)


def wanted(body: Loaded) -> AuditToDraw:
    """What a body asks to draw."""
    given = dict(body) | {"activity_ids": [str(id_) for id_ in body["activity_ids"]]}
    given["basis"], given["unit"] = AuditBasis(body["basis"]), AuditUnit(body["unit"])
    return AuditToDraw(**given)


def verdict(body: Loaded) -> AuditVerdict:
    """The outcome that a body states."""
    return AuditVerdict(
        AuditOutcome(body["outcome"]), body["points"], body.get("reason_code"), body["reason"]
    )


def _claim(claim: DrawnClaim) -> dict[str, object]:
    return claim._asdict()


def _audit(row: AuditRow) -> dict[str, object]:
    return row._asdict()


def _item(row: AuditItemRow) -> dict[str, object]:
    shown = row._asdict()
    del shown["version"]
    return shown


def _mine(row: AuditItemRow) -> dict[str, object]:
    names = MyAuditItemSchema._declared_fields  # noqa: SLF001 - marshmallow's own list
    return {name: getattr(row, name) for name in names}


def _situation(one: AuditSituation) -> dict[str, object]:
    return asdict(one) | {"applications": [asdict(a) for a in one.applications.values()]}


def _effects(effects: AuditEffects) -> dict[str, object]:
    return {
        "before": _situation(effects.before),
        "after": _situation(effects.after),
        "fallen": [asdict(one) for one in effects.fallen],
    }


def _answer(reading: ReadContext, item_id: str) -> Response:
    row = audit_items.get(reading, item_id)
    return routing.answer(_item(row), version=row.version)


def _my_answer(reading: ReadContext, item_id: str) -> Response:
    return routing.answer(_mine(audit_items.get(reading, item_id)))


# Audits.
@resource.writes(
    "POST /audits/preview", "staff", body=AuditToDrawSchema, returns=SampleSchema, errors=(409,)
)
def preview_draw(work: UnitOfWork, body: Loaded) -> Response:
    """What would be drawn now; nothing is recorded and nobody is asked."""
    found = audits.sample(work, wanted(body))
    drawn = [_claim(claim) for claim in found.drawn]
    figures = {"population": found.population, "population_digest": found.digest}
    return routing.answer({**figures, "drawn": drawn})


@resource.writes(
    "POST /audits",
    "staff",
    body=AuditToDrawSchema,
    returns=AuditSchema,
    status=201,
    errors=(409,),
)
def draw(work: UnitOfWork, body: Loaded) -> Response:
    """Draw an audit, record it, and ask every holder concerned."""
    row = audits.get(work, audits.draw(work, wanted(body)))
    return routing.answer(_audit(row), status=201, location=f"/api/v1/audits/{row.id}")


@resource.reads(
    "GET /audits", "reviewer", "staff", query=AuditQuerySchema, returns=page_of(AuditSchema)
)
def search(reading: ReadContext, query: Loaded) -> Response:
    """The audits, oldest first."""
    rows = audits.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, scheme=query.get("scheme")
    )
    return paging.answer(rows, query, _audit)


@resource.reads("GET /audits/figures", "reviewer", "staff", returns=AuditFiguresSchema)
def figures(reading: ReadContext) -> Response:
    """What became of all audits' activities."""
    return routing.answer(asdict(audits.figures(reading)))


@resource.reads(
    "GET /audits/<uuid:audit_id>",
    "reviewer",
    "staff",
    returns=AuditWithFiguresSchema,
    errors=(404,),
)
def show(reading: ReadContext, *, audit_id: str) -> Response:
    """One audit with its figures."""
    row = audits.get(reading, audit_id)
    return routing.answer(_audit(row) | {"figures": asdict(audits.figures(reading, audit_id))})


@resource.reads(
    "GET /audits/<uuid:audit_id>/repetition", "staff", returns=RepeatedDrawSchema, errors=(404,)
)
def repeat(reading: ReadContext, *, audit_id: str) -> Response:
    """The draw made again from what was on record then, compared with what was drawn."""
    return routing.answer(audit_repeats.repeat(reading, audit_id)._asdict())


@resource.reads(
    "GET /audits/<uuid:audit_id>/items",
    "reviewer",
    "staff",
    query=AuditItemQuerySchema,
    returns=page_of(AuditItemSchema),
    errors=(404,),
)
def items(reading: ReadContext, query: Loaded, *, audit_id: str) -> Response:
    """What an audit drew."""
    audits.get(reading, audit_id)
    filters = {"audit_id": audit_id, **({"state": query["state"]} if "state" in query else {})}
    rows = audit_items.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, filters=filters
    )
    return paging.answer(rows, query, _item)


# Audited activities.
@resource.reads(
    "GET /audits/items/<uuid:item_id>",
    "reviewer",
    "staff",
    returns=AuditItemSchema,
    errors=(404,),
)
def show_item(reading: ReadContext, *, item_id: str) -> Response:
    """One audited activity."""
    return _answer(reading, item_id)


@resource.writes(
    "POST /audits/items/<uuid:item_id>/preview",
    "reviewer",
    "staff",
    body=AuditOutcomeSchema,
    returns=AuditEffectsSchema,
    versioned=True,
    errors=(404, 409),
)
def preview_outcome(work: UnitOfWork, body: Loaded, *, item_id: str, version: int) -> Response:
    """What an outcome would bring: points, standing, and applications that would no longer fit."""
    return routing.answer(
        _effects(audit_items.preview(work, item_id, verdict(body), version=version))
    )


@resource.writes(
    "POST /audits/items/<uuid:item_id>/decision",
    "reviewer",
    "staff",
    body=AuditOutcomeSchema,
    returns=AuditItemSchema,
    versioned=True,
    errors=(404, 409),
)
def decide(work: UnitOfWork, body: Loaded, *, item_id: str, version: int) -> Response:
    """Settle an audited activity, or otherwise later; never one's own record or decision."""
    audit_items.decide(work, item_id, verdict(body), version=version)
    return _answer(work, item_id)


# By the holder.
@resource.reads(
    "GET /me/audits", "holder", query=paging.PageSchema, returns=page_of(MyAuditItemSchema)
)
def mine(reading: ReadContext, query: Loaded) -> Response:
    """The caller's audited activities, oldest first."""
    rows = audit_items.page(reading, after=query.get("after"), limit=query["limit"] + 1, filters={})
    return paging.answer(rows, query, _mine)


@resource.writes(
    "POST /me/audits/<uuid:item_id>/answer",
    "holder",
    body=AuditAnswerSchema,
    returns=MyAuditItemSchema,
    errors=(404, 409),
)
def answer(work: UnitOfWork, body: Loaded, *, item_id: str) -> Response:
    """Answer an audit; evidence is added by POST /activities/{id}/evidence."""
    audit_items.answer(work, item_id, text=body["answer"])
    return _my_answer(work, item_id)


@resource.writes(
    "POST /me/audits/<uuid:item_id>/appeal",
    "holder",
    body=AuditAppealSchema,
    returns=MyAuditItemSchema,
    errors=(404, 409),
)
def appeal(work: UnitOfWork, body: Loaded, *, item_id: str) -> Response:
    """Appeal against an outcome that took points; somebody uninvolved decides."""
    audit_items.appeal(work, item_id, statement=body["statement"])
    return _my_answer(work, item_id)
