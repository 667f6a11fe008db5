"""News for holders: what happened is put into the outbox in the transaction in which it happened.

Whether it is still true is asked again when the letter is composed (``notice_letters.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, select, update

from tracker.db import new_id
from tracker.models import Holder, Message, Notice
from tracker.services import bulk, facts, outbox, pacing, suppressions
from tracker.services.pacing import Pace
from tracker.services.work import Work

KIND = "notice"
DECISIONS = "decisions"
"""The type of letter that holders can switch off; news of another type is always sent."""
TYPES = {"award": DECISIONS, "activity_decided": DECISIONS, "renewal_decided": DECISIONS}

_OLD = timedelta(days=14)  # news of what happened earlier is history, and an import of it is too
_USEFUL = timedelta(days=14)
_SECOND_THOUGHTS = timedelta(minutes=10)
_AT_MOST_EVERY = timedelta(hours=1)
_EVENT = ("holder_id", "kind", "subject_id", "event")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What happened on a day to the ``subject_id``; ``event`` tells it from the next of its kind.

    ``kind`` is one of ``models.notices.NOTICE_KINDS``.
    """

    kind: str
    holder_id: str
    subject_id: str
    event: str
    on: date

    @property
    def type(self) -> str:
        """The type of letter that tells of it; empty: always sent."""
        return TYPES.get(self.kind, "")


def tell(work: Work, news: Iterable[News]) -> None:
    """Have holders told of what happened, each event once, with a constant number of statements.

    Decisions wait ten minutes, in case of second thoughts, and those of an hour make one letter;
    what is always sent goes at once. Nobody is told of what happened more than 14 days ago, nor
    at an address that is not written to, nor after their death (see ``recipients``).
    """
    fresh = [one for one in news if is_news(work, one.on)]
    for start in range(0, len(fresh), facts.CHUNK):
        _tell(work, fresh[start : start + facts.CHUNK])


def is_news(work: Work, day: date) -> bool:
    """Whether what happened on a day is still worth telling."""
    return day >= work.now.date() - _OLD


def _tell(work: Work, news: Collection[News]) -> None:
    holders = _reachable(work, {one.holder_id for one in news})
    addresses = {id_: address for id_, (address, _) in holders.items()}
    recorded = _recorded(work, [one for one in news if one.holder_id in addresses])
    if not recorded:
        return
    kinds = {(one.holder_id, one.type) for one in recorded.values()}
    latest = _latest(work, {holder_id for holder_id, _ in kinds})
    paces = pacing.of_holders(work, {id_: holders[id_][1] for id_, _ in kinds})
    letters = {
        (holder_id, type_): _wanted(
            work, holder_id, type_, addresses[holder_id],
            _time(work.now, latest.get((holder_id, type_)), paces[holder_id]),
        )
        for holder_id, type_ in kinds
    }  # fmt: skip
    ids = outbox.enqueue(work, work.message_key, list(letters.values()))
    work.connection.execute(
        _TOLD,
        [
            {"b_id": id_, "b_message": ids[letters[one.holder_id, one.type].key]}
            for id_, one in recorded.items()
        ],
    )


_TOLD = (
    update(bulk.table_of(Notice))
    .where(bulk.table_of(Notice).c.id == bindparam("b_id"))
    .values(message_id=bindparam("b_message"))
)


def _reachable(work: Work, holder_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Where holders are written to and their zones, by id; who cannot be reached is left out."""
    statement = select(Holder.id, Holder.email, Holder.second_email, Holder.time_zone).where(
        bulk.among(work, Holder.id, holder_ids), Holder.deceased_on.is_(None)
    )
    rows = work.rows(statement)
    silent = suppressions.of_holders(work, rows, now=work.now)
    found = ((row, suppressions.address_of(row, silent)) for row in rows)
    return {row.id: (address, row.time_zone) for row, address in found if address is not None}


def _recorded(work: Work, news: Collection[News]) -> dict[str, News]:
    """The news that was not on record, put there, by its new id; its letter is named later."""
    rows = [
        {"id": (id_ := new_id()), "holder_id": one.holder_id, "kind": one.kind,
         "subject_id": one.subject_id, "event": one.event, "message_id": id_,
         "recorded_at": work.now}
        for one in news
    ]  # fmt: skip
    if not rows:
        return {}
    insert = work.upsert(Notice).on_conflict_do_nothing(index_elements=_EVENT)
    made = {row.id for row in work.rows(insert.returning(Notice.id), rows)}
    told = zip(rows, news, strict=True)
    return {str(row["id"]): one for row, one in told if row["id"] in made}


def _latest(work: Work, holder_ids: Collection[str]) -> dict[tuple[str, str], datetime]:
    """When the last letter of news goes, or went within the hour, by holder and type."""
    statement = (
        select(Message.holder_id, Message.about, Message.next_at)
        .where(
            bulk.among(work, Message.holder_id, holder_ids),
            Message.kind == KIND,
            Message.next_at > work.now - _AT_MOST_EVERY,
        )
        .order_by(Message.next_at)
    )
    return {
        (row.holder_id, row.about["type"]): row.next_at
        for row in work.rows(statement)
        if row.holder_id and row.about
    }


def _wanted(
    work: Work, holder_id: str, type_: str, address: str, civil_at: datetime
) -> outbox.Wanted:
    """The letter that is to tell it, at a civil time; the same as the one that waits, if one does.

    What is always sent goes at once.
    """
    at = civil_at if type_ else work.now
    when = at.isoformat() if type_ else f"{at:%Y-%m-%dT%H}"
    return outbox.Wanted(
        key=f"n:{holder_id}:{type_ or 'always'}:{when}", kind=KIND, holder_id=holder_id,
        address=address, useful_until=work.now + _USEFUL, not_before=at, about={"type": type_},
    )  # fmt: skip


def _time(now: datetime, latest: datetime | None, pace: Pace) -> datetime:
    """When a letter about decisions goes: within minutes by day, but not two within an hour."""
    if latest is not None and latest > now:
        return latest
    soon = now + _SECOND_THOUGHTS
    return pace.earliest(soon if latest is None else max(soon, latest + _AT_MOST_EVERY))
