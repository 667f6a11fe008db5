"""api/http/request_log.py: one line for each request, without names, values or secrets."""

from __future__ import annotations

import logging

import pytest

from tests import factories
from tests.backends import SQLITE
from tracker.domain.permissions import SYSTEM


@pytest.fixture
def lines(caplog):
    """The request lines of the test so far."""
    caplog.set_level(logging.INFO, "tracker.requests")
    return lambda: [record for record in caplog.records if record.name == "tracker.requests"]


@pytest.fixture
def people(container):
    """Two people on record."""
    with container.work(SYSTEM) as work:
        return [factories.holder(work) for _ in range(2)]


@SQLITE
def test_a_line_says_who_asked_for_what_and_what_was_answered(staff, people, lines):
    response = staff.get(f"/holders/{people[0]}")
    [line] = lines()

    assert (line.method, line.route, line.status) == (
        "GET",
        "/api/v1/holders/<uuid:holder_id>",
        200,
    )
    assert line.request_id == response.headers["X-Request-ID"]
    assert (line.role, line.code) == ("staff", None)
    assert line.actor_id
    assert line.ms >= 0
    assert people[0] not in line.getMessage()


@SQLITE
def test_a_refusal_is_logged_with_its_code_and_the_actor(caller, people, lines):
    """Another person's record is answered as an unknown one, but the log shows who asked."""
    caller("holder", holder_id=people[0]).get(f"/holders/{people[1]}")
    [line] = lines()

    assert (line.status, line.code, line.role) == (404, "not_found", "holder")
    assert line.actor_id


@SQLITE
@pytest.mark.parametrize("secret", ["trk_wrong", "hunter2"])
def test_what_is_wrong_in_a_request_stands_in_no_line(anonymous, lines, caplog, secret):
    headers = {"Authorization": f"Bearer {secret}", "User-Agent": secret}
    anonymous.get(f"/me?password={secret}", headers=headers)
    anonymous.get(f"/nothing/{secret}", headers=headers)
    known, unknown = lines()

    assert (known.status, known.route, known.actor_id) == (401, "/api/v1/me", None)
    assert (unknown.status, unknown.route) == (404, None)
    assert secret not in caplog.text


@SQLITE
def test_what_balancers_ask_for_every_second_is_not_logged(app, lines):
    assert app.test_client().get("/healthz").status_code == 200
    assert lines() == []
