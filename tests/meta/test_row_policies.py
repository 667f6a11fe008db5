"""The policies that the migrations lead to are those beside the models (models/row_policies.py)."""

import os

import psycopg
from sqlalchemy import make_url

from tests import postgres
from tracker.models import Base
from tracker.models.row_policies import EVERYBODYS, POLICIES

_FOUND = """
    select tablename, policyname, permissive, roles::text, cmd, qual, with_check from pg_policies
"""
_WITH_POLICIES = "select relname from pg_class where relrowsecurity"


def test_every_table_has_a_policy_or_a_reason_why_it_needs_none():
    assert not POLICIES.keys() & EVERYBODYS.keys()
    assert POLICIES.keys() | EVERYBODYS.keys() == Base.metadata.tables.keys()


def test_the_migrations_lead_to_the_policies_beside_the_models(postgres_server, templates):
    url = postgres.create_database(
        postgres_server, f"policies_{os.urandom(8).hex()}", template=templates("postgresql")
    )
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        migrated = set(connection.execute(_FOUND))
        restricted = {row[0] for row in connection.execute(_WITH_POLICIES)}
        for table, name, *_ in migrated:
            connection.execute(f"drop policy {name} on {table}".encode())
        for table, policy in POLICIES.items():
            for statement in policy.statements(table):
                connection.execute(statement.encode())
        modelled = set(connection.execute(_FOUND))
        connection.rollback()

    assert restricted == POLICIES.keys()
    assert migrated == modelled
