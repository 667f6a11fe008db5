"""Staff acts on queued messages: which act is allowed in which state, and the state it leads to.

A message that a worker is sending (claimed, transmitting) is left to that worker: taking it away
would leave a doubt whether it was sent. A message that was sent stays sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tracker.domain.errors import IllegalTransition


class MessageState(StrEnum):
    """Where a message stands in the outbox.

    Ready, claimed by a worker, transmitting; then sent, dead or cancelled. ``AMBIGUOUS``: perhaps
    sent. ``PARKED``: in doubt twice, so nothing is sent until somebody has looked.
    """

    READY = "ready"
    CLAIMED = "claimed"
    TRANSMITTING = "transmitting"
    SENT = "sent"
    DEAD = "dead"
    AMBIGUOUS = "ambiguous"
    PARKED = "parked"
    CANCELLED = "cancelled"


class QueueAct(StrEnum):
    """What staff may do with a message."""

    REQUEUE = "requeue"
    CANCEL = "cancel"


HELD = (MessageState.CLAIMED, MessageState.TRANSMITTING)
"""The states of a message that a worker is sending."""
WAITING = (MessageState.READY, *HELD)
"""The states of a message that is still to be sent."""
STUCK = (MessageState.AMBIGUOUS, MessageState.DEAD, MessageState.PARKED)
"""The states of a message that somebody may have to look at."""


@dataclass(frozen=True, slots=True)
class Transition:
    """The states in which an act is allowed, and the state that it leads to."""

    before: tuple[MessageState, ...]
    after: MessageState


TRANSITIONS: Mapping[QueueAct, Transition] = {
    QueueAct.REQUEUE: Transition(
        (
            MessageState.DEAD,
            MessageState.CANCELLED,
            MessageState.AMBIGUOUS,
            MessageState.PARKED,
        ),
        MessageState.READY,
    ),
    QueueAct.CANCEL: Transition(
        (MessageState.READY, MessageState.PARKED, MessageState.AMBIGUOUS), MessageState.CANCELLED
    ),
}


def check_act(act: QueueAct, state: str) -> bool:
    """Whether there is anything to do: False if the message is already in the target state.

    Raises IllegalTransition for any other state that the act does not start from.
    """
    lawful = TRANSITIONS[act]
    if state == lawful.after:
        return False
    if state in lawful.before:
        return True
    why = "a process is sending it" if state in HELD else f"it must be {_or(lawful.before)}"
    raise IllegalTransition(f"The message is {state}: {why}.", state=state)


def _or(states: tuple[str, ...]) -> str:
    *rest, last = states
    return f"{', '.join(rest)} or {last}" if rest else last
