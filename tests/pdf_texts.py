"""The text of a PDF, as a reader copies it: by the fonts' own tables of letters."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pikepdf

_LETTER = re.compile(r"<([0-9A-F]{4})> <([0-9A-F]+)>\n")
_BREAK = "\u200b"  # where a long word may be broken; nobody sees it


def text(data: bytes) -> str:
    """Everything that a PDF of ours says, with a space between two pieces of text."""
    with pikepdf.open(io.BytesIO(data)) as document:
        pieces = [piece for page in document.pages for piece in _pieces(page)]
    return " ".join(" ".join(pieces).replace(_BREAK, "").split())


def _pieces(page: pikepdf.Page) -> Iterator[str]:
    fonts = {name: _letters(font) for name, font in page.Resources.Font.items()}
    font: Mapping[bytes, str] = {}
    for instruction in pikepdf.parse_content_stream(page):
        operator, operands = str(instruction.operator), list(instruction.operands)
        if operator == "Tf":
            font = fonts[str(operands[0])]
        elif operator in {"Tj", "TJ"}:
            yield "".join(font[code] for code in _codes(operands[0]))


def _codes(shown: Any) -> Iterator[bytes]:
    """The codes of two bytes in a string, or in an array of strings and distances."""
    for part in shown if isinstance(shown, pikepdf.Array) else [shown]:
        if isinstance(part, pikepdf.String):
            data = bytes(part)
            yield from (data[at : at + 2] for at in range(0, len(data), 2))


def _letters(font: Any) -> dict[bytes, str]:
    """Which letters a code stands for."""
    table = font.ToUnicode.read_bytes().decode("ascii")
    return {
        bytes.fromhex(code): bytes.fromhex(letters).decode("utf-16-be")
        for code, letters in _LETTER.findall(table)
    }
