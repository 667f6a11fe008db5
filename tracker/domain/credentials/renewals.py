"""Renewals: who may apply and when, what it costs, and appeals against a decision."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from tracker.domain.clocks import clock_name
from tracker.domain.credentials.certifications import (
    ChangeOfStanding,
    CycleAdjustment,
    CycleTerm,
    Standing,
    Status,
    span_on,
    standing_on,
    timeline,
)
from tracker.domain.errors import (
    AppealTooLate,
    CertificationExpired,
    CheckMissing,
    Invalid,
    NotRenewable,
    PointsMissing,
    PointsPending,
    ReexaminationMissing,
    Refusal,
    RenewalPending,
    WindowClosed,
    WindowNotOpen,
)
from tracker.domain.periods import DAY, Period
from tracker.domain.points.claims import ZERO, Evaluation, Shortfall
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.domain.schemes.policies import LateStep, Policy
from tracker.domain.schemes.schemes import AppealRule, BundleFee, Scheme


class RenewalVerdict(StrEnum):
    """How an application for renewal is decided."""

    APPROVED = "approved"
    DENIED = "denied"


class AppealVerdict(StrEnum):
    """How an appeal is decided."""

    UPHELD = "upheld"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class ApplicationFacts:
    """What an application is judged by, besides the standing.

    ``policy`` is the version used for the evaluations: its late steps may take no points, and it
    may let pending points fill in for missing ones. ``pending`` counts those too.
    """

    evaluation: Evaluation
    policy: Policy | None = None
    pending: Evaluation | None = None

    @property
    def admitting(self) -> Evaluation:
        """The evaluation that decides whether an application is accepted."""
        if self.policy is None or self.pending is None or not self.policy.pending_points_admit:
            return self.evaluation
        return self.pending

    @property
    def waiting(self) -> Decimal:
        """The points waiting for a decision."""
        return self.pending.total - self.evaluation.total if self.pending else ZERO


def objections(
    standing: Standing, judged: ApplicationFacts | None, *, zone: str = ""
) -> list[Refusal]:
    """All objections to an application on the standing's date, the most serious first.

    ``zone`` is the IANA zone whose midnight ends that date; sentences name it if it is given.
    """
    found = [*_of_standing(standing, zone), *_closed(standing, judged, zone)]
    if standing.expires_on is None or standing.window_opens_on is None or judged is None:
        return [*found, NotRenewable("A certification that never expires cannot be renewed.")]
    evaluation, step = judged.admitting, late_step(standing, judged.policy)
    if step is not None and step.by == "reexamination":
        if evaluation.reexamined_on is None:
            since = standing.expires_on
            found.append(
                ReexaminationMissing(
                    f"After {since} it can be renewed only by passing the re-examination."
                )
            )
    elif not evaluation.complete:
        found.append(_missing(judged))
    return found


def _of_standing(standing: Standing, zone: str) -> Iterator[Refusal]:
    """The objections to an application that hold whatever the points."""
    expires_on, opens_on = standing.expires_on, standing.window_opens_on
    if standing.status in {Status.SUSPENDED, Status.REVOKED, Status.SURRENDERED, Status.WITHDRAWN}:
        yield NotRenewable(f"The certification is {standing.status}.", standing=standing.status)
    if expires_on is None or opens_on is None:
        return
    if standing.pending_since is not None:
        since = standing.pending_since
        yield RenewalPending(f"The application of {since} is under review.", since=since)
    elif standing.status == Status.EXPIRED:
        told = f"It expired on {expires_on}{_midnight(zone)}."
        yield CertificationExpired(told, expired_on=expires_on, **_zone(zone))
    if standing.on < opens_on:
        told = f"The renewal window opens on {opens_on}{_midnight(zone, first=True)}."
        yield WindowNotOpen(told, opens_on=opens_on, **_zone(zone))


def _closed(
    standing: Standing, by: ApplicationFacts | Policy | None, zone: str
) -> Iterator[Refusal]:
    """The objections to an application between the end of the window and the expiry."""
    expires_on, policy = standing.expires_on, by.policy if isinstance(by, ApplicationFacts) else by
    if policy is None or expires_on is None or standing.pending_since is not None:
        return
    if policy.has_closed(expires_on, standing.on):
        closed_on = policy.window_closes_on(expires_on)
        told = f"Applications closed on {closed_on}{_midnight(zone)}."
        if policy.grace_ends_on(expires_on) is not None:
            told += f" Late applications are accepted from {expires_on + DAY} on."
        yield WindowClosed(told, closed_on=closed_on, **_zone(zone))


def _midnight(zone: str, *, first: bool = False) -> str:
    """Words for the time zone in which a day begins or ends."""
    if not zone:
        return ""
    return f", {clock_name(zone)}" if first else f", at midnight {clock_name(zone)}"


def _zone(zone: str) -> dict[str, str]:
    return {"time_zone": zone} if zone else {}


def check_application(
    standing: Standing, judged: ApplicationFacts | None, *, zone: str = ""
) -> None:
    """Raise the most serious objection to an application, if there is one."""
    for objection in objections(standing, judged, zone=zone):
        raise objection


def contradictions(
    scheme: Scheme,
    cycles: Sequence[CycleTerm],
    *,
    on: date,
    changes: Iterable[ChangeOfStanding] = (),
    adjustments: Iterable[CycleAdjustment] = (),
) -> list[Refusal]:
    """Why an application made on a day cannot have renewed the last of the cycles.

    The certification was not in force, the cycle's window had not opened, or its last day had
    passed. Neither points nor another application open on that day are considered.
    """
    last = replace(cycles[-1], opened_on=min(cycles[-1].opened_on, on))
    spans = timeline(scheme, (*cycles[:-1], last), changes=changes, adjustments=adjustments)
    span = span_on(spans, on)
    if span is None:
        return [NotRenewable(f"{on} is before the certification ({cycles[0].starts_on}).")]
    standing = standing_on(span, on)
    policy = scheme.policy(last.policy) if last.policy else None
    return [*_of_standing(standing, ""), *_closed(standing, policy, "")]


def check_points(judged: ApplicationFacts, step: LateStep | None, waiting: Sequence[str]) -> None:
    """Refuse to approve an application without enough points.

    ``judged`` counts the approved activities among those submitted in time, ``waiting`` are the ids
    of undecided activities submitted in time, ``step`` is the late step on which the application
    was made. Raises PointsPending, which names those ids, PointsMissing, ReexaminationMissing.
    """
    evaluation = judged.evaluation
    if step is not None and step.by == "reexamination":
        if evaluation.reexamined_on is None:
            raise ReexaminationMissing("The re-examination was not passed.")
    elif not evaluation.complete:
        if waiting:
            raise PointsPending(
                f"{evaluation.total} of {evaluation.required} points are counted; first decide on "
                f"the activities waiting for a decision: {', '.join(waiting)}.",
                missing=evaluation.missing,
                waiting=list(waiting),
            )
        raise _missing(replace(judged, pending=None))


def _missing(judged: ApplicationFacts) -> PointsMissing:
    """The missing points, and every minimum besides the total that is not reached."""
    counted, evaluation = judged.evaluation, judged.admitting
    short: dict[str, dict[str, str]] = {}
    for shortfall in evaluation.shortfalls:
        by_subject = short.setdefault(f"missing_by_{shortfall.of}", {})
        by_subject[_subject(shortfall)] = str(shortfall.missing)
    minima = (f"{s.missing} of {s.of} {_subject(s)}" for s in evaluation.shortfalls)
    also = f" Minima not reached: {', '.join(minima)}." if short else ""
    waiting = judged.waiting
    admitted = evaluation is not counted
    told = f"; {waiting} wait for a decision" if waiting else ""
    told += "" if admitted or not waiting else " and count once they are approved"
    beside = " beside them" if admitted and waiting else ""
    return PointsMissing(
        f"{counted.total} of {evaluation.required} points are counted{told}; "
        f"{evaluation.missing} are missing{beside}.{also}",
        missing=evaluation.missing,
        **({"waiting": waiting} if waiting else {}),
        **short,
    )


def _subject(shortfall: Shortfall) -> str:
    """What is short of points: a group by its code, or a period (of a group) by its first day."""
    within = shortfall.within
    return f"{shortfall.subject} ({' '.join(within)})" if within else shortfall.subject


def late_step(standing: Standing, policy: Policy | None) -> LateStep | None:
    """The late step of an application made on this day; None if it is in time."""
    if policy is None or standing.expires_on is None:
        return None
    return policy.late_step(standing.expires_on, standing.pending_since or standing.on)


def check_confirmed(policy: Policy, confirmed: Collection[str]) -> None:
    """Refuse an approval unless every check that the policy requires was confirmed.

    Raises CheckMissing, which names the missing checks, and Invalid for a check that is not
    required.
    """
    asked = [check.code for check in policy.checks]
    unknown = sorted(set(confirmed).difference(asked))
    if unknown:
        choices = f"must be one or more of: {', '.join(asked)}" if asked else "must be empty"
        rule = f"{', '.join(unknown)}: not required by the policy; {choices}"
        raise Invalid("The policy does not require this check.", fields={"checks": rule})
    missing = [code for code in asked if code not in confirmed]
    if missing:
        raise CheckMissing(f"Not confirmed: {', '.join(missing)}.", missing=missing)


@dataclass(frozen=True, slots=True)
class Quote:
    """The cost of renewing several schemes together: the amount, the reason, the days of the offer.

    ``late_fees`` are the part of the amount that is charged for being late.
    """

    schemes: tuple[str, ...]
    amount: Decimal
    late_fees: Decimal
    currency: str
    bundled: bool
    reason: str
    available: Period | None
    refundable: bool
    verified: bool


def quote(
    chosen: Mapping[Scheme, Standing], policies: Mapping[Scheme, Policy] | None = None
) -> Quote:
    """The fee for renewing the chosen schemes together, including the fees of their late steps.

    A bundle price requires expiries within its number of days of each other, both ends counted:
    exactly 90 days apart qualifies. It is available while every window is open at once, since all
    applications must be complete and paid together. Source: MSSC recertification page.
    """
    fees = [scheme.fees for scheme in chosen if scheme.fees]
    if len(fees) != len(chosen) or not fees:
        raise NotRenewable("No renewal fee is published for this scheme.")
    single = sum((f.renewal or Decimal(0) for f in fees), Decimal("0.00"))
    codes = frozenset(s.code for s in chosen)
    bundle = next((b for f in fees for b in f.bundles if b.schemes == codes), None)
    apart = _days_apart(chosen)
    bundled = bundle is not None and apart is not None and apart <= bundle.within_days
    late = {s: step for s in chosen if (step := late_step(chosen[s], (policies or {}).get(s)))}
    late_fees = sum((step.fee or ZERO for step in late.values()), ZERO)
    return Quote(
        schemes=tuple(s.code for s in chosen),
        amount=(bundle.amount if bundle and bundled else single) + late_fees,
        late_fees=late_fees,
        currency=fees[0].currency,
        bundled=bundled,
        reason=_reason(bundle, apart) + (f" Late: {late_fees} more." if late_fees else ""),
        available=_common_window(chosen, policies or {}),
        refundable=all(f.refundable for f in fees),
        verified=all(f.provenance.verified for f in fees),
    )


def _days_apart(chosen: Mapping[Scheme, Standing]) -> int | None:
    expiries = [s.expires_on for s in chosen.values() if s.expires_on]
    return (max(expiries) - min(expiries)).days if len(expiries) == len(chosen) else None


def _reason(bundle: BundleFee | None, apart: int | None) -> str:
    if bundle is None or apart is None:
        return "The price of each renewal by itself."
    if apart <= bundle.within_days:
        also = bundle.requires[ENGLISH]
        return f"The expiries are {apart} days apart, within {bundle.within_days}: {also}"
    return f"The expiries are {apart} days apart, more than {bundle.within_days}: no bundle."


def _common_window(
    chosen: Mapping[Scheme, Standing], policies: Mapping[Scheme, Policy]
) -> Period | None:
    """The days on which all can have the price: their windows, or through the late step's end."""
    common: Period | None = Period(date.min, date.max)
    for scheme, standing in chosen.items():
        if standing.window_opens_on is None or standing.expires_on is None:
            return None
        policy, expires_on = policies.get(scheme), standing.expires_on
        late = late_step(standing, policy)
        days = Period(standing.window_opens_on, standing.window_closes_on or expires_on)
        if late is not None:
            days = Period(standing.on, late.until.after(expires_on))
        common = common and common.clip(days)
    return common


def appeal_due_on(rule: AppealRule, *, noticed_on: date) -> date:
    """The last day on which an appeal is accepted, counted from the notice."""
    return noticed_on + timedelta(days=rule.due_days)


def check_appeal(rule: AppealRule, *, noticed_on: date, on: date, zone: str = "") -> None:
    """Refuse an appeal that comes later than the published period after the notice."""
    due_on = appeal_due_on(rule, noticed_on=noticed_on)
    if on > due_on:
        told = f"The appeal was due by {due_on}{_midnight(zone)}."
        raise AppealTooLate(told, due_on=due_on, **_zone(zone))
