"""The setting of one document, as the job of a process of its own (``tracker.apart``).

The source is what the layout reads, as JSON; the answer is the PDF.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import IO, Any

from tracker import documents


def prepare(source: IO[bytes]) -> None:
    """Load Typst; the source is read later, by ``work``."""
    del source
    os.environ["RAYON_NUM_THREADS"] = "1"  # a thread for each core takes memory and little time
    import typst  # noqa: F401, PLC0415 - loaded for ``work``


def work(options: Mapping[str, Any], source: IO[bytes], into: IO[bytes]) -> None:
    """Set the document in the layout that is named."""
    import typst  # noqa: PLC0415 - after ``prepare``; slow to load

    data = typst.compile(
        str(documents.FOLDER / f"{options['layout']}.typ"),
        root=str(documents.FOLDER),
        font_paths=[str(documents.FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"data": source.read().decode()},
        pdf_standards="ua-1",
    )
    assert isinstance(data, bytes)  # noqa: S101 - a PDF is one file
    into.write(data)
