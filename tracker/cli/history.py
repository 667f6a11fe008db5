"""``tracker history``: has anybody edited it; checkpoints, and keys for its chain."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from tracker import clock, jobs
from tracker.cli.commands import OPERATOR, complain, container, progress
from tracker.domain.history_chain import SHORTEST_KEY
from tracker.services.overview import history_checkpoints, history_checks
from tracker.services.overview.history_checks import VerifiedHistory


@click.group()
def history() -> None:
    """Check that nobody has edited the history; its keys."""


@history.command()
@click.option(
    "--checkpoints",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The directory of the checkpoints. Default: the configured one.",
)
def verify(checkpoints: Path | None) -> None:
    """Follow the chain of the history from end to end, and compare it with the checkpoints.

    Exits with status 1 and names the first entry or block that is not as it was written.
    """
    opened = container()
    directory = checkpoints or opened.settings.checkpoints_directory
    seen = history_checkpoints.read(directory, opened.history_keys)
    with opened.snapshot(OPERATOR) as reading, progress("Checking the history") as tell:
        found = history_checks.verify(reading, opened.history_keys, seen, on_progress=tell)
    if found.breach is not None:
        complain(str(found.breach))
        complain(f"Up to there, {_counted(found)}.")
        raise SystemExit(1)
    click.echo(f"The history is as it was written: {_counted(found)}.")


def _counted(found: VerifiedHistory) -> str:
    return (
        f"entries {found.entries:,}, blocks {found.blocks:,}, checkpoints {found.checkpoints:,}, "
        f"erased values {found.erased:,}"
    )


@history.command()
def checkpoint() -> None:
    """Write today's checkpoint now, as the scheduler does once a day."""
    opened = container()
    if jobs.checkpoint(opened):
        click.echo(f"Written to {opened.settings.checkpoints_directory}.")
    else:
        click.echo("There is one of today already, or nothing to write down yet.")


@history.command()
@click.option("--reason", required=True, help="Why these entries are genuine; it is recorded.")
def adopt(reason: str) -> None:
    """Chain entries that processes of a former release wrote beside the chain."""
    with container().work(OPERATOR) as work:
        count = history_checks.adopt(work, reason=reason)
    click.echo(f"Entries chained: {count:,}.")


@history.command("new-key")
def new_key() -> None:
    """Print a new key, to be put first into history.keys; older ones stay behind it."""
    click.echo(f"{clock.system():%Y%m%d}-{secrets.token_hex(3)}:{secrets.token_hex(SHORTEST_KEY)}")
