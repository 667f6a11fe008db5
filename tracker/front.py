"""A buffer between the server's event loop and the application's threads.

Under WSGI a request occupies a thread from its headers to its last byte, so eight clients with slow
connections occupy eight threads and block the site. Here a thread never waits for a client:

- the event loop receives the body, within a deadline, before a thread runs the application;
- if the body does not arrive with the headers, the application is called with the headers alone
  first. If it responds without reading the body (no token, no such path, too large), that is the
  response, and the body is never waited for;
- the response is collected before its first byte is sent, on disk if it is large, and the event
  loop sends it to the client, also within a deadline.

``make()`` is what an ASGI server serves (``granian --interface asginl --factory``).

Invariant: a route reads the body before it writes anything, because the application is called a
second time once the body is there.
"""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import resource
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any, NoReturn, TypeAlias
from wsgiref.types import WSGIEnvironment

from tracker import logs
from tracker.settings import Settings

_log = logging.getLogger(__name__)

AsgiMessage: TypeAlias = Mapping[str, Any]
"""What ASGI calls a scope or a message: values of several types by name."""
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[dict[str, object]], Awaitable[None]]
WSGI = Callable[[WSGIEnvironment, Callable[..., Any]], Iterable[bytes]]

_AT_ONCE = 0.05  # seconds within which a body that was sent with its headers arrives
_PATIENCE, _SLOWEST = 20.0, 16 * 1024  # seconds for a body or a response; bytes for 1 s more
_UNDECLARED = 1024 * 1024  # the most bytes of a body without Content-Length
_IN_MEMORY, _PIECE = 256 * 1024, 128 * 1024  # bytes
_CONNECTIONS, _FILES = 4096, 16_384  # at the same time, for each process
_NAME = (b"server", b"tracker")  # replaces the server's own header, which would reveal its software
_OWN_NAMES = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class _BodyWantedError(BaseException):
    """The application reads the body. Not an Exception, so that no error handler catches it."""


class _GoneError(Exception):
    """The client left before its request was complete."""


class _NotYet(io.RawIOBase):
    """A placeholder for the body while the application is called with the headers alone."""

    def readable(self) -> bool:
        """Always True; reading it raises."""
        return True

    def readinto(self, _buffer: object) -> NoReturn:
        """Signal that the application wants the body."""
        raise _BodyWantedError


@dataclass(frozen=True, slots=True)
class _Answer:
    """A complete response of the application; ``body`` is positioned at its start."""

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
    """An ASGI application around a WSGI application, which runs in ``threads`` threads."""

    def __init__(self, app: WSGI, *, threads: int) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")

    async def __call__(self, scope: AsgiMessage, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        if scope["type"] != "http":
            return
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as body:
            try:
                answer = await self._answered(scope, receive, body)
            except _GoneError:
                return
        with answer.body:
            await _give(answer, send)

    async def _answered(self, scope: AsgiMessage, receive: Receive, body: IO[bytes]) -> _Answer:
        environ = _environ(scope)
        declared = environ.get("CONTENT_LENGTH", "")
        chunked = "HTTP_TRANSFER_ENCODING" in environ
        if not chunked and declared in {"", "0"}:
            return await self._run(environ, io.BytesIO())
        if not chunked and not _is_length(declared):
            return _refusal(400, "Content-Length must be a number.")
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
            rule = "A body of more than a megabyte needs a Content-Length."
            return _refusal(411, rule)
        finally:
            await _ended(reader)
        body.seek(0)
        return await self._run({**environ, "CONTENT_LENGTH": str(length)}, body)

    async def _run(self, environ: WSGIEnvironment, body: IO[bytes]) -> _Answer:
        """Run the application in one of the threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _call, self._app, environ, body)


def _is_length(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16  # noqa: PLR2004 - digits


def _longest(declared: str) -> int:
    """The most bytes that a body may have; the application checks a declared length itself."""
    return int(declared) if declared else _UNDECLARED


def _deadline(begun: float, moved: int) -> float:
    """The loop time by which the next bytes must move, after ``moved`` bytes since ``begun``."""
    return begun + _PATIENCE + moved / _SLOWEST


async def _take_in(receive: Receive, body: IO[bytes], longest: int) -> int:
    """Write the whole body to a file; returns its length in bytes.

    Raises TimeoutError if it arrives too slowly, OverflowError if it is longer than ``longest``.
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
    """Stop reading a body that is not needed, and ignore the outcome."""
    reader.cancel()
    await asyncio.wait({reader})
    if not reader.cancelled():
        reader.exception()


def _environ(scope: AsgiMessage) -> WSGIEnvironment:
    """The WSGI environ for an ASGI scope (PEP 3333)."""
    host, port = scope.get("server") or ("localhost", None)
    client = scope.get("client") or ("", 0)
    environ: WSGIEnvironment = {
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


def _add_header(environ: WSGIEnvironment, name: str, value: str) -> None:
    if "_" in name:  # X_Forwarded_For would be taken for X-Forwarded-For
        return
    key = _OWN_NAMES.get(name) or f"HTTP_{name.replace('-', '_').upper()}"
    before = environ.get(key)
    joint = "; " if name == "cookie" else ","
    environ[key] = value if before is None else f"{before}{joint}{value}"


def _call(app: WSGI, environ: WSGIEnvironment, body: IO[bytes]) -> _Answer:
    """Run the application and collect its whole response, on disk if it is large."""
    said: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _failure: object = None) -> None:
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
        return _refusal(500, "Something went wrong on our side; the error was logged.")
    collected.seek(0)
    status, headers = said[-1]
    named = [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers]
    return _Answer(int(status[:3]), named, collected, length)


async def _give(answer: _Answer, send: Send) -> None:
    """Send the response. Raises TimeoutError for a client that is too slow."""
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
        _log.info("a client was too slow to read an answer of %d bytes", answer.length)
        raise  # the server then closes the connection
    if not answer.length:
        await send({"type": "http.response.body", "body": b""})


def make() -> Front:
    """The application behind its front, as the settings say."""
    _end_when_told()
    from tracker.app import create_app  # noqa: PLC0415 - takes seconds on a busy machine

    app = create_app()
    chosen: Settings = app.extensions["tracker"].settings
    logs.configure(chosen)
    # What exists now stays to the end. Unfrozen, Python's garbage collector walks through all of
    # it again and again: in evaluations in bulk that took a fifth of the time.
    gc.collect()
    gc.freeze()
    return Front(app, threads=chosen.server.threads)


def _end_when_told() -> None:
    """Let SIGTERM and SIGINT end this worker while it is still starting.

    The worker is a fork of granian's main process, whose handlers only note the signal: the worker
    would go on to serve, and stopping the site would run into a timeout. Granian sets the worker's
    own handlers once the application is loaded.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def program(
    host: str, port: int, *, workers: int, app: str = "tracker.front:make", log_level: str = "info"
) -> Sequence[str]:
    """The command line that serves an application with granian, as ``tracker serve`` runs it.

    Only HTTP/1: the proxy in front handles HTTP/2 and TLS.
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
    """Raise the limit of open files for this process and its children, up to ``_FILES``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
