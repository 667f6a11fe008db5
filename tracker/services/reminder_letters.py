"""Reminders among the letters: whether one is still owed, and what it says.

Composed when they are sent: the days left, points and language are those of that moment. What a
letter says is kept with it from the marker on, so that a second copy is the same to the byte.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Date, and_, bindparam, or_, select
from sqlalchemy.orm import aliased

from tracker.db import Instant
from tracker.mail import calendars, messages
from tracker.mail.calendars import Day
from tracker.mail.messages import CertificationLine, ReminderLetter
from tracker.models import Certification, Holder, Reminder, ReminderCursor, Span
from tracker.services import letters, reminder_plans, suppressions
from tracker.services.letters import Claim, Composed, Made, Uncomposed
from tracker.services.work import Reading

TYPE = "reminders"
"""What holders switch off when they want no reminders."""

_NOW = bindparam("now", type_=Instant)
_FIRST_DAY, _LAST_DAY = bindparam("first_day", type_=Date), bindparam("last_day", type_=Date)


def _today(span: Any) -> ColumnElement[bool]:
    return and_(
        span.certification_id == Reminder.certification_id, span.from_on <= _LAST_DAY,
        span.until_on > _FIRST_DAY,
    )  # fmt: skip


_SPAN = aliased(Span)
_ON_RECORD = select(_SPAN.cycle).where(_today(_SPAN)).correlate(Reminder)
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

OWED: ColumnElement[bool] = and_(
    Reminder.useful_until > _NOW, _SAME_TERM.exists(), _ON_RECORD.exists(), ~_BLOCKED.exists()
)
"""Whether a stage is still owed: the same term, in force, not overtaken by the next stage.

The same as the planner's rule, in SQL, because the marker must ask and write in one statement.
The parameters come from ``moment``.
"""


def moment(reading: Reading) -> dict[str, Any]:
    """The parameters of ``OWED``: the instant, and today in the schemes' zones."""
    days = [reading.today(scheme) for scheme in reading.schemes]
    return {"now": reading.now, "first_day": min(days), "last_day": max(days)}


def compose(reading: Reading, key: bytes, claims: Sequence[Claim]) -> Made:
    """The letters of the claimed rows by id, with a constant number of statements.

    A row with facts is sent again as it was; the others say what is true now.
    """
    stages = _owed_stages(reading, [claim.id for claim in claims if claim.facts is None])
    rows = [row for some in stages.values() for row in some]
    points = reminder_plans.points_of(
        reading, {row.certification_id: row for row in rows}.values(),
        lambda row: reading.today(reading.schemes[row.scheme]),
    )  # fmt: skip
    silent = suppressions.of_holders(reading, rows, now=reading.now)
    made: Made = {}
    for claim in claims:
        try:
            known = claim.facts or _snapshot(reading, stages.get(claim.id, []), points, silent)
            made[claim.id] = (
                Uncomposed(known, owed=False)
                if isinstance(known, str)
                else _composed(reading, key, claim, known)
            )
        except Exception as error:  # noqa: BLE001 - one letter's data must not stop the others
            made[claim.id] = Uncomposed(f"{type(error).__name__}: {error}"[:500], owed=True)
    return made


_STAGES = (
    select(
        Reminder.message_id, Reminder.certification_id, Reminder.offset, Reminder.expires_on,
        Certification.scheme, Certification.number, Certification.public_id,
        Certification.holder_id, Holder.given_name, Holder.family_name, Holder.language,
        Holder.email, Holder.second_email, Span.from_on, Span.until_on, Span.window_opens_on,
        Span.grace_ends_on, Span.pending_since,
    )
    .join(Certification, Certification.id == Reminder.certification_id)
    .join(Holder, Holder.id == Certification.holder_id)
    .join(Span, _today(Span))
    .where(Reminder.message_id.in_(bindparam("ids", expanding=True)), OWED)
    .order_by(Reminder.expires_on, Reminder.certification_id, Reminder.offset.desc())
)  # fmt: skip


def _owed_stages(reading: Reading, ids: Collection[str]) -> dict[str, list[Any]]:
    """The stages that each letter tells of and that are still owed."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    if not ids:
        return {}
    for row in reading.rows(_STAGES, {**moment(reading), "ids": list(ids)}):
        today = reading.today(reading.schemes[row.scheme])
        if row.from_on <= today < row.until_on:
            found[row.message_id][row.certification_id] = row  # the latest stage comes last
    return {message_id: list(rows.values()) for message_id, rows in found.items()}


def _snapshot(
    reading: Reading,
    stages: Sequence[Any],
    points: Mapping[str, Any],
    silent: Collection[str],
) -> dict[str, Any] | str:
    """Everything that the letter says, as JSON knows it; or why there is nothing to say."""
    if not stages:
        return "Not owed any more."
    first = stages[0]
    address = suppressions.address_of(first, silent)
    if address is None:
        return "No address that may be written to."
    base, scheme = reading.settings.app.base_url.rstrip("/"), reading.schemes[first.scheme]
    return {
        "composed_at": reading.now.isoformat(), "address": address,
        "name": f"{first.given_name} {first.family_name}", "language": first.language,
        "issuer": scheme.issuer,
        "link": f"{base}/verify/{first.public_id}",
        "lines": [
            {"certification_id": row.certification_id,
             **_plain(_line(reading, row, points[row.certification_id]))}
            for row in stages
        ],
    }  # fmt: skip


def _line(reading: Reading, row: Any, points: Any) -> CertificationLine:
    scheme = reading.schemes[row.scheme]
    today, counted = reading.today(scheme), points.evaluation
    return CertificationLine(
        scheme_name=scheme.title[row.language], number=row.number, expires_on=row.expires_on,
        days_left=(row.expires_on - today).days, stage=row.offset,
        points_counted=counted.total, points_required=counted.required,
        points_pending=points.pending.total - counted.total,
        window_opens_on=row.window_opens_on, window_open=row.window_opens_on <= today,
        pending_since=row.pending_since, points_verified=counted.verified,
        minima_met=counted.minima_met, grace_ends_on=row.grace_ends_on,
    )  # fmt: skip


def _composed(reading: Reading, key: bytes, claim: Claim, facts: dict[str, Any]) -> Composed:
    ways_out = letters.ways_out_of(reading, key, claim.holder_id or "", TYPE)
    lines = tuple(_line_again(line) for line in facts["lines"])
    calendar = calendars.published(
        [day for stored, line in zip(facts["lines"], lines, strict=True)
         for day in _days(stored["certification_id"], line)],
        language=facts["language"], at=datetime.fromisoformat(facts["composed_at"]),
        domain=reading.settings.mail.message_id_domain,
    )  # fmt: skip
    letter = messages.compose_reminder(
        ReminderLetter(
            name=facts["name"], language=facts["language"], lines=lines, link=facts["link"],
            issuer=facts["issuer"], unsubscribe_link=ways_out and ways_out[0], calendar=calendar,
        )
    )  # fmt: skip
    return letters.sealed(
        reading, key, claim, letter, facts, type_=TYPE,
        certification_ids=tuple(line["certification_id"] for line in facts["lines"]),
        stage=min(line.stage for line in lines),
    )  # fmt: skip


def _days(certification_id: str, line: CertificationLine) -> Iterator[Day]:
    """The dates ahead, for the holder's own calendar."""
    if line.window_opens_on > line.today:
        yield Day(certification_id, "window", line.scheme_name, line.window_opens_on)
    if line.days_left >= 0:
        yield Day(certification_id, "expiry", line.scheme_name, line.expires_on)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "date": date.fromisoformat,
    "Decimal": Decimal,
}  # by the first word of the type


def _plain(line: CertificationLine) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, (date, Decimal)) else value
        for name, value in asdict(line).items()
    }


def _line_again(stored: Mapping[str, Any]) -> CertificationLine:
    """The line that ``_plain`` wrote down."""
    values = {}
    for field in fields(CertificationLine):
        value, reader = stored[field.name], _READERS.get(str(field.type).split(" ", maxsplit=1)[0])
        values[field.name] = reader(value) if reader and value is not None else value
    return CertificationLine(**values)
