"""The files that prove a request, checked and kept as evidence is.

A file comes while the request waits for a decision, from its holder or from staff. What is said of
evidence holds here (``services/points/evidence.py``): a file is on disk before its row commits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select

from tracker.db import new_id
from tracker.domain.desk import requests as rules
from tracker.domain.desk.requests import RequestState
from tracker.domain.errors import NotFound, UnacceptableEvidence
from tracker.files import Checked
from tracker.models import HolderRequest, RequestProof
from tracker.services.core import history, locks
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.core.row_scope import scope
from tracker.services.desk import requests
from tracker.services.desk.requests import RequestRow
from tracker.services.points import evidence
from tracker.settings import Settings


class ProofRow(NamedTuple):
    """A file of a request."""

    id: str
    request_id: str
    slot: int
    filename: str
    content_type: str
    size: int
    sha256: str
    key: str
    recorded_at: datetime


_ONE = select(*(getattr(RequestProof, name) for name in ProofRow._fields)).join(
    HolderRequest, HolderRequest.id == RequestProof.request_id
)


def check_room(reading: ReadContext, request_id: str) -> None:
    """Raise what ``add`` would raise for any file, before a file is read."""
    row = requests.get(reading, request_id)
    rules.check_state(RequestState(row.state), (RequestState.REQUESTED,))
    if len(of_request(reading, request_id)) >= reading.settings.evidence.maximum_files:
        raise _one_too_many(reading.settings)


def add(work: UnitOfWork, request_id: str, file: Checked) -> str:
    """Store a file with a request that waits; returns its id.

    Raises NotFound, also for another holder's; IllegalTransition once it is decided;
    UnacceptableEvidence if it has as many files as it may.
    """
    locks.lock_one(work, requests.get(work, request_id).holder_id)
    check_room(work, request_id)
    taken = {row.slot for row in of_request(work, request_id)}
    most = work.settings.evidence.maximum_files
    digest = hashlib.sha256(file.data).hexdigest()
    made = RequestProof(
        id=new_id(),
        request_id=request_id,
        slot=next(n for n in range(1, most + 1) if n not in taken),
        filename=file.name,
        content_type=file.content_type,
        size=len(file.data),
        sha256=digest,
        key=evidence.put(work, file),
        uploaded_by=work.actor.name,
        recorded_at=work.now,
    )
    work.session.add(made)
    work.session.flush()
    history.record(work, "add_proof", "request", request_id, proof_id=made.id, sha256=digest)
    return made.id


def remove(work: UnitOfWork, proof_id: str) -> None:
    """Remove a file from a request that waits. Raises NotFound, IllegalTransition."""
    row = get(work, proof_id)
    request = requests.get(work, row.request_id)
    locks.lock_one(work, request.holder_id)
    state = requests.get(work, row.request_id).state
    rules.check_state(RequestState(state), (RequestState.REQUESTED,))
    if not work.execute(delete(RequestProof).where(RequestProof.id == row.id)).rowcount:
        raise NotFound
    history.record(work, "remove_proof", "request", row.request_id, proof_id=row.id)
    evidence.remove_files(work, [row.key])


def of_request(reading: ReadContext, request_id: str) -> Sequence[ProofRow]:
    """The files of a request. Raises NotFound, also for another holder's."""
    requests.get(reading, request_id)
    statement = _ONE.where(RequestProof.request_id == request_id).order_by(RequestProof.slot)
    return reading.rows_as(ProofRow, statement)


def of_requests(reading: ReadContext, rows: Sequence[RequestRow]) -> dict[str, list[ProofRow]]:
    """The files of requests that the actor has read, by the request's id, in their order."""
    ids = [row.id for row in rows]
    seen = RequestProof.request_id.in_(ids), scope(reading.actor, HolderRequest)
    statement = _ONE.where(*seen).order_by(RequestProof.request_id, RequestProof.slot)
    found: dict[str, list[ProofRow]] = {id_: [] for id_ in ids}
    for proof in reading.rows_as(ProofRow, statement):
        found[proof.request_id].append(proof)
    return found


def get(reading: ReadContext, proof_id: str) -> ProofRow:
    """A file's row. Raises NotFound, also for another holder's."""
    seen = RequestProof.id == proof_id, scope(reading.actor, HolderRequest)
    row = reading.row_as(ProofRow, _ONE.where(*seen))
    if row is None:
        raise NotFound
    return row


def content(reading: ReadContext, row: ProofRow) -> bytes:
    """The bytes of a file. Raises NotFound if it was removed after its row was read."""
    try:
        return evidence.store(reading.settings).get(row.key)
    except FileNotFoundError as error:
        raise NotFound from error


def _one_too_many(settings: Settings) -> UnacceptableEvidence:
    rule = f"is one too many: a request may have at most {settings.evidence.maximum_files} files"
    return UnacceptableEvidence(f"The file {rule}.", fields={"file": rule})
