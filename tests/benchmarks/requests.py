"""Requests over HTTP, each against bare Flask with one statement on the same server."""

from __future__ import annotations

import json

from tests.benchmarks.loader import Job
from tests.benchmarks.measurements import Measured, at_least, measures, ratio_of_rates
from tests.benchmarks.people import SCHEME
from tests.benchmarks.processes import cpu_seconds
from tests.benchmarks.servers import WORKERS
from tests.benchmarks.workshop import ROUND, Workshop

_PREFIX = "/api/v1"
BARE = "bare Flask + one indexed SELECT"
_CONNECTIONS = 2 * WORKERS
_WARM_UP = 0.3  # seconds, before the first round: connections, caches of statements
_ACTIVITY = {
    "category": "CE",
    "type": "college_noncredit",
    "title": "Statistical process control",
    "provider": "A college",
    "quantity": "4.00",
    "completed_on": "2026-06-05",
}


class _Side:
    """One of the two sides: its requests, sent for a round at a time, and what they cost."""

    def __init__(self, shop: Workshop, job: Job) -> None:
        self._shop, self._job = shop, job
        self._answered, self._cpu = 0, 0.0
        shop.loader.run(job, seconds=min(_WARM_UP, shop.seconds))

    def rate(self) -> float:
        """Requests a second in a round."""
        before = cpu_seconds() or 0.0
        load = self._shop.loader.run(self._job, seconds=min(ROUND, self._shop.seconds))
        self._cpu += (cpu_seconds() or 0.0) - before
        self._answered += load.answered
        return load.rate

    @property
    def cpu(self) -> float:
        """Microseconds on the CPU for each request, all processes of ours together."""
        return self._cpu / self._answered * 1e6


def _compare(shop: Workshop, ours: Job, bare: Job) -> Measured:
    """Requests a second, ours to bare Flask's, in turns."""
    work, against = _Side(shop, ours), _Side(shop, bare)
    found = ratio_of_rates(work.rate, against.rate, rounds=shop.rounds, unit="requests/s")
    if work.cpu and against.cpu:
        found.parts.update(
            {
                "ratio by CPU time": against.cpu / work.cpu,
                "work us CPU": work.cpu,
                "against us CPU": against.cpu,
            }
        )
    return found


def against_one_select(
    shop: Workshop, paths: list[str], headers: dict[str, str] | None = None
) -> Measured:
    """Requests for paths, in turns with those for one row; by staff with a token if not told."""
    bare = [f"/certifications/{person.certification_id}" for person in shop.people]
    return _compare(
        shop,
        Job(shop.ours, paths, headers or shop.headers, connections=_CONNECTIONS),
        Job(shop.bare, bare, {}, connections=_CONNECTIONS),
    )


@measures("certification", at_least(0.70), against=BARE)
def certification(shop: Workshop) -> Measured:
    """GET /certifications/{id}, with its standing."""
    return against_one_select(
        shop, [f"{_PREFIX}/certifications/{p.certification_id}" for p in shop.people]
    )


@measures("record", at_least(0.45), against=BARE)
def record(shop: Workshop) -> Measured:
    """GET /holders/{id}/record: 5 passes, 10 activities."""
    return against_one_select(
        shop, [f"{_PREFIX}/holders/{p.holder_id}/record" for p in shop.people]
    )


@measures("evaluation", at_least(0.35), against=BARE)
def evaluation(shop: Workshop) -> Measured:
    """GET /certifications/{id}/evaluation: 10 activities explained."""
    return against_one_select(
        shop, [f"{_PREFIX}/certifications/{p.certification_id}/evaluation" for p in shop.people]
    )


@measures("activity", at_least(0.40), against="bare Flask + one INSERT and commit")
def activity(shop: Workshop) -> Measured:
    """POST an activity: validated, one transaction, history."""
    paths = [f"{_PREFIX}/certifications/{p.certification_id}/activities" for p in shop.loggers]
    fields = {"holder_id": shop.loggers[0].holder_id, "scheme": SCHEME, "state": "draft"}
    bare = json.dumps({**_ACTIVITY, **fields, "version": 1})
    return _compare(
        shop,
        Job(shop.ours, paths, shop.headers, json.dumps(_ACTIVITY), _CONNECTIONS),
        Job(shop.bare, ["/activities"], {}, bare, _CONNECTIONS),
    )
