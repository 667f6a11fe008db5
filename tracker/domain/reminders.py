"""Reminders: which stages are owed, when, and what to do after a pause.

A stage is a number of days before the expiry (negative: after it). Stages are windows, not
days: a stage is owed from its instant until the next one's, so that a missed night changes
nothing and after a long pause only the latest stage is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from tracker.domain.schemes import ReminderPolicy

Fate = Literal["planned", "superseded", "skipped"]
SkipReason = Literal[
    "before_certification", "long_past", "points_complete", "renewal_pending", "not_deliverable",
]  # fmt: skip
LONG_PAST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of one cycle and the instant from which it is owed."""

    offset: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """What a look at one certification found: each stage's fate, and when to look again."""

    fates: tuple[tuple[Stage, Fate, SkipReason | None], ...]
    last_offset: int | None
    next_due_at: datetime | None
    useful_until: datetime | None

    @property
    def current(self) -> Stage | None:
        """The stage to be sent now, if there is one."""
        return next((stage for stage, fate, _ in self.fates if fate == "planned"), None)


def instant(expires_on: date, offset: int, policy: ReminderPolicy, zone: ZoneInfo) -> datetime:
    """When a stage falls due, in UTC: the policy's time of day where the holder lives.

    A time of day that a clock change skips is read with the offset before the change; one that
    comes twice means the first. So a stage has exactly one instant.
    """
    day = expires_on - timedelta(days=offset)
    return datetime.combine(day, policy.send_at, tzinfo=zone).astimezone(UTC)


def stages(policy: ReminderPolicy, expires_on: date, zone: ZoneInfo) -> list[Stage]:
    """All stages of a cycle in the order in which they fall due."""
    ordered = sorted(policy.offsets, reverse=True)
    return [Stage(offset, instant(expires_on, offset, policy, zone)) for offset in ordered]


def plan(
    owed: Iterable[Stage],
    *,
    now: datetime,
    opened_at: datetime,
    last_offset: int | None,
    wanted: frozenset[int] | None = None,
    pending: bool = False,
) -> Plan:
    """Decide every stage whose instant has passed and that was not decided before.

    The latest due stage is planned, the others are superseded by it. Skipped with the reason
    are stages that fell before the cycle was opened, those more than 30 days late, those that
    ``wanted`` leaves out because the points are complete, and those before expiry while an
    application is under review.
    """
    ordered = [s for s in owed if last_offset is None or s.offset < last_offset]
    due = [s for s in ordered if s.due_at <= now]
    ahead = [s for s in ordered if s.due_at > now]
    fates = [
        (stage, *_fate(stage, due[-1], now=now, opened_at=opened_at, wanted=wanted, pending=pending))
        for stage in due
    ]
    return Plan(
        fates=tuple(fates),
        last_offset=due[-1].offset if due else last_offset,
        next_due_at=ahead[0].due_at if ahead else None,
        useful_until=ahead[0].due_at if ahead else (due[-1].due_at + LONG_PAST if due else None),
    )


def _fate(
    stage: Stage, latest: Stage, *, now: datetime, opened_at: datetime,
    wanted: frozenset[int] | None, pending: bool,
) -> tuple[Fate, SkipReason | None]:  # fmt: skip
    if stage.due_at < opened_at:
        return "skipped", "before_certification"
    if stage is not latest:
        return "superseded", None
    if now - stage.due_at > LONG_PAST:
        return "skipped", "long_past"
    if pending and stage.offset > 0:
        return "skipped", "renewal_pending"
    if wanted is not None and stage.offset not in wanted:
        return "skipped", "points_complete"
    return "planned", None
