"""Certification schemes: modules, validity, retake rule, policies with their sources."""

from __future__ import annotations

from datetime import date
from typing import get_args

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import routing
from tracker.api.http.fields import (
    AmountField,
    ClosedSchema,
    DayField,
    FactorField,
    WordsField,
    by_language,
    choice,
)
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.domain.errors import NotFound
from tracker.domain.periods import Duration as DurationValue
from tracker.domain.schemes.activity_types import ActivityType as TypeValue
from tracker.domain.schemes.activity_types import EvidenceRule, plurals
from tracker.domain.schemes.activity_types import Provenance as ProvenanceValue
from tracker.domain.schemes.policies import Policy as PolicyValue
from tracker.domain.schemes.schemes import Scheme as SchemeValue
from tracker.language import voice
from tracker.language.policies import in_plain_words
from tracker.services.core.context import ReadContext

resource = Resource("schemes", __name__, description=__doc__)


class DurationSchema(Schema):
    """A length of time in calendar units."""

    length = fields.Integer(required=True)
    unit = fields.String(required=True)


class ProvenanceSchema(Schema):
    """Where a value comes from, and whether it was checked against the published text."""

    source = fields.String(required=True)
    verified = fields.Boolean(required=True)


class ModuleSchema(Schema):
    """A unit with its own assessment."""

    code = fields.String(required=True)
    name = by_language()
    required = fields.Boolean(required=True)


class RetakeRuleSchema(ProvenanceSchema):
    """Full days to wait between attempts."""

    wait_days = fields.Integer(required=True)
    failures_before_long_wait = fields.Integer(required=True)
    long_wait_days = fields.Integer(required=True)


class PolicyCategorySchema(ProvenanceSchema):
    """A group of activity types with its limits."""

    code = fields.String(required=True)
    name = by_language()
    maximum = AmountField(required=True, allow_none=True)
    minimum = AmountField(required=True, allow_none=True)


class WindowSchema(DurationSchema):
    """When applications open: some time before the expiry, or after the start of the cycle."""

    counted_from = fields.String(required=True)


class PolicyActivityTypeSchema(ProvenanceSchema):
    """A kind of activity and its points per unit; what a claim of it may state."""

    code = fields.String(required=True)
    category = fields.String(required=True)
    name = by_language()
    unit = by_language()
    counted_by = fields.String(required=True)
    points = FactorField(required=True)
    units = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The units in which a quantity may be stated."},
    )
    roles = fields.List(fields.String(), required=True)
    evidence = choice(
        *get_args(EvidenceRule),
        required=True,
        metadata={"description": "Whether evidence is optional, requested or required."},
    )
    evidence_kinds = by_language(
        allow_none=True,
        metadata={"description": "Which evidence is accepted; null: none is requested."},
    )
    warn_above = AmountField(
        required=True,
        allow_none=True,
        metadata={"description": "Reviewers take a closer look at larger quantities."},
    )


class PolicySchema(ProvenanceSchema):
    """One version of the recertification rules. ``unverified`` lists what is not confirmed."""

    version = fields.String(required=True)
    effective_from = DayField(required=True, allow_none=True)
    points_required = AmountField(required=True)
    window = fields.Nested(WindowSchema, required=True)
    grace = fields.Nested(
        DurationSchema,
        required=True,
        allow_none=True,
        metadata={"description": "How long after expiration renewal is still possible."},
    )
    next_cycle = fields.String(required=True)
    month_rule = fields.String(required=True)
    unverified = fields.List(fields.String(), required=True)
    categories = fields.List(fields.Nested(PolicyCategorySchema), required=True)
    types = fields.List(fields.Nested(PolicyActivityTypeSchema), required=True)
    tags = fields.List(
        fields.String(), required=True, metadata={"description": "The tags that a claim may carry."}
    )


class EarlierRegimeSchema(ProvenanceSchema):
    """Past rules whose dates are unknown."""

    name = fields.String(required=True)
    description = fields.String(required=True)


class SchemeSchema(Schema):
    """A certification scheme."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    title = by_language()
    issuer = fields.String(required=True)
    time_zone = fields.String(required=True)
    modules = fields.List(fields.Nested(ModuleSchema), required=True)
    validity = fields.Nested(DurationSchema, required=True, allow_none=True)
    prerequisites = fields.List(fields.String(), required=True)
    award = fields.Nested(ProvenanceSchema, required=True)
    retake = fields.Nested(RetakeRuleSchema, required=True)
    policies = fields.List(fields.Nested(PolicySchema), required=True)
    earlier_regimes = fields.List(fields.Nested(EarlierRegimeSchema), required=True)


def _duration(value: DurationValue | None) -> dict[str, object] | None:
    return {"length": value.length, "unit": value.unit} if value else None


def _provenance(value: ProvenanceValue) -> dict[str, object]:
    return {"source": value.source, "verified": value.verified}


def _policy(policy: PolicyValue) -> dict[str, object]:
    return {
        "version": policy.version,
        "effective_from": policy.effective_from,
        "points_required": policy.points_required,
        "next_cycle": policy.next_cycle,
        "window": {
            **(_duration(policy.window.length) or {}),
            "counted_from": policy.window.counted_from,
        },
        "grace": _duration(_grace(policy)),
        "tags": list(policy.tags),
        "month_rule": policy.month_rule,
        "unverified": list(policy.unverified),
        **_provenance(policy.provenance),
        "categories": [
            {
                "code": c.code,
                "name": c.name,
                "maximum": c.limits.maximum,
                "minimum": c.limits.minimum,
                **_provenance(c.provenance),
            }
            for c in policy.categories.values()
        ],
        "types": [_activity_type(kind) for kind in policy.types.values()],
    }


def _grace(policy: PolicyValue) -> DurationValue | None:
    renewing = [step.until for step in policy.late if step.by != "new_application"]
    return renewing[-1] if renewing else None


def _activity_type(kind: TypeValue) -> dict[str, object]:
    return {
        "code": kind.code,
        "category": kind.category,
        "name": kind.name,
        "unit": plurals(kind.unit),
        "counted_by": kind.basis,
        "points": kind.rate,
        "units": list(kind.units),
        "roles": list(kind.roles),
        "evidence": kind.evidence,
        "warn_above": kind.warn_above,
        "evidence_kinds": asked_for(kind)["kinds"],
        **_provenance(kind.provenance),
    }


def asked_for(kind: TypeValue | None) -> dict[str, object]:
    """The evidence requested with a claim of a type; nothing for an unknown type."""
    if kind is None or kind.evidence == "none":
        return {"evidence": "none", "kinds": None}
    return {"evidence": kind.evidence, "kinds": dict(voice.evidence_kinds(kind))}


def present(scheme: SchemeValue) -> dict[str, object]:
    """A scheme in the form of the API."""
    return {
        "code": scheme.code,
        "name": scheme.name,
        "title": scheme.title,
        "issuer": scheme.issuer,
        "time_zone": scheme.time_zone.key,
        "validity": _duration(scheme.award.validity),
        "prerequisites": list(scheme.award.prerequisites),
        "award": _provenance(scheme.award.provenance),
        "modules": [
            {"code": m.code, "name": m.name, "required": m.required} for m in scheme.modules
        ],
        "retake": {
            "wait_days": scheme.retake.wait_days,
            "failures_before_long_wait": scheme.retake.failures_before_long_wait,
            "long_wait_days": scheme.retake.long_wait_days,
            **_provenance(scheme.retake.provenance),
        },
        "policies": [_policy(policy) for policy in scheme.policies],
        "earlier_regimes": [
            {"name": r.name, "description": r.description, **_provenance(r.provenance)}
            for r in scheme.earlier_regimes
        ],
    }


@resource.reads("GET /schemes", public=True, returns=SchemeSchema(many=True))
def schemes(reading: ReadContext) -> Response:
    """All certification schemes."""
    return routing.answer([present(scheme) for scheme in reading.schemes])


@resource.reads("GET /schemes/<string:code>", public=True, returns=SchemeSchema, errors=(404,))
def scheme(reading: ReadContext, *, code: str) -> Response:
    """One certification scheme."""
    if code not in reading.schemes.by_code:
        raise NotFound
    return routing.answer(present(reading.schemes[code]))


class PolicyQuerySchema(ClosedSchema):
    """Which version: by its name, or the one in force on a day (default: today)."""

    version = WordsField(32)
    as_of = DayField()


class PolicySectionSchema(Schema):
    """A section of the policy with its heading."""

    title = fields.String(required=True)
    sentences = fields.List(fields.String(), required=True)


class PolicyInWordsSchema(Schema):
    """A policy in plain words for its holder, generated from the data used for computing."""

    scheme = fields.String(required=True)
    version = fields.String(
        required=True, allow_none=True, metadata={"description": "None: the scheme never expires."}
    )
    verified = fields.Boolean(required=True)
    language = fields.String(required=True)
    sections = fields.List(fields.Nested(PolicySectionSchema), required=True)


@resource.reads(
    "GET /schemes/<string:code>/policy",
    public=True,
    query=PolicyQuerySchema,
    returns=PolicyInWordsSchema,
    errors=(404,),
)
def policy(reading: ReadContext, query: Loaded, *, code: str) -> Response:
    """A policy in plain words, in English or Spanish by Accept-Language."""
    if code not in reading.schemes.by_code:
        raise NotFound
    found = reading.schemes[code]
    told = _version(found, query, today=reading.today(found))
    language = routing.language()
    response = routing.answer(
        {
            "scheme": found.code,
            "version": told.version if told else None,
            "verified": told.verified if told else found.award.provenance.verified,
            "language": language,
            "sections": [
                {"title": section.title, "sentences": section.sentences}
                for section in in_plain_words(found, told, language)
            ],
        }
    )
    response.headers["Content-Language"] = language
    return response


def _version(found: SchemeValue, query: Loaded, *, today: date) -> PolicyValue | None:
    if "version" in query:
        if query["version"] not in [policy.version for policy in found.policies]:
            raise NotFound
        return found.policy(query["version"])
    day = query.get("as_of") or today
    return found.policy_for(day, awarded_on=day)
