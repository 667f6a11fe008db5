"""Evidence for the demo: one-page PDFs such as certificates of completion."""

from __future__ import annotations

import io

import pikepdf
from pikepdf import Dictionary, Name

from tracker.demo.workers import DemoDocument

_LETTER = (612, 792)  # US Letter, in points


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


def _content(lines: tuple[str, ...]) -> bytes:
    """PDF operators that write the lines below each other."""
    heading, *rest = (_string(line) for line in lines)
    shown = [b"BT /F1 22 Tf 72 680 Td", heading + b" Tj", b"/F1 14 Tf 30 TL 0 -20 Td"]
    return b"\n".join([*shown, *(b"T* " + line + b" Tj" for line in rest), b"ET"])


def _string(text: str) -> bytes:
    """Text as a PDF string in the encoding of the font."""
    escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return b"(" + escaped.encode("cp1252", "replace") + b")"
