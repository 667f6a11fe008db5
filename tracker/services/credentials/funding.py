"""The report of who paid for attempts; those that were voided are left out.

An attempt is in the line of its first source, and in one for each of the others.

Invariant: a sponsor's report is about those people alone whose consent to a managed case stands
(``_seen``); what it reads of them it could not read otherwise (``sees_everything``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    ColumnElement,
    Integer,
    Select,
    TableValuedAlias,
    cast,
    column,
    extract,
    func,
    literal,
    literal_column,
    select,
    true,
    type_coerce,
)

from tracker.domain.credentials import funding as rules
from tracker.domain.credentials.funding import (
    FundedMonth,
    FundingLine,
    FundingPeriod,
    FundingSource,
)
from tracker.domain.errors import Invalid
from tracker.domain.periods import Period
from tracker.models import Assessment, Center, Holder, ManagedCase
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, sees_everything
from tracker.services.core.row_scope import scope

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


@sees_everything
def report(reading: ReadContext, wanted: FundingFilter, kind: FundingPeriod) -> list[NamedLine]:
    """The sums by period, source, center and outcome. Raises Invalid for more than ten years.

    The database adds up the months, so the work does not grow with the attempts of a month.
    ``rules.attempts_of`` says how many attempts it is about.
    """
    if not 1 <= wanted.within.days <= _LONGEST:
        raise Invalid(
            "A report ends on or after its first day, and covers ten years at most.",
            fields={"until": f"must be from {wanted.within.starts_on} to ten years later"},
        )
    sources = (_first_source(), _other_source(reading.dialect))
    seen = _seen(reading)
    months = [
        month
        for source in sources
        for month in reading.rows_as(FundedMonth, _months(wanted, source).where(seen))
    ]
    lines = rules.report(months, kind, wanted.within)
    names = _names(reading, lines)
    return [NamedLine(line, names.get(line.center_id or "")) for line in lines]


class FundedAttempt(NamedTuple):
    """An attempt, whose it is, and who paid for it."""

    id: str
    given_name: str
    family_name: str
    scheme: str
    module: str
    taken_on: date
    passed: bool
    center: str | None
    funding: str | None
    amount: Decimal | None
    funding_reference: str | None
    more_funding: list[FundingSource]


@sees_everything
def attempts(
    reading: ReadContext, within: Period, *, after: str | None, limit: int
) -> list[FundedAttempt]:
    """A page of the attempts that a report is about, in the order of their ids."""
    table = Assessment
    columns = (
        table.id,
        Holder.given_name,
        Holder.family_name,
        table.scheme,
        table.module,
        table.taken_on,
        table.passed,
        Center.name.label("center"),
        table.funding,
        table.amount,
        table.funding_reference,
        table.more_funding,
    )
    statement = (
        select(*columns)
        .join(Holder, Holder.id == table.holder_id)
        .join(Center, Center.id == table.center_id, isouter=True)
        .where(_seen(reading), *_taken(within))
        .order_by(table.id)
        .limit(limit)
    )
    if after:
        statement = statement.where(table.id > after)
    return reading.rows_as(FundedAttempt, statement)


def _seen(reading: ReadContext) -> ColumnElement[bool]:
    """Whose attempts the actor's report is about: of everybody for staff."""
    if reading.actor.is_of_the_body:
        return true()
    consenting = select(ManagedCase.holder_id).where(scope(reading.actor, ManagedCase))
    return Assessment.holder_id.in_(consenting)


def _taken(within: Period) -> tuple[ColumnElement[bool], ...]:
    table = Assessment
    return (
        table.voided_at.is_(None),
        table.taken_on.between(within.starts_on, within.ends_on),
    )


class _Source(NamedTuple):
    """Where the statement finds a source of each attempt, and what that pays.

    ``others`` are the sources beside the first, a row for each, if it is about those.
    """

    funding: ColumnElement[Any]
    amount: ColumnElement[Any]
    others: TableValuedAlias | None = None


def _first_source() -> _Source:
    return _Source(Assessment.funding.expression, Assessment.amount.expression)


def _other_source(dialect: str) -> _Source:
    """Each element of the JSON array, taken apart as the database does it.

    The names are written out: a parameter would not be the same expression in what is selected and
    grouped by.
    """
    array, kind = Assessment.more_funding, Assessment.amount.type
    if dialect == "postgresql":
        others = func.json_array_elements(array).table_valued(column("value", JSON))
        said = others.c.value.op("->>")
        amount = cast(said(literal_column("'amount'")), kind)
        return _Source(said(literal_column("'funding'")), amount, others)
    others = func.json_each(array).table_valued("value")
    funding, digits = (
        func.json_extract(others.c.value, literal_column(path))
        for path in ("'$.funding'", "'$.amount'")
    )
    hundredths = cast(func.round(digits * literal_column("100")), Integer)
    return _Source(funding, type_coerce(hundredths, kind), others)


def _months(wanted: FundingFilter, source: _Source) -> Select[*tuple[object, ...]]:
    table = Assessment
    year = cast(extract("year", table.taken_on), Integer)
    month = cast(extract("month", table.taken_on), Integer)
    groups = (year, month, source.funding, table.center_id, table.passed)
    attempts = func.count()
    statement = (
        select(
            year.label("year"),
            month.label("month"),
            source.funding.label("funding"),
            table.center_id,
            table.passed,
            attempts.label("attempts"),
            (attempts if source.others is None else literal(0)).label("firsts"),
            (attempts - func.count(source.amount)).label("without_amount"),
            func.sum(source.amount).label("amount"),
        )
        .where(*_taken(wanted.within))
        .group_by(*groups)
    )
    if source.others is not None:
        statement = statement.join(source.others, true())
    chosen = [
        (source.funding, wanted.funding),
        (table.center_id, wanted.center_id),
        (table.passed, wanted.passed),
    ]
    return statement.where(*(which == value for which, value in chosen if value is not None))


def _names(reading: ReadContext, lines: Sequence[FundingLine]) -> dict[str, str]:
    ids = {line.center_id for line in lines if line.center_id}
    statement = select(Center.id, Center.name).where(bulk.among(reading, Center.id, ids))
    return {row.id: row.name for row in reading.rows(statement)} if ids else {}
