"""What employers sign for their workers: months of employment, permissions to work meanwhile."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields, validate

from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, DayField, WordsField
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import confirmations, employers, work_permissions
from tracker.services.employers.confirmations import ConfirmationRow, DueWorker
from tracker.services.employers.work_permissions import WorkPermissionRow
from tracker.services.people import holders

resource = Resource("confirmations", __name__, description=__doc__)


class NewConfirmationSchema(ClosedSchema):
    """The year to confirm for a worker; without days, those since the worker was listed."""

    entry_id = fields.UUID(required=True)
    year = fields.Integer(strict=True, required=True, validate=validate.Range(2000, 2100))
    starts_on = DayField()
    ends_on = DayField()


class SigningEndSchema(ClosedSchema):
    """Why it ends."""

    reason = WordsField(500, required=True)


class ContestSchema(ClosedSchema):
    """What is wrong with it, in the holder's words."""

    statement = WordsField(500, required=True)


class DirectConfirmationSchema(SigningEndSchema):
    """Whether what the employer confirms counts without a reviewer, and why that changes."""

    confirms_directly = fields.Boolean(required=True, truthy={True}, falsy={False})


class ConfirmationSchema(Schema):
    """The days of a year that an employer confirmed; ``counts``: it is evidence today."""

    id = fields.UUID(required=True)
    holder_id = fields.UUID(required=True)
    person = fields.String(required=True)
    employer_id = fields.UUID(required=True)
    employer = fields.String(required=True)
    year = fields.Integer(required=True)
    starts_on = DayField(required=True)
    ends_on = DayField(required=True)
    signed_by = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    counts = fields.Boolean(required=True)
    contested_at = fields.AwareDateTime(required=True, allow_none=True)
    contest = fields.String(required=True, allow_none=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)
    withdrawn_by = fields.String(required=True, allow_none=True)
    withdrawn_reason = fields.String(required=True, allow_none=True)


class YearToConfirmSchema(Schema):
    """A year that is over, and the days of it that are on the employer's list."""

    year = fields.Integer(required=True)
    starts_on = DayField(required=True)
    ends_on = DayField(required=True)


class DueWorkerSchema(Schema):
    """A worker who shares, and the years to confirm."""

    entry_id = fields.UUID(required=True)
    employee_id = fields.String(required=True)
    person = fields.String(required=True)
    years = fields.List(fields.Nested(YearToConfirmSchema), required=True)


class MissingYearsSchema(Schema):
    """The years that an employer has not confirmed."""

    employer = fields.String(required=True)
    years = fields.List(fields.Integer(), required=True)


class MissingSchema(Schema):
    """What is missing, by employer."""

    items = fields.List(fields.Nested(MissingYearsSchema), required=True)


class NewWorkPermissionSchema(ClosedSchema):
    """A permission to work while the worker's renewal is decided, in the employer's words."""

    entry_id = fields.UUID(required=True)
    words = WordsField(500, required=True)
    starts_on = DayField()
    ends_on = DayField(required=True)


class WorkPermissionSchema(Schema):
    """An employer's own permission, which is no certification; ``in_force``: today."""

    id = fields.UUID(required=True)
    holder_id = fields.UUID(required=True)
    person = fields.String(required=True)
    employer_id = fields.UUID(required=True)
    employer = fields.String(required=True)
    starts_on = DayField(required=True)
    ends_on = DayField(required=True)
    words = fields.String(required=True)
    given_by = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    in_force = fields.Boolean(required=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)
    ended_by = fields.String(required=True, allow_none=True)
    end_reason = fields.String(required=True, allow_none=True)


def _present(row: ConfirmationRow) -> dict[str, object]:
    shown = row._asdict() | {"employer": row.name, "counts": row.counts}
    return shown | {"person": f"{row.given_name} {row.family_name}"}


def _present_due(one: DueWorker) -> dict[str, object]:
    worker = one.worker
    return {
        "entry_id": worker.entry_id,
        "employee_id": worker.employee_id,
        "person": f"{worker.given_name} {worker.family_name}",
        "years": [
            {
                "year": year.year,
                "starts_on": year.period.starts_on,
                "ends_on": year.period.ends_on,
            }
            for year in one.years
        ],
    }


def _answer(reading: ReadContext, confirmation_id: str, status: int = 200) -> Response:
    return routing.answer(_present(confirmations.get(reading, confirmation_id)), status=status)


@resource.reads(
    "GET /employers/<uuid:employer_id>/confirmations/due",
    "employer",
    "staff",
    query=paging.PageSchema,
    returns=page_of(DueWorkerSchema),
    errors=(404,),
)
def due(reading: ReadContext, query: Loaded, *, employer_id: str) -> Response:
    """The workers who share, each with the years that are over and not confirmed."""
    rows = confirmations.due(
        reading, employer_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, _present_due, key=lambda one: one.worker.entry_id)


@resource.reads(
    "GET /employers/<uuid:employer_id>/confirmations",
    "employer",
    "staff",
    query=paging.PageSchema,
    returns=page_of(ConfirmationSchema),
    errors=(404,),
)
def of_employer(reading: ReadContext, query: Loaded, *, employer_id: str) -> Response:
    """What the employer confirmed, also what no longer stands."""
    employers.get(reading, employer_id)
    rows = confirmations.page(
        reading, employer_id=employer_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, _present)


@resource.writes(
    "POST /employers/<uuid:employer_id>/confirmations",
    "employer",
    body=NewConfirmationSchema,
    returns=ConfirmationSchema,
    status=201,
    errors=(404, 409),
)
def confirm(work: UnitOfWork, body: Loaded, *, employer_id: str) -> Response:
    """Confirm that a worker was employed in a year; nobody confirms for themselves."""
    entry_id, year = str(body.pop("entry_id")), body.pop("year")
    made = confirmations.confirm(work, employer_id, entry_id, year, **body)
    return _answer(work, made, status=201)


@resource.writes(
    "POST /employers/<uuid:employer_id>/direct-confirmation",
    "staff",
    body=DirectConfirmationSchema,
    returns=None,
    status=204,
    errors=(404, 409),
)
def trust(work: UnitOfWork, body: Loaded, *, employer_id: str) -> Response:
    """Have what an employer confirms count without a reviewer from now on, or no longer."""
    confirmations.trust(
        work, employer_id, directly=body["confirms_directly"], reason=body["reason"]
    )
    return Response(status=204)


@resource.writes(
    "POST /confirmations/<uuid:confirmation_id>/withdrawal",
    "employer",
    "staff",
    body=SigningEndSchema,
    returns=ConfirmationSchema,
    errors=(404, 409),
)
def withdraw(work: UnitOfWork, body: Loaded, *, confirmation_id: str) -> Response:
    """Take a confirmation back; another one may follow."""
    confirmations.withdraw(work, confirmation_id, reason=body["reason"])
    return _answer(work, confirmation_id)


@resource.writes(
    "POST /confirmations/<uuid:confirmation_id>/contest",
    "holder",
    body=ContestSchema,
    returns=ConfirmationSchema,
    errors=(404, 409),
)
def contest(work: UnitOfWork, body: Loaded, *, confirmation_id: str) -> Response:
    """Say that a confirmation is wrong: it is no evidence until that is taken back."""
    confirmations.contest(work, confirmation_id, statement=body["statement"])
    return _answer(work, confirmation_id)


@resource.writes(
    "POST /confirmations/<uuid:confirmation_id>/contest/end",
    "holder",
    returns=ConfirmationSchema,
    errors=(404, 409),
)
def end_contest(work: UnitOfWork, *, confirmation_id: str) -> Response:
    """Say that it is right after all."""
    confirmations.end_contest(work, confirmation_id)
    return _answer(work, confirmation_id)


@resource.reads(
    "GET /holders/<uuid:holder_id>/confirmations",
    "holder",
    "staff",
    query=paging.PageSchema,
    returns=page_of(ConfirmationSchema),
    errors=(404,),
)
def of_holder(reading: ReadContext, query: Loaded, *, holder_id: str) -> Response:
    """Who confirmed which months of a person's employment."""
    holders.get(reading, holder_id)
    rows = confirmations.page(
        reading, holder_id=holder_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, _present)


@resource.reads(
    "GET /holders/<uuid:holder_id>/confirmations/missing",
    "holder",
    "staff",
    returns=MissingSchema,
    errors=(404,),
)
def missing(reading: ReadContext, *, holder_id: str) -> Response:
    """The years that are over and that employers have not confirmed."""
    found = confirmations.missing(reading, holder_id)
    items = [{"employer": one.employer, "years": [*one.years]} for one in found]
    return routing.answer({"items": items})


# Permissions to work while a renewal is decided.
def _present_permission(reading: ReadContext, row: WorkPermissionRow) -> dict[str, object]:
    shown = row._asdict() | {
        "employer": row.name,
        "in_force": row.is_in_force(employers.today(reading)),
    }
    return shown | {"person": f"{row.given_name} {row.family_name}"}


def _permission(reading: ReadContext, permission_id: str, status: int = 200) -> Response:
    row = work_permissions.get(reading, permission_id)
    return routing.answer(_present_permission(reading, row), status=status)


@resource.writes(
    "POST /employers/<uuid:employer_id>/work-permissions",
    "employer",
    body=NewWorkPermissionSchema,
    returns=WorkPermissionSchema,
    status=201,
    errors=(404, 409),
)
def permit(work: UnitOfWork, body: Loaded, *, employer_id: str) -> Response:
    """Permit a worker to work while the renewal is decided; this is no certification."""
    made = work_permissions.give(work, employer_id, str(body.pop("entry_id")), **body)
    return _permission(work, made, status=201)


@resource.reads(
    "GET /employers/<uuid:employer_id>/work-permissions",
    "employer",
    "staff",
    query=paging.PageSchema,
    returns=page_of(WorkPermissionSchema),
    errors=(404,),
)
def permissions_of_employer(reading: ReadContext, query: Loaded, *, employer_id: str) -> Response:
    """The employer's permissions, also those that have ended."""
    employers.get(reading, employer_id)
    rows = work_permissions.page(
        reading, employer_id=employer_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, lambda row: _present_permission(reading, row))


@resource.reads(
    "GET /holders/<uuid:holder_id>/work-permissions",
    "holder",
    "staff",
    query=paging.PageSchema,
    returns=page_of(WorkPermissionSchema),
    errors=(404,),
)
def permissions_of_holder(reading: ReadContext, query: Loaded, *, holder_id: str) -> Response:
    """What a person's employers permit."""
    holders.get(reading, holder_id)
    rows = work_permissions.page(
        reading, holder_id=holder_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, lambda row: _present_permission(reading, row))


@resource.writes(
    "POST /work-permissions/<uuid:permission_id>/end",
    "employer",
    "staff",
    body=SigningEndSchema,
    returns=WorkPermissionSchema,
    errors=(404, 409),
)
def end_permission(work: UnitOfWork, body: Loaded, *, permission_id: str) -> Response:
    """End a permission before its last day."""
    work_permissions.end(work, permission_id, reason=body["reason"])
    return _permission(work, permission_id)
