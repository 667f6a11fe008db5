"""``tracker retention``: delete what is past its period, or say what would be."""

from __future__ import annotations

import click

from tracker import jobs
from tracker.cli.commands import OPERATOR, container
from tracker.services.overview import retention as rules


@click.command()
@click.option("--dry-run", is_flag=True, help="Say how many rows would go, and delete none.")
def retention(*, dry_run: bool) -> None:
    """Delete what is past its period, or say what would be."""
    opened = container()
    if dry_run:
        with opened.reading(OPERATOR) as reading:
            counts = rules.due(reading)
    else:
        counts = dict(jobs.retain(opened))
    privacy = opened.settings.privacy
    for name, rule in rules.RULES.items():
        click.echo(f"{name}: {counts.get(name, 0):,} (kept for {rule.days(privacy)} days)")
