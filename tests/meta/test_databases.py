"""Databases that are lent to one test after another (tests/postgres.py) are as good as new."""

import os
from contextlib import closing

import psycopg
import pytest
from psycopg import IsolationLevel
from sqlalchemy import make_url, text

from tests import factories, postgres
from tests.conftest import Frozen, make_container
from tracker.db import reading
from tracker.domain.permissions import SYSTEM
from tracker.models import Holder


@pytest.fixture
def databases(postgres_server, templates):
    with closing(postgres.Databases(postgres_server, templates("postgresql"))) as made:
        yield made


def connect(url):
    plain = make_url(url).set(drivername="postgresql")
    return psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True)


def test_a_database_that_is_lent_again_has_neither_rows_nor_numbers_of_the_test_before(
    databases, tmp_path
):
    with databases.lent() as first:
        fill(first, tmp_path)
    with databases.lent() as second, connect(second) as connection:
        assert second == first
        assert not any(postgres_rows(connection).values())
        assert {row[0] for row in connection.execute("SELECT last_value FROM pg_sequences")} <= {
            None,
            1,
        }


def test_a_table_that_grew_is_small_again_when_its_database_is_lent_again(databases, tmp_path):
    """As small as any that the planner takes for a new one."""
    size = "SELECT pg_relation_size('holder')"
    with databases.lent() as first:
        fill(first, tmp_path, people=1500)
        with connect(first) as connection:
            assert connection.execute(size).fetchone() > (postgres._SMALL,)
    with databases.lent() as second, connect(second) as connection:
        assert second == first
        assert connection.execute(size).fetchone() == (0,)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (id int)",
        "CREATE INDEX more ON holder (email)",
        "DROP TABLE runtime",
        "DROP INDEX ix_history_actor",
        "ALTER TABLE holder ADD COLUMN more int",
        "ALTER TABLE holder ALTER COLUMN email SET DEFAULT 'x'",
        "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "UPDATE alembic_version SET version_num = '0000'",
        "ANALYZE alembic_version",
    ],
)
def test_a_database_in_which_more_than_rows_changed_is_not_lent_again(databases, change):
    with databases.lent() as first, connect(first) as connection:
        connection.execute(change)
    with databases.lent() as second:
        assert second != first


def test_a_database_to_which_somebody_is_connected_is_not_lent_again(databases):
    with databases.lent() as first:
        connection = connect(first)
    with databases.lent() as second:
        assert second != first
    connection.close()


def test_a_database_whose_kept_connection_was_ended_is_not_lent_again(databases):
    with databases.lent() as first, connect(first) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with databases.lent() as second:
        assert second != first


def test_a_connection_that_was_closed_has_forgotten_all_when_the_next_engine_gets_it(
    databases, tmp_path
):
    with databases.lent() as url:
        pids = []
        for _ in range(2):
            engine = make_container(url, tmp_path, Frozen()).engine
            with reading(engine) as connection:
                assert connection.exec_driver_sql(KEPT_BY_A_SESSION).all() == []
                for statement in (
                    "set lock_timeout = 7",
                    "set role pg_monitor",
                    "listen more",
                    "select pg_advisory_lock(7)",
                    "create temporary table more as select 1",
                ):
                    connection.exec_driver_sql(statement)
                assert len(connection.exec_driver_sql(KEPT_BY_A_SESSION).all()) == 5
                pids.append(connection.exec_driver_sql("select pg_backend_pid()").scalar())
            engine.dispose()
        with connect(url) as other:
            assert other.execute("select pg_try_advisory_lock(7)").fetchone() == (True,)
        assert pids[0] == pids[1]


KEPT_BY_A_SESSION = """
    select name from pg_settings where name = 'lock_timeout' and setting != '0'
    union all select current_user where current_user != session_user
    union all select pg_listening_channels()
    union all select 'lock' from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()
    union all select relname from pg_class where relpersistence = 't' and relkind = 'r'
"""


def test_a_connection_that_the_server_has_ended_is_not_given_again(databases, tmp_path):
    pids = []
    with databases.lent() as url:
        for _ in range(2):
            pids.append(_connected(url, tmp_path))
            with connect(url) as other:
                other.execute("select pg_terminate_backend(%s, 10000)", [pids[-1]])

    assert pids[0] != pids[1]


def test_none_is_kept_where_a_test_cuts_connections(databases, tmp_path):
    with databases.lent() as url, postgres.keeping_none():
        assert _connected(url, tmp_path) != _connected(url, tmp_path)


def test_one_that_is_kept_forgets_how_it_isolated(databases, tmp_path):
    with databases.lent() as url:
        kept = _connected(url, tmp_path, isolated=True)
        engine = make_container(url, tmp_path, Frozen()).engine
        with engine.connect() as connection:
            assert connection.exec_driver_sql("select pg_backend_pid()").scalar() == kept
            shown = connection.exec_driver_sql("show transaction_isolation").scalar()
        engine.dispose()

    assert shown == "read committed"


def _connected(url, tmp_path, *, isolated=False):
    """Connect and leave again; the number of the server's process. It may leave in a hurry."""
    engine = make_container(url, tmp_path, Frozen()).engine
    with engine.connect() as connection:
        pid = connection.exec_driver_sql("select pg_backend_pid()").scalar()
        connection.rollback()
        if isolated:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.isolation_level = IsolationLevel.REPEATABLE_READ
    engine.dispose()
    return pid


def fill(url, tmp_path, *, people=0):
    container = make_container(url, tmp_path, Frozen())
    with container.work(SYSTEM) as work:
        factories.holder(work)
        for n in range(people):
            values = factories.HolderValues.build() | {"ref": f"R{n}", "folded_name": "x"}
            work.session.add(Holder(**values, recorded_at=work.now))
        work.session.flush()
        assert work.connection.execute(text("SELECT count(*) FROM history")).scalar()
    container.engine.dispose()


def postgres_rows(connection):
    names = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        " AND tablename <> 'alembic_version'"
    ).fetchall()
    return {
        name: connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() for (name,) in names
    }


def test_a_server_starts_whatever_the_umask():
    """Commands make files for their own user alone, and ``tracker bench`` starts one, too."""
    before = os.umask(0o077)
    try:
        with postgres.start() as url, connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        os.umask(before)
