"""Modules: what somebody has passed and what is missing, with the certificate of each pass."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import routing
from tracker.api.http.fields import DayField
from tracker.api.http.routing import Resource
from tracker.domain.credentials.candidates import ModuleProgress
from tracker.domain.schemes.activity_types import ENGLISH, translated
from tracker.services.core.context import ReadContext
from tracker.services.credentials import module_certificates
from tracker.services.credentials.module_certificates import ModuleCertificateRow, Progress
from tracker.services.people import holders

resource = Resource("module_certificates", __name__, description=__doc__)


class ModuleCertificateSchema(Schema):
    """The certificate of a module passed, which never expires."""

    id = fields.UUID(required=True)
    number = fields.String(required=True)
    public_path = fields.String(
        required=True, metadata={"description": "The path of the page on which anybody checks it."}
    )


class ModuleProgressSchema(Schema):
    """Where somebody stands with one module."""

    module = fields.String(required=True)
    name = fields.String(required=True)
    required = fields.Boolean(
        required=True, metadata={"description": "Whether the certification needs it."}
    )
    passed_on = DayField(required=True, allow_none=True)
    retake_on = DayField(
        required=True,
        allow_none=True,
        metadata={
            "description": "The first day on which a module that was failed may be taken again."
        },
    )
    certificate = fields.Nested(ModuleCertificateSchema, required=True, allow_none=True)


class SchemeProgressSchema(Schema):
    """How far somebody has come with the modules of a scheme."""

    scheme = fields.String(required=True)
    title = fields.String(required=True)
    passed = fields.List(fields.String(), required=True)
    missing = fields.List(
        fields.String(), required=True, metadata={"description": "The required modules to pass."}
    )
    modules = fields.List(fields.Nested(ModuleProgressSchema), required=True)


class HolderModulesSchema(Schema):
    """How far somebody has come in each scheme of which they attempted a module."""

    items = fields.List(fields.Nested(SchemeProgressSchema), required=True)


def present(one: Progress, language: str = ENGLISH) -> dict[str, object]:
    """How far somebody has come in a scheme, in the form of the API."""
    return {
        "scheme": one.scheme.code,
        "title": translated(one.scheme.title, language),
        "passed": [each.module.code for each in one.candidacy.passed],
        "missing": [each.module.code for each in one.candidacy.missing],
        "modules": [
            _module(each, one.certificates.get(each.module.code), language)
            for each in one.candidacy.modules
        ],
    }


def _module(
    one: ModuleProgress, certificate: ModuleCertificateRow | None, language: str
) -> dict[str, object]:
    shown = None
    if certificate is not None and certificate.withdrawn_at is None:
        path = f"/verify/{certificate.public_id}"
        shown = {"id": certificate.id, "number": certificate.number, "public_path": path}
    return {
        "module": one.module.code,
        "name": translated(one.module.name, language),
        "required": one.module.required,
        "passed_on": one.passed_on,
        "retake_on": one.retake_on,
        "certificate": shown,
    }


@resource.reads(
    "GET /holders/<uuid:holder_id>/modules",
    "staff",
    "holder",
    returns=HolderModulesSchema,
    errors=(404,),
)
def of_holder(reading: ReadContext, *, holder_id: str) -> Response:
    """What a person has passed, what is missing, and when a failed module may be taken again."""
    holders.get(reading, holder_id)
    found = module_certificates.progress(reading, holder_id)
    return routing.answer({"items": [present(one) for one in found]})
