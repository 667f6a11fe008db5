"""Statuses (``StrEnum``): members are plain text on every way into a database and out."""

import csv
import io
import json

import orjson
import pytest
from sqlalchemy import case, literal, select
from sqlalchemy.exc import IntegrityError

from tracker.db import new_id, one_of, written
from tracker.domain.delivery.bounces import ReturnKind
from tracker.domain.delivery.queue_acts import HELD, MessageState
from tracker.domain.permissions import SYSTEM
from tracker.models import Bounce
from tracker.services.core import bulk

KINDS = [ReturnKind.HARD, "soft", ReturnKind.COMPLAINT, "hard"]


def bounces(count, now):
    return [
        {
            "digest": f"{n:03}",
            "message_id": new_id(),
            "address": "ana@example.org",
            "kind": KINDS[n % len(KINDS)],
            "status": "5.1.1",
            "diagnostic": MessageState.SENT,
            "at": now,
        }
        for n in range(count)
    ]


def told(container, statement):
    with container.reading(SYSTEM) as reading:
        found = [row[0] for row in reading.rows(statement)]
    assert {type(value) for value in found} <= {str}
    return found


@pytest.mark.parametrize("count", [4, 40], ids=["one statement", "copy"])
def test_members_and_their_texts_are_stored_alike(container, count):
    with container.work(SYSTEM) as work:
        bulk.insert(work, Bounce, bounces(count, work.now))

    kinds = told(container, select(Bounce.kind).order_by(Bounce.digest))
    assert kinds == ["hard", "soft", "complaint", "hard"] * (count // 4)
    assert set(told(container, select(Bounce.diagnostic))) == {"sent"}
    soft = select(Bounce.kind).where(Bounce.kind == ReturnKind.SOFT)
    assert told(container, soft) == ["soft"] * (count // 4)


def test_members_are_updated_compared_and_chosen_as_their_texts(container):
    with container.work(SYSTEM) as work:
        rows = bounces(3, work.now)
        bulk.insert_new(work, Bounce, rows, key=["digest"], returning=["digest"])
        changed = [{"digest": "000", "kind": "soft"}, {"digest": "001", "kind": ReturnKind.HARD}]
        bulk.update_by(work, Bounce, "digest", changed)
        among = bulk.among(work, Bounce.kind, [ReturnKind.SOFT, "complaint"])
        found = {row.digest for row in work.rows(select(Bounce.digest).where(among))}

    assert found == {"000", "002"}
    assert told(container, select(Bounce.kind).order_by(Bounce.digest)) == [
        "soft",
        "hard",
        "complaint",
    ]
    chosen = case((Bounce.kind == ReturnKind.SOFT, ReturnKind.HARD), else_=ReturnKind.COMPLAINT)
    assert told(container, select(chosen).order_by(Bounce.digest)) == [
        "hard",
        "complaint",
        "complaint",
    ]
    assert told(container, select(literal(ReturnKind.SOFT)).limit(1)) == ["soft"]


def test_a_table_refuses_what_is_no_member(container):
    rows = [row | {"kind": MessageState.SENT} for row in bounces(1, container.clock())]
    with pytest.raises(IntegrityError), container.work(SYSTEM) as work:
        bulk.insert(work, Bounce, rows)


def test_conditions_are_written_out_in_the_order_of_the_members():
    assert str(one_of("kind", ReturnKind).sqltext) == "kind in ('hard', 'soft', 'complaint')"
    assert str(written("state", MessageState.READY)) == "state = 'ready'"
    assert str(written("state", *HELD)) == "state in ('claimed', 'transmitting')"


def test_members_are_plain_text_in_json_and_files():
    answer = {"state": MessageState.SENT}
    assert orjson.dumps(answer) == b'{"state":"sent"}'
    assert json.dumps({MessageState.SENT: MessageState.SENT}) == '{"sent": "sent"}'
    lines = io.StringIO()
    csv.writer(lines).writerow([MessageState.SENT])
    assert lines.getvalue() == "sent\r\n"
    assert f"{MessageState.SENT}" == "sent"
