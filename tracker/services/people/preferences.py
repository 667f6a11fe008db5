"""Preferences: which letters a holder wants, which wait until a date, in which language, where.

Letters about the account's own safety (suspended, reinstated, revoked, consent asked) are always
sent and have no preference. The planner and the composer read what is written here, so that a
change takes effect with the next stage, and at once for a letter that still waits; the outbox's
marker asks once more whether a type was switched off.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, select, update

from tracker.domain.delivery import reminders as rules
from tracker.domain.delivery.notices import MessageType
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.permissions import Actor
from tracker.models import Preference
from tracker.services.core import bulk, history, locks, signed_links
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.outbox import cursors
from tracker.services.people import holders

ALWAYS_SENT = ("suspended", "reinstated", "revoked", "consent_asked")
# Plain, as it names a field of an answer.
REMINDERS = str(MessageType.REMINDERS)
_TYPES = frozenset(MessageType)
_WANTED: Mapping[str, Any] = {"wanted": True, "snoozed_until": None}
"""What holds where there is no row."""
_SAID = ("wanted", "snoozed_until", "changed_by", "changed_at", "reason")
_KEY = ("holder_id", "type")
_Opened = TypeVar("_Opened", bound=ReadContext)


@dataclass(frozen=True, slots=True)
class Wish:
    """Whether a type of letter is wanted, and the last day of a pause if there is one.

    ``changed_by`` and ``changed_at`` say who said so last and when; ``reason`` is why the staff did
    in the holder's place.
    """

    wanted: bool = True
    snoozed_until: date | None = None
    changed_by: str | None = None
    changed_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Preferences:
    """A holder's record, and their wish for every type of letter."""

    holder: Any
    wishes: Mapping[str, Wish]


def of_holder(reading: ReadContext, holder_id: str) -> Preferences:
    """What a holder wants. Raises NotFound, also for somebody else's record."""
    holder = holders.get(reading, holder_id)
    statement = select(Preference.type, *(getattr(Preference, name) for name in _SAID))
    rows = reading.rows(statement.where(Preference.holder_id == holder_id))
    said = {row.type: Wish(*row[1:]) for row in rows}
    return Preferences(holder, {type_: said.get(type_, Wish()) for type_ in MessageType})


def mine(reading: ReadContext) -> Preferences:
    """What the holder who asks wants. Raises NotFound for whoever is no holder."""
    return of_holder(reading, _me(reading))


def change_mine(work: UnitOfWork, values: dict[str, Any]) -> Preferences:
    """Change what the holder who acts wants; what is not given stays, nothing else is touched.

    ``values`` are wishes by type of letter, and fields of the holder's record. Raises NotFound,
    or Invalid for a pause that is past or longer than a year.
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
    work: UnitOfWork, holder_id: str, values: Mapping[str, Any], *, reason: str | None
) -> Preferences:
    """Change a holder's wishes in their place, who may change them back; the reason is kept.

    ``values`` are wishes by type of letter. Raises NotFound, or Invalid as ``change_mine``.
    """
    _change(work, holder_id, values, reason=reason)
    return of_holder(work, holder_id)


def _change(
    work: UnitOfWork, holder_id: str, values: Mapping[str, Any], *, reason: str | None
) -> Preferences:
    """Write wishes down; what was wanted before."""
    locks.lock(work, [holder_id])
    before = of_holder(work, holder_id)
    _check_pause(work, before.holder, values.get(REMINDERS, {}).get("snoozed_until"), REMINDERS)
    for type_ in MessageType:
        if wish := values.get(type_):
            put(work, type_, [holder_id], wish, reason=reason)
    return before


def _me(reading: ReadContext) -> str:
    """The holder who acts. Raises NotFound for whoever is none."""
    if reading.actor.holder_id is None:
        raise NotFound
    return reading.actor.holder_id


def _check_pause(reading: ReadContext, holder: Any, until_on: date | None, field: str = "") -> None:
    """Refuse a pause through a day that is past where the holder lives, or a year away."""
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
    wish: Mapping[str, Any],
    *,
    before: datetime | None = None,
    reason: str | None = None,
    **cause: str,
) -> list[str]:
    """Set what holders want of a type of letter; returns those for whom that was news.

    Each has a line of history. ``before``: whoever changed their mind since then is left alone.
    ``reason`` is why staff do so in a holder's place.
    """
    lines: list[tuple[str, dict[str, Any]]] = []
    for ids in bulk.chunks(sorted(set(holder_ids))):
        earlier = _wishes(work, type_, ids)
        for row in work.rows(_put(work, type_, ids, wish, before=before, reason=reason)):
            known = earlier.get(row.holder_id, _WANTED)
            changes = history.changes({key: known[key] for key in wish}, wish)
            detail = {"type": type_, "changes": changes, "reason": reason, **cause}
            lines.append((row.holder_id, detail))
    history.record_many(work, "prefer", "holder", lines)
    if type_ == REMINDERS and wish.get("wanted", True) and lines:
        cursors.touch_holders(work, [holder_id for holder_id, _ in lines])
    return [holder_id for holder_id, _ in lines]


def _wishes(work: UnitOfWork, type_: str, ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """What these holders said of a type of letter so far."""
    columns = [getattr(Preference, name) for name in _WANTED]
    statement = select(Preference.holder_id, *columns).where(
        Preference.holder_id.in_(ids), Preference.type == type_
    )
    return {row.holder_id: row._mapping for row in work.rows(statement)}  # noqa: SLF001 - a row as a mapping


def _put(
    work: UnitOfWork,
    type_: str,
    ids: Sequence[str],
    wish: Mapping[str, Any],
    *,
    before: datetime | None,
    reason: str | None,
) -> Any:
    """Write where it says something new; without a row all is wanted, so none is made for that.

    A reason is something new as well.
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


# By the link in a letter: whoever has it has the letter, and needs no token.
def by_link(reading: ReadContext, key: bytes, type_: str, proof: str) -> Preferences:
    """What the holder wants to whom a link was sent. Raises NotFound for one that is not ours."""
    return mine(_proven(reading, key, type_, proof))


def stop_by_link(work: UnitOfWork, key: bytes, type_: str, proof: str) -> Preferences:
    """Send no more letters of this type, at once (RFC 8058). Raises NotFound."""
    return _put_by_link(_proven(work, key, type_, proof), type_, wanted=False)


def undo_by_link(work: UnitOfWork, key: bytes, type_: str, proof: str) -> Preferences:
    """Send them again, from the next one on, without a pause. Raises NotFound."""
    acting = _proven(work, key, type_, proof)
    return _put_by_link(acting, type_, wanted=True, snoozed_until=None)


def pause_by_link(work: UnitOfWork, key: bytes, proof: str, until_on: date) -> Preferences:
    """Hold reminders back through a day, and switch them on again if they are off.

    Raises NotFound, or Invalid for a day that is past or more than a year away.
    """
    acting = _proven(work, key, REMINDERS, proof)
    _check_pause(acting, mine(acting).holder, until_on)
    return _put_by_link(acting, REMINDERS, wanted=True, snoozed_until=until_on)


def _proven(reading: _Opened, key: bytes, type_: str, proof: str) -> _Opened:
    """The same as the holder to whom the link was sent. Raises NotFound if it was not by us."""
    holder_id = signed_links.proven(key, f"u-{type_}", proof) if type_ in _TYPES else None
    if holder_id is None:
        raise NotFound
    actor = Actor(role="holder", name="link in a letter", holder_id=holder_id)
    return replace(reading, actor=actor)


def _put_by_link(work: UnitOfWork, type_: str, **wish: Any) -> Preferences:
    put(work, type_, [_me(work)], wish)
    return mine(work)
