"""Files in and out, and the reminders that would be sent: import, export, remind."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import IO

import click
import orjson

from tracker.cli.doors import OPERATOR, complain, office, progress
from tracker.cli.values import DAY, REFERENCE
from tracker.services import exports, imports, reminders
from tracker.services.imports import KINDS, ImportRefused, Report
from tracker.services.reminders import Foreseen
from tracker.services.work import Office, Reading
from tracker.tabular import Dates, Encoding

_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Do all the work, and store nothing.")
@click.option(
    "--dates",
    type=click.Choice([d.value for d in Dates]),
    default=Dates.ISO.value,
    show_default=True,
    help="How to read dates like 03/04/2026; ISO dates are read always.",
)
@click.option(
    "--encoding",
    type=click.Choice([e.value for e in Encoding]),
    default=Encoding.UTF_8.value,
    show_default=True,
    help="How the letters of a CSV file are written; a workbook says it itself.",
)
@click.option(
    "--new-centers", is_flag=True, help="Add the assessment centers that are not on record."
)
def import_(
    kind: str, file: Path, *, dry_run: bool, dates: str, encoding: str, new_centers: bool
) -> None:
    """Import a CSV or XLSX file of a KIND: all of its rows, or none.

    Import the kinds in the order in which they are listed. Importing a file again changes
    nothing and says so. FILE may be - for standard input.
    """
    opened = office()
    name = "standard input" if str(file) == "-" else file.name
    source = sys.stdin.buffer if str(file) == "-" else file
    try:
        with progress(f"Importing {kind}") as tell, opened.work(OPERATOR) as work:
            report = imports.run(
                work, kind, source, filename=name, dates=Dates(dates), dry_run=dry_run,
                encoding=Encoding(encoding), on_progress=tell, new_centers=new_centers,
            )  # fmt: skip
            tell(report.rows)
    except ImportRefused as refusal:
        with opened.work(OPERATOR) as work:
            imports.record_run(work, refusal)
        raise
    _tell(report)


def _tell(report: Report) -> None:
    for warning in report.warnings:
        complain(f"warning: {report.filename}, {warning}")
    if report.total_warnings > len(report.warnings):
        complain(f"warning: ... and {report.total_warnings - len(report.warnings):,} more")
    click.echo(
        f"{report.kind}: {report.rows:,} rows: {report.created:,} created, "
        f"{report.changed:,} changed, {report.unchanged:,} unchanged"
    )
    for what, count in report.effects.items():
        click.echo(f"{what}: {count:,}")
    for change in report.consequences:
        click.echo(f"  {change}")
    if report.total_consequences > len(report.consequences):
        click.echo(f"  ... and {report.total_consequences - len(report.consequences):,} more")
    if report.dry_run:
        click.echo("This was a dry run: nothing was stored.")
    elif report.unchanged == report.rows:
        click.echo("Nothing changed.")


@click.group()
def export() -> None:
    """Write what is on record to a file or to standard output."""


@export.command("standings")
@click.option("--as-of", type=DAY, required=True, help="The date, such as 2026-11-21.")
@click.option(
    "--format", "format_", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True
)
@click.option("--output", type=_NEW_FILE, help="The file to write; else standard output.")
def export_standings(as_of: date, format_: exports.Format, output: Path | None) -> None:
    """One row per holder and scheme with an assessment on or before a date."""

    def write(reading: Reading, stream: IO[bytes]) -> None:
        exports.standings(reading, on=as_of, stream=stream, format=format_)

    if output is None and format_ == "xlsx" and sys.stdout.isatty():
        raise click.UsageError("A workbook cannot be shown on a terminal: give --output.")
    _write(office(), output, write)


@export.command("record")
@click.argument("holder_ref", type=REFERENCE)
@click.option("--output", type=_NEW_FILE, help="The file to write; else standard output.")
def export_record(holder_ref: str, output: Path | None) -> None:
    """Everything on record about one person, as JSON."""

    def write(reading: Reading, stream: IO[bytes]) -> None:
        found = exports.record(reading, holder_ref)
        stream.write(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))

    _write(office(), output, write)


def _write(
    opened: Office, output: Path | None, write: Callable[[Reading, IO[bytes]], None]
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
    """Write beside the file and put it in place when it is whole: nobody reads half of one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as stream:
            yield stream
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@click.command()
@click.option("--dry-run", is_flag=True, help="Say who would be written to and why; send nothing.")
@click.option("--as-of", type=DAY, help="With --dry-run: by the end of this day. Default: today.")
def remind(*, dry_run: bool, as_of: date | None) -> None:
    """Plan the reminders that are due and send them, once; or say which they would be."""
    if as_of is not None and not dry_run:
        raise click.UsageError("--as-of needs --dry-run: nothing is sent but what is due now.")
    opened = office()
    if dry_run:
        _foresee(opened, as_of)
        return
    from tracker import jobs  # noqa: PLC0415 - its libraries are for this command only

    _tell_job("planning", asdict(jobs.plan(opened)))
    _tell_job("sending", jobs.dispatch(opened))


def _tell_job(job: str, counts: Mapping[str, int]) -> None:
    done = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    click.echo(f"{job}: {done or 'nothing was due'}")


def _foresee(opened: Office, as_of: date | None) -> None:
    count = 0
    with opened.reading(OPERATOR) as reading:
        on = as_of or reading.now.date()
        for found in reminders.foresee(reading, as_of=on):
            click.echo(_line(found))
            count += found.fate == "planned"
    complain(f"{count:,} reminders would be sent by the end of {on}; nothing was sent.")


def _line(found: Foreseen) -> str:
    why = f" ({found.reason})" if found.reason else ""
    return (
        f"{found.holder_ref}  {found.address or 'no address'}  {found.scheme}  expires "
        f"{found.expires_on}  stage {found.offset}  {found.fate}{why}"
    )
