"""Certification schemes: modules, validity, retake rule, policies with their sources."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from tracker.api import doors
from tracker.api.doors import Nouns
from tracker.api.fields import Amount, Day
from tracker.domain.errors import NotFound
from tracker.domain.periods import Duration as DurationValue
from tracker.domain.schemes import Policy as PolicyValue
from tracker.domain.schemes import Provenance as ProvenanceValue
from tracker.domain.schemes import Scheme as SchemeValue
from tracker.services.work import Reading

nouns = Nouns("schemes", __name__, description=__doc__)


class Duration(Schema):
    """A length of time in calendar units."""

    length = fields.Integer(required=True)
    unit = fields.String(required=True)


class Provenance(Schema):
    """Where a value comes from, and whether it was checked against the published text."""

    source = fields.String(required=True)
    verified = fields.Boolean(required=True)


def _by_language() -> fields.Dict:
    return fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class Module(Schema):
    """A unit with its own assessment."""

    code = fields.String(required=True)
    name = _by_language()
    required = fields.Boolean(required=True)


class RetakeRule(Provenance):
    """Full days to wait between attempts."""

    wait_days = fields.Integer(required=True)
    failures_before_long_wait = fields.Integer(required=True)
    long_wait_days = fields.Integer(required=True)


class PolicyCategory(Provenance):
    """A group of activity types with its limits."""

    code = fields.String(required=True)
    name = _by_language()
    maximum = Amount(required=True, allow_none=True)
    minimum = Amount(required=True, allow_none=True)


class PolicyActivityType(Provenance):
    """A kind of activity and its points a unit."""

    code = fields.String(required=True)
    category = fields.String(required=True)
    name = _by_language()
    unit = _by_language()
    counted_by = fields.String(required=True)
    points = Amount(required=True)


class Policy(Provenance):
    """One version of the recertification rules. ``unverified`` lists what is not confirmed."""

    version = fields.String(required=True)
    effective_from = Day(required=True, allow_none=True)
    points_required = Amount(required=True)
    window = fields.Nested(Duration, required=True)
    grace = fields.Nested(Duration, required=True, allow_none=True)
    next_cycle = fields.String(required=True)
    month_rule = fields.String(required=True)
    unverified = fields.List(fields.String(), required=True)
    categories = fields.List(fields.Nested(PolicyCategory), required=True)
    types = fields.List(fields.Nested(PolicyActivityType), required=True)


class EarlierRegime(Provenance):
    """Rules of the past whose dates are unknown."""

    name = fields.String(required=True)
    description = fields.String(required=True)


class Scheme(Schema):
    """A certification scheme."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    title = _by_language()
    issuer = fields.String(required=True)
    time_zone = fields.String(required=True)
    modules = fields.List(fields.Nested(Module), required=True)
    validity = fields.Nested(Duration, required=True, allow_none=True)
    prerequisites = fields.List(fields.String(), required=True)
    award = fields.Nested(Provenance, required=True)
    retake = fields.Nested(RetakeRule, required=True)
    policies = fields.List(fields.Nested(Policy), required=True)
    earlier_regimes = fields.List(fields.Nested(EarlierRegime), required=True)


def _duration(value: DurationValue | None) -> dict[str, Any] | None:
    return {"length": value.length, "unit": value.unit} if value else None


def _provenance(value: ProvenanceValue) -> dict[str, Any]:
    return {"source": value.source, "verified": value.verified}


def _policy(policy: PolicyValue) -> dict[str, Any]:
    return {
        "version": policy.version, "effective_from": policy.effective_from,
        "points_required": policy.points_required, "window": _duration(policy.window),
        "grace": _duration(policy.grace), "next_cycle": policy.next_cycle,
        "month_rule": policy.month_rule, "unverified": list(policy.unverified),
        **_provenance(policy.provenance),
        "categories": [
            {"code": c.code, "name": c.name, "maximum": c.maximum, "minimum": c.minimum,
             **_provenance(c.provenance)}
            for c in policy.categories.values()
        ],
        "types": [
            {"code": t.code, "category": t.category, "name": t.name, "unit": t.unit,
             "counted_by": t.basis, "points": t.rate, **_provenance(t.provenance)}
            for t in policy.types.values()
        ],
    }  # fmt: skip


def present(scheme: SchemeValue) -> dict[str, Any]:
    """A scheme as the interface shows it."""
    return {
        "code": scheme.code, "name": scheme.name, "title": scheme.title, "issuer": scheme.issuer,
        "time_zone": scheme.time_zone.key, "validity": _duration(scheme.award.validity),
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
    }  # fmt: skip


@nouns.reads("GET /schemes", public=True, returns=Scheme(many=True))
def schemes(reading: Reading) -> Response:
    """All certification schemes."""
    return doors.answer([present(scheme) for scheme in reading.schemes])


@nouns.reads("GET /schemes/<string:code>", public=True, returns=Scheme, errors=(404,))
def scheme(reading: Reading, *, code: str) -> Response:
    """One certification scheme."""
    if code not in reading.schemes.by_code:
        raise NotFound
    return doors.answer(present(reading.schemes[code]))
