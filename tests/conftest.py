"""Real databases for every test: SQLite files and a real PostgreSQL, with the same migrations."""

from __future__ import annotations

import copy
import dataclasses
import fcntl
import functools
import gc
import operator
import os
import shutil
import signal
import sys
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, event
from sqlalchemy.util import LRUCache

import tracker
from tests import chromium, pgbouncer, postgres
from tracker import migrations, row_security, scheme_files, settings
from tracker.api.overview import operations
from tracker.app import create_app, create_container
from tracker.db import flask_config, new_id, prepare
from tracker.domain.permissions import SYSTEM
from tracker.models import Runtime
from tracker.scheme_files import credentials, pathways, reasons
from tracker.services.core.context import Container, ReadContext, UnitOfWork
from tracker.services.delivery import send_safety
from tracker.settings import Settings, Storage

T = TypeVar("T")

hypothesis.settings.register_profile("ci", max_examples=25, deadline=None)
hypothesis.settings.register_profile("few", max_examples=5, deadline=None)
hypothesis.settings.register_profile("long", max_examples=10_000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def examples(short: int) -> hypothesis.settings:
    """So many examples of a costly property in the short run; in a long one as of the others."""
    usual = hypothesis.settings()
    is_short = usual.max_examples == hypothesis.settings.get_profile("ci").max_examples
    return hypothesis.settings(usual, max_examples=short if is_short else usual.max_examples)


# Programs that tests start take two seconds longer where Python may not keep what it compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell makes what it runs in the background deaf to Ctrl-C, and programs that tests start
# would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

BACKENDS = ("sqlite", "postgresql")
START = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)  # noon in New York


@dataclass
class Frozen:
    """A clock that stands still until a test moves it."""

    now: datetime = field(default=START)

    def __call__(self) -> datetime:
        return self.now

    def set(self, text: str) -> None:
        """Set the clock to an ISO date (noon in New York) or instant."""
        moment = datetime.fromisoformat(text)
        self.now = moment if moment.tzinfo else moment.replace(hour=17, tzinfo=UTC)

    def advance(self, **delta: float) -> None:
        """Move the clock forward by a timedelta's arguments."""
        self.now += timedelta(**delta)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A running PostgreSQL, one for each worker; yields its base URL."""
    with postgres.start() as url:
        yield url


@pytest.fixture(scope="session")
def templates(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[[str], str]:
    """Give a migrated database of a backend, made once, to copy from: a path or a name."""
    made: dict[str, str] = {}

    def template(backend: str) -> str:
        if backend not in made:
            folder = tmp_path_factory.mktemp(f"template-{backend}")
            if backend == "sqlite":
                made[backend] = _sqlite_template(folder, _shared(tmp_path_factory))
                return made[backend]
            url = postgres.create_database(
                request.getfixturevalue("postgres_server"), "template_migrated"
            )
            container = make_container(url, folder, Frozen())
            migrations.upgrade(container.engine)
            with container.engine.begin() as connection:
                postgres.make_role(connection)
            container.engine.dispose()
            made[backend] = "template_migrated"
        return made[backend]

    return template


def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run, the same in every worker."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def _sqlite_template(folder: Path, shared: Path) -> str:
    """The path of a migrated file, which one worker makes while the others wait for it."""
    made = shared / "template.sqlite3"
    with (shared / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            container = make_container(f"sqlite:///{folder}/new.sqlite3", folder, Frozen())
            migrations.upgrade(container.engine)
            container.engine.dispose()
            (folder / "new.sqlite3").rename(made)
    return str(made)


def pytest_addoption(parser: pytest.Parser) -> None:
    """How what runs on PostgreSQL connects.

    ``--pooler``: through a real PgBouncer (tests/pooler). ``--walled``: as a role whom the policies
    of the tables restrict. ``--rewrite-table``: the tables of access are written anew, for somebody
    to read what became different (tests/api/access).
    """
    parser.addoption("--pooler", action="store_true", help="PostgreSQL through PgBouncer")
    parser.addoption("--walled", action="store_true", help="PostgreSQL by a role with policies")
    parser.addoption("--rewrite-table", action="store_true", help="Write tables of access anew")


def pytest_xdist_auto_num_workers() -> int | None:
    """Half as many workers again as processors: tests wait a third of their time for others.

    None if the environment says how many.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return (os.cpu_count() or 1) * 3 // 2


def pytest_report_header() -> list[str]:
    """Say what is left out for lack of a program."""
    if chromium.PROGRAM:
        return []
    return ["tests/browser is left out: no Chromium is found here (TRACKER_BROWSER may name one)"]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among what stays to the end: ten thousand tests and what they import.

    It takes a third of the time of collecting, in every worker.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GARBAGE)
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let one worker compile a file of tests, while the others wait for what it writes.

    They collect the same files at the same time, and in a new checkout none of them is compiled.
    """
    if not isinstance(collector, pytest.Module) or "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)
    of_workers = Path(collector.config.getoption("basetemp")).parent
    with (of_workers / "compiling.lock").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX, 1, zlib.crc32(str(collector.path).encode()))
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long and mostly waits, so that no worker is left alone with it."""
    items.sort(key=lambda item: item.path.parent.name not in _LONG)


_LONG = frozenset({"access", "benchmarks", "browser", "faults", "front"})
"""Folders of such tests."""


_GARBAGE = 20_000
"""New objects after which the tests look for garbage: at 700 that takes a twelfth of their time."""


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """In workers let only that measure which the tests pause.

    Coverage would start by itself in every program, and pytest-cov starts as if the worker had
    workers of its own, since ``--dist`` is set in pyproject.toml.
    """
    measuring = _measuring(session.config)
    if measuring is None:
        return
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
    if hasattr(session.config, "workerinput"):
        measuring.cov.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure what the test calls, not what its fixtures prepare: other tests call that.

    To measure takes half as long again, and three times as long in a short program.
    """
    measuring = _measuring(item.config)
    if measuring is None:
        return (yield)
    with pytest.MonkeyPatch.context() as patch:
        if _is_second(item) or not _is_of_programs(item):
            patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        measuring.pause()
        try:
            return (yield)
        finally:
            measuring.resume()


def _is_of_programs(item: pytest.Item) -> bool:
    """Whether programs that the test starts are measured, too.

    What reads an imported file and evidence is tested in the tests of tables and files, what a
    command does in those of commands; a request or a service that comes to it says no more.
    """
    return _area(item) not in {*_UNMEASURED, "api", "faults", "services", "web"}


_UNMEASURED = frozenset({"benchmarks", "meta"})


def _area(item: pytest.Item) -> str:
    """The first folder below ``tests`` of the test's path, or the name of its file."""
    return item.path.relative_to(Path(__file__).parent).parts[0]


def _is_random(item: pytest.Item) -> bool:
    """Whether Hypothesis gives the test its values."""
    return bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Measure on SQLite alone what a test of both databases covers.

    A test of PostgreSQL alone is measured. Random examples are not: they are many, and each run has
    others. Nor are tests of this repository and the bench, which judge no code of ours.
    """
    measuring = _measuring(item.config)
    if measuring is None or _is_second(item) or _is_random(item) or _area(item) in _UNMEASURED:
        return (yield)
    measuring.resume()
    try:
        return (yield)
    finally:
        measuring.pause()


def _measuring(config: pytest.Config) -> Any:
    """What starts and stops measuring in this process, if anything is measured."""
    plugin = config.pluginmanager.getplugin("_cov")
    return None if plugin is None else plugin.cov_controller


def _is_second(item: pytest.Item) -> bool:
    """Whether this is the second run of a test on both databases."""
    given = item.callspec.params if hasattr(item, "callspec") else {}
    own = {name for mark in item.iter_markers("parametrize") for name in mark.args[:1]}
    return given.get("backend") == "postgresql" and "backend" not in own


@pytest.fixture(scope="session")
def pooled(postgres_server: str) -> Iterator[Callable[[str], str]]:
    """A running PgBouncer in transaction mode; turns a database's URL into one through it."""
    with pgbouncer.start(postgres_server) as through:
        yield through


def make_app(
    url: str, storage: Path, clock: Callable[[], datetime] | None, **variables: str
) -> Flask:
    """An application on a database URL, its files in ``storage``.

    Its routes are those of one application, since making them takes longer than most tests. All
    that belongs to one installation is in ``config`` and ``extensions``.
    """
    given = _settings(url, storage, **variables)
    container = create_container(given, read_clock=clock)
    if not _WITH_ROUTES:
        first = create_app(given)
        first.jinja_env.auto_reload = False  # made here, its copies share it with its templates
        _WITH_ROUTES.append(first)
    made = copy.copy(_WITH_ROUTES[0])
    made.config = copy.copy(made.config)
    made.config.update(flask_config(given))
    made.extensions = made.extensions | {"tracker": container}
    operations.count(made, container)
    return made


_WITH_ROUTES: list[Flask] = []


def make_container(
    url: str, storage: Path, clock: Callable[[], datetime] | None, **variables: str
) -> Container:
    """A container on a database URL without the HTTP interface, its files in ``storage``."""
    return create_container(_settings(url, storage, **variables), read_clock=clock)


def _settings(url: str, storage: Path, **variables: str) -> Settings:
    if not variables and "TRACKER_DATABASE_POOLER" not in os.environ:
        read = _read_once()
        database = dataclasses.replace(read.database, url=url)
        return dataclasses.replace(read, database=database, storage=Storage(str(storage)))
    given = {"TRACKER_DATABASE_URL": url, "TRACKER_STORAGE_DIRECTORY": str(storage), **variables}
    if pooler := os.environ.get("TRACKER_DATABASE_POOLER"):
        given["TRACKER_DATABASE_POOLER"] = pooler
    return settings.load("testing", given)


@functools.cache
def _read_once() -> Settings:
    """The settings of tests, for a database and a directory that are given in each."""
    return settings.load("testing", {})


@pytest.fixture(scope="session", autouse=True)
def _make_installations_quickly() -> Iterator[None]:
    """Spare every application, container and command of this process what the last one has done."""
    shipped = settings.ROOT / "config"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scheme_files, "load", _once(scheme_files.load, shipped / "schemes"))
        patch.setattr(reasons, "load", _once(reasons.load, shipped / "reasons.toml"))
        patch.setattr(credentials, "load", _once(credentials.load, shipped / "credentials.toml"))
        patch.setattr(pathways, "load", _once_beside(pathways.load, shipped / "pathways"))
        patch.setattr("tracker.app.prepare", _prepare)
        yield


def _prepare(engine: Engine) -> Engine:
    """Prepare an engine that waits for no disk and knows what SQLAlchemy compiled for others.

    What was compiled is kept with the dialect, so that must be one and the same: that of the first
    engine that has been connected, as only then a dialect knows its server. The engine's own
    dialect need not ask for it then, which takes longer than to connect.
    """
    name = engine.dialect.name
    if name == "postgresql":
        postgres.keep_closed(engine)
    if isinstance(engine._compiled_cache, LRUCache):
        engine._compiled_cache.capacity = _STATEMENTS
    if name in _CONNECTED:
        vars(engine.dialect)["initialize"] = _ask_nothing
        engine.dialect = engine.pool._dialect = _CONNECTED[name].dialect
        engine._compiled_cache = _CONNECTED[name]._compiled_cache
    event.listen(engine, "connect", lambda *_: _CONNECTED.setdefault(name, engine))
    if name == "sqlite":
        event.listen(engine, "connect", lambda new, _: new.execute("PRAGMA synchronous=OFF"))
    event.listen(engine, "engine_connect", _show_to_tests)
    return prepare(engine)


def _show_to_tests(connection: Connection) -> None:
    """Where policies restrict the role, a test that looks into the tables itself sees every row.

    What the program opens sees what the program says.
    """
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        path = frame.f_code.co_filename
        if path.startswith(_PROGRAM):
            return
        if path.startswith(_TESTS) and path != __file__:
            row_security.look_as(connection, row_security.EVERYTHING)
            return


_CONNECTED: dict[str, Engine] = {}
_STATEMENTS = 3_000
"""More than all tests send to a database; an installation sends its own, fewer than 500."""
_TESTS, _PROGRAM = f"{Path(__file__).parent}/", f"{Path(tracker.__file__).parent}/"


def _ask_nothing(_: Connection) -> None:
    """Instead of asking a server of a version and with settings that are known."""


def _once(load: Callable[[Path], T], shipped: Path) -> Callable[[Path], T]:
    kept = functools.cache(load)
    return lambda path: kept(path) if path == shipped else load(path)


def _once_beside(load: Callable[..., T], shipped: Path) -> Callable[..., T]:
    """As ``_once``, of what is read beside values that are themselves read once."""
    kept: list[tuple[tuple[object, ...], T]] = []

    def once(path: Path, *beside: object) -> T:
        if path != shipped:
            return load(path, *beside)
        if not kept or not all(map(operator.is_, kept[0][0], beside)):
            kept[:] = [(beside, load(path, *beside))]
        return kept[0][1]

    return once


def allow_sending(container: Container) -> None:
    """As long after the first messages of an installation: what is due leaves.

    As `send_safety.allow` does it, by one statement: half of all tests begin with this.
    """
    with container.statement(SYSTEM) as work:
        allowed = {"armed": True, "armed_at": work.now, "place": send_safety.place(work)}
        row = {"id": 1, "database_id": new_id(), **allowed}
        new = work.upsert(Runtime).values(row)
        work.execute(new.on_conflict_do_update(index_elements=["id"], set_=allowed))


def office_of(app: Flask) -> Container:
    """The application's container."""
    container: Container = app.extensions["tracker"]
    return container


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Run the test on SQLite and on PostgreSQL."""
    return str(request.param)


@pytest.fixture
def database_url(
    backend: str,
    templates: Callable[[str], str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """An empty migrated database of the backend, this test's own."""
    if backend == "sqlite":
        file = shutil.copyfile(templates(backend), tmp_path / "tracker.sqlite3")
        file.chmod(0o600)  # as a command would have made it
        yield f"sqlite:///{file}"
        return
    databases: postgres.Databases = request.getfixturevalue("postgres_databases")
    with databases.lent() as url:
        if request.config.getoption("--pooler"):
            monkeypatch.setenv("TRACKER_DATABASE_POOLER", "transaction")
            yield request.getfixturevalue("pooled")(url)
        elif request.config.getoption("--walled") and not _is_of_owner(request.node):
            yield postgres.walled(url)
        else:
            yield url


def _is_of_owner(item: pytest.Item) -> bool:
    """Whether the test does what only the owner of the tables may."""
    return item.get_closest_marker("owner") is not None


@pytest.fixture(scope="session")
def postgres_databases(
    postgres_server: str, templates: Callable[[str], str]
) -> Iterator[postgres.Databases]:
    """Copies of the migrated PostgreSQL database, to lend."""
    with closing(postgres.Databases(postgres_server, templates("postgresql"))) as databases:
        yield databases


@pytest.fixture
def clock() -> Frozen:
    """The test's clock, at noon of 21 November 2026 in New York."""
    return Frozen()


@pytest.fixture
def app(database_url: str, tmp_path: Path, clock: Frozen) -> Iterator[Flask]:
    """The application on the test's own database and clock."""
    made = make_app(database_url, tmp_path / "storage", clock)
    made.testing = True
    allow_sending(office_of(made))
    yield made
    office_of(made).engine.dispose()


@pytest.fixture
def container(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path, clock: Frozen
) -> Iterator[Container]:
    """The application's container, to call services; with the HTTP API if the test needs it."""
    if "app" in request.fixturenames:
        yield office_of(request.getfixturevalue("app"))
        return
    made = make_container(database_url, tmp_path / "storage", clock)
    allow_sending(made)
    yield made
    made.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """An HTTP client without credentials."""
    return app.test_client()


@pytest.fixture
def work(container: Container) -> Iterator[UnitOfWork]:
    """One unit of work as the system; committed when the test ends."""
    with container.work(SYSTEM) as opened:
        yield opened


@pytest.fixture
def reading(container: Container) -> Iterator[ReadContext]:
    """A reading as the system."""
    with container.reading(SYSTEM) as opened:
        yield opened
