"""Results that assessment centers send: they wait, and staff accept them or send them back."""

from __future__ import annotations

from enum import StrEnum

from tracker.domain.errors import IllegalTransition, Invalid


class ResultState(StrEnum):
    """Where a result of a center stands."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    SENT_BACK = "sent_back"


class ResultVerdict(StrEnum):
    """What staff decide on a result that waits."""

    ACCEPT = "accept"
    SEND_BACK = "send_back"


_STATE_AFTER = {
    ResultVerdict.ACCEPT: ResultState.ACCEPTED,
    ResultVerdict.SEND_BACK: ResultState.SENT_BACK,
}


def decided(state: str, verdict: ResultVerdict, *, reason: str | None) -> ResultState:
    """The state after a decision.

    Raises IllegalTransition for a result that was decided before, Invalid if one is sent back
    without a reason.

    >>> decided("waiting", ResultVerdict.ACCEPT, reason=None)
    <ResultState.ACCEPTED: 'accepted'>
    """
    if state != ResultState.WAITING:
        raise IllegalTransition(
            f"This result was {state.replace('_', ' ')} already. Amend or void the assessment of "
            "an accepted one; one that was sent back is sent again by the center.",
            state=state,
        )
    if verdict == ResultVerdict.SEND_BACK and not reason:
        raise Invalid(
            "The center must know what to correct.",
            fields={"reason": "is required to send a result back"},
        )
    return _STATE_AFTER[verdict]
