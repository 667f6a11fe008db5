"""The buffering front between the server's event loop and the application's threads.

Under WSGI a request holds a thread from its headers to its last byte, so eight strangers with slow
sockets hold eight threads and the site stands still. Here a thread only works:

- a body is taken in on the event loop, under a deadline, before a thread runs the application;
- where the body does not come with the headers, the application is asked with the headers alone
  first. What it answers without a look at the body (no token, no such path, too large) is the
  answer, and the body is never waited for;
- the answer is collected before its first byte leaves, on disk where it is long, and the event
  loop gives it to the reader, who has a deadline too.

``make()`` is what an ASGI server serves (``granian --interface asginl --factory``).

Invariant: a route reads the body before it writes anything, since it is run a second time once
the body is there.
"""

from __future__ import annotations

import asyncio
import io
import logging
import resource
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any, NoReturn

_log = logging.getLogger(__name__)

AsgiScope = Mapping[str, Any]
AsgiMessage = Mapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Environ = dict[str, Any]
WSGI = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_AT_ONCE = 0.05  # seconds in which a body comes that was sent with its headers
_PATIENCE, _SLOWEST = 20.0, 16 * 1024  # a body or an answer: seconds, and one more for these bytes
_UNDECLARED = 1024 * 1024  # bytes of a body that does not say how long it is
_IN_MEMORY, _PIECE = 256 * 1024, 128 * 1024  # bytes
_CONNECTIONS, _FILES = 4096, 16_384  # at once, by each process
_NAME = (b"server", b"tracker")  # in the place of the server's own, which is nobody's business
_OWN_NAMES = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class _BodyWantedError(BaseException):
    """The application reads the body. Not an Exception, so that no error handler takes it."""


class _GoneError(Exception):
    """The client left before its request was complete."""


class _NotYet(io.RawIOBase):
    """Stands where the body will be while the application is asked with the headers alone."""

    def readable(self) -> bool:
        """Whoever asks is told yes, and finds out when reading."""
        return True

    def readinto(self, _buffer: Any) -> NoReturn:
        """Tell the front that the body is wanted."""
        raise _BodyWantedError


@dataclass(frozen=True, slots=True)
class _Answer:
    """A whole answer of the application; ``body`` stands at its beginning."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: IO[bytes]
    length: int


def _refusal(status: int, words: str) -> _Answer:
    body = words.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    return _Answer(status, headers, io.BytesIO(body), len(body))


class Front:
    """An ASGI application around a WSGI application, with so many threads to run it."""

    def __init__(self, app: WSGI, *, threads: int) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as body:
            try:
                answer = await self._answered(scope, receive, body)
            except _GoneError:
                return
        with answer.body:
            await _give(answer, send)

    async def _answered(self, scope: AsgiScope, receive: Receive, body: IO[bytes]) -> _Answer:
        environ = _environ(scope)
        declared = environ.get("CONTENT_LENGTH", "")
        chunked = "HTTP_TRANSFER_ENCODING" in environ
        if not chunked and declared in {"", "0"}:
            return await self._run(environ, io.BytesIO())
        if not chunked and not _is_length(declared):
            return _refusal(400, "Content-Length is not a number.")
        reader = asyncio.ensure_future(_take_in(receive, body, _longest(declared)))
        try:
            await asyncio.wait({reader}, timeout=_AT_ONCE)
            if not reader.done():
                try:
                    return await self._run(environ, io.BufferedReader(_NotYet()))
                except _BodyWantedError:
                    pass
            length = await reader
        except TimeoutError:
            return _refusal(408, "The body did not arrive in time.")
        except OverflowError:
            rule = "A body of more than a megabyte must say how long it is (Content-Length)."
            return _refusal(411, rule)
        finally:
            await _ended(reader)
        body.seek(0)
        return await self._run({**environ, "CONTENT_LENGTH": str(length)}, body)

    async def _run(self, environ: Environ, body: IO[bytes]) -> _Answer:
        """What the application answers, by one of the threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _call, self._app, environ, body)


def _is_length(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16  # noqa: PLR2004 - digits


def _longest(declared: str) -> int:
    """How many bytes a body may have; the application judges what was declared."""
    return int(declared) if declared else _UNDECLARED


def _deadline(begun: float, moved: int) -> float:
    """Until when the next bytes must come or go, after so many since ``begun``."""
    return begun + _PATIENCE + moved / _SLOWEST


async def _take_in(receive: Receive, body: IO[bytes], longest: int) -> int:
    """Write the whole body to a file; its length.

    TimeoutError for one that comes too slowly, OverflowError for one that is longer.
    """
    length, more, begun = 0, True, asyncio.get_running_loop().time()
    async with asyncio.timeout(_PATIENCE) as limit:
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise _GoneError
            piece, more = message.get("body", b""), message.get("more_body", False)
            length += len(piece)
            if length > longest:
                raise OverflowError
            body.write(piece)
            limit.reschedule(_deadline(begun, length))
    return length


async def _ended(reader: asyncio.Future[int]) -> None:
    """Stop reading a body that nobody wants; what came of it is of no interest."""
    reader.cancel()
    await asyncio.wait({reader})
    if not reader.cancelled():
        reader.exception()


def _environ(scope: AsgiScope) -> Environ:
    """The scope in WSGI's words (PEP 3333)."""
    host, port = scope.get("server") or ("localhost", None)
    client = scope.get("client") or ("", 0)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,  # the body ends where its file ends
    }
    for name, value in scope["headers"]:
        _add_header(environ, name.decode("latin-1").lower(), value.decode("latin-1"))
    return environ


def _add_header(environ: Environ, name: str, value: str) -> None:
    if "_" in name:  # would be taken for another one: X_Forwarded_For for X-Forwarded-For
        return
    key = _OWN_NAMES.get(name) or f"HTTP_{name.replace('-', '_').upper()}"
    before = environ.get(key)
    joint = "; " if name == "cookie" else ","
    environ[key] = value if before is None else f"{before}{joint}{value}"


def _call(app: WSGI, environ: Environ, body: IO[bytes]) -> _Answer:
    """Run the application and collect all of its answer, on disk where it is long."""
    said: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _failure: Any = None) -> None:
        said.append((status, headers))

    collected = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed when it is sent
    try:
        pieces = app({**environ, "wsgi.input": body}, start)
        try:
            length = sum(map(collected.write, pieces))
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
    except BaseException as failure:
        collected.close()
        if not isinstance(failure, Exception):
            raise
        _log.exception("a request failed outside the application's own error handler")
        return _refusal(500, "Something went wrong here; it was logged.")
    collected.seek(0)
    status, headers = said[-1]
    named = [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers]
    return _Answer(int(status[:3]), named, collected, length)


async def _give(answer: _Answer, send: Send) -> None:
    """Send the answer; a reader that is too slow for it is left."""
    headers = [*answer.headers, _NAME]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    begun, sent = asyncio.get_running_loop().time(), 0
    try:
        async with asyncio.timeout(_PATIENCE) as limit:
            while sent < answer.length:
                piece = answer.body.read(_PIECE)
                sent += len(piece)
                part = {"body": piece, "more_body": sent < answer.length}
                await send({"type": "http.response.body", **part})
                limit.reschedule(_deadline(begun, sent))
    except TimeoutError:
        _log.info("a reader was too slow for an answer of %d bytes", answer.length)
        raise  # the server then closes the connection
    if not answer.length:
        await send({"type": "http.response.body", "body": b""})


def make() -> Front:
    """The tracker behind its front, as the settings say."""
    _end_when_told()
    from tracker.app import create_app  # noqa: PLC0415 - takes seconds where others work too

    app = create_app()
    threads: int = app.extensions["tracker"].settings.server.threads
    return Front(app, threads=threads)


def _end_when_told() -> None:
    """Let SIGTERM and SIGINT end this worker while it is still starting.

    It is a fork of granian's main process, whose handlers only note the signal: the worker would go
    on to serve, and those who stop the site would wait until they lose patience. Granian sets the
    worker's own handlers once the application is there.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def program(
    host: str, port: int, *, workers: int, app: str = "tracker.front:make", log_level: str = "info"
) -> Sequence[str]:
    """The command that serves an application: granian, as ``tracker serve`` runs it.

    HTTP/1 alone: what speaks HTTP/2 stands in front, with its TLS.
    """
    return [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "asginl",
        "--http",
        "1",
        "--no-ws",
        "--host",
        host,
        "--port",
        str(port),
        "--workers",
        str(workers),
        "--log-level",
        log_level,
        "--backpressure",
        str(_CONNECTIONS),
        "--factory",
        app,
    ]


def allow_many_connections() -> None:
    """Let this process and its children open as many sockets as the system lets them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
