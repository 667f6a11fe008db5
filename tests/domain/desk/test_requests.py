"""Requests (``domain/desk/requests.py``): what may be done to one in which state."""

from datetime import date

import pytest

from tracker.domain.desk.requests import (
    DECIDABLE,
    RequestState,
    RequestVerdict,
    check_state,
    due_on,
)
from tracker.domain.errors import IllegalTransition


@pytest.mark.parametrize(
    ("verdict", "lawful"),
    [
        (RequestVerdict.GRANTED, {"requested", "refused"}),
        (RequestVerdict.REFUSED, {"requested"}),
    ],
)
@pytest.mark.parametrize("state", RequestState)
def test_a_refused_request_can_be_granted_and_nothing_else_is_decided_twice(verdict, lawful, state):
    if state in lawful:
        check_state(state, DECIDABLE[verdict])
    else:
        with pytest.raises(IllegalTransition) as refused:
            check_state(state, DECIDABLE[verdict])
        assert refused.value.facts == {"state": state}


def test_a_refusal_says_how_to_go_on():
    with pytest.raises(IllegalTransition) as refused:
        check_state(RequestState.GRANTED, (RequestState.REQUESTED,))
    assert refused.value.detail == (
        "The request is already granted; change the name again, or what else it brought, instead."
    )


def test_a_request_is_due_within_thirty_days():
    assert due_on(date(2026, 11, 21)) == date(2026, 12, 21)
