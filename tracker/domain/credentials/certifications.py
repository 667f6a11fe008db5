"""A certification through time: its cycles, what suspends or ends it, and its standing.

Invariant: a standing is a function of recorded facts and a date; it is never stored. The facts are
first turned into a *timeline*: spans of days in which nothing recorded changes, each with the dates
that decide the standing. ``standing_on`` reads one span and one date. Each span is stored as one
table row, so that SQL answers the same question for a million rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from tracker.domain.periods import DAY, Period
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.domain.value_classes import value_class


class Status(StrEnum):
    """What a certification is on a day."""

    IN_PROGRESS = "in_progress"
    ACTIVE = "active"
    RENEWAL_OPEN = "renewal_open"
    PENDING_RENEWAL = "pending_renewal"
    GRACE = "grace"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    SURRENDERED = "surrendered"
    WITHDRAWN = "withdrawn"


class Hold(StrEnum):
    """What suspends or has ended a certification by a decision; the status of such days."""

    SUSPENDED = "suspended"
    REVOKED = "revoked"
    SURRENDERED = "surrendered"


HoldStatus = Hold | Literal[Status.WITHDRAWN]
"""What holds a span: a decision of staff, or that no passes on record support the award."""


class ChangeKind(StrEnum):
    """What staff, or the holder, do to a certification."""

    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    REVOKE = "revoke"
    SURRENDER = "surrender"


GAP_RESTORED = "gap_restored"
"""The reason code of an extension that gives back days taken by a hold that was undone."""
# Looked up once, as a member is slow to find on Python 3.11: standings are asked by the million.
_ACTIVE, _RENEWAL_OPEN, _PENDING = Status.ACTIVE, Status.RENEWAL_OPEN, Status.PENDING_RENEWAL
_GRACE, _EXPIRED = Status.GRACE, Status.EXPIRED
_IN_FORCE = frozenset({_ACTIVE, _RENEWAL_OPEN})
_STATUS_OF: dict[HoldStatus, Status] = {
    **{hold: Status(hold) for hold in Hold},
    Status.WITHDRAWN: Status.WITHDRAWN,
}
_PRECEDENCE = (Hold.REVOKED, Hold.SURRENDERED, Hold.SUSPENDED)
_SETS: dict[ChangeKind, Hold] = {
    ChangeKind.SUSPEND: Hold.SUSPENDED,
    ChangeKind.REVOKE: Hold.REVOKED,
    ChangeKind.SURRENDER: Hold.SURRENDERED,
}


@value_class()
class CycleTerm:
    """One validity period; ``opened_on`` is the day its award or renewal was decided.

    ``expires_on`` is the ``nth`` expiry counted from ``anchor_on``; None: it never ends. ``policy``
    is the version that governs the cycle; empty if the scheme has none. ``imported``: its days come
    from a file and override the scheme's validity.
    """

    ordinal: int
    anchor_on: date
    nth: int
    starts_on: date
    expires_on: date | None
    opened_on: date
    policy: str
    imported: bool = False


@dataclass(frozen=True, slots=True)
class Application:
    """An application for renewal: when it was submitted and closed (a withdrawal closes it too)."""

    submitted_on: date
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class ChangeOfStanding:
    """A suspension, revocation, surrender or reinstatement, in the order of recording.

    A revocation bars the person from earning the certification again through ``barred_until``;
    None: as long as the scheme says, which may be for good.
    """

    kind: ChangeKind
    effective_on: date
    barred_until: date | None = None


@dataclass(frozen=True, slots=True)
class CycleAdjustment:
    """What staff changed for one cycle from a day on: a later expiry or a lower requirement."""

    ordinal: int
    effective_on: date
    extended_to: date | None = None
    points_required: Decimal | None = None
    reason_code: str = ""


@value_class()
class StandingSpan:
    """A run of days in which no recorded fact changes; ``until_on`` is the first day after it.

    ``cycle`` is the ordinal of the cycle on these days; the expiry and the application window are
    those of the last cycle opened. In grace, the title may be claimed through ``title_ends_on``.
    """

    from_on: date
    until_on: date | None
    cycle: int
    cycle_starts_on: date
    expires_on: date | None
    window_opens_on: date | None
    window_closes_on: date | None
    grace_ends_on: date | None
    title_ends_on: date | None
    pending_since: date | None
    hold: HoldStatus | None
    valid_while_pending: bool


@value_class()
class Standing:
    """What is true of a certification on a date."""

    status: Status
    valid: bool
    on: date
    cycle: int
    cycle_starts_on: date
    expires_on: date | None
    window_opens_on: date | None
    window_closes_on: date | None
    pending_since: date | None


def first_cycle(scheme: Scheme, awarded_on: date) -> CycleTerm:
    """The cycle that an award opens: valid through the anniversary, that day included."""
    return _cycle(
        scheme,
        1,
        anchor=(awarded_on, 1),
        starts_on=awarded_on,
        opened_on=awarded_on,
        awarded_on=awarded_on,
    )


def next_cycle(
    scheme: Scheme,
    last: CycleTerm,
    *,
    decided_on: date,
    awarded_on: date,
    extended_to: date | None = None,
) -> CycleTerm:
    """The cycle that an approved renewal opens, anchored as the governing policy says.

    ``old_expiry``: it starts the day after the old expiry and ends on the anniversary of the
    anchor; renewing early or late neither gains nor loses time. ``decision``: it starts the day
    after the decision, since no day belongs to two cycles, and ends on the anniversary of the
    decision. ``decision_to_old_end``: it also starts the day after the decision, but ends on the
    same day as with ``old_expiry``. MSSC's anchor is unknown; the first one is shipped as an
    unverified value.

    An extension of the old cycle moves the new one if the policy says so: see ``moved_to``.
    """
    if last.expires_on is None:
        raise ValueError("a cycle without end has no next one")
    policy = scheme.policy(last.policy)
    old_end, anchor = last.expires_on, (last.anchor_on, last.nth + 1)
    if extended_to is not None and policy.extension and policy.extension.moves_cycle:
        old_end, anchor = extended_to, (scheme.award.anchor_of(extended_to), 1)
    return _cycle(
        scheme,
        last.ordinal + 1,
        anchor=(decided_on, 1) if policy.next_cycle == "decision" else anchor,
        starts_on=(old_end if policy.next_cycle == "old_expiry" else decided_on) + DAY,
        opened_on=decided_on,
        awarded_on=awarded_on,
    )


def _cycle(
    scheme: Scheme,
    ordinal: int,
    *,
    anchor: tuple[date, int],
    starts_on: date,
    opened_on: date,
    awarded_on: date,
) -> CycleTerm:
    expires = scheme.award.validity_of(awarded_on) is not None
    policy = scheme.policy_for(starts_on, awarded_on=awarded_on) if expires else None
    return CycleTerm(
        ordinal=ordinal,
        anchor_on=anchor[0],
        nth=anchor[1],
        starts_on=starts_on,
        expires_on=scheme.award.expiry(*anchor) if expires else None,
        opened_on=opened_on,
        policy=policy.version if policy else "",
    )


def cycle_on(cycles: Sequence[CycleTerm], day: date) -> CycleTerm:
    """The cycle that contains the day; outside all cycles, the last one opened by then.

    If a later cycle starts before an earlier one ends (anchor ``decision``), the later one wins, so
    that no day lies in two cycles. If the decision comes after the expiry, the day of the decision,
    which is the day before the new cycle starts, belongs to the new cycle.
    """
    opened = [c for c in cycles if c.opened_on <= day] or list(cycles[:1])
    started = [c for c in opened if c.starts_on <= day]
    found, last = started[-1] if started else opened[0], opened[-1]
    decided = day == last.opened_on == last.starts_on - DAY
    return last if decided and day > (found.expires_on or date.max) else found


def days_of(cycles: Sequence[CycleTerm], cycle: CycleTerm) -> Period:
    """The days of a cycle: through its expiry, or through the day before the next cycle starts."""
    end = cycle.expires_on or date.max
    for other in cycles:
        if other.ordinal == cycle.ordinal + 1:
            end = min(end, other.starts_on - DAY)
    return Period(cycle.starts_on, max(end, cycle.starts_on))


def timeline(
    scheme: Scheme,
    cycles: Sequence[CycleTerm],
    *,
    applications: Iterable[Application] = (),
    changes: Iterable[ChangeOfStanding] = (),
    adjustments: Iterable[CycleAdjustment] = (),
) -> tuple[StandingSpan, ...]:
    """Turn a certification's recorded facts into spans, from the award on, without end.

    ``cycles`` are ordered by ordinal, ``changes`` by effective date, then by recording,
    ``adjustments`` by recording.
    """
    applications, changes, adjustments = tuple(applications), tuple(changes), tuple(adjustments)
    begin = cycles[0].starts_on
    marks = {c.opened_on for c in cycles} | {c.starts_on for c in cycles}
    marks |= {c.effective_on for c in changes} | {a.effective_on for a in adjustments}
    marks |= {a.submitted_on for a in applications}
    marks |= {a.closed_on for a in applications if a.closed_on is not None}
    starts = [begin, *sorted(mark for mark in marks if mark > begin)]
    spans: list[StandingSpan] = []
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        known = tuple(extended(cycle, adjustments, start) for cycle in cycles)
        span = _span(scheme, known, applications, changes, start=start, until=following)
        if spans and _same_but_dates(spans[-1], span):
            span = replace(span, from_on=spans.pop().from_on)
        spans.append(span)
    return tuple(spans)


def withdrawn(first: CycleTerm) -> tuple[StandingSpan, ...]:
    """The timeline of an award that the passes on record no longer support: one span, no dates."""
    return (
        StandingSpan(
            from_on=first.starts_on,
            until_on=None,
            cycle=first.ordinal,
            cycle_starts_on=first.starts_on,
            expires_on=None,
            window_opens_on=None,
            window_closes_on=None,
            grace_ends_on=None,
            title_ends_on=None,
            pending_since=None,
            hold=Status.WITHDRAWN,
            valid_while_pending=False,
        ),
    )


def _span(
    scheme: Scheme,
    cycles: Sequence[CycleTerm],
    applications: Iterable[Application],
    changes: Iterable[ChangeOfStanding],
    *,
    start: date,
    until: date | None,
) -> StandingSpan:
    last = [c for c in cycles if c.opened_on <= start][-1]
    current = cycle_on(cycles, start)
    policy = scheme.policy(last.policy) if last.policy else None
    expires_on = last.expires_on
    closes_on = grace_ends_on = title_ends_on = None
    if policy is not None and expires_on is not None:
        closes_on = policy.window_closes_on(expires_on)
        grace_ends_on = policy.grace_ends_on(expires_on)
        title_ends_on = policy.title_ends_on(expires_on)
    return StandingSpan(
        from_on=start,
        until_on=until,
        cycle=current.ordinal,
        cycle_starts_on=current.starts_on,
        expires_on=expires_on,
        window_opens_on=window_opens_on(policy, last),
        window_closes_on=closes_on,
        grace_ends_on=grace_ends_on,
        title_ends_on=title_ends_on,
        pending_since=_pending(applications, start, last_day=grace_ends_on or expires_on),
        hold=hold_on(changes, start),
        valid_while_pending=policy.valid_while_pending if policy else False,
    )


def _same_but_dates(left: StandingSpan, right: StandingSpan) -> bool:
    return replace(right, from_on=left.from_on) == replace(left, until_on=right.until_on)


def window_opens_on(policy: Policy | None, cycle: CycleTerm) -> date | None:
    """The first day of the application window."""
    if policy is None or cycle.expires_on is None:
        return None
    return policy.window_opens_on(starts_on=cycle.starts_on, expires_on=cycle.expires_on)


def extended(cycle: CycleTerm, adjustments: Iterable[CycleAdjustment], day: date) -> CycleTerm:
    """The cycle with the expiry set by extensions decided by that day."""
    end = extension_of(cycle, adjustments, day)
    return replace(cycle, expires_on=end) if end is not None else cycle


def extension_of(
    cycle: CycleTerm, adjustments: Iterable[CycleAdjustment], day: date
) -> date | None:
    """The expiry set by extensions decided by that day; None: the cycle's own.

    Invariant: an extension never shortens a cycle, even if the award was corrected since. Extending
    to the cycle's own expiry takes an earlier extension back.
    """
    ends = [a.extended_to for a in _of(cycle, adjustments, day) if a.extended_to is not None]
    later = bool(ends) and cycle.expires_on is not None and ends[-1] > cycle.expires_on
    return ends[-1] if later else None


def moved_to(cycle: CycleTerm, adjustments: Iterable[CycleAdjustment], day: date) -> date | None:
    """The expiry from which the next cycle is counted; None: the cycle's own.

    Days that were given back are not an extension: the next cycle is anchored as if the hold that
    took them had never existed.
    """
    return extension_of(cycle, [a for a in adjustments if a.reason_code != GAP_RESTORED], day)


def requirement_of(
    cycle: CycleTerm, adjustments: Iterable[CycleAdjustment], day: date
) -> Decimal | None:
    """The requirement set by a reduction decided by that day; None: the policy's."""
    asked = [
        a.points_required for a in _of(cycle, adjustments, day) if a.points_required is not None
    ]
    return asked[-1] if asked else None


def _of(
    cycle: CycleTerm, adjustments: Iterable[CycleAdjustment], day: date
) -> list[CycleAdjustment]:
    """The adjustments of a cycle by a day, in the order of recording: the last one wins."""
    return [a for a in adjustments if a.ordinal == cycle.ordinal and a.effective_on <= day]


def _pending(
    applications: Iterable[Application], day: date, *, last_day: date | None
) -> date | None:
    """Since when an application is under review; one submitted after the last day never is."""
    open_ones = [
        a.submitted_on
        for a in applications
        if a.submitted_on <= day
        and (a.closed_on is None or day < a.closed_on)
        and (last_day is None or a.submitted_on <= last_day)
    ]
    return min(open_ones, default=None)


def hold_on(changes: Iterable[ChangeOfStanding], day: date) -> Hold | None:
    """What suspends or has ended the certification on that day; the most serious hold wins."""
    held = holds_on(changes, day)
    return next((hold for hold in _PRECEDENCE if hold in held), None)


def holds_on(changes: Iterable[ChangeOfStanding], day: date) -> frozenset[Hold]:
    """Everything that suspends or has ended it on that day; a reinstatement clears all holds."""
    held: set[Hold] = set()
    for change in changes:
        if change.effective_on > day:
            continue
        if change.kind == ChangeKind.REINSTATE:
            held.clear()
        else:
            held.add(_SETS[change.kind])
    return frozenset(held)


def span_on(spans: Sequence[StandingSpan], day: date) -> StandingSpan | None:
    """The span that contains the day; None before the award."""
    for span in spans:
        if span.from_on <= day and (span.until_on is None or day < span.until_on):
            return span
    return None


def standing_on(span: StandingSpan, day: date) -> Standing:
    """The standing on a day of the span.

    Precedence: withdrawn, revoked, surrendered, suspended, then what the dates say. The expiry is
    the last valid day. ``services/standings/standings.py`` states the same rule as one SQL
    expression.
    """
    status = _STATUS_OF[span.hold] if span.hold else _by_date(span, day)
    valid = (
        status in _IN_FORCE
        or (status == _GRACE and span.title_ends_on is not None and day <= span.title_ends_on)
        or (status == _PENDING and span.valid_while_pending)
    )
    return Standing(
        status=status,
        valid=valid,
        on=day,
        cycle=span.cycle,
        cycle_starts_on=span.cycle_starts_on,
        expires_on=span.expires_on,
        window_opens_on=span.window_opens_on,
        window_closes_on=span.window_closes_on,
        pending_since=span.pending_since,
    )


def _by_date(span: StandingSpan, day: date) -> Status:
    if span.expires_on is None:
        return _ACTIVE
    if day <= span.expires_on:
        opens_on, closes_on = span.window_opens_on, span.window_closes_on
        is_open = opens_on is not None and closes_on is not None and opens_on <= day <= closes_on
        return _RENEWAL_OPEN if is_open else _ACTIVE
    if span.pending_since is not None:
        return _PENDING
    if span.grace_ends_on is not None and day <= span.grace_ends_on:
        return _GRACE
    return _EXPIRED


def valid_through(spans: Sequence[StandingSpan], day: date) -> date | None:
    """The last of the valid days in a row that begin with a day; None if the day is not valid.

    ``spans`` are in order and reach from the day on. Without an end it is ``date.max``.
    """
    last, begins = None, day
    for span in spans:
        ends = span.until_on - DAY if span.until_on and span.until_on < date.max else date.max
        if ends < begins:
            continue
        valid = min(_last_valid_day(span), ends)
        if span.from_on > begins or valid < begins:
            break
        last = valid
        if valid < ends or ends == date.max:
            break
        begins = ends + DAY
    return last


def _last_valid_day(span: StandingSpan) -> date:
    """Until when a certification would be valid if the span went on without end."""
    if span.hold is not None:
        return date.min
    if span.expires_on is None or (span.pending_since is not None and span.valid_while_pending):
        return date.max
    if span.pending_since is None and span.grace_ends_on and span.title_ends_on:
        return max(span.expires_on, min(span.grace_ends_on, span.title_ends_on))
    return span.expires_on
