"""Processes that do the jobs, to be killed and stopped, and the ledger that judges them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import uuid
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests.faults import forked
from tests.mail_faults import Catcher
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.services.core.context import Container
from tracker.services.delivery import reaper

ROOT = Path(__file__).parents[2]
EXPIRY = date(2027, 3, 15)
THIRTY_DAYS_BEFORE = datetime(2027, 2, 13, 14, tzinfo=UTC)
SEVEN_DAYS_BEFORE = datetime(2027, 3, 8, 14, tzinfo=UTC)
CONNECTIONS = 4
"""As many letters at the most are under way in one process."""

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([forked.__name__])


def environment(container: Container, port: int, **variables: str) -> dict[str, str]:
    """What a separate process is told of a container and of the mail server's port."""
    return {
        **os.environ,
        "TRACKER_ENV": "testing",
        "TRACKER_MAIL_PORT": str(port),
        "TRACKER_DATABASE_URL": container.settings.database.url,
        "TRACKER_STORAGE_DIRECTORY": container.settings.storage.directory,
        **variables,
    }


class Worker:
    """A separate process that runs jobs as soon as it is told to; ``setup`` comes first."""

    def __init__(
        self, container: Container, clock: Any, port: int, *names: str, setup: str = "", **more: str
    ) -> None:
        variables = {
            "TRACKER_NOW": clock.now.isoformat(),
            "TRACKER_REMINDERS_CLAIM": "20",
            "TRACKER_REMINDERS_BATCH": "10",
            "TRACKER_REMINDERS_CONNECTIONS": str(CONNECTIONS),
        }
        self._line, theirs = _FORKS.Pipe()
        told = environment(container, port, **variables | more)
        self.process = _FORKS.Process(target=forked.run, args=(theirs, told, setup, names))
        self.process.start()
        theirs.close()

    def begin(self) -> None:
        """Let it run; returns when it does."""
        assert self._line.recv() == "ready"
        self._line.send("go")

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.join()

    def pause(self) -> None:
        """Stop it where it is."""
        self._send(signal.SIGSTOP)

    def is_stopped(self) -> bool:
        """Whether it stands still."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return "State:\tT" in status

    def wake(self) -> None:
        """Let a stopped one go on."""
        self._send(signal.SIGCONT)

    def finish(self, status: int = 0, *, seconds: float = 300) -> None:
        """Wait until it ends, with a status."""
        self.process.join(seconds)
        assert self.process.exitcode == status

    def _send(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)


def plan(container: Container, clock: Any, count: int, at: datetime) -> set[str]:
    """Put holders on record and plan a message for each; returns the Message-IDs."""
    clock.now = at
    cases.certified(container, EXPIRY, count)
    jobs.plan(container)
    return {row.message_id for row in cases.letters(container)}


def wait_for(condition: Any, *, seconds: float = 60) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.003)


def kill_in_the_middle(
    container: Container,
    clock: Any,
    catcher: Catcher,
    dice: Any,
    *,
    after: tuple[int, int] = (5, 30),
) -> None:
    """Run a dispatcher and kill it while it is handing messages over."""
    worker = Worker(container, clock, catcher.port, "dispatch")
    worker.begin()
    enough = len(catcher.letters()) + dice.randrange(*after)
    wait_for(lambda: len(catcher.letters()) >= enough or not worker.process.is_alive())
    time.sleep(dice.random() * 0.01)
    worker.kill()
    time.sleep(0.3)  # what was on the wire is taken or lost by now
    clock.advance(minutes=16)


def ledger(catcher: Catcher) -> Counter[str]:
    """How often each message was accepted, by its Message-ID."""
    return Counter(letter.message_id for letter in catcher.letters())


def feed_evidence(container: Container, clock: Any, catcher: Catcher) -> None:
    """Tell what the relay took, and that nothing else was."""
    accepted = [reaper.Acceptance(c.message_id, clock.now) for c in catcher.letters()]
    with container.work(SYSTEM) as work:
        reaper.record_evidence(work, accepted, complete_until=clock.now)


def dispatch_the_rest(container: Container, clock: Any, catcher: Catcher) -> int:
    """Send until every lease has run out and every wait is over; how many were in doubt still."""
    sending, doubtful = cases.with_relay(container, catcher.port), 0
    for _ in range(3):
        dispatch_all(sending)
        clock.advance(minutes=20)
        doubtful += jobs.reap(container).in_doubt
    dispatch_all(sending)
    return doubtful


def dispatch_all(sending: Container) -> None:
    """Send all that is due, in as many runs as it takes: each ends after a while."""
    while jobs.dispatch(sending):
        pass


_CUT = text(
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where datname = current_database() and pid != pg_backend_pid()"
)


def cut(container: Container) -> None:
    """Cut every connection to PostgreSQL."""
    with container.engine.connect() as connection:
        connection.execute(_CUT)
    container.engine.dispose()


def write_log(path: Path, at: datetime, *message_ids: str) -> None:
    """Write what Postfix writes when it takes messages, and that it did something else before."""
    lines = [f"{at.isoformat()} mx postfix/smtpd[1]: connect from x\n"]
    for message_id in message_ids:
        queue_id = f"4F{uuid.uuid4().hex[:12].upper()}"
        lines += [
            f"{at.isoformat()} mx postfix/cleanup[1]: {queue_id}: message-id={message_id}\n",
            f"{at.isoformat()} mx postfix/qmgr[1]: {queue_id}: from=<b@x>, size=9 (queue active)\n",
        ]
    with path.open("a", encoding="utf-8") as file:
        file.writelines(lines)
