"""The planner: from due cursors to reminders on record and letters in the outbox.

Every decision is made by the office's clock, not the database's: the clock can be set for
demonstrations, and the dry run, the planner and the letters must agree on what day it is. On
several machines their clocks must agree within seconds, as NTP provides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from tracker.db import new_id
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification, Holder, Reminder, ReminderCursor
from tracker.services import bulk, facts, outbox, pacing, reminder_plans, runtime
from tracker.services.pacing import Pace
from tracker.services.reminder_plans import AUDIENCE, CURSORS, Examined, Moment
from tracker.services.work import Office, Work

_STAGE = ("certification_id", "cycle", "expires_on", "offset", "audience")


@dataclass(frozen=True, slots=True)
class PlanCounts:
    """What one batch did: certifications examined, and their stages by fate."""

    examined: int = 0
    planned: int = 0
    superseded: int = 0
    skipped: int = 0

    def __add__(self, other: PlanCounts) -> PlanCounts:
        return PlanCounts(
            self.examined + other.examined, self.planned + other.planned,
            self.superseded + other.superseded, self.skipped + other.skipped,
        )  # fmt: skip


def plan_due(office: Office, *, limit: int) -> PlanCounts:
    """Decide the due stages of at most ``limit`` certifications, in one transaction.

    With those of one holder come the others of the same holder that are due, so that they make
    one letter. Every examined cursor moves on, whatever came of it; ``examined`` is 0 when
    nothing is due, or somebody else is at work on it.
    """
    with office.work(SYSTEM) as work:
        rows = _lock_due(work, limit)
        if not rows:
            return PlanCounts()
        found = reminder_plans.examine(
            work,
            rows,
            lambda row, scheme: Moment(work.now, work.day_of(scheme, row.time_zone)),
        )
        letters = _letters(work, found)
        ids = outbox.enqueue(work, office.message_key, list(letters.values()))
        runtime.count_volume(work, len(ids))
        counts = _record(work, found, {id_: ids[one.key] for id_, one in letters.items()})
        _advance(work, found)
    return counts


def _lock_due(work: Work, limit: int) -> Sequence[Any]:
    """Lock due cursors and their holders, leaving out what somebody else has locked.

    Invariant: the planner never waits for a holder's lock. Services lock the holder and then
    touch the cursor; a planner that held the cursor and waited would lock both out.
    """
    due = select(ReminderCursor.certification_id).where(ReminderCursor.next_due_at <= work.now)
    due = due.order_by(ReminderCursor.next_due_at).limit(limit)
    ids = [row.certification_id for row in work.rows(due.with_for_update(skip_locked=True))]
    rows: list[Any] = []
    for some in facts.chunks(ids):
        held = bulk.among(work, Certification.id, some)
        holders = select(Certification.holder_id).where(held)
        of_holders = CURSORS.where(
            Certification.holder_id.in_(holders), facts.CURRENT,
            ReminderCursor.next_due_at <= work.now,
        )  # fmt: skip
        rows += work.rows(of_holders.with_for_update(skip_locked=True, of=ReminderCursor))
    by_id = {row.certification_id: row for row in rows}
    free = _lock_holders(work, {row.holder_id for row in by_id.values()})
    return [row for row in by_id.values() if row.holder_id in free]


def _lock_holders(work: Work, holder_ids: Collection[str]) -> set[str]:
    free: set[str] = set()
    for ids in facts.chunks(sorted(holder_ids)):
        statement = select(Holder.id).where(bulk.among(work, Holder.id, ids)).order_by(Holder.id)
        statement = statement.with_for_update(read=True, key_share=True, skip_locked=True)
        free.update(row.id for row in work.rows(statement))
    return free


def _letters(work: Work, found: Sequence[Examined]) -> dict[str, outbox.Wanted]:
    """One letter for each holder who has a stage to be told of, by the holder's id."""
    groups: dict[str, list[Examined]] = defaultdict(list)
    for one in found:
        if one.plan.current is not None:
            groups[one.row.holder_id].append(one)
    zones = {id_: group[0].row.time_zone for id_, group in groups.items()}
    paces = pacing.of_holders(work, zones)
    return {id_: _letter(work, group, paces[id_]) for id_, group in groups.items()}


def _letter(work: Work, group: Sequence[Examined], pace: Pace) -> outbox.Wanted:
    """The letter of the holder's own date; what is planned at night is of the morning."""
    day = pace.earliest(work.now, urgent=True).astimezone(pace.zone).date()
    stages = [stage for one in group if (stage := one.plan.current)]
    first, ends = group[0], [stage.useful_until for stage in stages]
    wanted = outbox.Wanted(
        key=f"h:{first.row.holder_id}:{day}", kind="reminder", holder_id=first.row.holder_id,
        address=first.address or "", stage=min(stage.offset for stage in stages),
        useful_until=max(ends),
    )  # fmt: skip
    civil = (pace.earliest(work.now, urgent=urgent) for urgent in (wanted.is_urgent, True))
    in_time = (at for at in civil if at < min(ends))
    return replace(wanted, not_before=next(in_time, work.now))


def _record(work: Work, found: Sequence[Examined], letters: dict[str, str]) -> PlanCounts:
    """Write one row for each decided stage; a stage that has one keeps it. Letters by holder."""
    rows = [
        {"id": new_id(), "certification_id": one.row.certification_id, "cycle": one.row.cycle,
         "expires_on": one.row.expires_on, "offset": stage.offset, "audience": AUDIENCE,
         "due_at": stage.due_at, "useful_until": stage.useful_until, "fate": fate,
         "reason": reason, "recorded_at": work.now,
         "message_id": letters[one.row.holder_id] if fate == "planned" else None}
        for one in found
        for stage, fate, reason in one.plan.fates
    ]  # fmt: skip
    if rows:
        bulk.insert_new(work, Reminder, rows, key=_STAGE, returning=["id"])
    fates = [row["fate"] for row in rows]
    return PlanCounts(
        len(found), fates.count("planned"), fates.count("superseded"), fates.count("skipped")
    )


def _advance(work: Work, found: Sequence[Examined]) -> None:
    rows = [
        {"certification_id": one.row.certification_id, "last_offset": one.plan.last_offset,
         "next_due_at": one.plan.next_due_at}
        for one in found
    ]  # fmt: skip
    bulk.update_by(work, ReminderCursor, "certification_id", rows)
