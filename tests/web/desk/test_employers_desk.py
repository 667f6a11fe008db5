"""web/desk/employers.py: staff find employers, and trust what one confirms, or no longer."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tests.browsers import content
from tests.statements import counted
from tracker.domain.permissions import SYSTEM
from tracker.language.catalogues import LANGUAGES
from tracker.models import HistoryEntry
from tracker.services.employers import employers

HERE = "/desk/employers"
DIRECT = "Its confirmations of employment count without a reviewer."

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def acme(container):
    """The address of Acme's page."""
    with container.work(SYSTEM) as work:
        employers.register(work, name="Globex")
        return f"{HERE}/{employers.register(work, name='Acme', email='hr@acme.example').id}"


def test_staff_trust_an_employer_with_a_reason_and_no_longer(enter, acme, container):
    _, me = enter("staff")
    assert f'href="{HERE}"' in me.get("/desk/people").text
    page = content(me.get(acme))
    assert "Its confirmations of employment wait for a reviewer." in page
    assert "hr@acme.example" in page
    trust = f"{acme}/direct-confirmation"

    refused = me.send_form(trust, directly="yes")
    assert (refused.status_code, 'href="#reason"' in refused.text) == (422, True)
    assert me.send_form(trust, directly="yes", reason="Audited in May.").location == acme
    assert DIRECT in content(me.get(acme))
    assert content(me.get(HERE)).count(DIRECT) == 1
    assert me.send_form(trust, directly="yes", reason="Again.").status_code == 422
    assert me.send_form(trust, directly="no", reason="No longer.").location == acme
    assert DIRECT not in me.get(acme).text
    with container.reading(SYSTEM) as reading:
        entries = select(HistoryEntry.action).where(HistoryEntry.subject == "employer")
        actions = [row.action for row in reading.rows(entries)]
    assert actions == ["register", "register", "trust", "trust"]


@pytest.mark.usefixtures("acme")
def test_employers_are_found_by_the_beginning_of_their_name(enter):
    _, me = enter("staff")
    page = content(me.get(f"{HERE}?name=acm"))
    assert ">Acme</a>" in page
    assert ">Globex</a>" not in page
    assert "No employer is on record under this name." in me.get(f"{HERE}?name=x").text
    assert me.get(f"{HERE}?name={'x' * 201}").status_code == 422


def test_others_find_no_such_page_and_do_nothing(enter, acme, employer_id):
    for _, who in (enter("reviewer"), enter("employer", employer_id=employer_id)):
        for path in (HERE, acme):
            assert who.get(path).status_code == 404
        sent = who.send_form(f"{acme}/direct-confirmation", directly="yes", reason="x")
        assert sent.status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak_every_language(enter, acme, language):
    _, me = enter("staff")
    for path in (HERE, acme):
        page = me.get(path, headers={"Accept-Language": language})
        assert page.headers["Content-Language"] == language
        assert not re.findall(r"\{[a-z_]*\}", content(page))


@pytest.mark.usefixtures("acme")
def test_more_employers_cost_no_more_statements_and_are_on_the_next_page(enter, container):
    _, me = enter("staff")
    costs = []
    for number in range(2):
        with counted(container) as sent:
            assert me.get(HERE).status_code == 200
        costs.append(len(sent))
        with container.work(SYSTEM) as work:
            for place in range(49):
                employers.register(work, name=f"Company {number} {place}")

    assert costs[0] == costs[1]
    (more,) = re.findall(r'<p><a href="(/desk/employers\?after=[^"]+)"', content(me.get(HERE)))
    assert content(me.get(more)).count(">Company ") == 50
