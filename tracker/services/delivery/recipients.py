"""Holders who receive no messages because they are recorded as deceased.

It holds at every step: notices are not put into the outbox, reminders are skipped with the reason
``deceased``, a waiting message is not composed, and the marker refuses a composed one. A death
recorded by mistake can be taken back: then a reminder that is still useful is sent after all, and
notices of that time stay unsent.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import InstrumentedAttribute

from tracker.models import Holder
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext
from tracker.services.delivery.sealing import DECEASED, Made, MessageClaim, Uncomposed


def is_deceased(holder_id: InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
    """The SQL condition that a column names a deceased holder."""
    return exists(select(Holder.id).where(Holder.id == holder_id, Holder.deceased_on.is_not(None)))


def deceased(reading: ReadContext, holder_ids: Collection[str]) -> set[str]:
    """Which of these people are recorded as deceased."""
    those: set[str] = set()
    for ids in bulk.chunks(sorted(holder_ids)):
        statement = select(Holder.id).where(
            bulk.among(reading, Holder.id, ids), Holder.deceased_on.is_not(None)
        )
        those |= {row.id for row in reading.rows(statement)}
    return those


def drop_deceased(reading: ReadContext, claims: Sequence[MessageClaim], made: Made) -> Made:
    """The composed messages, without those to people recorded as deceased."""
    dead = deceased(reading, {claim.holder_id for claim in claims if claim.holder_id})
    dropped = {
        claim.id: Uncomposed(DECEASED, owed=False) for claim in claims if claim.holder_id in dead
    }
    return {**made, **dropped}
