"""Erasing what the history tells about a person."""

from __future__ import annotations

from collections.abc import Collection

from tracker.services.core import history
from tracker.services.core.context import UnitOfWork
from tracker.services.overview import history_pages


def erase_person(
    work: UnitOfWork, holder_id: str, *, reason: str, also: Collection[str] = ()
) -> int:
    """Erase every personal value about a person and their records; returns how many.

    ``also`` are ids of records that tell of the person and are nobody's on record.

    Names, addresses and other values go, before and after; so does the name where the person
    acted. What was done, when, and with which token or account stays, and the chain holds. Raises
    NotFound.
    """
    records = history_pages.records_of_person(work, holder_id)
    about = {id_ for ids in records.values() for id_ in ids} | set(also)
    return history.erase(work, "holder", holder_id, about, reason=reason)
