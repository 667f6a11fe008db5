"""api/http/bodies.py: ambiguous or endless JSON from strangers is refused everywhere."""

from __future__ import annotations

import hmac
import itertools
import json
import time

import pytest
from werkzeug.exceptions import BadRequest

from tests.backends import SQLITE
from tracker.api.http import bodies
from tracker.domain.errors import Invalid

ACTIVITY = "/certifications/0192d3a0-0000-7000-8000-000000000001/activities"


def nested(depth, opening="[", closing="]"):
    return (opening * depth + closing * depth).encode()


def objects(depth):
    return b'{"title":' * depth + b"1" + b"}" * depth


DEPTHS = (21, 990, 1_000, 5_000, 200_000)


@SQLITE
def test_a_body_that_nests_deep_is_refused_in_no_time(staff):
    for make, depth in itertools.product((nested, objects), DEPTHS):
        began = time.monotonic()
        refused = staff.call("POST", ACTIVITY, data=make(depth), content_type="application/json")
        assert refused.status_code in {400, 413}, (make, depth)
        assert refused.content_type == "application/problem+json"
        assert time.monotonic() - began < 2


NO_JSON = [
    rb'{"\ud800": 1}',
    rb'{"title": "\udfff"}',
    rb'{"title": ["a", {"b": "\ud83d"}]}',
    rb'{"\ud800": 1, "\ud800": 2}',
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"{",
    b"",
    b"{'title': 1}",
    b'{"quantity": ' + b"9" * 5_000 + b"}",
    b'{"a": 1} {"b": 2}',
]


@SQLITE
def test_what_is_no_json_in_whole_characters_is_no_readable_request(staff):
    for body in NO_JSON:
        refused = staff.call("POST", ACTIVITY, data=body, content_type="application/json")
        assert (refused.status_code, refused.json["code"]) == (400, "bad_request"), body[:30]


GIVEN_TWICE = [
    b'{"title": "a", "title": "b"}',
    b'{"title": "a", "t\\u0069tle": "a"}',
    b'{"tags": [{"title": 1, "title": 1}]}',
]


@SQLITE
def test_a_field_that_is_given_twice_is_refused_by_its_name(staff):
    for body in GIVEN_TWICE:
        refused = staff.call("POST", ACTIVITY, data=body, content_type="application/json")
        assert refused.status_code == 422, body
        assert refused.json["errors"] == [{"field": "title", "message": "must appear only once"}]


@SQLITE
def test_the_mail_relays_events_are_read_by_the_same_rules(anonymous, container, clock):
    for body in (nested(990), rb'[{"\ud800": 1}]'):
        moment = str(int(clock().timestamp()))
        signed = hmac.digest(container.relay_key, moment.encode() + b"." + body, "sha256").hex()
        signature = {"Tracker-Signature": f"t={moment},v1={signed}"}
        refused = anonymous.call("POST", "/relay-events", data=body, headers=signature)
        assert refused.status_code == 400


def test_as_deep_as_allowed_is_read_and_one_deeper_is_not():
    assert bodies.read(nested(bodies.DEEPEST)) == json.loads(nested(bodies.DEEPEST))
    assert bodies.read(objects(bodies.DEEPEST)) == json.loads(objects(bodies.DEEPEST))
    for make in (nested, objects):
        with pytest.raises(BadRequest):
            bodies.read(make(bodies.DEEPEST + 1))


def test_whole_characters_of_every_kind_are_kept():
    told = {"name": "José 😀", "\u202e": ["漢", None, True, 1.5]}
    assert bodies.read(json.dumps(told).encode()) == told
    assert bodies.read(json.dumps(told, ensure_ascii=False).encode()) == told


def test_the_same_name_in_two_objects_is_not_given_twice():
    assert bodies.read(b'[{"a": 1}, {"a": 2}]') == [{"a": 1}, {"a": 2}]
    with pytest.raises(Invalid):
        bodies.read(b'[{"a": 1, "a": 1}]')
