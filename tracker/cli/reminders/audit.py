"""tracker reminders audit: whether every stage that was due has exactly one row."""

from __future__ import annotations

from datetime import date

import click

from tracker.cli.commands import OPERATOR, complain, container
from tracker.cli.values import DAY
from tracker.services.delivery import ledger


@click.command()
@click.option("--since", type=DAY, help="Check only stages due on or after this day. Default: all.")
def audit(since: date | None) -> None:
    """Check that every due stage has exactly one row.

    Lists the stages that have none; exits with status 1 if there are any.
    """
    with container().reading(OPERATOR) as reading:
        found = ledger.identity_violations(reading, since=since)
    for one in found:
        click.echo(
            f"{one.certification_id}  cycle {one.cycle}  expires {one.expires_on}  "
            f"stage {one.offset}  due {one.due_at:%Y-%m-%dT%H:%M:%SZ}"
        )
    if found:
        complain(f"Due stages without a row: {len(found):,}. Is the scheduler running?")
        raise SystemExit(1)
    complain("Every due stage has exactly one row.")
