"""The change history: one entry for each change, in the same transaction as the change.

An entry names the changed ``fields`` and keeps their values before and after. Values about people
(``PERSONAL``) are stored in separate rows, so that they can be erased without touching the history;
all others are in the entry's detail. ``history_pages`` reads it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal

from sqlalchemy import func, select, text

from tracker.models import HistoryEntry, HistoryValue
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork

Values = tuple[object, object]
"""A field's value before and after."""
Changes = Mapping[str, Values]
"""The value of each changed field before and after."""

PERSONAL: Mapping[str, frozenset[str]] = {
    "holder": frozenset(
        {
            "given_name",
            "family_name",
            "email",
            "second_email",
            "language",
            "time_zone",
            "deceased_on",
        }
    ),
    "request": frozenset({"given_name", "family_name"}),
    "roster_entry": frozenset({"given_holder_ref", "given_email", "given_number"}),
    "employer": frozenset({"email"}),
}
"""The fields whose values are about people, by the subject of the entry."""


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, Values]:
    """The fields in which two states of a record differ, in their order."""
    return {name: (before[name], value) for name, value in after.items() if before[name] != value}


def record(work: UnitOfWork, action: str, subject: str, subject_id: str, **detail: object) -> None:
    """Record that the actor did ``action`` to a record; ``changes`` are the fields it changed."""
    record_many(work, action, subject, [(subject_id, detail)])


def record_many(
    work: UnitOfWork, action: str, subject: str, details: Iterable[tuple[str, Mapping[str, object]]]
) -> None:
    """The same for many records: pairs of id and detail, with the changed fields as ``changes``."""
    personal = PERSONAL.get(subject, frozenset())
    plain: list[dict[str, object]] = []
    valued: list[tuple[dict[str, object], Changes]] = []
    for subject_id, detail in details:
        changed = _changed(detail)
        row = {
            "at": work.now,
            "actor": work.actor.name,
            "action": action,
            "subject": subject,
            "subject_id": subject_id,
            "detail": _plain({**detail, **_kept(changed, personal), "changes": None}),
        }
        values = {name: pair for name, pair in changed.items() if name in personal}
        if values:
            valued.append((row, values))
        else:
            plain.append(row)
    bulk.insert(work, HistoryEntry, plain)
    _insert_with_values(work, valued)


def _changed(detail: Mapping[str, object]) -> Changes:
    changed = detail.get("changes")
    return changed if isinstance(changed, Mapping) else {}


def _kept(changed: Changes, personal: Collection[str]) -> dict[str, object]:
    """What the entry itself keeps of a change: field names, and values that are not personal."""
    if not changed:
        return {}
    kept: dict[str, object] = {"fields": sorted(changed)}
    for name, (before, after) in changed.items():
        if name not in personal:
            kept |= {f"{name}_before": before, f"{name}_after": after}
    return kept


def _insert_with_values(
    work: UnitOfWork, valued: Collection[tuple[dict[str, object], Changes]]
) -> None:
    """Insert entries together with the rows of personal values that refer to their ids."""
    if not valued:
        return
    ids = _next_ids(work, len(valued))
    rows = [{"id": id_, **row} for id_, (row, _) in zip(ids, valued, strict=True)]
    bulk.insert(work, HistoryEntry, rows)
    bulk.insert(
        work,
        HistoryValue,
        [
            {
                "history_id": row["id"],
                "subject_id": row["subject_id"],
                "field": name,
                "before": _text(before),
                "after": _text(after),
            }
            for row, (_, values) in zip(rows, valued, strict=True)
            for name, (before, after) in values.items()
        ],
    )


def _next_ids(work: UnitOfWork, count: int) -> Collection[int]:
    """Ids for so many entries, from the sequence; SQLite has one writer, so there the next ones."""
    if work.dialect == "postgresql":
        taken = text("select nextval('history_id_seq') from generate_series(1, :count)")
        return [row[0] for row in work.rows(taken, {"count": count})]
    last = work.connection.execute(select(func.max(HistoryEntry.id))).scalar_one() or 0
    return range(last + 1, last + 1 + count)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _plain(detail: Mapping[str, object]) -> dict[str, object]:
    """Values that JSON can hold; dates and amounts as text."""
    return {
        key: str(value) if isinstance(value, (date, datetime, time, Decimal)) else value
        for key, value in detail.items()
        if value is not None
    }
