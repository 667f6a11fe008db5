"""What every command needs: the office, refusals as words and exit status, progress."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from types import FrameType
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tracker.app import create_office
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.schemes import SchemesRefusedError
from tracker.services.imports import ImportRefused
from tracker.services.imports.folder import FolderRefused
from tracker.services.work import Office
from tracker.settings import Settings, SettingsRefusedError

OPERATOR = Actor(role="admin", name="operator")
DAY = click.DateTime(formats=["%Y-%m-%d"])


class Commands(click.Group):
    """A group whose commands say what was refused, on standard error, and end with status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # click ends quietly when nobody reads on
        except (Refusal, SettingsRefusedError, SchemesRefusedError, SQLAlchemyError, OSError) as no:
            for line in _words(no):
                complain(line)
            raise SystemExit(1) from no


def _words(refusal: Exception) -> Iterator[str]:
    """What to tell of a refusal or a failure."""
    if isinstance(refusal, FolderRefused):
        yield from _of_folder(refusal)
    if isinstance(refusal, ImportRefused):
        yield from map(str, refusal.errors)
        if refusal.total > len(refusal.errors):
            yield f"... and {refusal.total - len(refusal.errors):,} more"
    if isinstance(refusal, SQLAlchemyError):
        cause = refusal.orig if isinstance(refusal, DBAPIError) else refusal
        yield f"The database said no: {str(cause).strip()}"
        yield "See what is wrong with `tracker doctor`."
        return
    yield refusal.detail if isinstance(refusal, Refusal) else str(refusal)
    if isinstance(refusal, Invalid):
        yield from (f"  {field}: {rule}" for field, rule in refusal.fields.items())


def _of_folder(refusal: FolderRefused) -> Iterator[str]:
    """What was found in each file of a folder."""
    for report in refusal.checked:
        yield f"{report.filename}: {report.rows:,} rows are fine"
    for one in refusal.refusals:
        yield from _words(one)
    for name in refusal.unchecked:
        yield (
            f"{name}: its cells are fine; its rows were not compared with the record, which lacks "
            "those of the refused file"
        )


def complain(text: str) -> None:
    """Say something on standard error."""
    click.echo(text, err=True)


def office(given: Settings | None = None) -> Office:
    """The application's office, for a command that needs the database; closed at its end."""
    made = create_office(given)
    click.get_current_context().call_on_close(made.engine.dispose)
    return made


def day(value: Any) -> date | None:
    """The date that an option gave, if it was given."""
    found: date | None = value.date() if value is not None else None
    return found


@contextmanager
def _interrupts() -> Iterator[Callable[[], None]]:
    """Keep Ctrl-C until the next look; pressed again, it interrupts at once.

    Python drops an exception that comes up in a finalizer, so the first is not raised there.
    """
    pressed = False

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            signal.default_int_handler(number, frame)
        pressed = True

    def look() -> None:
        if pressed:
            raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:  # as it is for what a shell runs in the background
        signal.signal(signal.SIGINT, press)
    try:
        yield look
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int], None]]:
    """A live line with count, rate and time on a terminal; nothing in a pipe."""
    with _interrupts() as look:
        if not sys.stderr.isatty():
            yield lambda _rows: look()
            return
        with _line(what) as tell:

            def tell_and_look(rows: int) -> None:
                look()
                tell(rows)

            yield tell_and_look


@contextmanager
def _line(what: str) -> Iterator[Callable[[int], None]]:
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f} rows"), TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, rate="")

        def tell(rows: int) -> None:
            elapsed = bar.tasks[0].elapsed or 0
            rate = f"{rows / elapsed:,.0f} rows/s" if elapsed else ""
            bar.update(task, completed=rows, rate=rate)

        yield tell
