"""Pictures of a few hundred kilobytes that are hundreds of megabytes when they are drawn."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image


def picture(kind: str, mode: str, size: tuple[int, int], **options: Any) -> bytes:
    """A picture of one color."""
    into = io.BytesIO()
    Image.new(mode, size, 128 if mode in {"1", "L", "P", "I;16"} else None).save(
        into, kind, **options
    )
    return into.getvalue()


def turned() -> Image.Exif:
    """What a camera on its side writes."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


HEAVY_PICTURES = {
    "png": lambda: picture("PNG", "RGB", (7_000, 7_000)),
    "png in colours of a palette": lambda: picture("PNG", "P", (7_000, 7_000)),
    "png with transparency": lambda: picture("PNG", "RGBA", (7_000, 7_000)),
    "png on its side": lambda: picture("PNG", "RGB", (5_700, 5_700), exif=turned()),
    "progressive jpeg": lambda: picture("JPEG", "RGB", (7_000, 7_000), progressive=True),
    "jpeg in four colours": lambda: picture("JPEG", "CMYK", (7_000, 7_000)),
    "jpeg on its side": lambda: picture("JPEG", "RGB", (7_000, 7_000), exif=turned()),
    "jpeg": lambda: picture("JPEG", "RGB", (7_000, 7_000)),
}
