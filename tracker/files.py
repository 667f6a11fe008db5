"""Files that people send: what they are, told by content, and whether they are safe to keep.

What lives here: checking the bytes of a PDF, JPG or PNG, the name it may bear, and keeping files
under random names. What does not: limits (they are settings), whose a file is, the database.

A picture is drawn anew from its pixels, so that nothing else of it remains: no place, no device,
no comment, no second file behind the first. A PDF is kept byte for byte, since a transcript's
signature covers its bytes; it is refused if it could do anything but be read.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pikepdf
from PIL import Image, ImageOps

from tracker.domain.errors import UnacceptableEvidence

ContentType = Literal["application/pdf", "image/jpeg", "image/png"]
CONTENT_TYPES: tuple[ContentType, ...] = ("application/pdf", "image/jpeg", "image/png")
LONGEST_NAME = 200
_SUFFIXES: dict[ContentType, tuple[str, ...]] = {
    "application/pdf": (".pdf",), "image/jpeg": (".jpg", ".jpeg"), "image/png": (".png",),
}  # fmt: skip
_MAGIC: tuple[tuple[bytes, ContentType], ...] = (
    (b"%PDF-", "application/pdf"), (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
)  # fmt: skip
_HEAD = 1024  # where browsers and viewers look for what a file is
_OF_OTHERS = re.compile(rb"<(?:!doctype|html|head|body|script|svg|iframe)\b|%pdf-", re.IGNORECASE)
_ANOTHER_FILE = re.compile(rb"[^\s\x00]")
_RULE = "must be a PDF, JPG or PNG"
_JPEG_QUALITY = 90
_LARGEST_STREAM = 64 * 1024 * 1024  # what a PDF's compressed structure may grow to when read

# What in a PDF's dictionaries acts or carries, and what it is called in the answer.
_ACTIONS = {
    "/JavaScript": "JavaScript", "/Launch": "actions that start programs",
    "/SubmitForm": "actions that send data", "/ImportData": "actions that read files",
    "/GoToE": "attachments", "/GoToR": "actions that open other files",
    "/Rendition": "embedded media", "/RichMediaExecute": "embedded media",
    "/Movie": "embedded media", "/Sound": "embedded media",
}  # fmt: skip
_TYPES = {"/EmbeddedFile": "attachments"}
_ANNOTATIONS = {
    "/FileAttachment": "attachments", "/RichMedia": "embedded media",
    "/Movie": "embedded media", "/Screen": "embedded media",
}  # fmt: skip
_KEYS = {
    "/JavaScript": "JavaScript", "/EmbeddedFiles": "attachments", "/EF": "attachments",
    "/XFA": "XFA forms",
}  # fmt: skip

# Any of these names may act. Looked for in the bytes, which is quick; then in the objects.
_SUSPICIOUS = re.compile(
    rb"/(?:JavaScript|Launch|SubmitForm|ImportData|GoTo[ER]|Rendition|RichMedia\w*|Movie|Sound|"
    rb"EmbeddedFiles?|EF|XFA|AA|FileAttachment|Screen)\b"
)
_MOST_PARTS = 50_000  # looked at one by one in a suspicious file

pikepdf.settings.set_qpdf_limits(flate_max_memory=_LARGEST_STREAM, png_max_memory=_LARGEST_STREAM)


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be kept: its bytes as they are kept, its type, the name it may bear."""

    data: bytes
    content_type: ContentType
    name: str


def check(data: bytes, name: str, *, maximum_pixels: int) -> Checked:
    """The file as it may be kept. Raises UnacceptableEvidence with the reason.

    ``maximum_pixels`` is compared with what a picture says of itself before it is decoded.
    """
    content_type = _content_type(data)
    if content_type == "application/pdf":
        _check_pdf(data)
    else:
        data = _redrawn(data, content_type, maximum_pixels)
    return Checked(data, content_type, safe_name(name, content_type))


def _content_type(data: bytes) -> ContentType:
    """What the content says it is, and nothing else besides."""
    found = next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)
    if found is None or _OF_OTHERS.search(data, 1, _HEAD):
        raise _refused(_RULE)
    if zipfile.is_zipfile(io.BytesIO(data)):
        raise _refused(_RULE)
    return found


def _refused(rule: str) -> UnacceptableEvidence:
    return UnacceptableEvidence(f"The file {rule}.", fields={"file": rule})


def _redrawn(data: bytes, content_type: ContentType, maximum_pixels: int) -> bytes:
    """The picture alone, upright, without anything that was said about it."""
    kind = "PNG" if content_type == "image/png" else "JPEG"
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
            _check_size(picture, maximum_pixels)
            return _drawn(picture, kind)
    except UnacceptableEvidence:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many(maximum_pixels) from error
    except Exception as error:  # decoders fail on hostile files in every way
        raise _refused(f"{_RULE}; this one is damaged") from error


def _too_many(maximum_pixels: int) -> UnacceptableEvidence:
    return _refused(f"must have at most {maximum_pixels:,} pixels")


def _check_size(picture: Image.Image, maximum_pixels: int) -> None:
    if picture.width * picture.height > maximum_pixels:
        raise _too_many(maximum_pixels)


def _drawn(picture: Image.Image, kind: str) -> bytes:
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode != (mode := _mode(picture, kind)):
        picture = picture.convert(mode)
    picture.info = {}
    into = io.BytesIO()
    options: dict[str, Any] = {"quality": _JPEG_QUALITY} if kind == "JPEG" else {}
    picture.save(into, kind, **options)
    return into.getvalue()


def _mode(picture: Image.Image, kind: str) -> str:
    """The mode in which nothing that is seen is lost."""
    if kind == "JPEG":
        return "L" if picture.mode == "L" else "RGB"
    if "transparency" in picture.info:
        return "RGBA"
    return picture.mode if picture.mode in {"1", "L", "LA", "RGBA", "I;16"} else "RGB"


def _check_pdf(data: bytes) -> None:
    end = data.rfind(b"%%EOF")
    if end < 0 or _ANOTHER_FILE.search(data, end + len(b"%%EOF")):
        raise _refused(f"{_RULE}; this one does not end like a PDF")
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            if not len(pdf.pages):
                raise _refused(f"{_RULE}; this one has no pages")
            for acting in _acting(pdf):
                raise _refused(f"must not hold {acting}")
    except pikepdf.PasswordError as error:
        raise _refused("must not need a password") from error
    except (pikepdf.PdfError, ValueError, RuntimeError, RecursionError) as error:
        raise _refused(f"{_RULE}; this one is damaged") from error


def _acting(pdf: pikepdf.Pdf) -> Iterator[str]:
    """What the PDF could do besides being read."""
    opening = pdf.Root.get("/OpenAction")
    if isinstance(opening, pikepdf.Dictionary) and opening.get("/S") != "/GoTo":
        yield from _named(opening)
        yield "an action on opening"
    if _SUSPICIOUS.search(_spelled_out(pdf)):
        for count, part in enumerate(_parts(pdf)):
            if count > _MOST_PARTS:
                yield "more parts than can be looked at"
            yield from _named(part)


def _spelled_out(pdf: pikepdf.Pdf) -> bytes:
    """The PDF with no object compressed and every name in its plain form."""
    into = io.BytesIO()
    pdf.save(
        into, object_stream_mode=pikepdf.ObjectStreamMode.disable, compress_streams=False,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
    )  # fmt: skip
    return into.getvalue()


def _parts(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Every dictionary, those inside others included."""
    for object_ in pdf.objects:
        waiting = [object_]
        while waiting:
            one = waiting.pop()
            if isinstance(one, pikepdf.Array):
                waiting += [item for item in one if not _elsewhere(item)]
            elif isinstance(one, (pikepdf.Dictionary, pikepdf.Stream)):
                yield one
                waiting += [item for _, item in one.items() if not _elsewhere(item)]


def _elsewhere(item: Any) -> bool:
    """Whether it is an object of its own, which is looked at by itself."""
    return bool(getattr(item, "is_indirect", False))


def _named(holder: Any) -> Iterator[str]:
    for name, kinds in (("/S", _ACTIONS), ("/Type", _TYPES), ("/Subtype", _ANNOTATIONS)):
        value = holder.get(name)
        if isinstance(value, pikepdf.Name) and str(value) in kinds:
            yield kinds[str(value)]
    for key, called in _KEYS.items():
        if isinstance(holder.get(key), (pikepdf.Dictionary, pikepdf.Array, pikepdf.Stream)):
            yield called
    automatic = holder.get("/AA")
    if isinstance(automatic, pikepdf.Dictionary) and any("/S" in a for a in _values(automatic)):
        yield "automatic actions"


def _values(holder: Any) -> Iterator[Any]:
    return (v for _, v in holder.items() if isinstance(v, pikepdf.Dictionary))


def safe_name(name: str, content_type: ContentType) -> str:
    """The last part of a name, without anything invisible, ending as its content does."""
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    shown = "".join(" " if c.isspace() else c for c in name if _visible(c))
    stem = re.sub(r"\s+", " ", re.sub(r'[<>:"|?*]', "_", shown)).strip()
    suffixes = _SUFFIXES[content_type]
    suffix = next((stem[-len(s) :] for s in suffixes if stem.lower().endswith(s)), "")
    stem = stem[: len(stem) - len(suffix)].strip(" .") or "evidence"
    suffix = suffix or suffixes[0]
    return stem[: LONGEST_NAME - len(suffix)].rstrip(" .") + suffix


def _visible(letter: str) -> bool:
    """Not a control, a direction mark, half a letter, or private."""
    return letter == "\t" or unicodedata.category(letter) not in {
        "Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp",
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of files under random names; a name never comes from outside."""

    folder: Path

    def put(self, data: bytes) -> str:
        """Keep the bytes for good, on the disk before this returns; gives the key."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = secrets.token_hex(32)
        part = self.folder / f".{key}.part"
        try:
            private = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(private, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.rename(self.folder / key)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _sync(self.folder)
        return key

    def get(self, key: str) -> bytes:
        """The bytes kept under a key."""
        return (self.folder / key).read_bytes()

    def remove(self, key: str) -> None:
        """Remove a file; none is missed."""
        (self.folder / key).unlink(missing_ok=True)

    def keys(self, *, before: float) -> Iterator[str]:
        """The files that were last written before an instant, in seconds of the epoch."""
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                if path.stat().st_mtime < before:
                    yield path.name


def _sync(folder: Path) -> None:
    """Write the folder's own entries to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
