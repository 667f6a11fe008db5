"""tracker history: verify, checkpoint, adopt, new-key; what the doctor says of checkpoints."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import insert, text

from tests.backends import SQLITE
from tests.history_attacks import tamper
from tracker.domain import history_chain
from tracker.domain.permissions import SYSTEM
from tracker.models import HistoryEntry
from tracker.services.core import history


@pytest.fixture
def recorded(container):
    """Three transactions with an entry each."""
    for n in range(3):
        with container.work(SYSTEM) as work:
            history.record(work, "a", "center", str(n))


def doctor(tracker, **variables):
    found = json.loads(tracker("doctor", "--json", **variables).stdout)
    (finding,) = [one for one in found if one["check"] == "history"]
    return finding["state"], finding["detail"]


@pytest.mark.usefixtures("recorded")
def test_a_history_that_nobody_touched_is_confirmed_with_its_size(tracker):
    result = tracker("history", "verify")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "The history is as it was written: entries 3, blocks 3, checkpoints 0, erased values 0.\n"
    )


@pytest.mark.usefixtures("recorded")
def test_the_first_entry_that_was_changed_is_named_with_status_1(tracker, container):
    tamper(container, "update history set actor = 'x' where id >= 2")
    result = tracker("history", "verify")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[0] == "Entry 2 of block 2 was changed."


@pytest.mark.usefixtures("recorded")
def test_checkpoints_are_written_once_a_day_and_compared_from_any_folder(
    tracker, container, tmp_path
):
    folder = tmp_path / "elsewhere"
    first = tracker("history", "checkpoint", TRACKER_HISTORY_CHECKPOINTS=str(folder))
    second = tracker("history", "checkpoint", TRACKER_HISTORY_CHECKPOINTS=str(folder))
    assert first.stdout == f"Written to {folder}.\n"
    assert second.stdout == "There is one of today already, or nothing to write down yet.\n"
    assert "checkpoints 1," in tracker("history", "verify", "--checkpoints", folder).stdout

    cut(container)
    assert tracker("history", "verify").exit_code == 0
    result = tracker("history", "verify", "--checkpoints", folder)
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "Block 3 is missing: the checkpoint 2026-11-21.json saw block 3"
    )


def cut(container):
    """Cut off the last block with care."""
    with container.engine.connect() as connection:
        mac = connection.execute(text("select mac from history_block where sequence = 2")).scalar()
    tamper(
        container,
        "delete from history where id = 3",
        "delete from history_block where sequence = 3",
        f"update history_head set sequence = 2, entries = 2, mac = '{mac}'",
    )


@pytest.mark.usefixtures("recorded")
def test_the_doctor_tells_how_old_the_last_checkpoint_is_and_whether_it_holds(
    tracker, container, tmp_path
):
    assert doctor(tracker)[0] == "warning"
    tracker("history", "checkpoint")
    later = {"TRACKER_NOW": "2026-11-23T05:00:00Z"}
    assert doctor(tracker, **later) == ("ok", "the last checkpoint is 36 h old, of block 3")
    assert doctor(tracker, TRACKER_NOW="2026-11-24T17:00:00Z")[0] == "problem"

    cut(container)
    state, detail = doctor(tracker)
    assert (state, "has lost block 3" in detail) == ("problem", True)
    (path,) = (tmp_path / "storage" / "checkpoints").glob("*.json")
    path.write_text("{}")
    state, detail = doctor(tracker)
    assert (state, detail) == ("problem", "the checkpoint 2026-11-21.json cannot be read")


@pytest.mark.usefixtures("recorded")
def test_entries_beside_the_chain_are_chained_for_a_reason(tracker, container):
    row = {"actor": "x", "action": "b", "subject": "center", "subject_id": "1", "detail": {}}
    with container.engine.begin() as connection:
        connection.execute(insert(HistoryEntry).values(at=container.clock(), **row))
    assert tracker("history", "verify").exit_code == 1
    assert tracker("history", "adopt").exit_code == 2
    adopted = tracker("history", "adopt", "--reason", "Written during the upgrade.")

    assert adopted.stdout == "Entries chained: 1.\n"
    assert tracker("history", "verify").exit_code == 0


@SQLITE
def test_a_new_key_is_one_that_the_settings_take(tracker):
    made = tracker("history", "new-key").stdout.strip()

    assert re.fullmatch(r"\d{8}-[0-9a-f]{6}:[0-9a-f]{64}", made)
    assert len(history_chain.key_ring(made).key) == 32
    assert tracker("history", "verify", TRACKER_HISTORY_KEYS=made).exit_code == 0


@SQLITE
@pytest.mark.usefixtures("recorded")
def test_a_key_that_was_changed_for_another_one_is_missed(tracker):
    made = tracker("history", "new-key").stdout.strip()
    result = tracker("history", "verify", TRACKER_HISTORY_KEYS=made)

    assert result.exit_code == 1
    assert "with the key 'made-here', which the settings do not have" in result.stderr
