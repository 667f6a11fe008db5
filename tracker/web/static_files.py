"""The style sheets, scripts and the icon that pages load, each from our own site.

A file's address names its content, so a browser keeps it for a year and asks again only when a
release changed it. Files are compressed once, when the program starts.

``pico.min.css`` is Pico CSS 2.1.1 as published (MIT license, picocss.com).
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, abort, request

_HERE = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_A_YEAR = "public, max-age=31536000, immutable"

static = Blueprint("static_files", __name__)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is served: ``address`` ends in a name with a digest of the content."""

    address: str
    content: bytes
    compressed: bytes
    content_type: str


def _read(name: str) -> StaticFile:
    path = _HERE / name
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:12]
    return StaticFile(
        address=f"/static/{path.stem}-{digest}{path.suffix}",
        content=content,
        compressed=gzip.compress(content, mtime=0),
        content_type=_TYPES[path.suffix],
    )


STYLES = (_read("pico.min.css"), _read("tracker.css"))
"""The style sheets of every page, in the order in which they apply."""
ICON = _read("icon.svg")
"""The icon of the site, which browsers show beside a page's title."""
PASSKEY_SCRIPT = _read("passkey.js")
"""The script of pages that ask for a passkey."""
REVIEW_SCRIPT = _read("review.js")
"""The script of a review: its keys, turning and zooming pictures, the text of a reason."""
_BY_ADDRESS = {one.address: one for one in (*STYLES, ICON, PASSKEY_SCRIPT, REVIEW_SCRIPT)}


@static.get("/static/<string:name>")
def file(name: str) -> Response:
    """One of the files; an address of another release is not found."""
    found = _BY_ADDRESS.get(f"/static/{name}")
    if found is None:
        abort(404)
    packed = request.accept_encodings.find("gzip") >= 0
    response = Response(
        found.compressed if packed else found.content, content_type=found.content_type
    )
    if packed:
        response.content_encoding = "gzip"
    response.headers["Cache-Control"] = _A_YEAR
    response.headers["Vary"] = "Accept-Encoding"
    return response
