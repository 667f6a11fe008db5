"""When letters begin their way: not at night, so many a day to a holder, a minute to a domain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, bindparam, select, update

from tracker.domain import reminders as rules
from tracker.domain.emails import compared
from tracker.models import MailDomain, Message
from tracker.services import bulk, facts
from tracker.services.work import Reading, Work, zone_of

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
_NEVER_SENT = ("cancelled", "dead")


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


def of_holders(reading: Reading, zones: Mapping[str, str]) -> dict[str, Pace]:
    """The paces of holders, whose zones are given by their ids."""
    given = reading.settings.reminders
    quiet = (time(given.quiet_from_hour), time(given.quiet_until_hour))
    full = _full_until(reading, zones, given.holder_per_day) if given.holder_per_day else {}
    return {id_: Pace(zone_of(zone), quiet, full.get(id_)) for id_, zone in zones.items()}


def _full_until(reading: Reading, holder_ids: Collection[str], number: int) -> dict[str, datetime]:
    """Of those who get the day's number already: when, of the last so many, the first is a day old.

    Letters that wait for their time count as well.
    """
    times: dict[str, list[datetime]] = defaultdict(list)
    for ids in facts.chunks(holder_ids):
        statement = select(Message.holder_id, Message.next_at).where(
            bulk.among(reading, Message.holder_id, ids), Message.next_at > reading.now - _DAY,
            Message.state.not_in(_NEVER_SENT),
        )  # fmt: skip
        for row in reading.rows(statement):
            times[row.holder_id].append(row.next_at)
    return {id_: sorted(some)[-number] + _DAY for id_, some in times.items() if len(some) >= number}


# To a mail domain. A bucket holds the tokens of a minute; all processes take from the same ones.
def may_go(work: Work) -> ColumnElement[bool] | None:
    """The condition on a letter that its domain's bucket has a token; None where all have."""
    if not (size := work.settings.reminders.domain_per_minute):
        return None
    latest = work.now + _MINUTE - _each(size)
    empty = work.rows(select(MailDomain.domain).where(MailDomain.full_at > latest))
    some = [~Message.address.iendswith(f"@{row.domain}", autoescape=True) for row in empty]
    return and_(*some) if some else None


def admit(work: Work, letters: Sequence[Any]) -> list[str]:
    """Take a token for each letter, in their order; the ids of those for which there was one.

    Once a transaction: buckets are locked in order, so that two who take cannot lock each other.
    """
    if not (size := work.settings.reminders.domain_per_minute):
        return [letter.id for letter in letters]
    by_domain: dict[str, list[str]] = defaultdict(list)
    for letter in letters:
        by_domain[compared(letter.address).rpartition("@")[2]].append(letter.id)
    admitted: set[str] = set()
    taken: list[dict[str, Any]] = []
    for domain, full_at in _buckets(work, by_domain).items():
        begin = max(full_at, work.now)
        free = max((work.now + _MINUTE - begin) // _each(size), 0)
        ids = by_domain[domain][:free]
        taken.append({"b_domain": domain, "b_full_at": begin + _each(size) * len(ids)})
        admitted.update(ids)
    work.connection.execute(_TAKE, taken)
    return [letter.id for letter in letters if letter.id in admitted]


def _each(size: int) -> timedelta:
    """How long a token takes to come; rounded down, so that all fit into the minute."""
    return timedelta(microseconds=_MINUTE // timedelta(microseconds=size))


def _buckets(work: Work, domains: Collection[str]) -> Mapping[str, datetime]:
    """When these domains' buckets are full; locked."""
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
