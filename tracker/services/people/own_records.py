"""The own records, as holders, of people who work for the certification body.

An account of the body names the record of the same person, so that nobody decides on their own
(``domain.permissions.check_not_own()``). It is found by a confirmed address, whichever of the two
was there first; where that finds nobody, or several, an administrator names it.

Invariant: whatever writes an address of a holder, or opens an account, calls ``look_for()``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import ColumnElement, select, update

from tracker.domain.emails import compared
from tracker.domain.people.accounts import addresses
from tracker.domain.permissions import OF_THE_BODY
from tracker.models import Account, Holder, Token
from tracker.services.core import bulk, history, tokens
from tracker.services.core.context import UnitOfWork
from tracker.services.people import known_addresses

_UNNAMED = (
    Account.role.in_(sorted(OF_THE_BODY)),
    Account.own_record_id.is_(None),
    Account.deactivated_at.is_(None),
)
"""The conditions of an account of the body that names no record."""
_ADDRESS = "address"


def look_for(
    work: UnitOfWork,
    *,
    account_id: str | None = None,
    holder_ids: Collection[str] | None = None,
) -> None:
    """Find the own record of one account, or the accounts to which some holders' records belong.

    By default all are looked for. An account that names a record is left as it is. An address that
    several holders share names none of them.
    """
    wanted = select(Account.id, Account.email_key).where(*_UNNAMED)
    if account_id is not None:
        wanted = wanted.where(Account.id == account_id)
    accounts = {row.email_key: row.id for row in work.rows(wanted)}
    if accounts and holder_ids is not None:
        among = bulk.among(work, Holder.id, holder_ids)
        accounts = {key: accounts[key] for key in _owners(work, among, accounts)}
    if not accounts:
        return
    anybody = known_addresses.has_address(accounts)
    for address, found in _owners(work, anybody, accounts).items():
        if len(found) == 1:
            name(work, accounts[address], found.pop(), found_by=_ADDRESS)


def _owners(
    work: UnitOfWork, which: ColumnElement[bool], wanted: Collection[str]
) -> dict[str, set[str]]:
    """Those of some holders whom these addresses, in compared form, let in, by address."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in work.rows(known_addresses.PEOPLE.where(which)):
        for address in addresses(known_addresses.known(row)):
            if (key := compared(address)) in wanted:
                found[key].add(row.id)
    return found


def name(work: UnitOfWork, account_id: str, holder_id: str | None, **how: str) -> None:
    """Name the record that belongs to an account's owner, or none; ``how`` goes into the history.

    The tokens that the owner made, themselves or through others, protect the record as well, and go
    on protecting one that was named before.
    """
    own = update(Account).where(Account.id == account_id).values(own_record_id=holder_id)
    work.execute(own)
    if holder_id is not None:
        _protect(work, account_id, holder_id)
    history.record(work, "name_own_record", "account", account_id, holder=holder_id, **how)


def _protect(work: UnitOfWork, account_id: str, holder_id: str) -> None:
    people = tokens.people_below(work, account_id)
    made = select(Token.id, Token.made_by_holders)
    for row in work.rows(made.where(bulk.among(work, Token.person_id, people))):
        makers = sorted({*row.made_by_holders, holder_id})
        work.execute(update(Token).where(Token.id == row.id).values(made_by_holders=makers))
