"""People's accounts: whom an address or a certificate number lets in, and claiming a record.

A holder has no account until the first sign-in, which claims the record: a code mailed to an
address on record proves that it is theirs. The rule for addresses is in ``domain.people.accounts``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select, update

from tracker.db import new_id
from tracker.domain.emails import compared
from tracker.domain.people.accounts import KnownAddresses, account_address, addresses, signs_in
from tracker.domain.permissions import Role
from tracker.models import Account, Certification, Holder
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import certificate_numbers
from tracker.services.outbox import suppressions

ADDRESSES = (
    Holder.email.label("holder_email"),
    Holder.email_confirmed,
    Holder.second_email,
    Holder.second_email_confirmed,
    Account.email.label("account_email"),
)
"""The columns of ``known``."""


@dataclass(frozen=True, slots=True)
class SignInRecipient:
    """The holder who may sign in, and the address to which the code goes."""

    holder_id: str
    email: str


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


def recipients(reading: ReadContext, identifiers: Collection[str]) -> dict[str, SignInRecipient]:
    """Who signs in with each address or certificate number (``domain.people.sign_in.identifier``).

    Left out are those with which nobody does, those of the deceased, and those of people to none of
    whose addresses anything is written. An address that several people share lets none of them in;
    each has a certificate number. Three statements, however many there are: an address is found by
    reading through all people.
    """
    by_address = {one for one in identifiers if "@" in one}
    numbers = set(identifiers) - by_address
    people: dict[str, list[SignInRecipient]] = defaultdict(list)
    for row in reading.rows(_PEOPLE.where(_has_address(by_address))) if by_address else ():
        for address in addresses(known(row)):
            people[compared(address)].append(SignInRecipient(row.id, address))
    for row in reading.rows(_numbered(reading, numbers)) if numbers else ():
        for number in {row.number_key, row.former_key}:
            people[number] += [SignInRecipient(row.id, one) for one in addresses(known(row))]
    wanted = {one: people[one] for one in identifiers if one in people}
    emails = [person.email for some in wanted.values() for person in some]
    silent = suppressions.since(reading, emails, now=reading.now)
    return {
        identifier: heard[0]
        for identifier, some in wanted.items()
        if len({one.holder_id for one in some}) == 1
        and (heard := [one for one in some if compared(one.email) not in silent])
    }


_PEOPLE = (
    select(Holder.id, *ADDRESSES)
    .join(Account, Account.holder_id == Holder.id, isouter=True)
    .where(Holder.deceased_on.is_(None))
)


def may_sign_in(reading: ReadContext, holder_id: str, email: str) -> bool:
    """Whether an address still lets a holder sign in."""
    row = reading.row(
        select(Holder.deceased_on, *ADDRESSES)
        .join(Account, Account.holder_id == Holder.id, isouter=True)
        .where(Holder.id == holder_id)
    )
    return row.deceased_on is None and signs_in(known(row), email)


def _has_address(some: Collection[str]) -> ColumnElement[bool]:
    """The condition that one of these addresses, in compared form, is on record or account."""
    return or_(
        func.lower(Holder.email).in_(some),
        func.lower(Holder.second_email).in_(some),
        func.lower(Account.email).in_(some),
    )


def _numbered(reading: ReadContext, keys: Collection[str]) -> Select[Any]:
    """The people whose certifications have or had these numbers."""
    return (
        _PEOPLE.add_columns(Certification.number_key, Certification.former_key)
        .join(Certification, Certification.holder_id == Holder.id)
        .where(certificate_numbers.is_among(reading, keys))
    )


def claim(work: UnitOfWork, holder_id: str, email: str) -> tuple[str, bool]:
    """The holder's account, made if there is none yet; ``email`` is the address that signed in.

    Returns its id, and whether it was made. Two first sign-ins at once make one account.
    """
    values = {
        "id": new_id(),
        "role": "holder",
        "email": email,
        "holder_id": holder_id,
        "recorded_at": work.now,
    }
    made = work.upsert(Account).values(values)
    once = made.on_conflict_do_nothing(index_elements=["holder_id"]).returning(Account.id)
    if (row := work.row(once)) is not None:
        return str(row.id), True
    changed = update(Account).where(Account.holder_id == holder_id).values(email=email)
    return str(work.row(changed.returning(Account.id)).id), False


def replace_addresses(
    work: UnitOfWork, holder: Holder, replaced: Collection[str], *, by_staff: bool
) -> None:
    """Correct the account's address, before addresses on the holder's record are replaced."""
    account = work.session.scalar(select(Account).where(Account.holder_id == holder.id))
    if account is None:
        return
    before = KnownAddresses(
        holder.email, email_confirmed=holder.email_confirmed, account_email=account.email
    )
    account.email = account_address(before, replaced, by_staff=by_staff)


def forget_addresses(work: UnitOfWork, replaced: Collection[tuple[str, str]]) -> None:
    """Have accounts forget addresses that a file replaced: pairs of holder's id and address."""
    if replaced:
        pairs = [{"b_holder_id": id_, "b_email": address} for id_, address in replaced]
        work.execute(_FORGET, pairs)


_FORGET = (
    update(Account)
    .where(
        Account.holder_id == bindparam("b_holder_id"),
        func.lower(Account.email) == func.lower(bindparam("b_email")),
    )
    .values(email=None)
)


def open_account(
    work: UnitOfWork, *, role: Role, name: str, email: str, employer_id: str | None = None
) -> str:
    """Make an account of somebody who is not a holder; returns its id.

    Only the demo does so yet: such accounts need a second factor.
    """
    row = Account(role=role, name=name, email=email, employer_id=employer_id, recorded_at=work.now)
    work.session.add(row)
    work.session.flush()
    history.record(work, "open", "account", row.id, role=role)
    return row.id
