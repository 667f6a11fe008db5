"""Files that a holder's form brings as proof: how large they may be, and how they are read."""

from __future__ import annotations

from flask import request
from werkzeug.datastructures import FileStorage

from tracker.api.http import routing, uploads
from tracker.domain.errors import EvidenceTooLarge
from tracker.domain.permissions import Actor
from tracker.files import Checked
from tracker.services.points import evidence

_MB = 1024 * 1024


def most() -> int:
    """How many bytes a form with files may have."""
    limits = routing.container().settings.evidence
    return limits.maximum_files * limits.maximum_bytes + _MB


def limits() -> dict[str, int]:
    """How many files, and how many megabytes each, as the pages say it."""
    found = routing.container().settings.evidence
    return {"count": found.maximum_files, "size": found.maximum_bytes // 10**6}


def sent(actor: Actor, activity_id: str) -> list[Checked]:
    """The files in the form, checked, for an activity that takes files. Raises NotFound, Refusal.

    Nothing is read of a form without files.
    """
    if _given():
        with routing.container().reading(actor) as reading:
            evidence.check_room(reading, activity_id)
    return checked()


def checked() -> list[Checked]:
    """The files in the form, checked, whatever they are for. Raises Refusal."""
    settings = routing.container().settings
    return [
        evidence.checked(settings, _small_enough(file).stream, file.filename or "")
        for file in _given()
    ]


def _given() -> list[FileStorage]:
    return [file for file in request.files.getlist("file") if file.filename]


def _small_enough(file: FileStorage) -> FileStorage:
    """A file that may be read. Raises EvidenceTooLarge if it is too large."""
    maximum = routing.container().settings.evidence.maximum_bytes
    if uploads.size(file) > maximum:
        raise EvidenceTooLarge(f"The file must have at most {maximum:,} bytes.", maximum=maximum)
    return file
