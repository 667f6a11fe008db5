"""Reminders: cursors that follow the certifications, the planner, and the fate of every stage."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import case, update

from tracker.models import ReminderCursor
from tracker.services import facts
from tracker.services.work import Work

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)  # sorts before every instant: look at the next tick


def touch(work: Work, records: Iterable[facts.Record]) -> None:
    """Have the planner look at these certifications at its next tick.

    A new cycle starts its stages anew; anything else leaves what was sent as it is.
    """
    rows = [
        {"certification_id": record.certification_id, "cycle": record.cycles[-1].ordinal,
         "expires_on": record.cycles[-1].expires_on, "last_offset": None, "next_due_at": AT_ONCE}
        for record in records
    ]  # fmt: skip
    if not rows:
        return
    statement = work.upsert(ReminderCursor)
    new = statement.excluded
    same_cycle = (ReminderCursor.cycle == new.cycle) & (ReminderCursor.expires_on == new.expires_on)
    statement = statement.on_conflict_do_update(
        index_elements=["certification_id"],
        set_={
            "cycle": new.cycle, "expires_on": new.expires_on, "next_due_at": new.next_due_at,
            "last_offset": case((same_cycle, ReminderCursor.last_offset), else_=None),
        },
    )  # fmt: skip
    work.connection.execute(statement, rows)


def forget(work: Work, certification_id: str) -> None:
    """Owe no more reminders for a voided certification; what was sent stays on record."""
    work.connection.execute(
        update(ReminderCursor)
        .where(ReminderCursor.certification_id == certification_id)
        .values(next_due_at=None)
    )
