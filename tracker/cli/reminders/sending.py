"""tracker reminders enable and disable, tracker golive: whether messages may leave."""

from __future__ import annotations

import click

from tracker.cli.commands import OPERATOR, complain, container
from tracker.services.delivery import golive as service
from tracker.services.delivery import send_safety
from tracker.services.delivery.golive import MessageEstimate


@click.command()
@click.option("--reason", required=True, help="Why; kept in the history.")
def enable(reason: str) -> None:
    """Enable sending, whatever stopped it.

    First run `tracker doctor`, which says why nothing is sent, and `tracker golive --dry-run`,
    which says how much would be. After a restore, first read the relay's log (`tracker reminders
    relay-log`), so that nothing is sent twice.
    """
    with container().work(OPERATOR) as work:
        send_safety.enable(work, reason=reason)
    complain("Sending is enabled.")


@click.command()
@click.option("--reason", required=True, help="Why; kept in the history.")
def disable(reason: str) -> None:
    """Stop all sending at once.

    This includes messages that a scheduler has already claimed. Nothing is lost: once sending is
    enabled again, each certification's latest stage is sent.
    """
    with container().work(OPERATOR) as work:
        send_safety.disable(work, reason=reason)
    complain("Sending is disabled. To enable it again: `tracker reminders enable`.")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show the numbers; change nothing.")
@click.option(
    "--days", type=click.IntRange(1, 60), help="Spread late messages over this many days."
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--reason", default="tracker golive", help="Why; kept in the history.")
def golive(*, dry_run: bool, days: int | None, yes: bool, reason: str) -> None:
    """Show how many messages would be sent, then enable sending.

    Needed once before the first message of an installation, and after an import that brings more
    late messages than reminders.fuse_minimum. Reminders of the last week before expiration are
    sent at once; the others are spread, by default reminders.fuse_minimum a day.
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
    complain("Sending is enabled; the scheduler sends the messages.")


def _show(found: MessageEstimate, days: int) -> None:
    for stage, count in found.by_stage.items():
        when = f"{stage} days before" if stage >= 0 else f"{-stage} days after"
        click.echo(f"{count:>9,} reminders {when} expiration")
    if found.others:
        click.echo(f"{found.others:>9,} notices and digests")
    click.echo(f"{found.total:>9,} messages")
    if found.backlog and days > 1:
        click.echo(
            f"{found.backlog:,} reminders that are not due within a week of expiration are "
            f"spread over {days} days."
        )
