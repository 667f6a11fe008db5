"""The first page of a holder: their certifications, the most urgent first, and what is at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import bindparam, select

from tracker.domain.credentials.next_steps import urgency
from tracker.models import Activity
from tracker.services.core.context import ReadContext
from tracker.services.credentials import renewals
from tracker.services.credentials.renewals import RenewalRow
from tracker.services.desk import audit_items
from tracker.services.desk.audit_items import AuditItemRow
from tracker.services.employers import confirmations
from tracker.services.employers.confirmations import MissingYears
from tracker.services.overview import me
from tracker.services.overview.me import HolderPrefetch, Mine, Myself

_AUDITS = 5  # so many are named on the page; the rest follow once these are answered


@dataclass(frozen=True, slots=True)
class LastActivity:
    """The activity that was logged last, to log another one like it."""

    id: str
    scheme: str
    title: str


@dataclass(frozen=True, slots=True)
class HolderHome:
    """Who asks, their certifications in the order of what must be done first, and what is at hand.

    ``denials`` are the applications that were denied last, by the id of their certification, as
    long as nothing followed. ``audits`` are audited activities that wait for an answer,
    ``unconfirmed`` the years of employment that employers have not confirmed.
    """

    myself: Myself
    certifications: Sequence[Mine]
    denials: Mapping[str, RenewalRow]
    last: LastActivity | None
    audits: Sequence[AuditItemRow] = ()
    unconfirmed: Sequence[MissingYears] = ()


def home(reading: ReadContext) -> HolderHome:
    """The first page of whoever asks; for others than holders it has their account alone."""
    holder_id = reading.actor.holder_id
    if holder_id is None:
        return HolderHome(me.myself(reading), (), {}, None)
    reading = _AHEAD.read(reading, holder_id)
    myself = me.read_ahead(reading)
    latest = {row.certification_id: row for row in renewals.of_holder(reading, holder_id)}
    return HolderHome(
        myself=myself,
        certifications=sorted(myself.certifications, key=_urgency),
        denials={id_: row for id_, row in latest.items() if row.decision == "denied"},
        last=reading.row_as(LastActivity, _LAST, {"id": holder_id}),
        audits=audit_items.to_answer(reading, holder_id)[:_AUDITS],
        unconfirmed=confirmations.missing(reading, holder_id),
    )


def _urgency(one: Mine) -> tuple[bool, date]:
    return urgency(one.next, one.held.standing.expires_on)


_AHEAD = HolderPrefetch((renewals.OF_HOLDER, audit_items.TO_ANSWER), confirmations.OF_HOLDER)
_LAST = (
    select(Activity.id, Activity.scheme, Activity.title)
    .where(Activity.holder_id == bindparam("id"))
    .order_by(Activity.id.desc())
    .limit(1)
)
