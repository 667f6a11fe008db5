"""The program of `tests.faults.processes.Worker`, which is forked from a process that imported it.

Importing all that a job needs takes much longer than the job does here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection

from tracker import jobs
from tracker.app import create_container


def run(line: Connection, variables: Mapping[str, str], setup: str, names: Sequence[str]) -> None:
    """Say on the line that the process is ready, wait for a word, and run the jobs."""
    os.environ.clear()
    os.environ.update(variables)
    container = create_container()
    exec(setup, {"jobs": jobs, "container": container})
    line.send("ready")
    line.recv()
    for name in names:
        getattr(jobs, name)(container)
