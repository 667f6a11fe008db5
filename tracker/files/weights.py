"""The unpacked size of a PDF's streams: counted, or only bounded where counting is costly."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

import pikepdf

# The most that one byte unpacks to. Compression of images is left out: nobody unpacks it here.
_GROWTH = {
    "/FlateDecode": 1032,
    "/Fl": 1032,
    "/LZWDecode": 1280,
    "/LZW": 1280,
    "/RunLengthDecode": 64,
    "/RL": 64,
}
_FLATE = frozenset({"/FlateDecode", "/Fl"})
_HEX = frozenset({"/ASCIIHexDecode", "/AHx"})
_BASE_85 = frozenset({"/ASCII85Decode", "/A85"})
_PIECE = 4 << 20


def unpacked(stream: pikepdf.Stream, *, most: int) -> int:
    """The bytes that a stream unpacks to; for a bomb, some number above ``most``.

    Counted if the only compression is Flate, as in almost every file; otherwise an upper bound.
    """
    raw, filters = stream.read_raw_bytes(), _filters(stream)
    while filters and filters[0] in _HEX | _BASE_85:
        raw = _from_text(raw, filters.pop(0))
    growing = [name for name in filters if name in _GROWTH]
    if len(growing) == 1 and filters[0] in _FLATE:
        return _inflated(raw, most)
    total = len(raw)
    for name in growing:
        total *= _GROWTH[name]
    return total


def _filters(stream: pikepdf.Stream) -> list[str]:
    named: Any = stream.get("/Filter")
    if isinstance(named, pikepdf.Array):
        return [str(name) for name in named]
    return [] if named is None else [str(named)]


def _from_text(raw: bytes, name: str) -> bytes:
    """Bytes written as text; for invalid text the result can only be shorter."""
    end = b">" if name in _HEX else b"~>"
    text = b"".join(raw.partition(end)[0].split())
    try:
        if name in _HEX:
            return binascii.unhexlify(text + b"0" * (len(text) % 2))
        return base64.a85decode(text)
    except ValueError:
        return raw


def _inflated(raw: bytes, most: int) -> int:
    engine, total = zlib.decompressobj(), 0
    try:
        while raw and total <= most:
            total += len(engine.decompress(raw, _PIECE))
            raw = engine.unconsumed_tail
    except zlib.error:
        pass  # viewers show what came before the damage, and that much was counted
    return total
