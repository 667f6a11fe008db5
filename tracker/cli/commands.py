"""What every command needs: the container, days, messages on standard error, progress."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from tracker.app import create_container
from tracker.domain.permissions import Actor
from tracker.services.core.context import Container
from tracker.settings import Settings

SELDOM = (20_000, 20, 20)
"""The thresholds of the garbage collector for work on very many rows."""
OPERATOR = Actor(role="admin", name="operator")


def complain(text: str) -> None:
    """Write a message to standard error."""
    click.echo(text, err=True)


def container(given: Settings | None = None) -> Container:
    """The application's container, for a command that needs the database; closed at the end."""
    made = create_container(given)
    click.get_current_context().call_on_close(made.engine.dispose)
    return made


def bulk_container() -> Container:
    """A container for a command that reads or writes very many rows.

    Python's garbage collector looks through new objects after every 700 of them, and through all
    that remain again and again. Among the rows of an import it finds nothing, in a fifth of the
    time; so it looks less often here, and never at what exists from the start.
    """
    made = container()
    usual = gc.get_threshold()
    click.get_current_context().call_on_close(lambda: gc.set_threshold(*usual))
    gc.freeze()
    gc.set_threshold(*SELDOM)
    return made


def warn_of_no_production(chosen: Settings) -> None:
    """Warn that this is not production if nobody has set the environment."""
    if "TRACKER_ENV" not in os.environ and chosen.environment == "default":
        complain(
            "This is not a production environment: set TRACKER_ENV=production to make it one "
            "(now: default)."
        )


@contextmanager
def _interrupts() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C back until the next check; pressed again, it interrupts at once.

    Python drops an exception raised in a finalizer, so the first one is not raised there.
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
    if before is not signal.SIG_IGN:  # ignored in what a shell runs in the background
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
    from rich import console  # noqa: PLC0415 - for terminals only
    from rich import progress as bars  # noqa: PLC0415 - only for those who need it

    columns = (
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}"),
        bars.TextColumn("{task.completed:,.0f} rows"),
        bars.TextColumn("{task.fields[rate]}"),
        bars.TimeElapsedColumn(),
    )
    shown_on = console.Console(stderr=True)
    with bars.Progress(*columns, console=shown_on, transient=True) as bar:
        task = bar.add_task(what, total=None, rate="")

        def tell(rows: int) -> None:
            elapsed = bar.tasks[0].elapsed or 0
            rate = f"{rows / elapsed:,.0f} rows/s" if elapsed else ""
            bar.update(task, completed=rows, rate=rate)

        yield tell
