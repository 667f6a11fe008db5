"""Employment that employers confirmed, as evidence for the jobs that a holder claims.

``services.employers.confirmations`` records it; here it is read.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from tracker.domain.periods import Period
from tracker.domain.values import folded_name
from tracker.models import Employer, EmploymentConfirmation
from tracker.services.core.context import ReadContext


class ConfirmedDays(NamedTuple):
    """Days of employment that an employer confirmed, and who signed for it."""

    name: str
    starts_on: date
    ends_on: date
    signed_by: str

    @property
    def period(self) -> Period:
        """The days."""
        return Period(self.starts_on, self.ends_on)


def of_holder(reading: ReadContext, holder_id: str) -> list[ConfirmedDays]:
    """What is confirmed of somebody today: neither withdrawn nor contested."""
    table = EmploymentConfirmation
    statement = (
        select(Employer.name, table.starts_on, table.ends_on, table.signed_by)
        .join(Employer, Employer.id == table.employer_id)
        .where(
            table.holder_id == holder_id,
            table.withdrawn_at.is_(None),
            table.contested_at.is_(None),
        )
        .order_by(table.starts_on, table.id)
    )
    return reading.rows_as(ConfirmedDays, statement)


def of_claim(
    confirmed: Collection[ConfirmedDays],
    provider: str,
    starts_on: date | None,
    ends_on: date | None,
) -> list[ConfirmedDays]:
    """Those that are about a job: by the employer that it names, on days that it claims."""
    if starts_on is None:
        return []
    days = Period(starts_on, ends_on or date.max)
    named = folded_name(provider)
    return [one for one in confirmed if folded_name(one.name) == named and days.clip(one.period)]
