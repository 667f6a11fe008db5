"""The report of who paid for attempts; those that were voided are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Integer, Select, cast, extract, func, select

from tracker.domain.credentials import funding as rules
from tracker.domain.credentials.funding import FundedMonth, FundingLine, FundingPeriod
from tracker.domain.errors import Invalid
from tracker.domain.periods import Period
from tracker.models import Assessment, Center
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext

_LONGEST = 10 * 366


@dataclass(frozen=True, slots=True)
class FundingFilter:
    """Which attempts a report is about: the days on which they were taken, and more if given."""

    within: Period
    funding: str | None = None
    center_id: str | None = None
    passed: bool | None = None


class NamedLine(NamedTuple):
    """A line of the report with the center's name."""

    line: FundingLine
    center: str | None


def report(reading: ReadContext, wanted: FundingFilter, kind: FundingPeriod) -> list[NamedLine]:
    """The sums by period, source, center and outcome. Raises Invalid for more than ten years.

    The database adds up the months, so the work does not grow with the attempts of a month.
    """
    if not 1 <= wanted.within.days <= _LONGEST:
        raise Invalid(
            "A report ends on or after its first day, and covers ten years at most.",
            fields={"until": f"must be from {wanted.within.starts_on} to ten years later"},
        )
    months = reading.rows_as(FundedMonth, _months(wanted))
    lines = rules.report(months, kind, wanted.within)
    names = _names(reading, lines)
    return [NamedLine(line, names.get(line.center_id or "")) for line in lines]


def _months(wanted: FundingFilter) -> Select[*tuple[object, ...]]:
    table = Assessment
    year = cast(extract("year", table.taken_on), Integer)
    month = cast(extract("month", table.taken_on), Integer)
    groups = (year, month, table.funding, table.center_id, table.passed)
    statement = (
        select(
            year.label("year"),
            month.label("month"),
            table.funding,
            table.center_id,
            table.passed,
            func.count().label("attempts"),
            (func.count() - func.count(table.amount)).label("without_amount"),
            func.sum(table.amount).label("amount"),
        )
        .where(
            table.voided_at.is_(None),
            table.taken_on.between(wanted.within.starts_on, wanted.within.ends_on),
        )
        .group_by(*groups)
    )
    chosen = {"funding": wanted.funding, "center_id": wanted.center_id, "passed": wanted.passed}
    for name, value in chosen.items():
        if value is not None:
            statement = statement.where(getattr(table, name) == value)
    return statement


def _names(reading: ReadContext, lines: Sequence[FundingLine]) -> dict[str, str]:
    ids = {line.center_id for line in lines if line.center_id}
    statement = select(Center.id, Center.name).where(bulk.among(reading, Center.id, ids))
    return {row.id: row.name for row in reading.rows(statement)} if ids else {}
