"""Applications whose schemes follow other rules than the shipped ones."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from flask import Flask

from tests.conftest import office_of
from tracker.domain.schemes.activity_types import Limits, Provenance, Tag
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Schemes
from tracker.services.core.context import Container


def rule(app: Flask, *policies: Policy, code: str = "cpt", **award: Any) -> Container:
    """Have a scheme of a running application follow these versions, and say so of its container."""
    container = office_of(app)
    scheme = container.schemes[code]
    changed = replace(scheme, policies=policies, award=replace(scheme.award, **award))
    ruled = replace(container, schemes=Schemes({**container.schemes.by_code, code: changed}))
    app.extensions["tracker"] = ruled
    return ruled


def shipped(app: Flask, code: str = "cpt", **changes: Any) -> Policy:
    """The version that an application has of a scheme, changed."""
    return replace(office_of(app).schemes[code].policies[0], **changes)


def telling(policy: Policy) -> Policy:
    """A version whose courses know units, roles, tags, duty and approved providers.

    A CEU is ten hours, teaching counts half as much again, work in safety at most 12 points, and
    what no one approved counts half.
    """
    course = replace(
        policy.types["third_party"],
        unit_code="hour",
        units={"hour": Decimal(1), "ceu": Decimal(10)},
        roles={"taught": Decimal("1.50")},
        unapproved=Decimal("0.50"),
        outside_duties=True,
    )
    name = {"en": "Safety", "es": "Seguridad"}
    safety = Tag("safety", name, Limits(maximum=Decimal(12)), Provenance("a test", verified=False))
    return replace(
        policy,
        types={**policy.types, "third_party": course},
        tags={"safety": safety},
        roles={"taught": {"en": "taught", "es": "impartido"}},
    )
