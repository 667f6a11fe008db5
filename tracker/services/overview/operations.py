"""The state of an installation for the person who runs it: findings, queues, sending, versions."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata

from tracker import migrations
from tracker.services.core import job_runs
from tracker.services.core.context import ReadContext
from tracker.services.core.counters import CounterValue
from tracker.services.core.job_runs import LastRun
from tracker.services.delivery import send_safety
from tracker.services.delivery.send_safety import SendObstacle
from tracker.services.overview import findings, metrics
from tracker.services.overview.findings import DoctorFinding

_PROGRAM = "tracker"


@dataclass(frozen=True, slots=True)
class Operations:
    """What an operator sees at a glance; ``obstacle``: why nothing is sent, if nothing is.

    ``outbox`` counts unfinished messages by state, ``waiting_since`` is when the oldest that should
    have left fell due, by group. ``tallies`` are what jobs noted last, and when; ``runs`` the
    last run of each job. ``versions`` name the program, its Python, the database and its migration.
    """

    findings: Sequence[DoctorFinding]
    obstacle: SendObstacle | None
    outbox: Mapping[str, int]
    waiting_since: Mapping[str, datetime]
    heartbeat: datetime | None
    tallies: Mapping[str, CounterValue]
    runs: Sequence[LastRun]
    versions: Mapping[str, str]

    @property
    def problems(self) -> int:
        """The number of findings that are not fine."""
        return sum(one.state != "ok" for one in self.findings)


def look(reading: ReadContext) -> Operations:
    """The state now, at a cost that does not depend on the size of the database."""
    gauges = metrics.gauges(reading)
    return Operations(
        findings=list(findings.of_database(reading)),
        obstacle=send_safety.obstacle(reading),
        outbox=gauges.outbox,
        waiting_since=gauges.waiting_since,
        heartbeat=gauges.heartbeat,
        tallies=gauges.tallies,
        runs=job_runs.last(reading),
        versions={
            "program": metadata.version(_PROGRAM),
            "python": platform.python_version(),
            "database": reading.dialect,
            "migration": migrations.head() or "",
        },
    )
