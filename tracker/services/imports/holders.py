"""holders: people on record, by holder_ref."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select, update

from tracker.models import Certification, Holder, ReminderCursor
from tracker.services import bulk, facts
from tracker.services.imports import lookups
from tracker.services.imports.run import Kind, Row, Run, nothing_follows
from tracker.services.imports.tables import Batch
from tracker.services.reminder_plans import AT_ONCE
from tracker.services.work import Work
from tracker.tabular import Column, choice, email, text, time_zone

_NAMES = ("given_name", "family_name", "email")
_OPTIONAL = ("second_email", "language", "time_zone")
# A cell may leave these out; what is on record then stays, and new holders get this.
_DEFAULTS = {"language": "en", "time_zone": "America/New_York"}


def _take(run: Run, rows: Collection[Row]) -> None:
    if run.broken:
        return
    on_record = lookups.by_ref(run.work, Holder, [row.key for row in rows], *_NAMES, *_OPTIONAL)
    batch = Batch(run, Holder, subject="holder", private=True)
    moved: list[str] = []
    for row in rows:
        old = on_record.get(row.key)
        values = {name: row[name] for name in _NAMES}
        for name in _OPTIONAL:
            kept = getattr(old, name) if old else _DEFAULTS.get(name)
            given = name in run.header and (row[name] is not None or name not in _DEFAULTS)
            values[name] = row[name] if given else kept
        batch.add(old, values, ref=row.key, recorded_at=run.work.now, version=1)
        if old is not None and old.time_zone != values["time_zone"]:
            moved.append(old.id)
    batch.write()
    _look_again(run.work, moved)


def _look_again(work: Work, holder_ids: Collection[str]) -> None:
    """Have the planner look at the certifications of holders whose time zone changed."""
    if holder_ids:
        held = select(Certification.id).where(
            bulk.among(work, Certification.holder_id, holder_ids),
            facts.CURRENT,
        )
        statement = update(ReminderCursor).where(ReminderCursor.certification_id.in_(held))
        work.connection.execute(statement.values(next_due_at=AT_ONCE))


KIND = Kind(
    name="holders",
    columns=(
        Column("holder_ref", text(64), required=True),
        Column("given_name", text(100), required=True),
        Column("family_name", text(100), required=True),
        Column("email", email, required=True),
        Column("second_email", email),
        Column("language", choice(("en", "es"))),
        Column("time_zone", time_zone),
    ),
    key=("holder_ref",),
    take=_take,
    finish=nothing_follows,
)
