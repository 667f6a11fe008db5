"""Changes to a person's record: who may make them at once, and what must be requested.

Staff correct records. Holders change their contact details at once; a new name is a request,
because certificates are issued to names. Only staff record a death.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import update

from tracker.domain.employers.consents import ConsentEnd
from tracker.domain.errors import Invalid, NotAllowed
from tracker.domain.permissions import check_own_holder, is_own
from tracker.domain.values import future_rule
from tracker.models import Sharing
from tracker.services.core import history, locks
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import sponsor_consents
from tracker.services.desk import requests
from tracker.services.desk.requests import RequestRow
from tracker.services.people import duplicates, holders, names
from tracker.services.people.holders import HolderRow


@dataclass(frozen=True, slots=True)
class CorrectedHolder:
    """A person's record after a change, the fields that changed, and the request that was made."""

    holder: HolderRow
    applied: tuple[str, ...]
    request: RequestRow | None = None


@dataclass(frozen=True, slots=True)
class RegisteredHolder:
    """A new person's record, with warnings."""

    holder: HolderRow
    warnings: tuple[str, ...]


def register(work: UnitOfWork, values: dict[str, Any]) -> RegisteredHolder:
    """Register a person, and warn if somebody on record looks like the same person.

    Raises AlreadyRecorded if the ref is taken.
    """
    holder = holders.register(work, values)
    others = duplicates.look_for(work, [holder.id]).get(holder.id, ())
    return RegisteredHolder(holder, tuple(duplicates.warning(other) for other in others))


def change(
    work: UnitOfWork, holder_id: str, values: Mapping[str, Any], *, version: int, reason: str | None
) -> CorrectedHolder:
    """Change a person's record, and request what only staff can change.

    Raises NotFound, also for another person's record; Stale; NotAllowed for a holder who records a
    death; Invalid for a day of death in the future.
    """
    check_own_holder(work.actor, holder_id)
    locks.lock_one(work, holder_id)
    before, changes = holders.get(work, holder_id), dict(values)
    proposal: dict[str, str] = {}
    if not work.actor.is_staff or is_own(work.actor, holder_id):
        proposal = _left_to_the_staff(before, changes)
    _check_death(work, before, changes.get("deceased_on"))
    after = holders.correct(work, holder_id, changes, version=version, reason=reason)
    if after.deceased_on is not None and before.deceased_on is None:
        _end_consents(work, holder_id)
    applied = tuple(sorted(key for key in changes if getattr(after, key) != getattr(before, key)))
    if not proposal:
        return CorrectedHolder(after, applied)
    today = holders.today(work, after)
    id_ = requests.ask_for_name(work, holder_id, proposal, statement=reason, on=today)
    return CorrectedHolder(after, applied, requests.get(work, id_))


def _left_to_the_staff(holder: HolderRow, changes: dict[str, Any]) -> dict[str, str]:
    """Take from a holder's changes the names, which need a request; returns those that differ."""
    if "deceased_on" in changes:
        raise NotAllowed("Only staff can record a death.")
    proposal = {name: changes.pop(name) for name in names.FIELDS if name in changes}
    return {name: value for name, value in proposal.items() if value != getattr(holder, name)}


def _check_death(work: UnitOfWork, holder: HolderRow, day: date | None) -> None:
    if rule := future_rule(day, holders.today(work, holder)):
        raise Invalid("The day of death cannot be in the future.", fields={"deceased_on": rule})


def _end_consents(work: UnitOfWork, holder_id: str) -> None:
    """End the holder's consents; they are not restored if the death was recorded in error."""
    ended = work.rows(
        update(Sharing)
        .where(Sharing.holder_id == holder_id, Sharing.ended_at.is_(None))
        .values(ended_at=work.now, end_reason=ConsentEnd.DECEASED)
        .returning(Sharing.id)
    )
    history.record_many(
        work, "end", "sharing", [(row.id, {"reason": ConsentEnd.DECEASED}) for row in ended]
    )
    sponsor_consents.end_all(work, holder_id, reason=ConsentEnd.DECEASED)
