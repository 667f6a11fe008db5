"""Run a program that ends with the process that started it, however that process ends.

`python -m tracker.cli.bound PARENT PROGRAM ARGUMENT...`, where PARENT is that process's id. A
parent that is killed cannot stop its children, so the kernel does; only Linux can.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2); it survives exec


def main(parent: int, program: list[str]) -> None:
    """Become the program; the kernel stops it (SIGTERM) when the parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the kernel was asked
        raise SystemExit(1)
    os.execvp(program[0], program)  # noqa: S606 - a program of ours


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
