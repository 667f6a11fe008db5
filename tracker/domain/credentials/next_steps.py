"""What the holder of a certification should do now: one rule for every page and message.

Invariant: a step never asks for something that can no longer be done in time, nor for more points
when enough are waiting for a decision. Pending points count as earned: the holder is not
responsible for how fast reviews go.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Literal, get_args

from tracker.domain.credentials.certifications import Standing, Status
from tracker.domain.periods import DAY
from tracker.domain.points.claims import ZERO, Evaluation
from tracker.domain.schemes.activity_types import TranslatedNoun
from tracker.domain.schemes.policies import LateRequirement, Policy

Action = Literal[
    "none",
    "log_activities",
    "answer_questions",
    "wait_for_review",
    "apply_from",
    "apply_now",
    "wait_for_decision",
    "pass_again",
    "contact_issuer",
    "start_again",
    "too_late",
]
ACTIONS: tuple[Action, ...] = get_args(Action)

_NOT_IN_FORCE = frozenset({Status.SUSPENDED, Status.REVOKED, Status.SURRENDERED, Status.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of a certification on the holder's own day, which is ``standing.on``.

    ``evaluation`` counts approved activities, ``pending`` also those waiting for a decision; both
    are None if no points are counted. ``policy`` is the version used for counting. ``earns_until``
    is the last day whose activities count; None: the last day of the cycle. ``questions`` is the
    number of activities about which a reviewer is waiting for the holder's answer.
    """

    standing: Standing
    policy: Policy | None = None
    evaluation: Evaluation | None = None
    pending: Evaluation | None = None
    earns_until: date | None = None
    questions: int = 0


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do, and by when.

    ``on`` is the first day for ``apply_from``, and for ``wait_for_review`` before the window opens;
    for every other action it is the last day. ``missing`` are the points still to be logged in
    addition to pending ones, ``waiting`` the pending points. ``minima_met`` is false if a minimum
    besides the total would not be reached. ``if_approved``: pending points are enough, if they are
    approved. ``earned_by``: only activities completed by that day, which is past, still count.
    ``applied_on``: the day of the application under review. ``questions``: the number of activities
    a reviewer has asked about; these come first. ``credit``: the policy's name for points, if it
    has one of its own.
    """

    action: Action
    on: date | None = None
    missing: Decimal | None = None
    waiting: Decimal = ZERO
    minima_met: bool = True
    if_approved: bool = False
    earned_by: date | None = None
    applied_on: date | None = None
    questions: int = 0
    credit: TranslatedNoun = field(default_factory=dict)

    @property
    def qualifies(self) -> bool:
        """Whether what is approved is enough, so that the holder has only to confirm."""
        return self.action == "apply_now" and not self.if_approved


_WITH_QUESTIONS = frozenset(
    {"log_activities", "wait_for_review", "apply_from", "apply_now", "wait_for_decision"}
)


def next_step(found: Situation) -> NextStep:
    """What the holder should do now.

    A holder can apply in the window, and on the late steps that a policy has. If pending points do
    not admit an application, they must be decided before its last day.
    """
    step, policy = _next_step(found), found.policy
    return step if policy is None else replace(step, credit=policy.credit)


def _next_step(found: Situation) -> NextStep:
    standing, policy, counted = found.standing, found.policy, found.evaluation
    expires_on, opens_on = standing.expires_on, standing.window_opens_on
    if standing.status in _NOT_IN_FORCE:
        return NextStep("contact_issuer")
    if expires_on is None or opens_on is None or policy is None or counted is None:
        return NextStep("none")
    if standing.status == Status.EXPIRED:
        return NextStep("start_again")
    step = _Renewing(
        on=standing.on,
        expires_on=expires_on,
        opens_on=opens_on,
        policy=policy,
        applied_on=standing.pending_since,
        counted=counted,
        pending=found.pending or counted,
        earns_until=found.earns_until or counted.cycle.ends_on,
    ).step()
    return _asked(step, found.questions)


def _asked(step: NextStep, questions: int) -> NextStep:
    """The step, adapted if a reviewer has asked the holder questions."""
    if not questions or step.action not in _WITH_QUESTIONS:
        return step
    waits = step.action in {"wait_for_review", "wait_for_decision"}
    return replace(step, action="answer_questions" if waits else step.action, questions=questions)


_CALM = frozenset(
    {"none", "wait_for_review", "wait_for_decision", "apply_from", "start_again"}
)  # nothing that the holder could do gets lost by waiting


def urgency(step: NextStep, expires_on: date | None) -> tuple[bool, date]:
    """Orders the certifications of one holder: what asks for an act comes first, by its last day.

    A step without a day of its own goes by the expiry.
    """
    return step.action in _CALM, step.on or expires_on or date.max


@dataclass(frozen=True, slots=True, kw_only=True)
class _Renewing:
    """A certification that can be renewed, or has been."""

    on: date
    expires_on: date
    opens_on: date
    policy: Policy
    applied_on: date | None
    counted: Evaluation
    pending: Evaluation
    earns_until: date

    @property
    def waiting(self) -> Decimal:
        """The points waiting for a decision."""
        return max(self.pending.total - self.counted.total, ZERO)

    def step(self) -> NextStep:
        """The step, given the facts so far."""
        if self.earns_until < self.opens_on:
            return NextStep("none")  # the points are of a cycle that was already renewed
        if self.applied_on is not None:
            return self._applied(self.applied_on)
        late = self.policy.late_step(self.expires_on, self.on)
        if late is not None and late.by != "points":
            return self._without_points(late.by)
        if self.counted.complete:
            return self._apply()
        return self._with_pending() if self.pending.complete else self._log()

    def _applied(self, applied_on: date) -> NextStep:
        """Under review: nothing to do, unless pending points fall short and there is time."""
        last = self.policy.terms_end_on(self.expires_on, applied_on)
        if self.pending.complete or last is None or self.on > last:
            return NextStep("wait_for_decision", waiting=self.waiting, applied_on=applied_on)
        return self._missing(last, extra=ZERO)

    def _without_points(self, by: LateRequirement) -> NextStep:
        """The step on a late step that takes no points."""
        if by == "new_application":
            return NextStep("start_again")
        if self.counted.reexamined_on is not None:
            return self._apply()
        return NextStep("pass_again", self._last_days()[0])

    def _apply(self) -> NextStep:
        if self.on < self.opens_on:
            return NextStep("apply_from", self.opens_on)
        return self._closed() or NextStep("apply_now", self._last_days()[0])

    def _closed(self) -> NextStep | None:
        """Between the window's end and the expiry: wait for the late steps, if there are any."""
        if not self.policy.has_closed(self.expires_on, self.on):
            return None
        if self.policy.grace_ends_on(self.expires_on) is not None:
            return NextStep("apply_from", self.expires_on + DAY)
        return NextStep("too_late", self.policy.window_closes_on(self.expires_on))

    def _with_pending(self) -> NextStep:
        """Enough points are waiting for a decision: nothing needs to be logged."""
        step = NextStep("wait_for_review", waiting=self.waiting, if_approved=True)
        if self.on < self.opens_on:
            return replace(step, on=self.opens_on)
        if (closed := self._closed()) is not None:
            return closed if closed.action == "too_late" else replace(step, on=closed.on)
        if self.policy.pending_points_admit:
            return replace(step, action="apply_now", on=self._last_days()[0])
        return step

    def _log(self) -> NextStep:
        """Points are missing even with pending ones; log more while they can count in time."""
        last_days = self._last_days()
        if not last_days and (closed := self._closed()) is not None:
            return closed
        if not self.policy.pending_points_admit:  # the points must be decided by then, too
            last_days = [day for day in last_days if day > self.on]
        if not last_days:
            return replace(self._missing(self.on, extra=ZERO), action="too_late", earned_by=None)
        more = self._extra_points(last_days[0]) - self._extra_points(self.on)
        step = self._missing(last_days[0], extra=more)
        return replace(step, minima_met=step.minima_met and not self._extra_minima(last_days[0]))

    def _missing(self, last: date, *, extra: Decimal) -> NextStep:
        """Log the missing points by a day, including the extra points required on that day."""
        return NextStep(
            "log_activities",
            last,
            missing=max(self.pending.required + extra - self.pending.total, ZERO),
            waiting=self.waiting,
            minima_met=self.pending.minima_met,
            earned_by=self.earns_until if self.earns_until < self.on else None,
            applied_on=self.applied_on,
        )

    def _extra_points(self, day: date) -> Decimal:
        late = self.policy.late_step(self.expires_on, day)
        return late.extra_points if late is not None else ZERO

    def _extra_minima(self, day: date) -> bool:
        """Whether a minimum is higher on that day than it is now."""
        late, now = (self.policy.late_step(self.expires_on, each) for each in (day, self.on))
        return late is not None and late is not now and bool(late.extra_minima)

    def _last_days(self) -> list[date]:
        """The last days, from today on, of the terms that accept what the holder brings.

        The last regular day comes first, then the end of each late step of the same kind; the list
        stops before the first step of another kind.
        """
        now = self.policy.late_step(self.expires_on, self.on)
        kind: LateRequirement = now.by if now is not None else "points"
        ends = [self.policy.window_closes_on(self.expires_on)]
        for step in self.policy.late:
            end = step.until.after(self.expires_on)
            if end >= self.on and step.by != kind:
                break
            ends.append(end)
        return [day for day in ends if day >= self.on]
