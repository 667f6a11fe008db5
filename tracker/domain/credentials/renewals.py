"""Renewals: who may apply and when, and what an approval requires."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from tracker.domain.clocks import midnight, named_zone
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
from tracker.domain.periods import DAY
from tracker.domain.points.claims import ZERO, Evaluation, Shortfall
from tracker.domain.schemes.policies import LateStep, Policy
from tracker.domain.schemes.schemes import Scheme


class RenewalVerdict(StrEnum):
    """How an application for renewal is decided."""

    APPROVED = "approved"
    DENIED = "denied"


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


class RenewalCondition(StrEnum):
    """What an application needs, in the order in which it is told."""

    WINDOW = "window"
    POINTS = "points"
    NOTHING_ELSE = "nothing_else"


_CONDITIONS: Mapping[type[Refusal], RenewalCondition] = {
    CertificationExpired: RenewalCondition.WINDOW,
    WindowNotOpen: RenewalCondition.WINDOW,
    WindowClosed: RenewalCondition.WINDOW,
    ReexaminationMissing: RenewalCondition.POINTS,
    PointsMissing: RenewalCondition.POINTS,
}


def conditions(found: Iterable[Refusal]) -> dict[RenewalCondition, Refusal | None]:
    """Each condition of an application with the first objection to it, or None if it is met.

    >>> [condition.value for condition in conditions([])]
    ['window', 'points', 'nothing_else']
    """
    told: dict[RenewalCondition, Refusal | None] = dict.fromkeys(RenewalCondition)
    for objection in found:
        condition = _CONDITIONS.get(type(objection), RenewalCondition.NOTHING_ELSE)
        told[condition] = told[condition] or objection
    return told


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
        told = f"It expired on {expires_on}{midnight(zone)}."
        yield CertificationExpired(told, expired_on=expires_on, **named_zone(zone))
    if standing.on < opens_on:
        told = f"The renewal window opens on {opens_on}{midnight(zone, first=True)}."
        yield WindowNotOpen(told, opens_on=opens_on, **named_zone(zone))


def _closed(
    standing: Standing, by: ApplicationFacts | Policy | None, zone: str
) -> Iterator[Refusal]:
    """The objections to an application between the end of the window and the expiry."""
    expires_on, policy = standing.expires_on, by.policy if isinstance(by, ApplicationFacts) else by
    if policy is None or expires_on is None or standing.pending_since is not None:
        return
    if policy.has_closed(expires_on, standing.on):
        closed_on = policy.window_closes_on(expires_on)
        told = f"Applications closed on {closed_on}{midnight(zone)}."
        if policy.grace_ends_on(expires_on) is not None:
            told += f" Late applications are accepted from {expires_on + DAY} on."
        yield WindowClosed(told, closed_on=closed_on, **named_zone(zone))


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
