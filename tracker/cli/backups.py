"""``tracker backup`` and ``tracker restore``: everything to a folder, and back."""

from __future__ import annotations

from pathlib import Path

import click

from tracker import backups, migrations, settings
from tracker.backups import BackupManifest, BackupRefused
from tracker.cli.commands import complain, container
from tracker.db import engine_of
from tracker.services.delivery import heartbeat

_FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option(
    "--without-keys", is_flag=True, help="Leave out the keys and checkpoints; keep them elsewhere."
)
def backup(folder: Path, *, without_keys: bool) -> None:
    """Back up the database, the evidence and the keys to a new folder.

    The site may go on meanwhile. Whoever can read the folder can read everything.
    """
    opened = container()
    try:
        made = backups.write(
            opened.engine,
            opened.settings.storage_directory,
            folder,
            migration=migrations.current(opened.engine),
            made_at=opened.clock().isoformat(),
            keys=not without_keys,
        )
    except BackupRefused as refused:
        raise click.ClickException(str(refused)) from refused
    click.echo(f"Backed up to {folder}: {_told(made)}.")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(folder: Path) -> None:
    """Restore a backup into an empty database and an empty storage directory.

    It is checked first, by the digests of its manifest. No email leaves until somebody enables it.
    """
    chosen = settings.load()
    engine = engine_of(chosen)
    try:
        made = backups.restore(engine, chosen.storage_directory, folder)
    except BackupRefused as refused:
        raise click.ClickException(str(refused)) from refused
    finally:
        engine.dispose()
    heartbeat.outrun(chosen)
    click.echo(f"Restored from {folder}: {_told(made)}.")
    if made.migration != migrations.head():
        complain("Run `tracker migrate`: the backup is of another release.")
    complain(
        "Then check it with `tracker history verify` and `tracker doctor`, have Tracker read the "
        "relay's log since the backup, and let email leave again with `tracker reminders enable`."
    )


def _told(made: BackupManifest) -> str:
    return f"{len(made.digests):,} files, {made.dialect} at version {made.migration}"
