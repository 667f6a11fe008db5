"""Files as people might send them, spoiled: cut, mixed up, lying about their size, in disguise.

``spoiled(number)`` is the same file in every run.
"""

from __future__ import annotations

import functools
import io
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
from PIL import Image

from tracker import tabular

SPREADSHEETS = Path(__file__).parents[1] / "data" / "spreadsheets"
HOLDERS = """holder_ref,given_name,family_name,email,language
h-1,Ana,Peña,ana@example.org,es
h-2,Ben,Okafor,ben@example.org,en
"""
ROSTER = "employer,employee_id,email,site\nPalmetto Motors,17,w17@example.org,Greer\n"
ATTEMPTS = """attempt_ref,holder_ref,scheme,module,taken_on,result
a-1,h-1,cpt,safety,2026-03-04,pass
a-2,h-2,cpt,quality,2026-03-05,fail
"""
HUGE = (0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFFE, 1 << 24)


def spoiled(number: int) -> tuple[str, bytes]:
    """A name and the bytes of a file. Of tables, the name's number is that of what it is about."""
    dice = random.Random(number)
    name, data = dice.choice(_valid())
    for _ in range(dice.choice([1, 1, 2, 5])):
        data = dice.choice(_WAYS)(dice, data)
    if dice.random() < 0.2:
        name = dice.choice(_valid())[0]
    return name, data


@functools.cache
def _valid() -> list[tuple[str, bytes]]:
    return [
        *((f"{n}.pdf", data) for n, data in enumerate(_pdfs())),
        *((f"{n}.{kind}", data) for n, (kind, data) in enumerate(_pictures())),
        *((f"{n}.csv", text.encode()) for n, text in enumerate((HOLDERS, ROSTER, ATTEMPTS))),
        ("3.csv", HOLDERS.encode("utf-16")),
        *((f"{n}.xlsx", data) for n, data in enumerate(_workbooks())),
    ]


def _pdfs() -> list[bytes]:
    made = []
    for mode in (pikepdf.ObjectStreamMode.generate, pikepdf.ObjectStreamMode.disable):
        into = io.BytesIO()
        with pikepdf.new() as document:
            page = document.add_blank_page()
            page.Contents = document.make_stream(b"BT /F1 12 Tf (Robots) Tj ET " * 20)
            document.Root.Kept = pikepdf.Array([pikepdf.Dictionary(A=n) for n in range(20)])
            document.save(into, object_stream_mode=mode, deterministic_id=True)
        made.append(into.getvalue())
    return made


def _pictures() -> list[tuple[str, bytes]]:
    made = []
    noise = Image.frombytes("RGB", (60, 40), random.Random(1).randbytes(60 * 40 * 3))
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    for kind, mode, options in (
        ("jpg", "RGB", {"exif": exif}),
        ("jpg", "L", {"progressive": True}),
        ("png", "RGB", {}),
        ("png", "P", {}),
        ("png", "RGBA", {}),
        ("png", "1", {}),
    ):
        into = io.BytesIO()
        noise.convert(mode).save(into, {"jpg": "JPEG", "png": "PNG"}[kind], **options)
        made.append((kind, into.getvalue()))
    return made


def _workbooks() -> list[bytes]:
    made: list[bytes] = []
    for text in (HOLDERS, ROSTER, ATTEMPTS):
        header, *rows = [line.split(",") for line in text.splitlines()]
        into = io.BytesIO()
        tabular.write_xlsx(into, header, rows)
        made.append(into.getvalue())
    return [*made, SPREADSHEETS.joinpath("libreoffice.xlsx").read_bytes()]


# Ways to spoil a file.
def _flip_bits(dice: random.Random, data: bytes) -> bytes:
    found = bytearray(data)
    for _ in range(dice.choice([1, 3, 30]) if found else 0):
        found[dice.randrange(len(found))] ^= 1 << dice.randrange(8)
    return bytes(found)


def _cut(dice: random.Random, data: bytes) -> bytes:
    return data[: dice.randint(0, len(data))]


def _lose_a_piece(dice: random.Random, data: bytes) -> bytes:
    begin, end = _piece(dice, data)
    return data[:begin] + data[end:]


def _say_it_twice(dice: random.Random, data: bytes) -> bytes:
    begin, end = _piece(dice, data)
    return data[:end] + data[begin:end] * dice.choice([1, 5, 200]) + data[end:]


def _put_another_in(dice: random.Random, data: bytes) -> bytes:
    _, other = dice.choice(_valid())
    begin, end = _piece(dice, other)
    at = dice.randint(0, len(data))
    return data[:at] + other[begin:end] + data[at:]


def _go_on_as_another(dice: random.Random, data: bytes) -> bytes:
    _, other = dice.choice(_valid())
    return data[: dice.randint(0, len(data))] + other[dice.randint(0, len(other)) :]


def _piece(dice: random.Random, data: bytes) -> tuple[int, int]:
    begin = dice.randint(0, len(data))
    return begin, min(len(data), begin + dice.choice([1, 10, 100, 1_000]))


def _claim_a_huge_number(dice: random.Random, data: bytes) -> bytes:
    """In place of any four bytes, or of any number that is written out."""
    huge = dice.choice(HUGE)
    written = list(re.finditer(rb"\d+", data))
    if written and dice.random() < 0.5:
        found = dice.choice(written)
        return data[: found.start()] + str(huge).encode() + data[found.end() :]
    at = dice.randint(0, len(data))
    return data[:at] + struct.pack(dice.choice("<>") + "I", huge) + data[at + 4 :]


def _claim_a_huge_picture(dice: random.Random, data: bytes) -> bytes:
    """A PNG's width and height, with the checksum that belongs to them."""
    if not data.startswith(b"\x89PNG") or len(data) < 33:
        return _claim_a_huge_number(dice, data)
    size = struct.pack(">II", dice.choice([1, 70_000, *HUGE]), dice.choice([70_000, *HUGE]))
    head = b"IHDR" + size + data[24:29]
    return data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]


def _pack(dice: random.Random, data: bytes) -> bytes:
    """Into archives inside of archives."""
    for _ in range(dice.choice([1, 2, 20])):
        into = io.BytesIO()
        with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(dice.choice(["x.zip", "xl/workbook.xml", "../../x"]), data)
        data = into.getvalue()
    return data


def _spoil_a_part(dice: random.Random, data: bytes) -> bytes:
    """Of an archive, such as a workbook: one part of it, in an archive that is whole."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # noqa: BLE001 - it may be spoiled in any way already
        return _flip_bits(dice, data)
    chosen = dice.choice(list(parts))
    parts[chosen] = dice.choice([*_PLAIN_WAYS, _swell])(dice, parts[chosen])
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return into.getvalue()


def _swell(dice: random.Random, data: bytes) -> bytes:
    """Thirty megabytes, which take no room in an archive."""
    return data[: dice.randint(0, len(data))] + b" " * (30 << 20)


def _empty(dice: random.Random, data: bytes) -> bytes:
    return dice.choice([b"", b"\0", b"\xef\xbb\xbf", b"\xff\xfe", data[:4], b"\n" * 5_000])


def _lengthen(dice: random.Random, data: bytes) -> bytes:
    return data + dice.choice([b"\0", b",", b"a", b'"', b"\n"]) * dice.choice([1, 300_000])


_PLAIN_WAYS: list[Callable[[random.Random, bytes], bytes]] = [
    _flip_bits,
    _cut,
    _lose_a_piece,
    _say_it_twice,
    _put_another_in,
    _go_on_as_another,
    _claim_a_huge_number,
    _lengthen,
]
_WAYS = [*_PLAIN_WAYS, _claim_a_huge_picture, _pack, _spoil_a_part, _empty]
