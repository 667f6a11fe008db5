"""Through PgBouncer in transaction mode: nothing that we do needs a session of its own.

The API's tests go through it as a whole with ``pytest --pooler tests/api -k postgresql``.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import factories, postgres
from tests.conftest import Frozen, make_app, make_container, office_of
from tracker import jobs, migrations
from tracker.domain.permissions import SYSTEM
from tracker.services.overview.metrics import gauges

TRANSACTION = {"TRACKER_DATABASE_POOLER": "transaction"}
CLIENTS, ROUNDS = 6, 20


@pytest.fixture
def url(postgres_server, pooled, templates):
    """A migrated database of PostgreSQL, through the pooler."""
    name = f"pooled_{os.urandom(8).hex()}"
    return pooled(postgres.create_database(postgres_server, name, template=templates("postgresql")))


def answered(url, folder, **variables):
    """How often which status was answered to clients that read and write at once."""
    app = make_app(url, folder, Frozen(), **variables)
    container = office_of(app)
    headers = {"Authorization": f"Bearer {factories.secret(container, 'staff')}"}

    def ask(client):
        person = {"given_name": "Ana", "family_name": "Ruiz"}
        counted = Counter[int]()
        for n in range(ROUNDS):
            person["email"] = f"{client}.{n}@a.example"
            made = app.test_client().post("/api/v1/holders", json=person, headers=headers)
            counted[made.status_code] += 1
            for path in ("/api/v1/holders?limit=5", "/api/v1/history?limit=5", "/readyz"):
                counted[app.test_client().get(path, headers=headers).status_code] += 1
        return counted

    with ThreadPoolExecutor(CLIENTS) as threads:
        told = sum(threads.map(ask, range(CLIENTS)), Counter[int]())
    container.engine.dispose()
    return told


def test_many_clients_read_and_write_through_it_at_once(url, tmp_path):
    told = answered(url, tmp_path, **TRANSACTION)

    assert told == {201: CLIENTS * ROUNDS, 200: 3 * CLIENTS * ROUNDS}


def test_without_the_setting_many_fail_so_that_this_is_a_true_pooler(url, tmp_path):
    assert answered(url, tmp_path)[500] > 0


def test_the_jobs_of_the_scheduler_run_through_it(url, tmp_path):
    container = make_container(url, tmp_path, Frozen(), **TRANSACTION)
    for _ in range(6):  # from the sixth time on psycopg would keep a statement in the session
        jobs.beat(container)
        jobs.plan(container)
        jobs.reap(container)
    with container.reading(SYSTEM) as reading:
        assert gauges(reading).heartbeat == reading.now
    container.engine.dispose()


def test_a_database_is_migrated_through_it(postgres_server, pooled, tmp_path):
    url = pooled(postgres.create_database(postgres_server, f"pooled_{os.urandom(8).hex()}"))
    container = make_container(url, tmp_path, Frozen(), **TRANSACTION)

    assert migrations.upgrade(container.engine)
    assert not migrations.upgrade(container.engine)

    container.engine.dispose()
