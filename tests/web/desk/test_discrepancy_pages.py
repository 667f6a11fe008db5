"""web/desk/discrepancies.py: the inbox, what both say side by side, settled and opened again."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests import statements
from tests.browsers import content
from tests.services.points import attendance_cases
from tests.services.points.attendance_cases import HELD_ON, PROVIDER, TITLE, attend
from tracker.domain.permissions import SYSTEM
from tracker.models import Activity, Attendance, Certification, Discrepancy
from tracker.services.points import activities

HERE = "/desk/discrepancies"


def found(container, kind):
    """The id of the one open discrepancy of a kind."""
    with container.reading(SYSTEM) as reading:
        one = select(Discrepancy.id).where(Discrepancy.kind == kind, Discrepancy.state == "open")
        return reading.row(one).id


def test_a_contradiction_and_a_person_are_settled_and_opened_again(enter, desk, container):
    _, sam = enter("staff", email="sam@x.org", name="Sam")
    _, rae = enter("reviewer", email="rae@x.org")
    assert "No discrepancy is open." in content(sam.get(HERE))
    attendance_cases.course(container)
    with container.work(SYSTEM) as work:
        course = {"category": "CE", "type": "third_party", "title": TITLE, "provider": PROVIDER}
        claim = course | {"quantity": Decimal(24), "completed_on": HELD_ON}
        claimed = activities.log(work, desk.people["ana"][1], claim)
        activities.submit(work, claimed)
        number = work.row(
            select(Certification.number).where(Certification.id == desk.people["bea"][1])
        ).number
    attend(container, {"email": "ana@example.org"}, {"email": "typo@example.org"})
    listed = content(sam.get(HERE))
    assert "Provider and holder say different things · Ana Ruiz" in listed
    assert "Nobody on record is meant for certain" in listed

    said = f"{HERE}/{found(container, 'contradiction')}"
    page = content(sam.get(said))
    assert re.search(r"How much</th><td>16</td><td>24</td>", page)
    assert f'href="/desk/reviews/{claimed}"' in page
    refused = sam.send_form(f"{said}/settle", outcome="provider", version="1")
    assert refused.status_code == 422
    assert '<a href="#reason">Say why' in content(refused)
    settled = {"outcome": "provider", "reason": "Asked the provider.", "version": "1"}
    assert sam.send_form(f"{said}/settle", **settled).location == f"{HERE}?told=settled"
    assert "Settled by Sam: The provider is right." in content(sam.get(said))
    late = content(sam.send_form(f"{said}/settle", **settled))
    assert "It was changed in the meantime." in late
    with container.reading(SYSTEM) as reading:
        quantity = reading.row(select(Activity.quantity).where(Activity.id == claimed)).quantity
    assert quantity == Decimal(16)

    whose = f"{HERE}/{found(container, 'unmatched')}"
    wrong = content(sam.send_form(f"{whose}/settle", outcome="matched", number="X", version="1"))
    assert '<a href="#number">There is no such certificate.' in wrong
    assert 'value="X"' in wrong
    sam.send_form(f"{whose}/settle", outcome="matched", number=number, version="1")
    with container.reading(SYSTEM) as reading:
        tied = [row.holder_id for row in reading.rows(select(Attendance.holder_id))]
    assert set(tied) == {desk.people["ana"][0], desk.people["bea"][0]}
    version = re.findall(r'name="version" value="(\d+)"', content(sam.get(whose)))[0]
    assert sam.send_form(f"{whose}/reopen", reason="Wrong person", version=version).location
    assert 'action="' + f"{whose}/settle" in content(sam.get(whose))
    assert rae.get(HERE).status_code == rae.get(whose).status_code == 404


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_in_spanish_and_more_cost_no_more_statements(enter, container):
    _, sam = enter("staff", email="sam@x.org")
    attendance_cases.course(container)
    attend(container, {"email": "typo@example.org"})
    one = f"{HERE}/{found(container, 'unmatched')}"
    told = {"headers": {"Accept-Language": "es"}}
    assert "No se sabe con certeza de quién se trata" in content(sam.get(HERE, **told))
    assert "La lista del proveedor" in content(sam.get(one, **told))

    def sent(path):
        with statements.counted(container) as ran:
            assert sam.get(path).status_code == 200
        return len(ran)

    before = [sent(HERE), sent(one)]
    attend(
        container,
        *({"email": f"typo{n}@example.org", "held_on": date(2026, 10, 13)} for n in range(5)),
    )
    assert [sent(HERE), sent(one)] == before
