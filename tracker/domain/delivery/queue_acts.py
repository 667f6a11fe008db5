"""Staff acts on queued messages: which act is allowed in which state, and the state it leads to.

A message that a worker is sending (claimed, transmitting) is left to that worker: taking it away
would leave a doubt whether it was sent. A message that was sent stays sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tracker.domain.errors import IllegalTransition

QueueAct = Literal["requeue", "cancel"]
ACTS: tuple[QueueAct, ...] = ("requeue", "cancel")
HELD = ("claimed", "transmitting")
"""The states of a message that a worker is sending."""


@dataclass(frozen=True, slots=True)
class Transition:
    """The states in which an act is allowed, and the state that it leads to."""

    before: tuple[str, ...]
    after: str


TRANSITIONS: Mapping[QueueAct, Transition] = {
    "requeue": Transition(("dead", "cancelled", "ambiguous", "parked"), "ready"),
    "cancel": Transition(("ready", "parked", "ambiguous"), "cancelled"),
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
    why = "a worker holds it" if state in HELD else f"only {_or(lawful.before)} may be"
    raise IllegalTransition(f"The letter is {state}: {why}.", state=state)


def _or(states: tuple[str, ...]) -> str:
    *rest, last = states
    return f"{', '.join(rest)} or {last}" if rest else last
