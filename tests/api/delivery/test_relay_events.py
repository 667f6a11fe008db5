"""What the mail provider tells: signed, recent, small, and counted once."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tests.statements import counted
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Bounce, Message, Preference, RelayAccept, Suppression

PATH = "/api/v1/relay-events"


@pytest.fixture
def letters(container, clock):
    """Messages that are in doubt."""
    clock.set("2027-02-13T15:00:00+00:00")
    cases.certified(container, date(2027, 3, 15), 4)
    jobs.plan(container)
    with container.work(SYSTEM) as work:
        lease = work.now + timedelta(minutes=15)
        work.connection.execute(update(Message).values(state="ambiguous", lease_until=lease))
    return cases.letters(container)


@pytest.fixture
def tell(client, container, clock):
    """Send events as the provider does."""

    def send(events, *, key=None, ago=0, header=None, body=None):
        data = json.dumps(events).encode() if body is None else body
        moment = int(clock.now.timestamp()) - ago
        signed = hmac.new(key or container.relay_key, f"{moment}.".encode() + data, hashlib.sha256)
        headers = {"Tracker-Signature": header or f"t={moment},v1={signed.hexdigest()}"}
        return client.post(PATH, data=data, headers=headers, content_type="application/json")

    return send


def event(row, what="accepted", at="2027-02-13T15:00:01Z", **more):
    return {"message_id": row.message_id, "event": what, "at": at, **more}


def all_of(container, *columns):
    with container.reading(SYSTEM) as reading:
        return [tuple(row) for row in reading.rows(select(*columns))]


@pytest.mark.parametrize("what", ["accepted", "delivered"])
def test_what_the_relay_took_is_evidence_that_settles_a_doubt(container, letters, tell, what):
    answer = tell([event(letters[0], what, queue_id="4F5A1")])
    assert answer.status_code == 204, answer.text
    assert all_of(container, RelayAccept.message_id, RelayAccept.queue_id) == [
        (letters[0].message_id, "4F5A1")
    ]
    assert jobs.reap(container).found_sent == 1
    assert cases.states(container) == ["ambiguous"] * 3 + ["sent"]


def test_the_brackets_of_a_message_id_may_be_left_out(container, letters, tell):
    bare = event(letters[0]) | {"message_id": letters[0].message_id.strip("<>")}
    assert tell([bare]).status_code == 204
    assert all_of(container, RelayAccept.message_id) == [(letters[0].message_id,)]


def test_what_came_back_and_who_complained_has_the_same_effect_as_by_mail(container, letters, tell):
    hard, soft, angry, _ = letters
    events = [
        event(hard, "bounced", status="5.1.1"),
        event(soft, "bounced"),
        event(angry, "complained"),
    ]
    for _ in range(2):
        assert tell(events).status_code == 204
    kinds = dict(all_of(container, Bounce.message_id, Bounce.kind))
    assert kinds == {hard.id: "hard", soft.id: "soft", angry.id: "complaint"}
    assert all_of(container, Suppression.address) == [(hard.address.lower(),)]
    assert all_of(container, Preference.holder_id, Preference.wanted) == [(angry.holder_id, False)]
    assert all_of(container, RelayAccept.message_id) == []


def test_what_is_told_again_changes_nothing(container, letters, tell):
    for _ in range(2):
        tell([event(letters[0]), event(letters[0], "delivered", at="2027-02-13T15:00:09Z")])
    assert len(all_of(container, RelayAccept.message_id)) == 1


@pytest.mark.usefixtures("letters")
def test_letters_that_are_not_known_are_kept_as_evidence_too(container, tell):
    lost = {"message_id": "<lost@tracker.example>", "at": "2027-02-13T15:00:01Z"}
    told = [lost | {"event": "accepted"}, lost | {"event": "bounced", "message_id": "b@x"}]
    assert tell(told).status_code == 204
    assert sorted(all_of(container, RelayAccept.message_id)) == [("<b@x>",), (lost["message_id"],)]


def test_events_cost_the_same_number_of_statements_however_many(container, letters, tell):
    def cost(some):
        with counted(container) as ran:
            hard = [event(row, "bounced", status="5.1.1") for row in some]
            assert tell([event(row) for row in some] + hard).status_code == 204
        return len(ran)

    assert cost(letters[:1]) == cost(letters[1:])


NOT_HEARD: list[dict[str, object]] = [
    {"header": "none"},
    {"header": "t=1"},
    {"header": "t=1,v1=" + "0" * 64},
    {"header": "v1=" + "0" * 64},
    {"header": "t=é,v1=" + "0" * 64},
    {"key": b"another"},
    {"ago": 301},
    {"ago": -301},
]


@SQLITE
def test_what_is_not_signed_by_us_or_stale_is_not_heard(container, letters, tell):
    for wrong in NOT_HEARD:
        answer = tell([event(letters[0])], **wrong)
        assert answer.status_code == 401, wrong
        assert answer.content_type == "application/problem+json", wrong
        assert all_of(container, RelayAccept.message_id) == [], wrong


def test_a_request_without_a_signature_is_not_heard(client):
    assert client.post(PATH, json=[]).status_code == 401


@pytest.mark.parametrize("ago", [300, -300])
def test_a_clock_five_minutes_off_is_heard(letters, tell, ago):
    assert tell([event(letters[0])], ago=ago).status_code == 204


def test_one_of_several_signatures_is_enough_while_the_key_changes(container, letters, tell, clock):
    moment, data = int(clock.now.timestamp()), b"[]"
    text = f"{moment}.".encode() + data
    signed = hmac.new(container.relay_key, text, hashlib.sha256).hexdigest()
    header = f"t={moment},v1={'0' * 64},v1={signed}"
    assert letters
    assert tell([], header=header, body=data).status_code == 204


NO_SENSE = [
    (b"{", 400),
    (b"\xff", 400),
    (b"{}", 422),
    (b'[{"event": "accepted"}]', 422),
    (b"[1]", 422),
    (
        json.dumps(
            [{"message_id": "a@b", "event": "opened", "at": "2027-02-13T15:00:01Z"}]
        ).encode(),
        422,
    ),
    (
        json.dumps(
            [{"message_id": "a b@c", "event": "accepted", "at": "2027-02-13T15:00:01Z"}]
        ).encode(),
        422,
    ),
    (
        json.dumps(
            [{"message_id": "a@b", "event": "accepted", "at": "0001-01-01T00:00:00+14:00"}]
        ).encode(),
        422,
    ),
    (json.dumps([{}] * 1001).encode(), 422),
    (b" " * (1024 * 1024 + 1), 413),
]


@SQLITE
def test_what_makes_no_sense_is_refused_though_it_is_signed(container, tell):
    for body, status in NO_SENSE:
        assert tell(None, body=body).status_code == status, body[:40]
        assert all_of(container, RelayAccept.message_id) == [], body[:40]
