"""Requests of holders: when each is due, from which state it may be withdrawn or decided."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from enum import StrEnum

from tracker.domain.errors import IllegalTransition

ANSWERED_WITHIN = timedelta(days=30)
"""How long the certification body has to answer a request."""


class RequestKind(StrEnum):
    """What a holder asks for."""

    NAME_CHANGE = "name_change"
    CORRECTION = "correction"
    EXEMPTION = "exemption"
    EXTENSION = "extension"


class RequestState(StrEnum):
    """Where a request stands."""

    REQUESTED = "requested"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class RequestVerdict(StrEnum):
    """How a request is decided."""

    GRANTED = "granted"
    REFUSED = "refused"


IN_WORDS = frozenset(RequestKind) - {RequestKind.NAME_CHANGE}
"""Kinds that say in words what is asked; staff then do what they grant as any act of theirs."""
DECIDABLE = {
    RequestVerdict.GRANTED: (RequestState.REQUESTED, RequestState.REFUSED),
    RequestVerdict.REFUSED: (RequestState.REQUESTED,),
}
"""The states in which a request may be granted, or refused."""
_WAY_ON = {
    RequestState.GRANTED: "change the name again, or what else it brought, instead",
    RequestState.REFUSED: "it can still be approved",
    RequestState.WITHDRAWN: "the holder may ask again",
}


def due_on(requested_on: date) -> date:
    """The last day on which a request should be answered."""
    return requested_on + ANSWERED_WITHIN


def check_state(state: RequestState, allowed: Collection[RequestState]) -> None:
    """Refuse what is not done to a request in this state, and say how to go on."""
    if state not in allowed:
        raise IllegalTransition(f"The request is already {state}; {_WAY_ON[state]}.", state=state)
