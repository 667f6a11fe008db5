"""Evidence for the demo: certificates of completion, as one-page PDFs and as photos of paper."""

from __future__ import annotations

import io

import pikepdf
from pikepdf import Dictionary, Name
from PIL import Image, ImageDraw, ImageFont

from tracker.demo.workers import DemoDocument
from tracker.settings import ROOT

_LETTER = (612, 792)  # US Letter, in points
_PHOTO = (900, 1160)
_TABLE, _PAPER, _INK, _LINE = "#6b5644", "#f4f1e8", "#22303c", "#a08b52"
_FONTS = ROOT / "tracker/documents/fonts"


def pdf(document: DemoDocument) -> bytes:
    """The document as a PDF, its first line as the heading. The same lines give the same bytes."""
    file = pikepdf.new()
    page = file.add_blank_page(page_size=_LETTER)
    font = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type1,
        BaseFont=Name.Helvetica,
        Encoding=Name.WinAnsiEncoding,
    )
    page.Resources = Dictionary(Font=Dictionary(F1=font))
    page.Contents = file.make_stream(_content(document.lines))
    stream = io.BytesIO()
    file.save(stream, deterministic_id=True)
    return stream.getvalue()


def photo(document: DemoDocument) -> bytes:
    """The document as somebody photographs it on a table, as a JPEG."""
    paper = Image.new("RGB", (760, 980), _PAPER)
    pen = ImageDraw.Draw(paper)
    pen.rectangle((28, 28, 732, 952), outline=_LINE, width=4)
    bold, plain = (
        ImageFont.truetype(_FONTS / f"NotoSans-{style}.ttf", size)
        for style, size in (("Bold", 36), ("Regular", 26))
    )
    for number, line in enumerate(document.lines):
        font = plain if number else bold
        pen.text((380, 240 + 90 * number), line, fill=_INK, font=font, anchor="mm")
    table = Image.new("RGB", _PHOTO, _TABLE)
    mask = Image.new("L", paper.size, 255).rotate(-2.5, expand=True)
    table.paste(paper.rotate(-2.5, Image.Resampling.BICUBIC, expand=True), (52, 70), mask)
    stream = io.BytesIO()
    table.save(stream, "JPEG", quality=70)
    return stream.getvalue()


def _content(lines: tuple[str, ...]) -> bytes:
    """PDF operators that write the lines below each other."""
    heading, *rest = (_string(line) for line in lines)
    shown = [b"BT /F1 22 Tf 72 680 Td", heading + b" Tj", b"/F1 14 Tf 30 TL 0 -20 Td"]
    return b"\n".join([*shown, *(b"T* " + line + b" Tj" for line in rest), b"ET"])


def _string(text: str) -> bytes:
    """Text as a PDF string in the encoding of the font."""
    escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return b"(" + escaped.encode("cp1252", "replace") + b")"
