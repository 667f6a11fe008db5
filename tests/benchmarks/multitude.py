"""Millions of certified people, written by the set: the database multiplies what rules give once.

People who were certified on the same day and live in the same zone have the same timeline and
the same stages, so these are computed once for each day and zone and joined to numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Column, Date, Integer, MetaData, String, Table, insert, text

from tests.benchmarks.measurements import NotHereError
from tests.benchmarks.people import SCHEME
from tracker.db import Instant
from tracker.domain.credentials import certifications as rules
from tracker.domain.delivery import reminders
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import timelines

ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
_TERM = timedelta(days=1826)
_PAGE = 500_000  # people written by one statement
_META = MetaData()
_DAYS = Table(
    "bench_day",
    _META,
    Column("day", Integer, primary_key=True),
    Column("awarded_on", Date),
    Column("starts_on", Date),
    Column("expires_on", Date),
    Column("opened_on", Date),
    Column("anchor_on", Date),
    Column("nth", Integer),
    Column("policy", String),
    prefixes=["temporary"],
)
_SPANS = Table(
    "bench_span",
    _META,
    Column("day", Integer),
    Column("from_on", Date),
    Column("until_on", Date),
    Column("cycle", Integer),
    Column("cycle_starts_on", Date),
    Column("expires_on", Date),
    Column("window_opens_on", Date),
    Column("window_closes_on", Date),
    Column("grace_ends_on", Date),
    Column("title_ends_on", Date),
    prefixes=["temporary"],
)
_CURSORS = Table(
    "bench_cursor",
    _META,
    Column("day", Integer),
    Column("zone", Integer),
    Column("last_offset", Integer),
    Column("next_due_at", Instant),
    prefixes=["temporary"],
)

# Ids in order, as ours are: a kind's number, then the person's.
_HOLDER, _CERTIFICATION, _CYCLE = (
    f"lpad(to_hex({kind} * 1099511627776 + n), 32, '0')::uuid" for kind in (1, 2, 3)
)
_FILL = (
    f"""insert into holder (id, ref, given_name, family_name, folded_name, email, language,
        time_zone, recorded_at, version)
    select {_HOLDER}, 'M' || n, 'Ana', 'Peña ' || n,
        ' pena' || n || ' , ana ; pena ' || n || ' , ana ;', 'm' || n || '@example.org', 'en',
        (cast(:zones as text[]))[1 + n % :zone_count], :now, 1
    from generate_series(cast(:first as bigint), :last) n""",
    f"""insert into certification (id, public_id, number, number_key, holder_id, scheme,
        awarded_on, recorded_at)
    select {_CERTIFICATION}, 'm' || n, 'CPT-M' || n, 'CPTM' || n, {_HOLDER}, :scheme,
        d.awarded_on, :now
    from generate_series(cast(:first as bigint), :last) n join bench_day d on d.day = n % :days""",
    f"""insert into cycle (id, certification_id, ordinal, anchor_on, nth, starts_on, expires_on,
        opened_on, policy, recorded_at, imported)
    select {_CYCLE}, {_CERTIFICATION}, 1, d.anchor_on, d.nth, d.starts_on, d.expires_on,
        d.opened_on, d.policy, :now, false
    from generate_series(cast(:first as bigint), :last) n join bench_day d on d.day = n % :days""",
    f"""insert into standing_span (certification_id, from_on, until_on, cycle, cycle_starts_on,
        expires_on, window_opens_on, window_closes_on, grace_ends_on, title_ends_on,
        valid_while_pending)
    select {_CERTIFICATION}, s.from_on, s.until_on, s.cycle, s.cycle_starts_on, s.expires_on,
        s.window_opens_on, s.window_closes_on, s.grace_ends_on, s.title_ends_on, false
    from generate_series(cast(:first as bigint), :last) n join bench_span s on s.day = n % :days""",
    f"""insert into reminder_cursor (certification_id, cycle, expires_on, last_offset,
        next_due_at)
    select {_CERTIFICATION}, 1, d.expires_on, c.last_offset, c.next_due_at
    from generate_series(cast(:first as bigint), :last) n join bench_day d on d.day = n % :days
    join bench_cursor c on c.day = n % :days and c.zone = n % :zone_count""",
)


@dataclass(frozen=True, slots=True)
class Multitude:
    """So many people from number ``first``; their reminders were planned up to an instant."""

    first: int
    count: int
    planned_until: datetime


def populate(work: UnitOfWork, people: Multitude) -> None:
    """Write people whose certifications run out day after day over five years.

    Raises NotHereError on a database other than PostgreSQL.
    """
    if work.dialect != "postgresql":
        raise NotHereError("it needs PostgreSQL")
    _META.drop_all(work.connection)
    _META.create_all(work.connection)
    days = _prepare(work, people.planned_until)
    # Foreign keys hold by construction; to check each of millions takes longer than writing them.
    work.connection.execute(text("set local session_replication_role = replica"))
    last = people.first + people.count - 1
    for first in range(people.first, last + 1, _PAGE):
        bounds = {
            "first": first,
            "last": min(first + _PAGE - 1, last),
            "days": days,
            "zones": list(ZONES),
            "zone_count": len(ZONES),
            "scheme": SCHEME,
            "now": work.now,
        }
        for statement in _FILL:
            given = {k: v for k, v in bounds.items() if f":{k}" in statement}
            work.connection.execute(text(statement), given)


def _prepare(work: UnitOfWork, planned_until: datetime) -> int:
    """Compute every day's cycle, timeline and cursors once; returns the number of days."""
    scheme = work.schemes[SCHEME]
    begin = planned_until.date() - _TERM
    awards = [begin + timedelta(days=n) for n in range(_TERM.days)]
    cycles = [rules.first_cycle(scheme, day) for day in awards]
    work.connection.execute(
        insert(_DAYS),
        [
            {"day": n, "awarded_on": day, **_kept(timelines.cycle_row(work, "", cycle), _DAYS)}
            for n, (day, cycle) in enumerate(zip(awards, cycles, strict=True))
        ],
    )
    bulk_rows = [
        {"day": n, **row} for n, cycle in enumerate(cycles) for row in _span_rows(work, cycle)
    ]
    work.connection.execute(insert(_SPANS), bulk_rows)
    work.connection.execute(
        insert(_CURSORS),
        [
            {"day": n, "zone": zone, **_cursor(work, cycle, ZoneInfo(name), planned_until)}
            for n, cycle in enumerate(cycles)
            for zone, name in enumerate(ZONES)
        ],
    )
    return len(awards)


def _kept(row: Mapping[str, object], table: Table) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in table.columns}


def _span_rows(work: UnitOfWork, cycle: rules.CycleTerm) -> Iterator[dict[str, Any]]:
    for span in rules.timeline(work.schemes[SCHEME], [cycle], applications=(), changes=()):
        yield {
            "from_on": span.from_on,
            "until_on": span.until_on or date.max,
            "cycle": span.cycle,
            "cycle_starts_on": span.cycle_starts_on,
            "expires_on": span.expires_on,
            "window_opens_on": span.window_opens_on,
            "window_closes_on": span.window_closes_on,
            "grace_ends_on": span.grace_ends_on,
            "title_ends_on": span.title_ends_on,
        }


def _cursor(
    work: UnitOfWork, cycle: rules.CycleTerm, zone: ZoneInfo, planned_until: datetime
) -> dict[str, Any]:
    """Where a planner that ran until then would have left a cursor."""
    policy = work.schemes[SCHEME].reminders
    assert policy is not None
    assert cycle.expires_on is not None
    stages = reminders.stages(policy, cycle.expires_on, zone)
    passed = [stage.offset for stage in stages if stage.due_at <= planned_until]
    ahead = [stage.due_at for stage in stages if stage.due_at > planned_until]
    return {"last_offset": min(passed, default=None), "next_due_at": min(ahead, default=None)}
