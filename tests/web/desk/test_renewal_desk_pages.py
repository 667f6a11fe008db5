"""web/desk/renewals.py: applications as staff see them, their payment and their decision."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import select

from tests import statements
from tests.browsers import content
from tracker.domain.permissions import SYSTEM
from tracker.models import Cycle, Fee, Holder, Renewal
from tracker.services.credentials import renewals
from tracker.services.people import own_records

HERE = "/desk/renewals"
SQLITE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def applied(desk, container):
    """The id of Ana's application: 100 points, a fee that is quoted."""
    desk.approved("ana", "100")
    with container.work(SYSTEM) as work:
        return renewals.apply(work, desk.people["ana"][1])


@pytest.fixture
def sam(enter):
    return enter("staff", email="sam@x.org", name="Sam")[1]


def stored(container, column):
    with container.reading(SYSTEM) as reading:
        return [row[0] for row in reading.rows(select(column).order_by(column))]


def hidden(page, name):
    return re.findall(rf'name="{name}" value="([^"]*)"', content(page))


def test_a_denial_is_undone_and_the_application_approved_once_the_fee_is_paid(
    sam, applied, container
):
    listed = content(sam.get(HERE))
    assert "Ana Ruiz" in listed
    assert "100 of 100 points" in listed
    here = sam.send_form(f"{HERE}/{applied}/open").location
    page = sam.get(here)
    assert "You have it open until 17:15 UTC." in content(page)
    denial = {"decision": "denied", "version": hidden(page, "version")[0]}
    refused = sam.send_form(f"{here}/decide", **denial)
    assert "Say why, in at most 1,000 characters." in content(refused)
    assert sam.send_form(f"{here}/decide", reason_code="fee_missing", **denial).location == here
    denied = sam.get(here)
    assert "<strong>Denied.</strong>" in content(denied)
    assert "The renewal fee was not paid" in content(denied)
    assert "No message leaves until 17:10 UTC." in content(denied)

    again = sam.send_form(f"{here}/decide", **denial | {"decision": "approved", "reason": "Oh"})
    assert "This was decided or changed in the meantime." in content(again)
    version = hidden(denied, "version")[0]
    sam.send_form(f"{here}/undo", version=version, reason="Decided by mistake")
    open_again = content(sam.get(here))
    assert "taken back by Sam" in open_again
    (fee_version,) = set(re.findall(r'value="(\d+)"><input type="hidden" name="state"', open_again))
    card = sam.send_form(
        f"{here}/fee", state="paid", reference="4111 1111 1111 1111", version=fee_version
    )
    assert "never that of a card" in content(card)
    assert 'value="4111 1111 1111 1111"' in content(card)
    sam.send_form(f"{here}/fee", state="paid", reference="R-77", version=fee_version)
    assert stored(container, Fee.state) == ["paid"]
    assert "paid, reference R-77" in content(sam.get(here))
    version = hidden(sam.get(here), "version")[0]
    assert sam.send_form(f"{here}/decide", decision="approved", version=version).location == here
    assert "<strong>Approved.</strong>" in content(sam.get(here))
    assert len(stored(container, Cycle.ordinal)) == 3  # both certifications' first, and Ana's next
    assert "No application waits for a decision." in content(sam.get(HERE))


@SQLITE
def test_what_stands_in_the_way_is_named_with_the_reviews_that_decide_it(sam, desk, container):
    waiting = desk.waits("x", "ana", "100")
    with container.work(SYSTEM) as work:
        work.session.get(Holder, desk.people["ana"][0]).language = "es"
        id_ = renewals.apply(work, desk.people["ana"][1])
    text = content(sam.get(f"{HERE}/{id_}"))
    assert "Decide first on 1 activity submitted in time." in text
    assert f'href="/desk/reviews/{waiting}"' in text
    assert "It can&#39;t be approved yet" in text
    refused = sam.send_form(f"{HERE}/{id_}/decide", decision="approved", version="1")
    assert "decide first on the activities that wait" in content(refused)
    sam.send_form(f"{HERE}/{id_}/decide", decision="denied", version="1", reason_code="fraud")
    assert stored(container, Renewal.reason) == ["Declaraciones o documentos falsos"]
    told = {"headers": {"Accept-Language": "es"}}
    assert "Lo que hace falta para aprobar" in content(sam.get(f"{HERE}/{id_}", **told))
    assert "Renovaciones" in content(sam.get(HERE, **told))


@SQLITE
def test_nobody_decides_on_their_own_and_two_do_not_decide_at_once(enter, applied, desk, container):
    who, sam = enter("staff", email="sam@x.org", name="Sam")
    _, lee = enter("staff", email="lee@x.org", name="Lee")
    sam.send_form(f"{HERE}/{applied}/open")
    locked = lee.send_form(f"{HERE}/{applied}/decide", decision="approved", version="1")
    assert "Sam has this open until 17:15 UTC." in content(locked)
    assert "/decide" not in content(lee.get(f"{HERE}/{applied}"))
    assert sam.send_form(f"{HERE}/{applied}/hand-back").location == f"{HERE}/{applied}"
    with container.work(SYSTEM) as work:
        own_records.name(work, who.id, desk.people["ana"][0])
    own = content(sam.get(f"{HERE}/{applied}"))
    assert "You can&#39;t decide this one" in own
    assert "/decide" not in own
    refused = sam.send_form(f"{HERE}/{applied}/decide", decision="approved", version="1")
    assert "You can&#39;t decide this one" in content(refused)
    assert stored(container, Renewal.decision) == [None]


@SQLITE
def test_more_applications_and_activities_cost_no_more_statements(sam, applied, desk, container):
    def sent(path):
        with statements.counted(container) as found:
            assert sam.get(path).status_code == 200
        return len(found)

    before = [sent(HERE), sent(f"{HERE}/{applied}")]
    for n in range(4):
        desk.person(f"p{n}", email=f"p{n}@example.org")
        desk.applied(f"p{n}", date(2026, 11, n + 1))
        desk.waits(str(n), "ana", "8")
    assert [sent(HERE), sent(f"{HERE}/{applied}")] == before
