"""Migrations read in order, lead to exactly what the models say, and back."""

import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, insert, inspect, make_url, select, text

from tests import postgres
from tests.conftest import Frozen, make_container
from tracker import migrations
from tracker.domain import numbers
from tracker.domain.permissions import SYSTEM
from tracker.models import Account, Base, ModuleCertificate
from tracker.services.people import holders as holders_service
from tracker.services.people import search_words
from tracker.settings import ROOT

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Databases:
    """New databases of one kind, without rows: without tables, too, or at a revision.

    To migrate takes most of the time of these tests: each revision is reached once, from the one
    before that another test needed, and copied from then on.
    """

    copy: Callable[[str | None], str]
    reached: dict[str, str] = field(default_factory=dict)

    def new(self, revision: str | None = None) -> str:
        """The URL of one more database."""
        if revision is None:
            return self.copy(None)
        if revision not in self.reached:
            before = max((known for known in self.reached if known < revision), default=None)
            url = self.new(before)
            command.upgrade(_config(url), revision)
            self.reached[revision] = url
        return self.copy(self.reached[revision])


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def databases(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("migrations")

    def copy(url):
        name = f"migrations_{uuid.uuid4().hex}"
        if request.param == "sqlite":
            file = folder / f"{name}.sqlite3"
            if url:
                shutil.copyfile(url.removeprefix("sqlite:///"), file)
            return f"sqlite:///{file}"
        server = request.getfixturevalue("postgres_server")
        template = url and make_url(url).database
        return postgres.create_database(server, name, template=template or "template0")

    return Databases(copy)


@pytest.fixture
def new_database(databases):
    """Make one more database of this kind, as often as asked; its URL."""
    return databases.new


def test_the_files_are_numbered_from_0001_without_a_gap():
    names = sorted(path.name for path in Path(_scripts().versions).glob("*.py"))

    assert names, "there are no migrations"
    assert [name[:4] for name in names] == [f"{n:04}" for n in range(1, len(names) + 1)]
    assert [name for name in names if not re.fullmatch(r"\d{4}_[a-z0-9_]+\.py", name)] == []


def test_each_migration_bears_its_number_and_follows_the_one_before():
    history = list(_scripts().walk_revisions())[::-1]
    revisions = [migration.revision for migration in history]

    assert [Path(migration.path).name[:4] for migration in history] == revisions
    assert [migration.down_revision for migration in history] == [None, *revisions[:-1]]


def test_there_is_one_head():
    assert len(_scripts().get_heads()) == 1


def test_they_lead_to_the_models_and_back_to_nothing_and_up_again(new_database):
    url = new_database()
    config = _config(url)

    command.upgrade(config, "head")
    command.check(config)
    command.downgrade(config, "base")
    assert _inspected(url, lambda schema: schema.get_table_names()) == ["alembic_version"]
    command.upgrade(config, "head")
    command.check(config)


def test_their_check_constraints_are_those_of_the_models(new_database):
    """Alembic compares columns, keys and indexes, but no check constraints."""
    migrated, modelled = new_database("head"), new_database()

    _create_all(modelled)

    assert _inspected(migrated, _checks) == _inspected(modelled, _checks)


def test_records_survive_tables_that_are_rebuilt_while_others_refer_to_them(new_database, tmp_path):
    """As operators upgrade: through an engine that has the database check its references."""
    container = make_container(new_database("0006"), tmp_path, Frozen())
    with container.engine.begin() as connection:
        for statement in _CERTIFIED_IN_0006.split(";"):
            connection.execute(text(statement), _IDS)

    assert migrations.upgrade(container.engine)

    with container.engine.connect() as connection:
        told = text("select given_name, folded_name, email from holder")
        holder = connection.execute(told).one()
        silent = connection.execute(text("select address from suppression")).scalars().all()
        cycles = connection.execute(text("select count(*) from cycle")).scalar_one()
        key = connection.execute(text("select number_key from certification")).scalar_one()
        letters = connection.execute(text(_LETTERS)).all()
        imported = connection.execute(text("select imported from cycle")).scalar_one()
        if connection.dialect.name == "sqlite":
            assert connection.execute(text("pragma foreign_keys")).scalar_one() == 1
    container.engine.dispose()
    assert tuple(holder) == ("José", " nunez , jose ;", "A@münchen.example")
    assert sorted(silent) == ["a@münchen.example", "b@xn--a.example", "c@münchen.example"]
    assert cycles == 1
    assert [row[0] for row in letters] == ["h:a:1", "h:b:1", "log"]
    assert [row.message_id[:7] for row in letters] == ["<a@x.ex", "<b@x.ex", "<019000"]
    assert [row.state for row in letters] == ["ready", "sent", "sent"]
    assert (key, bool(imported)) == ("CPT1", False)


def test_timelines_learn_when_windows_close_from_the_policy_that_governs_them(
    new_database, tmp_path, monkeypatch
):
    """Under a policy whose window closes 30 days early, and under one that names no such day."""
    monkeypatch.setenv("TRACKER_APP_SCHEMES", "config/schemes/examples")
    container = make_container(new_database("0009"), tmp_path, Frozen())
    with container.engine.begin() as connection:
        for statement in _CERTIFIED_IN_0009.split(";"):
            connection.execute(text(statement), _IDS)

    assert migrations.upgrade(container.engine)

    with container.engine.connect() as connection:
        told = text("select from_on, window_closes_on from standing_span order by from_on")
        closes = [(str(row.from_on), str(row.window_closes_on)) for row in connection.execute(told)]
    container.engine.dispose()
    assert closes == [
        ("2024-01-01", "2026-11-30"),
        ("2026-11-20", "2029-11-30"),
        ("2028-01-01", "2030-12-31"),
        ("2029-01-01", "None"),
    ]


def test_names_that_were_folded_otherwise_before_are_found_as_they_are_typed_today(
    new_database, tmp_path
):
    """Current and former names, of more people than one batch."""
    container = make_container(new_database("0013"), tmp_path, Frozen())
    kai = "Ka\N{MODIFIER LETTER TURNED COMMA}ohe"
    old = f" {kai.casefold()} , mary ;"
    names = [
        ("Mary", kai, old),
        ("Mary", "Soto", f" soto , mary ;{old}"),
        ("Jo", "Ek", " ek , jo ;"),
    ]
    with container.engine.begin() as connection:
        holders = Base.metadata.tables["holder"]
        rows = [_person(n, *names[min(n % 1500, 2)]) for n in range(3000)]
        connection.execute(insert(holders), rows)
        former = {"id": _numbered(9000), "holder_id": rows[1]["id"], "given_name": "Mary"}
        told = {"family_name": kai, "until_on": NOW.date(), "recorded_at": NOW, "recorded_by": "x"}
        connection.execute(insert(Base.metadata.tables["former_name"]), [former | told])

    assert migrations.upgrade(container.engine)

    with container.reading(SYSTEM) as reading:
        filters = {"q": "ka'ohe"}
        found = holders_service.search(reading, after=None, limit=9, filters=filters)
        assert [row.ref for row in found] == ["P0", "P1", "P1500"]
        text_of = select(holders.c.folded_name).where(holders.c.ref == "P1")
        assert reading.row(text_of)[0] == " soto , mary ; kaohe , mary ; ka ohe , mary ;"
        assert search_words.differing(reading, [row["id"] for row in rows]) == []
    container.engine.dispose()


def test_every_module_passed_before_gets_its_certificate(new_database, tmp_path):
    """By its first pass that was not voided; numbers are unique across more than one batch."""
    container = make_container(new_database("0024"), tmp_path, Frozen())
    holders, attempts = (Base.metadata.tables[name] for name in ("holder", "assessment"))
    many = [_person(n, "Jo", "Ek", " ek , jo ;") for n in range(1100)]
    voided = {"voided_at": NOW, "void_reason": "x"}
    rows = [
        *(_attempt(n, n, "safety", 1) for n in range(1100)),
        _attempt(2001, 0, "safety", 5),
        _attempt(2002, 0, "quality", 1, passed=False),
        _attempt(2003, 0, "green", 1) | voided,
    ]
    with container.engine.begin() as connection:
        connection.execute(insert(holders), many)
        connection.execute(insert(attempts), rows)

    assert migrations.upgrade(container.engine)

    with container.reading(SYSTEM) as reading:
        found = reading.rows(select(ModuleCertificate.module, ModuleCertificate.passed_on))
        number = reading.row(select(ModuleCertificate.number, ModuleCertificate.number_key))
    container.engine.dispose()
    assert {(row.module, row.passed_on) for row in found} == {("safety", date(2025, 1, 1))}
    assert len(found) == 1100
    assert re.fullmatch(r"CPT-M-\w{5}-\w{5}", number.number)
    assert number.number_key == numbers.key(number.number)


def _attempt(number, person, module, day, *, passed=True):
    return {
        "id": _numbered(number),
        "holder_id": _numbered(person),
        "scheme": "cpt",
        "module": module,
        "taken_on": date(2025, 1, day),
        "passed": passed,
        "warnings": [],
        "recorded_at": NOW,
        "recorded_by": "x",
        "voided_at": None,
        "void_reason": None,
    }


@pytest.mark.parametrize(("kind", "before"), [("sign_in", "0014"), ("account", "0015")])
def test_the_release_before_the_accounts_gets_no_message_that_it_cannot_write(
    new_database, tmp_path, kind, before
):
    """Going back: it can neither send nor show messages to sign in, or about accounts."""
    container = make_container(new_database("head"), tmp_path, Frozen())
    messages = Base.metadata.tables["message"]
    sent = (kind, "sent"), ("reminder", "ready")
    with container.engine.begin() as connection:
        for n, (one, state) in enumerate([*sent, (kind, "ready"), (kind, "claimed")]):
            connection.execute(insert(messages).values(_message(n, one, state)))
    with container.engine.connect() as connection:
        _back(connection, before)

    with container.engine.connect() as connection:
        told = select(messages.c.state, messages.c.facts)
        found = connection.execute(told.order_by(messages.c.id)).all()
    container.engine.dispose()
    assert [(row.state, row.facts is None) for row in found] == [
        ("sent", True),
        ("ready", False),
        ("cancelled", True),
        ("cancelled", True),
    ]


def _back(connection, revision):
    with migrations.tables_may_be_rebuilt(connection):
        command.downgrade(migrations.config(connection), revision)
        connection.commit()


def test_names_of_people_leave_the_entries_of_history_and_come_back_with_the_release_before(
    new_database, tmp_path
):
    """Entries are kept, and the name of a person who signed in becomes a value that can go."""
    container = make_container(new_database("0015"), tmp_path, Frozen())
    tables = Base.metadata.tables
    person, account = _person(1, "Mary", "Soto", "x"), {"id": _numbered(2), "role": "holder"}
    entry = {"at": NOW, "action": "a", "subject": "holder", "subject_id": "1", "detail": {}}
    names = ("Mary Soto", "clerk", "Mary Soto")
    with container.engine.begin() as connection:
        connection.execute(insert(tables["holder"]).values(person))
        account |= {"holder_id": person["id"], "recorded_at": NOW}
        connection.execute(insert(tables["account"]).values(account))
        connection.execute(insert(tables["history"]), [{**entry, "actor": n} for n in names])

    migrations.upgrade(container.engine)
    with container.engine.connect() as connection:
        actors = connection.execute(text("select actor from history order by id")).scalars().all()
        told = "select history_id, field, subject_id, before, after from history_value order by 1"
        values = [tuple(row) for row in connection.execute(text(told))]
    with container.engine.connect() as connection:
        _back(connection, "0015")
        back = connection.execute(text("select actor from history order by id")).scalars().all()
    container.engine.dispose()
    assert actors == ["holder", "clerk", "holder"]
    assert values == [(n, "actor", person["id"], None, "Mary Soto") for n in (1, 3)]
    assert tuple(back) == names


def test_accounts_of_employers_keep_what_they_could_do_and_go_back_without_it(
    new_database, tmp_path
):
    """Going back, nobody who may only look, or waits for a second factor, gets in as before."""
    container = make_container(new_database("0015"), tmp_path, Frozen())
    with container.engine.begin() as connection:
        for statement in _ACCOUNT_IN_0015.split(";"):
            connection.execute(text(statement), _IDS)

    assert migrations.upgrade(container.engine)

    with container.engine.begin() as connection:
        accounts = connection.execute(text("select email_key, access from account")).all()
        purposes = connection.execute(text("select purpose from sign_in")).scalars().all()
        connection.execute(text("update account set access = 'view'"))
        connection.execute(text("update sign_in set purpose = 'factor'"))
    with container.engine.connect() as connection:
        _back(connection, "0015")
        attempts = connection.execute(text("select count(*) from sign_in")).scalar_one()
        ended = connection.execute(text("select ended_at from login_session")).scalar_one()
    container.engine.dispose()
    assert [tuple(row) for row in accounts] == [("hal@x.example", "manage")]
    assert (purposes, attempts, ended is None) == (["code"], 0, False)


def test_own_records_are_found_and_reviewers_do_not_come_back_with_the_release_before(
    new_database, tmp_path
):
    container = make_container(new_database("0018"), tmp_path, Frozen())
    holders, accounts = Base.metadata.tables["holder"], text(_STAFF_IN_0018)
    with container.engine.begin() as connection:
        person = _person(1, "Mary", "Soto", " soto , mary ;")
        connection.execute(holders.insert(), [person | {"email": "Sam@x.example"}])
        connection.execute(accounts, _IDS)

    assert migrations.upgrade(container.engine)

    with container.engine.begin() as connection:
        own = connection.execute(select(Account.own_record_id)).scalar_one()
        connection.execute(text("update account set role = 'reviewer'"))
    with container.engine.connect() as connection:
        _back(connection, "0018")
        told = text("select role, deactivated_at from account")
        role, ended = connection.execute(told).one()
    container.engine.dispose()
    assert own == person["id"]
    assert (role, ended is None) == ("staff", False)


_STAFF_IN_0018 = """
insert into account (id, role, email, email_key, name, recorded_at)
values (:c, 'staff', 'sam@x.example', 'sam@x.example', 'Sam', '2026-01-01 00:00:00')
"""
_ACCOUNT_IN_0015 = """
insert into employer (id, name, recorded_at, version)
values (:h, 'Acme', '2026-01-01 00:00:00', 1);
insert into account (id, role, email, name, employer_id, recorded_at)
values (:c, 'employer', 'Hal@x.example', 'Hal', :h, '2026-01-01 00:00:00');
insert into sign_in (id, account_id, email, recorded_at, expires_at, tries)
values (:y, :c, 'Hal@x.example', '2026-01-01 00:00:00', '2026-01-02 00:00:00', 0);
insert into login_session (id, digest, account_id, email, agent, started_at, last_used_at)
values (:y, 'x', :c, 'Hal@x.example', '', '2026-01-01 00:00:00', '2026-01-01 00:00:00')
"""


def _message(number, kind, state):
    return {
        "id": _numbered(number),
        "dedupe_key": f"{kind}:{number}:1",
        "message_id": f"<{number}@x.example>",
        "kind": kind,
        "address": "a@example.org",
        "facts": {"name": "Ana"},
        "priority": 1,
        "state": state,
        "created_at": NOW,
        "next_at": NOW,
        "useful_until": NOW,
        "token": 0,
        "attempts": 0,
    }


def _numbered(number):
    return f"01900000-0000-7000-8000-{number:012}"


def _person(number, given, family, folded):
    return {
        "id": _numbered(number),
        "ref": f"P{number}",
        "given_name": given,
        "family_name": family,
        "folded_name": folded,
        "email": f"p{number}@example.org",
        "language": "en",
        "time_zone": "UTC",
        "recorded_at": NOW,
        "version": 1,
    }


_IDS = {name: f"0190000000007000800000000000000{n}" for n, name in enumerate("hcy")}
_LETTERS = """
select case when dedupe_key like 'log:%' then 'log' else dedupe_key end, message_id, state
from message order by dedupe_key
"""
_CERTIFIED_IN_0006 = """
insert into holder (id, ref, given_name, family_name, email, language, time_zone, recorded_at,
    version)
values (:h, 'A', 'José', 'Núñez', 'A@xn--mnchen-3ya.example', 'en', 'UTC', '2026-01-01 00:00:00',
    1);
insert into certification (id, public_id, number, holder_id, scheme, awarded_on, recorded_at)
values (:c, 'p', 'CPT-1', :h, 'cpt', '2024-01-01', '2026-01-01 00:00:00');
insert into cycle (id, certification_id, ordinal, anchor_on, nth, starts_on, expires_on, opened_on,
    policy, recorded_at)
values (:y, :c, 1, '2024-01-01', 1, '2024-01-01', '2029-01-01', '2024-01-01', 'x',
    '2026-01-01 00:00:00');
insert into suppression (address, reason, recorded_at)
select address, 'hard_bounce', '2026-01-01 00:00:00' from (
    select 'a@xn--mnchen-3ya.example' as address union select 'a@münchen.example'
    union select 'b@xn--a.example' union select 'c@xn--mnchen-3ya.example') as known;
insert into message (id, dedupe_key, message_id, kind, address, priority, state, created_at,
    next_at, useful_until, token, attempts)
values (:h, 'h:a:1', '<a@x.example>', 'reminder', 'a@x.example', 5, 'ready',
    '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2026-01-01 00:00:00', 0, 0);
insert into message_log (id, dedupe_key, message_id, kind, address, state, created_at, attempts,
    finished_at)
select id, dedupe_key, message_id, 'reminder', 'a@x.example', 'sent', '2026-01-01 00:00:00', 1,
    '2026-01-01 00:00:00' from (
    select id, 'h:b:1' as dedupe_key, '<b@x.example>' as message_id from certification
    union select id, 'h:a:1', '<a@x.example>' from cycle) as finished
"""


_CERTIFIED_IN_0009 = """
insert into holder (id, ref, given_name, family_name, folded_name, email, language, time_zone,
    recorded_at, version)
values (:h, 'A', 'José', 'Núñez', 'x', 'a@example.org', 'en', 'UTC', '2026-01-01 00:00:00', 1);
insert into certification (id, public_id, number, number_key, holder_id, scheme, awarded_on,
    recorded_at)
values (:c, 'p', 'CPCS-1', 'CPCS1', :h, 'cpcs', '2024-01-01', '2026-01-01 00:00:00');
insert into certification (id, public_id, number, number_key, holder_id, scheme, awarded_on,
    recorded_at)
values (:y, 'q', 'CWI-1', 'CWI1', :h, 'cwi', '2028-01-01', '2026-01-01 00:00:00');
insert into cycle (id, certification_id, ordinal, anchor_on, nth, starts_on, expires_on, opened_on,
    policy, recorded_at, imported)
values (:c, :c, 1, '2024-01-01', 1, '2024-01-01', '2026-12-30', '2024-01-01', 'undated',
    '2026-01-01 00:00:00', false);
insert into cycle (id, certification_id, ordinal, anchor_on, nth, starts_on, expires_on, opened_on,
    policy, recorded_at, imported)
values (:h, :c, 2, '2024-01-01', 2, '2026-12-31', '2029-12-30', '2026-11-20', 'undated',
    '2026-01-01 00:00:00', false);
insert into cycle (id, certification_id, ordinal, anchor_on, nth, starts_on, expires_on, opened_on,
    policy, recorded_at, imported)
values (:y, :y, 1, '2028-01-01', 1, '2028-01-01', '2030-12-31', '2028-01-01', 'as-read',
    '2026-01-01 00:00:00', false);
insert into standing_span (certification_id, from_on, until_on, cycle, cycle_starts_on, expires_on,
    window_opens_on, valid_while_pending)
values (:c, '2024-01-01', '2026-11-20', 1, '2024-01-01', '2026-12-30', '2026-07-31', false);
insert into standing_span (certification_id, from_on, until_on, cycle, cycle_starts_on, expires_on,
    window_opens_on, valid_while_pending)
values (:c, '2026-11-20', '9999-12-31', 1, '2024-01-01', '2029-12-30', '2029-07-31', false);
insert into standing_span (certification_id, from_on, until_on, cycle, cycle_starts_on, expires_on,
    window_opens_on, valid_while_pending)
values (:y, '2028-01-01', '2029-01-01', 1, '2028-01-01', '2030-12-31', '2030-06-30', false);
insert into standing_span (certification_id, from_on, until_on, cycle, cycle_starts_on, hold,
    valid_while_pending)
values (:y, '2029-01-01', '9999-12-31', 1, '2028-01-01', 'withdrawn', false)
"""


def _scripts():
    return ScriptDirectory.from_config(migrations.config())


def _config(url):
    config = migrations.config()
    config.attributes["url"] = url
    return config


def _create_all(url):
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()


def _inspected(url, question):
    engine = create_engine(url)
    try:
        return question(inspect(engine))
    finally:
        engine.dispose()


def _checks(schema):
    return {
        (table, check["name"], re.sub(r",(?=')", ", ", check["sqltext"]))  # SQLite keeps spaces
        for (_, table), checks in schema.get_multi_check_constraints().items()
        for check in checks
    }


def test_every_later_migration_says_whether_the_release_before_it_can_go_on():
    """``kind = "expand"``: it only adds. ``"contract"``: old processes must be gone first."""
    (first,) = Path(_scripts().versions).glob("*_kinds_of_migrations.py")
    kinds = {
        migration.revision: getattr(migration.module, "kind", None)
        for migration in _scripts().walk_revisions(first.name[:4], "head")
    }

    assert kinds
    assert {n: kind for n, kind in kinds.items() if kind not in {"expand", "contract"}} == {}


def test_a_database_keeps_of_which_kind_its_migrations_were(new_database):
    url = new_database("head")
    (newest,) = _scripts().get_heads()

    engine = create_engine(url)
    with engine.connect() as connection:
        told = connection.execute(text("select revision, kind from applied_migration"))
        kinds = dict(map(tuple, told))
        assert kinds[newest] == _scripts().get_revision(newest).module.kind
        assert migrations.obstacle(connection) is None
    engine.dispose()


def test_several_that_migrate_at_once_wait_for_each_other(new_database, tmp_path):
    environment = {
        **os.environ,
        "TRACKER_ENV": "testing",
        "TRACKER_DATABASE_URL": new_database(),
        "TRACKER_STORAGE_DIRECTORY": str(tmp_path / "storage"),
    }
    command = [sys.executable, "-m", "tracker.cli", "migrate"]
    programs = [
        subprocess.Popen(
            command,
            env=environment,
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for _ in range(3)
    ]
    told = [program.communicate(timeout=120)[0] for program in programs]

    assert [program.returncode for program in programs] == [0, 0, 0], told
    assert sum(f"to {migrations.head()}." in words for words in told) == 1, told
