"""PDFs of a few hundred kilobytes that cost a reader seconds and gigabytes, written by hand."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable

HEAD = b"%PDF-1.7\n"
CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
PAGES = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
_PLAIN = (CATALOG, PAGES, PAGE)


def stream(data: bytes, entries: bytes = b"", length: int | None = None) -> bytes:
    """A stream object."""
    size = len(data) if length is None else length
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, size, data)


def packed(data: bytes, entries: bytes = b"", times: int = 1) -> bytes:
    """A stream object packed with Flate, once or several times."""
    for _ in range(times):
        data = zlib.compress(data, 9)
    filters = b"/Filter[%s]" % (b"/FlateDecode" * times)
    return stream(data, entries + filters)


def document(objects: Iterable[bytes] = _PLAIN, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1, with a table of where each stands."""
    parts, offsets, at = [HEAD], [], len(HEAD)
    for number, body in enumerate(objects, start=1):
        offsets.append(at)
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        at += len(parts[-1])
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(offsets) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n"
    return b"".join(parts) + end % (size, table, size, trailer, at) + b"%%EOF\n"


def with_cross_reference_stream(
    lists: list[bytes], entries: list[tuple[int, int, int]], *, free: int = 0
) -> bytes:
    """A PDF whose objects stand in packed lists; ``entries`` say in which list and where.

    Behind them come numbers of so many objects that there are none of.
    """
    body, rows = HEAD, [(0, 0, 65535)]
    for number, content in enumerate((*_PLAIN, *lists), start=1):
        rows.append((1, len(body), 0))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    rows += [*entries, (1, len(body), 0)]
    table = zlib.compress(b"".join(struct.pack(">BIH", *row) for row in rows) + bytes(7) * free, 9)
    about = b"/Type/XRef/Size %d/W[1 4 2]/Root 1 0 R/Filter/FlateDecode" % (len(rows) + free)
    own = b"%d 0 obj\n%s\nendobj\n" % (len(rows) - 1, stream(table, about))
    return body + own + b"startxref\n%d\n%%%%EOF\n" % len(body)


def objects_in_lists(lists: int, each: int) -> bytes:
    """So many lists of so many objects each, which pack to next to nothing."""
    first, made, entries = len(_PLAIN) + 1 + lists, [], []
    for at in range(lists):
        numbers = range(first + at * each, first + (at + 1) * each)
        index = b" ".join(b"%d %d" % (number, 3 * i) for i, number in enumerate(numbers))
        about = b"/Type/ObjStm/N %d/First %d" % (each, len(index) + 1)
        made.append(packed(index + b"\n" + b"[] " * each, about))
        entries += [(2, len(_PLAIN) + 1 + at, i) for i in range(each)]
    return with_cross_reference_stream(made, entries)


def huge_objects_in_lists(lists: int, size: int) -> bytes:
    """Lists of one object each: an array of millions of numbers."""
    first, made, entries = len(_PLAIN) + 1 + lists, [], []
    for at in range(lists):
        index = b"%d 0" % (first + at)
        about = b"/Type/ObjStm/N 1/First %d" % (len(index) + 1)
        made.append(packed(index + b"\n[" + b"1 " * (size // 2) + b"]", about))
        entries.append((2, len(_PLAIN) + 1 + at, 0))
    return with_cross_reference_stream(made, entries)


def pages_of_pages(levels: int) -> bytes:
    """A tree of pages in which each branch stands twice in the one above: two to that power."""
    tree = [
        b"<</Type/Pages/Count 2/Kids[%d 0 R %d 0 R]>>" % (at + 3, at + 3) for at in range(levels)
    ]
    return document([CATALOG, *tree, b"<</Type/Page/MediaBox[0 0 9 9]>>"])


def streams_within_streams(count: int, size: int) -> bytes:
    """Streams that all reach to the end of the file, so that each is most of it."""
    objects = [*_PLAIN]
    objects += [b"<</Length %d>>stream\nx" % (size - 60 * at) for at in range(count)]
    return document([*objects, stream(b"x" * size)])


HEAVY: dict[str, Callable[[], bytes]] = {
    "two hundred thousand objects in packed lists": lambda: objects_in_lists(10, 20_000),
    "arrays of millions of numbers": lambda: huge_objects_in_lists(12, 30 << 20),
    "one array of thirty million numbers": lambda: huge_objects_in_lists(1, 60 << 20),
    "a table of forty million objects": lambda: with_cross_reference_stream(
        [], [], free=40_000_000
    ),
    "one stream of a gigabyte": lambda: document([*_PLAIN, packed(b"\0" * (440 << 20))]),
    "forty streams of thirty megabytes": lambda: document(
        [*_PLAIN, *[packed(b"\0" * (30 << 20))] * 40]
    ),
    "packed three times": lambda: document([*_PLAIN, packed(b"\0" * (300 << 20), times=3)]),
    "runs of runs": lambda: document(
        [*_PLAIN, *[stream(b"\x81\0" * 100_000, b"/Filter[/RunLengthDecode/RunLengthDecode]")] * 2]
    ),
    "lists of thousands of strings": lambda: document(
        [*_PLAIN, stream(b"\x80\0\1" * 140_000, b"/Filter/LZWDecode")]
    ),
    "brackets without end": lambda: document([*_PLAIN, b"[" * 400_000 + b"]" * 400_000]),
    "a tree of a billion pages": lambda: pages_of_pages(30),
    "streams within streams": lambda: streams_within_streams(2_000, 400_000),
    "no table, and half a million beginnings": lambda: (
        HEAD + b"1 0 obj\n" * 55_000 + b"startxref\n0\n%%EOF\n"
    ),
}
