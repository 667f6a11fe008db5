"""People's accounts: whom an address or a certificate number lets in, claiming, opening, locking.

A holder has no account until the first sign-in, which claims the record: a code mailed to an
address on record proves that it is theirs. The rule for addresses is in ``domain.people.accounts``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.exc import IntegrityError

from tracker.db import new_id
from tracker.domain.emails import compared
from tracker.domain.errors import AlreadyRecorded, NotAllowed, NotFound
from tracker.domain.people.accounts import (
    KnownAddresses,
    OrganizationAccess,
    account_address,
    acting_name,
    addresses,
    signs_in,
)
from tracker.domain.permissions import ORGANIZATIONS, Actor, Role
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.models import Account, Certification, Holder
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import certificate_numbers
from tracker.services.outbox import suppressions
from tracker.services.people import own_records
from tracker.services.people.known_addresses import ADDRESSES, PEOPLE, has_address, known

_PROPOSERS = ("staff", "admin")  # of what needs two people


@dataclass(frozen=True, slots=True)
class SignInRecipient:
    """Who may sign in, and the address to which the code or link goes.

    A holder is known by the record, since the account is made by the first sign-in.
    """

    email: str
    holder_id: str | None = None
    account_id: str | None = None

    @property
    def subject_id(self) -> str:
        """An id that no other person has."""
        return self.holder_id or self.account_id or ""

    @property
    def columns(self) -> dict[str, str | None]:
        """The values by which an attempt knows the person."""
        return {"holder_id": self.holder_id, "account_id": self.account_id, "email": self.email}


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
    for row in reading.rows(PEOPLE.where(has_address(by_address))) if by_address else ():
        for address in addresses(known(row)):
            people[compared(address)].append(SignInRecipient(address, row.id))
    for row in reading.rows(_numbered(reading, numbers)) if numbers else ():
        for number in {row.number_key, row.former_key}:
            people[number] += [SignInRecipient(one, row.id) for one in addresses(known(row))]
    wanted = {one: people[one] for one in identifiers if one in people}
    emails = [person.email for some in wanted.values() for person in some]
    silent = suppressions.since(reading, emails, now=reading.now)
    return {
        identifier: heard[0]
        for identifier, some in wanted.items()
        if len({one.holder_id for one in some}) == 1
        and (heard := [one for one in some if compared(one.email) not in silent])
    }


def may_sign_in(reading: ReadContext, holder_id: str, email: str) -> bool:
    """Whether an address still lets a holder sign in."""
    row = reading.row(
        select(Holder.deceased_on, *ADDRESSES)
        .join(Account, Account.holder_id == Holder.id, isouter=True)
        .where(Holder.id == holder_id)
    )
    return row.deceased_on is None and signs_in(known(row), email)


def _numbered(reading: ReadContext, keys: Collection[str]) -> Select[Any]:
    """The people whose certifications have or had these numbers."""
    return (
        PEOPLE.add_columns(Certification.number_key, Certification.former_key)
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


def is_claimed(reading: ReadContext, holder_id: str) -> bool:
    """Whether a holder has an account."""
    return reading.row(select(Account.id).where(Account.holder_id == holder_id)) is not None


def replace_addresses(
    work: UnitOfWork, holder: Holder, replaced: Collection[str], *, by_staff: bool
) -> str | None:
    """Correct the account's address, before addresses on the holder's record are replaced.

    Returns the account's id, if there is one.
    """
    account = work.session.scalar(select(Account).where(Account.holder_id == holder.id))
    if account is None:
        return None
    before = KnownAddresses(
        holder.email, email_confirmed=holder.email_confirmed, account_email=account.email
    )
    account.email = account_address(before, replaced, by_staff=by_staff)
    return account.id


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
    work: UnitOfWork,
    *,
    role: Role,
    name: str,
    email: str,
    organization_id: str | None = None,
    access: OrganizationAccess | None = None,
    language: str = ENGLISH,
    id_: str | None = None,
) -> str:
    """Make an account of somebody who is not a holder; returns its id, which may be given.

    One of an organization may do everything unless ``access`` says otherwise. One of the
    certification body names the own record of its owner, if there is one. Raises AlreadyRecorded if
    the address has an account.
    """
    row = Account(
        id=id_ or new_id(),
        role=role,
        name=name,
        email=email,
        email_key=compared(email),
        access=(access or OrganizationAccess.MANAGE) if role in ORGANIZATIONS else None,
        language=language,
        recorded_at=work.now,
    )
    row.name_organization(role, organization_id)
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded("This email address has an account already.") from error
    history.record(work, "open", "account", row.id, role=role, access=row.access)
    own_records.look_for(work, account_id=row.id)
    return row.id


def owners(reading: ReadContext, keys: Collection[str]) -> dict[str, SignInRecipient]:
    """Whose password each address, in compared form, signs in with; unheard addresses left out."""
    statement = select(Account.id, Account.email, Account.email_key)
    rows = reading.rows(statement.where(Account.email_key.in_(keys), IS_LIVING)) if keys else ()
    silent = suppressions.since(reading, [row.email for row in rows], now=reading.now)
    return {
        row.email_key: SignInRecipient(row.email, account_id=row.id)
        for row in rows
        if compared(row.email) not in silent
    }


def is_members(reading: ReadContext, key: str) -> bool:
    """Whether an address, in compared form, signs in somebody who is not a holder."""
    found = select(Account.id).where(Account.email_key == key, IS_LIVING)
    return reading.row(found) is not None


IS_LIVING = Account.deactivated_at.is_(None)
"""The condition that an account was not deactivated."""


class AccountOwner(NamedTuple):
    """An account with what is said of its owner, a holder's from the record."""

    id: str
    role: Role
    name: str | None
    email: str | None
    language: str | None
    organization_id: str | None
    holder_id: str | None
    own_record_id: str | None
    access: str | None
    deactivated_at: datetime | None
    given_name: str | None
    family_name: str | None

    @property
    def full_name(self) -> str:
        """The name under which the owner acts."""
        return self.name or acting_name(self.given_name or "", self.family_name or "")

    @property
    def actor(self) -> Actor:
        """The owner, acting without a session, such as while signing in."""
        return Actor(
            role=self.role,
            name=self.full_name,
            holder_id=self.holder_id or self.own_record_id,
            organization_id=self.organization_id,
            person_id=self.id,
        )


_OWNERS = (
    select(
        Account.id,
        Account.role,
        Account.name,
        Account.email,
        func.coalesce(Account.language, Holder.language).label("language"),
        Account.organization_id,
        Account.holder_id,
        Account.own_record_id,
        Account.access,
        Account.deactivated_at,
        Holder.given_name,
        Holder.family_name,
    )
    .join(Holder, Holder.id == Account.holder_id, isouter=True)
    .where(Account.id == bindparam("id"))
)


def owner(reading: ReadContext, account_id: str) -> AccountOwner:
    """An account with its owner. Raises NotFound."""
    found = reading.row_as(AccountOwner, _OWNERS, {"id": account_id})
    if found is None:
        raise NotFound
    return found


def proposer_role(reading: ReadContext, person_id: str, role: Role) -> Role:
    """The role today of somebody who proposed what needs two people.

    ``role`` is the one on record, for people without an account: those of tokens, and holders.
    Raises NotAllowed for people who may not propose any more: they left, or have fewer rights.
    """
    row = reading.row(select(Account.role, Account.deactivated_at).where(Account.id == person_id))
    if row is None:
        return role
    if row.deactivated_at is not None or row.role not in _PROPOSERS:
        raise NotAllowed(
            "Who proposed this may not do so any more; decline it, and propose it again."
        )
    found: Role = row.role
    return found


def lock(work: UnitOfWork, account_id: str) -> AccountOwner:
    """The same, locked: what ends an account's sessions and what starts one wait for each other.

    Raises NotFound.
    """
    work.row(select(Account.id).where(Account.id == account_id).with_for_update())
    return owner(work, account_id)
