"""One activity as its holder sees it: its files, what it counts or would count, what is like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.domain.errors import Invalid, NotFound, NotRenewable
from tracker.domain.points.activities import ActivityState
from tracker.domain.points.claims import Claim, Credit
from tracker.domain.points.likeness import likeness
from tracker.domain.points.safe_days import ExpectedWait
from tracker.domain.schemes.activity_types import ActivityType
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.services.core.context import ReadContext
from tracker.services.credentials import certifications
from tracker.services.points import activities, activity_rows, evaluations, evidence, review_waits
from tracker.services.points.activity_rows import ActivityRow
from tracker.services.points.evidence import EvidenceRow

_COUNTING = frozenset(
    {ActivityState.SUBMITTED, ActivityState.MORE_INFORMATION, ActivityState.APPROVED}
)
_NOT_LIKE = frozenset({ActivityState.REJECTED, ActivityState.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class ActivityOverview:
    """An activity with what belongs to it.

    ``credit`` is what it counts if it is approved, and otherwise what it would count beside the
    others that wait for review; None if no version of the policy takes it. ``wait`` is the one to
    expect if a decision is due. ``alike`` are probable duplicates among the holder's other
    activities.
    """

    activity: ActivityRow
    certification_id: str
    scheme: Scheme
    policy: Policy | None
    kind: ActivityType | None
    credit: Credit | None
    wait: ExpectedWait | None
    alike: Sequence[ActivityRow]
    evidence: Sequence[EvidenceRow]


def of_activity(reading: ReadContext, activity_id: str) -> ActivityOverview:
    """Everything about an activity. Raises NotFound, also for another holder's."""
    row = activity_rows.get(reading, activity_id)
    held = certifications.of_holder(reading, row.holder_id, row.scheme)
    if held is None:
        raise NotFound
    policy, credit = _credit(reading, held.id, row)
    others = activity_rows.of_holder(reading, row.holder_id)
    return ActivityOverview(
        activity=row,
        certification_id=held.id,
        scheme=reading.schemes[row.scheme],
        policy=policy,
        kind=policy.type_of(row.type, row.category) if policy else None,
        credit=credit,
        wait=review_waits.expected(reading) if row.state == ActivityState.SUBMITTED else None,
        alike=[one for one in others if _is_like(row, one)],
        evidence=evidence.of_activity(reading, row.id),
    )


def _credit(
    reading: ReadContext, certification_id: str, row: ActivityRow
) -> tuple[Policy | None, Credit | None]:
    """The policy that counts today, and what it gives the activity."""
    extra = [] if row.state in _COUNTING else [_claim(row)]
    try:
        explained = evaluations.explain(reading, certification_id, on=None, extra=extra)
    except (Invalid, NotRenewable):
        return None, None
    points = explained.points
    is_approved = row.state == ActivityState.APPROVED
    credits_ = (points.evaluation if is_approved else points.pending).credits
    return explained.policy, next((one for one in credits_ if one.ref == row.id), None)


def _claim(row: ActivityRow) -> Claim:
    return activities.claim_of(row.id, {key: getattr(row, key) for key in activities.CLAIMED})


def _is_like(row: ActivityRow, other: ActivityRow) -> bool:
    if other.id == row.id or other.state in _NOT_LIKE:
        return False
    return likeness(_claim(row), _claim(other)) is not None
