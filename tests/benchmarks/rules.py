"""The rules over many certifications at once, as an export or a dry run applies them."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from tests.benchmarks.measurements import Measured, at_least, at_most, measures
from tests.benchmarks.workshop import Workshop
from tracker import scheme_files, settings
from tracker.domain.credentials import certifications
from tracker.domain.periods import Period
from tracker.domain.permissions import SYSTEM
from tracker.domain.points import evaluations as points
from tracker.domain.points import gap
from tracker.domain.points.claims import Claim
from tracker.domain.schemes.policies import Policy
from tracker.services.core import days
from tracker.services.standings import standings

_GAPS = 400
_AWARDED = date(2024, 3, 15)
_MOST_CLAIMS, _MOST_UNITS, _LONGEST_JOB = 8, 20, 600


@measures("evaluations", at_least(3000, "/s"), against="a second of one core")
def evaluations(shop: Workshop) -> Measured:
    """Evaluations in bulk, from rows: 10 activities each; the database's own time apart."""
    ids = [person.holder_id for person in shop.people]
    with shop.container.reading(SYSTEM) as reading:
        on = days.today_everywhere(reading)
        standings.evaluations(reading, standings.of_many(reading, ids, on=on), on=on)
        done, begun, deadline = 0, time.process_time(), time.perf_counter() + shop.seconds
        while not done or time.perf_counter() < deadline:
            held = standings.of_many(reading, ids, on=on)
            done += len(standings.evaluations(reading, held, on=on))
    return Measured(done / (time.process_time() - begun))


@measures("gaps", at_most(100, " ms"), against="the clock")
def gaps(shop: Workshop) -> Measured:
    """What would close a gap, under the shipped policies: the median; drawn records."""
    chance, took = random.Random(1), list[float]()
    drawn = list(_policies())
    while len(took) < shop.sized(_GAPS):
        policy, cycle = drawn[len(took) % len(drawn)]
        on = cycle.starts_on + timedelta(chance.randrange((cycle.ends_on - cycle.starts_on).days))
        found = points.evaluate(policy, _claims(chance, policy, cycle, on), cycle=cycle, on=on)
        begun = time.perf_counter()
        gap.close(found, policy)
        took.append(1000 * (time.perf_counter() - begun))
    return Measured(
        statistics.median(took),
        {
            "policies": len(drawn),
            "gaps": len(took),
            "median ms": statistics.median(took),
            "worst ms": max(took),
        },
    )


def _policies() -> Iterator[tuple[Policy, Period]]:
    """The shipped policies that count points, each with a cycle under it."""
    shipped = settings.ROOT / "config" / "schemes"
    for folder in (shipped, shipped / "examples"):
        for scheme in scheme_files.load(folder):
            first = certifications.first_cycle(scheme, _AWARDED)
            for policy in scheme.policies:
                if policy.types and first.expires_on is not None:
                    yield policy, Period(first.starts_on, first.expires_on)


def _claims(chance: random.Random, policy: Policy, cycle: Period, on: date) -> list[Claim]:
    """Some activities of any type, done by a day; jobs of up to two years."""
    found = []
    for number in range(chance.randrange(_MOST_CLAIMS)):
        kind = chance.choice([*policy.types.values()])
        day = on - timedelta(chance.randrange((on - cycle.starts_on).days + 1))
        is_job = kind.basis == "months"
        begun = day - timedelta(chance.randrange(_LONGEST_JOB)) if is_job else None
        units = None if is_job else Decimal(chance.randint(1, _MOST_UNITS))
        found.append(
            Claim(
                ref=str(number),
                category=kind.category,
                type=kind.code,
                title=str(number),
                provider="",
                quantity=units,
                starts_on=begun,
                completed_on=day,
                approved=True,
            )
        )
    return found
