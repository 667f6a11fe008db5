"""Telling people by email what happened to their account, whoever did it."""

from __future__ import annotations

from datetime import timedelta

from tracker.db import new_id
from tracker.services.core.context import UnitOfWork
from tracker.services.outbox import queue
from tracker.services.outbox.queue import ACCOUNT, MessageAbout, MessageToSend
from tracker.services.people.accounts import AccountOwner

PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an event
PASSWORD_REMOVED = "password_removed"  # noqa: S105 - the name of an event
FACTOR_CHANGED = "factor_changed"
FACTOR_RESET = "factor_reset"
RECOVERY_CODES = "recovery_codes"
PASSKEY_ADDED = "passkey_added"
PASSKEY_REMOVED = "passkey_removed"
PROVIDER_BOUND = "provider_bound"
RIGHTS_CHANGED = "rights_changed"
DEACTIVATED = "deactivated"
ADDRESS_CHANGED = "address_changed"
PROVIDER_UNBOUND = "provider_unbound"
ERASURE_REFUSED = "erasure_refused"
RESULTS_ACCEPTED = "results_accepted"
RESULTS_SENT_BACK = "results_sent_back"
_USEFUL = timedelta(days=7)


def tell(
    work: UnitOfWork,
    account: AccountOwner,
    what: str,
    *,
    address: str | None = None,
    place: str | None = None,
    why: str | None = None,
) -> None:
    """Tell the owner of an account, at its own address or another one.

    ``place`` is the name of where it happened, ``why`` the reason, if the message says them.
    """
    about: MessageAbout = {"type": what, "account_id": account.id}
    if place is not None:
        about["place"] = place
    if why is not None:
        about["why"] = why
    if address is not None:
        about["address"] = address
    if to := address or account.email:
        _send(work, what, to, about)


def tell_holder(work: UnitOfWork, holder_id: str, what: str, *, address: str) -> None:
    """Tell a holder, perhaps without an account, at an address that may no longer be theirs."""
    _send(work, what, address, {"type": what, "holder_id": holder_id, "address": address})


def tell_refusal(work: UnitOfWork, holder_id: str, what: str, *, address: str, why: str) -> None:
    """Tell a holder that what they asked for was refused, and why."""
    about: MessageAbout = {"type": what, "holder_id": holder_id, "address": address, "why": why}
    _send(work, what, address, about)


def _send(work: UnitOfWork, what: str, to: str, about: MessageAbout) -> None:
    message = MessageToSend(
        key=f"{ACCOUNT}:{what}:{new_id()}",
        kind=ACCOUNT,
        address=to,
        useful_until=work.now + _USEFUL,
        about=about,
    )
    queue.enqueue(work, work.message_key, [message])
