"""tracker.front: what the application is told of a request, and what is refused before it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tracker import front
from tracker.front import Front

PIECE = 512 * 1024


class Exchange:
    """One request to a front: ``pieces`` come one after another, then nothing more does."""

    def __init__(self, *pieces, method="POST", path="/", headers=(), more=False):
        self.scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "query_string": b"a=1",
            "scheme": "http",
            "server": ("127.0.0.1", 8000),
            "client": ("192.0.2.7", 4321),
            "headers": list(headers),
        }
        self.messages = [
            {"type": "http.request", "body": piece, "more_body": more or n < len(pieces)}
            for n, piece in enumerate(pieces, 1)
        ]
        self.status, self.body = 0, b""
        self.headers: dict[bytes, bytes] = {}
        self.stuck, self.pause = False, 0.0

    async def receive(self):
        if self.messages:
            await asyncio.sleep(self.pause)
            return self.messages.pop(0)
        return await asyncio.Future()

    async def send(self, message):
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
            return
        if self.stuck:
            await asyncio.Event().wait()
        self.body += message["body"]

    def with_(self, app):
        """Have it answered; gives itself."""
        asyncio.run(Front(app, threads=1)(self.scope, self.receive, self.send))
        return self


@pytest.fixture
def told():
    """An application that says ok and keeps what it was told: the environment and the body."""
    return Told()


class Told:
    def __init__(self):
        self.seen: list[tuple[dict[str, Any], bytes]] = []

    def __call__(self, environ, start):
        body = environ["wsgi.input"].read()
        self.seen.append((environ, body))
        start("201 CREATED", [("Content-Length", "2"), ("X-Name", "é")])
        return [b"o", b"k"]


def length(number):
    return [(b"content-length", str(number).encode())]


def test_a_request_is_told_in_wsgis_words(told):
    headers = [
        (b"content-type", b"text/plain"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"accept", b"x"),
        (b"accept", b"y"),
        (b"x-forwarded-for", b"203.0.113.1"),
        *length(5),
    ]
    answer = Exchange(b"he", b"llo", path="/Peña/ñ", headers=headers).with_(told)

    ((environ, body),) = told.seen
    assert body == b"hello"
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/Peña/ñ"
    expected = {
        "REQUEST_METHOD": "POST",
        "QUERY_STRING": "a=1",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "5",
        "HTTP_COOKIE": "a=1; b=2",
        "HTTP_ACCEPT": "x,y",
        "REMOTE_ADDR": "192.0.2.7",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_X_FORWARDED_FOR": "203.0.113.1",
    }
    assert {name: environ[name] for name in expected} == expected
    assert (answer.status, answer.body) == (201, b"ok")
    name = "é".encode("latin-1")
    assert answer.headers == {b"content-length": b"2", b"x-name": name, b"server": b"tracker"}


def test_a_header_with_an_underscore_is_nobodys(told):
    Exchange(b"", headers=[(b"x_forwarded_for", b"203.0.113.1")]).with_(told)

    assert "HTTP_X_FORWARDED_FOR" not in told.seen[0][0]


def test_a_body_in_chunks_is_given_with_its_length(told):
    headers = [(b"transfer-encoding", b"chunked")]
    Exchange(b"a" * 70_000, b"b" * 70_000, headers=headers).with_(told)

    ((environ, body),) = told.seen
    assert (environ["CONTENT_LENGTH"], len(body)) == ("140000", 140_000)


def test_a_long_body_must_say_how_long_it_is(told):
    headers = [(b"transfer-encoding", b"chunked")]
    answer = Exchange(*[b"a" * PIECE] * 3, headers=headers).with_(told)

    assert (answer.status, told.seen) == (411, [])
    assert b"Content-Length" in answer.body


@pytest.mark.parametrize("number", ["-1", "1e3", "٣", "9" * 16])
def test_a_length_that_is_no_number_is_refused(told, number):
    headers = [(b"content-length", number.encode("utf-8"))]
    answer = Exchange(b"", headers=headers).with_(told)

    assert (answer.status, told.seen) == (400, [])


def test_a_body_that_does_not_come_is_not_waited_for(told, monkeypatch):
    monkeypatch.setattr(front, "_PATIENCE", 0.2)
    answer = Exchange(b"he", headers=length(5), more=True).with_(told)

    assert (answer.status, told.seen) == (408, [])
    assert answer.headers[b"connection"] == b"close"


def test_a_body_that_keeps_coming_may_take_its_time(told, monkeypatch):
    monkeypatch.setattr(front, "_PATIENCE", 0.2)
    exchange = Exchange(*[b"a" * 4096] * 4, headers=length(4 * 4096))
    exchange.pause = 0.15
    assert exchange.with_(told).status == 201


def test_a_client_that_leaves_is_answered_nothing(told):
    exchange = Exchange(b"he", headers=length(5), more=True)
    exchange.messages.append({"type": "http.disconnect"})

    assert exchange.with_(told).status == 0
    assert told.seen == []


def test_what_is_answered_without_the_body_is_answered_at_once_and_once():
    calls = []

    def app(environ, start):
        calls.append(environ["PATH_INFO"])
        start("401 UNAUTHORIZED", [])
        return [b"no"]

    answer = Exchange(headers=length(5)).with_(app)

    assert (answer.status, answer.body, calls) == (401, b"no", ["/"])


def test_a_long_answer_is_collected_and_closed_before_it_leaves():
    class Pieces(list[bytes]):
        closed = False

        def close(self):
            self.closed = True

    pieces = Pieces([b"x" * PIECE] * 3)

    def app(_environ, start):
        start("200 OK", [])
        return pieces

    exchange = Exchange(b"")
    exchange.stuck = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(front, "_PATIENCE", 0.2)
        with pytest.raises(TimeoutError):
            exchange.with_(app)

    assert pieces.closed
    assert exchange.body == b""
    assert len(Exchange(b"").with_(app).body) == 3 * PIECE


def test_what_fails_outside_the_application_is_logged_and_told_as_500(caplog):
    def app(_environ, _start):
        raise RuntimeError("nobody expected this")

    assert Exchange(b"").with_(app).status == 500
    assert "nobody expected this" in caplog.text


def test_a_websocket_is_nothing_to_it(told):
    exchange = Exchange(b"")
    exchange.scope["type"] = "websocket"

    assert exchange.with_(told).status == 0
