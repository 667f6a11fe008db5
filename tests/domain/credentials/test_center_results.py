"""What becomes of results that centers send (domain/credentials/center_results.py)."""

import pytest

from tracker.domain.credentials.center_results import ResultState, ResultVerdict, decided
from tracker.domain.errors import IllegalTransition, Invalid

ACCEPT, BACK = ResultVerdict.ACCEPT, ResultVerdict.SEND_BACK


def test_a_result_that_waits_is_accepted_or_sent_back():
    assert decided(ResultState.WAITING, ACCEPT, reason=None) == ResultState.ACCEPTED
    assert decided(ResultState.WAITING, BACK, reason="wrong day") == ResultState.SENT_BACK


def test_nothing_is_sent_back_without_a_reason():
    with pytest.raises(Invalid) as raised:
        decided(ResultState.WAITING, BACK, reason=None)
    assert raised.value.fields.keys() == {"reason"}


@pytest.mark.parametrize("verdict", ResultVerdict)
@pytest.mark.parametrize("state", [ResultState.ACCEPTED, ResultState.SENT_BACK])
def test_what_was_decided_is_not_decided_again(state, verdict):
    with pytest.raises(IllegalTransition) as raised:
        decided(state, verdict, reason="x")
    assert state.replace("_", " ") in raised.value.detail
