"""The outer ring over a real socket (api/http/outer_ring.py): floods, and who is let by."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from tests import factories
from tests.front.running import serving
from tracker.api.http.outer_ring import PeriodCounts

MOST, ENTRIES = 20, 5


@pytest.fixture
def site(templates, tmp_path):
    """A running site with a narrow ring, behind a proxy on this machine: its port and container."""
    narrow = {
        "TRACKER_LIMITS_REQUESTS_PER_MINUTE": str(MOST),
        "TRACKER_LIMITS_ENTRIES_PER_MINUTE": str(ENTRIES),
        "TRACKER_SERVER_TRUSTED_PROXIES": "127.0.0.1",
    }
    with serving(tmp_path, templates("sqlite"), workers=1, threads=2, **narrow) as opened:
        yield opened


def ask(port, path, *, of="10.0.0.1", body=None, **headers):
    """Ask as the proxy does for somebody at an address; status, headers and body."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body)
    for name, value in {"X-Forwarded-For": of, **headers}.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def statuses(port, path, times, **more):
    return [ask(port, path, **more)[0] for _ in range(times)]


def test_the_ring_stops_floods_of_nobody_and_lets_everybody_else_by(site):
    port, container = site
    secret = factories.secret(container, "staff")
    staff = {"Authorization": f"Bearer {secret}"}

    # Whoever came in is not held up, by how much they ask or by others at their address.
    assert statuses(port, "/api/v1/me", 1, **staff) == [200]
    # Entrances have their own, narrower ring, for each address behind the trusted proxy.
    assert statuses(port, "/sign-in", ENTRIES + 1) == [200] * ENTRIES + [429]
    assert statuses(port, "/sign-in", 1, of="10.0.0.2") == [200]
    # What does not exist is counted, too, and so are credentials that are not valid.
    left = MOST - ENTRIES
    assert statuses(port, "/no/such/page", left - 1) == [404] * (left - 1)
    assert statuses(port, "/api/v1/me", 2, Authorization="Bearer trk_x") == [401, 429]
    status, headers, body = ask(port, "/")
    assert (status, headers["Retry-After"]) == (429, "60")
    assert headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["code"] == "too_many_requests"
    assert headers["X-Content-Type-Options"] == "nosniff"

    assert set(statuses(port, "/api/v1/me", 2 * MOST, **staff)) == {200}
    assert set(statuses(port, "/healthz", 2 * MOST)) == {200}
    assert set(statuses(port, "/api/v1/relay-events", 2 * MOST, body=b"[]")) <= {400, 401, 415, 422}
    assert 429 not in statuses(port, "/unsubscribe/reminders/x", MOST + 5, body=b"")
    assert ask(port, "/", of="10.0.0.2")[0] == 200


def test_an_address_that_the_caller_made_up_is_another_one_only_if_the_proxy_says_so(site):
    """Case 38: the proxy's own entry counts, which is the last that it does not trust."""
    port, _ = site
    forged = [ask(port, "/", of=f"203.0.113.{n}, 10.0.0.3")[0] for n in range(MOST + 1)]

    assert forged == [200] * MOST + [429]


def test_the_addresses_of_one_network_of_ipv6_are_one_caller(site):
    port, _ = site
    asked = [ask(port, "/", of=f"2001:db8::{n:x}")[0] for n in range(MOST + 1)]

    assert asked == [200] * MOST + [429]
    assert ask(port, "/", of="2001:db8:0:1::1")[0] == 200


def test_requests_of_a_period_are_counted_by_caller_and_anew_in_the_next():
    long, over = PeriodCounts(seconds=600), PeriodCounts(seconds=0)

    assert [long.add("a"), long.add("a"), long.add("b"), long.of("a")] == [1, 2, 1, 2]
    assert [over.add("a"), over.add("a"), over.add("b"), over.of("a")] == [1, 1, 1, 0]
