"""tracker.db: how PostgreSQL is connected to, so that a host without power is not waited for."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import threading
import time
from contextlib import closing

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import create_engine, literal, select, text
from sqlalchemy.exc import NoSuchColumnError, OperationalError

from tracker import settings
from tracker.db import flask_config, prepare
from tracker.domain.permissions import SYSTEM
from tracker.settings import SettingsRefusedError


def engine(url, **variables):
    given = settings.load("testing", {"TRACKER_DATABASE_URL": url, **variables})
    configured = flask_config(given)
    options = configured["SQLALCHEMY_ENGINE_OPTIONS"]
    return create_engine(configured["SQLALCHEMY_DATABASE_URI"], **options), options


def test_a_lost_host_is_noticed_within_seconds():
    _, options = engine("postgresql://tracker@db/tracker")

    chosen = options["connect_args"]
    idle = chosen["keepalives_idle"] + chosen["keepalives_interval"] * chosen["keepalives_count"]
    assert chosen["keepalives"] == 1
    assert chosen["connect_timeout"] <= 10
    assert idle <= 20
    assert chosen["tcp_user_timeout"] <= 20_000  # milliseconds


def test_what_the_url_says_goes_before():
    _, options = engine("postgresql://tracker@db/tracker?connect_timeout=33&keepalives_idle=7")

    assert not {"connect_timeout", "keepalives_idle"} & options["connect_args"].keys()


def test_a_server_that_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        made, _ = engine(f"postgresql://tracker@127.0.0.1:{port}/tracker?connect_timeout=2")
        begun = time.monotonic()
        with pytest.raises(OperationalError):
            made.connect()
        assert time.monotonic() - begun < 10


def test_statements_are_kept_in_no_session_behind_a_pooler_by_transaction():
    _, behind = engine("postgresql://t@db/t", TRACKER_DATABASE_POOLER="transaction")
    _, direct = engine("postgresql://t@db/t")

    assert behind["connect_args"]["prepare_threshold"] is None
    assert "prepare_threshold" not in direct["connect_args"]


def test_another_way_of_pooling_refuses_the_start():
    with pytest.raises(SettingsRefusedError, match=r"database\.pooler = 'statement'"):
        settings.load("default", {"TRACKER_DATABASE_POOLER": "statement"})


def test_a_new_file_is_opened_while_somebody_else_writes_its_first_tables(tmp_path):
    """SQLite does not wait by itself where a file gets its write-ahead log."""
    file = tmp_path / "new.sqlite3"
    first = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    first.execute("create table one (id)")
    first.execute("begin immediate")
    done = threading.Timer(0.3, lambda: first.execute("commit"))
    done.start()
    with prepare(create_engine(f"sqlite:///{file}")).connect() as connection:
        mode = connection.exec_driver_sql("pragma journal_mode").scalar_one()
    done.join()
    first.close()

    assert mode == "wal"


def test_a_file_that_stays_locked_is_given_up(tmp_path):
    file = tmp_path / "new.sqlite3"
    with closing(sqlite3.connect(file, isolation_level=None)) as first:
        first.execute("create table one (id)")
        first.execute("begin immediate")
        waiting = create_engine(f"sqlite:///{file}", connect_args={"timeout": 0.2})
        with pytest.raises(OperationalError, match="locked"):
            prepare(waiting).connect()


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.parametrize("failing", [False, True])
def test_a_connection_that_was_read_through_begins_transactions_again(container, failing):
    with contextlib.suppress(ZeroDivisionError), container.reading(SYSTEM) as reading:
        driver = reading.connection.connection.driver_connection
        assert driver.autocommit
        reading.row(select(1))
        assert driver.info.transaction_status == TransactionStatus.IDLE
        _ = 1 / (not failing)

    with container.work(SYSTEM) as work:
        assert work.connection.connection.driver_connection is driver
        assert not driver.autocommit
        work.row(select(1))
        assert driver.info.transaction_status == TransactionStatus.INTRANS


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "written", ['["read", {"a": null, "b": 1.50}]', '{"half a character": "\\ud800"}']
)
def test_json_is_read_as_the_standard_library_reads_it(container, written):
    with container.reading(SYSTEM) as reading:
        found = reading.row(text("select cast(:written as json)"), {"written": written})[0]

    assert found == json.loads(written)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_cursor_describes_its_columns_as_psycopg_does(container):
    with container.reading(SYSTEM) as reading:
        driver = reading.connection.connection.driver_connection
        cursor = driver.execute("select 1 as one, 'x'::varchar(3) as two")
        plain = psycopg.Cursor(driver).execute("select 1 as one, 'x'::varchar(3) as two")
        assert list(map(repr, cursor.description or ())) == list(map(repr, plain.description or ()))
        assert [column.name for column in cursor.description or ()] == ["one", "two"]
        assert driver.execute("set timezone to 'UTC'").description is None


def test_a_statement_that_is_made_anew_gives_rows_by_names_and_places_alone(container):
    """A map of its columns would be made each time, and nobody reads rows by columns."""
    with container.reading(SYSTEM) as reading:
        for _ in range(2):
            row = reading.row(select(literal(7).label("one"), literal(8).label("other")))
            assert (row.one, row[1]) == (7, 8)
        statement = select(literal(7).label("one"), literal(8).label("other"))
        with pytest.raises(NoSuchColumnError):
            reading.row(statement)._mapping[statement.selected_columns.one]
