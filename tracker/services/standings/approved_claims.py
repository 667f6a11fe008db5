"""The claims approved by a day, for hundreds of certifications at once.

When everybody is evaluated, reading takes most of the time. So the database decides which decision
counts, and returns one row for each claim with only the claim in it.

Invariant: ``APPROVED`` and ``snapshots.ActivityFacts.approved_on`` give the same answer for every
activity and day; a test compares them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import (
    ColumnElement,
    Date,
    String,
    and_,
    bindparam,
    cast,
    exists,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import aliased

from tracker.domain.points.activities import ActivityState, ActivityVerdict
from tracker.domain.points.claims import Claim
from tracker.models import Activity, Certification, Decision
from tracker.services.core import bulk
from tracker.services.core.batched import IDS
from tracker.services.core.context import ReadContext

_ON = bindparam("on", type_=Date)
_Later = aliased(Decision)


def _of_the_round(decision: type[Decision]) -> ColumnElement[bool]:
    """Whether a decision is of the current round: a new submission cancels earlier decisions."""
    return or_(
        Activity.submitted_on.is_(None),
        Activity.submitted_on > _ON,
        Activity.submitted_at.is_(None),
        decision.recorded_at >= Activity.submitted_at,
    )


APPROVED = and_(
    Activity.state != ActivityState.DRAFT,
    Decision.decided_on <= _ON,
    Decision.verdict == ActivityVerdict.APPROVED,
    Decision.undone_at.is_(None),
    _of_the_round(Decision),
    ~exists().where(
        _Later.activity_id == Activity.id,
        _Later.undone_at.is_(None),
        _Later.decided_on <= _ON,
        _of_the_round(_Later),
        tuple_(_Later.decided_on, _Later.id) > tuple_(Decision.decided_on, Decision.id),
    ),
)
"""Whether a decision is the last one on an activity by the day, and approves it."""

# Ids stay as the driver returns them, and tags stay text: converting them costs more than the rest.
_STATEMENT = (
    select(
        type_coerce(Certification.id, String),
        type_coerce(Activity.id, String),
        Activity.category,
        Activity.type,
        Activity.title,
        Activity.provider,
        Activity.quantity,
        Activity.starts_on,
        Activity.completed_on,
        Decision.points_limit,
        Activity.unit,
        Activity.role,
        cast(Activity.tags, String),
        Activity.duty,
        Decision.provider_approved,
    )
    .join(
        Activity,
        and_(
            Activity.holder_id == Certification.holder_id,
            Activity.scheme == Certification.scheme,
        ),
    )
    .join(Decision, Decision.activity_id == Activity.id)
    .where(Certification.id.in_(IDS), APPROVED)
)
_DIGITS = 32
_NO_TAGS: frozenset[str] = frozenset()
_NONE = "[]"


def claims(
    reading: ReadContext, certification_ids: Collection[str], *, on: date
) -> dict[str, Sequence[Claim]]:
    """The claims of each certification's holder that its scheme had approved by a day."""
    claims_by_key: dict[str, list[Claim]] = defaultdict(list)
    for ids in bulk.chunks(certification_ids):
        rows = reading.rows(_STATEMENT, {"ids": ids, "on": on})
        for key, ref, *claim, tags, duty, approved in rows:
            borne = _NO_TAGS if tags == _NONE else frozenset(json.loads(tags))
            claim.extend((borne, duty, approved))
            claims_by_key[key].append(Claim(_dashed(ref), *claim))
    return {_dashed(key): of_one for key, of_one in claims_by_key.items()}


def _dashed(id_: object) -> str:
    """An id in its usual form; SQLite stores only its digits."""
    text = str(id_)
    if len(text) != _DIGITS:
        return text
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
