"""Comparing two versions of a policy over everyone, against evaluating alone."""

from __future__ import annotations

import gc
import statistics
import time
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from tests.benchmarks import people
from tests.benchmarks.measurements import Measured, at_least, measures
from tests.benchmarks.people import SCHEME
from tests.benchmarks.workshop import Workshop
from tracker.domain.credentials.certifications import days_of
from tracker.domain.permissions import SYSTEM
from tracker.domain.points import evaluations
from tracker.domain.schemes.policies import Policy
from tracker.services.core import days
from tracker.services.core.context import ReadContext
from tracker.services.credentials import policy_impact
from tracker.services.credentials.policy_impact import Version
from tracker.services.standings import snapshots

_PEOPLE, _ALONE, _ROUNDS = 100_000, 400, 5
_ACTIVITIES = 10
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_FORGET_THE_PEAK = "5"


@measures("diff", at_least(3000, "/s"), against="a second of one core")
def diff(shop: Workshop) -> Measured:
    """Diff of two versions over 100,000 certifications: evaluations of both, 10 activities each."""
    count = shop.sized(_PEOPLE)
    with shop.container.work(SYSTEM) as work:
        people.certify(work, count, prefix="D", activities=_ACTIVITIES)
    shop.analyze()
    scheme = shop.container.schemes[SCHEME]
    old = scheme.policies[0]
    new = replace(old, version="other", points_required=Decimal("60.00"))
    with shop.container.reading(SYSTEM) as reading:
        on = days.today_everywhere(reading)
        sides = Version(scheme, old), Version(scheme, new)
        gc.freeze()  # as the command does
        alone = _alone(reading, (old, new))
        before, examined, begun = _forget_the_peak(), 0, time.process_time()
        for _ in policy_impact.diff(reading, *sides, on=on):
            examined += 1
        took = time.process_time() - begun
        gc.unfreeze()
    return Measured(
        2 * examined / took,
        {
            "certifications": examined,
            "points.evaluate alone/s": alone,
            "overhead %": 100 * (took * alone / (2 * examined) - 1),
            "peak MB": _megabytes("VmHWM"),
            "of which before MB": before,
        },
    )


def _alone(reading: ReadContext, versions: tuple[Policy, Policy]) -> float:
    """Evaluations a second of both versions, of facts that are at hand already."""
    on = days.today_everywhere(reading)
    rows = next(policy_impact.pages(reading, SCHEME, awarded_by=on, limit=_ALONE))
    cycles = snapshots.cycles(reading, [row.id for row in rows])
    claimed = snapshots.activities(reading, {row.holder_id for row in rows})
    asked = []
    for row in rows:
        known = cycles[row.id].cycles
        claims = [a.claim_on(on) for a in claimed[row.holder_id, SCHEME] if a.approved_on(on)]
        asked.append((days_of(known, known[0]), claims))
    times = []
    for _ in range(_ROUNDS):
        begun = time.process_time()
        for cycle_days, claims in asked:
            for policy in versions:
                evaluations.evaluate(policy, claims, cycle=cycle_days, on=on)
        times.append(time.process_time() - begun)
    return len(versions) * len(asked) / statistics.median(times)


def _forget_the_peak() -> float:
    """Begin to watch memory again; what this process holds now, in MB."""
    with suppress(OSError):
        _RESET.write_text(_FORGET_THE_PEAK)
    return _megabytes("VmRSS")


def _megabytes(what: str) -> float:
    """A line of the process's status in MB; 0 where there is no /proc."""
    with suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) / 1024
    return 0.0
