"""QR codes as pictures in a page: a path of an SVG, without style or script."""

from __future__ import annotations

from dataclasses import dataclass

import segno

_QUIET = 4  # modules of white around the code, as its standard wants


@dataclass(frozen=True, slots=True)
class QrCode:
    """The side of the picture in modules, and the path that draws the dark ones."""

    side: int
    path: str


def of(text: str) -> QrCode:
    """The code of a text, readable with 15 % of it covered."""
    rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix]
    dark = [
        f"M{x + _QUIET} {y + _QUIET}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, module in enumerate(row)
        if module
    ]
    return QrCode(len(rows) + 2 * _QUIET, "".join(dark))
