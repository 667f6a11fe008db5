"""The pages of a PDF as a reader shows them, and the codes that a phone finds on them.

They are drawn by PDFium and read by ZXing, neither of which makes any document of ours.
"""

from __future__ import annotations

import pypdfium2
import zxingcpp
from PIL import Image


def pages(data: bytes, *, dots_per_inch: int = 150) -> list[Image.Image]:
    """Each page as a picture."""
    document = pypdfium2.PdfDocument(data)
    return [page.render(scale=dots_per_inch / 72).to_pil() for page in document]


def text(data: bytes) -> str:
    """What the pages say, in the order in which a person copies it."""
    document = pypdfium2.PdfDocument(data)
    said = " ".join(page.get_textpage().get_text_bounded() for page in document)
    return " ".join(said.split())


def codes(page: Image.Image) -> list[str]:
    """The texts of the codes on a page."""
    return [found.text for found in zxingcpp.read_barcodes(page)]
