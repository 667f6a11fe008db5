"""A holder's credentials in the form of JSON Resume, for programs that make a curriculum vitae."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import routing
from tracker.api.http.fields import DayField
from tracker.api.http.routing import Resource
from tracker.domain.errors import NotFound
from tracker.domain.schemes.activity_types import ENGLISH, translated
from tracker.services.core.context import ReadContext
from tracker.services.credentials.module_certificates import Progress
from tracker.services.overview import me
from tracker.services.overview.me import Mine

resource = Resource("resumes", __name__, description=__doc__)


class ResumeBasicsSchema(Schema):
    """Who it is: the name alone, since the rest is the holder's to add."""

    name = fields.String(required=True)


class ResumeCertificateSchema(Schema):
    """A certificate, as JSON Resume 1.0.0 has it, and until when it is valid."""

    name = fields.String(required=True)
    date = DayField(required=True, metadata={"description": "The day of the award or the pass."})
    issuer = fields.String(required=True)
    url = fields.String(required=True, metadata={"description": "Where anybody checks it."})
    number = fields.String(required=True)
    expires = DayField(
        required=True, allow_none=True, metadata={"description": "Last valid day; null: never."}
    )


class ResumeSchema(Schema):
    """A resume with basics and certificates."""

    basics = fields.Nested(ResumeBasicsSchema, required=True)
    certificates = fields.List(fields.Nested(ResumeCertificateSchema), required=True)


@resource.reads("GET /me/resume", "holder", returns=ResumeSchema, errors=(404,))
def mine(reading: ReadContext) -> Response:
    """The certificates that are valid today, the newest award first, and those of modules."""
    return answer(reading)


def answer(reading: ReadContext) -> Response:
    """The resume of whoever asks. Raises NotFound for others than holders."""
    found = me.myself(reading)
    if found.holder is None:
        raise NotFound
    held = [one for one in found.certifications if one.held.standing.valid]
    certificates = [_certification(reading, one) for one in reversed(held)]
    certificates += [one for scheme in found.modules for one in _modules(reading, scheme)]
    name = f"{found.holder.given_name} {found.holder.family_name}".strip()
    return routing.answer({"basics": {"name": name}, "certificates": certificates})


def _certification(reading: ReadContext, one: Mine) -> dict[str, object]:
    scheme = reading.schemes[one.held.scheme]
    return {
        "name": scheme.full_name(ENGLISH),
        "date": one.held.awarded_on,
        "issuer": scheme.issuer,
        "url": _address(reading, one.held.public_id),
        "number": one.held.number,
        "expires": one.held.standing.expires_on,
    }


def _modules(reading: ReadContext, one: Progress) -> Iterator[dict[str, object]]:
    for module in one.candidacy.modules:
        certificate = one.certificates.get(module.module.code)
        if module.passed_on is None or certificate is None or certificate.withdrawn_at is not None:
            continue
        yield {
            "name": translated(module.module.name, ENGLISH),
            "date": module.passed_on,
            "issuer": one.scheme.issuer,
            "url": _address(reading, certificate.public_id),
            "number": certificate.number,
            "expires": None,
        }


def _address(reading: ReadContext, public_id: str) -> str:
    return f"{reading.settings.app.base_url.rstrip('/')}/verify/{public_id}"
