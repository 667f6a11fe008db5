"""Composing reminders: whether one is still owed, and what it says.

Reminders are composed when they are sent, so the days left, points and language are those of that
moment. The marker stores what a message says, so that a second copy has the same bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, and_, bindparam, case, or_, select
from sqlalchemy.orm import aliased

from tracker.db import Instant
from tracker.domain.delivery.notices import MessageType
from tracker.domain.delivery.reminders import SkipReason
from tracker.domain.periods import DAY
from tracker.domain.schemes.activity_types import translated
from tracker.mail import calendars, messages
from tracker.mail.calendars import CalendarDay
from tracker.mail.messages import CertificationLine, ReminderLetter
from tracker.models import Certification, Holder, Reminder, ReminderCursor, Span
from tracker.services.core.context import ReadContext, zone_of
from tracker.services.delivery import due_stages, sealing, stored_facts, todays
from tracker.services.delivery.sealing import Composed, Made, MessageClaim, Uncomposed
from tracker.services.outbox import suppressions
from tracker.services.standings.neighbours import SPAN
from tracker.services.standings.standings import CertificationPoints

_FORMER_ZONE = "America/New_York"  # the time zone of messages stored by older versions

_NOW = bindparam("now", type_=Instant)


def _day(certification_id: Any) -> ColumnElement[date]:
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


def moment(reading: ReadContext, time_zone: str) -> dict[str, Any]:
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


def compose(reading: ReadContext, key: bytes, claims: Sequence[MessageClaim]) -> Made:
    """The messages of the claimed rows, by id, with a constant number of statements.

    A row with stored facts is sent again as it was; the others say what is true now.
    """
    stages, withheld = _owed_stages(reading, [claim.id for claim in claims if claim.facts is None])
    rows = [row for some in stages.values() for row in some]
    points = due_stages.points_of(
        reading,
        {row.certification_id: row for row in rows}.values(),
        lambda row: _today(reading, row),
    )
    silent = suppressions.of_holders(reading, rows, now=reading.now)
    made: Made = {}
    for claim in claims:
        try:
            mine = stages.get(claim.id, [])
            barred = {*silent, *sealing.refused(claim)}
            known = claim.facts or _snapshot(reading, mine, points, barred)
            made[claim.id] = (
                Uncomposed(known, owed=False)
                if isinstance(known, str)
                else replace(
                    _composed(reading, key, claim, known), withheld=withheld.get(claim.id, {})
                )
            )
        except Exception as error:  # noqa: BLE001 - one message's data must not stop the others
            made[claim.id] = Uncomposed(f"{type(error).__name__}: {error}"[:500], owed=True)
    return made


_STAGES = (
    select(
        Reminder.message_id,
        Reminder.certification_id,
        Reminder.offset,
        Certification.scheme,
        Certification.number,
        Certification.public_id,
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
) -> tuple[dict[str, list[Any]], Withheld]:
    """The stages in each message that are still owed, and those that are withheld."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    withheld: Withheld = defaultdict(dict)
    if not ids:
        return {}, {}
    day = reading.now.date()  # no holder's local date differs from it by more than a day
    asked = {"now": reading.now, "first_day": day - DAY, "last_day": day + DAY, "ids": list(ids)}
    for row in reading.rows(_STAGES, asked):
        if not row.from_on <= _today(reading, row) < row.until_on:
            continue
        if reason := _blocked(row):
            withheld[row.message_id][row.certification_id] = reason
        else:
            found[row.message_id][row.certification_id] = row  # the latest stage comes last
    return {message_id: list(rows.values()) for message_id, rows in found.items()}, withheld


def _blocked(row: Any) -> SkipReason | None:
    """Why a stage is withheld now, or None; the same rule as ``_BLOCKED``, for a row."""
    if row.hold is not None:
        return SkipReason.NOT_IN_FORCE
    return SkipReason.RENEWAL_PENDING if row.pending_since is not None and row.offset > 0 else None


def _today(reading: ReadContext, row: Any) -> date:
    return reading.day_of(reading.schemes[row.scheme], row.time_zone)


def _snapshot(
    reading: ReadContext,
    stages: Sequence[Any],
    points: Mapping[str, Any],
    silent: Collection[str],
) -> dict[str, Any] | str:
    """Everything that the message says, as JSON values; or why there is nothing to say."""
    if not stages:
        return sealing.NOT_OWED
    first = stages[0]
    address = suppressions.address_of(first, silent)
    if address is None:
        return sealing.NO_ADDRESS
    base = reading.settings.app.base_url.rstrip("/")
    return {
        "composed_at": reading.now.isoformat(),
        "address": address,
        "name": f"{first.given_name} {first.family_name}",
        "language": first.language,
        "issuer": sealing.issuer_of(reading, {reading.schemes[r.scheme].issuer for r in stages}),
        "time_zone": first.time_zone,
        "link": f"{base}/verify/{first.public_id}",
        "lines": [
            {
                "certification_id": row.certification_id,
                **stored_facts.plain(_line(reading, row, points[row.certification_id])),
            }
            for row in stages
        ],
    }


def _line(reading: ReadContext, row: Any, points: CertificationPoints) -> CertificationLine:
    scheme, counted = reading.schemes[row.scheme], points.evaluation
    now = todays.today_of(scheme, row, points, on=_today(reading, row))
    return CertificationLine(
        scheme_name=translated(scheme.title, row.language),
        full_name=scheme.full_name(row.language),
        number=row.number,
        expires_on=row.expires_on,
        days_left=(row.expires_on - now.on).days,
        stage=row.offset,
        points_counted=counted.total,
        points_required=counted.required,
        points_pending=points.pending.total - counted.total,
        window_opens_on=row.window_opens_on,
        window_open=row.window_opens_on <= now.on <= row.window_closes_on,
        pending_since=row.pending_since,
        points_verified=counted.verified,
        minima_met=counted.minima_met,
        grace_ends_on=row.grace_ends_on,
        closes_on=row.window_closes_on,
        now=now,
    )


def _composed(
    reading: ReadContext, key: bytes, claim: MessageClaim, facts: dict[str, Any]
) -> Composed:
    ways_out = sealing.ways_out_of(reading, key, claim.holder_id or "", MessageType.REMINDERS)
    lines = tuple(stored_facts.again(CertificationLine, line) for line in facts["lines"])
    calendar = calendars.published(
        [
            day
            for known, line in zip(facts["lines"], lines, strict=True)
            for day in _days(known["certification_id"], line)
        ],
        language=facts["language"],
        at=datetime.fromisoformat(facts["composed_at"]),
        domain=reading.settings.mail.message_id_domain,
    )
    letter = messages.compose_reminder(
        ReminderLetter(
            name=facts["name"],
            language=facts["language"],
            lines=lines,
            link=facts["link"],
            issuer=facts["issuer"],
            unsubscribe_link=ways_out and ways_out[0],
            calendar=calendar,
        )
    )
    return sealing.sealed(
        reading,
        key,
        claim,
        letter,
        facts,
        type_=MessageType.REMINDERS,
        certification_ids=tuple(line["certification_id"] for line in facts["lines"]),
        stage=min(line.stage for line in lines),
        time_zone=facts.get("time_zone", _FORMER_ZONE),
        issuer=facts.get("issuer", ""),
    )


def _days(certification_id: str, line: CertificationLine) -> Iterator[CalendarDay]:
    """The upcoming dates, for the holder's own calendar."""
    return calendars.ahead(
        certification_id,
        line.scheme_name,
        on=line.today,
        opens_on=line.window_opens_on,
        closes_on=line.closes_on,
        expires_on=line.expires_on,
    )
