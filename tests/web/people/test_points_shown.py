"""Points on a page: the bar, the table and the words say the same (web/people/points_shown.py)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from sqlalchemy import select

from tests.backends import SQLITE
from tests.browsers import content
from tests.services.credentials.policy_cases import populate
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.claims import ZERO
from tracker.language.catalogues import LANGUAGES
from tracker.models import Certification
from tracker.services.standings import standings
from tracker.web.people import points_shown
from tracker.web.people.points_shown import WIDTH

DAY = date(2026, 11, 21)


@pytest.fixture
def counted(container):
    """The points of certifications with many kinds of claims, decided and not."""
    populate(container, 25)
    with container.reading(SYSTEM) as reading:
        ids = [row.holder_id for row in reading.rows(select(Certification.holder_id))]
        held = standings.of_many(reading, ids, on=DAY)
        return list(standings.points(reading, held).values())


@SQLITE
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_bar_the_table_and_the_words_agree(counted, language):
    seen = set()
    for points in counted:
        now, then = points.evaluation, points.pending
        told = points_shown.shown(points, language)
        parts = told.parts

        assert sum(Decimal(one.counted.replace(",", "")) for one in told.categories) == now.total
        assert all(one.start + one.length == two.start for one, two in pairwise(parts))
        assert sum(one.length for one in parts) <= WIDTH
        assert told.goal <= WIDTH
        waits = any(one.is_waiting for one in parts)
        assert waits is bool(told.waiting) is (then.total > now.total)
        assert told.so_far.startswith(f"{now.total.normalize():,f} ")
        assert all(one.name in told.picture for one in told.categories)
        seen.add((waits, bool(parts), now.complete))
    assert len(seen) > 2


@SQLITE
def test_a_category_that_counts_no_more_is_marked(counted):
    points = max(counted, key=lambda one: one.evaluation.total)
    limited = [
        replace(one, limits=replace(one.limits, maximum=one.counted or None))
        for one in points.evaluation.categories
    ]
    full = replace(points, evaluation=replace(points.evaluation, categories=tuple(limited)))
    parts = points_shown.shown(full, "en").parts

    assert points.evaluation.total > ZERO
    assert all(one.is_full for one in parts if not one.is_waiting)
    assert not any(one.is_full for one in parts if one.is_waiting)


@SQLITE
def test_points_carried_over_are_a_part_of_their_own(counted):
    points = counted[0]
    ten = Decimal(10)
    more = replace(points.evaluation, total=points.evaluation.total + ten, carried_over=ten)
    then = replace(points.pending, total=points.pending.total + ten, carried_over=ten)
    told = points_shown.shown(replace(points, evaluation=more, pending=then), "en")

    assert told.categories[-1].name == "Carried over from the last cycle"
    assert told.categories[-1].counted == "10"


@SQLITE
def test_the_page_shows_them_by_picture_table_and_words_without_style_of_its_own(browser, ana):
    me_ = browser()
    me_.sign_in(ana)
    home = content(me_.get("/account"))
    assert '<svg class="bar"' in home
    page = content(me_.get(re.findall(r'<h3><a href="([^"]+)"', home)[0]))

    assert "0 of 100 points" in page
    assert "100 points still to earn" in page
    assert (
        len(re.findall(r'<svg class="bar"[^>]+role="img" aria-label="0 of 100 points: ', page)) == 1
    )
    assert page.count('<th scope="row">') == 4
    assert "style=" not in page
