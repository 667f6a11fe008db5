"""The order of the review queue: first what is urgent, then what has waited longest.

Urgent activities are those of holders who could renew now, or have applied, and whose points would
be complete if all their undecided activities were approved; they are sorted by the soonest expiry.
Then come all others, by the day of submission.

The work is bounded. One statement finds the renewals that could be completed, and returns the
``CANDIDATES`` that expire soonest; their points are counted in batches, only as far as the page
needs them, each with the same number of statements. Candidates beyond the bound are sorted by age.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal, get_args

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from tracker.db import Id
from tracker.domain.desk.reviews import latest_overdue_start
from tracker.domain.points.activities import ActivityState
from tracker.models import Activity, Certification, Evidence, Holder, RosterEntry, Span
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext
from tracker.services.desk import weighing
from tracker.services.employers.roster import EMPLOYED
from tracker.services.standings import snapshots
from tracker.services.standings.related_facts import CertificationKey
from tracker.services.standings.snapshots import HolderScheme
from tracker.services.standings.standings import ON, ON_SPAN, WINDOW_OPEN

QueueFlag = Literal[
    "likely_duplicate",
    "same_file_elsewhere",
    "outside_cycle",
    "no_evidence",
    "unusual_quantity",
    "late_evidence",
]
FLAGS: tuple[QueueFlag, ...] = get_args(QueueFlag)
CANDIDATES = 2_000
BATCH = 250  # certifications whose points are counted at once


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """The activities to show; None means any. ``flag``: only those with that flag.

    ``overdue``: only those waited for longer than the service level, or only the others.
    """

    state: str = ActivityState.SUBMITTED
    scheme: str | None = None
    category: str | None = None
    type: str | None = None
    flag: QueueFlag | None = None
    overdue: bool | None = None
    employer_id: str | None = None
    submitted_before: date | None = None
    expires_before: date | None = None


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """The place of an activity in the queue; ``expires_on`` is set only for urgent ones."""

    expires_on: date | None
    submitted_on: date
    id: str

    @property
    def key(self) -> tuple[bool, date, date, str]:
        """The sort key of the queue."""
        return self.expires_on is None, self.expires_on or date.max, self.submitted_on, self.id


# The day from which a wait is counted; one that began by ``OVERDUE_START`` is overdue. An import
# may bring a later submission than the one about which the holder was asked.
WAIT_FROM = case(
    (Activity.wait_from > Activity.submitted_on, Activity.wait_from), else_=Activity.submitted_on
)
OVERDUE_START: ColumnElement[date] = bindparam("overdue_start", type_=Date)
# The current certification of an activity's holder.
CURRENT = and_(
    Certification.holder_id == Activity.holder_id,
    Certification.scheme == Activity.scheme,
    snapshots.CURRENT,
)
# Whether a decision could still complete a renewal: window or grace open, or application pending.
_RENEWABLE = and_(
    Span.hold.is_(None),
    or_(
        WINDOW_OPEN,
        and_(Span.expires_on < ON, Span.grace_ends_on >= ON),
        Span.pending_since.is_not(None),
    ),
)


def places(
    reading: ReadContext, selection: QueueFilter, *, after: QueuePlace | None, limit: int, on: date
) -> list[QueuePlace]:
    """The next ``limit`` places of the queue after one."""
    judge = _Judge(reading, _candidates(reading, selection, on), on)
    queue: list[QueuePlace] = []
    if after is None or after.expires_on is not None:
        queue = _urgent(reading, selection, judge, after=after, limit=limit, on=on)
        after = None
    if len(queue) < limit:
        more = limit - len(queue)
        queue += _others(reading, selection, judge, after=after, limit=more, on=on)
    return queue


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A certification that could be renewed, with its number of undecided activities."""

    certification: CertificationKey
    expires_on: date
    waiting: int


class _Judge:
    """Decides whose renewal would be completed; each candidate once, in batches."""

    def __init__(
        self, reading: ReadContext, candidates: Mapping[HolderScheme, _Candidate], on: date
    ) -> None:
        self.candidates = candidates
        self._reading, self._on = reading, on
        self._completing: dict[HolderScheme, bool] = {}

    def ask(self, keys: Collection[HolderScheme]) -> None:
        """Evaluate those of the keys that are candidates and have not been evaluated before."""
        new = [k for k in keys if k in self.candidates and k not in self._completing]
        certifications = [self.candidates[key].certification for key in new]
        if certifications:
            weighed = weighing.read(self._reading, certifications, on=self._on)
            self._completing |= {
                key: weighed.would_complete(one)
                for key, one in zip(new, certifications, strict=True)
            }

    def completes(self, key: HolderScheme) -> bool:
        """Whether the renewal would be completed; false for all but evaluated candidates."""
        return self._completing.get(key, False)

    def batches(self, since: date) -> Iterator[list[HolderScheme]]:
        """The candidates from an expiry on, the soonest first; one day is never split."""
        batch: list[HolderScheme] = []
        last: date | None = None
        for key, one in self.candidates.items():
            if one.expires_on < since:
                continue
            if len(batch) >= BATCH and one.expires_on != last:
                yield batch
                batch = []
            batch.append(key)
            last = one.expires_on
        if batch:
            yield batch


def _candidates(
    reading: ReadContext, selection: QueueFilter, on: date
) -> dict[HolderScheme, _Candidate]:
    """The holders who could renew and have activities that match, the soonest expiry first."""
    if selection.state != ActivityState.SUBMITTED:
        return {}
    rows = reading.rows(statement_of_candidates(selection), parameters(reading, on))
    return {
        (row.holder_id, row.scheme): _Candidate(
            CertificationKey(row.id, row.holder_id, row.scheme), row.expires_on, row.waiting
        )
        for row in rows
    }


@lru_cache(maxsize=64)
def statement_of_candidates(selection: QueueFilter) -> Select[*tuple[object, ...]]:
    """The renewable certifications among those with undecided activities.

    Starts from the undecided activities, which are few beside all certifications.
    """
    each = (
        select(Activity.holder_id, Activity.scheme)
        .where(*conditions(selection))
        .cte("each_waiting")
        .prefix_with("materialized")
    )
    waits = (
        select(each.c.holder_id, each.c.scheme, func.count().label("waiting"))
        .group_by(each.c.holder_id, each.c.scheme)
        .cte("waits")
    )
    held = and_(
        Certification.holder_id == waits.c.holder_id,
        Certification.scheme == waits.c.scheme,
        snapshots.CURRENT,
    )
    statement = (
        select(
            Certification.id,
            Certification.holder_id,
            Certification.scheme,
            Span.expires_on,
            waits.c.waiting,
        )
        .select_from(waits)
        .join(Certification, held)
        .join(Span, and_(Span.certification_id == Certification.id, ON_SPAN))
        .join(Holder, Holder.id == waits.c.holder_id)
        .where(_RENEWABLE, Holder.deceased_on.is_(None))
    )
    if selection.expires_before is not None:
        statement = statement.where(Span.expires_on < selection.expires_before)
    return statement.order_by(Span.expires_on, Certification.id).limit(CANDIDATES)


def _urgent(
    reading: ReadContext,
    selection: QueueFilter,
    judge: _Judge,
    *,
    after: QueuePlace | None,
    limit: int,
    on: date,
) -> list[QueuePlace]:
    """The places of activities whose renewal would be completed."""
    queue: list[QueuePlace] = []
    since = after.expires_on if after and after.expires_on else date.min
    for batch in judge.batches(since):
        judge.ask(batch)
        completing = [key for key in batch if judge.completes(key)]
        queue += _waiting(reading, selection, judge, completing, after=after, on=on)
        if len(queue) >= limit:
            break
    return sorted(queue, key=lambda place: place.key)[:limit]


def _waiting(
    reading: ReadContext,
    selection: QueueFilter,
    judge: _Judge,
    keys: Sequence[HolderScheme],
    *,
    after: QueuePlace | None,
    on: date,
) -> Iterator[QueuePlace]:
    """The undecided activities of these holders and schemes, after a place."""
    if not keys:
        return
    holders = bulk.among(reading, Activity.holder_id, {holder_id for holder_id, _ in keys})
    wanted = set(keys)
    for row in reading.rows(_LIGHT.where(holders, *filters(selection)), parameters(reading, on)):
        if (row.holder_id, row.scheme) in wanted:
            expires_on = judge.candidates[row.holder_id, row.scheme].expires_on
            place = QueuePlace(expires_on, row.submitted_on, row.id)
            if after is None or place.key > after.key:
                yield place


def _others(
    reading: ReadContext,
    selection: QueueFilter,
    judge: _Judge,
    *,
    after: QueuePlace | None,
    limit: int,
    on: date,
) -> list[QueuePlace]:
    """The places of all others by age; reads enough rows to make up for candidates among them."""
    most = limit + sum(one.waiting for one in judge.candidates.values())
    statement = statement_of_others(selection, after=after, most=most)
    rows = reading.rows(statement, parameters(reading, on))
    queue: list[QueuePlace] = []
    for first in range(0, len(rows), BATCH):
        some = rows[first : first + BATCH]
        judge.ask({(row.holder_id, row.scheme) for row in some})
        queue += [
            QueuePlace(None, row.submitted_on, row.id)
            for row in some
            if not judge.completes((row.holder_id, row.scheme))
        ]
        if len(queue) >= limit:
            break
    return queue[:limit]


def statement_of_others(
    selection: QueueFilter, *, after: QueuePlace | None, most: int
) -> Select[*tuple[object, ...]]:
    """The undecided activities by age, after a place; candidates among them are removed later."""
    statement = _LIGHT.where(*filters(selection))
    if after is not None:
        begin = tuple_(literal(after.submitted_on, Date), literal(after.id, Id))
        statement = statement.where(tuple_(Activity.submitted_on, Activity.id) > begin)
    return statement.order_by(Activity.submitted_on, Activity.id).limit(most)


_LIGHT = select(Activity.id, Activity.submitted_on, Activity.holder_id, Activity.scheme)


def filters(selection: QueueFilter) -> Iterator[ColumnElement[bool]]:
    """The conditions on an activity, with what its flag requires at least."""
    yield from conditions(selection)
    if selection.expires_before is not None:
        yield (
            select(Certification.id)
            .join(Span, and_(Span.certification_id == Certification.id, ON_SPAN))
            .where(CURRENT, Span.expires_on < selection.expires_before)
            .correlate(Activity)
            .exists()
        )


def conditions(selection: QueueFilter) -> Iterator[ColumnElement[bool]]:
    """The conditions on an activity's own row, and what its flag requires at least."""
    yield Activity.state == selection.state
    for key in ("scheme", "category", "type"):
        if (value := getattr(selection, key)) is not None:
            yield getattr(Activity, key) == value
    if selection.submitted_before is not None:
        yield Activity.submitted_on < selection.submitted_before
    if selection.overdue is not None:
        overdue = and_(WAIT_FROM <= OVERDUE_START, Activity.state == ActivityState.SUBMITTED)
        yield overdue if selection.overdue else ~overdue
    if selection.employer_id is not None:
        entry = (
            RosterEntry.employer_id == selection.employer_id,
            RosterEntry.holder_id == Activity.holder_id,
        )
        yield select(RosterEntry.id).where(*entry, EMPLOYED).correlate(Activity).exists()
    if selection.flag is not None:
        yield from _of_flag(selection.flag)


def parameters(reading: ReadContext, on: date) -> dict[str, object]:
    """The values that the conditions need."""
    start = latest_overdue_start(on, reading.settings.reviews.service_level_days)
    return {"on": on, "today": on, "overdue_start": start}


def _of_flag(flag: QueueFlag) -> Iterator[ColumnElement[bool]]:
    """What an activity with a flag has at least; the flag itself is checked afterwards."""
    files = select(Evidence.id).where(Evidence.activity_id == Activity.id).correlate(Activity)
    if flag == "no_evidence":
        yield ~files.exists()
    if flag in {"late_evidence", "same_file_elsewhere"}:
        yield files.exists()
    if flag == "late_evidence":
        yield files.where(Evidence.recorded_at > Activity.submitted_at).exists()
    if flag == "unusual_quantity":
        yield Activity.quantity.is_not(None)
