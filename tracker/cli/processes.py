"""Setup and running: init, migrate, serve, scheduler, demo, bench."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from types import FrameType

import click

from tracker import front, logs, migrations, settings
from tracker.cli.commands import OPERATOR, complain, container, warn_of_no_production
from tracker.services.core import history_chain, tokens
from tracker.services.core.context import Container
from tracker.services.overview import integrity
from tracker.settings import ROOT

_PATIENCE = 30  # seconds that child processes get to end by themselves


@click.command()
def init() -> None:
    """Set up the database, the keys and the first token.

    Running it again changes nothing and says so.
    """
    chosen = settings.load()
    warn_of_no_production(chosen)
    keys = chosen.storage_directory / "keys"
    had = set(keys.glob("*"))
    opened = container()
    done = ["The keys were created."] if set(keys.glob("*")) - had else []
    if _upgrade(opened):
        done.append(f"The database was migrated to version {migrations.head()}.")
    secret = _first_token(opened)
    for line in done:
        complain(line)
    if secret:
        complain("The first administrator's token follows; it is not shown again.")
        click.echo(secret)
    elif not done:
        complain("Everything was in place already; nothing was changed.")


def _first_token(opened: Container) -> str | None:
    """The secret of a new admin token, if there was no usable one."""
    with opened.work(OPERATOR) as work:
        if tokens.has_administrator(work):
            return None
        return tokens.create(work, name="first administrator", role="admin")[1]


def _upgrade(opened: Container) -> bool:
    """Run all missing migrations; chain the history that older releases have recorded."""
    is_new = migrations.upgrade(opened.engine)
    with opened.work(OPERATOR) as work:
        history_chain.begin(work.session, work.history_keys)
    return is_new


@click.command()
def migrate() -> None:
    """Migrate the database to the newest version."""
    opened = container()
    before = migrations.current(opened.engine)
    if _upgrade(opened):
        click.echo(f"Migrated from {before or 'an empty database'} to {migrations.head()}.")
    else:
        click.echo(f"The database is already at the newest version ({before}).")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Number of processes. Default: one per core; 1 with SQLite.",
)
@click.option(
    "--threads", type=click.IntRange(1), help="Threads per process. Default: server.threads."
)
@click.option("--with-scheduler", is_flag=True, help="Also run the scheduler on this machine.")
def serve(
    host: str, port: int, *, workers: int | None, threads: int | None, with_scheduler: bool
) -> None:
    """Serve the HTTP API, until stopped."""
    opened = container()
    warn_of_no_production(opened.settings)
    with opened.reading(OPERATOR) as reading:
        obstacle = migrations.obstacle(reading.connection)
    if obstacle:
        complain(f"The database schema is {obstacle}: run `tracker migrate` first.")
        raise SystemExit(1)
    address = _free(host, port)
    on_sqlite = opened.engine.dialect.name == "sqlite"
    opened.engine.dispose()
    processes = workers or (1 if on_sqlite else os.cpu_count() or 1)
    from tracker.api.overview import operations  # noqa: PLC0415 - no other command needs the HTTP interface

    front.allow_many_connections()
    with tempfile.TemporaryDirectory(prefix="tracker-numbers-") as numbers:
        _tell_numbers(opened, numbers)
        web = [
            "env",
            f"{operations.COUNTED_IN}={numbers}",
            f"TRACKER_SERVER_THREADS={threads or opened.settings.server.threads}",
            *front.program(address, port, workers=processes),
        ]
        programs = [web, [sys.executable, "-m", "tracker.cli", "scheduler"]]
        status = _run_together(programs if with_scheduler else [web])
    raise SystemExit(status)


def _free(host: str, port: int) -> str:
    """The address of a host, once nobody else listens at the port.

    The server itself would share the port with another site, which would then get half of the
    requests.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, place = found[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except (OSError, UnicodeError) as refusal:
        why = refusal.strerror if isinstance(refusal, OSError) else "is not a host name"
        complain(f"Cannot listen at {host}, port {port}: {why}.")
        raise SystemExit(1) from refusal
    return str(place[0])


def _tell_numbers(opened: Container, directory: str) -> None:
    """Serve the metrics of all processes at their own address, if there is one."""
    from prometheus_client import start_http_server  # noqa: PLC0415 - as below

    from tracker.api.overview import operations  # noqa: PLC0415 - no other command needs it

    if place := opened.settings.metrics_address:
        address, port = _free(*place), place[1]
        start_http_server(port, address, operations.of_all(opened, directory))


def _run_together(programs: Sequence[Sequence[str]]) -> int:
    """Run programs until one ends or a signal comes; then end the others. Returns the exit status.

    They also end if this process is killed.
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    running: dict[int, subprocess.Popen[bytes]] = {}
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        for program in programs:
            started = _start(program, environment)
            running[started.pid] = started
        pid, status = os.wait()
        running[pid].returncode = os.waitstatus_to_exitcode(status)
        return os.waitstatus_to_exitcode(status)
    except KeyboardInterrupt:
        return 0
    finally:
        # A second signal waits with us: ending halfway would leave workers behind.
        asked = signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for process in running.values():
            process.terminate()
        for process in running.values():
            _wait(process)
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, asked)


def _start(program: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a program that ends with this one, in a process group of its own."""
    bound = [sys.executable, "-m", "tracker.cli.bound", str(os.getpid()), *program]
    return subprocess.Popen(bound, env=environment, process_group=0)  # noqa: S603 - our own program


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Let a program end; then end its remaining children, such as workers it was just starting."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(_PATIENCE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@click.command()
def scheduler() -> None:
    """Plan and send reminders on schedule, until stopped."""
    from tracker import scheduler as timetable  # noqa: PLC0415 - for this command only

    opened = container()
    logs.configure(opened.settings)
    warn_of_no_production(opened.settings)
    with opened.reading(OPERATOR) as reading:
        integrity.check_schemes(reading)
    timetable.run(opened)


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
def demo(port: int) -> None:
    """Run a demo site with invented data and a mail catcher."""
    from tracker import demo as site  # noqa: PLC0415 - no other command needs it

    site.main(port=port)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def bench(args: tuple[str, ...]) -> None:
    """Run the benchmarks, from a source checkout. ARGS are those of tests.benchmarks."""
    if not (ROOT / "tests" / "benchmarks").is_dir():
        complain(
            "tracker bench runs only from a source checkout: the benchmarks are not part of "
            "the installed package."
        )
        raise SystemExit(1)
    sys.path.insert(0, str(ROOT))
    raise SystemExit(import_module("tests.benchmarks").main(list(args)))
