"""Certification schemes: modules, validity, retake rule, policies with their sources."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

from flask import Response
from marshmallow import Schema, fields

from tracker.api import doors
from tracker.api.doors import Nouns
from tracker.api.fields import Amount, Closed, Day, Factor, Words, by_language, choice
from tracker.domain.activity_types import ActivityType as TypeValue
from tracker.domain.activity_types import EvidenceRule
from tracker.domain.activity_types import Provenance as ProvenanceValue
from tracker.domain.errors import NotFound
from tracker.domain.periods import Duration as DurationValue
from tracker.domain.plain_words import in_plain_words
from tracker.domain.policies import Policy as PolicyValue
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


class Module(Schema):
    """A unit with its own assessment."""

    code = fields.String(required=True)
    name = by_language()
    required = fields.Boolean(required=True)


class RetakeRule(Provenance):
    """Full days to wait between attempts."""

    wait_days = fields.Integer(required=True)
    failures_before_long_wait = fields.Integer(required=True)
    long_wait_days = fields.Integer(required=True)


class PolicyCategory(Provenance):
    """A group of activity types with its limits."""

    code = fields.String(required=True)
    name = by_language()
    maximum = Amount(required=True, allow_none=True)
    minimum = Amount(required=True, allow_none=True)


class Window(Duration):
    """When applications open: so long before the expiry, or after the start of the cycle."""

    counted_from = fields.String(required=True)


class PolicyActivityType(Provenance):
    """A kind of activity and its points a unit; what a claim of it may state."""

    code = fields.String(required=True)
    category = fields.String(required=True)
    name = by_language()
    unit = by_language()
    counted_by = fields.String(required=True)
    points = Factor(required=True)
    units = fields.List(
        fields.String(), required=True,
        metadata={"description": "Units that a quantity may be stated in."},
    )  # fmt: skip
    roles = fields.List(fields.String(), required=True)
    evidence = choice(
        *get_args(EvidenceRule), required=True,
        metadata={"description": "Whether files are asked for with a claim, or required."},
    )  # fmt: skip
    evidence_kinds = by_language(
        allow_none=True, metadata={"description": "Which proof is accepted; null: none is asked."}
    )
    warn_above = Amount(
        required=True, allow_none=True,
        metadata={"description": "A reviewer looks twice at a quantity above it."},
    )  # fmt: skip


class Policy(Provenance):
    """One version of the recertification rules. ``unverified`` lists what is not confirmed."""

    version = fields.String(required=True)
    effective_from = Day(required=True, allow_none=True)
    points_required = Amount(required=True)
    window = fields.Nested(Window, required=True)
    grace = fields.Nested(
        Duration, required=True, allow_none=True,
        metadata={"description": "How long after the expiry one may still renew."},
    )  # fmt: skip
    next_cycle = fields.String(required=True)
    month_rule = fields.String(required=True)
    unverified = fields.List(fields.String(), required=True)
    categories = fields.List(fields.Nested(PolicyCategory), required=True)
    types = fields.List(fields.Nested(PolicyActivityType), required=True)
    tags = fields.List(
        fields.String(), required=True, metadata={"description": "Marks that a claim may bear."}
    )


class EarlierRegime(Provenance):
    """Rules of the past whose dates are unknown."""

    name = fields.String(required=True)
    description = fields.String(required=True)


class Scheme(Schema):
    """A certification scheme."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    title = by_language()
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
        "points_required": policy.points_required, "next_cycle": policy.next_cycle,
        "window": {
            **(_duration(policy.window.length) or {}), "counted_from": policy.window.counted_from,
        },
        "grace": _duration(_grace(policy)), "tags": list(policy.tags),
        "month_rule": policy.month_rule, "unverified": list(policy.unverified),
        **_provenance(policy.provenance),
        "categories": [
            {"code": c.code, "name": c.name, "maximum": c.limits.maximum,
             "minimum": c.limits.minimum, **_provenance(c.provenance)}
            for c in policy.categories.values()
        ],
        "types": [_activity_type(kind) for kind in policy.types.values()],
    }  # fmt: skip


def _grace(policy: PolicyValue) -> DurationValue | None:
    renewing = [step.until for step in policy.late if step.by != "new_application"]
    return renewing[-1] if renewing else None


def _activity_type(kind: TypeValue) -> dict[str, Any]:
    return {
        "code": kind.code, "category": kind.category, "name": kind.name, "unit": kind.unit,
        "counted_by": kind.basis, "points": kind.rate, "units": list(kind.units),
        "roles": list(kind.roles), "evidence": kind.evidence, "warn_above": kind.warn_above,
        "evidence_kinds": asked_for(kind)["kinds"], **_provenance(kind.provenance),
    }  # fmt: skip


def asked_for(kind: TypeValue | None) -> dict[str, Any]:
    """What is asked for as evidence with a claim of a type; an unknown one asks for nothing."""
    if kind is None or kind.evidence == "none":
        return {"evidence": "none", "kinds": None}
    return {"evidence": kind.evidence, "kinds": dict(kind.proof)}


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


class PolicyQuery(Closed):
    """Which version: by its name, or the one in force on a day (today)."""

    version = Words(32)
    as_of = Day()


class PolicySection(Schema):
    """A headed part of the policy."""

    title = fields.String(required=True)
    sentences = fields.List(fields.String(), required=True)


class PolicyInWords(Schema):
    """A policy as its holder reads it, told from the data that the engine runs."""

    scheme = fields.String(required=True)
    version = fields.String(
        required=True, allow_none=True, metadata={"description": "None: the scheme never expires."}
    )
    verified = fields.Boolean(required=True)
    language = fields.String(required=True)
    sections = fields.List(fields.Nested(PolicySection), required=True)


@nouns.reads(
    "GET /schemes/<string:code>/policy",
    public=True,
    query=PolicyQuery,
    returns=PolicyInWords,
    errors=(404,),
)
def policy(reading: Reading, query: dict[str, Any], *, code: str) -> Response:
    """A policy in plain words, in English or Spanish by Accept-Language."""
    if code not in reading.schemes.by_code:
        raise NotFound
    found = reading.schemes[code]
    told = _version(found, query, today=reading.today(found))
    language = doors.language()
    response = doors.answer(
        {
            "scheme": found.code, "version": told.version if told else None,
            "verified": told.verified if told else found.award.provenance.verified,
            "language": language,
            "sections": [
                {"title": section.title, "sentences": section.sentences}
                for section in in_plain_words(found, told, language)
            ],
        }
    )  # fmt: skip
    response.headers["Content-Language"] = language
    return response


def _version(found: SchemeValue, query: dict[str, Any], *, today: date) -> PolicyValue | None:
    if "version" in query:
        if query["version"] not in [policy.version for policy in found.policies]:
            raise NotFound
        return found.policy(query["version"])
    day = query.get("as_of") or today
    return found.policy_for(day, awarded_on=day)
