"""tracker reminders enable and disable, tracker golive: whether messages may leave."""

from __future__ import annotations

import click

from tracker.cli.commands import OPERATOR, complain, container
from tracker.services.delivery import golive as service
from tracker.services.delivery import send_safety
from tracker.services.delivery.golive import MessageEstimate


@click.command()
@click.option("--reason", required=True, help="Stands in the history.")
def enable(reason: str) -> None:
    """Allow messages to leave this database where it lies now, whatever stopped them.

    Look first at `tracker doctor`, which says why they do not leave, and at `tracker golive
    --dry-run`, which says how many would. After a restore have the relay's log read first
    (`tracker reminders relay-log`): then what was sent before is not sent again.
    """
    with container().work(OPERATOR) as work:
        send_safety.enable(work, reason=reason)
    complain("Messages may leave this database.")


@click.command()
@click.option("--reason", required=True, help="Stands in the history.")
def disable(reason: str) -> None:
    """Stop every message at once, those included that a scheduler has already taken up.

    Nothing is lost: once sending is enabled again, the latest stage of each certification is sent.
    """
    with container().work(OPERATOR) as work:
        send_safety.disable(work, reason=reason)
    complain("No message leaves this database. Allow it again: `tracker reminders enable`.")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show the amount; nothing is written.")
@click.option("--days", type=click.IntRange(1, 60), help="Spread what is late over so many days.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--reason", default="tracker golive", help="Stands in the history.")
def golive(*, dry_run: bool, days: int | None, yes: bool, reason: str) -> None:
    """Show how many messages would leave, by stage and by day; then let them.

    Needed once before the first message of an installation, and after an import that brings more
    late messages than reminders.fuse_minimum. Reminders of the last week before an expiry leave at
    once; the others are spread, by default at reminders.fuse_minimum a day.
    """
    opened = container()
    with opened.reading(OPERATOR) as reading:
        found = service.amount(reading)
    over = days or found.days(opened.settings.reminders.fuse_minimum)
    _show(found, over)
    if dry_run:
        complain("Nothing was sent or changed.")
        return
    if not yes:
        click.confirm("Send them?", abort=True, err=True)
    service.plan_all(opened)
    with opened.work(OPERATOR) as work:
        leaving = service.spread(work, days=over)
        send_safety.enable(work, reason=reason)
    for on, count in leaving.items():
        click.echo(f"{on}: {count:,} messages")
    complain("Messages may leave this database; the scheduler sends them.")


def _show(found: MessageEstimate, days: int) -> None:
    for stage, count in found.by_stage.items():
        when = f"{stage} days before" if stage >= 0 else f"{-stage} days after"
        click.echo(f"{count:>9,} reminders {when} the expiry")
    if found.others:
        click.echo(f"{found.others:>9,} notices and digests")
    click.echo(f"{found.total:>9,} messages")
    if found.backlog and days > 1:
        click.echo(f"{found.backlog:,} reminders of more than a week ahead leave over {days} days.")
