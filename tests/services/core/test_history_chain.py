"""services/core/history_chain.py: what a transaction records is chained when it commits."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import date

import pytest
from sqlalchemy import event, insert, select, text

from tests import factories
from tests.statements import counted
from tracker.domain import history_chain as rules
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Center, HistoryBlock, HistoryEntry, HistoryHead, HistoryValue
from tracker.services.core import bulk, history, history_chain
from tracker.services.overview import history_checks


def blocks(container):
    """The ids of the entries in each block, in the blocks' order."""
    with container.reading(SYSTEM) as reading:
        rows = reading.rows(select(HistoryBlock.entries).order_by(HistoryBlock.sequence))
    return [[entry.id for entry in rules.read(row.entries)] for row in rows]


def recorded(container):
    with container.reading(SYSTEM) as reading:
        return [row.id for row in reading.rows(select(HistoryEntry.id).order_by(HistoryEntry.id))]


def verified(container):
    with container.snapshot(SYSTEM) as reading:
        found = history_checks.verify(reading, container.history_keys)
    assert found.breach is None
    return found


def test_the_entries_of_a_transaction_are_one_block_in_their_order(container):
    with container.work(SYSTEM) as work:
        history.record(work, "a", "center", "1")
        history.record_many(work, "b", "center", [(str(n), {}) for n in range(30)])
    with container.work(SYSTEM) as work:
        history.record(work, "c", "center", "1")

    first, second = blocks(container)
    assert (len(first), len(second)) == (31, 1)
    assert first + second == recorded(container)
    assert verified(container).entries == 32


def test_a_long_transaction_is_several_blocks(container):
    with container.work(SYSTEM) as work:
        history.record_many(work, "a", "center", [(str(n), {}) for n in range(1201)])

    assert [len(ids) for ids in blocks(container)] == [500, 500, 201]
    assert verified(container).blocks == 3


def test_a_transaction_that_fails_leaves_neither_entry_nor_block(container):
    with suppress(LookupError), container.work(SYSTEM) as work:
        history.record(work, "a", "center", "1")
        raise LookupError
    with container.work(SYSTEM) as work:
        factories.holder(work)

    assert blocks(container) == [recorded(container)]


def test_what_was_recorded_after_a_savepoint_is_forgotten_with_it(container):
    with container.work(SYSTEM) as work:
        history.record(work, "kept", "center", "1")
        outer = bulk.savepoint(work)
        history.record(work, "undone", "center", "1")
        inner = bulk.savepoint(work)
        history.record(work, "undone", "center", "2")
        inner.commit()
        outer.rollback()
        kept = bulk.savepoint(work)
        history.record(work, "kept", "center", "2")
        kept.commit()

    with container.reading(SYSTEM) as reading:
        assert {row.action for row in reading.rows(select(HistoryEntry.action))} == {"kept"}
    assert verified(container).entries == 2


def test_a_rehearsal_chains_nothing(container):
    factories.certified(container, date(2024, 3, 1))
    before = blocks(container)
    with container.rehearsal(SYSTEM) as work:
        history.record(work, "a", "center", "1")
        assert work.rows(select(HistoryEntry.id).where(HistoryEntry.action == "a"))

    assert blocks(container) == before
    verified(container)


def test_history_that_is_recorded_outside_of_a_transaction_is_an_error(container):
    with pytest.raises(RuntimeError, match="needs a transaction"):  # noqa: SIM117 - two things
        with container.statement(SYSTEM) as work:
            history.record(work, "a", "center", "1")


def test_the_head_is_the_last_thing_that_is_locked_and_is_held_for_two_statements(
    container, backend
):
    factories.certified(container, date(2024, 3, 1))
    with counted(container) as sent, container.work(SYSTEM) as work:
        factories.holder(work)
        work.session.add(Center(name="Last", category=None, recorded_at=work.now))
    about = [n for n, one in enumerate(sent) if "history_head" in one or "history_block" in one]
    assert about == [*range(len(sent) - len(about), len(sent))]
    assert len(about) == (2 if backend == "postgresql" else 3)


def test_writers_at_once_give_one_chain(container):
    def write(name):
        for n in range(15):
            with container.work(Actor(role="staff", name=name)) as work:
                history.record_many(work, "a", "center", [(f"{name} {n}", {})] * (1 + n % 3))

    threads = [threading.Thread(target=write, args=(f"clerk {n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = verified(container)
    assert (found.blocks, found.entries) == (90, 180)


@pytest.mark.parametrize("backend", ["postgresql"])  # SQLite has one writer at a time
def test_the_first_two_writers_of_all_give_one_chain(container):
    both = threading.Barrier(2)

    def wait(_connection, _cursor, statement, *_):
        if "INSERT INTO history_head" in statement:
            both.wait(10)

    event.listen(container.engine, "before_cursor_execute", wait)
    threads = [threading.Thread(target=factories.certified, args=(container, date(2024, 3, 1)))]
    threads.append(threading.Thread(target=record_one, args=(container,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    event.remove(container.engine, "before_cursor_execute", wait)

    assert verified(container).blocks == 2


def record_one(container):
    with container.work(SYSTEM) as work:
        history.record(work, "a", "center", "1")


def older_release(container, count, *, action="old"):
    """Write entries as a release without a chain does."""
    row = {"actor": "x", "action": action, "subject": "holder", "detail": {"fields": ["email"]}}
    with container.engine.begin() as connection:
        for n in range(count):
            entry = {"at": container.clock(), "subject_id": str(n), **row}
            (id_,) = connection.execute(
                insert(HistoryEntry).values(entry).returning(HistoryEntry.id)
            ).one()
            value = {"history_id": id_, "field": "email", "subject_id": str(n), "after": "a@b.c"}
            connection.execute(insert(HistoryValue).values(value))


@pytest.mark.parametrize("how", ["by the command", "by the first entry"])
def test_what_older_releases_recorded_comes_first_in_the_chain(container, how):
    older_release(container, 12)
    if how == "by the command":
        with container.work(SYSTEM) as work:
            assert history_chain.begin(work.session, work.history_keys) == 12
            assert history_chain.begin(work.session, work.history_keys) == 0
    record_one(container)

    assert [len(ids) for ids in blocks(container)] == [12, 1]
    assert verified(container).entries == 13


def test_what_an_older_release_writes_beside_the_chain_is_named_until_somebody_vouches_for_it(
    container,
):
    record_one(container)
    older_release(container, 3)
    record_one(container)
    (first, *_) = recorded(container)[1:]

    with container.snapshot(SYSTEM) as reading:
        found = history_checks.verify(reading, container.history_keys).breach
    assert found is not None
    assert str(found).startswith(f"Entry {first} is in no block")
    with container.work(SYSTEM) as work:
        assert history_checks.adopt(work, reason="Written during the upgrade.") == 3
    with container.work(SYSTEM) as work:
        assert history_checks.adopt(work, reason="Again.") == 0

    assert verified(container).entries == 6
    with container.reading(SYSTEM) as reading:
        entry = reading.row(select(HistoryEntry.detail).where(HistoryEntry.action == "adopt"))
    assert entry.detail["reason"] == "Written during the upgrade."
    assert (entry.detail["entries"], entry.detail["first"]) == (3, first)


def test_an_entry_names_who_acted_by_ids_and_a_person_by_no_name(container):
    token = "01900000-0000-7000-8000-000000000001"
    account = "01900000-0000-7000-8000-000000000002"
    session = "01900000-0000-7000-8000-000000000003"
    actors = [
        Actor(role="staff", name="clerk", token_id=token, person_id=account),
        Actor(role="holder", name="Ana Soto", token_id=token, holder_id=account),
        Actor(role="staff", name="Bo Ek", session_id=session, person_id=account),
        Actor(role="holder", name="link in an email", holder_id=account),
    ]
    for actor in actors:
        with container.work(actor) as work:
            history.record(work, "a", "center", "1")

    with container.reading(SYSTEM) as reading:
        who = select(HistoryEntry.actor, HistoryEntry.actor_role, HistoryEntry.token_id)
        who = who.add_columns(HistoryEntry.account_id, HistoryEntry.session_id)
        found = [tuple(row) for row in reading.rows(who.order_by(HistoryEntry.id))]
        named = select(HistoryValue.field, HistoryValue.subject_id, HistoryValue.after)
        names = [tuple(row) for row in reading.rows(named.order_by(HistoryValue.history_id))]
    assert found == [
        ("clerk", "staff", token, None, None),
        ("holder", "holder", token, None, None),
        ("staff", "staff", None, account, session),
        ("link in an email", "holder", None, None, None),
    ]
    assert names == [("actor", account, "Ana Soto"), ("actor", session, "Bo Ek")]


TABLES = ("history", "history_value", "history_block", "history_head")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("act", ["delete from {}", "update {} set {} = {}"])
def test_the_database_itself_refuses_to_change_history(container, table, act):
    _is_refused(container, table, act)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("backend", ["postgresql"])  # SQLite has no such statement
def test_it_also_refuses_to_empty_it(container, table):
    _is_refused(container, table, "truncate {} cascade")


def _is_refused(container, table, act):
    factories.certified(container, date(2024, 3, 1))
    with container.work(SYSTEM) as work:
        history.record(work, "a", "holder", "1", changes={"email": (None, "a@b.c")})
    column = {
        "history": "actor",
        "history_value": "after",
        "history_block": "mac",
        "history_head": "mac",
    }
    statement = act.format(table, column[table], "'x'")
    with pytest.raises(Exception, match="append-only"), container.engine.begin() as connection:
        connection.execute(text(statement))
    verified(container)


CHANGES = [
    "erased_by = 1",
    "erased_by = 1, before = null, after = 'x'",
    "before = null, after = null",
    "erased_by = 1, before = null, after = null, field = 'other'",
    "erased_by = 1, before = null, after = null, history_id = history_id + 1",
]


def test_a_value_can_be_erased_and_nothing_else(container):
    with container.work(SYSTEM) as work:
        history.record(work, "a", "holder", "1", changes={"email": ("a@b.c", "d@e.f")})
    for change in CHANGES:
        with pytest.raises(Exception, match="append-only"), container.engine.begin() as connection:
            connection.execute(text(f"update history_value set {change}"))


def test_the_head_only_moves_on(container):
    record_one(container)
    record_one(container)
    with container.engine.begin() as connection:
        head = connection.execute(select(HistoryHead.sequence)).scalar_one()
    for change in (f"sequence = {head}", "sequence = 1", "sequence = 9, chain = null"):
        with pytest.raises(Exception), container.engine.begin() as connection:  # noqa: B017, PT011 - by trigger or constraint
            connection.execute(text(f"update history_head set {change}"))
