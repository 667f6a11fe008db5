"""Activities as they are read, each with the decision that rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select

from tracker.domain.amounts import CENT
from tracker.domain.errors import NotFound
from tracker.domain.permissions import check_own_holder
from tracker.domain.points.activities import ActivityState, ActivityVerdict
from tracker.models import Activity, Decision, Evidence
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, columns_of, names_of

LATEST_FIRST = (Decision.decided_on.desc(), Decision.id.desc())
"""The order of an activity's decisions, of which the first rules."""


@dataclass(frozen=True, slots=True)
class ActivityOnRecord:
    """An activity: what it claims (``CLAIMED``), and how far it has come."""

    id: str
    ref: str | None
    holder_id: str
    scheme: str
    category: str
    type: str
    title: str
    provider: str
    quantity: Decimal | None
    starts_on: date | None
    completed_on: date | None
    unit: str
    role: str
    tags: list[str]
    duty: bool
    state: ActivityState
    submitted_on: date | None
    version: int


@dataclass(frozen=True, slots=True)
class ActivityRow(ActivityOnRecord):
    """An activity with its latest decision, and the course that brought it, if there is one."""

    course_id: str | None
    withdrawn_on: date | None
    recorded_at: datetime
    verdict: ActivityVerdict | None
    decided_on: date | None
    points_limit: Decimal | None
    provider_approved: bool | None
    reason_code: str | None
    reason: str | None


_LATEST = (
    select(Decision.id)
    .where(Decision.activity_id == Activity.id, Decision.undone_at.is_(None))
    .order_by(*LATEST_FIRST)
    .limit(1)
    .correlate(Activity)
    .scalar_subquery()
)
_ONE = select(*columns_of(ActivityRow, Activity, Decision)).join(
    Decision, Decision.id == _LATEST, isouter=True
)
_BY_ID = _ONE.where(Activity.id == bindparam("id"))
OF_HOLDER = _ONE.where(Activity.holder_id == bindparam("id"))


class CurrentDecision(NamedTuple):
    """The decision on an activity that rules."""

    id: str
    verdict: ActivityVerdict
    recorded_at: datetime


def current_decision(reading: ReadContext, activity_id: str) -> CurrentDecision | None:
    """The latest decision that was not undone."""
    ruling = select(*columns_of(CurrentDecision, Decision)).where(
        Decision.activity_id == activity_id, Decision.undone_at.is_(None)
    )
    return reading.row_as(CurrentDecision, ruling.order_by(*LATEST_FIRST).limit(1))


def as_logged(made: Mapping[str, Any]) -> ActivityRow:
    """A new activity as its row is read: what was not given is null, quantities have cents."""
    values: dict[str, Any] = {**dict.fromkeys(names_of(ActivityRow)), **made}
    if values["quantity"] is not None:
        values["quantity"] = Decimal(values["quantity"]).quantize(CENT)
    return ActivityRow(**values)


def get(reading: ReadContext, activity_id: str) -> ActivityRow:
    """An activity with its latest decision. Raises NotFound, also for another holder's."""
    row = reading.row_as(ActivityRow, _BY_ID, {"id": activity_id})
    if row is None:
        raise NotFound
    check_own_holder(reading.actor, row.holder_id)
    return row


def by_ids(reading: ReadContext, ids: Collection[str]) -> list[ActivityRow]:
    """These activities in the order of their ids; the body's alone, who sees everybody's."""
    among = bulk.among(reading, Activity.id, ids)
    return reading.rows_as(ActivityRow, _ONE.where(among).order_by(Activity.id))


def of_holder(reading: ReadContext, holder_id: str) -> Sequence[ActivityRow]:
    """All activities of a holder in the order of their ids, each with its latest decision."""
    rows = reading.rows_as(ActivityRow, OF_HOLDER, {"id": holder_id})
    return sorted(rows, key=attrgetter("id"))


def page(
    reading: ReadContext,
    *,
    after: str | None,
    limit: int | None,
    holder_id: str | None = None,
    scheme: str | None = None,
    state: str | None = None,
) -> list[ActivityRow]:
    """A page of activities in the order of their ids, each with its latest decision."""
    statement = _ONE.order_by(Activity.id).limit(limit)
    wanted = {"holder_id": holder_id, "scheme": scheme, "state": state}
    for key, value in wanted.items():
        if value is not None:
            statement = statement.where(getattr(Activity, key) == value)
    if after:
        statement = statement.where(Activity.id > after)
    return reading.rows_as(ActivityRow, statement)


def count_evidence(reading: ReadContext, activity_id: str) -> int:
    """The number of an activity's files."""
    row = reading.row(select(func.count()).where(Evidence.activity_id == activity_id))
    return int(row[0]) if row else 0
