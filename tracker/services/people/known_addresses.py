"""The addresses that are known of holders, on the record and on the account, in SQL."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from tracker.domain.people.accounts import KnownAddresses, signs_in
from tracker.models import Account, Holder

ADDRESSES = (
    Holder.email.label("holder_email"),
    Holder.email_confirmed,
    Holder.second_email,
    Holder.second_email_confirmed,
    Account.email.label("account_email"),
)
"""The columns of ``known``."""
PEOPLE = (
    select(Holder.id, *ADDRESSES)
    .join(Account, Account.holder_id == Holder.id, isouter=True)
    .where(Holder.deceased_on.is_(None))
)
"""The living holders with their addresses."""


def known(row: Any) -> KnownAddresses:
    """The addresses in a row with ``ADDRESSES``."""
    return KnownAddresses(
        email=row.holder_email,
        email_confirmed=row.email_confirmed,
        second_email=row.second_email,
        second_email_confirmed=row.second_email_confirmed,
        account_email=row.account_email,
    )


def is_theirs(row: Any) -> bool:
    """Whether the ``email`` of a row with ``ADDRESSES`` lets that person sign in."""
    return signs_in(known(row), row.email)


def has_address(some: Collection[str]) -> ColumnElement[bool]:
    """The condition that one of these addresses, in compared form, is on record or account."""
    return or_(
        func.lower(Holder.email).in_(some),
        func.lower(Holder.second_email).in_(some),
        func.lower(Account.email).in_(some),
    )
