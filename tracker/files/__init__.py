"""Files that people send: their type, recognized by content, and whether they are safe to keep.

What lives here: checking the bytes of a PDF, JPG or PNG (``pdfs``, ``pictures``) in a process of
its own (``child``), the name it may have (``kinds``), and keeping files under random names
(``store``). What does not: limits (they are settings), whose a file is, the database.

    kept = files.check(stream, "scan.pdf", maximum_pixels=50_000_000, limits=limits)
    key = Store(folder).put(kept.data)
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from typing import IO

from tracker import apart
from tracker.apart import CostsTooMuch, ProcessLimits
from tracker.files.kinds import (
    CONTENT_TYPES,
    LONGEST_NAME,
    ContentType,
    content_type,
    refused,
    safe_name,
)
from tracker.files.store import Store

__all__ = [
    "CONTENT_TYPES",
    "LONGEST_NAME",
    "Checked",
    "ContentType",
    "Store",
    "check",
    "checked",
    "safe_name",
]


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be kept: its bytes in the form to keep, its type, and a safe name."""

    data: bytes
    content_type: ContentType
    name: str


def check(stream: IO[bytes], name: str, *, maximum_pixels: int, limits: ProcessLimits) -> Checked:
    """The file in the form to keep. Raises UnacceptableEvidence with the reason.

    A process of its own reads the bytes within ``limits``; this process reads only the first bytes.
    ``maximum_pixels`` is compared with the size that a picture states, before it is decoded.
    """
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as answer:
        shutil.copyfileobj(stream, source)
        source.flush()
        options = {"maximum_pixels": maximum_pixels}
        try:
            apart.run("tracker.files.child", options, source, into=answer, limits=limits)
        except CostsTooMuch as error:
            rule = "takes more memory or time to read than is allowed: save a smaller copy"
            raise refused(rule) from error
        verdict = json.loads(answer.readline())
        if verdict["rule"] is not None:
            raise refused(verdict["rule"])
        data = answer.read()
    kind = content_type(data)
    return Checked(data, kind, safe_name(name, kind))


def checked(data: bytes, *, maximum_pixels: int) -> bytes:
    """The bytes in the form to keep, checked in this process. Raises UnacceptableEvidence.

    The sender controls what this costs: a server calls ``check``.
    """
    kind = content_type(data)
    if kind == "application/pdf":
        from tracker.files import pdfs  # noqa: PLC0415 - each library is slow to load

        pdfs.check(data)
        return data
    from tracker.files import pictures  # noqa: PLC0415 - only for those who need it

    return pictures.redrawn(data, kind, maximum_pixels)
