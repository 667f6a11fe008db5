"""Which addresses let a person sign in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.domain.emails import compared


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
