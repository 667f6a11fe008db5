"""The CPU time of our children: servers, loader, and a PostgreSQL that we started.

On a machine that does other things too, waiting for a turn makes up most of a request's time, and
work of many small steps waits more often. Time on the CPU is less disturbed: its ratio is what
the ratio of requests a second comes to when the machine has nothing else to do.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

_PARENT, _USER, _SYSTEM = 1, 11, 12  # in /proc/PID/stat, counted behind the name


def cpu_seconds() -> float | None:
    """CPU seconds of all our descendants so far; None where there is no /proc."""
    if not Path("/proc/self/stat").exists():
        return None
    children: dict[int, list[int]] = defaultdict(list)
    ticks: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        children[int(told[_PARENT])].append(int(entry.name))
        ticks[int(entry.name)] = int(told[_USER]) + int(told[_SYSTEM])
    found, ours = 0, children[os.getpid()]
    while ours:
        pid = ours.pop()
        found += ticks[pid]
        ours += children[pid]
    return found / os.sysconf("SC_CLK_TCK")
