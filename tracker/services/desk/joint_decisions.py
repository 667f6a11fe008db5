"""Many activities decided at once: claims of one course on one day, with one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from tracker.domain.errors import IllegalTransition, NotAlike, NotFound, Refusal, SelfReview
from tracker.domain.points.activities import ActivityState
from tracker.domain.points.claims import Claim
from tracker.domain.points.likeness import difference
from tracker.models import Activity
from tracker.services.core import bulk, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.desk import review_queue, review_rounds
from tracker.services.desk.review_queue import Waiting
from tracker.services.points import activities, activity_decisions
from tracker.services.points.activities import CLAIMED
from tracker.services.points.activity_decisions import ReviewerDecision
from tracker.services.points.activity_rows import ActivityOnRecord

_WAITING = select(*columns_of(ActivityOnRecord, Activity))


@dataclass(frozen=True, slots=True)
class JointPreview:
    """Activities to decide at once; ``objection``: why they can't be, if they are not alike."""

    waiting: Sequence[Waiting]
    objection: NotAlike | None


def decide(
    work: UnitOfWork,
    versions: Mapping[str, int],
    decision: ReviewerDecision,
    *,
    with_text_of_code: bool = False,
) -> None:
    """Decide activities, given with the versions that the reviewer read: all of them or none.

    Each has its own decision, line of history and notice. A reason code without words is refused,
    or ``with_text_of_code`` told in its own, in the language of each holder. A refusal names the
    activity that it is about. The number of
    statements does not grow with that of the activities, except for applications that depend on
    one of them. Raises NotFound, NotAlike, IllegalTransition for one that does not
    wait, and what ``activity_decisions.decide()`` raises.
    """
    ids = sorted(versions)
    holders = _read(work, ids)
    own = locks.lock_to_decide(work, {row.holder_id for row in holders})
    rows = _read(work, ids)
    _check_alike(rows)
    told = dict.fromkeys(ids, decision)
    if with_text_of_code:
        told = review_rounds.in_words_of_many(work, rows, decision)
    found = activity_decisions.submitted(work, ids)
    for row in rows:
        try:
            _check(row, own)
            found.check(work, row.id, told[row.id], versions[row.id])
        except Refusal as refusal:
            refusal.detail = f"Activity {row.id} ({row.title}): {refusal.detail}"
            refusal.facts["activity_id"] = row.id
            raise
    activity_decisions.decide_many(work, found, told)


def preview(reading: ReadContext, ids: Sequence[str]) -> JointPreview:
    """Activities that somebody wants to decide at once, as the queue presents them.

    Raises NotFound if none is on record.
    """
    found = review_queue.of_ids(reading, ids)
    if not found:
        raise NotFound
    try:
        _check_alike([one.activity for one in found])
    except NotAlike as refusal:
        return JointPreview(found, refusal)
    return JointPreview(found, None)


def _check(row: ActivityOnRecord, own: set[str]) -> None:
    if row.holder_id in own:
        raise SelfReview("You cannot decide on your own record.")
    if row.state != ActivityState.SUBMITTED:
        raise IllegalTransition(f"It is {row.state}, and must be submitted.", state=row.state)


def _read(work: UnitOfWork, ids: Sequence[str]) -> list[ActivityOnRecord]:
    rows = work.rows_as(
        ActivityOnRecord, _WAITING.where(bulk.among(work, Activity.id, ids)).order_by(Activity.id)
    )
    if missing := set(ids) - {row.id for row in rows}:
        raise NotFound(f"There is no activity {min(missing)}.")
    return rows


def _check_alike(rows: Sequence[ActivityOnRecord]) -> None:
    """Refuse activities of which one is another course, or on another day, than the first."""
    first, *others = (_claim(row) for row in rows)
    for other in others:
        if field := difference(first, other):
            values = tuple(getattr(one, field) for one in (other, first))
            raise NotAlike(
                f"Only claims of one course on one day are decided at once. Activity {other.ref} "
                f"({other.title}) has the {field} {values[0]}, and activity {first.ref} has "
                f"{values[1]}; decide it by itself.",
                activity_id=other.ref,
                field=field,
            )


def _claim(row: ActivityOnRecord) -> Claim:
    return activities.claim_of(row.id, {name: getattr(row, name) for name in CLAIMED})
