"""api/http/attachments.py: anyone who reads a file slowly, or not at all, is in no one's way."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, text

from tracker.db import new_id
from tracker.domain.permissions import SYSTEM
from tracker.models import RosterEntry


@pytest.fixture
def path(employer_id):
    return f"/employers/{employer_id}/workforce.csv"


def hire(container, employer_id, count):
    rows = [
        {
            "id": new_id(),
            "employer_id": employer_id,
            "employee_id": f"{n:07}",
            "site": "x" * 100,
            "department": "y" * 90,
            "recorded_at": container.clock(),
        }
        for n in range(count)
    ]
    with container.work(SYSTEM) as work:
        work.connection.execute(insert(RosterEntry), rows)


def test_a_file_is_written_whole_before_its_first_byte_leaves(caller, container, employer_id, path):
    hire(container, employer_id, 2_000)
    hr = caller("employer", employer_id=employer_id)
    answer = hr.get(path, buffered=False)
    pieces = answer.iter_encoded()
    first = next(pieces)
    # Nothing is open: A process that changes the table itself, waits for no one.
    assert container.engine.pool.checkedout() == 0
    with container.work(SYSTEM) as work:
        work.connection.execute(text("delete from roster_entry"))
    whole = first + b"".join(pieces)
    answer.close()
    assert whole.count(b"\n") == 2_001
    assert int(answer.headers["Content-Length"]) == len(whole)


def test_so_many_files_at_once_are_given_to_one_caller_and_others_to_others(
    caller, container, employer_id, path
):
    hire(container, employer_id, 5)
    hr, other = (caller("employer", employer_id=employer_id) for _ in range(2))
    maximum = container.settings.exports.at_once
    under_way = [hr.get(path, buffered=False) for _ in range(maximum)]
    assert {one.status_code for one in under_way} == {200}
    refused = hr.get(path)
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_at_once")
    assert refused.json["maximum"] == maximum
    assert refused.headers["Retry-After"]
    assert other.get(path).status_code == 200
    under_way[0].close()
    assert hr.get(path.replace("csv", "xlsx")).status_code == 200
    for one in under_way:
        one.close()


def test_a_file_that_cannot_be_written_takes_no_turn(caller, employer_id, path, container):
    hr = caller("employer", employer_id=employer_id)
    for _ in range(container.settings.exports.at_once + 1):
        assert hr.get(path, query_string={"scheme": "nothing"}).status_code == 422
    assert hr.get(path).status_code == 200
