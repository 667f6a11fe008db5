"""Certificate numbers: new ones, and lookup by the award's current number or its former one."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from itertools import product

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import aliased

from tracker.domain import numbers
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Certification
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext

_PAIRS = ["".join(pair) for pair in product(numbers.ALPHABET, repeat=2)]


def new(scheme: Scheme, mark: str = "") -> str:
    """A number with 49 random bits: unique in practice, and a constraint makes sure.

    A ``mark`` follows the scheme's prefix and tells one kind of certificate from the others.
    """
    left, letters = secrets.randbelow(len(_PAIRS) ** (numbers.DRAWN // 2)), ""
    for _ in range(numbers.DRAWN // 2):  # one draw for all letters takes a fifth of the time of ten
        left, place = divmod(left, len(_PAIRS))
        letters += _PAIRS[place]
    return "-".join(filter(None, (scheme.number_prefix, mark, letters[:5], letters[5:])))


def is_called(number: str) -> ColumnElement[bool]:
    """The condition that a certification has or had this number, in any spelling."""
    key = numbers.key(number)
    return or_(Certification.number_key == key, Certification.former_key == key)


def is_among(reading: ReadContext, keys: Collection[str]) -> ColumnElement[bool]:
    """The condition that a certification has or had a number with one of these keys."""
    return or_(
        bulk.among(reading, Certification.number_key, keys),
        bulk.among(reading, Certification.former_key, keys),
    )


def leading(reading: ReadContext, keys: Collection[str]) -> dict[str, str]:
    """The current numbers for those keys whose certificates lead to others since a merge."""
    other = aliased(Certification)
    statement = select(Certification.number_key, Certification.former_key, other.number).join(
        other, other.id == Certification.merged_into_id
    )
    rows = reading.rows(statement.where(is_among(reading, keys))) if keys else ()
    return {key: row.number for row in rows for key in {*row[:2]} & {*keys}}


def certification_of(reading: ReadContext, number: str) -> str | None:
    """The id of the one certification that has or had this number, or None.

    It is the one to which that leads, if two records of its holder were merged.
    """
    leading = func.coalesce(Certification.merged_into_id, Certification.id).label("id")
    rows = reading.rows(select(leading).where(is_called(number)).limit(2))
    return rows[0].id if len(rows) == 1 else None
