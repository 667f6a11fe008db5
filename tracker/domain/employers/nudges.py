"""Nudges: an employer reminds a worker who shares with it, at most once a fortnight."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from tracker.domain.credentials.certifications import Status

NUDGED_EVERY = timedelta(days=14)
"""How often an employer may nudge the same worker."""
_SOMETHING_TO_DO = frozenset({Status.ACTIVE, Status.RENEWAL_OPEN, Status.GRACE})


class NotNudgedReason(StrEnum):
    """Why a worker is not nudged: no consent, no certification that can be renewed, or too soon."""

    NOT_SHARED = "not_shared"
    NOTHING_TO_DO = "nothing_to_do"
    NUDGED = "nudged"


def may_nudge_from(nudged_on: date | None) -> date | None:
    """The first day on which a worker may be nudged again; None if they never were."""
    return None if nudged_on is None else nudged_on + NUDGED_EVERY


def reason_against(
    status: str, *, shared: bool, nudged_on: date | None, on: date
) -> NotNudgedReason | None:
    """Why a worker with this status is not nudged on a day; None if they may be.

    >>> reason_against("active", shared=True, nudged_on=date(2026, 11, 8), on=date(2026, 11, 21))
    <NotNudgedReason.NUDGED: 'nudged'>
    """
    if not shared:
        return NotNudgedReason.NOT_SHARED
    if status not in _SOMETHING_TO_DO:
        return NotNudgedReason.NOTHING_TO_DO
    again_on = may_nudge_from(nudged_on)
    return NotNudgedReason.NUDGED if again_on is not None and on < again_on else None
