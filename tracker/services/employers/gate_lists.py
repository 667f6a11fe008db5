"""Gate lists: who is cleared, signed, to be kept for some hours where there is no network.

Invariant: whoever is on a list is cleared through its last day, as far as is known now; so the list
says no dates. Who shares no dates is only on lists that end today, since a list that reaches
further would tell one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tracker import signatures
from tracker.db import new_id
from tracker.domain.employers.requirements import ClearanceState
from tracker.domain.errors import Invalid
from tracker.services.core.context import ReadContext
from tracker.services.employers import clearances, employers
from tracker.services.employers.clearances import ClearanceCheck, ClearedWorker

KIND = "tracker-gate-list+jwt"
LONGEST_HOURS = 72
MOST_LISTED = 20_000
"""How many workers an employer may have for such a list."""


@dataclass(frozen=True, slots=True)
class GateList:
    """Those who are cleared, by employee id, until an instant; ``signed`` is the same as a JWS."""

    id: str
    made_at: datetime
    good_until: datetime
    check: ClearanceCheck
    employee_ids: Sequence[str]
    signed: str


def make(
    reading: ReadContext, seed: bytes, employer_id: str, requirement_id: str, *, hours: int
) -> GateList:
    """The list of those who are cleared from now on for so many hours.

    Raises NotFound, Invalid for an employer with too many workers.
    """
    until = reading.now + timedelta(hours=hours)
    ends_on = employers.day_of(reading, until)
    check = clearances.everybody(reading, employer_id, requirement_id, most=MOST_LISTED)
    if len(check.workers) > MOST_LISTED:
        rule = f"is not given to employers with more than {MOST_LISTED:,} workers"
        raise Invalid("The list would be too long.", fields={"hours": rule})
    listed = [str(one.employee_id) for one in check.workers if _lasts(one, check.on, ends_on)]
    id_ = new_id()
    values = {
        "jti": id_,
        "iss": reading.settings.app.base_url,
        "iat": int(reading.now.timestamp()),
        "exp": int(until.timestamp()),
        "employer_id": employer_id,
        "requirement_id": requirement_id,
        "requirement": check.requirement.name,
        "employee_ids": listed,
    }
    signed = signatures.signed(seed, KIND, values)
    return GateList(id_, reading.now, until, check, listed, signed)


def _lasts(worker: ClearedWorker, today: date, ends_on: date) -> bool:
    """Whether somebody is cleared through the last day of a list."""
    if worker.clearance.state != ClearanceState.CLEARED:
        return False
    if not worker.shares_dates:
        return ends_on == today
    last = worker.clearance.last_day
    return last is None or ends_on <= last
