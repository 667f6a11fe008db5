"""What an application to recertify is judged by: the points of what was submitted in time.

Invariant: what counts is when an activity was submitted, never when somebody decided on it, so
that a slow office costs the holder nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from tracker.domain import renewals as rules
from tracker.domain import terms
from tracker.domain.certifications import Application
from tracker.domain.policies import LateStep, Policy
from tracker.domain.renewals import Judged
from tracker.domain.terms import Case
from tracker.models import Renewal
from tracker.services import cases, facts, standings
from tracker.services.cases import Asked
from tracker.services.facts import ActivityFacts
from tracker.services.work import Work


@dataclass(frozen=True, slots=True)
class Counted:
    """What was submitted in time for an application brings, and what of it waits, by id."""

    judged: Judged
    waiting: tuple[str, ...]


def count(work: Work, row: Any, record: facts.Record, *, on: date, last: date) -> Counted | None:
    """The points on a day of what was submitted by the last day, by what is decided now.

    When it was decided does not matter. None where the scheme counts no points.
    """
    scheme = work.schemes[row.scheme]
    activities = facts.activities(work, [row.holder_id])
    asked = Asked(row.id, row.holder_id, row.scheme)
    beside = cases.beside(work, [asked], activities).get(row.id, cases.ALONE)
    own = _in_time(activities[row.holder_id, row.scheme], on=on, last=last)
    shared = {code: _in_time(of, on=on, last=last) for code, of in beside.activities.items()}
    found = standings.evaluate(
        scheme, record, own, on=on, beside=replace(beside, activities=shared)
    )
    if found is None:
        return None
    together = [one for some in (own, *shared.values()) for one in some]
    waiting = tuple(one.claim.ref for one in together if one.pending_on(date.max))
    return Counted(Judged(found.evaluation, found.policy, found.pending), waiting)


def _in_time(activities: Collection[ActivityFacts], *, on: date, last: date) -> list[ActivityFacts]:
    """The activities that were submitted by the last day, as they are decided now."""
    return [
        one.as_decided(on) for one in activities
        if one.withdrawn_on is None and (one.submitted_on is None or one.submitted_on <= last)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Open:
    """An application to be decided: what it was made for, on what terms, until which day.

    ``record`` is as if it were undecided, with the cycles up to the one that it renews.
    """

    record: facts.Record
    policy: Policy
    last_day: date

    def step(self, renewal: Any) -> LateStep | None:
        """The late step that it was made on; None for one in time."""
        expires_on = self.record.expires_on
        return (
            None if expires_on is None else self.policy.late_step(expires_on, renewal.submitted_on)
        )


def of_renewal(work: Work, row: Any, record: facts.Record, renewal: Any) -> Open:
    """The application of a renewal as if it were undecided, whatever it is now."""
    closed_on = renewal.decided_on or renewal.withdrawn_on
    applications = list(record.applications)
    applications.remove(Application(renewal.submitted_on, closed_on))
    opened = replace(
        record, cycles=record.cycles[: renewal.cycle],
        applications=(*applications, Application(renewal.submitted_on, None)),
    )  # fmt: skip
    scheme, last = work.schemes[row.scheme], renewal.submitted_on
    policy = scheme.policy(opened.cycles[-1].policy)
    if opened.expires_on is not None:
        last = policy.terms_end_on(opened.expires_on, last) or last
    return Open(opened, policy, last)


def judge(work: Work, row: Any, case: Open) -> Counted | None:
    """What the application can be decided by today, or on its last day if that is past."""
    today = work.day_of(work.schemes[row.scheme], row.time_zone)
    on = min(today, case.last_day)
    return count(work, row, case.record, on=on, last=case.last_day)


def check_state(work: Work, row: Any, case: Open, renewal: Renewal) -> None:
    """Refuse to approve what a file brought in against the state it acts on; see imports."""
    if renewal.ref is None:
        return
    record = case.record
    for refusal in rules.contradictions(
        work.schemes[row.scheme], record.cycles, on=renewal.submitted_on,
        changes=record.changes, adjustments=record.adjustments,
    ):  # fmt: skip
        raise refusal


def check_points(work: Work, row: Any, case: Open, renewal: Renewal) -> None:
    """Refuse to approve while the points are not there, whatever else is to be decided."""
    counted = judge(work, row, case)
    if counted is not None:
        rules.check_points(counted.judged, case.step(renewal), counted.waiting)


def governing(work: Work, row: Any, case: Open, renewal: Renewal) -> Policy:
    """The version under which the application was made; of several the best for the holder."""
    record, on = case.record, renewal.submitted_on
    scheme = work.schemes[row.scheme]
    of = Case(scheme, record.cycles, record.applications, record.adjustments)
    found = terms.versions(of, record.cycles[-1], on)
    if len(found) == 1:
        return found[0]
    counted = judge(work, row, case)
    return counted.judged.policy if counted and counted.judged.policy else found[0]


def why_short(work: Work, row: Any, record: facts.Record, renewal: Renewal) -> str | None:
    """Why an application can no longer be approved; None while it can."""
    case = of_renewal(work, row, record, renewal)
    if work.day_of(work.schemes[row.scheme], row.time_zone) <= case.last_day:
        return None
    counted = judge(work, row, case)
    if counted is None or counted.waiting or counted.judged.evaluation.complete:
        return None
    points = counted.judged.evaluation
    return (
        f"{points.total} of {points.required} points were approved of what was submitted by"
        f" {case.last_day}, the last day to apply, and nothing waits for a decision."
    )
