"""web/people/lists.py: a list that is shown after a form, too."""

from __future__ import annotations

import pytest
from flask import Flask

from tracker.domain.desk.requests import RequestState
from tracker.domain.errors import NotFound
from tracker.web.people import lists


def test_the_next_page_of_a_list_shown_after_a_form_is_at_the_lists_own_address():
    rows = range(lists.LISTED + 1)
    with Flask(__name__).test_request_context("/desk/requests/1/grant", method="POST"):
        shown, more = lists.cut(rows, int, "/desk/requests")

    assert (len(shown), more) == (50, "/desk/requests?after=49")
    with Flask(__name__).test_request_context("/desk/people?q=ana"):
        assert lists.cut(rows, int)[1] == "/desk/people?q=ana&after=49"
        assert lists.cut(rows[1:], int)[1] is None


def test_a_choice_that_cannot_be_read_is_not_taken_for_everything():
    def chosen(address):
        with Flask(__name__).test_request_context(address):
            return lists.choice_in_address("state", RequestState)

    assert chosen("/desk/requests") is None
    assert chosen("/desk/requests?state=granted") is RequestState.GRANTED
    with pytest.raises(NotFound):
        chosen("/desk/requests?state=x")
