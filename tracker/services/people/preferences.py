"""Preferences: which messages a holder wants, pauses, language, time zone and addresses.

Messages about the safety of the account (suspended, reinstated, revoked, consent asked) are always
sent and have no preference. The planner and the composer read these rows, so a change takes effect
with the next stage, and at once for a message that is still queued; before sending, the outbox
checks again whether the type was switched off.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Executable, and_, or_, select, update

from tracker.domain.delivery import reminders as rules
from tracker.domain.delivery.notices import MessageType
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.permissions import Actor
from tracker.models import Preference
from tracker.services.core import bulk, history, locks, signed_links
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.outbox import cursors
from tracker.services.people import holders
from tracker.services.people.holders import HolderRow

ALWAYS_SENT = ("suspended", "reinstated", "revoked", "consent_asked")
# Plain, as it names a field of an answer.
REMINDERS = str(MessageType.REMINDERS)
_TYPES = frozenset(MessageType)
_WANTED: Mapping[str, object] = {"wanted": True, "snoozed_until": None}
"""The default without a row."""
_SAID = ("wanted", "snoozed_until", "changed_by", "changed_at", "reason")
_KEY = ("holder_id", "type")
_Opened = TypeVar("_Opened", bound=ReadContext)


@dataclass(frozen=True, slots=True)
class Wish:
    """Whether a type of message is wanted, and the last day of a pause if there is one.

    ``changed_by`` and ``changed_at`` are the last change; ``reason`` is why staff made it for the
    holder.
    """

    wanted: bool = True
    snoozed_until: date | None = None
    changed_by: str | None = None
    changed_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Preferences:
    """A holder's record, and their wish for every type of message."""

    holder: HolderRow
    wishes: Mapping[str, Wish]


def of_holder(reading: ReadContext, holder_id: str) -> Preferences:
    """A holder's preferences. Raises NotFound, also for another holder's record."""
    holder = holders.get(reading, holder_id)
    statement = select(Preference.type, *(getattr(Preference, name) for name in _SAID))
    rows = reading.rows(statement.where(Preference.holder_id == holder_id))
    said = {row.type: Wish(*row[1:]) for row in rows}
    return Preferences(holder, {type_: said.get(type_, Wish()) for type_ in MessageType})


def mine(reading: ReadContext) -> Preferences:
    """The preferences of the acting holder. Raises NotFound for other actors."""
    return of_holder(reading, _me(reading))


def change_mine(work: UnitOfWork, values: Mapping[str, object]) -> Preferences:
    """Change the acting holder's preferences; whatever is not given stays as it is.

    ``values`` are wishes by type of message, and fields of the holder's record. Raises NotFound, or
    Invalid for a pause that ends in the past or lasts longer than a year.
    """
    holder_id = _me(work)
    before = _change(work, holder_id, values, reason=None)
    record = {
        key: value
        for key, value in values.items()
        if key not in _TYPES and getattr(before.holder, key) != value
    }
    if record:
        holders.correct(work, holder_id, record, version=before.holder.version)
    return of_holder(work, holder_id)


def change_for(
    work: UnitOfWork, holder_id: str, values: Mapping[str, object], *, reason: str | None
) -> Preferences:
    """Change a holder's wishes on their behalf, with a reason; the holder can change them back.

    ``values`` are wishes by type of message. Raises NotFound, or Invalid as ``change_mine``.
    """
    _change(work, holder_id, values, reason=reason)
    return of_holder(work, holder_id)


def _change(
    work: UnitOfWork, holder_id: str, values: Mapping[str, object], *, reason: str | None
) -> Preferences:
    """Write wishes; returns the preferences before."""
    locks.lock_one(work, holder_id)
    before = of_holder(work, holder_id)
    wishes = {
        type_: wish for type_ in MessageType if isinstance(wish := values.get(type_), Mapping)
    }
    pause = wishes.get(MessageType.REMINDERS, {}).get("snoozed_until")
    _check_pause(work, before.holder, pause, REMINDERS)
    for type_, wish in wishes.items():
        if wish:
            put(work, type_, [holder_id], wish, reason=reason)
    return before


def _me(reading: ReadContext) -> str:
    """The acting holder's id. Raises NotFound for other actors."""
    if reading.actor.holder_id is None:
        raise NotFound
    return reading.actor.holder_id


def _check_pause(
    reading: ReadContext, holder: HolderRow, until_on: date | None, field: str = ""
) -> None:
    """Refuse a pause that ends in the past for the holder, or lasts longer than a year."""
    if until_on is None:
        return
    today = reading.now.astimezone(ZoneInfo(holder.time_zone)).date()
    try:
        rules.check_pause(until_on, today)
    except Invalid as error:
        prefix = f"{field}." if field else ""
        named = {f"{prefix}{name}": rule for name, rule in error.fields.items()}
        raise Invalid(error.detail, fields=named) from error


def put(
    work: UnitOfWork,
    type_: str,
    holder_ids: Collection[str],
    wish: Mapping[str, object],
    *,
    before: datetime | None = None,
    reason: str | None = None,
    **cause: str,
) -> list[str]:
    """Set the wish of holders for a type of message; returns those for whom it changed.

    Each change gets a history entry. Holders who changed their wish at or after ``before`` are left
    alone. ``reason`` is why staff do so for a holder.
    """
    lines: list[tuple[str, dict[str, object]]] = []
    for ids in bulk.chunks(sorted(set(holder_ids))):
        earlier = _wishes(work, type_, ids)
        for row in work.rows(_put(work, type_, ids, wish, before=before, reason=reason)):
            known = earlier.get(row.holder_id, _WANTED)
            changes = history.changes({key: known[key] for key in wish}, wish)
            detail: dict[str, object] = {"type": type_, "changes": changes, "reason": reason}
            lines.append((row.holder_id, detail | cause))
    history.record_many(work, "prefer", "holder", lines)
    if type_ == REMINDERS and wish.get("wanted", True) and lines:
        cursors.touch_holders(work, [holder_id for holder_id, _ in lines])
    return [holder_id for holder_id, _ in lines]


def _wishes(work: UnitOfWork, type_: str, ids: Collection[str]) -> dict[str, Mapping[str, object]]:
    """The current wishes of these holders for a type of message."""
    columns = [getattr(Preference, name) for name in _WANTED]
    statement = select(Preference.holder_id, *columns).where(
        Preference.holder_id.in_(ids), Preference.type == type_
    )
    return {row.holder_id: row._asdict() for row in work.rows(statement)}


def _put(
    work: UnitOfWork,
    type_: str,
    ids: Sequence[str],
    wish: Mapping[str, object],
    *,
    before: datetime | None,
    reason: str | None,
) -> Executable:
    """Write only changes; a holder without a row has the default, so no row is made for it.

    A reason counts as a change too.
    """
    said = {**wish, "reason": reason} if reason is not None else wish
    columns = {key: getattr(Preference, key) for key in said}
    news = [or_(*(column.is_distinct_from(said[key]) for key, column in columns.items()))]
    if before is not None:
        news.append(Preference.changed_at < before)
    values = {
        **wish,
        "changed_at": work.now,
        "changed_by": work.actor.name,
        "reason": reason,
    }
    if reason is None and all(_WANTED[key] == value for key, value in wish.items()):
        of_these = (Preference.holder_id.in_(ids), Preference.type == type_)
        return (
            update(Preference)
            .where(*of_these, *news)
            .values(values)
            .returning(Preference.holder_id)
        )
    rows = [{"holder_id": id_, "type": type_, **_WANTED, **values} for id_ in ids]
    return (
        work.upsert(Preference)
        .values(rows)
        .on_conflict_do_update(index_elements=_KEY, set_=values, where=and_(*news))
        .returning(Preference.holder_id)
    )


# By the link in a message: having the link proves having the message, so no token is needed.
def by_link(reading: ReadContext, key: bytes, type_: str, proof: str) -> Preferences:
    """The preferences of the holder to whom a link was sent. Raises NotFound for a forged link."""
    return mine(_proven(reading, key, type_, proof))


def stop_by_link(work: UnitOfWork, key: bytes, type_: str, proof: str) -> Preferences:
    """Stop messages of this type at once (RFC 8058). Raises NotFound."""
    return _put_by_link(_proven(work, key, type_, proof), type_, wanted=False)


def undo_by_link(work: UnitOfWork, key: bytes, type_: str, proof: str) -> Preferences:
    """Send them again, from the next one on, without a pause. Raises NotFound."""
    acting = _proven(work, key, type_, proof)
    return _put_by_link(acting, type_, wanted=True, snoozed_until=None)


def pause_by_link(work: UnitOfWork, key: bytes, proof: str, until_on: date) -> Preferences:
    """Pause reminders through a day, and switch them on again if they are off.

    Raises NotFound, or Invalid for a day in the past or more than a year away.
    """
    acting = _proven(work, key, REMINDERS, proof)
    _check_pause(acting, mine(acting).holder, until_on)
    return _put_by_link(acting, REMINDERS, wanted=True, snoozed_until=until_on)


def _proven(reading: _Opened, key: bytes, type_: str, proof: str) -> _Opened:
    """The same context, acting as the holder to whom the link was sent. Raises NotFound."""
    holder_id = signed_links.proven(key, f"u-{type_}", proof) if type_ in _TYPES else None
    if holder_id is None:
        raise NotFound
    actor = Actor(role="holder", name="link in an email", holder_id=holder_id)
    return reading.as_actor(actor)


def _put_by_link(work: UnitOfWork, type_: str, **wish: object) -> Preferences:
    put(work, type_, [_me(work)], wish)
    return mine(work)
