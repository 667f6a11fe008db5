"""Which addresses let a person sign in, and under which name the person then acts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tracker.domain.emails import compared
from tracker.domain.permissions import SCOPES, Scope

_LONGEST_NAME = 100  # the columns that say who did something


class OrganizationAccess(StrEnum):
    """What somebody may do for an organization: see what is its own, or also change and invite."""

    VIEW = "view"
    MANAGE = "manage"


@dataclass(frozen=True, slots=True)
class KnownAddresses:
    """The addresses on a holder's record and that of the holder's account, if there is one."""

    email: str
    email_confirmed: bool
    second_email: str | None = None
    second_email_confirmed: bool = True
    account_email: str | None = None


def addresses(known: KnownAddresses) -> Sequence[str]:
    """The addresses that let the person sign in, the first one on record first.

    An address that holders entered themselves is not confirmed, and does not let anybody in: a
    stranger who uses the record for a minute could otherwise keep it. Until it is confirmed, the
    address that last signed in goes on doing so. Once staff record another address, only that one
    counts: the former mailbox may be somebody else's.
    """
    found = [known.email] if known.email_confirmed else []
    if known.second_email and known.second_email_confirmed:
        found.append(known.second_email)
    if known.account_email and not known.email_confirmed:
        found.append(known.account_email)
    return found


def signs_in(known: KnownAddresses, address: str) -> bool:
    """Whether an address is one of those that let the person sign in, ignoring case."""
    return compared(address) in {compared(one) for one in addresses(known)}


def account_address(
    known: KnownAddresses, replaced: Collection[str], *, by_staff: bool
) -> str | None:
    """The account's address after addresses on record were replaced; None if it has none any more.

    Holders who enter another address go on signing in with the one that was confirmed before. An
    address that staff replace no longer lets anybody in. ``known`` are the addresses before.
    """
    if not by_staff:
        return known.email if known.email_confirmed else known.account_email
    removed = {compared(one) for one in replaced}
    if known.account_email is None or compared(known.account_email) in removed:
        return None
    return known.account_email


def acting_name(given_name: str, family_name: str) -> str:
    """The name under which a person acts, cut to what the history and decisions can hold.

    >>> acting_name("Ana", "Ruiz")
    'Ana Ruiz'
    """
    return f"{given_name} {family_name}"[:_LONGEST_NAME]


def scopes_of(access: str | None) -> frozenset[Scope]:
    """What a person's sessions may do: those who only view for an organization change nothing."""
    return frozenset({"read"}) if access == OrganizationAccess.VIEW else frozenset(SCOPES)
