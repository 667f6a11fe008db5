"""A real PgBouncer in transaction mode before the tests' PostgreSQL, where one is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from tests.postgres import PATIENCE, servant

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
"""Debian's package puts it where users do not look."""

_PORT = 6432
_CONFIGURATION = """
[databases]
* = host={server} user=postgres
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {home}
auth_type = any
pool_mode = transaction
default_pool_size = 3
min_pool_size = 0
server_idle_timeout = 1
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
"""


@contextmanager
def start(server: str) -> Iterator[Callable[[str], str]]:
    """Run it; gives what turns a database's URL into one through it.

    Few connections to the server for many clients: each meets others of them all the time.
    """
    assert PROGRAM is not None, "pgbouncer is not installed (Debian: apt-get install pgbouncer)"
    home = Path(tempfile.mkdtemp(prefix="tracker-pgbouncer-", dir="/tmp"))
    who = servant(home)
    given = {"server": make_url(server).query["host"], "port": _PORT, "home": home}
    (home / "pgbouncer.ini").write_text(_CONFIGURATION.format(**given), "utf-8")
    (home / "pgbouncer.ini").chmod(0o644)
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(
            [PROGRAM, "pgbouncer.ini"], cwd=home, stdout=log, stderr=log, **who
        ) as running,
    ):
        try:
            deadline = time.monotonic() + PATIENCE
            while not (home / f".s.PGSQL.{_PORT}").exists():
                assert time.monotonic() < deadline, (home / "log").read_text("utf-8")
                time.sleep(0.02)
            yield lambda url: _through(url, home)
        finally:
            running.terminate()
    shutil.rmtree(home)


def _through(url: str, home: Path) -> str:
    parts = make_url(url).set(query={"host": str(home), "port": str(_PORT)})
    return parts.render_as_string(hide_password=False)
