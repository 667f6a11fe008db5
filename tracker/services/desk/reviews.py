"""Open a review: everything needed to decide one activity, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import aliased

from tracker.domain.errors import NotFound
from tracker.domain.points.activities import ActivityState
from tracker.domain.schemes.activity_types import ActivityType
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.language import evaluations, policy_activities
from tracker.models import Activity, Decision, Evidence, Holder
from tracker.services.core import days
from tracker.services.core.context import ReadContext, columns_of
from tracker.services.desk import review_queue
from tracker.services.desk.review_queue import Desk, Like, Waiting
from tracker.services.points import activities, evidence
from tracker.services.points.activities import ActivityRow
from tracker.services.points.activity_decisions import DecisionRow
from tracker.services.points.evidence import EvidenceRow

MOST = 500  # claims of a holder that are shown; if there are more, the latest ones


class SameFile(NamedTuple):
    """Evidence of another activity whose content is the same."""

    id: str
    activity_id: str
    filename: str
    sha256: str
    recorded_at: datetime
    title: str
    scheme: str
    state: str
    holder_id: str
    holder_ref: str
    given_name: str
    family_name: str


@dataclass(frozen=True, slots=True)
class ReviewDossier:
    """An activity with all that is known about it.

    ``kind`` and ``policy`` are the type and version that it is judged by; None if no version has
    the type. ``claims`` are the holder's other activities by id, each with its latest decision;
    ``likely`` are probable duplicates among them, ``same_files`` any holder's activities with one
    of the same files.
    """

    waiting: Waiting
    scheme: Scheme
    kind: ActivityType | None
    policy: Policy | None
    evidence: Sequence[EvidenceRow]
    decisions: Sequence[DecisionRow]
    claims: Mapping[str, ActivityRow]
    likely: Sequence[Like]
    same_files: Sequence[SameFile]
    desk: Desk

    def rules(self, language: str) -> list[str]:
        """The rule that the claim is judged by, in words."""
        if self.policy is None or self.kind is None:
            return []
        return list(policy_activities.of_type(self.scheme, self.policy, self.kind, language))

    def outcome(self, language: str) -> list[str]:
        """What it would count if it were approved now, in words, with each cut and its reason."""
        credit = review_queue.credit_of(self.desk, self.waiting.activity)
        if credit is None or self.policy is None:
            return []
        cuts = (evaluations.explain_cut(c, credit, self.policy, language) for c in credit.cuts)
        return [evaluations.explain_credit(credit, self.policy, language), *cuts]


def of_activity(reading: ReadContext, activity_id: str) -> ReviewDossier:
    """Open the review of an activity, decided or not. Raises NotFound, also for a draft."""
    on = days.today_everywhere(reading)
    desk = review_queue.read(reading, [activity_id], on=on)
    if not desk.rows or desk.rows[0].state == ActivityState.DRAFT:
        raise NotFound
    row = desk.rows[0]
    scheme = reading.schemes[row.scheme]
    points = desk.weighed.points(review_queue.key_of(row), [desk.claims[row.id]])
    shown = [
        other
        for other in activities.of_holder(reading, row.holder_id)
        if other.id != row.id and other.state != ActivityState.DRAFT
    ][-MOST:]
    return ReviewDossier(
        waiting=review_queue.waiting(desk, row, urgent=review_queue.is_urgent(desk, row)),
        scheme=scheme,
        kind=desk.kinds.get(row.id),
        policy=points.policy if points else _last(scheme),
        evidence=evidence.of_activity(reading, row.id),
        decisions=reading.rows_as(DecisionRow, _DECISIONS, {"id": row.id}),
        claims={other.id: other for other in shown},
        likely=review_queue.likely_duplicates(desk, row),
        same_files=reading.rows_as(SameFile, _SAME_FILES, {"id": row.id}),
        desk=desk,
    )


def _last(scheme: Scheme) -> Policy | None:
    return scheme.policies[-1] if scheme.policies else None


_DECISIONS = (
    select(*columns_of(DecisionRow, Decision))
    .where(Decision.activity_id == bindparam("id"))
    .order_by(Decision.recorded_at, Decision.id)
)
_Own = aliased(Evidence)
_SAME_FILES = (
    select(
        Evidence.id,
        Evidence.activity_id,
        Evidence.filename,
        Evidence.sha256,
        Evidence.recorded_at,
        Activity.title,
        Activity.scheme,
        Activity.state,
        Activity.holder_id,
        Holder.ref.label("holder_ref"),
        Holder.given_name,
        Holder.family_name,
    )
    .join(_Own, and_(_Own.sha256 == Evidence.sha256, _Own.activity_id == bindparam("id")))
    .join(Activity, Activity.id == Evidence.activity_id)
    .join(Holder, Holder.id == Activity.holder_id)
    .where(Evidence.activity_id != bindparam("id"))
    .order_by(Evidence.recorded_at, Evidence.id)
    .limit(MOST)
)
