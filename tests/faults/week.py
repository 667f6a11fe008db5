"""A town's week: what happens to its certifications and its machines, and the books at the end."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select, text

from tests.benchmarks.multitude import Multitude, populate
from tests.faults.fast import Fast, Scheduler
from tests.mail_faults import Catcher, Caught, Cut
from tests.services.delivery import reminder_cases as cases
from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification, Holder, Reminder, ReminderCursor
from tracker.services.core.context import Container
from tracker.services.credentials import assessments
from tracker.services.delivery import reaper
from tracker.services.people import holders, preferences

START = datetime(2027, 3, 8, tzinfo=UTC)  # the clocks of America change in this week
FOR_EVER = datetime.max.replace(tzinfo=UTC)
ZONES = (
    "America/New_York",
    "America/Los_Angeles",
    "Europe/Madrid",
    "Asia/Tokyo",
    "Pacific/Auckland",
)
STARTING = 3.0
"""Seconds in which the schedulers start on two cores that do nothing else."""
CHANGES = ("renew", "revoke", "suspend", "correct", "move", "unsubscribe")
NO_SUCH_USER = "550 5.1.1 No such user"
LATER = "450 4.2.0 Greylisted, come back later"
_CUT = text(
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where datname = current_database() and pid != pg_backend_pid()"
)


@dataclass(frozen=True)
class Size:
    """How much of everything; ``seconds`` are those of a quiet machine, for all ``days`` together.

    ``behind``: for so many days before, no planner ran. ``known`` are those certifications whose
    assessments are on record, so that they can be corrected. ``changes`` are of each kind.
    """

    certifications: int
    known: int
    days: int
    behind: int
    seconds: float
    schedulers: int
    kills: int
    outages: int
    cuts: int
    changes: int

    @property
    def rate(self) -> float:
        """How many times as fast as real time the clock runs."""
        return self.days * 86_400 / self.seconds

    @property
    def transmitting(self) -> int:
        """Seconds of the fast clock after which a message under way is in doubt."""
        return int(self.rate * (20 if self.seconds > 100 else 6))

    @property
    def settings(self) -> dict[str, str]:
        """Leases that leave as much real time as there is need of on a slow machine."""
        return {
            "TRACKER_REMINDERS_LEASE_SECONDS": str(self.transmitting // 2),
            "TRACKER_REMINDERS_TRANSMITTING_SECONDS": str(self.transmitting),
            "TRACKER_REMINDERS_CLAIM": "20",
            "TRACKER_MAIL_TIMEOUT_SECONDS": "3",
        }


@dataclass(frozen=True)
class Silence:
    """When no reminder of a certification may be planned or sent: of one expiry, or of any."""

    since: datetime
    until: datetime = FOR_EVER
    expires_on: date | None = None

    def covers(
        self, expires_on: date, instant: datetime, *, margin: timedelta = timedelta(0)
    ) -> bool:
        """Whether a reminder of that expiry then breaks it, when it is longer by ``margin``."""
        of_it = self.expires_on in {None, expires_on}
        return of_it and self.since - margin < instant and instant - margin < self.until


def found_town(container: Container, clock: Any, size: Size) -> None:
    """Put everyone on record, by the set, as a planner left them that stopped days ago."""
    clock.now = START
    behind = START - timedelta(days=size.behind)
    with container.work(SYSTEM) as work:
        populate(work, Multitude(1, size.certifications - size.known, behind))
        policy = work.schemes["cpt"].reminders
    assert policy is not None
    for number in range(size.known // 5):
        offset = policy.offsets[number % len(policy.offsets)]
        expires_on = START.date() + timedelta(days=offset + number % size.days)
        cases.certified(container, expires_on, 5, time_zone=ZONES[number % len(ZONES)])
    with container.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))


@dataclass
class Evidence:
    """What the mail server took, told bit by bit: all of it up to the instant it was asked at."""

    catcher: Catcher
    told: int = 0

    def feed(self, container: Container) -> None:
        """Tell what is new."""
        until = container.clock()
        new = self.catcher.letters()[self.told :]
        accepted = [reaper.Acceptance(one.message_id, one.received_at) for one in new]
        with container.work(SYSTEM) as work:
            reaper.record_evidence(work, accepted, complete_until=until)
        self.told += len(new)


class Week:
    """The week itself: a list of what happens when, played by a clock that runs fast."""

    def __init__(
        self, container: Container, catcher: Catcher, size: Size, clock: Fast, log: Path
    ) -> None:
        self.clock, self.catcher, self.size, self.log = clock, catcher, size, log
        self.container = replace(cases.with_relay(container, catcher.port), clock=clock)
        self.silences: dict[str, list[Silence]] = defaultdict(list)
        self.refused: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.evidence, self._fed_at, self._dice = Evidence(catcher), 0.0, Random(20270308)
        self._schedulers: list[Scheduler] = []

    def play(self) -> None:
        """Let everything happen in its time, and take the schedulers down at the end."""
        happenings = sorted(self._happenings(), key=lambda one: one[0])
        ends = START + timedelta(days=self.size.days)
        with self._running():
            for at, happening in happenings:
                self._wait_until(at)
                happening()
            self._wait_until(ends)

    @contextmanager
    def _running(self) -> Iterator[None]:
        begun = time.monotonic()
        self._schedulers = [self._scheduler() for _ in range(self.size.schedulers)]
        try:
            for one in self._schedulers:
                one.wait_until_ready()
            self.clock.begin(slowness=max(1.0, (time.monotonic() - begun) / STARTING))
            for one in self._schedulers:
                one.begin()
            yield
            for one in self._schedulers:
                assert one.process.poll() is None
                one.process.terminate()
                one.process.wait(60)
        finally:
            for one in self._schedulers:
                one.kill()

    def _scheduler(self) -> Scheduler:
        return Scheduler(self.container, self.clock, self.log, **self.size.settings)

    def _wait_until(self, at: datetime) -> None:
        self.feed()
        while self.clock() < at:
            time.sleep(0.03)
            self.feed()

    def feed(self, *, every: float = 0.3) -> None:
        """Tell what the mail server took, now and then."""
        if time.monotonic() - self._fed_at >= every:
            self._fed_at = time.monotonic()
            self.evidence.feed(self.container)

    # What happens.
    def _happenings(self) -> Iterator[tuple[datetime, Callable[[], None]]]:
        yield from self._breakdowns()
        known, others = self._people()
        self._spoil(others)
        for kind in CHANGES:
            for _ in range(self.size.changes):
                one = (known if kind == "correct" else others).pop()
                yield self._at(0, 0.8), partial(self._change, kind, one)
                if kind == "suspend" and self._dice.random() < 0.5:
                    yield self._at(0.85, 0.95), partial(self._reinstate, one)

    def _breakdowns(self) -> Iterator[tuple[datetime, Callable[[], None]]]:
        size = self.size
        for _ in range(size.kills):
            yield self._at(0.1), self._kill
        for _ in range(size.cuts):
            yield self._at(0.2), self._lose_database
        for number in range(size.outages):
            at = self._at((number + 0.2) / size.outages, (number + 0.7) / size.outages)
            yield at, self._lose_mail
            yield at + timedelta(seconds=size.rate * self._dice.uniform(0.5, 3)), self.catcher.start

    def _at(self, first: float, last: float = 0.9) -> datetime:
        """Some instant in a part of the week."""
        return START + timedelta(days=self.size.days * self._dice.uniform(first, last))

    def _people(self) -> tuple[list[Any], list[Any]]:
        """Those whose assessments are known, and of the others those with a stage in the week."""
        ends = START + timedelta(days=self.size.days)
        statement = (
            select(
                ReminderCursor.certification_id,
                ReminderCursor.expires_on,
                Holder.email,
                Certification.holder_id,
                Certification.awarded_on,
                ReminderCursor.next_due_at,
            )
            .join(Certification, Certification.id == ReminderCursor.certification_id)
            .join(Holder, Holder.id == Certification.holder_id)
            .where(ReminderCursor.next_due_at < ends)
            .order_by(Holder.email)
        )
        with self.container.reading(SYSTEM) as reading:
            rows = list(reading.rows(statement))
        self._dice.shuffle(rows)
        known = [row for row in rows if row.email.endswith("@example.com")]
        return known, [row for row in rows if not row.email.endswith("@example.com")]

    def _spoil(self, others: list[Any]) -> None:
        """Of every thirty addresses one does not exist, one is greylisted, two lose the line."""
        behaviour, few = self.catcher.behaviour, len(others) // 30
        for _ in range(few):
            behaviour.rcpt_replies[others[-1].email] = NO_SUCH_USER
            self.refused.add(others.pop().email)
            behaviour.rcpt_replies[others.pop().email] = [LATER, LATER]
            behaviour.cuts[others.pop().email] = [Cut.BEFORE_KEEPING]
            behaviour.cuts[others.pop().email] = [Cut.BEFORE_250]

    def _kill(self) -> None:
        """End a scheduler at once, rather in the middle of a message, and start another."""
        seen, ends = self.catcher.received, time.monotonic() + 0.5
        while self.catcher.received == seen and time.monotonic() < ends:
            time.sleep(0.001)
        time.sleep(self._dice.random() * 0.01)
        number = self._dice.randrange(len(self._schedulers))
        self._schedulers[number].kill()
        self._schedulers[number] = self._scheduler()
        self._schedulers[number].begin()
        self.counts["kills"] += 1

    def _lose_database(self) -> None:
        with self.container.engine.connect() as connection:
            self.counts["connections lost"] += connection.execute(_CUT).rowcount
        self.container.engine.dispose()
        self.counts["databases lost"] += 1

    def _lose_mail(self) -> None:
        self.catcher.stop()
        self.counts["mail servers lost"] += 1

    def _change(self, kind: str, one: Any) -> None:
        """Do something to someone; from then on there is something not to be told."""
        id_, today = one.certification_id, self.clock().date()
        if kind == "renew":
            cases.renew(self.container, id_, today)
        elif kind in {"revoke", "suspend"}:
            cases.change(self.container, id_, kind, today - timedelta(days=1))
        elif kind == "correct":
            self._correct(one)
        else:
            with self.container.work(SYSTEM) as work:
                if kind == "move":
                    zone = self._dice.choice(ZONES)
                    holders.correct(work, one.holder_id, {"time_zone": zone}, version=1)
                else:
                    preferences.put(work, "reminders", [one.holder_id], {"wanted": False})
        self.counts[kind] += 1
        if kind != "move":
            of_one = one.expires_on if kind in {"renew", "correct"} else None
            self.silences[id_].append(Silence(self.clock(), expires_on=of_one))

    def _correct(self, one: Any) -> None:
        """Every module was passed three days earlier than recorded."""
        taken_on = one.awarded_on - timedelta(days=3)
        with self.container.work(SYSTEM) as work:
            for module in work.schemes["cpt"].required:
                attempt = AttemptToRecord(
                    scheme="cpt", module=module, taken_on=taken_on, passed=True
                )
                assessments.record(work, one.holder_id, attempt)

    def _reinstate(self, one: Any) -> None:
        until = self.clock()
        cases.change(self.container, one.certification_id, "reinstate", until.date())
        self.counts["reinstate"] += 1
        (silence,) = self.silences[one.certification_id]
        self.silences[one.certification_id] = [replace(silence, until=until)]

    def is_silent(
        self, certification_id: str, expires_on: date, instant: datetime, *, margin: float = 0
    ) -> bool:
        """Whether there was nothing to be told, ``margin`` seconds of a quiet machine round it."""
        longer = timedelta(seconds=self.size.rate * margin)
        silences = self.silences[certification_id]
        return any(one.covers(expires_on, instant, margin=longer) for one in silences)


@dataclass
class Books:
    """What the database and the mail server say at the end: rows, and messages by Message-ID."""

    letters: dict[str, Any]
    stages: list[Any]
    caught: list[Caught]

    def __post_init__(self) -> None:
        self.ledger = Counter(one.message_id for one in self.caught)
        self.taken = {one.message_id: one for one in self.caught}

    def figures(self) -> Counter[str]:
        """How many stages and messages came to which end, and how many copies there are."""
        found = Counter(f"stages {stage.fate}" for stage in self.stages)
        found.update(f"{letter.kind}s {letter.state}" for letter in self.letters.values())
        found["copies"] = self.ledger.total() - len(self.ledger)
        return found

    def told(self) -> Iterator[tuple[str, str, date, datetime]]:
        """Message by message, every certification told of, its expiry by that message, and when."""
        for letter in self.letters.values():
            if letter.kind == "reminder" and letter.state == "sent":
                at = self.taken[letter.message_id].received_at
                for line in letter.facts["lines"]:
                    expires_on = date.fromisoformat(line["expires_on"])
                    yield letter.id, line["certification_id"], expires_on, at


def books(container: Container, catcher: Catcher) -> Books:
    """Read them."""
    with container.reading(SYSTEM) as reading:
        stages = list(reading.rows(select(Reminder.__table__)))
    return Books({row.id: row for row in cases.letters(container)}, stages, catcher.letters())
