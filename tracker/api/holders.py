"""Holders: people on record, and everything that is on record about them."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from flask import Response
from marshmallow import Schema, ValidationError, fields, validate

from tracker.api import activities, assessments, certifications, doors, paging, renewals
from tracker.api.doors import Nouns
from tracker.api.fields import Closed, Email, Words, choice
from tracker.api.schemas import AsOf, page_of
from tracker.services import holders, records
from tracker.services.work import Reading, Work

nouns = Nouns("holders", __name__, description=__doc__)


class TimeZone(fields.String):
    """An IANA time zone."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        name: str = super()._deserialize(value, attr, data, **kwargs)
        if name not in available_timezones():
            raise ValidationError("must be an IANA time zone such as America/Chicago")
        return name


class Holder(Schema):
    """A person on record."""

    id = fields.UUID(required=True)
    ref = fields.String(required=True, metadata={"description": "The key in imported files."})
    given_name = fields.String(required=True)
    family_name = fields.String(required=True)
    email = fields.String(required=True)
    second_email = fields.String(required=True, allow_none=True)
    language = choice("en", "es", required=True)
    time_zone = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)


class HolderChange(Closed):
    """What may be corrected."""

    given_name = Words(100)
    family_name = Words(100)
    email = Email(metadata={"description": "Primary and personal."})
    second_email = Email(allow_none=True)
    language = choice("en", "es")
    time_zone = TimeZone(metadata={"example": "America/Chicago"})


class NewHolder(HolderChange):
    """A person to be put on record."""

    ref = fields.String(
        validate=validate.Regexp(r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}\Z"),
        metadata={"description": "The key in imported files; the id if not given."},
    )
    given_name = Words(100, required=True)
    family_name = Words(100, required=True)
    email = Email(required=True)


class HolderQuery(paging.Page):
    """Names match by their start, everything else exactly."""

    ref = Words(64)
    family_name = Words(100)
    given_name = Words(100)
    email = Words(254)


class Record(Schema):
    """Everything on record about a person."""

    holder = fields.Nested(Holder, required=True)
    assessments = fields.List(fields.Nested(assessments.Assessment), required=True)
    certifications = fields.List(fields.Nested(certifications.Certification), required=True)
    activities = fields.List(fields.Nested(activities.Activity), required=True)
    renewals = fields.List(fields.Nested(renewals.Renewal), required=True)


def present(row: Any) -> dict[str, Any]:
    """A holder's row as the interface shows it."""
    shown = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public accessor
    del shown["version"]
    return shown


@nouns.writes("POST /holders", "staff", body=NewHolder, returns=Holder, status=201, errors=(409,))
def register(work: Work, body: dict[str, Any]) -> Response:
    """Put a person on record."""
    row = holders.register(work, body)
    return doors.answer(
        present(row), status=201, version=row.version, location=f"/api/v1/holders/{row.id}"
    )


@nouns.reads("GET /holders", "staff", query=HolderQuery, returns=page_of(Holder))
def search(reading: Reading, query: dict[str, Any]) -> Response:
    """Search the people on record."""
    filters = {key: value for key, value in query.items() if key not in {"after", "limit"}}
    rows = holders.search(
        reading, after=query.get("after"), limit=query["limit"] + 1, filters=filters
    )
    return paging.answer(rows, query, present)


@nouns.reads("GET /holders/<uuid:holder_id>", "staff", "holder", returns=Holder, errors=(404,))
def show(reading: Reading, *, holder_id: str) -> Response:
    """One person on record."""
    row = holders.get(reading, holder_id)
    return doors.answer(present(row), version=row.version)


@nouns.writes(
    "PATCH /holders/<uuid:holder_id>",
    "staff",
    "holder",
    body=HolderChange,
    returns=Holder,
    versioned=True,
    errors=(404,),
)
def correct(work: Work, body: dict[str, Any], *, holder_id: str, version: int) -> Response:
    """Correct what is recorded of a person."""
    row = holders.correct(work, holder_id, body, version=version)
    return doors.answer(present(row), version=row.version)


@nouns.reads(
    "GET /holders/<uuid:holder_id>/record",
    "staff",
    "holder",
    query=AsOf,
    returns=Record,
    errors=(404,),
    ahead=records.AHEAD,
)
def record(reading: Reading, query: dict[str, Any], *, holder_id: str) -> Response:
    """Everything on record about a person, with standings on ``as_of``."""
    found = records.of_holder(reading, holder_id, on=query.get("as_of"))
    return doors.answer(
        {
            "holder": present(found.holder),
            "assessments": [assessments.present(row) for row in found.assessments],
            "certifications": [certifications.present(one) for one in found.certifications],
            "activities": activities.present_all(reading, found.activities),
            "renewals": [renewals.present(row) for row in found.renewals],
        }
    )
