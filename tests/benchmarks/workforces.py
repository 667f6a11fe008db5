"""What an employer asks of its workforce, against the least that the database must do for it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import func, select

from tests.benchmarks import people
from tests.benchmarks.measurements import (
    Measured,
    NotHereError,
    at_least,
    at_most,
    in_turns,
    measures,
    ratio_of_rates,
)
from tests.benchmarks.people import SCHEME
from tests.benchmarks.workshop import Workshop
from tracker import tabular
from tracker.db import new_id
from tracker.domain.permissions import SYSTEM
from tracker.models import Employer, RosterEntry, Sharing
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import (
    workforce,
    workforce_files,
    workforce_numbers,
    workforce_selection,
)

_WORKERS, _PAGE, _ROUNDS = 20_000, 50, 15
_ANOTHER_DAY = date(2028, 2, 29)
_COPY = """
copy (select r.employee_id, r.site, r.department, r.shift, h.given_name || ' ' || h.family_name,
             c.number, s.expires_on, s.window_opens_on
      from roster_entry r join sharing x on x.holder_id = r.holder_id
      join holder h on h.id = x.holder_id join certification c on c.holder_id = h.id
      join standing_span s on s.certification_id = c.id) to stdout (format csv)
"""


@dataclass(frozen=True, slots=True)
class Company:
    """An employer with a roster of people who share their standings."""

    employer_id: str
    size: int


@cache
def company_of(shop: Workshop) -> Company:
    size = shop.sized(_WORKERS)
    with shop.container.work(SYSTEM) as work:
        workers = people.certify(work, size, prefix="W", activities=2)
        employer_id = new_id()
        bulk.insert(
            work,
            Employer,
            [
                {
                    "id": employer_id,
                    "name": "Works",
                    "email": None,
                    "recorded_at": work.now,
                    "version": 1,
                }
            ],
        )
        employ(work, employer_id, [worker.holder_id for worker in workers])
    shop.analyze()
    return Company(employer_id, size)


def employ(work: UnitOfWork, employer_id: str, holder_ids: list[str]) -> None:
    """Put people on an employer's list, with whom they share all but their modules."""
    bulk.insert(
        work,
        RosterEntry,
        [
            {
                "id": new_id(),
                "employer_id": employer_id,
                "employee_id": f"E{n:07}",
                "holder_id": holder_id,
                "given_holder_ref": None,
                "given_email": None,
                "given_number": None,
                "site": f"Site {n % 5}",
                "department": f"Department {n % 20}",
                "shift": "early",
                "ended_on": None,
                "recorded_at": work.now,
            }
            for n, holder_id in enumerate(holder_ids)
        ],
    )
    bulk.insert(
        work,
        Sharing,
        [
            {
                "id": new_id(),
                "holder_id": holder_id,
                "employer_id": employer_id,
                "consented_on": work.now.date(),
                "until_on": None,
                "purpose": "employment",
                "with_dates": True,
                "with_points": True,
                "with_modules": False,
                "recorded_at": work.now,
                "recorded_by": "bench",
                "ended_at": None,
            }
            for holder_id in holder_ids
        ],
    )


def _seconds(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def _times(work: Callable[[], object], against: Callable[[], object]) -> Measured:
    """The median of the pairs' ratios of two times."""
    work(), against()
    pairs = list(in_turns(lambda: _seconds(work), lambda: _seconds(against), rounds=_ROUNDS))
    mine, other = (statistics.median(side) * 1000 for side in zip(*pairs, strict=True))
    value = statistics.median(one / another for one, another in pairs)
    return Measured(value, {"work ms": mine, "against ms": other})


def _asked(
    reading: ReadContext, company: Company, on: date | None = None
) -> workforce_selection.WorkforceFilter:
    return workforce_selection.question(reading, company.employer_id, SCHEME, on=on)


@measures("summary", at_most(2.5, "x"), against="SELECT count(*) over the same roster rows")
def summary(shop: Workshop) -> Measured:
    """Workforce summary on another day: by status, valid, due."""
    company = company_of(shop)
    mine = RosterEntry.employer_id == company.employer_id
    count = select(func.count()).select_from(RosterEntry).where(mine)
    with shop.container.reading(SYSTEM) as reading:
        asked = _asked(reading, company, _ANOTHER_DAY)
        return _times(lambda: workforce_numbers.summary(reading, asked), lambda: reading.row(count))


@measures("page", at_most(1.3, "x"), against="its own first page")
def page(shop: Workshop) -> Measured:
    """A page of 50 workers with points at nine tenths of the list."""
    company = company_of(shop)
    deep = RosterEntry.employee_id == f"E{company.size * 9 // 10:07}"
    with shop.container.reading(SYSTEM) as reading:
        asked = _asked(reading, company)
        place = workforce.WorkforcePlace(
            date.min, reading.row(select(RosterEntry.id).where(deep)).id
        )

        def turn(after: workforce.WorkforcePlace | None) -> Any:
            return workforce.page(reading, asked, after=after, limit=_PAGE + 1, sort="employee_id")

        return _times(lambda: turn(place), lambda: turn(None))


@measures("csv", at_least(0.15), against="COPY of the same columns")
def csv(shop: Workshop) -> Measured:
    """The workforce as CSV."""
    if shop.container.engine.dialect.name != "postgresql":
        raise NotHereError("it needs PostgreSQL")
    company = company_of(shop)
    with shop.container.reading(SYSTEM) as reading:
        asked = _asked(reading, company)

        def exported() -> float:
            rows = workforce_files.export(reading, asked, sort="employee_id", with_points=False)
            begun = time.perf_counter()
            sent = sum(map(len, tabular.csv_chunks(workforce_files.COLUMNS, rows)))
            return company.size / (time.perf_counter() - begun) if sent else 0.0

        def copied() -> float:
            cursor: Any = reading.connection.connection.cursor()
            begun = time.perf_counter()
            with cursor.copy(_COPY) as copy:
                sent = sum(len(block) for block in copy)
            return company.size / (time.perf_counter() - begun) if sent else 0.0

        return ratio_of_rates(exported, copied, rounds=_ROUNDS // 3, unit="rows/s")
