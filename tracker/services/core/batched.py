"""Queries for facts about one id or many, as known now or at an earlier instant.

Statements are built once, with parameters: building one for each request, and matching it with its
compiled form, costs more than the database takes to answer it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from sqlalchemy import ARRAY, ColumnElement, Date, and_, any_, bindparam, or_
from sqlalchemy.orm import InstrumentedAttribute

from tracker.db import Id, Instant
from tracker.models import Certification
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext

EVER = datetime.max.replace(tzinfo=UTC)
"""An instant later than any record: everything is known."""
ID = bindparam("id", type_=Id)
IDS = bindparam("ids", type_=Id, expanding=True)
KNOWN_AT = bindparam("known_at", type_=Instant)
ON = bindparam("on", type_=Date)
NOT_WITHDRAWN = Certification.withdrawn_at.is_(None)
"""Certifications that are not withdrawn; a holder may have several in one scheme."""
CURRENT = and_(NOT_WITHDRAWN, Certification.replaced_on.is_(None))
"""The certification of a holder and scheme that counts now, if there is one."""
COUNTING = and_(
    NOT_WITHDRAWN, or_(Certification.replaced_on.is_(None), Certification.replaced_on > ON)
)
"""The certification that counts on the day ``on``."""
SHOWN = or_(COUNTING, and_(Certification.withdrawn_at.is_not(None), Certification.sequence == 1))
"""The same; where there is none, the withdrawn one, so that holders still see what they had."""
StatementOf = TypeVar("StatementOf")
IdCondition = Callable[[InstrumentedAttribute[str]], ColumnElement[bool]]
"""Makes the condition that a column is the id, or one of the ids, asked for."""


def known(parameters: dict[str, object], known_at: datetime | None = None) -> dict[str, object]:
    """Statement parameters that leave out what was recorded after ``known_at``, if it is given."""
    return {**parameters, "known_at": known_at or EVER}


@dataclass(frozen=True, slots=True)
class About(Generic[StatementOf]):
    """One query in three forms: for one id, for a list of ids, for an array."""

    one: StatementOf
    many: StatementOf
    array: StatementOf

    def each(
        self, reading: ReadContext, ids: Collection[str], known_at: datetime | None
    ) -> Iterator[tuple[StatementOf, dict[str, object]]]:
        """The statements for these ids with their parameters: one, unless there are very many ids.

        PostgreSQL gets one array: with a list, every length would be a new text to parse.
        """
        several = self.array if reading.dialect == "postgresql" else self.many
        for some in bulk.chunks(ids):
            if len(some) == 1:
                yield self.one, known({"id": some[0]}, known_at)
            else:
                yield several, known({"ids": some}, known_at)


def about(make: Callable[[IdCondition], StatementOf]) -> About[StatementOf]:
    """Make the three forms; ``make`` gets the function that puts the condition on a column."""
    return About(
        make(lambda column: column == ID),
        make(lambda column: column.in_(IDS)),
        make(lambda column: column == any_(bindparam("ids", type_=ARRAY(Id)))),
    )
