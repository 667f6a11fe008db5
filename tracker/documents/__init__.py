"""Documents to read and to print: reports as PDF, set by Typst.

What lives here: the layouts, in Typst's language, their fonts with their license (``fonts``),
running Typst in a process of its own (``child``), so that neither its memory nor a long document
stays with the server, and the papers of certificates (``papers``). What does not: what a document
says, which is ``language``'s.

    data = documents.pdf(report)

A text is data: whatever it looks like, it is shown as it is. The PDF is tagged for screen readers
(PDF/UA-1). A letter of a report that the fonts do not have is shown as ``UNKNOWN``.
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
OF_REPORTS, OF_PAPERS = ("letters.txt",), ("letters.txt", "letters_of_names.txt")
UNKNOWN = "\ufffd"
"""What is shown for a letter that the fonts do not have."""
# 500 rows of 250 letters each take one second, 2,500 take four; nothing of ours is that long.
_LIMITS = ProcessLimits(memory_bytes=1 << 30, seconds=30)


def pdf(report: Report) -> bytes:
    """The report as a PDF; the same report gives the same bytes.

    Raises CostsTooMuch for one of tens of thousands of rows.
    """
    return laid_out("report", _shown(dataclasses.asdict(report)))


def laid_out(layout: str, data: object) -> bytes:
    """The PDF that a layout makes of its data. Raises CostsTooMuch."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as made:
        source.write(orjson.dumps(data))
        source.flush()
        options = {"layout": layout}
        apart.run("tracker.documents.child", options, source, into=made, limits=_LIMITS)
        return made.read()


def shown(text: str) -> str:
    """A text as the fonts can show it, on one line."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    return letters_not_in(OF_REPORTS).sub(UNKNOWN, line)


def _shown(value: Any) -> Any:
    """The same values with each text as the fonts can show it."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return {key: _shown(inner) for key, inner in value.items()}
    return [_shown(inner) for inner in value] if isinstance(value, (list, tuple)) else value


@functools.cache
def letters_not_in(lists: tuple[str, ...]) -> re.Pattern[str]:
    """One letter that is on none of the lists, which say what the fonts have."""
    runs = " ".join((FONTS / name).read_text("ascii") for name in lists).split()
    ends = [[chr(int(end, 16)) for end in run.split("-")] for run in runs]
    return re.compile(f"[^{''.join('-'.join(map(re.escape, pair)) for pair in ends)}]")
