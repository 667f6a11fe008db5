"""Managed cases: people whose attempts a case manager follows, seen with the holder's consent.

Staff record that a sponsor, such as a workforce board, follows somebody; the holder alone consents.

Invariant: a sponsor learns of a case, and of the person's attempts (``funding``), through
``scope()`` alone, which asks for the consent; both end the moment that the holder ends it.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from tracker.domain.errors import AlreadyRecorded, IllegalTransition, Invalid, NotFound
from tracker.domain.permissions import check_own_holder
from tracker.models import Holder, ManagedCase, Sponsor
from tracker.services.core import history, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of, sees_everything
from tracker.services.core.row_scope import scope


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
    row = _locked(work, case_id)
    if work.actor.holder_id != row.holder_id:
        raise NotFound
    if row.consented_at is not None and row.consent_ended_at is None:
        raise IllegalTransition("The sponsor sees this already.", state="shared")
    row.consented_at, row.consent_ended_at = work.now, None
    work.session.flush()
    history.record(work, "consent", "managed_case", row.id, sponsor=row.sponsor_id)


def end_consent(work: UnitOfWork, case_id: str) -> None:
    """End the sponsor's access at once. Raises IllegalTransition, NotFound."""
    row = _locked(work, case_id)
    if row.consented_at is None or row.consent_ended_at is not None:
        raise IllegalTransition("The sponsor does not see this.", state="not_shared")
    row.consent_ended_at = work.now
    work.session.flush()
    history.record(work, "end_consent", "managed_case", row.id, sponsor=row.sponsor_id)


def end_consents(work: UnitOfWork, holder_id: str, *, reason: str) -> None:
    """End the access of every sponsor, since the holder has died; the caller has locked the record.

    It is not restored if the death was recorded in error.
    """
    table = ManagedCase
    ended = work.rows(
        update(table)
        .where(
            table.holder_id == holder_id,
            table.consented_at.is_not(None),
            table.consent_ended_at.is_(None),
        )
        .values(consent_ended_at=work.now)
        .returning(table.id, table.sponsor_id)
    )
    lines = [(row.id, {"sponsor": row.sponsor_id, "reason": reason}) for row in ended]
    history.record_many(work, "end_consent", "managed_case", lines)


def _locked(work: UnitOfWork, case_id: str) -> ManagedCase:
    row = work.session.get(ManagedCase, case_id)
    if row is None:
        raise NotFound
    check_own_holder(work.actor, row.holder_id)
    locks.lock_one(work, row.holder_id)
    work.reread(row)
    return row
