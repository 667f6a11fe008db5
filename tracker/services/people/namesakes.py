"""Namesakes: new people who may already be on record, with the same name and address.

Only a hint: two people may share both, so nobody is refused for it.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select

from tracker.domain.emails import compared
from tracker.models import Holder
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext

Key = tuple[str, str]


def key_of(folded_name: str, email: str) -> Key:
    """What two records of one person have in common: the searchable name and the address."""
    return folded_name, compared(email)


def on_record(reading: ReadContext, keys: Collection[Key]) -> dict[Key, str]:
    """The people on record with such a name and address: a ref for each key that has one.

    People with former names are missed, since their searchable text contains all their names.
    """
    statement = select(Holder.ref, Holder.folded_name, Holder.email).where(
        bulk.among(reading, Holder.folded_name, {name for name, _ in keys}),
        func.lower(Holder.email).in_({address for _, address in keys}),
    )
    rows = reading.rows(statement.order_by(Holder.id.desc()))
    return {key_of(row.folded_name, row.email): row.ref for row in rows}


def warning(ref: str) -> str:
    """The warning about a new person who looks like the person with that ref."""
    return (
        f"The person with the ref {ref!r} has the same name and email address. If they are the"
        " same person, use that record."
    )
