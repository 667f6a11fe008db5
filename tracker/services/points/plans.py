"""What if: the points of a certification with activities that are only planned. Nothing is stored.

A planned activity counts as if it were completed and approved today, by the same evaluation as
every other one. None is a duplicate of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tracker.domain.errors import Invalid
from tracker.domain.points.claims import Claim
from tracker.domain.schemes.activity_types import translated
from tracker.domain.schemes.policies import Policy
from tracker.services.core.context import ReadContext
from tracker.services.points import activities, evaluations
from tracker.services.points.evaluations import Explained


@dataclass(frozen=True, slots=True)
class PlannedActivity:
    """An activity that somebody thinks of, of a type, with its quantity if that type has one."""

    type: str
    quantity: Decimal | None


@dataclass(frozen=True, slots=True)
class ActivityPlan:
    """The points today, and with everything that is planned."""

    today: Explained
    planned: Explained


def today(reading: ReadContext, certification_id: str) -> Explained:
    """The points today, with what can be planned. Raises NotFound, NotRenewable."""
    return evaluations.explain(reading, certification_id, on=None)


def plan(
    reading: ReadContext, certification_id: str, planned: Sequence[PlannedActivity], language: str
) -> ActivityPlan:
    """The points with planned activities. Raises NotFound, NotRenewable; Invalid by ``extra.N``."""
    before = today(reading, certification_id)
    on, claims = before.points.evaluation.on, list[Claim]()
    for place, one in enumerate(planned):
        claims.append(_claim(before.policy, one, place, on, language))
    if not claims:
        return ActivityPlan(before, before)
    after = evaluations.explain(reading, certification_id, on=None, extra=claims)
    return ActivityPlan(before, after)


def _claim(policy: Policy, one: PlannedActivity, place: int, on: date, language: str) -> Claim:
    kind = policy.types.get(one.type)
    if kind is None or kind.is_job:
        raise Invalid("Choose a type.", fields={f"extra.{place}.type": "is not a type to plan"})
    asks = kind.basis == "quantity" or kind.threshold is not None
    if asks and one.quantity is None:
        rule = "is required for this type of activity"
        raise Invalid("Say how much.", fields={f"extra.{place}.quantity": rule})
    stated = {
        "category": kind.category,
        "type": kind.code,
        "title": f"{translated(kind.name, language)} {place + 1}",
        "quantity": one.quantity if asks else None,
        "completed_on": on,
    }
    return activities.claim_of(f"planned-{place}", activities.claimed(stated))
