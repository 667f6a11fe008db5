"""Holders: people on record, and everything that is on record about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import available_timezones

from flask import Response
from marshmallow import Schema, ValidationError, fields

from tracker.api import activities, assessments, certifications, doors, paging, renewals, requests
from tracker.api.doors import Nouns
from tracker.api.fields import Closed, Day, Email, Name, NewReference, Sought, Words, choice
from tracker.api.schemas import AsOf, page_of
from tracker.domain.values import LONGEST_NAME, LONGEST_REFERENCE
from tracker.services import holders, names, people, records
from tracker.services.work import Reading, Work

nouns = Nouns("holders", __name__, description=__doc__)


class TimeZone(fields.String):
    """An IANA time zone."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        name: str = super()._deserialize(value, attr, data, **kwargs)
        if name not in available_timezones():
            raise ValidationError("must be an IANA time zone such as America/Chicago")
        return name


class FormerName(Schema):
    """A name that was on record until a day."""

    given_name = fields.String(required=True)
    family_name = fields.String(required=True)
    until_on = Day(required=True)


class Holder(Schema):
    """A person on record."""

    id = fields.UUID(required=True)
    ref = fields.String(required=True, metadata={"description": "The key in imported files."})
    given_name = fields.String(required=True)
    family_name = fields.String(required=True)
    email = fields.String(required=True)
    second_email = fields.String(required=True, allow_none=True)
    email_confirmed = fields.Boolean(
        required=True,
        metadata={"description": "Recorded by the staff or a file; otherwise it means nobody."},
    )
    second_email_confirmed = fields.Boolean(required=True)
    language = choice("en", "es", required=True)
    time_zone = fields.String(required=True)
    deceased_on = Day(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)
    former_names = fields.List(
        fields.Nested(FormerName), required=True, metadata={"description": "The newest first."}
    )


class Registered(Holder):
    """A new person on record, with what may be wrong: somebody who looks like the same person."""

    warnings = fields.List(fields.String(), required=True)


class HolderValues(Closed):
    """What is recorded of a person."""

    given_name = Name()
    family_name = Name()
    email = Email(metadata={"description": "Primary and personal."})
    second_email = Email(allow_none=True)
    language = choice("en", "es")
    time_zone = TimeZone(metadata={"example": "America/Chicago"})


class HolderChange(HolderValues):
    """What may be changed. A holder asks for another name; the staff change it at once."""

    deceased_on = Day(
        allow_none=True,
        metadata={
            "description": "The day on which the person died, for the staff only: no message is"
            " sent to them any more, consents end, and nothing is verified as valid. Null takes it"
            " back, except for the consents."
        },
    )
    reason = Words(
        2000, metadata={"description": "Why, kept with the change or the request for a name."}
    )


class RequestedChange(Schema):
    """What a holder asked for, and what was changed at once: the names of the fields."""

    request = fields.Nested(requests.Request, required=True)
    applied = fields.List(fields.String(), required=True)
    holder = fields.Nested(Holder, required=True)


class NewHolder(HolderValues):
    """A person to be put on record."""

    ref = NewReference(metadata={"description": "The key in imported files; the id if not given."})
    given_name = Name(required=True)
    family_name = Name(required=True)
    email = Email(required=True)


class HolderQuery(paging.Page):
    """Names match by their start, whatever their accents, case and hyphens; the rest exactly."""

    q = Sought(
        200,
        metadata={
            "description": "Words of a current or former name in any order, an email address, a"
            " certificate number, a ref, or an employee id."
        },
    )
    ref = Sought(LONGEST_REFERENCE)
    family_name = Sought(LONGEST_NAME)
    given_name = Sought(LONGEST_NAME)
    email = Sought(254)


class Record(Schema):
    """Everything on record about a person."""

    holder = fields.Nested(Holder, required=True)
    assessments = fields.List(fields.Nested(assessments.Assessment), required=True)
    certifications = fields.List(fields.Nested(certifications.Certification), required=True)
    activities = fields.List(fields.Nested(activities.Activity), required=True)
    renewals = fields.List(fields.Nested(renewals.Renewal), required=True)


def present(row: Any, former: Sequence[Any] = ()) -> dict[str, Any]:
    """A holder's row and former names as the interface shows them."""
    shown = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public accessor
    del shown["version"]
    shown["former_names"] = [
        {"given_name": f.given_name, "family_name": f.family_name, "until_on": f.until_on}
        for f in former
    ]
    return shown


def _present_one(reading: Reading, row: Any) -> dict[str, Any]:
    return present(row, names.of_holder(reading, row.id))


@nouns.writes(
    "POST /holders", "staff", body=NewHolder, returns=Registered, status=201, errors=(409,)
)
def register(work: Work, body: dict[str, Any]) -> Response:
    """Put a person on record; ``warnings`` say who looks like the same person."""
    made = people.register(work, body)
    row = made.holder
    return doors.answer(
        {**present(row), "warnings": made.warnings}, status=201, version=row.version,
        location=f"/api/v1/holders/{row.id}",
    )  # fmt: skip


@nouns.reads("GET /holders", "staff", query=HolderQuery, returns=page_of(Holder))
def search(reading: Reading, query: dict[str, Any]) -> Response:
    """Search the people on record."""
    filters = {key: value for key, value in query.items() if key not in {"after", "limit"}}
    rows = holders.search(
        reading, after=query.get("after"), limit=query["limit"] + 1, filters=filters
    )
    former = names.former(reading, [row.id for row in rows])
    return paging.answer(rows, query, lambda row: present(row, former.get(row.id, ())))


@nouns.reads("GET /holders/<uuid:holder_id>", "staff", "holder", returns=Holder, errors=(404,))
def show(reading: Reading, *, holder_id: str) -> Response:
    """One person on record."""
    row = holders.get(reading, holder_id)
    return doors.answer(_present_one(reading, row), version=row.version)


@nouns.writes(
    "PATCH /holders/<uuid:holder_id>",
    "staff",
    "holder",
    body=HolderChange,
    returns=Holder,
    versioned=True,
    errors=(404,),
    accepts=RequestedChange,
)
def correct(work: Work, body: dict[str, Any], *, holder_id: str, version: int) -> Response:
    """Correct what is recorded of a person.

    A holder who gives another name asks for it: the answer is 202 with the request, the staff
    decide, and the other fields are changed at once.
    """
    reason = body.pop("reason", None)
    done = people.change(work, holder_id, body, version=version, reason=reason)
    shown = _present_one(work, done.holder)
    if done.request is None:
        return doors.answer(shown, version=done.holder.version)
    answer = {"request": requests.present(done.request), "applied": done.applied, "holder": shown}
    return doors.answer(
        answer, status=202, version=done.holder.version,
        location=f"/api/v1/requests/{done.request.id}",
    )  # fmt: skip


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
            "holder": present(found.holder, found.former_names),
            "assessments": [assessments.present(row) for row in found.assessments],
            "certifications": [certifications.present(one) for one in found.certifications],
            "activities": activities.present_all(reading, found.activities),
            "renewals": [renewals.present(row) for row in found.renewals],
        }
    )
