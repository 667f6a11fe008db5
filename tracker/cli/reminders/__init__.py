"""The ledger of letters, by hand: audit."""

import click

from tracker.cli.reminders.audit import audit

__all__ = ["reminders"]

reminders = click.Group(
    name="reminders",
    help="Look into the ledger of reminders and letters, and mend it.",
    commands=[audit],
    no_args_is_help=True,
)
