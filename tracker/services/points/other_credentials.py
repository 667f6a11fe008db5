"""Credentials of other issuers that people bring: added, corrected, withdrawn, verified, claimed.

Holders and staff record them. What staff verified is no longer verified once anybody corrects it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tracker.domain.errors import AlreadyRecorded, IllegalTransition, Invalid, NotFound
from tracker.domain.permissions import check_own_holder
from tracker.domain.points import other_credentials as rules
from tracker.models import Certification, Holder, OtherCredential
from tracker.services.core import history, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of, zone_of
from tracker.services.core.locks import Lock
from tracker.services.core.row_scope import scope
from tracker.services.points import activities

STATED = ("credential", "level", "number", "issued_on", "expires_on", "evidence")
"""What a record states about a credential."""
_stated = attrgetter(*STATED)


class OtherCredentialRow(NamedTuple):
    """A credential that somebody brings, as it is on record."""

    id: str
    holder_id: str
    credential: str
    level: str
    number: str
    issued_on: date
    expires_on: date | None
    evidence: str
    recorded_at: datetime
    recorded_by: str
    verified_at: datetime | None
    verified_by: str | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    activity_id: str | None


_ROWS = select(*columns_of(OtherCredentialRow, OtherCredential))


def page(
    reading: ReadContext, holder_id: str, *, after: str | None = None, limit: int | None = None
) -> list[OtherCredentialRow]:
    """A holder's credentials, including withdrawn ones, in the order of their ids."""
    seen = scope(reading.actor, OtherCredential)
    statement = _ROWS.where(OtherCredential.holder_id == holder_id, seen)
    if after:
        statement = statement.where(OtherCredential.id > after)
    statement = statement.order_by(OtherCredential.id).limit(limit)
    return reading.rows_as(OtherCredentialRow, statement)


def get(reading: ReadContext, credential_id: str) -> OtherCredentialRow:
    """One credential. Raises NotFound, also for another holder's."""
    seen = scope(reading.actor, OtherCredential)
    statement = _ROWS.where(OtherCredential.id == credential_id, seen)
    row = reading.row_as(OtherCredentialRow, statement)
    if row is None:
        raise NotFound
    return row


def add(work: UnitOfWork, holder_id: str, stated: Mapping[str, Any]) -> str:
    """Record a credential; returns its id. ``stated`` are values of ``STATED``.

    Raises Invalid, AlreadyRecorded for the same one twice, NotFound.
    """
    check_own_holder(work.actor, holder_id)
    locks.lock_one(work, holder_id)
    row = OtherCredential(
        holder_id=holder_id,
        **stated,
        recorded_at=work.now,
        recorded_by=work.actor.name,
    )
    _check(work, row)
    work.session.add(row)
    _flush(work)
    nothing = dict.fromkeys(STATED)
    changes = history.changes(nothing, dict(zip(STATED, _stated(row), strict=True)))
    history.record(work, "add", "other_credential", row.id, changes=changes)
    return row.id


def correct(
    work: UnitOfWork, credential_id: str, values: Mapping[str, Any], *, reason: str | None
) -> None:
    """Correct what a credential states. Staff give a reason.

    Raises Invalid, also if nothing changes, AlreadyRecorded, IllegalTransition if it is withdrawn,
    NotFound.
    """
    row = _living(work, credential_id)
    if reason is None and work.actor.is_of_the_body:
        rule = "is required where somebody else's record is corrected"
        raise Invalid("A correction needs a reason.", fields={"reason": rule})
    before = dict(zip(STATED, _stated(row), strict=True))
    changes = history.changes(before, {**before, **values})
    if not changes:
        raise Invalid("Nothing changes.", fields=dict.fromkeys(values, "already has this value"))
    for name, value in values.items():
        setattr(row, name, value)
    row.verified_at = row.verified_by = None
    _check(work, row)
    _flush(work)
    history.record(work, "correct", "other_credential", row.id, reason=reason, changes=changes)


def withdraw(work: UnitOfWork, credential_id: str, *, reason: str) -> None:
    """Withdraw a credential; it stays readable. Raises IllegalTransition, NotFound."""
    row = _living(work, credential_id)
    row.withdrawn_at, row.withdrawn_reason = work.now, reason
    work.session.flush()
    history.record(work, "withdraw", "other_credential", row.id, reason=reason)


def verify(work: UnitOfWork, credential_id: str, *, is_true: bool, note: str | None) -> None:
    """Note that staff checked a credential with its issuer, or take that back with a note.

    Raises SelfReview for one's own, Invalid without the note, IllegalTransition, NotFound.
    """
    row = _living(work, credential_id, lock=locks.lock_one_to_decide)
    if not is_true and note is None:
        rule = "is required where a verification is taken back"
        raise Invalid("A reason is missing.", fields={"note": rule})
    row.verified_at = work.now if is_true else None
    row.verified_by = work.actor.name if is_true else None
    work.session.flush()
    action = "verify" if is_true else "unverify"
    history.record(work, action, "other_credential", row.id, note=note)


def claim(work: UnitOfWork, credential_id: str, certification_id: str) -> str:
    """Claim points for a credential; returns the activity's id.

    A credential is claimed once: asked for again, the same activity is returned. Raises NotFound,
    also for somebody else's certification, IllegalTransition, and what ``activities.log`` raises.
    """
    row = _living(work, credential_id)
    if row.activity_id is not None:
        return row.activity_id
    whose = select(Certification.holder_id).where(
        Certification.id == certification_id, scope(work.actor, Certification)
    )
    found = work.row(whose)
    if found is None or found.holder_id != row.holder_id:
        raise NotFound
    kind, what = work.credentials.kind(row.credential), work.credentials.activity
    title = f"{kind.name}, Level {row.level}" if row.level else kind.name
    stated = {
        "category": what.category,
        "type": what.type,
        "title": title,
        "provider": kind.issuer,
        "quantity": Decimal(1),
        "completed_on": row.issued_on,
    }
    row.activity_id = activities.log(work, certification_id, stated)
    work.session.flush()
    history.record(work, "claim", "other_credential", row.id, activity=row.activity_id)
    return row.activity_id


def _living(
    work: UnitOfWork, credential_id: str, *, lock: Lock = locks.lock_one
) -> OtherCredential:
    """A credential to change, with its holder locked. Raises IllegalTransition if withdrawn."""
    row = work.session.get(OtherCredential, credential_id)
    if row is None:
        raise NotFound
    check_own_holder(work.actor, row.holder_id)
    lock(work, row.holder_id)
    work.reread(row)
    if row.withdrawn_at is not None:
        raise IllegalTransition("The credential was withdrawn.", state="withdrawn")
    return row


def _check(work: UnitOfWork, row: OtherCredential) -> None:
    holder = work.row(select(Holder.time_zone).where(Holder.id == row.holder_id))
    if holder is None:
        raise NotFound
    rules.check_credential(
        work.credentials.kind(row.credential),
        level=row.level,
        issued_on=row.issued_on,
        expires_on=row.expires_on,
        on=work.now.astimezone(zone_of(holder.time_zone)).date(),
    )


def _flush(work: UnitOfWork) -> None:
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded("This credential of that day is already on record.") from error
