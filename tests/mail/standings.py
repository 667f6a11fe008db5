"""Certifications in every standing, reckoned by the real rules, for the tests of what is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tracker import scheme_files as files
from tracker.domain.credentials import certifications as rules
from tracker.domain.credentials.certifications import Application, ChangeOfStanding
from tracker.domain.periods import Duration
from tracker.domain.points.activities import ActivityVerdict
from tracker.domain.points.claims import Claim
from tracker.domain.schemes.policies import ApplicationWindow, LateStep, Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.mail.messages import CertificationLine
from tracker.mail.today import Today
from tracker.services.delivery import todays
from tracker.services.standings import standings
from tracker.services.standings.snapshots import ActivityFacts, CertificationRecord, DecisionFacts

AWARDED, EXPIRY = date(2022, 3, 15), date(2027, 3, 15)
_LOADED = files.load(Path(__file__).parents[2] / "config" / "schemes")
CPT, CLA = _LOADED["cpt"], _LOADED["cla"]
LADDER = (
    {"until": 30, "by": "points", "title": True, "fee": "25.00"},
    {"until": 60, "by": "reexamination", "title": False, "fee": "50.00"},
)


EARLY = ApplicationWindow(Duration(90, "days"), closes_before=Duration(25, "days"))


def with_policy(scheme: Scheme, **changes: Any) -> Scheme:
    """The scheme with another policy."""
    return replace(scheme, policies=tuple(replace(policy, **changes) for policy in scheme.policies))


def _late(*, earns: bool = True) -> Scheme:
    steps = tuple(
        LateStep(
            until=Duration(one["until"], "days"),  # type: ignore[arg-type]
            name={"en": "Late", "es": "Tarde"},
            by=one["by"],  # type: ignore[arg-type]
            title=bool(one["title"]),
            earns=earns and one["by"] == "points",
            fee=Decimal(str(one["fee"])),
        )
        for one in LADDER
    )
    return with_policy(CPT, late=steps, valid_while_pending=True)


SCHEMES = {
    "as shipped": CPT,
    "with a ladder": _late(),
    "with a ladder for papers": _late(earns=False),
    "its own midnight": replace(CPT, days_end="scheme"),
    "decided in time only": with_policy(CPT, pending_points_admit=False),
    "closes early": with_policy(CPT, window=EARLY),
    "closes early, then a ladder": with_policy(_late(), window=EARLY),
    "without fees": replace(CPT, fees=None),
    "without end": CLA,
}
OFFSETS = (1500, 200, 91, 90, 30, 25, 1, 0, -1, -29, -31, -60, -200)
"""Days before the expiry: before the window, on its first day, in it, on the last day, after."""
STATES = (
    "nothing",
    "enough",
    "waiting",
    "asked",
    "short",
    "applied",
    "applied short",
    "applied asked",
)
HOLDS = ("", "suspended", "revoked", "surrendered")
_SETS = {"suspended": "suspend", "revoked": "revoke", "surrendered": "surrender"}


@dataclass(frozen=True)
class Case:
    """One certification on one day."""

    name: str
    scheme: Scheme
    today: Today
    points: standings.CertificationPoints | None
    span: rules.StandingSpan


def _activity(
    ref: str, kind: str, quantity: int, done: date, *, approved: bool, asked: bool = False
) -> ActivityFacts:
    category = "IC" if kind == "industry_certification" else "CE"
    claim = Claim(ref, category, kind, ref, "College", Decimal(quantity), None, done)
    verdict: ActivityVerdict = (
        ActivityVerdict.MORE_INFORMATION if asked else ActivityVerdict.APPROVED
    )
    decided = (DecisionFacts(done, verdict, None, this_round=True),) if approved or asked else ()
    return ActivityFacts(claim, submitted_on=done, withdrawn_on=None, decisions=decided)


def activities(state: str) -> list[ActivityFacts]:
    """What was claimed in a state: 100 points are needed."""
    done = date(2023, 5, 1)
    if state == "nothing":
        return []
    approved = state in {"enough", "applied"}
    claims = [
        _activity("a", "college_credit", 8, done, approved=True),
        _activity("b", "industry_certification", 2, done, approved=approved),
    ]
    if state not in {"short", "applied short"}:
        is_asked = "asked" in state
        claims.append(_activity("c", "college_credit", 4, done, approved=approved, asked=is_asked))
    return claims


def _policy(scheme: Scheme, cycle: rules.CycleTerm) -> Policy | None:
    return scheme.policy(cycle.policy) if cycle.policy else None


def case(
    name: str,
    scheme: Scheme,
    state: str,
    hold: str,
    on: date,
    *,
    awarded: date = AWARDED,
    claimed: Sequence[ActivityFacts] | None = None,
) -> Case:
    """A certification on a day, as the rules see it."""
    cycle = rules.first_cycle(scheme, awarded)
    changes: tuple[ChangeOfStanding, ...] = ()
    if hold:
        changes = (ChangeOfStanding(_SETS[hold], on - timedelta(days=3)),)  # type: ignore[arg-type]
    last, window = cycle.expires_on or on, rules.window_opens_on(_policy(scheme, cycle), cycle)
    applied = state.startswith("applied") and window is not None and on >= window
    policy = _policy(scheme, cycle)
    sent_on = min(on, policy.window_closes_on(last)) if applied and policy else None
    applications = (Application(sent_on, None),) if sent_on else ()
    record = CertificationRecord("c", (cycle,), applications, changes)
    spans = rules.timeline(scheme, [cycle], applications=applications, changes=changes)
    span = rules.span_on(spans, on)
    assert span is not None
    points = standings.evaluate(
        scheme, record, activities(state) if claimed is None else claimed, on=on
    )
    today = todays.today_of(scheme, span, points, on=on)
    return Case(name, scheme, today, points, span)


def every_case() -> Iterator[Case]:
    """Every scheme, state and hold on every kind of day; of those that look alike the first."""
    seen = []
    for one in _all():
        if one.today not in seen:
            seen.append(one.today)
            yield one


def _all() -> Iterator[Case]:
    for label, scheme in SCHEMES.items():
        for offset in OFFSETS:
            for state in STATES if scheme.policies else STATES[:1]:
                for hold in HOLDS if label == "as shipped" and state in STATES[:2] else ("",):
                    on = EXPIRY - timedelta(days=offset)
                    name = f"{label}, {offset} days before, {state}, {hold or 'not held'}"
                    yield case(name, scheme, state, hold, on)


def line_of(one: Case) -> CertificationLine | None:
    """The line of a reminder about it; None where there is nothing to remind of."""
    now, points = one.today, one.points
    if points is None or now.expires_on is None or now.opens_on is None or now.is_held:
        return None
    counted = points.evaluation
    return CertificationLine(
        scheme_name="CPT",
        number="CPT-1",
        expires_on=now.expires_on,
        days_left=(now.expires_on - now.on).days,
        stage=30,
        points_counted=counted.total,
        points_required=counted.required,
        points_pending=points.pending.total - counted.total,
        window_opens_on=now.opens_on,
        window_open=now.opens_on <= now.on,
        pending_since=now.pending_since,
        points_verified=counted.verified,
        minima_met=counted.minima_met,
        grace_ends_on=one.span.grace_ends_on,
        closes_on=points.policy.window_closes_on(now.expires_on),
        now=now,
    )
