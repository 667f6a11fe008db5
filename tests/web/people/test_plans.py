"""The what-if planner: nothing stored, the same evaluation (web/people/plans.py)."""

from __future__ import annotations

import html
import re
from datetime import date

import pytest

from tests import factories, statements
from tests.browsers import content
from tests.rows import count
from tracker.models import Activity

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def page(browser, container):
    """Ana's browser and the address of her planner."""
    ids = factories.certified(container, date(2021, 12, 25), email="ana@example.org")
    me = browser()
    me.sign_in("ana@example.org")
    return me, f"/account/certifications/{ids[1]}/plan"


def test_an_activity_is_tried_then_another_and_one_is_taken_out(page, container):
    me, here = page
    assert "0 of 100 points" in content(me.get(here))
    one = content(me.get(f"{here}?new_type=third_party&new_quantity=8"))
    assert "With this plan you go from 0 to 8 points." in one
    query = re.findall(r'<input type="hidden" name="(type|quantity)" value="([^"]+)"', one)
    assert query == [("type", "third_party"), ("quantity", "8")]
    two = content(me.get(f"{here}?type=third_party&quantity=8&new_type=third_party&new_quantity=9"))
    assert "from 0 to 17 points" in two
    (first, _) = re.findall(r'class="tall" href="([^"]+)" aria-label="Take', two)
    assert "from 0 to 9 points" in content(me.get(html.unescape(first)))
    assert count(container, Activity) == 0


def test_a_cap_is_named_and_a_way_to_close_the_gap_can_be_tried(page):
    me, here = page
    capped = content(me.get(f"{here}?new_type=industry_certification&new_quantity=8"))
    assert "category “Industry certifications”" in capped
    ways = re.findall(r'href="([^"]+)" aria-label="Try this', content(me.get(here)))
    assert ways
    assert "Nothing is missing." in content(me.get(html.unescape(ways[0])))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("new_type=third_party&new_quantity=many", "new_quantity"),
        ("new_type=third_party", "new_quantity"),
        ("new_type=employment_full_time&new_quantity=1", "new_type"),
        ("new_type=nothing", "new_type"),
    ],
)
def test_what_cannot_be_is_told_beside_the_field_and_the_plan_stays(page, query, field):
    me, here = page
    refused = me.get(f"{here}?type=third_party&quantity=8&{query}")
    text = content(refused)

    assert refused.status_code == 422
    assert "<title>Error: " in refused.text
    assert f'<a href="#{field}">' in text
    assert "from 0 to 8 points" in text
    assert me.get(f"{here}?{query.replace('new_', '')}&quantity=x").status_code == 404


def test_it_speaks_spanish_and_costs_the_same_for_a_long_plan(page, container):
    me, here = page
    me.send_form("/language", language="es", back=here)
    numbers = []
    for length in (1, 10):
        with statements.counted(container) as told:
            text = content(me.get(f"{here}?{'&type=third_party&quantity=2' * length}"))
        assert f"pasa de 0 a {2 * length} puntos" in text
        numbers.append(len(told))
    assert numbers[0] == numbers[1]
