"""Renewal applications to decide, the soonest expiry first, then the oldest.

Applications of deceased holders and for withdrawn awards stay in the list: somebody has to close
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Date, Executable, and_, func, literal, select, tuple_

from tracker.db import Id
from tracker.domain.credentials import certifications
from tracker.domain.credentials.certifications import Standing
from tracker.domain.credentials.certifications import StandingSpan as SpanValue
from tracker.domain.desk.reviews import ReviewLock, Wait
from tracker.domain.errors import NotFound
from tracker.models import Certification, Holder, OpenReview, Renewal, Span
from tracker.services.core import days, open_reviews
from tracker.services.core.context import ReadContext
from tracker.services.core.row_scope import scope
from tracker.services.desk import weighing
from tracker.services.desk.weighing import Weighing
from tracker.services.standings import related_facts
from tracker.services.standings.related_facts import CertificationKey
from tracker.services.standings.standings import ON_SPAN

NEVER = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class RenewalPlace:
    """The place of an application in the list."""

    expires_on: date
    submitted_on: date
    id: str


class QueuedRenewal(NamedTuple):
    """An application with its holder and certification; ``urgency``: its place by expiry.

    ``span`` is the stretch of the certification's timeline that contains the day.
    """

    id: str
    ref: str | None
    certification_id: str
    cycle: int
    submitted_on: date
    points_counted: Decimal | None
    version: int
    holder_id: str
    scheme: str
    certificate_number: str
    holder_ref: str
    given_name: str
    family_name: str
    deceased_on: date | None
    urgency: date
    lock: ReviewLock | None
    span: SpanValue | None


@dataclass(frozen=True, slots=True)
class WaitingApplication:
    """An application to decide, with today's points and those if all its activities were approved.

    Points are None if the scheme counts none.
    """

    renewal: QueuedRenewal
    standing: Standing | None
    days_left: int | None
    days_waiting: int
    business_days: int
    overdue: bool
    lock: ReviewLock | None
    points_now: Decimal | None
    points_if_approved: Decimal | None
    required: Decimal | None
    complete_now: bool | None
    complete_if_approved: bool | None
    waiting: int

    @property
    def place(self) -> RenewalPlace:
        """The place after which the next page begins."""
        return RenewalPlace(self.renewal.urgency, self.renewal.submitted_on, self.renewal.id)


_URGENCY = func.coalesce(Span.expires_on, NEVER)
_COLUMNS = (
    Renewal.id,
    Renewal.ref,
    Renewal.certification_id,
    Renewal.cycle,
    Renewal.submitted_on,
    Renewal.points_counted,
    Renewal.version,
    Certification.holder_id,
    Certification.scheme,
    Certification.number.label("certificate_number"),
    Holder.ref.label("holder_ref"),
    Holder.given_name,
    Holder.family_name,
    Holder.deceased_on,
    _URGENCY.label("urgency"),
)
_OWN = len(_COLUMNS)
_LOCK = slice(_OWN, _OWN + len(open_reviews.COLUMNS))
_WAITING = (
    select(*_COLUMNS, *open_reviews.COLUMNS, *related_facts.SPAN)
    .join(OpenReview, OpenReview.subject_id == Renewal.id, isouter=True)
    .join(Certification, Certification.id == Renewal.certification_id)
    .join(Holder, Holder.id == Certification.holder_id)
    .join(Span, and_(Span.certification_id == Certification.id, ON_SPAN), isouter=True)
    .where(Renewal.decision.is_(None), Renewal.withdrawn_on.is_(None))
    .order_by(_URGENCY, Renewal.submitted_on, Renewal.id)
)


def page(
    reading: ReadContext, *, scheme: str | None, after: RenewalPlace | None, limit: int
) -> list[WaitingApplication]:
    """The next ``limit`` applications after a place. Raises UnknownScheme."""
    on, statement = days.today_everywhere(reading), _WAITING.limit(limit)
    if scheme is not None:
        statement = statement.where(Certification.scheme == reading.schemes[scheme].code)
    if after is not None:
        begin = tuple_(
            literal(after.expires_on, Date),
            literal(after.submitted_on, Date),
            literal(after.id, Id),
        )
        statement = statement.where(tuple_(_URGENCY, Renewal.submitted_on, Renewal.id) > begin)
    return _applications(reading, statement, on)


def get(reading: ReadContext, renewal_id: str) -> WaitingApplication:
    """One application that waits. Raises NotFound, also for a decided or withdrawn one."""
    on = days.today_everywhere(reading)
    one = _WAITING.where(Renewal.id == renewal_id, scope(reading.actor, Renewal))
    found = _applications(reading, one, on)
    if not found:
        raise NotFound
    return found[0]


def _applications(
    reading: ReadContext, statement: Executable, on: date
) -> list[WaitingApplication]:
    rows = [
        QueuedRenewal._make(
            (
                *row[:_OWN],
                ReviewLock(*row[_LOCK]) if row.reviewer_id else None,
                SpanValue(*row[_LOCK.stop :]) if row.from_on else None,
            )
        )
        for row in reading.rows(statement, {"on": on})
    ]
    keys = {
        row.id: CertificationKey(row.certification_id, row.holder_id, row.scheme) for row in rows
    }
    weighed = weighing.read(reading, dict.fromkeys(keys.values()).keys(), on=on)
    return [_application(row, keys[row.id], weighed, on) for row in rows]


def _application(
    row: QueuedRenewal, key: CertificationKey, weighed: Weighing, on: date
) -> WaitingApplication:
    standing = certifications.standing_on(row.span, on) if row.span else None
    expires_on = standing.expires_on if standing else None
    waiting, reading, wait = weighed.waiting(key), weighed.reading, Wait(row.submitted_on)
    now, after = weighed.points(key), weighed.points(key, waiting)
    return WaitingApplication(
        renewal=row,
        standing=standing,
        waiting=len(waiting),
        days_left=(expires_on - on).days if expires_on else None,
        days_waiting=max((on - row.submitted_on).days, 0),
        business_days=wait.days(on),
        overdue=wait.is_overdue(on, reading.settings.reviews.service_level_days),
        lock=open_reviews.still_held(reading, row.lock),
        points_now=now.evaluation.total if now else None,
        points_if_approved=after.evaluation.total if after else None,
        required=now.evaluation.required if now else None,
        complete_now=now.evaluation.complete if now else None,
        complete_if_approved=after.evaluation.complete if after else None,
    )
