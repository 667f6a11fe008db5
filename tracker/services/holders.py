"""Holders: people on record, and everything that is on record about them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from tracker.db import new_id
from tracker.domain.errors import AlreadyRecorded, NotFound, Stale
from tracker.domain.permissions import check_own_holder
from tracker.models import Holder
from tracker.services import history, reminders
from tracker.services.work import Reading, Work

COLUMNS = (
    Holder.id, Holder.ref, Holder.given_name, Holder.family_name, Holder.email,
    Holder.second_email, Holder.language, Holder.time_zone, Holder.recorded_at, Holder.version,
)  # fmt: skip
_ONE = select(*COLUMNS)
BY_ID = _ONE.where(Holder.id == bindparam("id"))


def register(work: Work, values: dict[str, Any]) -> Any:
    """Put a person on record. Raises AlreadyRecorded if the ref is taken."""
    id_ = new_id()
    holder = Holder(id=id_, **{"ref": id_, **values}, recorded_at=work.now)
    work.session.add(holder)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded(f"There is a holder with the ref {holder.ref!r} already.") from error
    history.record(work, "register", "holder", holder.id, ref=holder.ref)
    return get(work, holder.id)


def get(reading: Reading, holder_id: str) -> Any:
    """A holder's row. Raises NotFound, also for somebody else's record."""
    check_own_holder(reading.actor, holder_id)
    row = reading.row(BY_ID, {"id": holder_id})
    if row is None:
        raise NotFound
    return row


def correct(work: Work, holder_id: str, values: dict[str, Any], *, version: int) -> Any:
    """Change what is recorded of a person. Raises NotFound, or Stale if it changed since."""
    check_own_holder(work.actor, holder_id)
    holder = work.session.get(Holder, holder_id)
    if holder is None:
        raise NotFound
    if holder.version != version:
        raise Stale("The record changed since you read it; read it again.")
    before = {key: getattr(holder, key) for key in values}
    for key, value in values.items():
        setattr(holder, key, value)
    try:
        work.session.flush()
    except StaleDataError as error:
        raise Stale("The record changed since you read it; read it again.") from error
    if "time_zone" in values:
        reminders.touch_holder(work, holder_id)
    changed = {key: value for key, value in values.items() if before[key] != value}
    history.record(work, "correct", "holder", holder_id, fields=sorted(changed))
    return get(work, holder_id)


def search(
    reading: Reading, *, after: str | None, limit: int, filters: dict[str, str]
) -> list[Any]:
    """A page of holders in the order of their ids; ``filters`` match exactly, the name by start."""
    statement = _ONE.order_by(Holder.id).limit(limit)
    if after:
        statement = statement.where(Holder.id > after)
    for key, value in filters.items():
        column = getattr(Holder, key)
        prefix = key in {"family_name", "given_name"}
        match = column.istartswith(value, autoescape=True) if prefix else column == value
        statement = statement.where(match)
    return list(reading.rows(statement))
