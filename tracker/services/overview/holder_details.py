"""What a holder has on record about themselves, and their requests to change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.domain.errors import NotFound
from tracker.services.core.context import ReadContext
from tracker.services.desk import requests
from tracker.services.desk.requests import RequestRow
from tracker.services.people import holders
from tracker.services.people.holders import HolderRow

_MOST = 50  # requests; a person has one open at a time, and seldom another


@dataclass(frozen=True, slots=True)
class HolderDetails:
    """A holder's record and requests, oldest first."""

    holder: HolderRow
    requests: Sequence[RequestRow]


def mine(reading: ReadContext) -> HolderDetails:
    """Those of the acting holder. Raises NotFound for other actors."""
    holder_id = reading.actor.holder_id
    if holder_id is None:
        raise NotFound
    made = requests.page(reading, after=None, limit=_MOST, filters={"holder_id": holder_id})
    return HolderDetails(holders.get(reading, holder_id), made)
