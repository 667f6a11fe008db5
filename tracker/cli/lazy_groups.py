"""Groups whose commands are imported when they run, so that help is fast.

Every start of the program reads this module. It imports only click.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

_OWN_USER_ALONE = 0o077


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a command is defined, as ``module:name``, and its line in the help of its group.

    The line is the first sentence of the command's own help; a test compares them.
    """

    place: str
    summary: str

    def command(self) -> click.Command:
        """The command itself; imports its module."""
        module, _, name = self.place.partition(":")
        found: click.Command = getattr(import_module(module), name)
        return found


class LazyGroup(click.Group):
    """A group that imports a command when it runs, and none to list them."""

    def __init__(self, *, entries: Mapping[str, LazyCommand], **options: Any) -> None:
        super().__init__(no_args_is_help=True, **options)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, sorted."""
        return sorted(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the library's signature
        """The command of that name, or None."""
        entry = self.entries.get(cmd_name)
        return entry.command() if entry else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names with their lines."""
        names = self.list_commands(ctx)
        room = formatter.width - 6 - max(map(len, names))  # the same computation as click's
        rows = [(name, _shown(self.entries[name].summary, room)) for name in names]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _shown(summary: str, room: int) -> str:
    return click.Command("any", help=summary).get_short_help_str(room)


class LazyProgram(LazyGroup):
    """The whole program: refusals go to standard error, and the exit status is then 1.

    Files written by it and by the programs that it starts are private to their user.
    """

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program; arguments as click takes them."""
        before = os.umask(_OWN_USER_ALONE)
        try:
            return super().main(*args, **kwargs)
        finally:
            os.umask(before)

    def invoke(self, ctx: click.Context) -> object:
        """Run the given command."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click handles it; it ends quietly when the reader has gone
        except Exception as failure:
            from tracker.cli import refusals  # noqa: PLC0415 - knows every service's errors

            if not isinstance(failure, refusals.KNOWN):
                raise
            for line in refusals.words(failure):
                click.echo(line, err=True)
            raise SystemExit(1) from failure
