"""Appeals as staff see them: those that wait, one with what it is against, and the letter ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import Date, bindparam, func, literal, select, tuple_

from tracker.db import Id
from tracker.domain.credentials.appeals import AppealVerdict
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.errors import NotFound
from tracker.domain.permissions import is_own
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Appeal, Certification, Holder, Notice, Renewal, StandingChange
from tracker.services.core import bulk, days, writers
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import appeals
from tracker.services.credentials.appeals import AppealRow
from tracker.services.delivery import sent_messages
from tracker.services.delivery.sent_messages import Copy


class WaitingAppeal(NamedTuple):
    """An appeal with its holder and what it is against: a change of standing or a denied renewal.

    ``decided_by`` is who decided what is appealed, ``ground`` their reason.
    """

    id: str
    filed_on: date
    due_on: date
    holder_id: str
    given_name: str
    family_name: str
    language: str
    number: str
    scheme: str
    kind: ChangeKind | None
    decided_on: date | None
    decided_by: str | None
    ground: str | None


@dataclass(frozen=True, slots=True)
class AppealDossier:
    """An appeal with all that its decision needs. ``is_barred``: the reader must not decide it."""

    appeal: AppealRow
    about: WaitingAppeal
    scheme: Scheme
    today: date
    is_barred: bool


_WITH_HOLDER = (
    select(
        Appeal.id,
        Appeal.filed_on,
        Appeal.due_on,
        Certification.holder_id,
        Holder.given_name,
        Holder.family_name,
        Holder.language,
        Certification.number,
        Certification.scheme,
        StandingChange.kind,
        func.coalesce(StandingChange.effective_on, Renewal.decided_on).label("decided_on"),
        func.coalesce(StandingChange.decided_by, Renewal.decided_by).label("decided_by"),
        func.coalesce(StandingChange.reason, Renewal.reason).label("ground"),
    )
    .join(Certification, Certification.id == Appeal.certification_id)
    .join(Holder, Holder.id == Certification.holder_id)
    .join(StandingChange, StandingChange.id == Appeal.change_id, isouter=True)
    .join(Renewal, Renewal.id == Appeal.renewal_id, isouter=True)
)


def page(
    reading: ReadContext, *, after: tuple[date, str] | None, limit: int
) -> Sequence[WaitingAppeal]:
    """The undecided appeals after a place, those first whose deadline is first."""
    waits = _WITH_HOLDER.where(Appeal.outcome.is_(None)).order_by(Appeal.due_on, Appeal.id)
    if after is not None:
        begin = tuple_(literal(after[0], Date), literal(after[1], Id))
        waits = waits.where(tuple_(Appeal.due_on, Appeal.id) > begin)
    return reading.rows_as(WaitingAppeal, waits.limit(limit))


def get(reading: ReadContext, appeal_id: str) -> AppealDossier:
    """One appeal, decided or not. Raises NotFound."""
    row = appeals.get(reading, appeal_id)
    about = reading.row_as(WaitingAppeal, _WITH_HOLDER.where(Appeal.id == row.id))
    if about is None:
        raise NotFound
    return AppealDossier(
        appeal=row,
        about=about,
        scheme=reading.schemes[about.scheme],
        today=days.today_everywhere(reading),
        is_barred=is_own(reading.actor, row.holder_id) or bool(writers.written(reading, [row.id])),
    )


def preview(
    work: UnitOfWork, appeal_id: str, *, outcome: AppealVerdict, reason: str, version: int
) -> Copy | None:
    """The message that an outcome would bring; None if the holder gets none. Nothing is changed.

    Raises what ``appeals.decide()`` raises.
    """
    savepoint = bulk.savepoint(work)
    try:
        appeals.decide(work, appeal_id, outcome=outcome, reason=reason, version=version)
        told = work.row(_TOLD, {"id": appeal_id})
        return sent_messages.as_due(work, work.message_key, told.message_id) if told else None
    finally:
        savepoint.rollback()


_TOLD = (
    select(Notice.message_id)
    .where(Notice.subject_id == bindparam("id"), Notice.kind == NoticeKind.APPEAL_DECIDED)
    .order_by(Notice.id.desc())
    .limit(1)
)
