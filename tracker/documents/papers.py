"""The paper of a certificate: a sheet to frame, and a card for the wallet.

The name is set in the letters in which it is on record: Latin, Greek, Cyrillic, Arabic, Hebrew, and
the Chinese characters of two common sets; the README beside the fonts names them. A paper with
other
letters is not made at all: one with a gap in a name would be wrong.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import io
import unicodedata
from collections.abc import Iterable
from typing import Literal

import orjson
import segno

from tracker import documents
from tracker.language.certificates import CertificatePaper

PaperLayout = Literal["certificate", "card"]
_RIGHT_TO_LEFT = frozenset({"R", "AL"})
_QUIET = 2  # modules of white around the code, on white paper


def pdf(paper: CertificatePaper, layout: PaperLayout) -> bytes:
    """The paper as a PDF; the same paper gives the same bytes.

    Its letters are known to be there (``missing``). Raises CostsTooMuch.
    """
    return documents.laid_out(layout, _data(paper))


def missing(paper: CertificatePaper) -> list[str]:
    """The letters of the paper that the fonts do not have, each once."""
    texts = "".join(_texts(dataclasses.astuple(paper)))
    return list(dict.fromkeys(documents.letters_not_in(documents.OF_PAPERS).findall(texts)))


def fingerprint(paper: CertificatePaper, layout: PaperLayout) -> str:
    """What differs as soon as the PDF would, without making it."""
    made = hashlib.blake2b(orjson.dumps(_data(paper)), digest_size=12)
    made.update(f"{layout} {_layouts()}".encode())
    return made.hexdigest()


def _data(paper: CertificatePaper) -> dict[str, object]:
    """What the layout reads: the texts, the code, and the direction in which the name is read."""
    code = io.BytesIO()
    segno.make(paper.address, error="m", micro=False).save(code, kind="svg", border=_QUIET)
    texts = {name: _normal(value) for name, value in dataclasses.asdict(paper).items()}
    return {**texts, "code": code.getvalue().decode(), "direction": _direction(paper.holder)}


def _direction(text: str) -> str:
    """``rtl`` if its first letter belongs to a script that is read from right to left."""
    kinds = (unicodedata.bidirectional(one) for one in text)
    first = next((kind for kind in kinds if kind in _RIGHT_TO_LEFT or kind == "L"), "L")
    return "rtl" if first in _RIGHT_TO_LEFT else "ltr"


_Texts = str | Iterable["_Texts"]
"""A text, or texts within texts."""


def _normal(value: _Texts) -> _Texts:
    """The same values with each text composed, as the fonts have their letters."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {key: _normal(inner) for key, inner in value.items()}
    return [_normal(inner) for inner in value]


def _texts(values: Iterable[_Texts]) -> Iterable[str]:
    for value in values:
        if isinstance(value, str):
            yield unicodedata.normalize("NFC", value)
        else:
            yield from _texts(value)


@functools.cache
def _layouts() -> str:
    """The layouts as they are in this release."""
    read = hashlib.blake2b(digest_size=12)
    for file in sorted(documents.FOLDER.glob("*.typ")):
        read.update(file.read_bytes())
    return read.hexdigest()
