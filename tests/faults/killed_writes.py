"""The program of test_killed_writes: kill one write after another in the middle, and look.

Every round begins with a copy of the same database. What a write leaves there is described by its
difference: which rows of which table are new, gone, or changed in which columns. A write that was
killed must leave nothing, or all, or what it leaves between two of its own commits.
"""

from __future__ import annotations

import functools
import json
import os
import pickle
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Engine, create_engine, event, select, text

from tests import postgres
from tests.conftest import Frozen, make_app, office_of
from tests.faults import writes
from tests.faults.writes import Write
from tracker import scheme_files
from tracker.domain.permissions import SYSTEM
from tracker.models import Base, Evidence
from tracker.scheme_files import reasons
from tracker.services.delivery import ledger
from tracker.services.overview import history_checks, integrity
from tracker.services.points import evidence

Rows = dict[tuple[str, ...], dict[str, str]]
"""The rows of all tables: by table and primary key, the values of the columns."""
Difference = Counter[tuple[str, str, tuple[str, ...]]]
"""How many rows of a table are new, gone or changed, and in which columns."""
FILES = frozenset({"os.rename", "os.remove", "subprocess.Popen"})
COUNTED = "usage"
"""The table in which tries are counted, each in a transaction of its own: also of who dies."""
ASIDE = frozenset({COUNTED, "login_session", "sign_in", "token"})
"""Tables in which a request notes, in a transaction of its own, that somebody has come."""
PATIENCE = 60  # seconds


# Databases: one that every round begins with, and a copy for each round.
@dataclass
class Place:
    """A database and a directory of files; ``server`` is PostgreSQL's, if it is one."""

    folder: Path
    name: str
    server: str | None

    @property
    def url(self) -> str:
        """The database's URL."""
        if self.server is None:
            return f"sqlite:///{self.folder / self.name}.sqlite3"
        return self.server.replace("/postgres?", f"/{self.name}?")

    @property
    def storage(self) -> Path:
        """The directory of files."""
        return self.folder / self.name

    @contextmanager
    def copied(self) -> Iterator[Place]:
        """A copy of both, until the block ends."""
        other = Place(self.folder, f"{self.name}_{os.urandom(4).hex()}", self.server)
        shutil.copytree(self.storage, other.storage)
        if self.server is None:
            shutil.copyfile(self._file, other._file)
            other._file.chmod(0o600)
        else:
            postgres.create_database(self.server, other.name, template=self.name)
        try:
            yield other
        finally:
            other._remove()

    @property
    def _file(self) -> Path:
        return self.folder / f"{self.name}.sqlite3"

    def _remove(self) -> None:
        shutil.rmtree(self.storage)
        if self.server is None:
            for file in self.folder.glob(f"{self.name}.sqlite3*"):
                file.unlink()
            return
        with _connected(self.server) as connection:
            connection.execute(text(f"drop database {self.name} with (force)"))

    def wait_until_nobody_is_connected(self) -> None:
        """PostgreSQL notices that a process has died, and takes back what it did."""
        if self.server is None:
            return
        count = text("select count(*) from pg_stat_activity where datname = :name")
        deadline = time.monotonic() + PATIENCE
        with _connected(self.server) as connection:
            while connection.execute(count, {"name": self.name}).scalar_one():
                assert time.monotonic() < deadline, "somebody is connected still"
                time.sleep(0.005)


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    engine = _plain(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection
    engine.dispose()


def _plain(url: str) -> Engine:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


# What is in a database, and how it differs from another.
def rows(url: str) -> Rows:
    """Every row of every table, as text."""
    found: Rows = {}
    with _connected(url) as connection:
        for table in Base.metadata.sorted_tables:
            keys = [column.name for column in table.primary_key]
            for row in connection.execute(text(f"select * from {table.name}")).mappings():
                values = {name: str(value) for name, value in row.items()}
                found[table.name, *(values[key] for key in keys)] = values
    return found


def difference(before: Rows, after: Rows) -> Difference:
    """What is new, gone and changed."""
    found: Difference = Counter()
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old is None:
            found[key[0], "new", ()] += 1
        elif new is None:
            found[key[0], "gone", ()] += 1
        elif old != new:
            found[key[0], "changed", tuple(name for name in old if old[name] != new[name])] += 1
    return found


# A process that does one write.
@dataclass
class Course:
    """How a write that nobody kills goes: what it leaves at each commit, and its length."""

    status: int = 0
    states: list[Difference] = field(default_factory=list)
    moments: int = 0
    seconds: float = 0.0


@dataclass
class Moments:
    """The moments of a process: before a row is written, around a commit, when a file changes.

    At the moment ``last`` it is killed. With ``states`` what is there before each is kept.
    """

    url: str
    last: int | None
    before: Rows | None = None
    passed: int = 0
    states: list[Difference] = field(default_factory=list)
    aside: float = 0.0  # seconds that looking took

    def watch(self, engine: Engine) -> None:
        """Count from now on."""
        event.listen(engine, "before_cursor_execute", self._statement)
        event.listen(engine, "commit", self._commit)
        commit = engine.dialect.do_commit

        def do_commit(connection: Any) -> None:
            commit(connection)
            self._pass()

        vars(engine.dialect)["do_commit"] = do_commit
        sys.addaudithook(lambda name, _: self._pass() if name in FILES else None)

    def _statement(self, connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip()[:6].upper() in {"INSERT", "UPDATE", "DELETE"}:
            if _is_autocommit(connection):
                self.keep()
            self._pass()

    def _commit(self, _: Any) -> None:
        self.keep()
        self._pass()

    def keep(self) -> None:
        """Keep what is in the database now, as others see it."""
        if self.before is not None:
            began = time.monotonic()
            self.states.append(difference(self.before, rows(self.url)))
            self.aside += time.monotonic() - began

    def _pass(self) -> None:
        self.passed += 1
        if self.passed == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


def _is_autocommit(connection: Any) -> bool:
    """Whether a statement is its own transaction (``db.reading()``)."""
    if connection.dialect.name == "postgresql":
        return bool(connection.connection.driver_connection.autocommit)
    return bool(connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT")


@dataclass
class Driver:
    """Kills writes; ``base`` is the place that every round begins with."""

    base: Place
    clock: Frozen
    before: Rows = field(default_factory=dict)
    courses: dict[str, Course] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def round(self, write: Write, dice: random.Random) -> None:
        """Kill a write at a random moment, look at what it left, and do it again."""
        course = self.courses.get(write.name) or self._course(write)
        with self.base.copied() as place:
            found = self._killed(write, place, course, dice)
            place.wait_until_nobody_is_connected()
            left = difference(self.before, rows(place.url))
            assert left in course.states, (write.name, left, course.states)
            is_done = left == course.states[-1]
            self.counts["died" if found is None else "ended before"] += 1
            self.counts[
                "left nothing" if not left else "left all" if is_done else "left a step"
            ] += 1
            self._look(place)
            again = self._child(write, place)
            self._check_again(write, course, again, is_done=is_done)
            self._look(place)

    def _course(self, write: Write) -> Course:
        """Do a write once in a copy that nobody kills."""
        with self.base.copied() as place:
            course = self._child(write, place, keeping=True)
            self._look(place)
        assert course is not None
        assert 200 <= course.status < 400, (write.name, course.status)
        _check_facts_come_at_once(write, course)
        self.courses[write.name] = course
        return course

    def _check_again(
        self, write: Write, course: Course, again: Course | None, *, is_done: bool
    ) -> None:
        """Who heard nothing asks again: it is done once, whether or not it was done before."""
        assert again is not None
        if not is_done:
            assert again.status == course.status, (write.name, again.status)
            assert _facts(again.states[-1]) == _facts(course.states[-1]), (write.name, again)
        assert again.status < 500, write.name

    def _killed(
        self, write: Write, place: Place, course: Course, dice: random.Random
    ) -> Course | None:
        """Two thirds die at one of the moments, the others at any instant."""
        if dice.random() < 2 / 3:
            return self._child(write, place, last=dice.randint(1, course.moments))
        return self._child(write, place, seconds=course.seconds * dice.uniform(0, 1.1))

    def _child(
        self,
        write: Write,
        place: Place,
        *,
        keeping: bool = False,
        last: int | None = None,
        seconds: float | None = None,
    ) -> Course | None:
        """Do a write in a process of its own; what came of it, None if it was killed."""
        told, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(told)
            self._do(write, place, tell, keeping=keeping, last=last)
        os.close(tell)
        with os.fdopen(told, "rb") as answer:
            assert answer.read(1) == b".", "it did not begin"
            if seconds is not None:
                time.sleep(seconds)
                os.kill(pid, signal.SIGKILL)
            text = answer.read()
        end = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if not text:
            assert end == -signal.SIGKILL, (write.name, end)
            return None
        course: Course = pickle.loads(text)
        if last is None and seconds is None:
            place.wait_until_nobody_is_connected()
            course.states.append(difference(self.before, rows(place.url)))
        return course

    def _do(
        self, write: Write, place: Place, tell: int, *, keeping: bool, last: int | None
    ) -> None:
        try:
            app = made(place, self.clock)
            moments = Moments(place.url, last, self.before if keeping else None)
            with office_of(app).reading(SYSTEM) as reading:
                reading.row(select(1))
            moments.watch(office_of(app).engine)
            os.write(tell, b".")
            began = time.monotonic()
            status = write.send(app).status_code
            seconds = time.monotonic() - began - moments.aside
            course = Course(status, moments.states, moments.passed, seconds)
            os.write(tell, pickle.dumps(course))
        except BaseException as error:
            sys.stderr.write(f"{write.name}: {error!r}\n")
            raise
        finally:
            os._exit(0)

    def _look(self, place: Place) -> None:
        """Nothing disagrees: spans, reminders, history, references between rows, files."""
        app = made(place, self.clock)
        container = office_of(app)
        with container.snapshot(SYSTEM) as reading:
            assert not integrity.timelines(reading).wrong
            assert not ledger.identity_violations(reading)
            assert history_checks.verify(reading, container.history_keys).breach is None
            store = evidence.store(container.settings)
            for row in reading.rows(select(Evidence.key)):
                assert (store.folder / row.key).is_file()
        if place.server is None:
            with _connected(place.url) as connection:
                assert not connection.execute(text("pragma foreign_key_check")).all()
                assert connection.execute(text("pragma integrity_check")).scalar_one() == "ok"
        container.engine.dispose()


def _facts(found: Difference) -> Difference:
    """A difference without what is counted."""
    return Counter({line: count for line, count in found.items() if line[0] != COUNTED})


def _check_facts_come_at_once(write: Write, course: Course) -> None:
    """All that a write says about people is stored by one commit, with its line of history."""
    steps = [
        after - before
        for before, after in zip(course.states, course.states[1:], strict=False)
        if after != before
    ]
    telling = [step for step in steps if {row[0] for row in step} - ASIDE]
    assert len(telling) <= 1, (write.name, telling)
    assert any(course.states), (write.name, "changes nothing")


def made(place: Place, clock: Frozen) -> Flask:
    """The application at a place."""
    app = make_app(place.url, place.storage, clock)
    app.testing = True
    writes.ruled(app)
    return app


def main(folder: str, name: str, server: str, rounds: str, seed: str) -> None:
    """Kill so many writes, each kind in turn, and print how they ended."""
    once: Callable[..., Any] = functools.cache
    scheme_files.load, reasons.load = once(scheme_files.load), once(reasons.load)
    base, clock, dice = Place(Path(folder), name, server or None), Frozen(), random.Random(seed)
    base.storage.mkdir(exist_ok=True)
    app = made(base, clock)
    kinds = writes.of_everybody(app)
    office_of(app).engine.dispose()
    driver = Driver(base, clock, rows(base.url))
    dice.shuffle(kinds)
    for number in range(int(rounds)):
        driver.round(kinds[number % len(kinds)], dice)
    driver.counts["kinds"] = len(driver.courses)
    driver.counts["kinds there are"] = len(kinds)
    driver.counts["moments"] = sum(course.moments for course in driver.courses.values())
    sys.stdout.write(json.dumps(driver.counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
