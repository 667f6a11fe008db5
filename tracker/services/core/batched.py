"""How facts are asked for: about one id or about many, as known now or at an instant.

Statements are made once, with parameters: to build one for each request, and to match it with
what was compiled, costs more than the database takes to answer it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ARRAY, Date, and_, any_, bindparam, or_

from tracker.db import Id, Instant
from tracker.models import Certification
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext

EVER = datetime.max.replace(tzinfo=UTC)
"""The instant at which everything is known."""
ID = bindparam("id", type_=Id)
IDS = bindparam("ids", type_=Id, expanding=True)
KNOWN_AT = bindparam("known_at", type_=Instant)
ON = bindparam("on", type_=Date)
CARRIED = Certification.withdrawn_at.is_(None)
"""Certifications that the passes on record carry; of one holder and scheme there may be several."""
CURRENT = and_(CARRIED, Certification.replaced_on.is_(None))
"""The one of a holder and scheme that speaks for them now, if there is one."""
SPEAKS = and_(CARRIED, or_(Certification.replaced_on.is_(None), Certification.replaced_on > ON))
"""The one that speaks for them on the day ``on``."""
SHOWN = or_(SPEAKS, and_(Certification.withdrawn_at.is_not(None), Certification.sequence == 1))
"""The same, or where there is none the withdrawn one, so that nobody finds an empty place."""
StatementOf = TypeVar("StatementOf")


def known(parameters: dict[str, Any], known_at: datetime | None = None) -> dict[str, Any]:
    """Parameters of a statement that leaves out what was recorded later; now: nothing is."""
    return {**parameters, "known_at": known_at or EVER}


@dataclass(frozen=True, slots=True)
class About(Generic[StatementOf]):
    """What is asked about one id, and the same about a list of them or an array."""

    one: StatementOf
    many: StatementOf
    array: StatementOf

    def each(
        self, reading: ReadContext, ids: Collection[str], known_at: datetime | None
    ) -> Iterator[tuple[StatementOf, dict[str, Any]]]:
        """What to ask about these ids, with its parameters; once, unless they are very many.

        PostgreSQL is sent one array: a list makes each statement a new text, to be taken apart.
        """
        several = self.array if reading.dialect == "postgresql" else self.many
        for some in bulk.chunks(ids):
            if len(some) == 1:
                yield self.one, known({"id": some[0]}, known_at)
            else:
                yield several, known({"ids": some}, known_at)


def about(make: Callable[[Callable[[Any], Any]], StatementOf]) -> About[StatementOf]:
    """Make it for one and for many; ``make`` is given the condition on a column."""
    return About(
        make(lambda column: column == ID),
        make(lambda column: column.in_(IDS)),
        make(lambda column: column == any_(bindparam("ids", type_=ARRAY(Id)))),
    )
