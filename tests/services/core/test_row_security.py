"""The second wall: what PostgreSQL's policies show a restricted role (row_security, row_policies).

Ana and Bea have one record of every kind each, and an employer each. The role is asked in plain
SQL, as if a service had forgotten to say whose rows it wants.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
import pytest
from psycopg import errors, sql
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import OperationalError

from tests import postgres
from tests.api.access import access_cases
from tests.api.employers import employer_cases
from tests.conftest import Frozen, make_container
from tracker import row_security, services
from tracker.db import Base, Instant, new_id
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import (
    Assessment,
    Authenticator,
    Bounce,
    CenterResult,
    Digest,
    EmployerBar,
    EmployerLook,
    EmployerNudge,
    FormerName,
    FormerRenewalDecision,
    Holder,
    IdempotencyKey,
    MergedRow,
    OpenReview,
    PasswordHash,
    Preference,
    ProviderIdentity,
    RecordWriter,
    RecoveryCode,
    Reminder,
    Suppression,
    WorkerSeen,
)
from tracker.models.row_policies import POLICIES
from tracker.services.core import bulk, tokens
from tracker.services.people import accounts

TABLES = Base.metadata.tables
STAFFS = {table for table, policy in POLICIES.items() if policy.reads == POLICIES["bounce"].reads}


@pytest.fixture
def url(postgres_databases):
    with postgres_databases.lent() as lent:
        yield lent


@pytest.fixture
def owner(url, tmp_path):
    made = make_container(url, tmp_path, Frozen())
    yield made
    made.engine.dispose()


@pytest.fixture
def restricted(url, tmp_path):
    made = make_container(postgres.walled(url), tmp_path, Frozen())
    yield made
    made.engine.dispose()


@pytest.fixture
def people(owner):
    """Ana and Bea, by name; every table with a policy has a row of each, or one of the staff's."""
    made = {
        name: access_cases.person(owner, employer_cases.company(owner, name))
        for name in ("Ana", "Bea")
    }
    access_cases.batch(owner)
    with owner.work(SYSTEM) as work:
        for ids in made.values():
            add_the_rest(work, ids)
        bulk.insert(work, Suppression, [row_of(work, Suppression, address="x@x.org", reason="x")])
        bounce = {"digest": "x", "message_id": new_id(), "address": "x@x.org", "kind": "hard"}
        bulk.insert(work, Bounce, [bounce | {"status": "5", "diagnostic": "", "at": work.now}])
    return made


def add_the_rest(work, ids):
    """Rows of the tables in which the other cases leave none."""
    holder_id, employer_id = ids["holder_id"], ids["employer_id"]
    account_id = accounts.claim(work, holder_id, "x@x.org")[0]
    token_id, _ = tokens.create(work, name="x", role="holder", holder_id=holder_id)
    look_id, digest = new_id(), new_id()
    held = {"certification_id": ids["certification_id"], "cycle": 1}
    rows: dict[type[Base], dict[str, object]] = {
        Authenticator: {"account_id": account_id, "seed": "x", "last_counter": 1},
        CenterResult: {
            "holder_id": holder_id,
            "center_id": ids["center_id"],
            "ref": "x",
            "state": "waiting",
        },
        Digest: {"employer_id": employer_id, "through_on": work.now.date()},
        EmployerBar: {"holder_id": holder_id, "employer_id": employer_id},
        EmployerLook: {"id": look_id, "employer_id": employer_id, "kind": "list", "scheme": "cpt"},
        WorkerSeen: {"holder_id": holder_id, "look_id": look_id},
        EmployerNudge: {
            "holder_id": holder_id,
            "employer_id": employer_id,
            "scheme": "cpt",
            "nudged_on": work.now.date(),
            "nudged_by": "x",
        },
        FormerName: {"holder_id": holder_id, "given_name": "x", "family_name": "x"},
        FormerRenewalDecision: {"renewal_id": ids["renewal_id"], "decision": "denied"},
        IdempotencyKey: {"token_id": token_id, "key": "x", "request_digest": "x", "body": b""},
        MergedRow: {"merge_id": ids["merge_id"], "table_name": "holder", "after": {}},
        OpenReview: {
            "subject_id": new_id(),
            "reviewer_id": new_id(),
            "ends_at": work.now + timedelta(minutes=15),
        },
        PasswordHash: {"account_id": account_id, "hash": "x"},
        Preference: {"holder_id": holder_id, "type": "reminders", "wanted": True},
        ProviderIdentity: {"account_id": account_id, "issuer": "x", "subject": account_id},
        RecordWriter: {"subject_id": new_id(), "person_id": new_id()},
        RecoveryCode: {"account_id": account_id, "digest": digest},
        Reminder: {**held, "offset": 1, "audience": "holder", "fate": "superseded"},
    }
    for table, known in rows.items():
        bulk.insert(work, table, [row_of(work, table, **known)])


def row_of(work, table, **known):
    """A row: what is known, and anything that its other columns take."""
    row = dict(known)
    for column in table.__table__.columns:
        if column.name not in row and not column.nullable:
            row[column.name] = filling(work, column)
    return row


def filling(work, column):
    """A value that a column takes."""
    if column.name == "id":
        return new_id()
    if isinstance(column.type, Instant):
        return work.now
    given = {date: work.now.date(), int: 1, bool: False, dict: {}}
    return given.get(column.type.python_type, "x")


@pytest.fixture
def role(url):
    """A connection of the role in plain SQL."""
    plain = make_url(postgres.walled(url)).set(drivername="postgresql")
    with psycopg.connect(plain.render_as_string(hide_password=False)) as connection:
        yield connection


@contextmanager
def looking(connection, viewer):
    """One transaction of a viewer, taken back; without a viewer nothing is said."""
    with connection.transaction(force_rollback=True):
        if viewer is not None:
            connection.execute(viewer.statement, (viewer.argument,))
        yield


def rows_of(container, **starts):
    """The keys of all rows that go back to a holder or an employer, by table: by foreign keys."""
    found: dict[str, set[Any]] = defaultdict(set)
    known = {name: {id_} for name, id_ in starts.items()}
    with container.reading(SYSTEM) as reading:
        for _ in range(4):  # as deep as any row lies
            for table in Base.metadata.sorted_tables:
                for column, target in named(table):
                    some = select(*table.primary_key).where(column.in_(known.get(target, ())))
                    found[table.name] |= {tuple(key) for key in reading.rows(some)}
                if "id" in table.columns and table.name not in starts:
                    known[table.name] = {key[0] for key in found[table.name]}
        for name in STAFFS:
            found[name] |= {tuple(r) for r in reading.rows(select(*TABLES[name].primary_key))}
    return {name: keys for name, keys in found.items() if keys and name in POLICIES}


def named(table):
    """The columns that name a row of another table, or a holder or an employer by its own id."""
    for column in table.columns:
        if column.foreign_keys:
            yield column, next(iter(column.foreign_keys)).column.table.name
        elif column.name in {"holder_id", "employer_id"}:
            yield column, column.name.removesuffix("_id")
        elif column.name == "id" and table.name in {"holder", "employer"}:
            yield column, table.name


def is_one_of(table, keys):
    """The condition that a row has one of these keys."""
    columns = sql.SQL(", ").join(sql.Identifier(c.name) for c in TABLES[table].primary_key)
    values = sql.SQL(", ").join(
        sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, key))) for key in keys
    )
    return sql.SQL("({}) in ({})").format(columns, values)


def count(connection, table, keys):
    """How many of these rows the connection sees."""
    statement = sql.SQL("select count(*) from {} where {}")
    found = connection.execute(statement.format(sql.Identifier(table), is_one_of(table, keys)))
    return found.fetchone()[0]


def seen(connection, viewer, rows):
    """The tables of which the viewer sees any of these rows."""
    with looking(connection, viewer):
        return {table for table, keys in rows.items() if count(connection, table, keys)}


@pytest.mark.usefixtures("people")
def test_without_a_viewer_and_as_nobody_the_role_sees_no_row_of_anybody(role):
    for viewer in (None, row_security.NOBODY, row_security.with_token("unknown")):
        with looking(role, viewer):
            for table in POLICIES:
                statement = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
                assert role.execute(statement).fetchone() == (0,), table


def test_a_holder_neither_sees_nor_changes_nor_deletes_nor_adds_what_is_anothers(
    owner, role, people
):
    """Every table with a policy that has rows of Bea's or of the staff's."""
    ana, bea = people["Ana"], people["Bea"]
    theirs = {kind: bea[f"{kind}_id"] for kind in ("holder", "employer", "center", "provider")}
    rows = {table: keys for table, keys in rows_of(owner, **theirs).items() if table in POLICIES}
    for viewer in (
        row_security.of_holder(ana["holder_id"]),
        *(
            row_security.of_organization(kind, ana[f"{kind}_id"])
            for kind in ("employer", "center", "provider")
        ),
    ):
        assert seen(role, viewer, rows) == set()
        for table, keys in rows.items():
            assert changed(role, viewer, table, keys) == (0, 0), table
            if POLICIES[table].adds != "true":
                with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
                    add_again(owner, role, viewer, table, keys)
    assert rows.keys() == POLICIES.keys()


def changed(connection, viewer, table, keys):
    """How many of these rows an UPDATE and a DELETE find."""
    condition, name = is_one_of(table, keys), sql.Identifier(table)
    column = sql.Identifier(next(iter(TABLES[table].primary_key)).name)
    counts = []
    for statement in ("update {t} set {c} = {c} where {w}", "delete from {t} where {w}"):
        with looking(connection, viewer):
            made = sql.SQL(statement).format(t=name, c=column, w=condition)
            try:
                counts.append(connection.execute(made).rowcount)
            except errors.RestrictViolation:  # the history refuses every change
                counts.append(0)
    return tuple(counts)


def add_again(owner, connection, viewer, table, keys):
    """Insert a row of somebody else's as it is: the policy comes before any other constraint."""
    told = sql.SQL("select to_jsonb(t)::text from {} t where {}")
    with owner.engine.connect() as mine:
        driver = mine.connection.driver_connection
        given = told.format(sql.Identifier(table), is_one_of(table, list(keys)[:1]))
        row = driver.execute(given).fetchone()
    with looking(connection, viewer):
        statement = "insert into {t} select * from jsonb_populate_record(null::{t}, %s::jsonb)"
        connection.execute(sql.SQL(statement).format(t=sql.Identifier(table)), row)


def test_a_holder_sees_what_is_their_own(owner, role, people):
    ana = people["Ana"]
    rows = rows_of(owner, holder=ana["holder_id"])

    hidden = rows.keys() - seen(role, row_security.of_holder(ana["holder_id"]), rows)

    assert hidden == STAFFS & rows.keys()


def test_an_employer_sees_a_holder_as_long_as_the_consent_lasts(owner, role, people):
    ana = people["Ana"]
    rows = rows_of(owner, holder=ana["holder_id"])
    employer = row_security.of_organization("employer", ana["employer_id"])
    shared = {
        *("activity", "activity_decision", "assessment", "certification", "cycle", "holder"),
        *("cycle_adjustment", "former_renewal_decision", "renewal", "standing_change"),
        *("other_credential", "standing_span"),
    }
    own = {
        *("roster_entry", "sharing", "worker_seen"),
        *("employer_nudge", "employment_confirmation", "work_permission"),
    }
    assert seen(role, employer, rows) == shared | own
    for table in shared:
        assert changed(role, employer, table, rows[table]) == (0, 0), table

    with owner.engine.begin() as connection:
        connection.exec_driver_sql(
            "update sharing set ended_at = recorded_at, end_reason = 'withdrawn'"
        )

    assert seen(role, employer, rows) == own


def test_whoever_verifies_sees_the_one_holder_whose_certificate_they_ask_for(owner, role, people):
    ana, bea = people["Ana"], people["Bea"]
    asked = row_security.who_asks_for(ana["public_id"])

    rows = rows_of(owner, holder=ana["holder_id"])
    verified = {"certification", "former_name", "holder", "module_certificate", "standing_span"}
    assert seen(role, asked, rows) == verified
    for table in verified:
        assert changed(role, asked, table, rows[table]) == (0, 0)
    others = rows_of(owner, holder=bea["holder_id"], employer=bea["employer_id"])
    assert seen(role, asked, others) == set()


def test_the_role_can_neither_change_policies_nor_put_the_historys_triggers_off(role):
    for statement in (
        "alter table holder disable row level security",
        "drop policy reads on holder",
        "alter table history disable trigger all",
        "set session_replication_role = replica",
        "update alembic_version set version_num = '0001'",
    ):
        with pytest.raises(errors.InsufficientPrivilege), looking(role, row_security.EVERYTHING):
            role.execute(statement)


def test_a_service_that_forgets_whose_rows_it_wants_gets_those_of_the_actor(restricted, people):
    """Outside of transactions and in one, on the same connection as others before."""
    everybody = {ids["holder_id"] for ids in people.values()}
    for ids in (*people.values(), people["Ana"]):
        actor = Actor(role="holder", name="x", holder_id=ids["holder_id"])
        for opened in (restricted.reading, restricted.work, restricted.snapshot):
            with opened(actor) as context:
                assert seen_by(context) == {ids["holder_id"]}
                with context.seeing_everything():
                    assert seen_by(context) == everybody
                assert seen_by(context) == {ids["holder_id"]}
            with opened(SYSTEM) as context:
                assert seen_by(context) == everybody


def seen_by(context):
    """The holders whom a context sees, but for the second records of the same people."""
    return {row.id for row in context.rows(select(Holder.id).where(Holder.given_name != "Twice"))}


def test_a_dry_run_finds_all_that_is_on_record(restricted, people):
    """Its copy has no policies, so it must be filled by somebody who sees everything."""
    actor = Actor(role="holder", name="x", holder_id=people["Ana"]["holder_id"])
    everybody = {one["holder_id"] for one in people.values()}
    for who in (SYSTEM, actor):
        with restricted.rehearsal(who) as work:
            assert seen_by(work) == everybody


def test_a_savepoint_that_is_undone_takes_no_other_viewer_along(restricted, people):
    actor = Actor(role="holder", name="x", holder_id=people["Ana"]["holder_id"])
    with restricted.work(actor) as work:
        point = bulk.savepoint(work)
        with work.seeing_everything():
            assert len(seen_by(work)) == 2
        assert len(seen_by(work)) == 1
        point.rollback()
        with work.seeing_everything():
            assert len(seen_by(work)) == 2
        assert len(seen_by(work)) == 1


def test_many_rows_go_in_without_copy_with_every_kind_of_value(restricted, people):
    """Lists and objects of JSON, decimals, dates, and nothing."""
    ids = people["Ana"]
    known = {"holder_id": ids["holder_id"], "scheme": "cpt", "module": "safety", "score": None}
    with restricted.work(SYSTEM) as work:
        values = [[], ["x"], ["x", "y"]] * 10
        rows = [
            row_of(work, Assessment, **known, ref=str(n), warnings=some, override_reason=None)
            for n, some in enumerate(values)
        ]
        bulk.insert(work, Assessment, rows)
    with restricted.reading(SYSTEM) as reading:
        told = select(Assessment.warnings, Assessment.score).where(Assessment.ref.is_not(None))
        found = reading.rows(told.order_by(Assessment.id))
    assert [(row.warnings, row.score) for row in found] == [(some, None) for some in values]


def test_the_owner_is_not_restricted_and_sends_nothing(owner, restricted, people):
    actor = Actor(role="holder", name="x", holder_id=people["Ana"]["holder_id"])
    with owner.reading(actor) as reading:
        assert not row_security.is_restricted(reading.connection)
        assert len(seen_by(reading)) == 2
        told = text("select current_setting('tracker.viewer', true)")
        assert reading.row(told)[0] is None
    with restricted.reading(actor) as reading:
        assert row_security.is_restricted(reading.connection)


@pytest.mark.parametrize(
    ("table", "condition"),
    [
        ("certification", "id = {id}"),
        ("standing_span", "certification_id = {id}"),
        ("activity", "holder_id = {id}"),
        ("token", "digest = 'x'"),
        ("holder", "folded_name >= 'a' and folded_name < 'b'"),
        ("holder_word", "word >= 'a' and word < 'b'"),
        ("roster_entry", "employer_id = {id} order by id limit 50"),
    ],
)
def test_frequent_queries_go_by_their_indexes_as_before(role, table, condition):
    """No policy hides a condition from an index; sequential scans are what is left otherwise."""
    condition = condition.format(id=f"'{access_cases.UNKNOWN}'")
    with looking(role, row_security.EVERYTHING):
        role.execute("set local enable_seqscan = off")
        found = role.execute(f"explain select * from {table} where {condition}".encode())
        plan = "\n".join(row[0] for row in found)
    assert f"Seq Scan on {table}" not in plan, plan
    assert "Index Cond" in plan, plan


def test_the_role_makes_nothing_in_the_schema_that_functions_of_the_owner_would_take(
    owner, url, tmp_path
):
    """As in a database that began before PostgreSQL 15, where everybody may."""
    with owner.engine.begin() as connection:
        connection.exec_driver_sql("grant create on schema public to public")
        row_security.grant(connection, postgres.ROLE)
    made = make_container(postgres.walled(url), tmp_path, Frozen())
    allowed = text("select has_schema_privilege('public', 'create')")
    with made.engine.connect() as connection:
        assert connection.execute(allowed).scalar_one() is False
    made.engine.dispose()


def test_the_openings_in_the_wall_are_these():
    """Functions that see more than their actor may; each new one is looked at here."""
    assert openings() == {
        "core.locks.lock",
        "core.locks.lock_one",
        "credentials.apprenticeships._with_apprentices",  # of those that were seen
        "credentials.center_results._candidates",
        "credentials.center_results.enter",
        "credentials.verification.by_numbers",  # shown to whoever knows number and name
        "credentials.funding.attempts",  # of those who consented
        "credentials.funding.report",
        "credentials.managed_cases.get",
        "credentials.managed_cases.page",
        "delivery.bounces.deliverability",
        "employers.confirmations.confirm",
        "employers.confirmations.contest",
        "employers.confirmations.end_contest",
        "employers.confirmations.get",
        "employers.confirmations.latest",
        "employers.confirmations.missing",
        "employers.confirmations.page",
        "employers.confirmations.withdraw",
        "employers.employments.ask",
        "employers.employments.begin",
        "employers.employments.claims_of",
        "employers.employments.finish",
        "employers.employments.tie",
        "employers.naming.meant",
        "employers.work_permissions.end",
        "employers.work_permissions.get",
        "employers.work_permissions.give",
        "employers.work_permissions.page",
        "imports.attendance._write",
        "outbox.notices._tell",
        "outbox.queue.enqueue",
        "outbox.suppressions.rests",
        "outbox.suppressions.since",
        "points.attendance.apply",
        "points.attendance_codes.enter",
        "points.listed_claims.compare",
        "points.listed_claims.file_silences",
    }


def openings():
    """The functions of services that are marked with ``sees_everything``."""
    found = set()
    for module in pkgutil.walk_packages(services.__path__, "tracker.services."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if getattr(value, "__module__", None) == module.name and hasattr(value, "is_opening"):
                found.add(f"{module.name.removeprefix('tracker.services.')}.{name}")
    return found


def test_a_connection_that_is_lost_before_the_first_statement_is_an_error_of_the_database(
    owner, monkeypatch
):
    """Whoever tries again asks for the errors of SQLAlchemy."""
    with owner.engine.connect() as connection:
        monkeypatch.setattr(row_security, "_STATES", WeakKeyDictionary())
        connection.connection.driver_connection.close()
        with pytest.raises(OperationalError) as raised:
            row_security.is_restricted(connection)

    assert raised.value.connection_invalidated
    with owner.reading(SYSTEM) as reading:
        assert reading.row(select(Holder.id)) is None
