"""What a holder earned elsewhere, with the certification for which it can be claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.domain.errors import NotFound
from tracker.services.core.context import ReadContext
from tracker.services.overview import me
from tracker.services.people import holders
from tracker.services.points import other_credentials
from tracker.services.points.other_credentials import OtherCredentialRow
from tracker.services.standings.standings import HeldCertification


@dataclass(frozen=True, slots=True)
class HolderCredentials:
    """A holder's credentials, without withdrawn ones, and the certifications they may count for."""

    rows: Sequence[OtherCredentialRow]
    certifications: Sequence[HeldCertification]


def mine(reading: ReadContext) -> HolderCredentials:
    """Those of the acting holder. Raises NotFound for other actors."""
    holder_id = reading.actor.holder_id
    if holder_id is None:
        raise NotFound
    holder = holders.get(reading, holder_id)
    rows = other_credentials.page(reading, holder_id)
    wanted = reading.credentials.activity.type
    held = [
        one
        for one in me.held_today(reading, holder_id, holder.time_zone)
        if any(wanted in policy.types for policy in reading.schemes[one.scheme].policies)
    ]
    return HolderCredentials([row for row in rows if row.withdrawn_at is None], held)
