"""Values on the command line, read by the same rules as everywhere (``tracker.domain.values``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Generic, TypeVar

import click

from tracker.domain import values
from tracker.domain.periods import Period
from tracker.domain.permissions import ORGANIZATIONS

OptionValue = TypeVar("OptionValue")


class Ruled(click.ParamType[OptionValue], Generic[OptionValue]):
    """An argument read by a rule; a refusal names the argument and the rule."""

    def __init__(self, name: str, rule: Callable[[str], OptionValue]) -> None:
        self.name, self._rule = name, rule

    def convert(
        self, value: str | OptionValue, param: click.Parameter | None, ctx: click.Context | None
    ) -> OptionValue:
        """The value; fails with the rule that it breaks."""
        if not isinstance(value, str):
            return value
        try:
            return self._rule(value)
        except ValueError as refusal:
            self.fail(f"{value!r} {refusal}", param, ctx)


def _days(text: str) -> Period:
    first, dots, last = text.partition("..")
    if not dots:
        raise ValueError("must be two dates, such as 2026-03-01..2026-06-30")
    return Period(values.day(first), values.day(last))


DAY = Ruled[date]("YYYY-MM-DD", values.day)
DAYS = Ruled[Period]("FROM..TO", _days)
REFERENCE = Ruled[str]("REF", values.reference)


def choice(options: Iterable[str]) -> click.Choice[str]:
    """One of a few words. Of an enum click would ask for the names of its members."""
    return click.Choice([str(option) for option in options])


def words(longest: int) -> Ruled[str]:
    """A line of text of at most ``longest`` characters."""
    return Ruled("TEXT", lambda text: values.line(text, longest))


def of_organizations(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each kind of organization, which names it."""
    for role in reversed(ORGANIZATIONS):
        about = f"For the role {role}: its name, as it is spelled on record."
        option = click.option(f"--{role}", type=words(200), metavar="NAME", help=about)
        command = option(command)
    return command
