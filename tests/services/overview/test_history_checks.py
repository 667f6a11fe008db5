"""services/overview/history_checks.py: whatever is done to the history, verifying names it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from tests.history_attacks import past_triggers, tamper
from tracker.domain.history_chain import KeyRing
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import HistoryEntry, HistoryValue
from tracker.services.core import history
from tracker.services.overview import history_checkpoints, history_checks, history_pages
from tracker.services.overview.history_checkpoints import Checkpoint
from tracker.services.overview.history_checks import HistoryBreach

ANA = "01900000-0000-7000-8000-00000000000a"


@pytest.fixture
def recorded(container):
    """Ten transactions: ten blocks of an entry each, the fifth of three; a value in each."""
    for n in range(1, 11):
        with container.work(Actor(role="staff", name="clerk")) as work:
            changes = {"email": (f"{n}@old.example", f"{n}@new.example")}
            lines = [(ANA, {"changes": changes, "number": n})] * (3 if n == 5 else 1)
            history.record_many(work, "correct", "holder", lines)
    return [*range(1, 13)]


def verify(container, checkpoints=(), keys=None):
    with container.snapshot(SYSTEM) as reading:
        return history_checks.verify(reading, keys or container.history_keys, checkpoints)


def breach(container, *given):
    found = verify(container, *given).breach
    assert found is not None
    return found


@pytest.mark.usefixtures("recorded")
def test_what_nobody_touched_is_in_order_and_counted(container):
    found = verify(container)
    assert (found.breach, found.blocks, found.entries, found.erased) == (None, 10, 12, 0)


def test_an_empty_history_is_in_order(container):
    assert verify(container).breach is None


class TakenBack(Exception):  # noqa: N818 - named for what becomes of the transaction
    """What was done is to be undone."""


def breach_after(container, *statements):
    """The breach that shows after statements past the triggers, which are then taken back."""
    with suppress(TakenBack), container.work(SYSTEM) as work:
        past_triggers(work.connection)
        for statement in statements:
            work.connection.execute(text(statement))
        found = history_checks.verify(work, container.history_keys).breach
        raise TakenBack
    assert found is not None, statements
    return found


OF_ENTRIES = {
    "update history set actor = 'nobody' where id = 6": "was changed",
    "update history set subject_id = 'x' where id = 6": "was changed",
    "update history set action = 'x' where id = 6": "was changed",
    "update history set subject = 'token' where id = 6": "was changed",
    "update history set at = '2020-01-01 00:00:00+00' where id = 6": "was changed",
    """update history set detail = '{"number": 1}' where id = 6""": "was changed",
    f"update history set token_id = '{ANA}' where id = 6": "was changed",
    f"update history set account_id = '{ANA}' where id = 6": "was changed",
    f"update history set session_id = '{ANA}' where id = 6": "was changed",
    f"update history set request_id = '{ANA}' where id = 6": "was changed",
    "update history set actor_role = 'admin' where id = 6": "was changed",
    "delete from history where id = 6": "is missing",
    "update history_value set after = 'x' where history_id = 6": "has a value 'email' that was",
    "update history_value set before = null where history_id = 6": "has a value 'email' that was",
    "update history_value set before = null, after = null where history_id = 6": "has a value",
    "delete from history_value where history_id = 6": "lacks its value 'email'",
    "insert into history_value (history_id, field, subject_id) values (6, 'x', 'y')": "was added",
}


@pytest.mark.usefixtures("recorded")
def test_the_first_entry_that_is_not_as_it_was_is_named(container):
    for statement, what in OF_ENTRIES.items():
        found = breach_after(container, statement, "delete from history where id = 9")

        assert (found.entry, found.block) == (6, 5), statement
        assert what in found.what, statement
        assert str(found).startswith("Entry 6 of block 5 ")


@pytest.mark.usefixtures("recorded")
def test_entries_that_changed_places_are_named(container):
    tamper(
        container,
        "update history_value set history_id = -history_id where history_id in (4, 9)",
        "update history set id = -id where id in (4, 9)",
        "update history set id = 13 + id where id in (-4, -9)",
        "update history_value set history_id = 13 + history_id where history_id in (-4, -9)",
    )
    assert breach(container) == HistoryBreach("was changed", 4, 4)


OF_BLOCKS = {
    "delete from history_block where sequence = 4": (4, "is missing from the chain"),
    "delete from history_block where sequence = 1": (1, "is missing from the chain"),
    "update history_block set mac = 'x' where sequence = 4": (4, "does not follow"),
    "update history_block set entries = '[]' where sequence = 4": (4, "does not follow"),
    "update history_block set entries = 'x' where sequence = 4": (4, "was changed"),
    """update history_block set entries = '[["x","y"]]' where sequence = 4""": (4, "was changed"),
    """update history_block set entries = '[[1,"y"]]' where sequence = 4""": (4, "was changed"),
    f"""update history_block set entries = '[[{10**30},"y"]]' where sequence = 4""": (
        4,
        "was changed",
    ),
    "update history_block set key_id = 'x' where sequence = 4": (4, "with the key 'x'"),
    "update history_block set sequence = 40 where sequence = 4": (4, "is missing"),
}


@pytest.mark.usefixtures("recorded")
def test_the_first_block_that_is_not_as_it_was_is_named(container):
    for statement, (block, what) in OF_BLOCKS.items():
        found = breach_after(container, statement)

        assert (found.entry, found.block) == (None, block), statement
        assert what in found.what, statement


@pytest.mark.usefixtures("recorded")
def test_blocks_that_changed_places_are_named(container):
    tamper(
        container,
        "update history_block set sequence = -sequence where sequence in (4, 5)",
        "update history_block set sequence = 9 + sequence where sequence in (-4, -5)",
    )
    found = breach(container)

    assert found.block == 4
    assert "reordered" in found.what


@pytest.mark.usefixtures("recorded")
def test_an_entry_before_a_broken_block_is_named_first(container):
    tamper(
        container,
        "update history_block set mac = 'x' where sequence = 9",
        "update history set actor = 'x' where id = 3",
    )
    assert breach(container) == HistoryBreach("was changed", 3, 3)


@pytest.mark.usefixtures("recorded")
def test_an_entry_that_was_added_is_named(container):
    tamper(
        container,
        "insert into history (at, actor, action, subject, subject_id, detail)"
        " select at, actor, action, subject, subject_id, detail from history where id = 3",
    )
    assert str(breach(container)).startswith("Entry 13 is in no block: ")


OF_HEADS = [
    ("delete from history_head", "The head of the chain is missing."),
    ("update history_head set mac = 'x'", "The head of the chain was changed."),
    ("update history_head set entries = 11", "The head of the chain was changed."),
    ("update history_head set sequence = 9", "The head of the chain was changed."),
    (f"update history_head set chain = '{ANA}'", "Block 1 does not follow"),
    (
        "update history_head set sequence = 11",
        "Block 11 is missing: the head says 11, so the end of the chain was cut off.",
    ),
]


@pytest.mark.usefixtures("recorded")
def test_a_head_that_is_not_as_it_was_is_named(container, backend):
    another = ANA.replace("-", "") if backend == "sqlite" else ANA
    for statement, what in OF_HEADS:
        found = breach_after(container, statement.replace(ANA, another))

        assert str(found).startswith(what), statement


def cut_off(container, last):
    """Cut off the end of everything after a block, and set the head back as it was then."""
    with container.engine.connect() as connection:
        mac = text("select mac from history_block where sequence = :last")
        mac = connection.execute(mac, {"last": last}).scalar_one()
    entries = last if last < 5 else last + 2
    tamper(
        container,
        f"delete from history_value where history_id > {entries}",
        f"delete from history where id > {entries}",
        f"delete from history_block where sequence > {last}",
        f"update history_head set sequence = {last}, mac = '{mac}', entries = {entries}",
    )


def checkpoint(container, clock, day):
    clock.set(day)
    with container.reading(SYSTEM) as reading:
        return history_checkpoints.write(reading, container.history_keys)


def read(container):
    directory = container.settings.checkpoints_directory
    return history_checkpoints.read(directory, container.history_keys)


@pytest.mark.usefixtures("recorded")
def test_an_end_that_was_cut_off_with_care_shows_by_a_checkpoint_alone(container, clock):
    checkpoint(container, clock, "2026-11-22")
    cut_off(container, 7)

    assert verify(container).breach is None
    told = "is missing: the checkpoint 2026-11-22.json saw block 10, so the end of the chain was"
    found = breach(container, read(container))
    assert found.block == 8
    assert found.what.startswith(told)


@pytest.mark.usefixtures("recorded")
def test_a_chain_that_went_on_otherwise_after_it_was_cut_off_shows_by_a_checkpoint(
    container, clock
):
    checkpoint(container, clock, "2026-11-22")
    cut_off(container, 9)
    with container.work(SYSTEM) as work:
        history.record(work, "instead", "center", "1")
    checkpoint(container, clock, "2026-11-23")

    assert verify(container).breach is None
    assert breach(container, read(container)) == HistoryBreach(
        "is not the one that the checkpoint 2026-11-22.json saw", block=10
    )


@pytest.mark.usefixtures("recorded")
def test_checkpoints_of_every_day_are_compared(container, clock):
    for day in ("2026-11-22", "2026-11-23", "2026-11-24"):
        assert checkpoint(container, clock, day) is not None
        with container.work(SYSTEM) as work:
            history.record(work, "more", "center", "1")

    found = verify(container, read(container))
    assert (found.breach, found.checkpoints, found.blocks) == (None, 3, 13)


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('"sequence": 10', '"sequence": 9', "was not signed by this installation"),
        ('"key_id": "made-here"', '"key_id": "x"', "a key that the settings do not have"),
        ("{", "", "cannot be read"),
        ('"mac"', '"mic"', "cannot be read"),
    ],
)
def test_a_checkpoint_that_is_not_ours_is_named(container, clock, old, new, what):
    path = checkpoint(container, clock, "2026-11-22")
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new, 1))

    assert str(breach(container, read(container))).startswith("The checkpoint 2026-11-22.json ")
    assert what in breach(container, read(container)).what


@pytest.mark.usefixtures("recorded")
def test_a_checkpoint_of_another_database_is_named(container, clock):
    checkpoint(container, clock, "2026-11-22")
    (ours,) = read(container)
    assert isinstance(ours, Checkpoint)
    other = Checkpoint("x.json", ANA, 1, "m", 1, ours.at, ours.key_id)

    found = breach(container, [other])
    assert found.what == "The checkpoint x.json is of another database's history"


def test_a_checkpoint_is_written_once_a_day_and_never_replaced(container, clock):
    assert checkpoint(container, clock, "2026-11-22") is None, "there is nothing to write down"
    with container.work(SYSTEM) as work:
        history.record(work, "a", "center", "1")
    path = checkpoint(container, clock, "2026-11-22")
    content = path.read_bytes()
    with container.work(SYSTEM) as work:
        history.record(work, "b", "center", "1")

    assert checkpoint(container, clock, "2026-11-22") is None
    assert path.read_bytes() == content
    assert checkpoint(container, clock, "2026-11-23") is not None
    assert [one.name for one in read(container)] == ["2026-11-22.json", "2026-11-23.json"]
    assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0


# Keys.
def test_keys_change_and_former_ones_check_what_they_signed(container):
    with container.work(SYSTEM) as work:
        history.record(work, "a", "center", "1")
    former = container.history_keys
    new = KeyRing("new", {"new": b"n" * 32, **former.keys})
    container = replace(container, history_keys=new)
    with container.work(SYSTEM) as work:
        history.record(work, "b", "center", "1")

    assert verify(container).blocks == 2
    only_new = KeyRing("new", {"new": b"n" * 32})
    assert "with the key 'made-here'" in breach(container, (), only_new).what
    wrong = KeyRing("new", {"new": b"n" * 32, "made-here": b"w" * 32})
    assert breach(container, (), wrong).block == 1


# Erasing.
def test_erased_values_are_gone_and_the_chain_holds(container, recorded):
    with container.work(SYSTEM) as work:
        assert history.erase(work, "holder", ANA, [ANA], reason="Asked for.") == len(recorded)
        assert history.erase(work, "holder", ANA, [ANA], reason="Again.") == 0

    found = verify(container)
    assert (found.breach, found.erased, found.entries) == (None, 12, 14)
    with container.reading(SYSTEM) as reading:
        values = reading.rows(select(HistoryValue.before, HistoryValue.after))
        entry = reading.row(select(HistoryEntry.detail).where(HistoryEntry.action == "erase"))
        page = history_pages.page(reading, history_pages.HistoryFilter(limit=99))
    assert {tuple(row) for row in values} == {(None, None)}
    assert entry.detail == {"reason": "Asked for.", "values": 12}
    assert {(c.before, c.after) for line in page for c in line.changes} == {(None, None)}


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("act", ["13", "6", "99"])
def test_values_that_somebody_erased_behind_an_act_or_without_one_are_named(container, act):
    with container.work(SYSTEM) as work:
        history.erase(work, "holder", ANA, ["nobody"], reason="x")
    with container.engine.begin() as connection:  # no trigger refuses that
        erased = f"erased_by = {act}, before = null, after = null"
        connection.execute(text(f"update history_value set {erased} where history_id in (4, 5)"))

    said = "has values that no act of erasure accounts for"
    assert breach(container) == HistoryBreach(said, entry=4)


def test_the_name_of_a_person_who_acted_is_erased_with_the_person(container):
    actor = Actor(role="holder", name="Ana Soto", session_id=ANA, holder_id=ANA, person_id=ANA)
    with container.work(actor) as work:
        history.record(work, "log", "activity", "1")
    with container.work(SYSTEM) as work:
        history.erase(work, "holder", ANA, [ANA], reason="Asked for.")

    with container.reading(SYSTEM) as reading:
        asked = history_pages.HistoryFilter(limit=9, account_id=ANA)
        (line,) = history_pages.page(reading, asked)
    assert (line.actor, line.account_id, line.session_id) == ("holder", ANA, ANA)
    assert verify(container).erased == 1


def test_a_long_chain_is_read_in_pages(container, monkeypatch):
    monkeypatch.setattr(history_checks, "_BLOCKS", 2)
    with container.work(SYSTEM) as work:
        history.record_many(work, "a", "center", [(str(n), {}) for n in range(2100)])
    told: list[int] = []
    with container.snapshot(SYSTEM) as reading:
        found = history_checks.verify(reading, container.history_keys, on_progress=told.append)

    assert (found.breach, found.entries) == (None, 2100)
    assert told == [1000, 2000, 2100]


def test_a_long_chain_is_looked_at_in_portions_that_take_little_memory(container, monkeypatch):
    monkeypatch.setattr(history_checks, "_TEXT", 30_000)  # a block has 21,000
    with container.work(SYSTEM) as work:
        history.record_many(work, "a", "center", [(str(n), {}) for n in range(2100)])
    told: list[int] = []
    with container.snapshot(SYSTEM) as reading:
        found = history_checks.verify(reading, container.history_keys, on_progress=told.append)

    assert (found.breach, found.entries) == (None, 2100)
    assert told == [1000, 2000, 2100]


@pytest.mark.usefixtures("recorded")
def test_the_last_blocks_alone_are_followed_and_named_if_they_are_not_as_they_were(container):
    def end(blocks):
        with container.reading(SYSTEM) as reading:
            return history_checks.verify_end(reading, container.history_keys, blocks=blocks)

    for blocks, entries in ((3, 3), (6, 8), (50, 12)):
        found = end(blocks)
        assert (found.breach, found.blocks, found.entries) == (None, 10, entries)
    tamper(container, "update history set actor = 'nobody' where id = 3")
    assert end(6).breach is None
    assert str(end(50).breach) == "Entry 3 of block 3 was changed."
    tamper(container, "update history set actor = 'nobody' where id = 12")
    assert str(end(3).breach) == "Entry 12 of block 10 was changed."
    tamper(container, "update history_head set sequence = 11")
    assert "was changed" in str(end(3).breach)
    tamper(container, "delete from history_block where sequence = 11", "delete from history_head")
    assert str(end(3).breach) == "The head of the chain is missing."


def test_the_end_of_an_empty_history_is_in_order(container):
    with container.reading(SYSTEM) as reading:
        found = history_checks.verify_end(reading, container.history_keys, blocks=5)
    assert (found.breach, found.blocks) == (None, 0)
