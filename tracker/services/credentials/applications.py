"""The facts that decide an application to recertify: the points of what was submitted in time.

Invariant: an activity counts by when it was submitted, never by when it was decided, so that a slow
review costs the holder nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from tracker.domain.credentials import renewals as rules
from tracker.domain.credentials.certifications import Application
from tracker.domain.credentials.renewals import ApplicationFacts
from tracker.domain.points import cycle_rules
from tracker.domain.points.cycle_rules import Case
from tracker.domain.schemes.policies import LateStep, Policy
from tracker.services.core.context import ReadContext
from tracker.services.standings import related_facts, snapshots, standings
from tracker.services.standings.related_facts import CertificationKey
from tracker.services.standings.snapshots import ActivityFacts, HolderScheme, ZonedCertification


@dataclass(frozen=True, slots=True)
class ApplicationPoints:
    """The points of what was submitted in time for an application, and the ids still undecided."""

    judged: ApplicationFacts
    waiting: tuple[str, ...]


class Applied(Protocol):
    """An application as it was made, and when it was closed: a table's row or one that was read."""

    @property
    def ref(self) -> str | None:
        """Its key in files, if a file brought it."""

    @property
    def cycle(self) -> int:
        """The cycle that it renews."""

    @property
    def submitted_on(self) -> date:
        """The day on which it was made."""

    @property
    def decided_on(self) -> date | None:
        """The day of its decision, if there is one."""

    @property
    def withdrawn_on(self) -> date | None:
        """The day on which it was withdrawn, if it was."""


def count(
    reading: ReadContext,
    row: ZonedCertification,
    record: snapshots.CertificationRecord,
    *,
    on: date,
    last: date,
) -> ApplicationPoints | None:
    """The points on a day of activities submitted by the last day, with their current decisions.

    The date of a decision does not matter. None if the scheme counts no points.
    """
    activities = snapshots.activities(reading, [row.holder_id])
    return count_among(reading, row, record, activities, on=on, last=last)


def count_among(
    reading: ReadContext,
    row: ZonedCertification,
    record: snapshots.CertificationRecord,
    activities: Mapping[HolderScheme, Sequence[ActivityFacts]],
    *,
    on: date,
    last: date,
) -> ApplicationPoints | None:
    """The same among the holder's activities, which were read before."""
    scheme = reading.schemes[row.scheme]
    key = CertificationKey(row.id, row.holder_id, row.scheme)
    related = related_facts.of_many(reading, [key], activities).get(
        row.id, related_facts.NOTHING_RELATED
    )
    own = _in_time(activities.get((row.holder_id, row.scheme), ()), on=on, last=last)
    shared = {code: _in_time(of, on=on, last=last) for code, of in related.activities.items()}
    points = standings.evaluate(
        scheme, record, own, on=on, related=replace(related, activities=shared)
    )
    if points is None:
        return None
    together = [activity for some in (own, *shared.values()) for activity in some]
    waiting = tuple(activity.claim.ref for activity in together if activity.pending_on(date.max))
    return ApplicationPoints(
        ApplicationFacts(points.evaluation, points.policy, points.pending), waiting
    )


def _in_time(activities: Collection[ActivityFacts], *, on: date, last: date) -> list[ActivityFacts]:
    """The activities submitted by the last day, with their current decisions."""
    return [
        activity.as_decided(on)
        for activity in activities
        if activity.withdrawn_on is None
        and (activity.submitted_on is None or activity.submitted_on <= last)
    ]


@dataclass(frozen=True, slots=True)
class Open:
    """An application to be decided: its record and policy, and the last day of its terms.

    ``record`` is as if the application were undecided, with the cycles up to the one it renews.
    """

    record: snapshots.CertificationRecord
    policy: Policy
    last_day: date

    def step(self, renewal: Applied) -> LateStep | None:
        """The late step on which it was made; None if it was in time."""
        expires_on = self.record.expires_on
        return (
            None if expires_on is None else self.policy.late_step(expires_on, renewal.submitted_on)
        )


def of_renewal(
    work: ReadContext,
    row: ZonedCertification,
    record: snapshots.CertificationRecord,
    renewal: Applied,
) -> Open:
    """The application of a renewal as if it were undecided, whatever its state is."""
    closed_on = renewal.decided_on or renewal.withdrawn_on
    applications = list(record.applications)
    applications.remove(Application(renewal.submitted_on, closed_on))
    opened = replace(
        record,
        cycles=record.cycles[: renewal.cycle],
        applications=(*applications, Application(renewal.submitted_on, None)),
    )
    scheme, last = work.schemes[row.scheme], renewal.submitted_on
    policy = scheme.policy(opened.cycles[-1].policy)
    if opened.expires_on is not None:
        last = policy.terms_end_on(opened.expires_on, last) or last
    return Open(opened, policy, last)


def judge(work: ReadContext, row: ZonedCertification, case: Open) -> ApplicationPoints | None:
    """The points to decide the application with, today or on its last day if that is past."""
    today = work.day_of(work.schemes[row.scheme], row.time_zone)
    on = min(today, case.last_day)
    return count(work, row, case.record, on=on, last=case.last_day)


def check_state(work: ReadContext, row: ZonedCertification, case: Open, renewal: Applied) -> None:
    """Refuse to approve an imported application that its certification's state contradicts."""
    if renewal.ref is None:
        return
    record = case.record
    for refusal in rules.contradictions(
        work.schemes[row.scheme],
        record.cycles,
        on=renewal.submitted_on,
        changes=record.changes,
        adjustments=record.adjustments,
    ):
        raise refusal


def check_points(work: ReadContext, row: ZonedCertification, case: Open, renewal: Applied) -> None:
    """Refuse to approve while points are missing, whatever else remains to be decided."""
    counted = judge(work, row, case)
    if counted is not None:
        rules.check_points(counted.judged, case.step(renewal), counted.waiting)


def governing(work: ReadContext, row: ZonedCertification, case: Open, renewal: Applied) -> Policy:
    """The version under which the application was made; of several, the best for the holder."""
    record, on = case.record, renewal.submitted_on
    scheme = work.schemes[row.scheme]
    of = Case(scheme, record.cycles, record.applications, record.adjustments)
    policies = cycle_rules.versions(of, record.cycles[-1], on)
    if len(policies) == 1:
        return policies[0]
    counted = judge(work, row, case)
    return counted.judged.policy if counted and counted.judged.policy else policies[0]


def why_short(
    work: ReadContext,
    row: ZonedCertification,
    record: snapshots.CertificationRecord,
    renewal: Applied,
) -> str | None:
    """Why an application can no longer be approved; None while it can be."""
    case = of_renewal(work, row, record, renewal)
    if work.day_of(work.schemes[row.scheme], row.time_zone) <= case.last_day:
        return None
    counted = judge(work, row, case)
    if counted is None or counted.waiting or counted.judged.evaluation.complete:
        return None
    points = counted.judged.evaluation
    return (
        f"{points.total} of {points.required} points were approved among the activities submitted "
        f"by {case.last_day}, the last day to apply, and none is waiting for a decision."
    )
