"""Requests of holders: from which state one may be withdrawn, granted or refused."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from tracker.domain.errors import IllegalTransition


class RequestKind(StrEnum):
    """What a holder asks for."""

    NAME_CHANGE = "name_change"


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


DECIDABLE = {
    RequestVerdict.GRANTED: (RequestState.REQUESTED, RequestState.REFUSED),
    RequestVerdict.REFUSED: (RequestState.REQUESTED,),
}
"""The states in which a request may be granted, or refused."""
_WAY_ON = {
    RequestState.GRANTED: "change the name again instead",
    RequestState.REFUSED: "it can still be approved",
    RequestState.WITHDRAWN: "the holder may ask again",
}


def check_state(state: RequestState, allowed: Collection[RequestState]) -> None:
    """Refuse what is not done to a request in this state, and say how to go on."""
    if state not in allowed:
        raise IllegalTransition(f"The request is already {state}; {_WAY_ON[state]}.", state=state)
