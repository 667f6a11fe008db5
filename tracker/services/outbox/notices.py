"""Notices for holders, put into the outbox in the transaction of the act that they report.

Whether a notice is still true is checked when its message is composed (``notice_messages.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import bindparam, select, update

from tracker.db import new_id
from tracker.domain.delivery.notices import MessageType, NoticeKind
from tracker.domain.delivery.queue_acts import MessageState
from tracker.models import Holder, Message, Notice
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork, sees_everything
from tracker.services.outbox import pacing, queue, suppressions
from tracker.services.outbox.pacing import Pace

KIND = "notice"
DECISIONS = MessageType.DECISIONS
"""The type of notices that holders can switch off; notices without a type are always sent."""
REMINDERS = MessageType.REMINDERS
"""The same of reminders, for those that are notices: of other credentials, and from employers."""
TYPES = dict.fromkeys(
    (
        NoticeKind.AWARD,
        NoticeKind.ACTIVITY_SUBMITTED,
        NoticeKind.ACTIVITY_DECIDED,
        NoticeKind.ACTIVITY_REOPENED,
        NoticeKind.RENEWAL_RECEIVED,
        NoticeKind.RENEWAL_DECIDED,
        NoticeKind.RENEWAL_REOPENED,
        NoticeKind.ATTENDANCE,
    ),
    DECISIONS,
) | dict.fromkeys((NoticeKind.CREDENTIAL_EXPIRES, NoticeKind.EMPLOYER_NUDGE), REMINDERS)
SECOND_THOUGHTS = timedelta(minutes=10)
"""How long a message waits, so that an act can be undone before anybody is told of it."""
OLD = timedelta(days=14)
"""Events older than this are not told, for example when they come from an import."""

Lane = Literal["decisions", "reminders", "considered", "at_once"]
_LANES: Mapping[str, Lane] = {"": "considered", DECISIONS: "decisions", REMINDERS: "reminders"}
_AT_ONCE = frozenset(
    {
        NoticeKind.SUSPENDED,
        NoticeKind.REVOKED,
        NoticeKind.CONSENT_ASKED,
        NoticeKind.LISTED,
        NoticeKind.EMPLOYER_RENAMED,
        NoticeKind.EMPLOYMENT_ENDED,
        NoticeKind.PERMISSION_GIVEN,
    }
)
_USEFUL = timedelta(days=14)
_AT_MOST_EVERY = timedelta(hours=1)
_EVENT = ("holder_id", "kind", "subject_id", "event")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeToTell:
    """What happened on a day to the ``subject_id``; ``event`` tells it from the next of a kind."""

    kind: NoticeKind
    holder_id: str
    subject_id: str
    event: str
    on: date

    @property
    def type(self) -> str:
        """The message type that holders can switch off; empty if it is always sent."""
        return TYPES.get(self.kind, "")

    @property
    def lane(self) -> Lane:
        """Which message it goes into: one that waits for second thoughts, or one that does not."""
        if self.kind in _AT_ONCE:
            return "at_once"
        return _LANES[self.type]


def tell(work: UnitOfWork, news: Iterable[NoticeToTell]) -> None:
    """Notify holders of what happened, each event once, with a constant number of statements.

    Decisions and corrections wait ten minutes, in case of second thoughts; decisions within an hour
    make one message. Suspensions, revocations and changes of who may see a holder are told at once.
    Events more than 14 days old are not told, nor is anything sent to a suppressed address or to a
    holder recorded as deceased (see ``recipients``).
    """
    fresh = [notice for notice in news if is_news(work, notice.on)]
    for start in range(0, len(fresh), bulk.CHUNK):
        _tell(work, fresh[start : start + bulk.CHUNK])


def is_news(work: UnitOfWork, day: date) -> bool:
    """Whether something that happened on a day is recent enough to tell."""
    return day >= work.now.date() - OLD


@sees_everything
def _tell(work: UnitOfWork, news: Collection[NoticeToTell]) -> None:
    holders = _reachable(work, {notice.holder_id for notice in news})
    addresses = {id_: address for id_, (address, _) in holders.items()}
    recorded = _recorded(work, [notice for notice in news if notice.holder_id in addresses])
    if not recorded:
        return
    lanes = {(notice.holder_id, notice.lane) for notice in recorded.values()}
    waiting = _latest(work, {holder_id for holder_id, _ in lanes})
    paces = {id_: pacing.of_zone(work, holders[id_][1]) for id_, _ in lanes}
    messages = {
        (id_, lane): _wanted(
            work, (id_, addresses[id_]), lane, waiting.get((id_, lane)), paces[id_]
        )
        for id_, lane in lanes
    }
    joined = [(waiting[place], m) for place, m in messages.items() if place in waiting]
    _put_off(work, joined)
    ids = queue.enqueue(work, work.message_key, list(messages.values()))
    work.connection.execute(
        _TOLD,
        [
            {"b_id": id_, "b_message": ids[messages[notice.holder_id, notice.lane].key]}
            for id_, notice in recorded.items()
        ],
    )


_TOLD = (
    update(bulk.table_of(Notice))
    .where(bulk.table_of(Notice).c.id == bindparam("b_id"))
    .values(message_id=bindparam("b_message"))
)


def _reachable(work: UnitOfWork, holder_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """The holders' addresses and time zones, by id; those who cannot be reached are left out."""
    statement = select(Holder.id, Holder.email, Holder.second_email, Holder.time_zone).where(
        bulk.among(work, Holder.id, holder_ids), Holder.deceased_on.is_(None)
    )
    rows = work.rows(statement)
    suppressed = suppressions.of_holders(work, rows, now=work.now)
    addressed = ((row, suppressions.address_of(row, suppressed)) for row in rows)
    return {row.id: (address, row.time_zone) for row, address in addressed if address is not None}


def _recorded(work: UnitOfWork, news: Collection[NoticeToTell]) -> dict[str, NoticeToTell]:
    """Record the notices that are new; returns them by id. Their message is set afterwards."""
    rows = [
        {
            "id": (id_ := new_id()),
            "holder_id": notice.holder_id,
            "kind": notice.kind,
            "subject_id": notice.subject_id,
            "event": notice.event,
            "message_id": id_,
            "recorded_at": work.now,
        }
        for notice in news
    ]
    if not rows:
        return {}
    insert = work.upsert(Notice).on_conflict_do_nothing(index_elements=_EVENT)
    made = {row.id for row in work.rows(insert.returning(Notice.id), rows)}
    pairs = zip(rows, news, strict=True)
    return {str(row["id"]): notice for row, notice in pairs if row["id"] in made}


@dataclass(frozen=True, slots=True)
class _Waiting:
    """The latest message of a lane: one that waits, or one that left within the last hour."""

    id: str
    key: str
    created_at: datetime
    next_at: datetime


def _latest(work: UnitOfWork, holder_ids: Collection[str]) -> dict[tuple[str, str], _Waiting]:
    """The latest message of notices that waits or left within the last hour, by holder and lane."""
    statement = (
        select(
            Message.id,
            Message.dedupe_key,
            Message.holder_id,
            Message.about,
            Message.created_at,
            Message.next_at,
        )
        .where(
            bulk.among(work, Message.holder_id, holder_ids),
            Message.kind == KIND,
            Message.next_at > work.now - _AT_MOST_EVERY,
        )
        .order_by(Message.next_at)
    )
    return {
        (row.holder_id, lane_of(row.about)): _Waiting(
            row.id, row.dedupe_key.rpartition(":")[0], row.created_at, row.next_at
        )
        for row in work.rows(statement)
        if row.holder_id and row.about
    }


def lane_of(about: queue.MessageAbout) -> str:
    """The lane of a message; messages of older versions store only their type."""
    return about.get("lane") or about["type"] or "at_once"


def _wanted(
    work: UnitOfWork, to: tuple[str, str], lane: Lane, latest: _Waiting | None, pace: Pace
) -> queue.MessageToSend:
    """The message for a holder's notices: the one that waits, if there is one that they may join.

    A waiting message is delayed until ten minutes after the last act that it reports, but by no
    more than an hour in all.
    """
    holder_id, address = to
    type_ = lane if lane in {DECISIONS, REMINDERS} else ""
    soon = work.now if lane == "at_once" else work.now + SECOND_THOUGHTS
    at = pace.earliest(soon) if type_ else soon
    key = f"n:{holder_id}:{lane}:{at.isoformat()}"
    if lane == "at_once":
        key = f"n:{holder_id}:always:{at:%Y-%m-%dT%H}"
    elif latest is not None and latest.next_at > work.now and _may_join(latest, at):
        key, at = latest.key, max(at, latest.next_at)
    elif latest is not None and type_:
        at = pace.earliest(max(soon, latest.next_at + _AT_MOST_EVERY))
        key = f"n:{holder_id}:{lane}:{at.isoformat()}"
    return queue.MessageToSend(
        key=key,
        kind=KIND,
        holder_id=holder_id,
        address=address,
        useful_until=work.now + _USEFUL,
        not_before=at,
        about={"type": type_, "lane": lane},
    )


def _may_join(latest: _Waiting, at: datetime) -> bool:
    """Whether a waiting message may take in another notice without waiting for too long."""
    return at <= max(latest.next_at, latest.created_at + _AT_MOST_EVERY)


def _put_off(work: UnitOfWork, joined: Iterable[tuple[_Waiting, queue.MessageToSend]]) -> None:
    """Delay waiting messages that took in a new notice."""
    later = [
        {"b_id": waiting.id, "b_at": at}
        for waiting, message in joined
        if waiting.key == message.key and (at := message.begins(work.now)) > waiting.next_at
    ]
    if later:
        work.connection.execute(_LATER, later)


_LATER = (
    update(bulk.table_of(Message))
    .where(
        bulk.table_of(Message).c.id == bindparam("b_id"),
        bulk.table_of(Message).c.state == MessageState.READY,
    )
    .values(next_at=bindparam("b_at"))
)
