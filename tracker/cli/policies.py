"""Policy versions: schemes diff, publish and repair, and the warnings of schemes check."""

from __future__ import annotations

import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import IO

import click
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from tracker import migrations, settings
from tracker import scheme_files as files
from tracker.cli.commands import OPERATOR, bulk_container, complain, container, progress
from tracker.cli.files import replacing
from tracker.cli.policy_reports import ImpactReport
from tracker.cli.values import DAY, words
from tracker.domain.schemes.schemes import Scheme, Schemes
from tracker.scheme_files import SchemesRefusedError
from tracker.services.core.context import Container
from tracker.services.credentials import policy_impact, policy_versions
from tracker.services.credentials.policy_impact import PolicyRepair, Repaired, Version
from tracker.services.overview.findings import MENDING

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.option("--scheme", "code", help="Required if several schemes have these versions.")
@click.option("--as-of", type=DAY, required=True, help="The date, such as 2026-11-21.")
@click.option(
    "--file", "file", type=_FILE, help="A scheme file, not installed yet, that contains NEW."
)
@click.option("--json", "form", flag_value="json", help="Print one JSON object.")
@click.option(
    "--csv", "form", flag_value="csv", help="Print a CSV table of all facts before and after."
)
def diff(
    old: str, new: str, *, code: str | None, as_of: date, file: Path | None, form: str | None
) -> None:
    """List the certifications for which version NEW gives a different result than OLD.

    Both versions are applied to every certification of the scheme on a day: points,
    requirement, verdict, and the dates that decide the status. Nothing is stored.
    """
    opened = bulk_container()
    one, other = _versions(opened, old, new, code, file)
    on, scheme = as_of, one.scheme.code
    with ImpactReport() as report:
        with progress(f"Comparing {old} and {new}") as tell, opened.reading(OPERATOR) as reading:
            for found in policy_impact.diff(reading, one, other, on=on, on_progress=tell):
                report.add(found)
        if form == "json":
            _write(report.json(scheme=scheme, old=old, new=new, as_of=on))
        elif form == "csv":
            _write(report.csv())
            for line in report.totals():
                complain(line)
        else:
            _write(report.text())


def _write(chunks: Iterable[bytes]) -> None:
    for chunk in chunks:
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def _versions(
    opened: Container, old: str, new: str, code: str | None, file: Path | None
) -> tuple[Version, Version]:
    """OLD from the installed schemes, and NEW from them or from the file."""
    with_file = opened.schemes
    if file is not None:
        with_file, code_of_file = _with(opened.settings.schemes_directory, file)
        if code not in {None, code_of_file}:
            raise click.UsageError(f"{file} contains scheme {code_of_file}, not {code}.")
        code = code_of_file
    scheme = opened.schemes[code] if code else _only(opened.schemes, old, new)
    found = with_file[scheme.code]
    return (
        Version(scheme, policy_versions.version(scheme, old)),
        Version(found, policy_versions.version(found, new)),
    )


def _only(schemes: Schemes, *versions: str) -> Scheme:
    """The one scheme that has these versions."""
    found = [s for s in schemes if {p.version for p in s.policies}.issuperset(versions)]
    if len(found) != 1:
        codes = ", ".join(s.code for s in found or schemes)
        has = "Several schemes have" if found else "No scheme has"
        raise click.UsageError(f"{has} these versions: give --scheme, one of: {codes}.")
    return found[0]


def _with(directory: Path, file: Path) -> tuple[Schemes, str]:
    """The installed schemes, with this file replacing the one of the same scheme.

    They are read together, because schemes refer to each other.
    """
    code = _code(file)
    with tempfile.TemporaryDirectory() as together:
        for path in directory.glob("*.toml"):
            if code is None or _code(path) != code:
                shutil.copy(path, together)
        shutil.copy(file, together)
        return files.load(Path(together)), str(code)


def _code(path: Path) -> object:
    """The code in a scheme file; None if it cannot be read: loading says why."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig")).get("code")
    except ValueError:
        return None


@click.command("publish")
@click.argument("code")
@click.argument("version")
@click.option(
    "--note", type=words(2000), required=True, help="Why, and who decided it; kept in the history."
)
def publish(code: str, version: str, *, note: str) -> None:
    """Record that VERSION of scheme CODE is published with the text it has in its file.

    From then on `tracker schemes check` and `tracker doctor` warn if the file is edited.
    """
    opened = container()
    with opened.work(OPERATOR) as work:
        done = policy_versions.publish(work, code, version, note=note)
    if done.new:
        click.echo(f"Published: scheme {code}, version {version}, sha256 {done.sha256}")
    else:
        click.echo(
            f"It was already published on {done.at:%Y-%m-%d} with the same text; nothing "
            "was changed."
        )


@click.command("repair")
@click.argument("code")
@click.option("--from", "old", required=True, help="The version that was wrong.")
@click.option(
    "--to", "new", required=True, help="The later version whose `corrects` names that one."
)
@click.option("--dry-run", is_flag=True, help="List what would change; store nothing.")
@click.option("--as-of", type=DAY, help="The day for which results are compared. Default: today.")
@click.option("--csv", "file", type=_NEW_FILE, help="Also write the list to this file.")
def repair(
    code: str, *, old: str, new: str, dry_run: bool, as_of: date | None, file: Path | None
) -> None:
    """Move every cycle of scheme CODE from a wrong version to the version that corrects it.

    First install the new version's file and restart the servers. Renewals that were decided stay
    as they are. Running it again changes nothing and says so.
    """
    opened, asked = bulk_container(), PolicyRepair(code, old, new, as_of)
    with ImpactReport() as report, ExitStack() as until_written:
        table = until_written.enter_context(replacing(file)) if file else None
        done = _foresee(opened, asked, report) if dry_run else _repair(opened, asked, report, table)
        if dry_run and table:
            table.writelines(report.csv())
        _tell(report, done, asked, dry_run=dry_run)
    if file:
        complain(f"Written: {file}")


def _foresee(opened: Container, asked: PolicyRepair, report: ImpactReport) -> Repaired:
    with progress(f"Examining {asked.scheme}") as tell, opened.reading(OPERATOR) as reading:
        return policy_impact.foresee(reading, asked, on_progress=tell, tell=report.add)


def _repair(
    opened: Container, asked: PolicyRepair, report: ImpactReport, table: IO[bytes] | None
) -> Repaired:
    """Repair, but write the list before anything is stored: a full disk then changes nothing."""
    with progress(f"Repairing {asked.scheme}") as tell, opened.work(OPERATOR) as work:
        done = policy_impact.repair(work, asked, on_progress=tell, tell=report.add)
        if table:
            table.writelines(report.csv())
    return done


def _tell(report: ImpactReport, done: Repaired, asked: PolicyRepair, *, dry_run: bool) -> None:
    if not done.cycles:
        click.echo(f"No cycle is governed by version {asked.old}; nothing was changed.")
        return
    _write(report.text())
    verb = "would be moved" if dry_run else "put"
    click.echo(f"Cycles {verb} from {asked.old} to {asked.new}: {done.cycles:,}")
    if dry_run:
        click.echo("This was a dry run: nothing was stored.")


def warn_of_breaches(found: Schemes) -> None:
    """Warn of published versions that differ from these files, if there is a database.

    No database is created for it: an author of scheme files need not have one.
    """
    chosen = settings.load()
    url = make_url(chosen.database.url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return
    try:
        opened = container(chosen)
        if migrations.current(opened.engine) != migrations.head():
            return
        with opened.reading(OPERATOR) as reading:
            for breach in policy_versions.breaches(reading, found):
                if breach.scheme in found.by_code:  # a directory of drafts may hold only a few
                    complain(f"warning: {breach}. {MENDING}")
    except (SQLAlchemyError, SchemesRefusedError) as error:
        complain(f"Not compared with what was published: {str(error).splitlines()[0]}")


COMMANDS = (diff, publish, repair)
