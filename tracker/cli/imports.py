"""Files read by the program: one of a kind, or a folder of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click

from tracker.cli.commands import OPERATOR, bulk_container, complain, progress
from tracker.services import imports
from tracker.services.core import turns
from tracker.services.core.context import Container, UnitOfWork
from tracker.services.imports import KINDS, ImportRefused, ImportReport, apart, folder
from tracker.services.imports.folder import FolderFile, FolderRefused
from tracker.tabular import Dates, Encoding

_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class _Options:
    """How files are read, and whether anything is stored."""

    dates: Dates
    encoding: Encoding
    dry_run: bool
    new_centers: bool


@click.command("import")
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.argument("file", type=_FILE, required=False)
@click.option(
    "--all", "from_folder", type=_FOLDER, help="Import a folder of files in one transaction."
)
@click.option("--dry-run", is_flag=True, help="Check everything; store nothing.")
@click.option(
    "--dates",
    type=click.Choice([d.value for d in Dates]),
    default=Dates.ISO.value,
    show_default=True,
    help="How to read dates such as 03/04/2026. ISO dates are always read.",
)
@click.option(
    "--encoding",
    type=click.Choice([e.value for e in Encoding]),
    default=Encoding.UTF_8.value,
    show_default=True,
    help="The encoding of a CSV file. A workbook states its own.",
)
@click.option("--new-centers", is_flag=True, help="Add assessment centers that are not on record.")
def import_(
    kind: str | None,
    file: Path | None,
    *,
    from_folder: Path | None,
    dry_run: bool,
    dates: str,
    encoding: str,
    new_centers: bool,
) -> None:
    """Import a file of a KIND, or a folder: all rows or none.

    Import the kinds in the listed order. Importing a file again changes
    nothing and says so. FILE is CSV or XLSX, or - for standard input.

    With --all, the files in the folder are imported in that order, each named after its kind
    (holders.csv, standing-changes.xlsx), in one transaction.
    """
    options = _Options(Dates(dates), Encoding(encoding), dry_run, new_centers)
    if from_folder is not None and kind is None:
        _import_folder(bulk_container(), from_folder, options)
    elif kind is not None and file is not None and from_folder is None:
        _import_file(bulk_container(), kind, file, options)
    else:
        raise click.UsageError("Name a KIND and a FILE, or --all with a folder.")


def _import_file(opened: Container, kind: str, file: Path, options: _Options) -> None:
    name = "standard input" if str(file) == "-" else file.name
    try:
        with ExitStack() as stack:
            tell = stack.enter_context(progress(f"Importing {kind}"))
            source = sys.stdin.buffer if str(file) == "-" else stack.enter_context(file.open("rb"))
            table = stack.enter_context(
                apart.unpacked(opened.settings, kind, source, encoding=options.encoding)
            )
            work = stack.enter_context(_work(opened, options))
            report = imports.run(
                work,
                kind,
                table,
                filename=name,
                dates=options.dates,
                dry_run=options.dry_run,
                on_progress=tell,
                new_centers=options.new_centers,
            )
            tell(report.rows)
    except ImportRefused as refusal:
        with opened.work(OPERATOR) as work:
            imports.record_run(work, refusal)
        raise
    _keep_checked(opened, [report])
    _tell(report)


@contextmanager
def _work(opened: Container, options: _Options) -> Iterator[UnitOfWork]:
    """The unit of work for an import; a dry run uses a copy, so that nobody waits for it."""
    if options.dry_run:
        with turns.rehearsing(opened.settings), opened.rehearsal(OPERATOR) as work:
            yield work
    else:
        with opened.work(OPERATOR) as work:
            yield work


def _keep_checked(opened: Container, reports: Sequence[ImportReport]) -> None:
    if any(report.dry_run for report in reports):
        with opened.work(OPERATOR) as work:
            for report in reports:
                imports.keep_checked(work, report)


def _import_folder(opened: Container, path: Path, options: _Options) -> None:
    files = folder.find(path)
    try:
        with ExitStack() as stack:
            tell = stack.enter_context(progress(f"Importing {path.name}"))
            tables = [_taken_apart(opened, file, options, stack) for file in files]
            work = stack.enter_context(_work(opened, options))
            reports = folder.run(
                work,
                tables,
                dates=options.dates,
                encoding=options.encoding,
                on_progress=tell,
                dry_run=options.dry_run,
                new_centers=options.new_centers,
            )
    except FolderRefused as refusal:
        with opened.work(OPERATOR) as work:
            for one in refusal.refusals:
                imports.record_run(work, one)
        raise
    _keep_checked(opened, reports)
    for report in reports:
        _tell_rows(report)
    _tell_end(reports)


def _taken_apart(
    opened: Container, file: FolderFile, options: _Options, stack: ExitStack
) -> FolderFile:
    with file.path.open("rb") as source:
        table = apart.unpacked(opened.settings, file.kind, source, encoding=options.encoding)
        return replace(file, table=stack.enter_context(table))


def _tell(report: ImportReport) -> None:
    _tell_rows(report)
    _tell_end([report])


def _tell_rows(report: ImportReport) -> None:
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


def _tell_end(reports: Sequence[ImportReport]) -> None:
    if reports[0].dry_run:
        click.echo("This was a dry run: nothing was stored.")
    elif all(report.unchanged == report.rows for report in reports):
        click.echo("Nothing changed.")
