"""A person's archive: everything about them in one ZIP file, for themselves.

``record.json`` is ``exports.record``: one key for each kind of record, with rows by the names of
their columns, and under ``standings`` how each certification stands on the day. ``summary.pdf`` is
to be read, in the person's language. ``files/`` has the evidence, under the id of its activity, and
the proofs of requests, under the id of their request; files past the largest size of an archive are
listed in ``record.json`` under ``files_left_out`` and can be downloaded one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import IO, Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import orjson
from sqlalchemy import bindparam, null, select

from tracker import documents
from tracker.domain.errors import NotFound
from tracker.domain.permissions import check_own_holder
from tracker.language import archives
from tracker.models import Activity, Evidence, Holder, HolderRequest, RequestProof
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of, zone_of
from tracker.services.overview import exports, me
from tracker.services.points import evidence
from tracker.services.standings import snapshots, standings
from tracker.services.standings.snapshots import CertificationRecord
from tracker.services.standings.standings import CertificationPoints, HeldCertification


class ArchivedFile(NamedTuple):
    """A file of evidence or a proof, and the activity or request that it belongs to."""

    id: str
    activity_id: str | None
    request_id: str | None
    slot: int
    filename: str
    size: int
    key: str

    @property
    def path(self) -> str:
        """Its place in the archive; the name was made harmless when it was uploaded."""
        return f"files/{self.activity_id or self.request_id}/{self.slot}-{self.filename}"


class ArchivedPerson(NamedTuple):
    """Whose archive it is."""

    id: str
    ref: str
    language: str
    time_zone: str


def person(reading: ReadContext, holder_id: str) -> ArchivedPerson:
    """The person. Raises NotFound, also for another person's record."""
    check_own_holder(reading.actor, holder_id)
    statement = select(*columns_of(ArchivedPerson, Holder)).where(Holder.id == holder_id)
    found = reading.row_as(ArchivedPerson, statement)
    if found is None:
        raise NotFound
    return found


def note(work: UnitOfWork, holder_id: str) -> None:
    """Record that the actor takes the archive of a person."""
    history.record(work, "export", "holder", holder_id)


def facts(reading: ReadContext, whose: ArchivedPerson) -> dict[str, Any]:
    """What the archive says: the record, the standings, and the files that do not fit in."""
    _, left_out = _files(reading, whose.id)
    names = ("id", "activity_id", "request_id", "size")
    listed = [{name: getattr(file, name) for name in names} for file in left_out]
    record = exports.record(reading, whose.ref)
    ids = [certification["id"] for certification in record["certifications"]]
    return {**record, "standings": _standings(reading, whose, ids), "files_left_out": listed}


def _standings(
    reading: ReadContext, whose: ArchivedPerson, ids: Sequence[str]
) -> list[dict[str, object]]:
    """How each certification stands today; one that was withdrawn or replaced has no status."""
    held = {one.id: one for one in me.held_today(reading, whose.id, whose.time_zone)}
    points = standings.points(reading, held.values())
    cycles = snapshots.cycles(reading, ids)
    return [
        {
            "certification_id": id_,
            **_standing(held.get(id_)),
            "points": _points(points.get(id_)),
            "cycles": _cycles(cycles.get(id_)),
        }
        for id_ in ids
    ]


def _standing(held: HeldCertification | None) -> dict[str, object]:
    standing = held and held.standing
    names = ("on", "status", "valid", "cycle", "expires_on")
    return {name: standing and getattr(standing, name) for name in names}


def _points(points: CertificationPoints | None) -> dict[str, str] | None:
    """The points of the cycle of the day, and what they come to if all that waits is approved."""
    if points is None:
        return None
    amounts = (points.evaluation.total, points.pending.total, points.evaluation.required)
    return dict(zip(("total", "with_pending", "required"), map(str, amounts), strict=True))


def _cycles(record: CertificationRecord | None) -> list[dict[str, object]]:
    """The cycles, with the expiries that result from extensions."""
    return [
        {"ordinal": cycle.ordinal, "starts_on": cycle.starts_on, "expires_on": cycle.expires_on}
        for cycle in (record.cycles_on(date.max) if record else ())
    ]


def write(reading: ReadContext, whose: ArchivedPerson, file: IO[bytes]) -> None:
    """Write the archive, one file of evidence in memory at a time."""
    within, _ = _files(reading, whose.id)
    text = orjson.dumps(facts(reading, whose), option=orjson.OPT_INDENT_2)
    with ZipFile(file, "w") as archive:
        archive.writestr("record.json", text, ZIP_DEFLATED)
        archive.writestr("summary.pdf", _summary(reading, whose, orjson.loads(text)), ZIP_STORED)
        for one in within:
            _put(reading, archive, one)


def _summary(reading: ReadContext, whose: ArchivedPerson, record: Mapping[str, Any]) -> bytes:
    """The summary of a record that was read from its JSON, as a PDF."""
    on = reading.now.astimezone(zone_of(whose.time_zone)).date()
    report = archives.summary(record, reading.schemes, on=on, language=whose.language)
    return documents.pdf(report)


def _put(reading: ReadContext, archive: ZipFile, one: ArchivedFile) -> None:
    """Add a file; one that was removed meanwhile is left out."""
    try:
        data = evidence.store(reading.settings).get(one.key)
    except FileNotFoundError:
        return
    archive.writestr(ZipInfo(one.path), data, ZIP_STORED)


_FILE = ("slot", "filename", "size", "key")
_NONE = null()
_FILES = (
    select(
        Evidence.id,
        Evidence.activity_id,
        _NONE.label("request_id"),
        *(getattr(Evidence, name) for name in _FILE),
    )
    .join(Activity, Activity.id == Evidence.activity_id)
    .where(Activity.holder_id == bindparam("id")),
    select(
        RequestProof.id,
        _NONE.label("activity_id"),
        RequestProof.request_id,
        *(getattr(RequestProof, name) for name in _FILE),
    )
    .join(HolderRequest, HolderRequest.id == RequestProof.request_id)
    .where(HolderRequest.holder_id == bindparam("id")),
)


def _files(
    reading: ReadContext, holder_id: str
) -> tuple[Sequence[ArchivedFile], Sequence[ArchivedFile]]:
    """The files that fit into an archive, the newest first, and the others."""
    of = {"id": holder_id}
    found = [row for statement in _FILES for row in reading.rows_as(ArchivedFile, statement, of)]
    files = sorted(found, key=attrgetter("id"), reverse=True)
    within = _first(files, reading.settings.privacy.archive_maximum_bytes)
    return files[:within], files[within:]


def _first(files: Iterable[ArchivedFile], most: int) -> int:
    """How many of the files have together no more than so many bytes."""
    total = count = 0
    for file in files:
        total += file.size
        if total > most:
            break
        count += 1
    return count
