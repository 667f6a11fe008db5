"""Pictures are re-encoded from their pixels, so that nothing else of them remains.

A picture is checked by the size that it states, before it is decoded. A photograph that would take
too much memory is decoded at a half, a quarter or an eighth of its size.
"""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, ImageOps

from tracker.domain.errors import UnacceptableEvidence
from tracker.files.kinds import RULE, ContentType, refused

MOST_DECODED = 128 << 20
"""The most bytes of memory that the pixels of a picture may take, in all forms at once."""
_JPEG_QUALITY = 90
_SCALES = (1, 2, 4, 8)  # scales at which a JPEG can be decoded
_BYTES = {"1": 1, "L": 1, "P": 1, "LA": 4, "I;16": 2}  # per pixel in Pillow; 4 in other modes
_COEFFICIENTS = 6  # more bytes per pixel for a progressive JPEG, whatever its scale


def redrawn(data: bytes, content_type: ContentType, maximum_pixels: int) -> bytes:
    """The picture alone, upright, without metadata."""
    kind = "PNG" if content_type == "image/png" else "JPEG"
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
            _weigh(picture, kind, maximum_pixels)
            return _drawn(picture, kind)
    except (UnacceptableEvidence, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many(maximum_pixels) from error
    except Exception as error:  # decoders fail on hostile files in every way
        raise refused(f"{RULE}; this one is damaged") from error


def _too_many(maximum_pixels: int) -> UnacceptableEvidence:
    return refused(f"must have at most {maximum_pixels:,} pixels")


def _weigh(picture: Image.Image, kind: str, maximum_pixels: int) -> None:
    """Refuse a picture that is too large; let a large photograph be decoded at a smaller scale."""
    pixels = picture.width * picture.height
    if pixels > maximum_pixels:
        raise _too_many(maximum_pixels)
    for scale in _SCALES if kind == "JPEG" else (1,):
        if _decoded(picture, kind, pixels, scale) <= MOST_DECODED:
            if scale > 1:
                picture.draft(picture.mode, (picture.width // scale, picture.height // scale))
            return
    each = _decoded(picture, kind, 1, _SCALES[-1] if kind == "JPEG" else 1)
    raise _too_many(int(MOST_DECODED / each))


def _decoded(picture: Image.Image, kind: str, pixels: int, scale: int) -> float:
    """The memory that the pixels take: decoded, and also rotated or in another mode."""
    mode = _mode(picture, kind)
    own, drawn = _BYTES.get(picture.mode, 4), _BYTES.get(mode, 4)
    # A PNG may state only after its pixels that it is rotated.
    is_twofold = picture.mode != mode or (kind == "JPEG" and _is_turned(picture))
    forms = own + (drawn if is_twofold else 0)
    besides = _COEFFICIENTS if picture.info.get("progressive") else 0
    return pixels * (forms / scale**2 + besides)


def _is_turned(picture: Image.Image) -> bool:
    return bool(picture.getexif().get(0x0112, 1) != 1)


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
    """The mode in which nothing visible is lost."""
    if kind == "JPEG":
        return "L" if picture.mode == "L" else "RGB"
    if "transparency" in picture.info:
        return "RGBA"
    return picture.mode if picture.mode in {"1", "L", "LA", "RGBA", "I;16"} else "RGB"
