"""The trail of changes: one line for each, in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tracker.models import HistoryEntry
from tracker.services import bulk
from tracker.services.work import Work


def record(work: Work, action: str, subject: str, subject_id: str, **detail: Any) -> None:
    """Write down that the actor did ``action`` to a record."""
    record_many(work, action, subject, [(subject_id, detail)])


def record_many(
    work: Work, action: str, subject: str, details: Iterable[tuple[str, dict[str, Any]]]
) -> None:
    """The same for many records at once: pairs of id and detail."""
    rows = [
        {"at": work.now, "actor": work.actor.name, "action": action, "subject": subject,
         "subject_id": subject_id, "detail": _plain(detail)}
        for subject_id, detail in details
    ]  # fmt: skip
    bulk.insert(work, HistoryEntry, rows)


def _plain(detail: dict[str, Any]) -> dict[str, Any]:
    """Values that JSON knows; dates and amounts as text."""
    return {
        key: str(value) if isinstance(value, (date, datetime, Decimal)) else value
        for key, value in detail.items()
        if value is not None
    }
