"""Files as downloads: written completely before the first byte is sent, a few at a time per caller.

Invariant: no connection to the database is open while a file is sent, however slowly it is read.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import IO

from flask import Response

from tracker.services.core import turns
from tracker.services.core.context import ReadContext

_PIECE = 1 << 16  # bytes of a file sent at once


def attached(
    reading: ReadContext, write: Callable[[IO[bytes]], object], *, content_type: str, name: str
) -> Response:
    """An answer with what ``write`` writes, to be saved under ``name``. Raises TooManyAtOnce."""
    with ExitStack() as held:
        held.callback(turns.writing_a_file(reading.settings, reading.actor))
        file = held.enter_context(tempfile.TemporaryFile())
        write(file)
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        kept = held.pop_all()
        response = Response(_pieces(file, kept), content_type=content_type)
        response.call_on_close(kept.close)
    response.content_length = size
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _pieces(file: IO[bytes], kept: ExitStack) -> Iterator[bytes]:
    """The file in pieces; it is closed and released after the last one."""
    with kept:
        yield from iter(lambda: file.read(_PIECE), b"")
