"""Reading untrusted files in a separate process with limited memory and CPU time.

In every compressed format a few kilobytes can expand to gigabytes. So a file from outside is read
in a process started here: its memory is freed when it ends, and it is ended if it uses too much.

Here are starting a job, its limits, and its end, but not the jobs themselves. A job is a module
with ``work(options, source, into)``, which reads the bytes and writes its answer; that a file is
unreadable is an answer too. Its ``prepare(source)`` loads the library that the first bytes require,
before the limits are set, because the memory that a library itself takes depends on the machine.

    with tempfile.TemporaryFile() as answer:
        apart.run("tracker.files.child", {"name": "x.pdf"}, source, into=answer, limits=limits)
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).resolve().parent.parent
_OUT_OF_MEMORY = 77  # the exit status of a process that ran out of memory and could still exit
_LARGEST_ANSWER = 2 << 30
_OPEN_FILES = 64
_LAST_WORDS = 4000  # bytes of a failed job's error output that are kept
_NICENESS = 5  # requests for pages go first
# The environment variables that a process inherits: no secrets, no settings.
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH")


class CostsTooMuch(Exception):  # noqa: N818 - named for the refused fact
    """The bytes could not be read within the limits."""


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What a job may use: memory besides the interpreter's own, and seconds of CPU time."""

    memory_bytes: int
    seconds: int

    @property
    def patience(self) -> int:
        """Seconds of wall time after which the job is ended, even if it got little CPU time."""
        return 3 * self.seconds


def run(
    job: str,
    options: Mapping[str, object],
    source: IO[bytes],
    *,
    into: IO[bytes],
    limits: ProcessLimits,
) -> None:
    """Let a job read ``source`` and write its answer to ``into``, which is rewound to its start.

    Both are files with a descriptor. Raises CostsTooMuch, or RuntimeError if the job fails.
    """
    text = json.dumps(options)
    bounds = [str(limits.memory_bytes), str(limits.seconds)]
    source.seek(0)
    os.lseek(source.fileno(), 0, os.SEEK_SET)  # the file object's buffer may have read ahead
    command = [sys.executable, "-m", "tracker.apart", job, text, *bounds]
    with tempfile.TemporaryFile() as noise:
        try:
            done = subprocess.run(  # noqa: S603 - a program of ours
                command,
                stdin=source,
                stdout=into,
                stderr=noise,
                env=_environment(),
                timeout=limits.patience,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CostsTooMuch from error
        if done.returncode < 0 or done.returncode == _OUT_OF_MEMORY:
            raise CostsTooMuch
        if done.returncode:
            raise RuntimeError(f"{job} ended with status {done.returncode}: {_last_words(noise)}")
    into.seek(0)


def _last_words(noise: IO[bytes]) -> str:
    noise.seek(max(0, noise.seek(0, os.SEEK_END) - _LAST_WORDS))
    return noise.read().decode(errors="replace")


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED or name.startswith("COVERAGE")
    }
    return {**kept, "PYTHONPATH": str(_ROOT)}


def main() -> None:
    """Run one job, in the process that was started for it."""
    job, options, memory_bytes, seconds = sys.argv[1:]
    module = importlib.import_module(job)
    module.prepare(sys.stdin.buffer)
    sys.stdin.buffer.seek(0)
    _bind(int(memory_bytes), int(seconds))
    try:
        module.work(json.loads(options), sys.stdin.buffer, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)  # there is no memory left for a clean exit


def _bind(memory_bytes: int, seconds: int) -> None:
    """Set the limits, none of them higher than the process's own."""
    with suppress(OSError):
        os.nice(_NICENESS)
    _lower(resource.RLIMIT_AS, _mapped() + memory_bytes)
    _lower(resource.RLIMIT_CPU, seconds)
    _lower(resource.RLIMIT_FSIZE, _LARGEST_ANSWER)
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(kind: int, wanted: int) -> None:
    hard = resource.getrlimit(kind)[1]
    bound = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(OSError, ValueError):  # not every system has every limit
        resource.setrlimit(kind, (bound, hard))


def _mapped() -> int:
    """The bytes of address space that the process takes now."""
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        return pages * resource.getpagesize()
    return 1 << 30  # no such file outside Linux


if __name__ == "__main__":
    main()
