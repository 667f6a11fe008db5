"""Where measurements work: one throwaway database, its container, two servers, a loader.

Everything is made when it is first asked for, so that ``--only`` costs what it needs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from flask import Flask
from sqlalchemy import Engine, create_engine, make_url, text

from tests.benchmarks import people, scratch, servers
from tests.benchmarks.people import NOW, Person
from tests.benchmarks.servers import Loader
from tracker import migrations, row_security, settings
from tracker.app import create_app
from tracker.domain.permissions import SYSTEM
from tracker.services.core import tokens
from tracker.services.core.context import Container

ROUND = 0.2  # seconds of each measuring of one side
_PEOPLE = 5_000  # so many that the database uses its indexes, as it will in earnest
_ASKED_ABOUT = 500  # of them, in turns


@dataclass(eq=False)
class Workshop:
    """What a measurement is given."""

    url: str
    home: Path
    seconds: float
    scale: float
    role: str | None = None
    _open: ExitStack = field(default_factory=ExitStack)

    @property
    def rounds(self) -> int:
        """How often each side of a pair is measured."""
        return max(1, round(self.seconds / ROUND))

    def sized(self, count: int) -> int:
        """A number of rows, fewer where the run is short."""
        return max(20, int(count * self.scale))

    @cached_property
    def variables(self) -> dict[str, str]:
        """The settings of every process, as TRACKER_ variables."""
        return {
            "TRACKER_ENV": "testing",
            "TRACKER_DATABASE_URL": self._url_of_program,
            "TRACKER_NOW": NOW,
            "TRACKER_STORAGE_DIRECTORY": str(self.home / "storage"),
            "TRACKER_DATABASE_POOL_SIZE": str(servers.THREADS),
            "TRACKER_LIMITS_CLAIMS": "1000000",
            "TRACKER_LIMITS_DRAFTS": "1000000",
        }

    @cached_property
    def _url_of_program(self) -> str:
        """The database as the program connects: as the owner, or as a role with policies."""
        if self.role is None:
            return self.url
        engine = self._owner
        migrations.upgrade(engine)
        with engine.begin() as connection:
            row_security.grant(connection, self.role)
        return make_url(self.url).set(username=self.role).render_as_string(hide_password=False)

    @cached_property
    def _owner(self) -> Engine:
        engine = create_engine(self.url)
        self._open.callback(engine.dispose)
        return engine

    @cached_property
    def app(self) -> Flask:
        """The application in this process, on the migrated database."""
        made = create_app(settings.load(variables=self.variables))
        container: Container = made.extensions["tracker"]
        self._open.callback(container.engine.dispose)
        migrations.upgrade(container.engine)
        return made

    @cached_property
    def container(self) -> Container:
        """The container of the application in this process."""
        container: Container = self.app.extensions["tracker"]
        return container

    @cached_property
    def people(self) -> list[Person]:
        """Certified people with five passes and ten activities each."""
        with self.container.work(SYSTEM) as work:
            made = people.certify(work, self.sized(_PEOPLE), prefix="A", activities=10)
        self.analyze()
        return made[:_ASKED_ABOUT]

    @cached_property
    def loggers(self) -> list[Person]:
        """Certified people who log activities all the time, so that no one reads theirs."""
        with self.container.work(SYSTEM) as work:
            return people.certify(work, self.sized(_ASKED_ABOUT), prefix="L")

    def analyze(self) -> None:
        """Tell the database's planner what there is now."""
        if self.role is not None:
            with self._owner.begin() as connection:
                connection.execute(text("analyze"))
            return
        with self.container.work(SYSTEM) as work:
            people.analyze(work)

    @cached_property
    def headers(self) -> dict[str, str]:
        """What signs requests in as staff."""
        with self.container.work(SYSTEM) as work:
            return {"Authorization": f"Bearer {tokens.create(work, name='b', role='staff')[1]}"}

    @cached_property
    def ours(self) -> int:
        """The port of the application."""
        return self._serve(servers.OURS)

    @cached_property
    def bare(self) -> int:
        """The port of bare Flask."""
        return self._serve(servers.BARE, TRACKER_DATABASE_URL=self.url)  # it says no viewer

    def _serve(self, target: str, **more: str) -> int:
        migrations.upgrade(self.container.engine)
        return self._open.enter_context(servers.serving(target, self.variables | more))

    @cached_property
    def loader(self) -> Loader:
        """The process that sends requests."""
        return self._open.enter_context(servers.loading())

    def close(self) -> None:
        """End what was started."""
        self._open.close()


@contextmanager
def workshop(
    server: str | None, *, seconds: float, scale: float, role: str | None = None
) -> Iterator[Workshop]:
    """Open a workshop on a throwaway database."""
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as directory:
        home = Path(directory)
        with scratch.database(server, home) as url:
            opened = Workshop(url, home, seconds, scale, role)
            try:
                yield opened
            finally:
                opened.close()
