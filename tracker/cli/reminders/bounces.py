"""tracker reminders bounces: messages that came back, complaints, unsubscriptions by mail."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from tracker.cli.commands import OPERATOR, complain, container, progress
from tracker.mail import reports
from tracker.services.core.context import Container
from tracker.services.delivery import bounces as service

_WORDS = {
    "hard": "permanent failures",
    "soft": "temporary failures",
    "refused": "rejected because of our content or reputation",
    "complaint": "complaints",
    "unsubscribed": "unsubscribed",
    "delayed": "delays",
    "automatic": "automatic answers",
    "known": "already processed",
    "unknown": "not about our messages",
    "other": "something else",
    "malformed": "malformed",
}


@click.command()
@click.argument(
    "source", default="-", type=click.Path(exists=True, path_type=Path, allow_dash=True)
)
def bounces(source: Path) -> None:
    """Process bounces from an mbox file, a Maildir, or -.

    From standard input it reads one message, as mail systems pipe it. Only addresses that we
    signed count. Reading the same messages again changes nothing. A message that cannot be read is
    reported by its position, and the others are processed; the exit status is then 1. From
    standard input it is 75 while the database is unavailable: the mail system tries again.
    """
    opened, counts = container(), Counter[str]()
    with progress("bounces") as tell:
        for number, (place, data) in enumerate(_messages(source), start=1):
            counts[_one(opened, place, data, piped=str(source) == "-")] += 1
            tell(number)
    summary = ", ".join(f"{counts[key]:,} {word}" for key, word in _WORDS.items() if counts[key])
    click.echo(f"{counts.total():,} messages" + (f": {summary}." if summary else "."))
    if counts["malformed"]:
        raise SystemExit(1)


def _one(opened: Container, place: str, data: bytes, *, piped: bool) -> str:
    """Process one message in one transaction."""
    try:
        incoming = reports.read(data)
    except reports.UnreadableMessage as no:
        complain(f"{place}: {no}")
        return "malformed"
    try:
        with opened.work(OPERATOR) as work:
            return service.take(work, opened.message_key, incoming)
    except SQLAlchemyError:
        if piped:
            complain("The database is unavailable; try again.")
            raise SystemExit(os.EX_TEMPFAIL) from None
        raise


def _messages(source: Path) -> Iterator[tuple[str, bytes]]:
    """Each message with its location: its offset in the file, or its own file."""
    if str(source) == "-":
        data = sys.stdin.buffer.read(reports.LARGEST)
        yield "standard input", reports.without_from_line(data)
    elif source.is_dir():
        for folder in ("new", "cur"):
            for file in sorted((source / folder).glob("*")):
                with file.open("rb") as opened:
                    yield str(file), opened.read(reports.LARGEST)
    else:
        with source.open("rb") as lines:
            for offset, data in reports.each_of_mbox(lines):
                yield f"{source}: message at byte {offset:,}", data
