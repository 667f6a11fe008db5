"""web/desk/centers.py: approvals and direct entry of centers; results and courses are answered."""

from __future__ import annotations

import html
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests import factories
from tests.browsers import content
from tests.rows import count
from tests.statements import counted
from tracker.domain.credentials.assessments import Approval, AttemptToRecord
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Assessment, CenterResult, Course
from tracker.services.credentials import center_results, centers
from tracker.services.credentials.center_results import SentResult
from tracker.services.people import holders
from tracker.services.points import courses, providers
from tracker.services.points.courses import CourseToPropose

HERE = "/desk/centers"

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def ivy(container):
    """The id of a center that is approved since 2020."""
    with container.work(SYSTEM) as work:
        approvals = [Approval(date(2020, 1, 1), date(2026, 12, 31))]
        return centers.add_center(
            work, name="Ivy Tech", category="community_college", approvals=approvals, code="IN-7"
        )


def sent(container, center_id, number, on=date(2026, 11, 2)):
    """A pass of somebody new that the center sent; the id of the person."""
    with container.work(SYSTEM) as work:
        holder_id = factories.holder(work)
        ref = holders.get(work, holder_id).ref
    with container.work(Actor(role="center", name="Kim", organization_id=center_id)) as work:
        attempt = AttemptToRecord(scheme="cpt", module="safety", taken_on=on, passed=True)
        center_results.send(work, SentResult(f"a{number}", ref, "Peña", attempt))
    return holder_id


def test_a_center_is_added_with_its_first_period_and_corrected(enter):
    _, me = enter("staff")
    assert f'href="{HERE}/new"' in content(me.get(HERE))
    wrong = me.send_form(f"{HERE}/new", name="Ivy Tech", category="x", approved_on_year="2026")
    assert wrong.status_code == 422
    page = content(wrong)
    assert '<a href="#category">' in page
    assert '<a href="#approved_on">' in page
    assert 'value="Ivy Tech"' in page
    said = {"name": "Ivy Tech", "code": "IN-7", "category": "community_college"}
    first = {"approved_on_year": "2026", "approved_on_month": "1", "approved_on_day": "2"}
    made = me.send_form(f"{HERE}/new", **said, **first)

    page = content(me.get(made.location))
    assert "approved since January 2, 2026" in page
    assert "IN-7" in page
    again = me.send_form(f"{HERE}/new", **said)
    assert again.status_code == 422
    corrected = {"name": "Ivy Tech Gary", "code": "", "category": "employer"}
    done = me.send_form(f"{made.location}/edit", version="1", **corrected)
    assert done.location == made.location
    page = content(me.get(made.location))
    assert "<h1>Ivy Tech Gary</h1>" in page
    assert "IN-7" not in page
    stale = me.send_form(f"{made.location}/edit", version="1", **corrected)
    assert stale.status_code == 422


@pytest.mark.usefixtures("ivy")
def test_a_refusal_is_told_in_the_language_of_the_page(enter):
    """As far as its words are known there; the rest is marked as English."""
    _, me = enter("staff")
    spanish = {"headers": {"Accept-Language": "es"}}
    assert "Centros" in me.get(HERE, **spanish).text
    me.send_form("/language", language="es", back=HERE)
    named = content(me.send_form(f"{HERE}/new", name="x" * 201, category="employer"))
    assert "Nombre: revise este dato (debe tener 200 caracteres como máximo)." in named
    assert '<span lang="en">' not in named
    taken = content(me.send_form(f"{HERE}/new", name="Ivy", code="IN-7", category="employer"))
    assert "Esto ya está en el registro." in taken
    assert '<span lang="en">The code IN-7 is that of Ivy Tech.</span>' in taken


def waiting(container):
    with container.reading(SYSTEM) as reading:
        return [row.id for row in reading.rows(select(CenterResult.id).order_by(CenterResult.id))]


def test_a_center_is_approved_for_a_period_and_may_enter_directly(enter, ivy):
    _, me = enter("staff")
    listed = content(me.get(HERE))
    assert "Code IN-7 · Community college" in listed
    assert "approved January 1, 2020 to December 31, 2026" in listed
    here = f"{HERE}/{ivy}"
    start = {"approved_on_year": "2027", "approved_on_month": "1", "approved_on_day": "1"}
    end = {"lapses_on_year": "2026", "lapses_on_month": "1", "lapses_on_day": "1"}
    wrong = me.send_form(f"{here}/approvals", **start, **end)
    assert '<a href="#lapses_on">' in wrong.text
    assert me.send_form(f"{here}/approvals", **start).location == here
    assert "approved since January 1, 2027" in content(me.get(here))
    assert me.send_form(f"{here}/direct-entry", directly="yes").status_code == 422
    me.send_form(f"{here}/direct-entry", directly="yes", reason="Two years without errors.")
    assert "Its results are recorded at once." in content(me.get(here))
    assert "Centros de evaluación" in me.get(HERE, headers={"Accept-Language": "es"}).text


def test_results_are_accepted_or_sent_back_with_a_reason(enter, container, ivy):
    holder_id = sent(container, ivy, 1)
    sent(container, ivy, 2)
    first, second = waiting(container)
    _, me = enter("staff")
    here = f"{HERE}/results"
    assert content(me.get(here)).count(">Accept</button>") == 2
    assert "Results that wait: 2" in content(me.get(HERE))
    me.send_form(here, result_id=first, verdict="accept")
    assert count(container, Assessment) == 1
    assert "passed" in content(me.get(f"/desk/people/{holder_id}"))
    assert me.send_form(here, result_id=second, verdict="send_back").status_code == 422
    me.send_form(here, result_id=second, verdict="send_back", reason="No signature.")
    assert "No result waits." in content(me.get(here))
    assert me.send_form(here, result_id=second, verdict="accept").status_code == 422


def test_a_result_that_breaks_a_rule_says_which_and_is_accepted_with_a_reason(
    enter, container, ivy
):
    sent(container, ivy, 1)
    (id_,) = waiting(container)
    with container.work(SYSTEM) as work:
        row = work.session.get(CenterResult, id_)
        row.taken_on = date(2019, 5, 6)
    _, me = enter("staff")
    here = f"{HERE}/results"
    refused = me.send_form(here, result_id=id_, verdict="accept")
    assert refused.status_code == 422
    assert "approved" in html.unescape(content(refused))
    assert "Reason to accept it anyway" in content(refused)
    me.send_form(here, result_id=id_, verdict="accept", reason="The approval is on paper.")
    assert count(container, Assessment) == 1


def test_a_proposed_course_is_approved_for_a_period_or_refused(enter, container):
    with container.work(SYSTEM) as work:
        provider_id = providers.DIRECTORY.enter(work, name="Ivy Tech").id
    for code in ("W-1", "W-2"):
        actor = Actor(role="provider", name="Ida", organization_id=provider_id)
        with container.work(actor) as work:
            wanted = CourseToPropose(
                provider_id=None,
                code=code,
                scheme="cpt",
                type="third_party",
                title=f"Welding {code}",
                quantity=Decimal(8),
            )
            courses.propose(work, wanted)
    _, me = enter("staff")
    here = f"{HERE}/courses"
    assert content(me.get(here)).count("Approve for a period</button>") == 2
    with container.reading(SYSTEM) as reading:
        columns = select(Course.id, Course.version).order_by(Course.code)
        one, two = reading.rows(columns)
    days = {f"approved_{at}_{part}": "1" for at in ("from", "until") for part in ("month", "day")}
    days |= {"approved_from_year": "2026", "approved_until_year": "2027"}
    approved = {"verdict": "approved", "version": str(one.version)} | days
    assert me.send_form(f"{here}/{one.id}", **approved).location == here
    refused = {"verdict": "refused", "version": str(two.version)}
    assert me.send_form(f"{here}/{two.id}", **refused).status_code == 422
    me.send_form(f"{here}/{two.id}", **refused, reason="Not about production.")
    assert "No course waits" in content(me.get(here))


def test_more_centers_and_results_cost_no_more_statements(enter, container, ivy):
    _, me = enter("staff")
    costs = []
    for number in range(2):
        sent(container, ivy, number)
        cost = []
        for page in (HERE, f"{HERE}/results", f"{HERE}/courses"):
            with counted(container) as ran:
                assert me.get(page).status_code == 200
            cost.append(len(ran))
        costs.append(cost)
        with container.work(SYSTEM) as work:
            centers.add_center(work, name=f"C {number}", category="employer", approvals=[])
    assert costs[0] == costs[1]
    _, reviewer = enter("reviewer")
    assert reviewer.get(HERE).status_code == 404
