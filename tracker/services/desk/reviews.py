"""Open a review: everything needed to decide one activity, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import aliased

from tracker.domain.errors import NotFound
from tracker.domain.permissions import check_not_own
from tracker.domain.points.activities import ActivityState, check_step
from tracker.domain.schemes.activity_types import ActivityType
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.language import evaluations, policy_activities
from tracker.models import Activity, Decision, Evidence, Holder
from tracker.services.core import days, open_reviews, writers
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.credentials import renewals
from tracker.services.desk import renewal_queue, review_queue
from tracker.services.desk.renewal_queue import WaitingApplication
from tracker.services.desk.review_queue import Desk, Like, Waiting
from tracker.services.points import activity_rows, confirmed_months, evidence
from tracker.services.points.activity_rows import ActivityRow
from tracker.services.points.confirmed_months import ConfirmedDays
from tracker.services.points.decision_rows import DecisionRow
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
    the type. ``confirmed`` are the days of a job that its employer confirmed. ``claims`` are the
    holder's other activities by id, each with its latest decision; ``likely`` are probable
    duplicates among them, ``same_files`` any holder's activities with one of the same files.
    """

    waiting: Waiting
    scheme: Scheme
    kind: ActivityType | None
    policy: Policy | None
    evidence: Sequence[EvidenceRow]
    confirmed: Sequence[ConfirmedDays]
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
    """All that is known about an activity, decided or not. Raises NotFound, also for a draft."""
    on = days.today_everywhere(reading)
    desk = review_queue.read(reading, [activity_id], on=on)
    if not desk.rows or desk.rows[0].state == ActivityState.DRAFT:
        raise NotFound
    row = desk.rows[0]
    scheme = reading.schemes[row.scheme]
    points = desk.weighed.points(review_queue.key_of(row), [desk.claims[row.id]])
    shown = [
        other
        for other in activity_rows.of_holder(reading, row.holder_id)
        if other.id != row.id and other.state != ActivityState.DRAFT
    ][-MOST:]
    return ReviewDossier(
        waiting=review_queue.waiting(desk, row, urgent=review_queue.is_urgent(desk, row)),
        scheme=scheme,
        kind=desk.kinds.get(row.id),
        policy=points.policy if points else _last(scheme),
        evidence=evidence.of_activity(reading, row.id),
        confirmed=confirmed_months.of_claim(
            confirmed_months.of_holder(reading, row.holder_id),
            row.provider,
            row.starts_on,
            row.completed_on,
        ),
        decisions=reading.rows_as(DecisionRow, _DECISIONS, {"id": row.id}),
        claims={other.id: other for other in shown},
        likely=review_queue.likely_duplicates(desk, row),
        same_files=reading.rows_as(SameFile, _SAME_FILES, {"id": row.id}),
        desk=desk,
    )


def open_activity(work: UnitOfWork, activity_id: str) -> ReviewDossier:
    """Open the review of an activity and lock it, so that nobody else decides for a while.

    Raises NotFound, also for a draft; IllegalTransition for a withdrawn one; SelfReview for one
    that the actor may not decide; UnderReview if somebody else has it open.
    """
    take(work, activity_id)
    return of_activity(work, activity_id)


def take(work: UnitOfWork, activity_id: str) -> None:
    """Lock an activity as ``open_activity`` does, without reading what is known about it."""
    row = activity_rows.get(work, activity_id)
    if row.state == ActivityState.DRAFT:
        raise NotFound
    check_step("decide", row.state)
    check_not_own(work.actor, row.holder_id)
    writers.check_not_written(work, row.id)
    open_reviews.take(work, "activity", row.id)


def open_renewal(work: UnitOfWork, renewal_id: str) -> WaitingApplication:
    """The same for an application that waits for a decision."""
    row = renewal_queue.get(work, renewal_id).renewal
    check_not_own(work.actor, row.holder_id)
    writers.check_not_written(work, row.id)
    open_reviews.take(work, "renewal", row.id)
    return renewal_queue.get(work, row.id)


def hand_back_activity(work: UnitOfWork, activity_id: str) -> None:
    """End the actor's own lock. Raises NotFound, UnderReview."""
    open_reviews.hand_back(work, "activity", activity_rows.get(work, activity_id).id)


def hand_back_renewal(work: UnitOfWork, renewal_id: str) -> None:
    """End the actor's own lock. Raises NotFound, UnderReview."""
    open_reviews.hand_back(work, "renewal", renewals.get(work, renewal_id).id)


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
