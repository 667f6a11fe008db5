"""A certification's standing on the day a message leaves, and the holder's next step.

Shared by reminders and notices: the step comes from ``domain.credentials.next_steps``, the
sentences are in ``phrases.toml`` of the catalogues.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tracker.domain.credentials.certifications import Status
from tracker.domain.credentials.next_steps import NextStep
from tracker.domain.schemes.activity_types import TranslatedNoun
from tracker.language.voice import (
    ACTIVITIES,
    POINTS,
    Quantity,
    clock,
    counted,
    in_words,
    money,
    several,
)

ZERO = Decimal("0.00")
_HELD = frozenset({Status.SUSPENDED, Status.REVOKED, Status.SURRENDERED})
_TO_DO = frozenset({"log_activities", "apply_now", "pass_again"})
_RENEWING = _TO_DO | {"wait_for_review", "apply_from"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The standing on the holder's own day ``on``, and the next step.

    ``last_day`` is the last day to apply for renewal, a grace period included; ``closes_on`` is
    the last day to apply in time. ``fee`` is the renewal fee including the late fee, or None if
    none is published; ``late_fee`` is its late part. ``zone`` names the time zone whose midnight
    ends the days, if it is not the holder's own.
    """

    on: date
    status: str
    valid: bool
    step: NextStep
    expires_on: date | None = None
    opens_on: date | None = None
    last_day: date | None = None
    closes_on: date | None = None
    pending_since: date | None = None
    fee: Decimal | None = None
    late_fee: Decimal = ZERO
    currency: str = ""
    zone: str = ""
    issuer: str = ""

    @property
    def is_held(self) -> bool:
        """Whether it is suspended, revoked or surrendered."""
        return self.status in _HELD

    @property
    def is_over(self) -> bool:
        """Whether the last valid day is past."""
        return self.expires_on is not None and self.expires_on < self.on

    @property
    def takes_activities(self) -> bool:
        """Whether an activity for the current cycle can still be submitted."""
        return not self.is_held and self.status not in {Status.EXPIRED, Status.WITHDRAWN}


def standing_keys(today: Today) -> Iterator[str]:
    """The keys of the sentences about the standing."""
    if today.is_held:
        yield f"now_{today.status}"
        if today.is_over:
            yield "now_last_day"
    elif today.expires_on is None:
        yield "no_expiry"
    elif not today.is_over:
        yield "valid_through"
    elif today.status in {Status.PENDING_RENEWAL, Status.GRACE}:
        yield f"now_{today.status}" + ("_valid" if today.valid else "")
    else:
        yield "now_expired"


def step_keys(today: Today) -> Iterator[str]:
    """The keys of the sentences about what to do, by when, how, and what it costs."""
    step = today.step
    if step.action == "none":
        return
    early = today.opens_on is not None and today.on < today.opens_on
    if step.questions:
        yield "step_answer"
    if step.action == "answer_questions":
        if step.on is not None:
            yield "step_apply_then"
        return
    name = _step(today, early=early)
    yield f"step_{name}"
    if step.missing is not None and step.waiting:
        yield "step_waiting"
    if step.earned_by is not None:
        yield "step_earned_by"
    closing_day_given = early or name in {"log_opens", "log_open"}
    if step.action in _TO_DO and step.on is not None and not closing_day_given:
        yield _last_day(today, step.on)
    elif today.zone and step.action in _RENEWING:
        yield "step_zone"
    if step.action in _TO_DO:
        yield "step_how"
    yield from fee_keys(today)


def fee_keys(today: Today) -> Iterator[str]:
    """The key of the sentence about the fee, if the next step is about renewing."""
    if today.fee is not None and today.step.action in _RENEWING:
        yield "fee_late" if today.late_fee else "fee"


def _step(today: Today, *, early: bool) -> str:
    step = today.step
    match step.action:
        case "log_activities" if step.applied_on is not None:
            return "log_applied" if step.missing else "log_applied_minima"
        case "log_activities" if not step.missing:
            return "log_minima_early" if early else "log_minima"
        case "log_activities":
            return "log_early" if early else _log(today)
        case "apply_now" if step.if_approved:
            return "apply_if_approved"
        case "wait_for_review":
            return "review_first" if step.on is not None else "review"
    return "closed" if step.action == "too_late" and step.missing is None else step.action


def _log(today: Today) -> str:
    """The phrase for missing points, by how far the window is; a late step has no window."""
    last, expires_on = today.step.on, today.expires_on
    if last is None or expires_on is None or last > expires_on:
        return "log"
    if today.on == last:
        return "log_last"
    return "log_opens" if today.on == today.opens_on else "log_open"


def _last_day(today: Today, last: date) -> str:
    when = "today" if last == today.on else "ahead"
    return f"step_last_day_{when}" + ("_zone" if today.zone else "")


def credit_of(today: Today | None, language: str) -> Quantity:
    """What points are called under the policy: "PDUs"; several of them."""
    return several(_credit(None if today is None else today.step), language)


def _credit(step: NextStep | None) -> TranslatedNoun:
    return step.credit or POINTS if step is not None else POINTS


def words(today: Today, language: str) -> Mapping[str, str | Quantity]:
    """The facts as the sentences show them."""
    step = today.step
    days = {
        "today": today.on,
        "expires": today.expires_on,
        "opens": today.opens_on,
        "last_day": today.last_day,
        "since": today.pending_since or step.applied_on,
        "by": step.on,
        "earned_by": step.earned_by,
    }
    amounts = {"fee": today.fee, "late_fee": today.late_fee}
    return {
        "missing": counted(step.missing or ZERO, _credit(step), language),
        "waiting": counted(step.waiting, _credit(step), language),
        "credit": credit_of(today, language),
        "activities": counted(Decimal(step.questions), ACTIVITIES, language),
        "issuer": today.issuer,
        "clock": clock(today.zone, language) if today.zone else "",
        **{name: in_words(day, language) for name, day in days.items() if day},
        **{name: money(sum_, today.currency) for name, sum_ in amounts.items() if sum_ is not None},
    }
