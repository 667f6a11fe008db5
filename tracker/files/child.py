"""The check of one file, as the job of a process of its own (``tracker.apart``).

The answer is a line of JSON, followed by the file in the form to keep.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from tracker import files
from tracker.domain.errors import UnacceptableEvidence


def prepare(source: IO[bytes]) -> None:
    """Load the library that reads such a file."""
    if source.read(5) == b"%PDF-":
        from tracker.files import pdfs  # noqa: F401, PLC0415 - loaded for ``work``
    else:
        from tracker.files import pictures  # noqa: F401, PLC0415 - only for those who need it


def work(options: Mapping[str, Any], source: IO[bytes], into: IO[bytes]) -> None:
    """Check the bytes of a file, and write whether and in which form it may be kept."""
    try:
        kept = files.checked(source.read(), maximum_pixels=options["maximum_pixels"])
    except UnacceptableEvidence as refusal:
        into.write(json.dumps({"rule": refusal.fields["file"]}).encode() + b"\n")
        return
    into.write(json.dumps({"rule": None}).encode() + b"\n")
    into.write(kept)
