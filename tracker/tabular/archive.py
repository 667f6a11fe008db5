"""The ZIP file around a workbook: its size and content are checked before it is unpacked.

Nothing in it is trusted: its parts are limited in number and size, and none may be XML with a
document type, in which a few bytes could expand to gigabytes.
"""

import re
import zipfile
from collections.abc import Sequence
from typing import IO

from tracker.tabular.problems import Unreadable

MOST_UNPACKED = 256 << 20
# One hundredth is also the limit of Apache POI's ZipSecureFile. Small parts are exempt.
MOST_RATIO, LET_BE = 100, 1 << 20
_MOST_PARTS = 2_000
# Worksheets and their texts are read in pieces; all other parts are read whole.
_STREAMED = ("xl/worksheets/", "xl/sharedStrings.xml")
_MOST_BESIDES = 32 << 20
_ENCRYPTED = 0x1
# The beginning of XML without a document type, as in each part of a workbook.
_PROLOG_BYTES = 4096
_BOM = b"\xef\xbb\xbf"
_ELEMENT = re.compile(rb"<[A-Za-z_]")
_NOT_BLANK = re.compile(rb"\S")
BROKEN = "cannot be read as XLSX: the file is damaged, or is not a workbook"
_OTHER_ARCHIVES = {
    "xl/workbook.bin": "an Excel binary workbook (.xlsb)",
    "word/document.xml": "a Word document (.docx)",
    "ppt/presentation.xml": "a PowerPoint file (.pptx)",
    "content.xml": "an OpenDocument file (.ods or .odt)",
}


def check_archive(stream: IO[bytes]) -> None:
    """Refuse, before unpacking, what is not a workbook or would unpack to too much.

    The sizes are those stated in the ZIP file. They are reliable bounds: `zipfile` stops at the
    stated size, and refuses a part whose checksum then fails. Raises Unreadable.
    """
    with zipfile.ZipFile(stream) as archive:
        parts = archive.infolist()
        if "xl/workbook.xml" not in archive.namelist():
            raise Unreadable(_other_archive(archive.namelist()))
        if len(parts) > _MOST_PARTS or _is_too_large(parts):
            rule = "unpacks to more than the largest workbook allowed: save it as CSV UTF-8"
            raise Unreadable(rule)
        for part in parts:
            _check_part(archive, part)


def _is_too_large(parts: Sequence[zipfile.ZipInfo]) -> bool:
    besides = [part for part in parts if not part.filename.startswith(_STREAMED)]
    return (
        sum(part.file_size for part in parts) > MOST_UNPACKED
        or sum(part.file_size for part in besides) > _MOST_BESIDES
    )


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    if part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise Unreadable(BROKEN)  # others are not in the standard, and unpack without a limit
    if part.flag_bits & _ENCRYPTED:
        rule = "is protected by a password: save it without one"
        raise Unreadable(rule)
    if part.file_size > max(LET_BE, MOST_RATIO * part.compress_size):
        rule = f"unpacks to more than {MOST_RATIO} times its size, as a ZIP bomb does"
        raise Unreadable(rule)
    with archive.open(part) as opened:
        beginning = opened.read(_PROLOG_BYTES)
    may_be_xml = beginning.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] in b"<"  # or all blank
    if beginning and may_be_xml and not _is_plain_xml(beginning):
        rule = "contains XML with a document type, which workbooks never have"
        raise Unreadable(rule)


def _is_plain_xml(beginning: bytes) -> bool:
    """Whether only a declaration and complete comments come before the first element.

    Each search starts where the last one ended, so no byte is searched twice.
    """
    at = _after_blanks(beginning, len(_BOM) if beginning.startswith(_BOM) else 0)
    if beginning.startswith(b"<?xml", at):
        at = _after_blanks(beginning, _past(b">", beginning, at))
    while beginning.startswith(b"<!--", at):
        at = _after_blanks(beginning, _past(b"-->", beginning, at + 4))
    return _ELEMENT.match(beginning, at) is not None


def _past(mark: bytes, text: bytes, at: int) -> int:
    found = text.find(mark, at)
    return len(text) if found < 0 else found + len(mark)


def _after_blanks(text: bytes, at: int) -> int:
    found = _NOT_BLANK.search(text, at)
    return found.start() if found else len(text)


def _other_archive(names: list[str]) -> str:
    for name, kind in _OTHER_ARCHIVES.items():
        if name in names:
            return f"is {kind}: save it as XLSX or CSV UTF-8"
    return "is a ZIP file but not an XLSX workbook: save it as XLSX or CSV UTF-8"
