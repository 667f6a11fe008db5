"""web/credentials/apprentices.py: a sponsor sees apprentices who agreed, with their progress."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tests import factories
from tests.browsers import content
from tests.statements import counted
from tracker.domain.permissions import SYSTEM, Actor
from tracker.language.catalogues import LANGUAGES
from tracker.services.credentials import apprenticeships, sponsors

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
HERE = "/sponsor"


@pytest.fixture
def council(container):
    """A sponsor on record; the id."""
    with container.work(SYSTEM) as work:
        return sponsors.DIRECTORY.enter(work, name="Council").id


@pytest.fixture
def kim(enter, council):
    return enter("sponsor", sponsor_id=council, access="view")


@pytest.fixture
def apprentice(container, council):
    """Register an apprentice, who agrees or does not."""

    def made(*, agrees=True):
        stated = {
            "sponsor_id": council,
            "scheme": "cpt",
            "program_code": "0002CB",
            "occupation": "Technician",
            "status": "registered",
            "started_on": date(2026, 9, 1),
            "expected_end_on": date(2028, 9, 1),
            "ended_on": None,
            "instruction_hours": 120,
            "instruction_hours_required": 288,
        }
        with container.work(SYSTEM) as work:
            holder_id = factories.holder(work, given_name="Ana", family_name="Ruiz")
            mine = apprenticeships.register(work, holder_id, stated)
        if agrees:
            with container.work(Actor(role="holder", name="Ana", holder_id=holder_id)) as work:
                apprenticeships.consent(work, mine)

    return made


def test_an_apprentice_is_seen_once_they_agree(kim, apprentice):
    apprentice(agrees=False)
    assert "Nobody shares an apprenticeship with you yet." in kim.get(HERE).text
    apprentice()
    page = content(kim.get(HERE))

    for told in (
        "Ana Ruiz",
        "Program 0002CB, Technician",
        "Registered, since September 1, 2026, expected to end September 1, 2028",
        "Modules passed: 0 of 4",
        "120 of 288 hours",
    ):
        assert told in page
    assert page.count("Ana Ruiz") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_every_language(kim, apprentice, language):
    apprentice()
    page = kim.get(HERE, headers={"Accept-Language": language})

    assert page.headers["Content-Language"] == language
    assert not re.findall(r"\{[a-z_]*\}", content(page))


def test_the_page_is_for_sponsors_at_a_constant_cost(kim, enter, apprentice, container):
    assert enter("staff").get(HERE).status_code == 404

    def cost():
        with counted(container) as sent:
            assert kim.get(HERE).status_code == 200
        return len(sent)

    apprentice()
    before = cost()
    for _ in range(26):
        apprentice()
    assert cost() == before
    more = re.findall(r'href="/sponsor(\?after=[^"]+)"', kim.get(HERE).text)[0]
    assert content(kim.get(HERE + more)).count("Ana Ruiz") == 2
