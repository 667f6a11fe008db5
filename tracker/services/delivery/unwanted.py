"""Composed messages that their holders do not want because the type is switched off or paused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import or_, select

from tracker.domain.delivery import reminders as rules
from tracker.models import Holder, Preference
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, zone_of
from tracker.services.delivery import sealing
from tracker.services.delivery.sealing import Composed, Made, MessageClaim, Uncomposed


class _TypeWish(NamedTuple):
    """A type of message that a holder switched off or paused."""

    holder_id: str
    type: str
    wanted: bool
    snoozed_until: date | None
    time_zone: str


def drop_unwanted(reading: ReadContext, claims: Sequence[MessageClaim], made: Made) -> Made:
    """The composed messages, without those of a type that the holder switched off or paused."""
    of_type = {
        (claim.holder_id, composed.type)
        for claim in claims
        if isinstance(composed := made.get(claim.id), Composed) and composed.type
    }
    wishes: dict[tuple[str, str], _TypeWish] = {}
    for ids in bulk.chunks({holder_id for holder_id, _ in of_type if holder_id}):
        statement = (
            select(
                Preference.holder_id,
                Preference.type,
                Preference.wanted,
                Preference.snoozed_until,
                Holder.time_zone,
            )
            .join(Holder, Holder.id == Preference.holder_id)
            .where(
                Preference.holder_id.in_(ids),
                or_(~Preference.wanted, Preference.snoozed_until.is_not(None)),
            )
        )
        for row in reading.rows_as(_TypeWish, statement):
            wishes[row.holder_id, row.type] = row
    unwanted = {
        claim.id: Uncomposed(reason, owed=False)
        for claim in claims
        if isinstance(composed := made.get(claim.id), Composed)
        and (wish := wishes.get((claim.holder_id or "", composed.type)))
        and (reason := _why_unwanted(reading, composed, wish))
    }
    return {**made, **unwanted}


def _why_unwanted(reading: ReadContext, composed: Composed, wish: _TypeWish) -> str | None:
    """Why a message is not wanted now, or None; the planner's rule, for a message that waited."""
    if not wish.wanted:
        return sealing.NOT_WANTED
    can_wait = composed.stage is not None and composed.stage > rules.LAST_DAYS
    today = reading.now.astimezone(zone_of(wish.time_zone)).date()
    paused = rules.is_paused(wish.snoozed_until, today)
    return sealing.PAUSED if can_wait and paused else None
