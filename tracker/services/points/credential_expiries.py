"""Reminders before credentials of other issuers expire: notices, each told once.

The unique key of a notice is the holder, the credential, its expiration date and the days before
it. So whichever process looks, however often, each reminder is told once; one that dies leaves
nothing, since the notice and its message are written in one transaction.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import and_, or_, select

from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.points.other_credentials import due_reminder
from tracker.models import Holder, OtherCredential
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork, zone_of
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell

START = (date.min, "00000000-0000-0000-0000-000000000000")
"""Before the first place."""
Place = tuple[date, str]
"""How far the reminders were looked through: an expiration date, and the id of a credential."""


class _Expiring(NamedTuple):
    id: str
    holder_id: str
    expires_on: date
    time_zone: str


def remind(work: UnitOfWork, after: Place = START) -> Place | None:
    """Tell the holders of a batch of credentials; returns where the next begins, None at the end.

    The days are those of each holder's time zone.
    """
    today = work.now.date()  # nobody's date differs from it by more than a day
    latest = today + timedelta(days=max(work.credentials.remind, default=0) + 1)
    table, (day, id_) = OtherCredential, after
    statement = (
        select(table.id, table.holder_id, table.expires_on, Holder.time_zone)
        .join(Holder, Holder.id == table.holder_id)
        .where(
            table.withdrawn_at.is_(None),
            table.expires_on >= max(day, today - timedelta(days=1)),
            table.expires_on <= latest,
            or_(table.expires_on > day, and_(table.expires_on == day, table.id > id_)),
        )
        .order_by(table.expires_on, table.id)
        .limit(bulk.CHUNK)
    )
    rows = work.rows_as(_Expiring, statement)
    notices.tell(work, [told for row in rows if (told := _reminder(work, row))])
    return (rows[-1].expires_on, rows[-1].id) if len(rows) == bulk.CHUNK else None


def _reminder(work: UnitOfWork, row: _Expiring) -> NoticeToTell | None:
    on = work.now.astimezone(zone_of(row.time_zone)).date()
    days = due_reminder(row.expires_on, work.credentials.remind, on=on)
    if days is None:
        return None
    return NoticeToTell(
        kind=NoticeKind.CREDENTIAL_EXPIRES,
        holder_id=row.holder_id,
        subject_id=row.id,
        event=f"{row.expires_on}:{days}",
        on=on,
    )
