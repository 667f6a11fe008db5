"""The ledger of letters, by hand."""

import click

from tracker.cli.reminders import queue
from tracker.cli.reminders.audit import audit
from tracker.cli.reminders.bounces import bounces
from tracker.cli.reminders.calendar import calendar
from tracker.cli.reminders.preview import preview
from tracker.cli.reminders.relay import relay_key, relay_log

__all__ = ["reminders"]

reminders = click.Group(
    name="reminders",
    help="Look into the ledger of reminders and letters, and mend it.",
    commands=[audit, bounces, calendar, preview, *queue.commands, relay_key, relay_log],
    no_args_is_help=True,
)
