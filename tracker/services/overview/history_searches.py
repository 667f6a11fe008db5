"""Searching the history by a person as staff type one, and by who of the body did something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select

from tracker.domain.permissions import OF_THE_BODY
from tracker.models import Account
from tracker.services.core.context import ReadContext
from tracker.services.overview import history_pages
from tracker.services.overview.history_pages import HistoryFilter, HistoryLine
from tracker.services.people import holders
from tracker.services.people.holders import HolderRow

_CHOICE = 20


@dataclass(frozen=True, slots=True)
class FoundHistory:
    """Lines of history; ``holder`` is the person whom they are about, if one was asked for.

    If several people are meant, ``people`` has them, and there are no lines.
    """

    lines: Sequence[HistoryLine] = ()
    holder: HolderRow | None = None
    people: Sequence[HolderRow] = ()


class MemberName(NamedTuple):
    """Somebody who works or worked for the body, by the id of their account."""

    id: str
    name: str


def find(
    reading: ReadContext, filters: HistoryFilter, *, typed: str | None, holder_id: str | None
) -> FoundHistory:
    """The lines that match, about the person with an id, or whom a query means. Raises NotFound."""
    if holder_id is not None:
        return _about(reading, filters, holders.get(reading, holder_id))
    if typed is None:
        return FoundHistory(history_pages.page(reading, filters))
    people = holders.search(reading, after=None, limit=_CHOICE, filters={"q": typed})
    if len(people) == 1:
        return _about(reading, filters, people[0])
    return FoundHistory(people=people)


def _about(reading: ReadContext, filters: HistoryFilter, holder: HolderRow) -> FoundHistory:
    lines = history_pages.page(reading, filters, holder_id=holder.id)
    return FoundHistory(lines, holder)


def members(reading: ReadContext) -> list[MemberName]:
    """Everybody who has or had an account of the body, by name."""
    mine = select(Account.id, Account.name).where(Account.role.in_(sorted(OF_THE_BODY)))
    return reading.rows_as(MemberName, mine.order_by(Account.name, Account.id))
