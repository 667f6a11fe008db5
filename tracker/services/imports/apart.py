"""Files from outside: unpacked within limits, and checked on a copy of the database.

Invariant: nothing here holds a lock that others wait for. A separate process reads the bytes before
any transaction opens; a dry run writes to a temporary copy of the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Unpack

from tracker import tabular
from tracker.domain.permissions import Actor
from tracker.services import imports
from tracker.services.core import turns
from tracker.services.core.context import Container
from tracker.services.imports.report import ImportReport
from tracker.settings import Settings
from tracker.tabular import Encoding, Unpacked


@contextmanager
def unpacked(
    settings: Settings, kind: str, stream: IO[bytes], *, encoding: Encoding
) -> Iterator[Unpacked]:
    """A file of a kind, unpacked in its turn. Raises TooBusy, Invalid for an unknown kind."""
    columns, limits = imports.table_columns(kind, own_file=True), turns.table_limits(settings)
    with ExitStack() as opened:
        with turns.reading_a_file(settings):
            table = tabular.unpack(stream, columns=columns, encoding=encoding, limits=limits)
            found = opened.enter_context(table)
        yield found


def check(
    container: Container,
    actor: Actor,
    kind: str,
    table: Unpacked,
    **options: Unpack[imports.RunOptions],
) -> ImportReport:
    """The report of a dry run; it is not stored yet (see ``imports.keep_checked``).

    ``options`` are those of ``imports.run``, whose refusals it raises; also TooBusy.
    """
    with turns.rehearsing(container.settings), container.rehearsal(actor) as work:
        return imports.run(work, kind, table, dry_run=True, **options)
