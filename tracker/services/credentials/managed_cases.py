"""Managed cases: people whose attempts a case manager follows, seen with the holder's consent.

Staff record that a sponsor, such as a workforce board, follows somebody; the holder alone consents.

Invariant: a sponsor learns of a case, and of the person's attempts (``funding``), through
``scope()`` alone, which asks for the consent; both end the moment that the holder ends it.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tracker.domain.errors import AlreadyRecorded, Invalid, NotFound
from tracker.domain.permissions import check_own_holder
from tracker.models import Holder, ManagedCase, Sponsor
from tracker.services.core import history, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of, sees_everything
from tracker.services.core.row_scope import scope
from tracker.services.credentials import sponsor_consents


class ManagedCaseRow(NamedTuple):
    """A case with the names of the sponsor and of the person."""

    id: str
    holder_id: str
    sponsor_id: str
    recorded_at: datetime
    consented_at: datetime | None
    consent_ended_at: datetime | None
    name: str
    given_name: str
    family_name: str

    @property
    def is_shared(self) -> bool:
        """Whether the sponsor may see the person's attempts."""
        return self.consented_at is not None and self.consent_ended_at is None


_ROWS = (
    select(*columns_of(ManagedCaseRow, ManagedCase, Sponsor, Holder))
    .join(Sponsor, Sponsor.id == ManagedCase.sponsor_id)
    .join(Holder, Holder.id == ManagedCase.holder_id)
)


@sees_everything
def page(
    reading: ReadContext,
    *,
    holder_id: str | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> list[ManagedCaseRow]:
    """A page of the cases that the actor sees, in the order of their ids."""
    statement = _ROWS.where(scope(reading.actor, ManagedCase))
    if holder_id:
        statement = statement.where(ManagedCase.holder_id == holder_id)
    if after:
        statement = statement.where(ManagedCase.id > after)
    return reading.rows_as(ManagedCaseRow, statement.order_by(ManagedCase.id).limit(limit))


@sees_everything
def get(reading: ReadContext, case_id: str) -> ManagedCaseRow:
    """One case. Raises NotFound, also for one that the actor does not see."""
    seen = scope(reading.actor, ManagedCase)
    row = reading.row_as(ManagedCaseRow, _ROWS.where(ManagedCase.id == case_id, seen))
    if row is None:
        raise NotFound
    return row


def register(work: UnitOfWork, holder_id: str, sponsor_id: str) -> str:
    """Record that a sponsor follows somebody; it sees nothing until they consent. Returns the id.

    Raises Invalid, AlreadyRecorded, SelfReview, NotFound.
    """
    locks.lock_one_to_decide(work, holder_id)
    if work.row(select(Holder.id).where(Holder.id == holder_id)) is None:
        raise NotFound
    if work.row(select(Sponsor.id).where(Sponsor.id == sponsor_id)) is None:
        raise Invalid("There is no such sponsor.", fields={"sponsor_id": "is unknown"})
    row = ManagedCase(
        holder_id=holder_id,
        sponsor_id=sponsor_id,
        recorded_at=work.now,
        recorded_by=work.actor.name,
    )
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded("This sponsor follows the person already.") from error
    history.record(work, "register", "managed_case", row.id, sponsor=sponsor_id)
    return row.id


def consent(work: UnitOfWork, case_id: str) -> None:
    """Let the sponsor see the attempts. Raises IllegalTransition, NotFound."""
    sponsor_consents.give(work, _locked(work, case_id))


def end_consent(work: UnitOfWork, case_id: str) -> None:
    """End the sponsor's access at once. Raises IllegalTransition, NotFound."""
    sponsor_consents.end(work, _locked(work, case_id))


def _locked(work: UnitOfWork, case_id: str) -> ManagedCase:
    row = work.session.get(ManagedCase, case_id)
    if row is None:
        raise NotFound
    check_own_holder(work.actor, row.holder_id)
    locks.lock_one(work, row.holder_id)
    work.reread(row)
    return row
