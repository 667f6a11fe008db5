"""The dispatcher: claims letters and hands them over one by one, each step a transaction.

Nothing here decides whether a letter is owed (the marker does) or what an outcome means (the
outbox does). A process may be killed between any two lines of it.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from sqlalchemy.exc import DBAPIError

from tracker.domain.permissions import SYSTEM
from tracker.mail.postman import Delivery
from tracker.services import composing, outbox, runtime
from tracker.services.letters import Claim, Composed, Uncomposed
from tracker.services.work import Office, Work

_log = logging.getLogger(__name__)

RELAY_FAILURES = 3
"""So many failed connections in a row end a run; the next run tries the relay anew."""
_SETTLE_TRIES = 6


class Carrier(Protocol):
    """Whoever carries letters: the postman."""

    def deliver(
        self, *, envelope_sender: str, recipient: str, data: bytes, mark: Callable[[], bool]
    ) -> Delivery:
        """Hand one letter over."""


def never() -> bool:
    """Do not stop before the work is done."""
    return False


@dataclass(frozen=True, slots=True)
class _Run:
    """What stays the same through a run; ``counts`` are letters by what became of them."""

    office: Office
    carrier: Carrier
    owner: str
    place: str
    stop: Callable[[], bool]
    counts: Counter[str]


def dispatch(office: Office, carrier: Carrier, *, stop: Callable[[], bool] = never) -> Counter[str]:
    """Send every letter whose time has come; returns how many ended in which state.

    Stops early when ``stop`` says so or the relay cannot be reached; letters claimed but not
    tried are given back. Raises what the database raises; the leases then run out.
    """
    with office.work(SYSTEM) as work:
        runtime.open_row(work)
        barred, place = runtime.obstacle(work), runtime.place(work)
    counts: Counter[str] = Counter()
    if barred is not None:
        _log.warning("nothing is sent: %s", barred)
        return counts
    run = _Run(office, carrier, _owner(), place, stop, counts)
    while not stop() and (claims := _claim(run)):
        if not _send(run, claims):
            break
    return counts


def _owner() -> str:
    """Who holds a claim, for people who look into the table."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"


def _claim(run: _Run) -> list[Claim]:
    limit = run.office.settings.reminders.claim
    with run.office.work(SYSTEM) as work:
        return outbox.claim(work, owner=run.owner, place=run.place, limit=limit)


def _send(run: _Run, claims: Sequence[Claim]) -> bool:
    """Hand over one batch; False when the run should end."""
    with run.office.reading(SYSTEM) as reading:
        made = composing.compose(reading, run.office.message_key, claims)
    failures = 0
    for position, claim in enumerate(claims):
        if run.stop() or failures >= RELAY_FAILURES or _lease_wanes(run, claim):
            with run.office.work(SYSTEM) as work:
                outbox.release(work, claims[position:])
            run.counts["released"] += len(claims) - position
            return failures < RELAY_FAILURES
        failures = failures + 1 if _send_one(run, claim, made) else 0
    return failures < RELAY_FAILURES


def _lease_wanes(run: _Run, claim: Claim) -> bool:
    """Whether half of the lease is gone: better claim anew than have the marker refuse."""
    half = timedelta(seconds=run.office.settings.reminders.lease_seconds / 2)
    return run.office.clock() >= claim.lease_until - half


def _send_one(run: _Run, claim: Claim, made: Mapping[str, Composed | Uncomposed]) -> bool:
    """Hand over one letter and settle it; True when the relay failed."""
    composed = made[claim.id]
    if isinstance(composed, Uncomposed):
        state = _persist(run.office, lambda work: _put_by(work, claim, composed))
        run.counts[state] += 1
        return False

    def mark() -> bool:
        with run.office.work(SYSTEM) as work:
            return outbox.mark(work, claim, composed, place=run.place)

    delivery = run.carrier.deliver(
        envelope_sender=composed.envelope_sender, recipient=composed.address, data=composed.data,
        mark=mark,
    )  # fmt: skip
    state = _persist(run.office, lambda work: outbox.settle(work, claim, delivery))
    run.counts[state] += 1
    if state not in {"sent", "ready"}:
        _log.warning("letter %s is %s: %s", claim.id, state, delivery.reply)
    return delivery.connection_failed


def _put_by(work: Work, claim: Claim, uncomposed: Uncomposed) -> str:
    if uncomposed.owed:
        _log.error("letter %s cannot be composed: %s", claim.id, uncomposed.reason)
        return outbox.retry(work, claim, uncomposed.reason, own_fault=True)
    return outbox.finish(work, claim, "cancelled", uncomposed.reason)


def _persist(office: Office, write: Callable[[Work], str]) -> str:
    """Write an outcome down, trying again while the database is away.

    The outcome is known and the writing can be repeated; giving up would leave a doubt.
    """
    for tries in range(1, _SETTLE_TRIES + 1):
        try:
            with office.work(SYSTEM) as work:
                return write(work)
        except DBAPIError:
            if tries == _SETTLE_TRIES:
                raise
            _log.warning("an outcome could not be written down; trying again", exc_info=True)
            time.sleep(0.05 * 2**tries)
    raise AssertionError
