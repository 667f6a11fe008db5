"""web/desk/home.py: what waits, of each kind of work."""

from __future__ import annotations

from datetime import date

import pytest

from tests import statements
from tests.browsers import content
from tests.services.desk.queue_cases import TODAY

HERE = "/desk"
pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def test_staff_see_how_much_of_everything_waits_and_begin(enter, desk):
    _, sam = enter("staff", email="sam@x.org")
    assert "Nothing waits for a decision." in content(sam.get(HERE))
    desk.waits("x", "ana", "8", submitted_on=date(2026, 10, 1))
    desk.applied("ana", date(2026, 10, 2))
    text = content(sam.get(HERE))

    assert "1 activity waits for a decision." in text
    assert "1 of them has waited longer than 10 business days." in text
    assert "The oldest was made on October 2, 2026." in text
    assert "Renewal applications</a>: <strong>1</strong>" in text
    assert "1 late" in text
    assert "Appeals</a>: Nothing" in text
    assert 'action="/desk/reviews/start"' in text
    assert 'href="/desk"' in sam.get("/account").text
    told = {"headers": {"Accept-Language": "es"}}
    assert "1 actividad espera una decisión." in content(sam.get(HERE, **told))


def test_a_reviewer_sees_activities_alone_and_more_cost_no_more(enter, desk, container):
    _, lee = enter("reviewer", email="lee@x.org")
    desk.waits("x", "ana", "8")
    text = content(lee.get(HERE))
    assert ("What else waits" in text, "/desk/renewals" in text) == (False, False)
    assert lee.get("/desk/renewals").status_code == 404
    _, sam = enter("staff", email="sam@x.org")

    def sent():
        with statements.counted(container) as found:
            assert sam.get(HERE).status_code == 200
        return len(found)

    before = sent()
    for n in range(10):
        desk.waits(str(n), "bea", "8", submitted_on=TODAY)
    desk.applied("ana")
    assert sent() == before
