"""When letters may go: not at night, so many a day to a holder, so many a minute to a domain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, bindparam, func, select, update

from tracker.domain import reminders as rules
from tracker.models import Holder, MailDomain, Message
from tracker.services import bulk, facts, reminder_plans
from tracker.services.work import Reading, Work

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)


# To a holder.
@dataclass(frozen=True, slots=True)
class Pace:
    """When a holder may be written to: out of the quiet hours, and once the day's number allows."""

    zone: ZoneInfo
    quiet: tuple[time, time]
    full_until: datetime | None = None

    def earliest(self, at: datetime, *, urgent: bool = False) -> datetime:
        """An instant from ``at`` on; what is urgent may go beyond the day's number."""
        if self.full_until is not None and not urgent:
            at = max(at, self.full_until)
        return rules.after_quiet(at, *self.quiet, self.zone)


def of_holders(reading: Reading, holder_ids: Collection[str]) -> dict[str, Pace]:
    """The paces of holders, by id, with one statement for hundreds of them."""
    given = reading.settings.reminders
    quiet = (time(given.quiet_from_hour), time(given.quiet_until_hour))
    recent = and_(
        Message.holder_id == Holder.id, Message.created_at > reading.now - _DAY,
        Message.state != "cancelled",
    )  # fmt: skip
    paces: dict[str, Pace] = {}
    for ids in facts.chunks(holder_ids):
        statement = (
            select(Holder.id, Holder.time_zone, func.count(Message.id).label("letters"),
                   func.min(Message.created_at).label("first_at"))
            .join(Message, recent, isouter=True)
            .where(bulk.among(reading, Holder.id, ids))
            .group_by(Holder.id, Holder.time_zone)
        )  # fmt: skip
        for row in reading.rows(statement):
            is_full = 0 < given.holder_per_day <= row.letters
            paces[row.id] = Pace(
                reminder_plans.zone_of(row.time_zone), quiet,
                row.first_at + _DAY if is_full else None,
            )  # fmt: skip
    return paces


# To a mail domain.
def admit(work: Work, letters: Sequence[Any]) -> dict[str, datetime]:
    """Take a token of its domain's bucket for each letter, in their order.

    Returns those for which there is none, by id, with the instant at which there may be one. A
    bucket holds the tokens of a minute, and all processes take from the same ones.
    """
    size = work.settings.reminders.domain_per_minute
    if not size:
        return {}
    by_domain: dict[str, list[str]] = defaultdict(list)
    for letter in letters:
        by_domain[letter.address.rpartition("@")[2].lower()].append(letter.id)
    waiting: dict[str, datetime] = {}
    taken: list[dict[str, Any]] = []
    each = _MINUTE / size
    for domain, full_at in _buckets(work, by_domain).items():
        ids, begin = by_domain[domain], max(full_at, work.now)
        free = (work.now + _MINUTE - begin) // each
        taken.append({"b_domain": domain, "b_full_at": begin + each * len(ids[:free])})
        waiting |= {id_: begin + each * (n + 1) - _MINUTE for n, id_ in enumerate(ids) if n >= free}
    work.connection.execute(_TAKE, taken)
    return waiting


def _buckets(work: Work, domains: Collection[str]) -> Mapping[str, datetime]:
    """When domains' buckets are full; in order, so that two who take cannot lock each other."""
    ordered = sorted(domains)
    full = [{"domain": domain, "full_at": work.now} for domain in ordered]
    work.connection.execute(work.upsert(MailDomain).on_conflict_do_nothing(), full)
    statement = (
        select(MailDomain.domain, MailDomain.full_at)
        .where(bulk.among(work, MailDomain.domain, ordered))
        .order_by(MailDomain.domain)
    )
    return {row.domain: row.full_at for row in work.rows(statement.with_for_update())}


_TAKE = (
    update(bulk.table_of(MailDomain))
    .where(bulk.table_of(MailDomain).c.domain == bindparam("b_domain"))
    .values(full_at=bindparam("b_full_at"))
)
