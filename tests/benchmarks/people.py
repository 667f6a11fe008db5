"""The people that are measured on: written by the set, not one by one through the services."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from tracker.db import new_id
from tracker.domain import numbers
from tracker.domain.credentials import certifications as rules
from tracker.domain.names import FoldedName
from tracker.models import Activity, Assessment, Certification, Cycle, Decision, Holder
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import certifications, timelines
from tracker.services.people import names, search_words
from tracker.services.people.search_words import NamedPerson

NOW = "2026-11-21T17:00:00Z"
"""The clock of every measurement starts here, so that all runs see the same days."""
SCHEME = "cpt"
AWARDED = date(2024, 3, 15)
PAGE = 5_000  # people written at once

# What each of them did for points: type, category, quantity, from, until. The last one waits.
_DONE: tuple[tuple[str, str, str | None, date | None, date | None], ...] = (
    ("college_noncredit", "CE", "8.00", None, date(2025, 4, 2)),
    ("college_noncredit", "CE", "6.00", None, date(2025, 10, 9)),
    ("college_credit", "CE", "3.00", None, date(2025, 12, 19)),
    ("third_party", "CE", "4.00", None, date(2026, 2, 6)),
    ("third_party", "CE", "12.00", None, date(2026, 3, 27)),
    ("industry_certification", "IC", "1.00", None, date(2025, 11, 3)),
    ("employment_full_time", "E", None, date(2024, 6, 1), None),
    ("employment_part_time", "E", None, date(2025, 1, 1), date(2025, 9, 30)),
    ("volunteer", "X", "10.00", None, date(2026, 5, 16)),
    ("volunteer", "X", "5.00", None, date(2026, 9, 12)),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A certified person."""

    holder_id: str
    certification_id: str


def certify(
    work: UnitOfWork,
    count: int,
    *,
    prefix: str,
    activities: int = 0,
    awarded: date = AWARDED,
    spread: int = 365,
) -> list[Person]:
    """Put certified people on record, with all passes and so many activities.

    Their awards are ``spread`` over so many days from ``awarded``.
    """
    found: list[Person] = []
    for first in range(0, count, PAGE):
        numbers = range(first, min(first + PAGE, count))
        people = [Person(new_id(), new_id()) for _ in numbers]
        refs = [f"{prefix}{n:07}" for n in numbers]
        _register(work, [person.holder_id for person in people], refs)
        days = [awarded + timedelta(days=n % spread) for n in numbers]
        _award(work, people, refs, days)
        _write_activities(work, people, activities)
        found += people
    return found


def register(work: UnitOfWork, count: int, *, prefix: str) -> list[str]:
    """Put people on record of whom nothing else is known; returns their refs."""
    refs = [f"{prefix}{n:07}" for n in range(count)]
    _register(work, [new_id() for _ in refs], refs)
    return refs


def analyze(work: UnitOfWork) -> None:
    """Tell the planner of queries what there is."""
    work.connection.execute(text("analyze"))


def _register(work: UnitOfWork, ids: list[str], refs: list[str]) -> None:
    rows: list[dict[str, Any]] = [
        {
            "id": id_,
            "ref": ref,
            **names.columns(FoldedName("Ana", f"Peña {ref}")),
            "email": f"{ref}@example.org",
            "second_email": None,
            "language": "en",
            "time_zone": "America/New_York",
            "recorded_at": work.now,
            "version": 1,
        }
        for id_, ref in zip(ids, refs, strict=True)
    ]
    bulk.insert(work, Holder, rows)
    named = (NamedPerson(r["id"], r["folded_name"], r["email"], None) for r in rows)
    search_words.add(work, named)


def _award(work: UnitOfWork, people: list[Person], refs: list[str], awards: list[date]) -> None:
    scheme, now = work.schemes[SCHEME], work.now
    bulk.insert(
        work,
        Assessment,
        [
            {
                "id": new_id(),
                "ref": None,
                "holder_id": p.holder_id,
                "scheme": SCHEME,
                "module": module.code,
                "taken_on": day - timedelta(days=n * module.required),
                "passed": True,
                "warnings": [],
                "recorded_at": now,
                "recorded_by": "bench",
            }
            for p, day in zip(people, awards, strict=True)
            for n, module in enumerate(scheme.modules)
        ],
    )
    bulk.insert(
        work,
        Certification,
        [
            {
                "id": p.certification_id,
                "public_id": f"benchmark-{ref}",
                "number": f"CPT-{ref}",
                "number_key": numbers.key(f"CPT-{ref}"),
                "holder_id": p.holder_id,
                "scheme": SCHEME,
                "awarded_on": day,
                "recorded_at": now,
                "withdrawn_at": None,
            }
            for p, ref, day in zip(people, refs, awards, strict=True)
        ],
    )
    bulk.insert(
        work,
        Cycle,
        [
            timelines.cycle_row(work, p.certification_id, rules.first_cycle(scheme, day))
            for p, day in zip(people, awards, strict=True)
        ],
    )
    certifications.refresh(work, scheme, [p.certification_id for p in people])


def _write_activities(work: UnitOfWork, people: list[Person], count: int) -> None:
    rows = [row for person in people for row in _activities(work, person, count)]
    bulk.insert(work, Activity, rows)
    bulk.insert(
        work,
        Decision,
        [
            {
                "id": new_id(),
                "activity_id": row["id"],
                "verdict": "approved",
                "decided_on": row["submitted_on"],
                "points_limit": None,
                "reason_code": None,
                "reason": None,
                "decided_by": "bench",
                "recorded_at": work.now,
            }
            for row in rows
            if row["state"] == "approved"
        ],
    )


def _activities(work: UnitOfWork, person: Person, count: int) -> Iterator[dict[str, Any]]:
    for n, (kind, category, quantity, starts_on, completed_on) in enumerate(_DONE[:count], 1):
        yield {
            "id": new_id(),
            "ref": None,
            "holder_id": person.holder_id,
            "scheme": SCHEME,
            "category": category,
            "type": kind,
            "title": f"Course {n}",
            "provider": "A college",
            "quantity": Decimal(quantity) if quantity else None,
            "starts_on": starts_on,
            "completed_on": completed_on,
            "state": "submitted" if n == len(_DONE) else "approved",
            "submitted_on": completed_on or starts_on,
            "withdrawn_on": None,
            "recorded_at": work.now,
            "submitted_at": work.now,
            "version": 1,
        }
