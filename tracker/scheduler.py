"""The scheduler, a process of its own: APScheduler starts the jobs, and nothing more.

Nothing depends on it being punctual, single or alive: what is due is recorded in our own tables, so
every replica may run every job. It never runs inside a web worker.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial

from apscheduler.schedulers.background import BackgroundScheduler

from tracker import clock, jobs
from tracker.mail.smtp_sender import FINAL_TIMEOUT
from tracker.relay_reader import RelayReader
from tracker.services.core.context import Container

_log = logging.getLogger(__name__)

PATIENCE = 300.0
"""Seconds that a job may be silent before the process exits, to be restarted."""
GIVEN_UP = 70
"""The exit status of a process that its watchdog ended: EX_SOFTWARE of sysexits.h."""
_ONCE_AN_HOUR, _ONCE_A_DAY = 3600, 24 * 3600
_RELAY_LOG = 5
_NOTED = 60.0  # seconds: a run that ends as the one before is noted no more often
_DIGESTS = 15 * 60  # digests are written within this time after the cut-off


@dataclass(frozen=True, slots=True)
class TimetableEntry:
    """One line of the timetable; if a ``watched`` job falls silent, the process ends.

    ``seconds`` is the interval. ``longest`` is the seconds that a run may wait besides its own
    work.
    """

    name: str
    job: Callable[[], object]
    seconds: int
    watched: bool = True
    longest: float = 0.0

    @property
    def patience(self) -> float:
        """Seconds of silence after which the job counts as hung."""
        return max(PATIENCE, 3.0 * self.seconds) + self.longest


def timetable(
    container: Container, stop: Callable[[], bool] = lambda: False
) -> list[TimetableEntry]:
    """The jobs and their intervals, from the settings."""
    every = container.settings.reminders
    dispatch: Callable[[], object] = partial(jobs.dispatch, container, stop=stop)
    evidence: list[TimetableEntry] = []
    if container.settings.mail.relay_log:
        reader = RelayReader(container)
        evidence = [TimetableEntry("relay log", reader, _RELAY_LOG, watched=False)]
        dispatch = partial(_after_log, reader, dispatch)
    return [
        *evidence,
        TimetableEntry("plan", partial(_plan, container, stop), every.plan_every_seconds),
        TimetableEntry(
            "dispatch",
            dispatch,
            every.dispatch_every_seconds,
            longest=FINAL_TIMEOUT,
        ),
        TimetableEntry(
            "sign-ins",
            partial(jobs.look_up_sign_ins, container, stop=stop),
            every.dispatch_every_seconds,
            watched=False,
        ),
        TimetableEntry("reap", partial(jobs.reap, container), every.reap_every_seconds),
        TimetableEntry(
            "audit", partial(jobs.audit, container), every.audit_every_seconds, watched=False
        ),
        *_seldom(container, stop),
    ]


def _seldom(container: Container, stop: Callable[[], bool]) -> list[TimetableEntry]:
    """The jobs that nobody waits for."""
    return [
        TimetableEntry(
            "digest", partial(jobs.digest, container, stop=stop), _DIGESTS, watched=False
        ),
        TimetableEntry(
            "employments", partial(jobs.end_employments, container), _ONCE_AN_HOUR, watched=False
        ),
        TimetableEntry("waits", partial(jobs.measure_waits, container), _ONCE_A_DAY, watched=False),
        TimetableEntry(
            "duplicates",
            partial(jobs.find_duplicates, container, stop=stop),
            _ONCE_A_DAY,
            watched=False,
        ),
        TimetableEntry(
            "credentials",
            partial(jobs.remind_of_credentials, container, stop=stop),
            _ONCE_AN_HOUR,
            watched=False,
        ),
        TimetableEntry(
            "audits",
            partial(jobs.follow_audits, container, stop=stop),
            _ONCE_AN_HOUR,
            watched=False,
        ),
        TimetableEntry("tidy", partial(jobs.tidy, container), _ONCE_A_DAY, watched=False),
        TimetableEntry(
            "retention", partial(jobs.retain, container, stop=stop), _ONCE_A_DAY, watched=False
        ),
        TimetableEntry(
            "checkpoint", partial(jobs.checkpoint, container), _ONCE_AN_HOUR, watched=False
        ),
    ]


def _after_log(reader: RelayReader, job: Callable[[], object]) -> None:
    """Run a job only once the relay's log has been read."""
    if reader.has_read:
        job()


def _plan(container: Container, stop: Callable[[], bool]) -> None:
    jobs.beat(container)
    jobs.plan(container, stop=stop)


@dataclass(slots=True)
class RunBook:
    """Notes the last run of each job in the database, for those who look after the installation.

    Jobs that run every few seconds are noted once a minute, and at once when they begin to fail or
    end well again.
    """

    container: Container
    now: Callable[[], float] = time.monotonic
    _noted: dict[str, tuple[float, str | None]] = field(default_factory=dict)

    def note(self, entry: TimetableEntry, seconds: float, error: str | None) -> None:
        """Note a run that took so many seconds; one that cannot be noted is only logged."""
        at, before = self._noted.get(entry.name, (float("-inf"), None))
        if self.now() - at < _NOTED and error == before:
            return
        took_ms = round(seconds * 1000)
        try:
            jobs.note(self.container, entry.name, took_ms, every=entry.seconds, error=error)
        except Exception as failure:  # noqa: BLE001 - the timetable goes on without a database
            _log.warning("the run of the job %s could not be noted: %s", entry.name, failure)
            return
        self._noted[entry.name] = (self.now(), error)


@dataclass(slots=True)
class Pulse:
    """When each watched job last finished, and whether that is too long ago."""

    limits: dict[str, float]
    now: Callable[[], float] = time.monotonic
    _beats: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.limits:
            self.beat(name)

    def beat(self, name: str) -> None:
        """Note that the job finished, well or badly: its thread is alive."""
        self._beats[name] = self.now()

    def silent(self) -> list[str]:
        """The watched jobs that have not finished for too long."""
        now = self.now()
        return [name for name, limit in self.limits.items() if now - self._beats[name] > limit]


def run(container: Container, stop: threading.Event | None = None) -> None:
    """Run the timetable until ``stop`` is set, or SIGTERM or SIGINT arrives; then end cleanly.

    A message that is being handed over is finished first; claims not tried are released.
    """
    stop = stop or threading.Event()
    entries = timetable(container, stop.is_set)
    pulse = Pulse({e.name: e.patience for e in entries if e.watched})
    ended = threading.Event()
    watch = threading.Thread(
        target=watchdog, args=(pulse, ended), name="scheduler-watchdog", daemon=True
    )
    scheduler = _scheduler(entries, pulse, RunBook(container))
    with _ended_by_signals(stop):
        watch.start()
        scheduler.start()
        _log.info("the scheduler is running: %s", ", ".join(e.name for e in entries))
        try:
            stop.wait()
        finally:
            stop.set()
            scheduler.shutdown(wait=True)
            ended.set()
            watch.join()
    _log.info("the scheduler has stopped")


def _scheduler(entries: list[TimetableEntry], pulse: Pulse, book: RunBook) -> BackgroundScheduler:
    # APScheduler logs every run, and warns when a long run is still under way; both are normal.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    scheduler = BackgroundScheduler(
        timezone=UTC,
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for entry in entries:
        scheduler.add_job(
            _guarded,
            "interval",
            seconds=entry.seconds,
            args=[entry, pulse, book],
            id=entry.name,
            next_run_time=clock.system(),
            timezone=UTC,
        )
    return scheduler


def _guarded(entry: TimetableEntry, pulse: Pulse, book: RunBook) -> None:
    """Run a job; a failure is logged and noted, and does not affect the next run."""
    began, error = time.monotonic(), None
    try:
        entry.job()
    except Exception as failure:  # noqa: BLE001 - whatever a job raises, the timetable goes on
        _log.exception("the job %s failed; it runs again in %d s", entry.name, entry.seconds)
        error = type(failure).__name__
    finally:
        pulse.beat(entry.name)
    book.note(entry, time.monotonic() - began, error)


def watchdog(
    pulse: Pulse,
    ended: threading.Event,
    *,
    every: float = 5.0,
    give_up: Callable[[int], object] = os._exit,
) -> None:
    """End the process at once when a job hangs; its supervisor starts a new one.

    The leases of the messages that it had claimed run out, and other workers take over.
    """
    while not ended.wait(every):
        silent = pulse.silent()
        if silent:
            _log.critical("no sign of life for too long: %s; ending the process", ", ".join(silent))
            logging.shutdown()
            give_up(GIVEN_UP)
            return


@contextmanager
def _ended_by_signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT set ``stop``; only the main thread may set handlers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
