"""Documents to read and to print: reports as PDF, set by Typst.

What lives here: the layout, in Typst's language, its fonts with their license (``fonts``), and
running Typst in a process of its own (``child``), so that neither its memory nor a long document
stays with the server. What does not: what a document says, which is ``language``'s.

    data = documents.pdf(report)

A text is data: whatever it looks like, it is shown as it is. The PDF is tagged for screen readers
(PDF/UA-1). A letter that the fonts do not have is shown as ``UNKNOWN``.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import tempfile
import unicodedata
from pathlib import Path
from typing import Any

import orjson

from tracker import apart
from tracker.apart import ProcessLimits
from tracker.language.reports import Report

FOLDER = Path(__file__).parent
FONTS = FOLDER / "fonts"
UNKNOWN = "\ufffd"
"""What is shown for a letter that the fonts do not have."""
# 500 rows of 250 letters each take one second, 2,500 take four; nothing of ours is that long.
_LIMITS = ProcessLimits(memory_bytes=1 << 30, seconds=30)


def pdf(report: Report) -> bytes:
    """The report as a PDF; the same report gives the same bytes.

    Raises CostsTooMuch for one of tens of thousands of rows.
    """
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as made:
        source.write(orjson.dumps(_shown(dataclasses.asdict(report))))
        source.flush()
        apart.run("tracker.documents.child", {}, source, into=made, limits=_LIMITS)
        return made.read()


def shown(text: str) -> str:
    """A text as the fonts can show it, on one line."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    return _unknown().sub(UNKNOWN, line)


def _shown(value: Any) -> Any:
    """The same values with each text as the fonts can show it."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return {key: _shown(inner) for key, inner in value.items()}
    return [_shown(inner) for inner in value] if isinstance(value, (list, tuple)) else value


@functools.cache
def _unknown() -> re.Pattern[str]:
    """One letter that the fonts do not have."""
    runs = (FONTS / "letters.txt").read_text("ascii").split()
    ends = [[chr(int(end, 16)) for end in run.split("-")] for run in runs]
    return re.compile(f"[^{''.join('-'.join(map(re.escape, pair)) for pair in ends)}]")
