"""Reminders: which stages are owed, when, and what to do after a pause.

A stage is a number of days before the expiry (negative: after it). Stages are windows, not days: a
stage is owed from its instant until that of the next stage, so that a missed night changes nothing,
and after a long pause only the latest stage is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from tracker.domain.credentials.certifications import Hold
from tracker.domain.errors import Invalid
from tracker.domain.schemes.schemes import ReminderPolicy


class StageOutcome(StrEnum):
    """What becomes of a stage: it is sent, a later stage takes its place, or nothing is sent."""

    PLANNED = "planned"
    SUPERSEDED = "superseded"
    SKIPPED = "skipped"


class SkipReason(StrEnum):
    """Why a stage is skipped."""

    BEFORE_CERTIFICATION = "before_certification"
    NOT_IN_FORCE = "not_in_force"
    LONG_PAST = "long_past"
    POINTS_COMPLETE = "points_complete"
    RENEWAL_PENDING = "renewal_pending"
    UNWANTED = "unwanted"
    SNOOZED = "snoozed"
    NOT_DELIVERABLE = "not_deliverable"
    DECEASED = "deceased"


LONG_PAST = timedelta(days=30)
"""How long the last stage of a cycle is owed; each other stage is owed until the next one."""
MENDABLE = frozenset(SkipReason) - {SkipReason.BEFORE_CERTIFICATION, SkipReason.LONG_PAST}
"""Reasons that may go away: then the stage is sent after all, as long as it is useful.

A suspension is lifted, points are taken back, or a death was recorded by mistake.
"""
LAST_DAYS = 7
"""From this stage on a pause holds no reminder back: these are the last before the expiry."""
LONGEST_PAUSE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of one cycle: owed from ``due_at`` until ``useful_until``, both instants in UTC."""

    offset: int
    due_at: datetime
    useful_until: datetime


@dataclass(frozen=True, slots=True)
class ReminderFacts:
    """What is known of a certification when the planner looks at it.

    ``opened_at`` is when the system first knew of its cycle; ``pending``: a renewal is under
    review; ``deceased``: the holder died; ``complete``: the points reach the requirement;
    ``deliverable``: there is an address to write to; ``wanted``: the holder did not switch
    reminders off; ``snoozed``: the holder paused them. ``last_offset`` is the latest stage dealt
    with so far; ``decided`` are the stages that already have a row, ``reopened`` those that have
    one but did not reach the holder: they are decided again. ``mended_at`` is the next instant at
    which an obstacle ends by itself: a suspension that is lifted from a later day on, a pause by
    the holder, a pause of the address after bounces.
    """

    now: datetime
    opened_at: datetime
    last_offset: int | None = None
    decided: Collection[int] = ()
    reopened: Collection[int] = ()
    hold: Hold | None = None
    pending: bool = False
    deceased: bool = False
    complete: bool = False
    deliverable: bool = True
    wanted: bool = True
    snoozed: bool = False
    mended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReminderPlan:
    """The result of looking at one certification: each stage's outcome, and when to look again."""

    fates: tuple[tuple[Stage, StageOutcome, SkipReason | None], ...]
    last_offset: int | None
    next_due_at: datetime | None

    @property
    def current(self) -> Stage | None:
        """The stage to be sent now, if there is one."""
        return next((stage for stage, fate, _ in self.fates if fate == StageOutcome.PLANNED), None)


def after_quiet(at: datetime, begins: time, ends: time, zone: ZoneInfo) -> datetime:
    """The instant itself, or the end of the quiet hours that it falls into, by local time.

    The hours may run past midnight. If they begin and end at the same time, there are none.
    """
    local = at.astimezone(zone)
    past_midnight = begins > ends
    late, early = local.time() >= begins, local.time() < ends
    if not (late or early if past_midnight else late and early):
        return at
    day = local.date() + timedelta(days=past_midnight and late)
    return max(datetime.combine(day, ends, tzinfo=zone).astimezone(UTC), at)


def instant(expires_on: date, offset: int, policy: ReminderPolicy, zone: ZoneInfo) -> datetime:
    """When a stage is due, in UTC: the policy's time of day in the holder's time zone.

    A time of day that a clock change skips is read with the offset before the change; one that
    occurs twice means the first. So a stage has exactly one instant.
    """
    day = expires_on - timedelta(days=offset)
    return datetime.combine(day, policy.send_at, tzinfo=zone).astimezone(UTC)


def opening(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day in the holder's time zone, in UTC."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def closing(day: date, zone: ZoneInfo) -> datetime:
    """The last instant of a day in the holder's time zone, in UTC."""
    return opening(day + timedelta(days=1), zone) - timedelta(microseconds=1)


@lru_cache(maxsize=4096)
def stages(policy: ReminderPolicy, expires_on: date, zone: ZoneInfo) -> tuple[Stage, ...]:
    """All stages of a cycle in the order in which they are due.

    Cached, because certifications that are due together expire on few different days.
    """
    offsets = sorted(set(policy.offsets), reverse=True)
    instants = [instant(expires_on, offset, policy, zone) for offset in offsets]
    ends = [*instants[1:], *(last + LONG_PAST for last in instants[-1:])]
    return tuple(Stage(*parts) for parts in zip(offsets, instants, ends, strict=True))


def plan(owed: Iterable[Stage], facts: ReminderFacts, policy: ReminderPolicy) -> ReminderPlan:
    """Decide every stage whose instant has passed and that was not decided before.

    ``owed`` are all stages of the cycle, in order. The latest due stage is planned and supersedes
    the others. Any stage before the last one dealt with is superseded too: stages never go back.
    The exception is a stage that was reopened, since the obstacle may be gone. If the obstacle ends
    by itself, the certification is looked at again at that instant.

    Skipped, with the reason, are: a stage from before the cycle was opened; the last stage when it
    is more than 30 days late; any stage after the holder's death; any while the certification is
    suspended, revoked or surrendered; one before the expiry while an application is under review;
    any for a holder who wants none; one in a pause, unless it is 7 days or less before the expiry;
    one that the policy leaves out when the points are complete; and one without an address.
    """
    open_ones = [stage for stage in owed if stage.offset not in facts.decided]
    due = [stage for stage in open_ones if stage.due_at <= facts.now]
    ahead = [stage for stage in open_ones if stage.due_at > facts.now]
    passed = [stage.offset for stage in due]
    if facts.last_offset is not None:
        passed.append(facts.last_offset)
    fates = tuple((stage, *_fate(stage, due[-1], facts, policy)) for stage in due)
    next_looks = [stage.due_at for stage in ahead[:1]]
    if facts.mended_at is not None and fates and _is_useful_at(*fates[-1], facts.mended_at):
        next_looks.append(facts.mended_at)
    return ReminderPlan(
        fates=fates,
        last_offset=min(passed, default=None),
        next_due_at=min(next_looks, default=None),
    )


def _is_useful_at(stage: Stage, _: StageOutcome, reason: SkipReason | None, at: datetime) -> bool:
    """Whether a skipped stage whose reason may go away is still useful at an instant."""
    return reason in MENDABLE and at < stage.useful_until


def _fate(
    stage: Stage, latest: Stage, facts: ReminderFacts, policy: ReminderPolicy
) -> tuple[StageOutcome, SkipReason | None]:
    if stage.due_at < facts.opened_at:
        return StageOutcome.SKIPPED, SkipReason.BEFORE_CERTIFICATION
    overtaken = (
        facts.last_offset is not None
        and stage.offset >= facts.last_offset
        and stage.offset not in facts.reopened
    )
    if stage is not latest or overtaken:
        return StageOutcome.SUPERSEDED, None
    reason = SkipReason.DECEASED if facts.deceased else _objection(stage, facts, policy)
    return (StageOutcome.SKIPPED, reason) if reason else (StageOutcome.PLANNED, None)


def _objection(stage: Stage, facts: ReminderFacts, policy: ReminderPolicy) -> SkipReason | None:
    """Why the latest due stage is not sent; None if it is."""
    if facts.now >= stage.useful_until:
        return SkipReason.LONG_PAST
    if facts.hold is not None:
        return SkipReason.NOT_IN_FORCE
    if facts.pending and stage.offset > 0:
        return SkipReason.RENEWAL_PENDING
    if reason := _unwanted(stage, facts):
        return reason
    if facts.complete and stage.offset not in policy.offsets_when_complete:
        return SkipReason.POINTS_COMPLETE
    return None if facts.deliverable else SkipReason.NOT_DELIVERABLE


def _unwanted(stage: Stage, facts: ReminderFacts) -> SkipReason | None:
    """Why the holder does not want this stage; None if they do."""
    if not facts.wanted:
        return SkipReason.UNWANTED
    return SkipReason.SNOOZED if facts.snoozed and stage.offset > LAST_DAYS else None


def is_paused(until_on: date | None, today: date) -> bool:
    """Whether a pause is running, its last day included; None: there is no pause."""
    return until_on is not None and today <= until_on


def check_pause(until_on: date, today: date) -> None:
    """Refuse to pause reminders through a past day, or for over a year. Raises Invalid."""
    if not today <= until_on <= today + LONGEST_PAUSE:
        rule = f"must be between {today} and {today + LONGEST_PAUSE}"
        raise Invalid("Reminders can be paused for at most a year.", fields={"snoozed_until": rule})
