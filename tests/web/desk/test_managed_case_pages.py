"""web/desk/managed_cases.py: staff register a sponsor that follows somebody, and end its access."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tests import factories
from tests.browsers import content
from tests.statements import counted
from tracker.domain.permissions import SYSTEM, Actor
from tracker.language.catalogues import LANGUAGES
from tracker.models import ManagedCase
from tracker.services.credentials import managed_cases, sponsors

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def bea(container):
    """The id of Bea, and two workforce boards on record."""
    with container.work(SYSTEM) as work:
        for name in ("Lowcountry Board", "Piedmont Board"):
            sponsors.DIRECTORY.enter(work, name=name)
        return factories.holder(work, given_name="Bea", family_name="Roe")


@pytest.fixture
def case_id(container):
    """The id of the only case on record, once it is asked for."""

    def found():
        with container.reading(SYSTEM) as reading:
            return reading.row(select(ManagedCase.id)).id

    return found


def consents(container, holder_id, case):
    with container.work(Actor(role="holder", name="Bea", holder_id=holder_id)) as work:
        managed_cases.consent(work, case)


def test_staff_register_a_sponsor_and_end_its_access(enter, container, bea, case_id):
    _, me = enter("staff")
    here = f"/desk/people/{bea}/cases"
    assert f'href="{here}"' in me.get(f"/desk/people/{bea}").text
    assert "No sponsor follows this person." in content(me.get(here))

    assert me.send_form(here, sponsor="Lowcountry Board").location == here
    page = content(me.get(here))
    assert "<strong>Lowcountry Board</strong>" in page
    assert "Sees nothing; the person has not agreed yet." in page
    assert "/end" not in page
    assert me.send_form(here, sponsor="Lowcountry Board").status_code == 422
    end = f"{here}/{case_id()}/end"
    assert me.send_form(end).status_code == 422, "there is nothing to end"

    consents(container, bea, case_id())
    page = content(me.get(here))
    assert "Sees the attempts since November 21, 2026." in page
    assert f'action="{end}"' in page
    assert me.send_form(end).location == here
    assert "Sees nothing; access ended on November 21, 2026." in content(me.get(here))


@pytest.mark.parametrize(
    ("name", "told"), [("Lowcuntry Board", "Lowcountry Board"), ("", "required"), ("x", "record")]
)
def test_a_sponsor_that_is_not_on_record_is_said_with_whom_is_meant(enter, bea, name, told):
    _, me = enter("staff")
    refused = me.send_form(f"/desk/people/{bea}/cases", sponsor=name)

    assert refused.status_code == 422
    assert 'href="#sponsor"' in refused.text
    assert told in content(refused).partition('id="sponsor-wrong"')[2].partition("</p>")[0]
    assert f'value="{name}"' in refused.text


def test_a_case_of_another_person_is_not_ended_from_this_page(enter, container, bea, case_id):
    _, me = enter("staff")
    with container.work(SYSTEM) as work:
        other = factories.holder(work)
    me.send_form(f"/desk/people/{bea}/cases", sponsor="Piedmont Board")
    consents(container, bea, case_id())

    assert me.send_form(f"/desk/people/{other}/cases/{case_id()}/end").status_code == 404
    with container.reading(SYSTEM) as reading:
        assert managed_cases.get(reading, case_id()).is_shared


def test_others_find_no_such_page_and_do_nothing(enter, bea, employer_id):
    here = f"/desk/people/{bea}/cases"
    for _, who in (enter("reviewer"), enter("employer", employer_id=employer_id)):
        assert who.get(here).status_code == 404
        assert who.send_form(here, sponsor="Piedmont Board").status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_every_language(enter, bea, language):
    _, me = enter("staff")
    here = f"/desk/people/{bea}/cases"
    me.send_form(here, sponsor="Piedmont Board")
    page = me.get(here, headers={"Accept-Language": language})

    assert page.headers["Content-Language"] == language
    assert not re.findall(r"\{[a-z_]*\}", content(page))


def test_more_sponsors_cost_no_more_statements(enter, container, bea):
    _, me = enter("staff")
    here, costs = f"/desk/people/{bea}/cases", []
    for name in ("Lowcountry Board", "Piedmont Board"):
        me.send_form(here, sponsor=name)
        with counted(container) as sent:
            assert me.get(here).status_code == 200
        costs.append(len(sent))

    assert costs[0] == costs[1]
