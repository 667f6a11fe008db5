"""Holders with certifications for the reminder tests, by plain inserts, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select

from tests.mail_faults import Catcher
from tracker.db import new_id
from tracker.domain.credentials import certifications as rules
from tracker.domain.names import FoldedName
from tracker.domain.permissions import SYSTEM
from tracker.models import (
    Activity,
    Assessment,
    Certification,
    Cycle,
    Decision,
    Holder,
    Message,
    Reminder,
    ReminderCursor,
    Renewal,
)
from tracker.services.core.context import Container, UnitOfWork
from tracker.services.credentials import awards, certifications, timelines
from tracker.services.people import names
from tracker.services.standings import snapshots


def years_before(day: date, years: int = 5) -> date:
    """The award that expires on a day, for days that every year has."""
    return day.replace(year=day.year - years)


def holders(work: UnitOfWork, count: int, **values: Any) -> list[str]:
    """Put people on record; returns their ids."""
    rows = []
    for _ in range(count):
        id_ = new_id()
        name = FoldedName(values.get("given_name", "Ana"), values.get("family_name", "Reyes"))
        rows.append(
            {
                "id": id_,
                "ref": id_,
                "email": f"{id_}@example.com",
                "language": "en",
                "time_zone": "America/New_York",
                "recorded_at": work.now,
                "version": 1,
                **values,
                **names.columns(name),
            }
        )
    work.connection.execute(insert(Holder), rows)
    return [row["id"] for row in rows]


def award(
    work: UnitOfWork, holder_ids: Sequence[str], on: date, *, scheme: str = "cpt"
) -> list[str]:
    """Record passes in every required module and settle; returns the certifications' ids."""
    for code in (*work.schemes[scheme].award.prerequisites, scheme):
        rows = [
            {
                "id": new_id(),
                "holder_id": holder_id,
                "scheme": code,
                "module": module,
                "taken_on": on,
                "passed": True,
                "warnings": [],
                "recorded_at": work.now,
                "recorded_by": "test",
            }
            for holder_id in holder_ids
            for module in work.schemes[code].required
        ]
        work.connection.execute(insert(Assessment), rows)
        awards.settle(work, work.schemes[code], holder_ids)
    statement = select(Certification.holder_id, Certification.id).where(
        Certification.scheme == scheme
    )
    ids = {row.holder_id: row.id for row in work.rows(statement)}
    return [ids[holder_id] for holder_id in holder_ids]


def certified(
    container: Container, expires_on: date, count: int = 1, *, scheme: str = "cpt", **holder: Any
) -> list[str]:
    """New holders whose certification expires on a day; returns the certifications' ids."""
    with container.work(SYSTEM) as work:
        ids = holders(work, count, **holder)
        return award(work, ids, years_before(expires_on), scheme=scheme)


def holder_of(work: UnitOfWork, certification_id: str) -> str:
    """Whose certification it is."""
    statement = select(Certification.holder_id).where(Certification.id == certification_id)
    return str(work.row(statement).holder_id)


_ENOUGH = ((12, "CE", "college_credit"), (3, "IC", "industry_certification"))


def complete(container: Container, certification_id: str, on: date) -> None:
    """Give the holder all the points needed, approved on a day."""
    with container.work(SYSTEM) as work:
        row = work.row(select(Certification).where(Certification.id == certification_id))
        for quantity, category, kind in _ENOUGH:
            id_ = new_id()
            work.connection.execute(
                insert(Activity),
                {
                    "id": id_,
                    "holder_id": row.holder_id,
                    "scheme": row.scheme,
                    "category": category,
                    "type": kind,
                    "title": kind,
                    "provider": "College",
                    "quantity": Decimal(quantity),
                    "starts_on": None,
                    "completed_on": on,
                    "state": "approved",
                    "submitted_on": on,
                    "recorded_at": work.now,
                    "submitted_at": work.now,
                    "version": 1,
                },
            )
            work.connection.execute(
                insert(Decision),
                {
                    "id": new_id(),
                    "activity_id": id_,
                    "verdict": "approved",
                    "decided_on": on,
                    "decided_by": "test",
                    "recorded_at": work.now,
                },
            )


def renew(container: Container, certification_id: str, on: date) -> None:
    """Open the next cycle as an approved renewal does."""
    with container.work(SYSTEM) as work:
        row = certifications.locked(work, certification_id)
        scheme = work.schemes[row.scheme]
        record = snapshots.records(work, [row.id])[row.id]
        work.connection.execute(
            insert(Renewal),
            {
                "id": new_id(),
                "certification_id": row.id,
                "cycle": record.cycles[-1].ordinal,
                "submitted_on": on,
                "decision": "approved",
                "decided_on": on,
                "decided_by": "test",
                "recorded_at": work.now,
                "closed_at": work.now,
                "version": 1,
            },
        )
        following = rules.next_cycle(
            scheme, record.cycles[-1], decided_on=on, awarded_on=record.cycles[0].starts_on
        )
        work.connection.execute(insert(Cycle), timelines.cycle_row(work, row.id, following))
        certifications.refresh(work, scheme, [row.id])


def apply(container: Container, certification_id: str, on: date) -> None:
    """Submit a renewal application that waits for its decision."""
    with container.work(SYSTEM) as work:
        row = certifications.locked(work, certification_id)
        work.connection.execute(
            insert(Renewal),
            {
                "id": new_id(),
                "certification_id": row.id,
                "cycle": 1,
                "submitted_on": on,
                "recorded_at": work.now,
                "version": 1,
            },
        )
        certifications.refresh(work, work.schemes[row.scheme], [row.id])


def change(container: Container, certification_id: str, kind: Any, on: date) -> None:
    """Suspend, revoke, reinstate or surrender."""
    with container.work(SYSTEM) as work:
        certifications.change(
            work, certification_id, kind=kind, effective_on=on, reason_code="other", reason="test"
        )


def stages(container: Container) -> list[tuple[int, str, str | None]]:
    """Offset, fate and reason of every recorded stage, in the order in which they fell due."""
    statement = select(Reminder.offset, Reminder.fate, Reminder.reason)
    with container.reading(SYSTEM) as reading:
        return [
            tuple(row) for row in reading.rows(statement.order_by(Reminder.due_at, Reminder.id))
        ]


def letters(container: Container) -> list[Any]:
    """Every row of the outbox, oldest first."""
    with container.reading(SYSTEM) as reading:
        return list(reading.rows(select(Message.__table__).order_by(Message.id)))


def states(container: Container) -> list[str]:
    """The states of all messages."""
    return sorted(row.state for row in letters(container))


def cursor(container: Container, certification_id: str) -> Any:
    """A certification's cursor."""
    table = ReminderCursor.__table__
    with container.reading(SYSTEM) as reading:
        return reading.row(select(table).where(table.c.certification_id == certification_id))


def with_relay(container: Container, port: int, **mail: Any) -> Container:
    """The same container with a mail server on a port of this machine."""
    settings = container.settings
    return replace(
        container, settings=replace(settings, mail=replace(settings.mail, port=port, **mail))
    )


@contextmanager
def relay(container: Container, **behaviour: Any) -> Iterator[tuple[Container, Catcher]]:
    """The container with a real mail server that catches everything."""
    with Catcher() as catcher:
        for name, value in behaviour.items():
            setattr(catcher.behaviour, name, value)
        yield with_relay(container, catcher.port), catcher


class Interrupted:
    """A carrier that does something between composing and the marker."""

    def __init__(self, carrier: Any, before: Callable[[], object]) -> None:
        self._carrier, self._before = carrier, before

    def deliver(self, **letter: Any) -> Any:
        """Do it, then hand the message over."""
        self._before()
        return self._carrier.deliver(**letter)
