"""The type of a file by its content; the name it may have; the form of refusals."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from typing import Literal

from tracker.domain.errors import UnacceptableEvidence

ContentType = Literal["application/pdf", "image/jpeg", "image/png"]
CONTENT_TYPES: tuple[ContentType, ...] = ("application/pdf", "image/jpeg", "image/png")
LONGEST_NAME = 200
RULE = "must be a PDF, JPG or PNG"
_SUFFIXES: dict[ContentType, tuple[str, ...]] = {
    "application/pdf": (".pdf",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
}
_MAGIC: tuple[tuple[bytes, ContentType], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
)
_HEAD = 1024  # bytes in which browsers and viewers look for a file's type
_OF_OTHERS = re.compile(rb"<(?:!doctype|html|head|body|script|svg|iframe)\b|%pdf-", re.IGNORECASE)


def refused(rule: str) -> UnacceptableEvidence:
    """The refusal of a file that breaks a rule."""
    return UnacceptableEvidence(f"The file {rule}.", fields={"file": rule})


def content_type(data: bytes) -> ContentType:
    """The type that the content has, and no other type. Raises UnacceptableEvidence."""
    found = next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)
    if found is None or _OF_OTHERS.search(data, 1, _HEAD):
        raise refused(RULE)
    if zipfile.is_zipfile(io.BytesIO(data)):
        raise refused(RULE)
    return found


def safe_name(name: str, content_type: ContentType) -> str:
    """The last part of a name, without invisible characters, with the extension of its type."""
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    shown = "".join(" " if c.isspace() else c for c in name if _visible(c))
    stem = re.sub(r"\s+", " ", re.sub(r'[<>:"|?*]', "_", shown)).strip()
    suffixes = _SUFFIXES[content_type]
    suffix = next((stem[-len(s) :] for s in suffixes if stem.lower().endswith(s)), "")
    stem = stem[: len(stem) - len(suffix)].strip(" .") or "evidence"
    suffix = suffix or suffixes[0]
    return stem[: LONGEST_NAME - len(suffix)].rstrip(" .") + suffix


def _visible(letter: str) -> bool:
    """Not a control character, direction mark, surrogate or private-use character."""
    return letter == "\t" or unicodedata.category(letter) not in {
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
        "Zl",
        "Zp",
    }
