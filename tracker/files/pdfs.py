"""PDFs are kept byte for byte, since a transcript's signature covers its bytes.

So a PDF is refused if it could do anything but be read, or would unpack to more than a document of
ten megabytes should. It is checked in a process of its own (``child``): the memory and time that
qpdf needs for a hostile file are limited there, not here.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pikepdf

from tracker.files.kinds import RULE, refused
from tracker.files.weights import unpacked

MOST_OBJECTS = 100_000
MOST_UNPACKED = 256 << 20
"""The most bytes to which all streams of a PDF together may unpack."""
_LARGEST_STRUCTURE = 32 << 20  # bytes to which one packed list of objects may unpack
_MOST_ITEMS = 200_000  # in one array or dictionary
_MOST_LEVELS = 100
_MOST_PARTS = 50_000  # checked one by one in a suspicious file
_ANOTHER_FILE = re.compile(rb"[^\s\x00]")

# Keys in a PDF's dictionaries that act or embed something, and their names in the answer.
_SCENES, _ELSEWHERE = "3D scenes and their scripts", "references to other files"
_ACTIONS = {
    "/JavaScript": "JavaScript",
    "/Launch": "actions that start programs",
    "/SubmitForm": "actions that send data",
    "/ImportData": "actions that read files",
    "/GoToE": "attachments",
    "/GoToR": "actions that open other files",
    "/Rendition": "embedded media",
    "/RichMediaExecute": "embedded media",
    "/Movie": "embedded media",
    "/Sound": "embedded media",
    "/GoTo3DView": _SCENES,
}
_TYPES = {"/EmbeddedFile": "attachments", "/3D": _SCENES, "/3DNode": _SCENES, "/3DView": _SCENES}
_SUBTYPES = {
    "/FileAttachment": "attachments",
    "/RichMedia": "embedded media",
    "/Movie": "embedded media",
    "/Screen": "embedded media",
    "/3D": _SCENES,
    "/U3D": _SCENES,
    "/PRC": _SCENES,
}
_KEYS = {
    "/JavaScript": "JavaScript",
    "/EmbeddedFiles": "attachments",
    "/EF": "attachments",
    "/XFA": "XFA forms",
    "/OnInstantiate": _SCENES,
    "/3DD": _SCENES,
    "/OPI": _ELSEWHERE,
}

# Names that may act. They are looked for in the bytes, which is quick; then in the objects.
_SUSPICIOUS = re.compile(
    rb"/(?:JavaScript|Launch|SubmitForm|ImportData|GoTo[ER]|GoTo3DView|Rendition|RichMedia\w*|"
    rb"Movie|Sound|EmbeddedFiles?|EF|XFA|AA|FileAttachment|Screen|3D\w*|U3D|PRC|OnInstantiate|"
    rb"OPI|Ref|URL|Thread)\b"
)

pikepdf.settings.set_qpdf_limits(
    flate_max_memory=_LARGEST_STRUCTURE,
    png_max_memory=_LARGEST_STRUCTURE,
    run_length_max_memory=_LARGEST_STRUCTURE,
    tiff_max_memory=_LARGEST_STRUCTURE,
    parser_max_container_size=_MOST_ITEMS,
    parser_max_nesting=_MOST_LEVELS,
    max_stream_filters=5,
)


def check(data: bytes) -> None:
    """Raise UnacceptableEvidence for a PDF that is damaged, active or too large, or has files."""
    end = data.rfind(b"%%EOF")
    if end < 0 or _ANOTHER_FILE.search(data, end + len(b"%%EOF")):
        raise refused(f"{RULE}; this one does not end like a PDF")
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            _weigh(pdf, len(data))
            if not len(pdf.pages):
                raise refused(f"{RULE}; this one has no pages")
            for acting in _acting(pdf):
                raise refused(f"must not contain {acting}")
            if any("limit" in str(warning) for warning in pdf.get_warnings()):
                raise refused("must not contain parts that nest or grow without limit")
    except pikepdf.PasswordError as error:
        raise refused("must not need a password") from error
    except (pikepdf.PdfError, ValueError, RuntimeError, RecursionError) as error:
        if "bad_alloc" in str(error):
            raise MemoryError from error
        raise refused(f"{RULE}; this one is damaged") from error


def _weigh(pdf: pikepdf.Pdf, size: int) -> None:
    """Refuse more objects, or more bytes in all streams together, than a document has.

    Lengths are added up first: streams may overlap and be read many times over.
    """
    if len(pdf.get_xref_table()) > MOST_OBJECTS:
        raise refused(f"must contain at most {MOST_OBJECTS:,} objects")
    streams = [one for one in pdf.objects if isinstance(one, pikepdf.Stream)]
    if sum(_stated(one) for one in streams) > 2 * size:
        raise refused("must not contain streams within streams")
    if any("/F" in one for one in streams):  # its bytes are in another file
        raise refused(f"must not contain {_ELSEWHERE}")
    total = 0
    for one in streams:
        total += unpacked(one, most=MOST_UNPACKED - total)
        if total > MOST_UNPACKED:
            raise refused(f"must unpack to at most {MOST_UNPACKED >> 20} MB")


def _stated(stream: pikepdf.Stream) -> int:
    length: Any = stream.get("/Length")
    return length if isinstance(length, int) else 0


def _acting(pdf: pikepdf.Pdf) -> Iterator[str]:
    """What the PDF could do besides being read."""
    opening = pdf.Root.get("/OpenAction")
    if isinstance(opening, pikepdf.Dictionary) and opening.get("/S") != "/GoTo":
        yield from _named(opening)
        yield "an action on opening"
    if _SUSPICIOUS.search(_spelled_out(pdf)):
        for count, part in enumerate(_parts(pdf)):
            if count > _MOST_PARTS:
                yield "more parts than can be checked"
            yield from _named(part)


def _spelled_out(pdf: pikepdf.Pdf) -> bytes:
    """The PDF with no object compressed and every name in its plain form."""
    into = io.BytesIO()
    pdf.save(
        into,
        object_stream_mode=pikepdf.ObjectStreamMode.disable,
        compress_streams=False,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
    )
    return into.getvalue()


def _parts(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Every dictionary, including nested ones."""
    for object_ in pdf.objects:
        waiting = [object_]
        while waiting:
            one = waiting.pop()
            if isinstance(one, pikepdf.Array):
                waiting += [item for item in one if not _is_apart(item)]
            elif isinstance(one, (pikepdf.Dictionary, pikepdf.Stream)):
                yield one
                waiting += [item for _, item in one.items() if not _is_apart(item)]


def _is_apart(item: Any) -> bool:
    """Whether it is an object of its own, which is checked by itself."""
    return bool(getattr(item, "is_indirect", False))


def _named(holder: Any) -> Iterator[str]:
    for name, kinds in (("/S", _ACTIONS), ("/Type", _TYPES), ("/Subtype", _SUBTYPES)):
        value = holder.get(name)
        if isinstance(value, pikepdf.Name) and str(value) in kinds:
            yield kinds[str(value)]
    for key, called in _KEYS.items():
        if isinstance(holder.get(key), (pikepdf.Dictionary, pikepdf.Array, pikepdf.Stream)):
            yield called
    if isinstance(holder.get("/OnInstantiate"), pikepdf.String) or _leads_elsewhere(holder):
        yield _SCENES if "/OnInstantiate" in holder else _ELSEWHERE
    automatic = holder.get("/AA")
    if isinstance(automatic, pikepdf.Dictionary) and any("/S" in a for a in _values(automatic)):
        yield "automatic actions"


def _leads_elsewhere(holder: Any) -> bool:
    """Whether it refers to a page, a thread or bytes of another file."""
    reference, is_thread = holder.get("/Ref"), holder.get("/S") == "/Thread"
    return (
        (isinstance(reference, pikepdf.Dictionary) and "/F" in reference)
        or (is_thread and "/F" in holder)
        or holder.get("/FS") == "/URL"
    )


def _values(holder: Any) -> Iterator[Any]:
    return (v for _, v in holder.items() if isinstance(v, pikepdf.Dictionary))
