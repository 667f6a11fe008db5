"""Messages handled manually: the table of what may be done from which state."""

from __future__ import annotations

import pytest

from tracker.domain.delivery.queue_acts import TRANSITIONS, MessageState, QueueAct, check_act
from tracker.domain.errors import IllegalTransition

LAWFUL = {
    "requeue": {"dead", "cancelled", "ambiguous", "parked"},
    "cancel": {"ready", "parked", "ambiguous"},
}


@pytest.mark.parametrize("act", QueueAct)
@pytest.mark.parametrize("state", MessageState)
def test_an_act_starts_from_its_states_only_and_does_nothing_where_it_has_led_already(act, state):
    if state in LAWFUL[act]:
        assert check_act(act, state)
    elif state == TRANSITIONS[act].after:
        assert not check_act(act, state)
    else:
        with pytest.raises(IllegalTransition) as refused:
            check_act(act, state)
        assert refused.value.facts == {"state": state}


@pytest.mark.parametrize(
    ("act", "state", "words"),
    [
        ("requeue", "claimed", "The message is claimed: a process is sending it."),
        ("cancel", "transmitting", "The message is transmitting: a process is sending it."),
        ("cancel", "dead", "The message is dead: it must be ready, parked or ambiguous."),
        ("cancel", "sent", "The message is sent: it must be ready, parked or ambiguous."),
    ],
)
def test_a_refusal_says_why(act, state, words):
    with pytest.raises(IllegalTransition) as refused:
        check_act(act, state)
    assert refused.value.detail == words
