"""web/points/discrepancy_answers.py and its service: providers answer for their own lists."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests import factories
from tests.browsers import content
from tests.services.points import attendance_cases
from tests.services.points.attendance_cases import HELD_ON, PROVIDER, TITLE, attend
from tests.statements import counted
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.attendance import Outcome
from tracker.language.catalogues import LANGUAGES
from tracker.models import Discrepancy, HistoryEntry, HistoryValue
from tracker.services.desk import discrepancies
from tracker.services.desk.discrepancies import Settlement
from tracker.services.points import activities, courses, providers

HERE = "/provider/discrepancies"
SQLITE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def course(container):
    """An approved course, Robot safety."""
    return attendance_cases.course(container)


@pytest.fixture
def provider_id(container, course):
    with container.reading(SYSTEM) as reading:
        return courses.get(reading, course).provider_id


@pytest.fixture
def kim(enter, provider_id):
    """Somebody who manages the provider."""
    return enter("provider", provider_id=provider_id, access="manage")


@pytest.fixture
def claimed(container, provider_id):
    """Ana claims 24 hours of the course, of which the list of the provider says 16."""
    assert provider_id
    known = {"email": "ana@example.org", "family_name": "Quintero"}
    _, certification_id = factories.certified(container, date(2023, 5, 1), **known)
    with container.work(SYSTEM) as work:
        said = {"category": "CE", "type": "third_party", "title": TITLE, "provider": PROVIDER}
        claim = activities.log(
            work, certification_id, said | {"quantity": Decimal(24), "completed_on": HELD_ON}
        )
        activities.submit(work, claim)
    attend(container, {"email": "ana@example.org", "name": "Ana R."}, {"email": "typo@example.org"})
    return claim


def of_kind(container, kind):
    with container.reading(SYSTEM) as reading:
        return reading.row(select(Discrepancy.id).where(Discrepancy.kind == kind)).id


@pytest.mark.usefixtures("claimed")
def test_a_provider_answers_for_its_own_list_and_staff_read_it(kim, container):
    listed = content(kim.get(HERE))
    assert f'href="{HERE}"' in content(kim.get("/provider"))
    assert "Your list and the claim differ" in listed
    assert "typo@example.org" in listed
    one = f"{HERE}/{of_kind(container, 'contradiction')}"
    page = content(kim.get(one))
    assert re.search(r"Your list says</dt><dd>16</dd><dt>Claimed</dt><dd>24</dd>", page)
    assert "Quintero" not in page
    wrong = kim.send_form(f"{one}/answer", note="x")
    assert wrong.status_code == 422
    assert "Choose whether your list is right." in wrong.text
    done = kim.send_form(f"{one}/answer", answer="list_wrong", note="24 hours: <b>two</b> days.")

    assert done.location == f"{HERE}?done=saved"
    page = content(kim.get(one))
    assert "Our list is wrong 24 hours: &lt;b&gt;two&lt;/b&gt; days." in page
    with container.reading(SYSTEM) as reading:
        row = discrepancies.get(reading, of_kind(container, "contradiction"))
        assert (row.answer, row.version) == ("list_wrong", 2)
        (act,) = reading.rows(select(HistoryEntry.detail).where(HistoryEntry.action == "answer"))
    assert act.detail["answer_after"] == "list_wrong"
    assert "two" not in str(act.detail), "what they wrote can be erased"
    kim.send_form(f"{one}/answer", answer="list_right", note="16 hours.")
    with container.reading(SYSTEM) as reading:
        noted = select(HistoryValue.before, HistoryValue.after).where(
            HistoryValue.field == "answer_note"
        )
        assert [*reading.rows(noted.order_by(HistoryValue.history_id))] == [
            (None, "24 hours: <b>two</b> days."),
            ("24 hours: <b>two</b> days.", "16 hours."),
        ]


@SQLITE
@pytest.mark.usefixtures("claimed")
def test_a_row_that_means_nobody_is_right_only_with_whom_it_means(kim, container):
    one = f"{HERE}/{of_kind(container, 'unmatched')}"
    refused = kim.send_form(f"{one}/answer", answer="list_right")
    assert refused.status_code == 422
    assert "Say who the row means" in refused.text
    assert kim.send_form(f"{one}/answer", answer="list_right", note="Bo Lee").status_code == 303


@SQLITE
@pytest.mark.usefixtures("claimed")
def test_after_staff_settled_it_nobody_answers(kim, container):
    id_ = of_kind(container, "unmatched")
    with container.work(SYSTEM) as work:
        settlement = Settlement(outcome=Outcome.DISMISSED, reason="x")
        discrepancies.settle(work, id_, settlement, version=1)
    page = content(kim.get(f"{HERE}/{id_}"))
    assert "has settled this" in page
    assert "<form action=" not in page.partition("<main")[2]
    assert kim.send_form(f"{HERE}/{id_}/answer", answer="list_wrong").status_code == 422


@SQLITE
@pytest.mark.usefixtures("claimed")
def test_another_provider_and_whoever_only_views(enter, container, provider_id):
    with container.work(SYSTEM) as work:
        other = providers.DIRECTORY.enter(work, name="Other").id
    pat = enter("provider", provider_id=other, access="manage", email="pat@example.org")
    vi = enter("provider", provider_id=provider_id, access="view", email="vi@example.org")
    one = f"{HERE}/{of_kind(container, 'contradiction')}"
    assert "Nothing is open" in content(pat.get(HERE))
    assert pat.get(one).status_code == 404
    assert pat.send_form(f"{one}/answer", answer="list_right").status_code == 404
    assert "can answer" in content(vi.get(one))
    assert vi.send_form(f"{one}/answer", answer="list_right").status_code == 404


@SQLITE
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.usefixtures("claimed")
def test_the_pages_speak_every_language_at_a_constant_cost(kim, container, language):
    def cost():
        with counted(container) as sent:
            page = kim.get(HERE, headers={"Accept-Language": language})
        assert page.headers["Content-Language"] == language
        assert not re.findall(r"\{[a-z_]*\}", content(page))
        return len(sent)

    before = cost()
    attend(container, *({"email": f"typo{n}@example.org"} for n in range(5)))
    assert cost() == before
    for kind in ("contradiction", "unmatched"):
        page = kim.get(f"{HERE}/{of_kind(container, kind)}", headers={"Accept-Language": language})
        assert not re.findall(r"\{[a-z_]*\}", content(page))
