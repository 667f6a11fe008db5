"""web/desk/modules.py and attempts.py: results recorded by number and name, corrected, voided."""

from __future__ import annotations

import html
import re
from datetime import date

import pytest
from sqlalchemy import select

from tests import factories
from tests.browsers import content
from tests.rows import count
from tracker.domain.permissions import SYSTEM
from tracker.models import Assessment, Certification, Holder

HERE = "/desk/modules"
PASS = {
    "family_name": "PENA",
    "module": "cpt/maintenance",
    "taken_on_year": "2026",
    "taken_on_month": "11",
    "taken_on_day": "2",
    "result": "pass",
    "score": "88",
}

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def candidate(container):
    """A person who lacks one module; the id."""
    with container.work(SYSTEM) as work:
        holder_id = factories.holder(work, given_name="Ana", email="ana@example.org")
        factories.passed(work, holder_id, date(2026, 10, 5), modules=factories.REQUIRED[:3])
        return holder_id


def attempts(container):
    with container.reading(SYSTEM) as reading:
        columns = (Assessment.id, Assessment.module, Assessment.taken_on, Assessment.voided_at)
        found = select(*columns).where(Assessment.module == "maintenance")
        return list(reading.rows(found.order_by(Assessment.id)))


def hidden(page):
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', content(page))
    return {name: html.unescape(value) for name, value in found if name != "csrf_token"}


def test_a_pass_by_number_and_name_shows_the_grid_and_that_the_award_appears(
    enter, container, candidate
):
    _, me = enter("staff")
    found = me.get(HERE, query_string={"who": "ana@example.org", "family_name": "Peña"})
    here = f"/desk/people/{candidate}/modules"
    assert found.location == f"{here}?family_name=Pe%C3%B1a"
    before = content(me.get(found.location))
    assert "3 of 4 required modules are passed." in before
    assert before.count('<li class="missing">') == 1
    assert 'value="Peña"' in before

    answer = me.send_form(here, **PASS)
    after = content(me.get(answer.location))

    assert "passed, November 2, 2026." in after
    with container.reading(SYSTEM) as reading:
        number = reading.row(select(Certification.number)).number
    assert f"number {number}, on November 2, 2026." in after
    assert "All required modules are passed." in after
    assert after.count('<li class="passed">') == 4


def test_a_result_that_names_somebody_else_or_breaks_a_rule_is_refused_and_keeps_what_was_typed(
    enter, container, candidate
):
    _, me = enter("staff")
    here = f"/desk/people/{candidate}/modules"
    other = me.send_form(here, **PASS | {"family_name": "Gómez"})
    assert other.status_code == 422
    assert "this is the record of Ana Peña" in html.unescape(other.text)
    assert '<a href="#family_name">' in other.text
    assert 'value="88"' in other.text
    bad = me.send_form(here, **PASS | {"taken_on_day": "31", "score": "1000", "center": "Ivy"})
    assert "<title>Error: " in bad.text
    assert '<a href="#taken_on">Taken on: ' in bad.text
    assert '<option value="cpt/maintenance" selected>' in bad.text
    twice = me.send_form(here, **PASS | {"module": "cpt/safety"})
    assert "Module safety was passed on 2026-10-05" in content(twice)
    assert not attempts(container)
    nobody = me.get(f"{HERE}?who=CPT-2222-3333")
    assert (nobody.status_code, "Nobody on record" in nobody.text) == (422, True)


def test_a_pass_is_corrected_after_its_consequences_were_shown(enter, container, candidate):
    _, me = enter("staff")
    me.send_form(f"/desk/people/{candidate}/modules", **PASS)
    (row,) = attempts(container)
    here = f"/desk/assessments/{row.id}"
    form = content(me.get(here))
    assert '<option value="11" selected>' in form
    same = me.send_form(f"{here}/preview", **PASS, reason="x")
    assert "Nothing changes." in same.text

    change = PASS | {"taken_on_day": "9", "reason": "A typing error."}
    shown = me.send_form(f"{here}/preview", **change)
    text = content(shown)
    assert "Nothing has been stored yet." in text
    assert "<del>November 2, 2026</del> → <ins>November 9, 2026</ins>" in text
    assert "Award date: November 2, 2026 → November 9, 2026" in text
    assert attempts(container)[0].taken_on == date(2026, 11, 2)

    kept = content(me.send_form(here, **hidden(shown)))
    assert 'name="taken_on_day" value="9"' in kept
    assert 'value="A typing error."' in kept

    assert me.send_form(f"{here}/amend", **hidden(shown)).status_code == 303
    assert attempts(container)[0].taken_on == date(2026, 11, 9)
    person = content(me.get(f"/desk/people/{candidate}"))
    assert "Taken on: <del>2026-11-02</del> → <ins>2026-11-09</ins>" in person


def test_several_who_pay_are_recorded_shown_in_the_preview_and_corrected(
    enter, container, candidate
):
    _, me = enter("staff")
    paid = {"funding": "wioa", "funding_3": "self", "amount_3": "12.50"}
    here = f"/desk/people/{candidate}/modules"
    wrong = me.send_form(here, **PASS | paid | {"amount_3": "much"})
    assert "Amount, source 2" in content(wrong)
    assert me.send_form(here, **PASS | paid).status_code == 303
    (row,) = attempts(container)
    here = f"/desk/assessments/{row.id}"
    form = content(me.get(here))
    assert 'name="amount_2" type="text" value="12.50"' in form

    change = PASS | {"funding": "wioa", "funding_2": "college", "reason": "The college paid."}
    shown = me.send_form(f"{here}/preview", **change)
    assert "<del>The candidate 12.50</del> → <ins>A college</ins>" in content(shown)
    assert me.send_form(f"{here}/amend", **hidden(shown)).status_code == 303
    with container.reading(SYSTEM) as reading:
        [[stored]] = reading.rows(select(Assessment.more_funding).where(Assessment.id == row.id))
    assert [one["funding"] for one in stored] == ["college"]
    assert me.get(f"/desk/people/{candidate}").status_code == 200


def test_a_void_takes_the_award_back_only_when_it_is_confirmed(enter, container, candidate):
    _, me = enter("staff")
    me.send_form(f"/desk/people/{candidate}/modules", **PASS)
    (row,) = attempts(container)
    here = f"/desk/assessments/{row.id}"
    assert "Void this result" in content(me.get(f"{here}/void"))
    assert me.send_form(f"{here}/void/preview").status_code == 422
    shown = me.send_form(f"{here}/void/preview", reason="Of somebody else.")
    assert "The certification is withdrawn as recorded in error." in shown.text
    assert attempts(container)[0].voided_at is None
    assert me.send_form(f"{here}/void", **hidden(shown)).status_code == 303
    assert attempts(container)[0].voided_at is not None
    assert "voided" in content(me.get(f"/desk/people/{candidate}"))
    assert me.send_form(f"{here}/void", **hidden(shown)).status_code == 422


def test_several_people_of_a_name_are_offered_and_others_may_not_record(
    enter, container, candidate
):
    with container.work(SYSTEM) as work:
        factories.holder(work, given_name="Ana", family_name="Peña")
    _, me = enter("staff")
    text = content(me.get(f"{HERE}?who=pena+ana&family_name=Pena"))
    assert "Who is meant?" in text
    assert text.count("/modules?family_name=Pena") == 2
    spanish = me.get(f"{HERE}?who=pena+ana", headers={"Accept-Language": "es"})
    assert "¿De quién se trata?" in spanish.text

    _, reviewer = enter("reviewer")
    assert reviewer.send_form(f"/desk/people/{candidate}/modules", **PASS).status_code == 404
    assert not attempts(container)
    assert count(container, Holder) == 2
