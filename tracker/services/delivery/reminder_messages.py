"""Composing reminders (a ``Composer``): whether one is still owed, and what it says.

Reminders are composed when they are sent, so the days left, points and language are those of that
moment. The marker stores what a message says, so that a second copy has the same bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, Date, and_, bindparam, case, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from tracker.db import Instant
from tracker.domain.credentials.certifications import StandingSpan
from tracker.domain.delivery.notices import MessageType
from tracker.domain.delivery.pages import REMINDER
from tracker.domain.delivery.reminders import SkipReason
from tracker.domain.periods import DAY
from tracker.domain.schemes.activity_types import translated
from tracker.mail import calendars, messages
from tracker.mail.calendars import CalendarDay
from tracker.mail.messages import CertificationLine, ReminderMessage
from tracker.models import Certification, Holder, Reminder, ReminderCursor, Span
from tracker.services.core.context import ReadContext, zone_of
from tracker.services.delivery import due_stages, sealing, stored_facts, todays
from tracker.services.delivery.sealing import Composed, MessageClaim, Owed, Uncomposed
from tracker.services.delivery.stored_facts import StoredFacts, StoredMessage
from tracker.services.outbox import suppressions
from tracker.services.standings.related_facts import SPAN, CertificationKey
from tracker.services.standings.standings import CertificationPoints

_FORMER_ZONE = "America/New_York"  # the time zone of messages stored by older versions

_NOW = bindparam("now", type_=Instant)


def _day(certification_id: InstrumentedAttribute[str]) -> ColumnElement[date]:
    """The day by which a certification is judged: that of its holder or of its scheme."""
    of = aliased(Certification)

    def ended(codes: str) -> ColumnElement[bool]:
        mine = select(of.id).where(
            of.id == certification_id, of.scheme.in_(bindparam(codes, expanding=True))
        )
        return mine.correlate(Reminder).exists()

    return case(
        (ended("ahead"), bindparam("ahead_day", type_=Date)),
        (ended("behind"), bindparam("behind_day", type_=Date)),
        else_=bindparam("day", type_=Date),
    )


_SPAN = aliased(Span)
_ON_RECORD = (
    select(_SPAN.cycle)
    .where(
        _SPAN.certification_id == Reminder.certification_id,
        _SPAN.from_on <= _day(Reminder.certification_id),
        _SPAN.until_on > _day(Reminder.certification_id),
    )
    .correlate(Reminder)
)
_BLOCKED = _ON_RECORD.where(
    or_(_SPAN.hold.is_not(None), and_(_SPAN.pending_since.is_not(None), Reminder.offset > 0))
)
_SAME_TERM = (
    select(ReminderCursor.cycle)
    .where(
        ReminderCursor.certification_id == Reminder.certification_id,
        ReminderCursor.cycle == Reminder.cycle,
        ReminderCursor.expires_on == Reminder.expires_on,
    )
    .correlate(Reminder)
)
_CURRENT = and_(Reminder.useful_until > _NOW, _SAME_TERM.exists())

OWED: ColumnElement[bool] = and_(_CURRENT, _ON_RECORD.exists(), ~_BLOCKED.exists())
"""Whether a stage is still owed: the same term, in force, not overtaken by the next stage.

The planner's rule in SQL, because the marker must check and write in one statement. ``moment``
gives the parameters for the holder's time zone.
"""


def moment(reading: ReadContext, time_zone: str) -> dict[str, object]:
    """The parameters of ``OWED``: the instant, and the date in a holder's time zone.

    A scheme whose days end in its own time zone may be a day ahead of that date or behind it.
    """
    day = reading.now.astimezone(zone_of(time_zone)).date()
    days = {scheme.code: reading.day_of(scheme, time_zone) for scheme in reading.schemes}
    return {
        "now": reading.now,
        "day": day,
        "ahead_day": day + DAY,
        "behind_day": day - DAY,
        "ahead": [code for code, own in days.items() if own > day],
        "behind": [code for code, own in days.items() if own < day],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredLine(CertificationLine):
    """A line as it is stored, with its certification's id."""

    certification_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredReminder(StoredMessage):
    """Everything that a reminder says; older versions stored no issuer and no time zone."""

    link: str
    lines: tuple[_StoredLine, ...]
    issuer: str = ""
    time_zone: str = _FORMER_ZONE


def owed(
    reading: ReadContext, claims: Sequence[MessageClaim]
) -> Callable[[MessageClaim], Owed | Uncomposed]:
    """What each message says now. A message with stored facts is sent again as it was."""
    stages, withheld = _owed_stages(reading, [claim.id for claim in claims if claim.facts is None])
    rows = [row for some in stages.values() for row in some]
    points = due_stages.points_of(reading, {_key(row): _today(reading, row) for row in rows})
    suppressed = suppressions.of_holders(reading, rows, now=reading.now)

    def of_claim(claim: MessageClaim) -> Owed | Uncomposed:
        if claim.facts is not None:
            return Owed(claim.facts)
        barred = {*suppressed, *sealing.refused(claim)}
        stored = _stored(reading, stages.get(claim.id, ()), points, barred)
        if isinstance(stored, Uncomposed):
            return stored
        return Owed(stored_facts.plain(stored), withheld.get(claim.id, {}))

    return of_claim


class _OwedStage(NamedTuple):
    """A stage that is still owed, the holder, and the certification's span around today."""

    message_id: str
    certification_id: str
    offset: int
    scheme: str
    number: str
    holder_id: str
    given_name: str
    family_name: str
    language: str
    email: str
    second_email: str | None
    time_zone: str
    span: StandingSpan


_STAGES = (
    select(
        Reminder.message_id,
        Reminder.certification_id,
        Reminder.offset,
        Certification.scheme,
        Certification.number,
        Certification.holder_id,
        Holder.given_name,
        Holder.family_name,
        Holder.language,
        Holder.email,
        Holder.second_email,
        Holder.time_zone,
        *SPAN,
    )
    .join(Certification, Certification.id == Reminder.certification_id)
    .join(Holder, Holder.id == Certification.holder_id)
    .join(
        Span,
        and_(
            Span.certification_id == Reminder.certification_id,
            Span.from_on <= bindparam("last_day", type_=Date),
            Span.until_on > bindparam("first_day", type_=Date),
        ),
    )
    .where(Reminder.message_id.in_(bindparam("ids", expanding=True)), _CURRENT)
    .order_by(Reminder.expires_on, Reminder.certification_id, Reminder.offset.desc())
)


Withheld = dict[str, dict[str, SkipReason]]
"""By message id: the certifications that it leaves out for now, each with the reason."""


def _owed_stages(
    reading: ReadContext, ids: Collection[str]
) -> tuple[dict[str, list[_OwedStage]], Withheld]:
    """The stages in each message that are still owed, and those that are withheld."""
    stages: dict[str, dict[str, _OwedStage]] = defaultdict(dict)
    withheld: Withheld = defaultdict(dict)
    if not ids:
        return {}, {}
    day = reading.now.date()  # no holder's local date differs from it by more than a day
    values = {"now": reading.now, "first_day": day - DAY, "last_day": day + DAY, "ids": list(ids)}
    for columns in reading.rows(_STAGES, values):
        span = StandingSpan(*columns[-len(SPAN) :])
        stage = _OwedStage._make((*columns[: -len(SPAN)], span))
        today = _today(reading, stage)
        if today < span.from_on or (span.until_on is not None and span.until_on <= today):
            continue
        if reason := _blocked(stage):
            withheld[stage.message_id][stage.certification_id] = reason
        else:  # the latest stage comes last
            stages[stage.message_id][stage.certification_id] = stage
    return {message_id: list(some.values()) for message_id, some in stages.items()}, withheld


def _blocked(stage: _OwedStage) -> SkipReason | None:
    """Why a stage is withheld now, or None; the same rule as ``_BLOCKED``, for a row."""
    if stage.span.hold is not None:
        return SkipReason.NOT_IN_FORCE
    pending = stage.span.pending_since is not None and stage.offset > 0
    return SkipReason.RENEWAL_PENDING if pending else None


def _today(reading: ReadContext, stage: _OwedStage) -> date:
    return reading.day_of(reading.schemes[stage.scheme], stage.time_zone)


def _key(stage: _OwedStage) -> CertificationKey:
    return CertificationKey(stage.certification_id, stage.holder_id, stage.scheme)


def _stored(
    reading: ReadContext,
    stages: Sequence[_OwedStage],
    points: Mapping[str, CertificationPoints],
    suppressed: Collection[str],
) -> _StoredReminder | Uncomposed:
    if not stages:
        return Uncomposed(sealing.NOT_OWED, owed=False)
    first = stages[0]
    address = suppressions.address_of(first, suppressed)
    if address is None:
        return Uncomposed(sealing.NO_ADDRESS, owed=False)
    told = [(REMINDER, stage.certification_id) for stage in stages]
    return _StoredReminder(
        composed_at=reading.now,
        address=address,
        name=f"{first.given_name} {first.family_name}",
        language=first.language,
        issuer=sealing.issuer_of(reading, {reading.schemes[s.scheme].issuer for s in stages}),
        time_zone=first.time_zone,
        link=sealing.button_link(reading, told),
        lines=tuple(_line(reading, stage, points[stage.certification_id]) for stage in stages),
    )


def _line(reading: ReadContext, stage: _OwedStage, points: CertificationPoints) -> _StoredLine:
    scheme, span, counted = reading.schemes[stage.scheme], stage.span, points.evaluation
    now = todays.today_of(scheme, span, points, on=_today(reading, stage))
    assert span.expires_on is not None  # noqa: S101 - for the type checker
    assert span.window_opens_on is not None  # noqa: S101 - for the type checker
    assert span.window_closes_on is not None  # noqa: S101 - for the type checker
    return _StoredLine(
        certification_id=stage.certification_id,
        scheme_name=translated(scheme.title, stage.language),
        full_name=scheme.full_name(stage.language),
        number=stage.number,
        expires_on=span.expires_on,
        days_left=(span.expires_on - now.on).days,
        stage=stage.offset,
        points_counted=counted.total,
        points_required=counted.required,
        points_pending=points.pending.total - counted.total,
        window_opens_on=span.window_opens_on,
        window_open=span.window_opens_on <= now.on <= span.window_closes_on,
        pending_since=span.pending_since,
        points_verified=counted.verified,
        minima_met=counted.minima_met,
        grace_ends_on=span.grace_ends_on,
        closes_on=span.window_closes_on,
        now=now,
    )


def compose(reading: ReadContext, key: bytes, claim: MessageClaim, facts: StoredFacts) -> Composed:
    """The message that says these facts."""
    stored = stored_facts.value_of(_StoredReminder, facts)
    unsubscribe = sealing.unsubscribe_links(
        reading, key, claim.holder_id or "", MessageType.REMINDERS
    )
    calendar = calendars.published(
        [day for line in stored.lines for day in _days(line)],
        language=stored.language,
        at=stored.composed_at,
        domain=reading.settings.mail.message_id_domain,
    )
    written = messages.compose_reminder(
        ReminderMessage(
            name=stored.name,
            language=stored.language,
            lines=stored.lines,
            link=stored.link,
            issuer=stored.issuer,
            unsubscribe_link=unsubscribe and unsubscribe[0],
            calendar=calendar,
        )
    )
    return sealing.sealed(
        reading,
        key,
        claim,
        written,
        facts,
        type_=MessageType.REMINDERS,
        certification_ids=tuple(line.certification_id for line in stored.lines),
        stage=min(line.stage for line in stored.lines),
        time_zone=stored.time_zone,
        issuer=stored.issuer,
    )


def _days(line: _StoredLine) -> Iterator[CalendarDay]:
    """The upcoming dates, for the holder's own calendar."""
    return calendars.ahead(
        line.certification_id,
        line.scheme_name,
        on=line.today,
        opens_on=line.window_opens_on,
        closes_on=line.closes_on,
        expires_on=line.expires_on,
    )
