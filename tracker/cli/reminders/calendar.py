"""tracker reminders calendar: what is due in the days ahead, a bar for each day."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

import click

from tracker.cli.commands import OPERATOR, complain, container
from tracker.services.delivery import reminder_calendar
from tracker.services.delivery.reminder_calendar import StageCalendar, StageCount

_WIDTH = 40


@click.command()
@click.option(
    "--days", type=click.IntRange(1, reminder_calendar.LONGEST), default=90, show_default=True
)
def calendar(days: int) -> None:
    """Show how many stages fall due on each of the next days.

    Today includes what is overdue. A * marks stages that are skipped once points are complete.
    """
    with container().reading(OPERATOR) as reading:
        found = reminder_calendar.ahead(reading, days=days)
    for line in _lines(found):
        click.echo(line)
    total = sum(one.count for one in found.due)
    complain(f"{total:,} stages fall due by {found.through_on}.")


def _lines(found: StageCalendar) -> list[str]:
    by_day: dict[date, list[StageCount]] = defaultdict(list)
    for one in found.due:
        by_day[one.on].append(one)
    totals = {on: sum(one.count for one in some) for on, some in by_day.items()}
    most = max(totals.values(), default=1)
    days = (found.through_on - found.from_on).days + 1
    return [
        _line(on, by_day.get(on, []), totals.get(on, 0), most)
        for on in (found.from_on + timedelta(days=n) for n in range(days))
    ]


def _line(on: date, due: list[StageCount], total: int, most: int) -> str:
    """The day, its number, a bar in proportion to the fullest day, and the stages."""
    length = -(-total * _WIDTH // most)
    parts = ", ".join(
        f"{one.scheme} {one.stage}{'' if one.when_complete else '*'}: {one.count:,}" for one in due
    )
    return f"{on:%a %Y-%m-%d}  {total:>7,}  {'#' * length:<{_WIDTH}}  {parts}".rstrip()
