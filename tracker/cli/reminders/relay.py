"""tracker reminders relay-log and relay-key: what the relay accepted, and how it may report."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import click
from sqlalchemy.exc import InterfaceError, OperationalError

from tracker.cli.commands import OPERATOR, complain, container, progress
from tracker.mail.postfix import Log
from tracker.services.core.context import Container
from tracker.services.delivery import relay_evidence
from tracker.services.delivery.reaper import Acceptance

_LINES, _SECONDS = 5_000, 2.0  # the most lines and seconds per transaction


def _zone(_context: object, _parameter: object, name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    if name not in available_timezones():
        raise click.BadParameter("must be an IANA time zone such as America/Chicago")
    return ZoneInfo(name)


@click.command("relay-log")
@click.argument(
    "source", type=click.Path(exists=True, dir_okay=False, path_type=Path, allow_dash=True)
)
@click.option(
    "--time-zone",
    "zone",
    callback=_zone,
    metavar="NAME",
    help="The time zone of times without one. Default: this machine's.",
)
@click.option(
    "--incomplete",
    is_flag=True,
    help="Lines may be missing: do not take a message for unsent because the log lacks it.",
)
def relay_log(source: Path, zone: ZoneInfo | None, *, incomplete: bool) -> None:
    """Read from a Postfix log which messages were accepted.

    Evidence is complete up to the last line if the log begins before the earlier evidence ends, or
    before any message in doubt; reading an older file again undoes nothing. Keep it
    running with `tail -n +1 -F /var/log/mail.log | tracker reminders relay-log -`.
    """
    opened = container()
    log = Log(opened.settings.mail.message_id_domain, zone=zone)
    is_piped = str(source) == "-"
    pieces = _arriving(sys.stdin) if is_piped else _pieces(source)
    taken, complete, read = 0, False, 0
    with progress("relay log") as tell:
        for lines in pieces:
            found, complete = _take(opened, log, lines, incomplete=incomplete, patient=is_piped)
            taken, read = taken + found, read + len(lines)
            tell(read)
    click.echo(f"{read:,} lines read: the relay accepted {taken:,} messages.")
    if not incomplete:
        _say(log.complete_until if complete else None)


def _take(
    opened: Container, log: Log, lines: list[str], *, incomplete: bool, patient: bool
) -> tuple[int, bool]:
    """Record one piece of the log in one transaction; a pipe waits while the database is away."""
    found = log.read(lines, now=opened.clock())
    accepted = [Acceptance(one.message_id, one.at, one.queue_id) for one in found]
    until = None if incomplete else log.complete_until
    while True:
        try:
            with opened.work(OPERATOR) as work:
                return len(found), relay_evidence.take_log(
                    work, accepted, begins=log.begins, until=until
                )
        except (OperationalError, InterfaceError):
            if not patient:
                raise
            complain("The database is unavailable; this part of the log is kept until it is back.")
            time.sleep(_SECONDS)


def _say(until: datetime | None) -> None:
    if until is None:
        complain(
            "The evidence is incomplete: some messages in doubt were sent before this log begins."
        )
    else:
        complain(f"The evidence is complete up to {until:%Y-%m-%dT%H:%M:%SZ}.")


def _pieces(source: Path) -> Iterator[list[str]]:
    with source.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        while piece := list(islice(lines, _LINES)):
            yield piece


def _arriving(lines: Iterable[str]) -> Iterator[list[str]]:
    """Lines as they come, in pieces that wait no longer than two seconds."""
    arrived: queue.Queue[str | None] = queue.Queue(maxsize=2 * _LINES)

    def fetch() -> None:
        for line in lines:
            arrived.put(line)
        arrived.put(None)

    threading.Thread(target=fetch, daemon=True).start()
    line = arrived.get()
    while line is not None:
        piece, ends = [line], time.monotonic() + _SECONDS
        while len(piece) < _LINES and (left := ends - time.monotonic()) > 0:
            try:
                line = arrived.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                yield piece
                return
            piece.append(line)
        yield piece
        line = arrived.get()


@click.command("relay-key")
def relay_key() -> None:
    """Print the key that signs requests to /api/v1/relay-events.

    Anyone who has the key can report bounces. To change it, delete keys/relay-events.key in the
    storage directory and restart all processes.
    """
    click.echo(container().relay_key.decode())
