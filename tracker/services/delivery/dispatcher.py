"""The dispatcher: claims due messages and hands them to the relay over several connections.

Nothing here decides whether a message is still owed (the marker does) or what an outcome means
(``leases`` does).

Invariant: the process may be killed between any two lines; each message is then in a state from
which the ``reaper`` goes on.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Semaphore
from typing import Protocol, TypeVar

from sqlalchemy.exc import DBAPIError

from tracker.domain.delivery.queue_acts import MessageState
from tracker.domain.permissions import SYSTEM, Actor
from tracker.mail.smtp_sender import Delivery, DeliveryOutcome
from tracker.services.core.context import Container, UnitOfWork
from tracker.services.delivery import composers, heartbeat, leases, ledger, marker, send_safety
from tracker.services.delivery.sealing import Composed, MessageClaim, Uncomposed
from tracker.settings import MailSettings

T = TypeVar("T")

_log = logging.getLogger(__name__)

_SETTLE_TRIES = 6
_SMALLEST_CLAIM = 10
_FRESH = 5.0  # seconds after which messages that wait for a slow relay are recomposed


class Carrier(Protocol):
    """Something that delivers messages: the SMTP sender."""

    def deliver(
        self, *, envelope_sender: str, recipient: str, data: bytes, mark: Callable[[], bool]
    ) -> Delivery:
        """Hand over one message."""


def never() -> bool:
    """A ``stop`` that never stops the work early."""
    return False


def _owner() -> str:
    """A name for this worker, for people who look into the table."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass(slots=True)
class _Run:
    """One connection's work; ``counts`` holds the number of messages by resulting state.

    ``relay_doubtful``: the relay has failed, so the next message it takes resets the failures.
    """

    container: Container
    carrier: Carrier
    place: str
    limit: int
    stop: Callable[[], bool]
    owner: str = field(default_factory=_owner)
    counts: Counter[str] = field(default_factory=Counter)
    relay_doubtful: bool = False


def dispatch(
    container: Container, carrier: Carrier, *, stop: Callable[[], bool] = never
) -> Counter[str]:
    """Send every due message; returns how many ended in each state.

    Stops early when ``stop`` says so or the relay is failing; messages claimed but not tried are
    released. Database errors propagate; the leases then run out.
    """
    return dispatch_together(container, lambda: nullcontext(carrier), connections=1, stop=stop)


def dispatch_together(
    container: Container,
    carrier: Callable[[], AbstractContextManager[Carrier]],
    *,
    connections: int,
    stop: Callable[[], bool] = never,
) -> Counter[str]:
    """The same over up to ``connections`` connections at once, each with its own ``carrier``.

    It starts with one; a worker whose claim is full starts another. The more connections, the
    fewer messages each claims at once, so that no message waits behind a long batch.
    """
    with container.work(SYSTEM) as work:
        send_safety.prepare(work)
        obstacle, place = send_safety.obstacle(work), send_safety.place(work)
    counts: Counter[str] = Counter()
    if _changed(obstacle) and obstacle is not None:
        _log.warning("sending is stopped: %s", obstacle)
    if obstacle is not None:
        return counts
    limit = max(container.settings.reminders.claim // connections, _SMALLEST_CLAIM)
    with ThreadPoolExecutor(connections, thread_name_prefix="dispatch") as pool:
        workers: list[Future[Counter[str]]] = []
        free = Semaphore(connections)

        def work_through() -> Counter[str]:
            with carrier() as own:
                run = _Run(container, own, place, limit, stop)
                _send_all(run, start_another)
                return run.counts

        def start_another() -> None:
            if free.acquire(blocking=False):
                workers.append(pool.submit(work_through))

        start_another()
        for (
            worker
        ) in workers:  # grows meanwhile: a worker that starts another is still running itself
            counts += worker.result()
    return counts


_last_obstacle: list[send_safety.SendObstacle | None] = [None]


def _changed(obstacle: send_safety.SendObstacle | None) -> bool:
    """Whether the obstacle changed, so that the log does not repeat it every few seconds."""
    changed = _last_obstacle[0] != obstacle
    _last_obstacle[0] = obstacle
    return changed


def _send_all(run: _Run, start_another: Callable[[], None]) -> None:
    """Claim and send until nothing is due."""
    while not run.stop() and (claims := _claim(run)):
        if len(claims) == run.limit:
            start_another()
        if not _send(run, claims):
            break


def _claim(run: _Run) -> list[MessageClaim]:
    """Claim a batch; after a pause for a failing relay, one message as a probe."""
    limit = run.limit
    with run.container.work(SYSTEM) as work:
        failures = send_safety.relay_failures(work)
        run.relay_doubtful = failures > 0
        if failures >= send_safety.RELAY_FAILURES:
            limit = 1 if send_safety.take_probe(work) else 0
        claims = leases.claim(work, owner=run.owner, place=run.place, limit=limit) if limit else []
        beat = send_safety.advance(work) if claims else None
    if beat is None:
        return []
    heartbeat.keep(run.container.settings, beat)
    return claims


def _send(run: _Run, claims: Sequence[MessageClaim]) -> bool:
    """Hand over one batch; False when the run should end."""
    messages, composed_at, failing = _composed(run, claims), time.monotonic(), False
    for position, claim in enumerate(claims):
        if run.stop() or failing or _lease_wanes(run, claim):
            with run.container.work(SYSTEM) as work:
                leases.release(work, claims[position:])
            run.counts["released"] += len(claims) - position
            return not failing
        if time.monotonic() - composed_at > _FRESH:
            messages, composed_at = _composed(run, claims[position:]), time.monotonic()
        failing = _send_one(run, claim, messages)
    return not failing


def _composed(run: _Run, claims: Sequence[MessageClaim]) -> Mapping[str, Composed | Uncomposed]:
    with run.container.reading(SYSTEM) as reading:
        return composers.compose(reading, run.container.message_key, claims)


def _lease_wanes(run: _Run, claim: MessageClaim) -> bool:
    """Whether half of the lease is over: better to claim again than to have the marker refuse."""
    half = timedelta(seconds=run.container.settings.reminders.lease_seconds / 2)
    return run.container.clock() >= claim.lease_until - half


def _send_one(
    run: _Run, claim: MessageClaim, messages: Mapping[str, Composed | Uncomposed]
) -> bool:
    """Hand over one message and settle it; True when sending should pause for the relay."""
    composed = messages[claim.id]
    if isinstance(composed, Uncomposed):
        state = _persist(run.container.work, lambda work: _settle_uncomposed(work, claim, composed))
        run.counts[state] += 1
        return False

    if composed.withheld:
        _persist(run.container.work, lambda work: ledger.withhold(work, claim, composed.withheld))

    def mark() -> bool:
        with run.container.statement(SYSTEM) as work:
            return marker.mark(work, claim, composed, place=run.place)

    delivery = run.carrier.deliver(
        envelope_sender=composed.envelope_sender,
        recipient=composed.address,
        data=composed.data,
        mark=mark,
    )
    opened = (
        run.container.statement
        if delivery.outcome is DeliveryOutcome.ACCEPTED
        else run.container.work
    )
    state = _persist(opened, lambda work: leases.settle(work, claim, delivery, to=composed.address))
    run.counts[state] += 1
    reply = delivery.reply.replace(composed.address, "<recipient>")  # logs name nobody
    if state not in {MessageState.SENT, MessageState.READY}:
        _log.warning("message %s is %s: %s", claim.id, state, reply)
    return _judged(run, replace(delivery, reply=reply))


def _judged(run: _Run, delivery: Delivery) -> bool:
    """Count a failed connection, or reset the count; True when sending should pause."""
    if delivery.connection_failed:
        run.relay_doubtful = True
        with run.container.work(SYSTEM) as work:
            failures = send_safety.relay_failed(work, delivery.reply)
        is_paused = failures >= send_safety.RELAY_FAILURES
        if failures == 1 or is_paused:
            _log_relay_failure(run.container.settings.mail, delivery.reply, failures)
        return is_paused
    if run.relay_doubtful:
        run.relay_doubtful = False
        with run.container.work(SYSTEM) as work:
            if send_safety.relay_worked(work):
                _log.info("the relay is working again")
    return False


def _log_relay_failure(mail: MailSettings, reply: str, failures: int) -> None:
    """Log one line: at the first failure, then whenever sending pauses for the relay."""
    _log.warning(
        "the relay %s:%d failed, %d in a row: %s; messages wait and are tried again. %s",
        mail.server,
        mail.port,
        failures,
        reply,
        send_safety.RELAY_REMEDY,
    )


def _settle_uncomposed(work: UnitOfWork, claim: MessageClaim, uncomposed: Uncomposed) -> str:
    if uncomposed.owed:
        _log.error("message %s cannot be composed: %s", claim.id, uncomposed.reason)
        return leases.retry(work, claim, uncomposed.reason, own_fault=True)
    return leases.finish(work, claim, MessageState.CANCELLED, uncomposed.reason)


def _persist(
    opened: Callable[[Actor], AbstractContextManager[UnitOfWork]], write: Callable[[UnitOfWork], T]
) -> T:
    """Record an outcome, retrying while the database is unavailable.

    The outcome is known and recording it can be repeated; giving up would leave the message in
    doubt. Raises DBAPIError after the last try.
    """
    for tries in range(1, _SETTLE_TRIES + 1):
        try:
            with opened(SYSTEM) as work:
                return write(work)
        except DBAPIError:
            if tries == _SETTLE_TRIES:
                raise
            _log.warning("an outcome could not be stored; trying again", exc_info=True)
            time.sleep(0.05 * 2**tries)
    raise AssertionError
