"""Other credentials: what people earned elsewhere, on record here and claimed in one step."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, ValidationError, fields, validates_schema

from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, DayField, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.points.other_credentials import CredentialStatus, status_on
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import holders
from tracker.services.points import other_credentials
from tracker.services.points.other_credentials import STATED, OtherCredentialRow

resource = Resource("other_credentials", __name__, description=__doc__)

_EVIDENCE = "Where it can be checked: a link, or what was shown."


class CredentialKindSchema(Schema):
    """A kind of credential of the catalog; ``verified``: checked against what the issuer says."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    issuer = fields.String(required=True)
    levels = fields.List(fields.String(), required=True)
    source = fields.String(required=True)
    verified = fields.Boolean(required=True)


class NewCredentialSchema(ClosedSchema):
    """A credential that somebody has."""

    credential = WordsField(32, required=True, metadata={"example": "osha_10"})
    level = WordsField(32, metadata={"description": "Required if the credential has levels."})
    number = WordsField(64)
    issued_on = DayField(required=True)
    expires_on = DayField(allow_none=True, metadata={"description": "Its last valid day."})
    evidence = WordsField(500, metadata={"description": _EVIDENCE})


class CredentialCorrectionSchema(ClosedSchema):
    """What a credential should have said; other fields stay as they are."""

    credential = WordsField(32, metadata={"example": "osha_10"})
    level = WordsField(32, allow_none=True)
    number = WordsField(64, allow_none=True)
    issued_on = DayField()
    expires_on = DayField(allow_none=True)
    evidence = WordsField(500, allow_none=True, metadata={"description": _EVIDENCE})
    reason = WordsField(500, metadata={"description": "Staff must give one."})

    @validates_schema
    def _changes_something(self, data: Loaded, **_kwargs: object) -> None:
        if not data.keys() & set(STATED):
            raise ValidationError(f"one of {', '.join(STATED)} is required")


class CredentialWithdrawalSchema(ClosedSchema):
    """Why a credential is withdrawn."""

    reason = WordsField(500, required=True)


class CredentialVerificationSchema(ClosedSchema):
    """Whether staff checked it with its issuer; taking that back needs a note."""

    verified = fields.Boolean(required=True, truthy={True}, falsy={False})
    note = WordsField(500)


class CredentialClaimSchema(ClosedSchema):
    """For which certification it is claimed."""

    certification_id = fields.UUID(required=True)


class OtherCredentialSchema(Schema):
    """A credential on record. ``status`` is that of today."""

    id = fields.UUID(required=True)
    holder_id = fields.UUID(required=True)
    credential = fields.String(required=True)
    name = fields.String(required=True)
    issuer = fields.String(required=True)
    level = fields.String(required=True, allow_none=True)
    number = fields.String(required=True, allow_none=True)
    issued_on = DayField(required=True)
    expires_on = DayField(required=True, allow_none=True)
    evidence = fields.String(required=True, allow_none=True)
    status = choice(*CredentialStatus, required=True)
    verified_at = fields.AwareDateTime(required=True, allow_none=True)
    verified_by = fields.String(required=True, allow_none=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)
    withdrawn_reason = fields.String(required=True, allow_none=True)
    activity_id = fields.UUID(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)
    recorded_by = fields.String(required=True)


class ClaimedCredentialSchema(Schema):
    """The activity that the credential is claimed as: a draft of its holder."""

    activity_id = fields.UUID(required=True)


def present(reading: ReadContext, row: OtherCredentialRow) -> dict[str, object]:
    """A credential's row in the form of the API; a kind that is gone is shown by its code."""
    kind = reading.credentials.by_code.get(row.credential)
    return {
        **row._asdict(),
        "name": kind.name if kind else row.credential,
        "issuer": kind.issuer if kind else "",
        "level": row.level or None,
        "number": row.number or None,
        "evidence": row.evidence or None,
        "status": status_on(
            reading.now.date(),
            expires_on=row.expires_on,
            is_withdrawn=row.withdrawn_at is not None,
        ),
    }


def _stated(body: Loaded) -> dict[str, object]:
    """What a body states; a text that it leaves empty is empty on record."""
    texts = {"level", "number", "evidence"}
    return {
        name: "" if body[name] is None and name in texts else body[name]
        for name in STATED
        if name in body
    }


def _answer(reading: ReadContext, credential_id: str, status: int = 200) -> Response:
    row = other_credentials.get(reading, credential_id)
    location = f"/api/v1/credentials/{row.id}" if status == 201 else None  # noqa: PLR2004 - HTTP's own number
    return routing.answer(present(reading, row), status=status, location=location)


@resource.reads("GET /credentials", public=True, returns=CredentialKindSchema(many=True))
def catalog(reading: ReadContext) -> Response:
    """The catalog of credentials, in the order of its file."""
    return routing.answer(
        [
            {
                "code": kind.code,
                "name": kind.name,
                "issuer": kind.issuer,
                "levels": list(kind.levels),
                "source": kind.provenance.source,
                "verified": kind.provenance.verified,
            }
            for kind in reading.credentials.by_code.values()
        ]
    )


@resource.reads(
    "GET /holders/<uuid:holder_id>/credentials",
    "holder",
    "staff",
    query=paging.PageSchema,
    returns=page_of(OtherCredentialSchema),
    errors=(404,),
)
def of_holder(reading: ReadContext, query: Loaded, *, holder_id: str) -> Response:
    """A person's credentials, including withdrawn ones."""
    holders.get(reading, holder_id)
    rows = other_credentials.page(
        reading, holder_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, lambda row: present(reading, row))


@resource.writes(
    "POST /holders/<uuid:holder_id>/credentials",
    "holder",
    "staff",
    body=NewCredentialSchema,
    returns=OtherCredentialSchema,
    status=201,
    errors=(404, 409),
)
def add(work: UnitOfWork, body: Loaded, *, holder_id: str) -> Response:
    """Record a credential of a kind of the catalog."""
    return _answer(work, other_credentials.add(work, holder_id, _stated(body)), 201)


@resource.reads(
    "GET /credentials/<uuid:credential_id>",
    "holder",
    "staff",
    returns=OtherCredentialSchema,
    errors=(404,),
)
def show(reading: ReadContext, *, credential_id: str) -> Response:
    """One credential on record."""
    return _answer(reading, credential_id)


@resource.writes(
    "POST /credentials/<uuid:credential_id>/correction",
    "holder",
    "staff",
    body=CredentialCorrectionSchema,
    returns=OtherCredentialSchema,
    errors=(404, 409),
)
def correct(work: UnitOfWork, body: Loaded, *, credential_id: str) -> Response:
    """Correct what a credential says; staff must verify it again."""
    other_credentials.correct(work, credential_id, _stated(body), reason=body.get("reason"))
    return _answer(work, credential_id)


@resource.writes(
    "POST /credentials/<uuid:credential_id>/withdrawal",
    "holder",
    "staff",
    body=CredentialWithdrawalSchema,
    returns=OtherCredentialSchema,
    errors=(404, 409),
)
def withdraw(work: UnitOfWork, body: Loaded, *, credential_id: str) -> Response:
    """Withdraw a credential; it can be recorded again."""
    other_credentials.withdraw(work, credential_id, reason=body["reason"])
    return _answer(work, credential_id)


@resource.writes(
    "POST /credentials/<uuid:credential_id>/verification",
    "staff",
    body=CredentialVerificationSchema,
    returns=OtherCredentialSchema,
    errors=(404, 409),
)
def verify(work: UnitOfWork, body: Loaded, *, credential_id: str) -> Response:
    """Note that a credential was checked with its issuer, or take that back."""
    other_credentials.verify(work, credential_id, is_true=body["verified"], note=body.get("note"))
    return _answer(work, credential_id)


@resource.writes(
    "POST /credentials/<uuid:credential_id>/activity",
    "holder",
    "staff",
    body=CredentialClaimSchema,
    returns=ClaimedCredentialSchema,
    errors=(404, 409),
)
def claim(work: UnitOfWork, body: Loaded, *, credential_id: str) -> Response:
    """Claim points for a credential in one step: a draft, ready to submit. Twice gives the same."""
    certification_id = str(body["certification_id"])
    activity_id = other_credentials.claim(work, credential_id, certification_id)
    return routing.answer({"activity_id": activity_id})
