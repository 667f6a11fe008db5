"""tracker.front: idle senders, slow senders and slow readers keep no one else from an answer.

The attacks are real sockets against a running ``tracker serve`` with two threads, so that two
sockets would be enough to stop a site that waits for them.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
import urllib.request

import pytest

from tests import factories
from tests.front.running import serving

THREADS, ATTACKERS = 2, 60
AT_MOST = 2.0  # seconds to an answer, for everyone else


@pytest.fixture(scope="module")
def site(templates, tmp_path_factory):
    """A running site: its port, and the token of a member of staff."""
    home = tmp_path_factory.mktemp("site")
    with serving(home, templates("sqlite"), workers=1, threads=THREADS) as (port, container):
        yield port, factories.secret(container, "staff")


@pytest.fixture
def attack(site):
    """Open sockets that send the beginning of a request and then wait; they stay open."""
    with contextlib.ExitStack() as opened:

        def begin(sent, count=ATTACKERS, *, buffer=None):
            sockets = []
            for _ in range(count):
                one = opened.enter_context(socket.socket())
                if buffer:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
                one.connect(("127.0.0.1", site[0]))
                one.sendall(sent)
                sockets.append(one)
            return sockets

        yield begin


def assert_answers(site):
    """Everybody else is answered: the page, the database's readiness, a request with a body."""
    port, secret = site
    body = b'{"given_name": "Ana", "family_name": "Ruiz", "email": "a@example.org"}'
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    holder = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/holders", body, headers)
    for request in (f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/readyz", holder):
        begun = time.monotonic()
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
            assert answer.status in {200, 201}
        assert time.monotonic() - begun < AT_MOST, request


_POST = "POST /api/v1/{} HTTP/1.1\r\nHost: localhost\r\n"
_STAFF = "Authorization: Bearer {secret}\r\n"
_JSON = "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
_SIGNED = "Tracker-Signature: t={now},v1={zeros}\r\n"
_FORM = "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n--b"


@pytest.mark.parametrize(
    "head",
    [
        _POST.format("relay-events") + _JSON,
        _POST.format("relay-events") + "Transfer-Encoding: chunked\r\n\r\n",
        _POST.format("relay-events") + _SIGNED + _JSON,
        _POST.format("holders") + _STAFF + _JSON + "{{",
        _POST.format("imports") + _STAFF + _FORM,
        "GET /verify HTTP/1.1\r\nHost: local",
        "",
    ],
    ids=["nothing", "chunks", "signature", "json", "form", "half a head", "not a byte"],
)
def test_idle_senders_stop_nobody_else(site, attack, head):
    words = {"now": int(time.time()), "zeros": "0" * 64, "secret": site[1]}
    attack(head.format(**words).encode())
    assert_answers(site)


def test_senders_of_a_byte_at_a_time_stop_nobody_else(site, attack):
    head = (
        "POST /api/v1/holders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {site[1]}\r\nContent-Length: 100000\r\n\r\n"
    )
    sockets = attack(head.encode())
    for _ in range(3):
        for one in sockets:
            one.sendall(b" ")
        assert_answers(site)


def test_slow_readers_of_long_answers_stop_nobody_else(site, attack):
    bundle = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    sockets = attack(bundle, buffer=4096)
    for _ in range(3):
        for one in sockets:
            one.recv(10)
        assert_answers(site)


def test_a_public_route_judges_the_headers_and_waits_for_no_body(attack):
    (one,) = attack((_POST.format("relay-events") + _JSON).encode(), 1)
    one.settimeout(AT_MOST)
    assert one.recv(4096).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/v1/imports", {"Authorization": "Bearer nobody"}, 401),
        ("/api/v1/nowhere", {}, 404),
        ("/api/v1/holders", {"Content-Type": "application/json"}, 413),
    ],
)
def test_what_the_headers_decide_is_answered_before_a_long_body_is_sent(
    site, path, headers, status
):
    port, secret = site
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=AT_MOST)
    connection.putrequest("POST", path)
    for name, value in {"Authorization": f"Bearer {secret}", **headers}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", "200000000")
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()


def test_what_serves_the_site_is_not_told(site):
    with urllib.request.urlopen(f"http://127.0.0.1:{site[0]}/", timeout=30) as answer:
        assert answer.headers.get_all("Server") == ["tracker"]
