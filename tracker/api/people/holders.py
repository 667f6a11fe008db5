"""Holders: people on record, and everything that is on record about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import available_timezones

from flask import Response
from marshmallow import Schema, ValidationError, fields

from tracker.api.credentials import assessments, certifications, renewals
from tracker.api.desk import requests
from tracker.api.http import paging, routing
from tracker.api.http.fields import (
    ClosedSchema,
    DayField,
    Email,
    NameField,
    NewReference,
    Sought,
    WordsField,
    choice,
)
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import AsOfSchema, Loaded, page_of
from tracker.api.points import activities
from tracker.domain.values import LONGEST_NAME, LONGEST_REFERENCE
from tracker.language.catalogues import LANGUAGES
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.desk import corrections
from tracker.services.overview import holder_records
from tracker.services.people import holders, names
from tracker.services.people.holders import HolderRow
from tracker.services.people.names import FormerNameRow

resource = Resource("holders", __name__, description=__doc__)


class TimeZone(fields.String):
    """An IANA time zone."""

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object
    ) -> str:
        name: str = super()._deserialize(value, attr, data, **kwargs)
        if name not in available_timezones():
            raise ValidationError("must be an IANA time zone such as America/Chicago")
        return name


class FormerNameSchema(Schema):
    """A name that was on record until a day."""

    given_name = fields.String(required=True)
    family_name = fields.String(required=True)
    until_on = DayField(required=True)


class HolderSchema(Schema):
    """A person on record."""

    id = fields.UUID(required=True)
    ref = fields.String(
        required=True, metadata={"description": "The holder's key in imported files."}
    )
    given_name = fields.String(required=True)
    family_name = fields.String(required=True)
    email = fields.String(required=True)
    second_email = fields.String(required=True, allow_none=True)
    email_confirmed = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether the address was recorded by staff or an import. An "
            "unconfirmed address is not used to find the holder."
        },
    )
    second_email_confirmed = fields.Boolean(required=True)
    language = choice(*LANGUAGES, required=True)
    time_zone = fields.String(required=True)
    deceased_on = DayField(required=True, allow_none=True)
    merged_into_id = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "The record of the same person to use instead of this one."},
    )
    recorded_at = fields.AwareDateTime(required=True)
    former_names = fields.List(
        fields.Nested(FormerNameSchema),
        required=True,
        metadata={"description": "Newest first."},
    )


class RegisteredSchema(HolderSchema):
    """A new person on record, with a warning if somebody on record looks like the same person."""

    warnings = fields.List(fields.String(), required=True)


class HolderValuesSchema(ClosedSchema):
    """What is recorded of a person."""

    given_name = NameField()
    family_name = NameField()
    email = Email(metadata={"description": "The primary and the personal address."})
    second_email = Email(allow_none=True)
    language = choice(*LANGUAGES)
    time_zone = TimeZone(metadata={"example": "America/Chicago"})


class HolderChangeSchema(HolderValuesSchema):
    """What may be changed. A holder requests a new name; staff change it at once."""

    deceased_on = DayField(
        allow_none=True,
        metadata={
            "description": "The day on which the person died (staff only): no more messages are "
            "sent, consents end, and no certification is shown as valid. Null undoes this, "
            "except for the consents."
        },
    )
    reason = WordsField(
        2000,
        metadata={"description": "Why; kept with the change, or with the request for a new name."},
    )


class RequestedChangeSchema(Schema):
    """What a holder requested, and the names of the fields that were changed at once."""

    request = fields.Nested(requests.RequestSchema, required=True)
    applied = fields.List(fields.String(), required=True)
    holder = fields.Nested(HolderSchema, required=True)


class NewHolderSchema(HolderValuesSchema):
    """A person to be recorded."""

    ref = NewReference(
        metadata={"description": "The holder's key in imported files. Default: the id."}
    )
    given_name = NameField(required=True)
    family_name = NameField(required=True)
    email = Email(required=True)


class HolderQuerySchema(paging.PageSchema):
    """Names match by their beginning, ignoring accents, case and hyphens; the rest exactly."""

    q = Sought(
        200,
        metadata={
            "description": "Beginnings of words of a current or former name in any order, the "
            "beginning of an email address, a certificate number, a ref or an employee_id."
        },
    )
    ref = Sought(LONGEST_REFERENCE)
    family_name = Sought(LONGEST_NAME)
    given_name = Sought(LONGEST_NAME)
    email = Sought(254)


class RecordSchema(Schema):
    """Everything on record about a person."""

    holder = fields.Nested(HolderSchema, required=True)
    assessments = fields.List(fields.Nested(assessments.AssessmentSchema), required=True)
    certifications = fields.List(fields.Nested(certifications.CertificationSchema), required=True)
    activities = fields.List(fields.Nested(activities.ActivitySchema), required=True)
    renewals = fields.List(fields.Nested(renewals.RenewalSchema), required=True)


def present(row: HolderRow, former: Sequence[FormerNameRow] = ()) -> dict[str, object]:
    """A holder's row and former names, in the form of the API."""
    shown = row._asdict()
    del shown["version"], shown["shows_modules"]
    shown["former_names"] = [
        {"given_name": f.given_name, "family_name": f.family_name, "until_on": f.until_on}
        for f in former
    ]
    return shown


def _present_one(reading: ReadContext, row: HolderRow) -> dict[str, object]:
    return present(row, names.of_holder(reading, row.id))


@resource.writes(
    "POST /holders",
    "staff",
    body=NewHolderSchema,
    returns=RegisteredSchema,
    status=201,
    errors=(409,),
)
def register(work: UnitOfWork, body: Loaded) -> Response:
    """Record a person; ``warnings`` say who looks like the same person."""
    made = corrections.register(work, body)
    row = made.holder
    return routing.answer(
        {**present(row), "warnings": made.warnings},
        status=201,
        version=row.version,
        location=f"/api/v1/holders/{row.id}",
    )


@resource.reads("GET /holders", "staff", query=HolderQuerySchema, returns=page_of(HolderSchema))
def search(reading: ReadContext, query: Loaded) -> Response:
    """Search the people on record."""
    filters = {key: value for key, value in query.items() if key not in {"after", "limit"}}
    rows = holders.search(
        reading, after=query.get("after"), limit=query["limit"] + 1, filters=filters
    )
    former = names.former(reading, [row.id for row in rows])
    return paging.answer(rows, query, lambda row: present(row, former.get(row.id, ())))


@resource.reads(
    "GET /holders/<uuid:holder_id>", "staff", "holder", returns=HolderSchema, errors=(404,)
)
def show(reading: ReadContext, *, holder_id: str) -> Response:
    """One person on record."""
    row = holders.get(reading, holder_id)
    return routing.answer(_present_one(reading, row), version=row.version)


@resource.writes(
    "PATCH /holders/<uuid:holder_id>",
    "staff",
    "holder",
    body=HolderChangeSchema,
    returns=HolderSchema,
    versioned=True,
    errors=(404,),
    accepts=RequestedChangeSchema,
)
def correct(work: UnitOfWork, body: Loaded, *, holder_id: str, version: int) -> Response:
    """Correct the record of a person.

    A holder who sends a new name requests it: the answer is 202 with the request, staff decide, and
    the other fields are changed at once.
    """
    reason = body.pop("reason", None)
    done = corrections.change(work, holder_id, body, version=version, reason=reason)
    shown = _present_one(work, done.holder)
    if done.request is None:
        return routing.answer(shown, version=done.holder.version)
    answer = {"request": requests.present(done.request), "applied": done.applied, "holder": shown}
    return routing.answer(
        answer,
        status=202,
        version=done.holder.version,
        location=f"/api/v1/requests/{done.request.id}",
    )


@resource.reads(
    "GET /holders/<uuid:holder_id>/record",
    "staff",
    "holder",
    query=AsOfSchema,
    returns=RecordSchema,
    errors=(404,),
    ahead=holder_records.AHEAD,
)
def record(reading: ReadContext, query: Loaded, *, holder_id: str) -> Response:
    """Everything on record about a person, with standings on ``as_of``."""
    found = holder_records.of_holder(reading, holder_id, on=query.get("as_of"))
    return routing.answer(
        {
            "holder": present(found.holder, found.former_names),
            "assessments": [assessments.present(row) for row in found.assessments],
            "certifications": [certifications.present(one) for one in found.certifications],
            "activities": activities.present_all(reading, found.activities),
            "renewals": [renewals.present(row) for row in found.renewals],
        }
    )
