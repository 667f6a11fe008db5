"""Files written by the program, and the reminders that would be sent: export, remind."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import IO

import click
import orjson

from tracker.cli.commands import OPERATOR, complain, container
from tracker.cli.values import DAY, REFERENCE
from tracker.domain.delivery.reminders import StageOutcome
from tracker.services import imports
from tracker.services.core.context import Container, ReadContext
from tracker.services.delivery import golive, ledger, send_safety
from tracker.services.delivery.ledger import Foreseen
from tracker.services.overview import export_files, exports

_NEW_FILE = click.Path(dir_okay=False, path_type=Path)
_FEW = 25  # at most this many messages start an installation without `tracker golive`


@click.group(invoke_without_command=True)
@click.option(
    "--all",
    "into",
    type=click.Path(path_type=Path),
    help="Write one file of each kind to a folder.",
)
@click.pass_context
def export(context: click.Context, into: Path | None) -> None:
    """Export records to a file or to standard output.

    With --all to a new folder, a file of each kind: what `tracker import --all` reads.
    """
    if into is not None and context.invoked_subcommand is None:
        _export_all(into)
    elif into is not None or context.invoked_subcommand is None:
        raise click.UsageError("Name one of the commands below, or --all with a folder.")


def _export_all(into: Path) -> None:
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise click.UsageError(f"{into} already exists: name a new or an empty folder.")
    beside = into.with_name(f".{into.name}.{os.getpid()}.part")
    beside.mkdir(parents=True)
    try:
        with container().reading(OPERATOR) as reading:
            for kind in imports.FOLDER_KINDS:
                _export_kind(reading, kind, beside / f"{kind}.csv")
        if into.exists():
            into.rmdir()
        beside.rename(into)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    complain(f"Written: {into}")


def _export_kind(reading: ReadContext, kind: str, path: Path) -> None:
    """Write a kind's file; without rows it has the header alone, and can be imported too."""
    with path.open("wb") as stream:
        count = export_files.write(reading, kind, stream=stream)
    click.echo(f"{kind}: {count:,} rows")


def _register(kind: str) -> None:
    """A command that writes the file of a kind."""

    @export.command(kind, help=f"Export {kind} as a file for `tracker import`.")
    @click.option(
        "--format", "format_", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True
    )
    @click.option("--output", type=_NEW_FILE, help="The file to write. Default: standard output.")
    def export_kind(format_: exports.Format, output: Path | None) -> None:
        def write(reading: ReadContext, stream: IO[bytes]) -> None:
            export_files.write(reading, kind, stream=stream, format=format_)

        _check_terminal(format_, output)
        _write(container(), output, write)


def _check_terminal(format_: exports.Format, output: Path | None) -> None:
    if output is None and format_ == "xlsx" and sys.stdout.isatty():
        raise click.UsageError(
            "A workbook cannot be shown on a terminal: name a file with --output."
        )


for _kind in imports.FOLDER_KINDS:
    _register(_kind)


@export.command("standings")
@click.option("--as-of", type=DAY, required=True, help="The date, such as 2026-11-21.")
@click.option(
    "--format", "format_", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True
)
@click.option("--output", type=_NEW_FILE, help="The file to write. Default: standard output.")
def export_standings(as_of: date, format_: exports.Format, output: Path | None) -> None:
    """Export the status of every holder and scheme on a date.

    Includes everyone who had an assessment on or before the date.
    """

    def write(reading: ReadContext, stream: IO[bytes]) -> None:
        exports.standings(reading, on=as_of, stream=stream, format=format_)

    _check_terminal(format_, output)
    _write(container(), output, write)


@export.command("record")
@click.argument("holder_ref", type=REFERENCE)
@click.option("--output", type=_NEW_FILE, help="The file to write. Default: standard output.")
def export_record(holder_ref: str, output: Path | None) -> None:
    """Export everything on record about one person, as JSON."""

    def write(reading: ReadContext, stream: IO[bytes]) -> None:
        found = exports.record(reading, holder_ref)
        stream.write(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))

    _write(container(), output, write)


def _write(
    opened: Container, output: Path | None, write: Callable[[ReadContext, IO[bytes]], None]
) -> None:
    with opened.reading(OPERATOR) as reading:
        if output is None:
            write(reading, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        with replacing(output) as file:
            write(reading, file)
    complain(f"Written: {output}")


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write next to the file and move it into place when complete: nobody reads half a file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as stream:
            yield stream
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@click.command()
@click.option(
    "--dry-run", is_flag=True, help="List who would get which reminder and why; send nothing."
)
@click.option(
    "--as-of", type=DAY, help="With --dry-run: what is due by the end of this day. Default: today."
)
def remind(*, dry_run: bool, as_of: date | None) -> None:
    """Plan and send due reminders once, or list them."""
    if as_of is not None and not dry_run:
        raise click.UsageError("--as-of needs --dry-run, because only what is due now can be sent.")
    opened = container()
    if dry_run:
        _foresee(opened, as_of)
        return
    from tracker import jobs  # noqa: PLC0415 - its libraries are for this command only

    _tell_job("planning", asdict(jobs.plan(opened)))
    _begin(opened)
    _tell_job("sending", jobs.dispatch(opened))


def _begin(opened: Container) -> None:
    """Let the first messages of an installation leave if they are few; else exit with status 1."""
    with opened.work(OPERATOR) as work:
        if send_safety.is_new(work):
            found = golive.amount(work)
            if found.total <= _FEW:
                send_safety.enable(work, reason=f"tracker remind: the first {found.total} messages")
        obstacle = send_safety.obstacle(work)
    if obstacle:
        complain(f"Nothing was sent. {obstacle}")
        raise SystemExit(1)


def _tell_job(job: str, counts: Mapping[str, int]) -> None:
    done = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    click.echo(f"{job}: {done or 'nothing was due'}")


def _foresee(opened: Container, as_of: date | None) -> None:
    count = 0
    with opened.reading(OPERATOR) as reading:
        on = as_of or reading.now.date()
        for found in ledger.foresee(reading, as_of=on):
            click.echo(_line(found))
            count += found.fate == StageOutcome.PLANNED
    complain(f"{count:,} reminders would be sent by the end of {on}; nothing was sent.")


def _line(found: Foreseen) -> str:
    why = f" ({found.reason})" if found.reason else ""
    return (
        f"{found.holder_ref}  {found.address or 'no address'}  {found.scheme}  expires "
        f"{found.expires_on}  stage {found.offset}  {found.fate}{why}"
    )
