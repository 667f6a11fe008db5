"""A holder's consent that lets a sponsor see a record: given, and ended at once.

An apprenticeship and a managed case have it alike.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import update

from tracker.domain.errors import IllegalTransition, NotFound
from tracker.models import Apprenticeship, ManagedCase
from tracker.services.core import history
from tracker.services.core.context import UnitOfWork
from tracker.services.core.history import Subject

SponsoredRecord = Apprenticeship | ManagedCase
_SUBJECTS: Mapping[type[SponsoredRecord], Subject] = {
    Apprenticeship: "apprenticeship",
    ManagedCase: "managed_case",
}


def give(work: UnitOfWork, row: SponsoredRecord) -> None:
    """Let the sponsor see a record, which the caller has locked; for its holder alone.

    Raises IllegalTransition, NotFound.
    """
    if work.actor.holder_id != row.holder_id:
        raise NotFound
    if row.consented_at is not None and row.consent_ended_at is None:
        raise IllegalTransition("The sponsor sees this already.", state="shared")
    row.consented_at, row.consent_ended_at = work.now, None
    work.session.flush()
    history.record(work, "consent", _SUBJECTS[type(row)], row.id, sponsor=row.sponsor_id)


def end(work: UnitOfWork, row: SponsoredRecord) -> None:
    """End the sponsor's access at once. Raises IllegalTransition."""
    if row.consented_at is None or row.consent_ended_at is not None:
        raise IllegalTransition("The sponsor does not see this.", state="not_shared")
    row.consent_ended_at = work.now
    work.session.flush()
    history.record(work, "end_consent", _SUBJECTS[type(row)], row.id, sponsor=row.sponsor_id)


def end_all(work: UnitOfWork, holder_id: str, *, reason: str) -> None:
    """End the access of every sponsor, since the holder has died; the caller has locked the record.

    It is not restored if the death was recorded in error.
    """
    for table, subject in _SUBJECTS.items():
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
        history.record_many(work, "end_consent", subject, lines)
