"""Reminders as staff look ahead: the calendar, a rehearsal of one day, and dead addresses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import NamedTuple

from sqlalchemy import func, select, union_all

from tracker.domain.delivery.reminders import StageOutcome
from tracker.models import Holder
from tracker.services.core.context import ReadContext
from tracker.services.delivery import ledger, reminder_calendar, send_safety
from tracker.services.delivery.ledger import Foreseen
from tracker.services.delivery.reminder_calendar import StageCalendar
from tracker.services.delivery.send_safety import SendObstacle
from tracker.services.outbox import suppressions
from tracker.services.outbox.suppressions import SuppressedAddress

AHEAD = 90
_SHOWN = 100
_MOST = 5000


@dataclass(frozen=True, slots=True)
class DryRun:
    """What the planner would decide by the end of a day: counts, and the first stages by outcome.

    ``is_cut``: there are more than were looked at.
    """

    as_of: date
    counts: Mapping[tuple[StageOutcome, str | None], int]
    planned: Sequence[Foreseen]
    skipped: Sequence[Foreseen]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class RemindersAhead:
    """Whether messages may leave, what is due in the days ahead, and perhaps a dry run."""

    obstacle: SendObstacle | None
    calendar: StageCalendar
    dry_run: DryRun | None


def ahead(reading: ReadContext, *, as_of: date | None) -> RemindersAhead:
    """The next 90 days; with ``as_of`` also what would be sent by the end of that day."""
    return RemindersAhead(
        obstacle=send_safety.obstacle(reading),
        calendar=reminder_calendar.ahead(reading, days=AHEAD),
        dry_run=_rehearsed(reading, as_of) if as_of is not None else None,
    )


def _rehearsed(reading: ReadContext, as_of: date) -> DryRun:
    found = list(islice(ledger.foresee(reading, as_of=as_of), _MOST + 1))
    looked_at = found[:_MOST]
    planned = [one for one in looked_at if one.fate == StageOutcome.PLANNED]
    skipped = [one for one in looked_at if one.fate == StageOutcome.SKIPPED]
    counts = Counter((one.fate, one.reason and str(one.reason)) for one in looked_at)
    return DryRun(as_of, counts, planned[:_SHOWN], skipped[:_SHOWN], len(found) > _MOST)


class AddressOwner(NamedTuple):
    """Somebody on record with an address."""

    address: str
    id: str
    given_name: str
    family_name: str


@dataclass(frozen=True, slots=True)
class DeadAddress:
    """An address to which nothing is sent, and the people on record who have it."""

    suppressed: SuppressedAddress
    owners: Sequence[AddressOwner]


def undeliverable(reading: ReadContext, *, after: str | None, limit: int) -> list[DeadAddress]:
    """A page of the addresses to which nothing is sent, in the order of the addresses."""
    rows = suppressions.page(reading, after=after, limit=limit)
    addresses = [row.address for row in rows]
    owners: dict[str, list[AddressOwner]] = defaultdict(list)
    parts = []
    for column in (Holder.email, Holder.second_email):
        text = func.lower(column)
        who = (Holder.id, Holder.given_name, Holder.family_name)
        parts.append(select(text.label("address"), *who).where(text.in_(addresses)))
    if addresses:
        for owner in reading.rows_as(AddressOwner, union_all(*parts)):
            owners[owner.address].append(owner)
    return [DeadAddress(row, owners[row.address]) for row in rows]
