"""web/people/activities.py: logging in three screens, files, and what becomes of an activity."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import select

from tests import factories, statements
from tests.api.access.access_cases import PICTURE
from tests.backends import SQLITE
from tests.browsers import content
from tests.rows import count
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.models import Activity, Evidence, Holder
from tracker.services.points import activity_decisions, activity_rows

COURSE = {
    "title": "Robot Safety",
    "provider": "Amatrol",
    "quantity": "8",
    "completed_on_month": "1",
    "completed_on_day": "5",
    "completed_on_year": "2026",
}


@pytest.fixture
def page(browser, container):
    """Ana's browser and the address of her activities."""
    ids = factories.certified(container, date(2021, 12, 25), email="ana@example.org")
    me = browser()
    me.sign_in("ana@example.org")
    return me, f"/account/certifications/{ids[1]}/activities"


def logged(me, here, **change):
    """Log a course, and answer the address of its page."""
    made = me.send_form(f"{here}/new?type=third_party", **COURSE | change)
    assert made.status_code == 303, content(made)
    return made.location


def upload(me, path, *files):
    """Send files as the page does, with the token among the fields."""
    data = {"csrf_token": me.csrf(), "file": [(io.BytesIO(what), name) for what, name in files]}
    return me.post(f"{path}/evidence", data, content_type="multipart/form-data")


def answered(container, path, verdict, **more):
    """A reviewer's answer to the activity of a page."""
    with container.work(SYSTEM) as work:
        id_ = path.rpartition("/")[2]
        version = activity_rows.get(work, id_).version
        activity_decisions.decide(
            work, id_, activity_decisions.ReviewerDecision(verdict, **more), version=version
        )


def test_an_activity_is_logged_in_three_screens_with_a_photo_and_submitted(page, container):
    me, here = page
    assert "You haven&#39;t logged any activities yet." in content(me.get(here))
    kinds = content(me.get(f"{here}/new"))
    assert f'href="{here}/new?type=third_party"' in kinds
    assert "1 point for each contact hour" in kinds
    form = content(me.get(f"{here}/new?type=third_party"))
    assert "How many contact hours?" in form
    assert '<option value="1">January</option>' in form
    path = logged(me, here)
    draft = content(me.get(path))
    assert "Not submitted yet." in draft
    assert "8 of 8 points" in draft
    assert "Please add a certificate of completion that shows the hours." in draft
    assert 'capture="environment"' in draft
    assert upload(me, path, (PICTURE, "photo.png"), (b"", "")).location == path
    assert "photo.png" in content(me.get(path))
    assert me.send_form(f"{path}/submit").location == path
    submitted = content(me.get(path))
    assert "Submitted on November 21, 2026." in submitted
    assert "A decision on an activity may take up to 10 business days." in submitted
    assert "In review" in content(me.get(here))
    assert count(container, Activity) == count(container, Evidence) == 1


def test_a_form_that_is_sent_many_times_at_once_makes_one_draft(page, container, browser):
    me, here = page
    (shown,) = re.findall(r'name="once" value="([^"]+)"', me.get(f"{here}/new?type=volunteer").text)
    sent = COURSE | {"once": shown, "csrf_token": me.csrf()}
    clicks = [browser() for _ in range(4)]
    for one in clicks:
        one.set_cookie(me.cookie())
    with ThreadPoolExecutor() as together:
        path = f"{here}/new?type=volunteer"
        made = [
            answer.location for answer in together.map(lambda one: one.post(path, sent), clicks)
        ]

    assert len(set(made)) == 1
    assert made[0] is not None
    assert count(container, Activity) == 1
    again = me.send_form(path, **COURSE, once="another")
    assert again.location not in made, "the same may be logged twice on purpose"


@SQLITE
def test_what_is_wrong_is_told_beside_each_field_and_nothing_typed_is_lost(page, container):
    me, here = page
    wrong = COURSE | {"quantity": "many", "completed_on_day": "32"}
    refused = me.send_form(f"{here}/new?type=third_party", **wrong)
    text = content(refused)

    assert refused.status_code == 422
    assert re.findall(r'<li><a href="#(\w+)">', text) == ["quantity", "completed_on"]
    assert "<title>Error: " in refused.text
    for typed in ("Robot Safety", "Amatrol", "many", "32"):
        assert f'value="{typed}"' in text
    later = me.send_form(f"{here}/new?type=third_party", **COURSE | {"completed_on_month": "12"})
    assert "can&#39;t be in the future" in content(later)
    assert count(container, Activity) == 0
    assert me.get(f"{here}/new?type=nothing").status_code == 404


@SQLITE
def test_a_failed_upload_keeps_the_draft_and_says_what_can_be_added(page, container):
    me, here = page
    path = logged(me, here)
    limits = me.container.settings.evidence
    most = limits.maximum_files * limits.maximum_bytes
    body = b"x" * (most + 2**21)
    too_long = me.post(f"{path}/evidence", body, content_type="multipart/form-data; boundary=y")
    refusals = [too_long, upload(me, path, (PICTURE, "photo.png"), (b"no pdf", "pay.pdf"))]

    assert [refused.status_code for refused in refusals] == [413, 422]
    assert all("PDF, JPG or PNG" in content(refused) for refused in refusals)
    assert count(container, Evidence) == 0, "all of the files or none"
    assert "Robot Safety" in content(me.get(path))


@SQLITE
def test_without_the_token_of_the_session_no_file_is_added(page, container):
    me, here = page
    path = logged(me, here)
    data = {"file": [(io.BytesIO(PICTURE), "photo.png")]}
    refused = me.post(f"{path}/evidence", data, content_type="multipart/form-data")

    assert refused.status_code == 400
    assert count(container, Evidence) == 0


@SQLITE
def test_a_file_is_removed_and_a_draft_deleted(page, container):
    me, here = page
    path = logged(me, here)
    upload(me, path, (PICTURE, "photo.png"))
    (remove,) = re.findall(r'action="([^"]+/remove)"', me.get(path).text)
    assert me.send_form(remove).location == path
    assert count(container, Evidence) == 0
    assert me.send_form(f"{path}/discard").location == here
    assert count(container, Activity) == 0


def test_a_likely_duplicate_and_the_cap_that_limits_it_are_told_before_submitting(page):
    me, here = page
    logged(me, here)
    twin = logged(me, here, title="Robot safety", provider="Amatrol Inc.", completed_on_day="7")
    text = content(me.get(twin))
    assert "This looks like something you logged before" in text
    assert "Robot Safety</a>, January 5, 2026" in text
    made = me.send_form(f"{here}/new?type=industry_certification", **COURSE | {"title": "NIMS"})
    capped = content(me.get(made.location))

    assert "60 of 160 points" in capped
    assert "at most 60 points count in a cycle for the category “Industry certifications”" in capped


def test_a_reviewers_question_is_answered_by_changing_it_and_submitting_again(
    page, container, clock
):
    me, here = page
    path = logged(me, here)
    me.send_form(f"{path}/submit")
    question = {"reason_code": "other", "reason": "How many hours were they?"}
    answered(container, path, ActivityVerdict.MORE_INFORMATION, **question)
    asked = content(me.get(path))
    assert "How many hours were they?" in asked
    assert "Question for you" in content(me.get(here))
    form = me.get(f"{path}/edit").text
    (version,) = re.findall(r'name="version" value="(\d+)"', form)
    assert 'value="8"' in form
    for old in ("1", "x", "9" * 5000):
        again = me.send_form(f"{path}/edit", **COURSE | {"title": "<b>"}, version=old)
        assert "changed in the meantime" in content(again)
        assert 'value="&lt;b&gt;"' in again.text, "nothing that was typed is lost"
    changed = me.send_form(f"{path}/edit", **COURSE | {"quantity": "7.5"}, version=version)
    assert changed.location == path
    clock.advance(days=3)
    me.sign_in("ana@example.org")
    me.send_form(f"{path}/submit")
    text = content(me.get(path))

    assert "7.5 contact hours" in text
    assert "Submitted on November 21, 2026." in text, "it keeps its day"


def test_what_is_submitted_is_withdrawn_and_what_is_approved_stays(page, container):
    me, here = page
    withdrawn, approved = logged(me, here), logged(me, here, title="Welding")
    for path in (withdrawn, approved):
        me.send_form(f"{path}/submit")
    me.send_form(f"{withdrawn}/withdraw")
    answered(container, approved, ActivityVerdict.APPROVED)
    groups = re.findall(r"<h2>(.+?)</h2>", content(me.get(here)))
    assert groups == ["Approved", "Not counted"]
    refused = me.send_form(f"{approved}/withdraw")
    assert refused.status_code == 422
    assert "That can&#39;t be done anymore" in content(refused)
    assert me.get(f"{approved}/edit").status_code == 404


@SQLITE
def test_a_rejection_gives_its_reason_and_is_mended_and_sent_again(page, container):
    me, here = page
    path = logged(me, here)
    me.send_form(f"{path}/submit")
    reason = {"reason_code": "other", "reason": "The hours can't be read."}
    answered(container, path, ActivityVerdict.REJECTED, **reason)
    text = content(me.get(path))

    assert "Rejected on November 21, 2026. You can change it and submit it again." in text
    assert "The hours can&#39;t be read." in text
    assert "business days" not in text
    assert f'href="{path}/edit"' in text
    assert me.send_form(f"{path}/submit").location == path
    assert "A reviewer looks at it next" in content(me.get(path))


@SQLITE
def test_the_last_one_is_copied_without_its_days(page):
    me, here = page
    logged(me, here)
    (copy,) = re.findall(r'href="([^"]+\?copy=[^"]+)"', me.get(here).text)
    text = content(me.get(copy))

    assert 'value="Robot Safety"' in text
    assert 'value="2026"' not in text
    assert me.get(f"{here}/new?copy=x").status_code == 404


@SQLITE
def test_a_job_has_a_first_day_and_may_go_on(page):
    me, here = page
    job = {f"starts_on_{part}": n for part, n in (("month", "3"), ("day", "1"), ("year", "2026"))}
    made = me.send_form(f"{here}/new?type=employment_full_time", title="Operator", **job)

    text = content(me.get(made.location))

    assert "8 of 9 points" in text
    assert "the last month was not completed" in text


@SQLITE
def test_it_is_all_in_spanish_for_who_speaks_it(page, container):
    with container.work(SYSTEM) as work:
        work.session.scalars(select(Holder)).one().language = "es"
    me, here = page
    path = logged(me, here)

    assert "<h1>Actividades</h1>" in content(me.get(here))
    assert "¿Cuánto fue? (horas de contacto)" in content(me.get(f"{here}/new?type=third_party"))
    assert "Todavía no se envió." in content(me.get(path))


def test_more_activities_cost_no_more_statements(page, container):
    me, here = page
    path = logged(me, here)
    ran: dict[str, list[int]] = {}
    certification = here.removesuffix("activities")
    addresses = (here, path, f"{certification}points", f"{certification}renewal")
    for round_ in ("one", "many"):
        for address in addresses:
            with statements.counted(container) as sent:
                assert me.get(address).status_code == 200
            ran.setdefault(address, []).append(len(sent))
        if round_ == "one":
            for n in range(5):
                me.send_form(f"{logged(me, here, title=f'Course {n}')}/submit")

    assert all(one == many for one, many in ran.values()), ran


@SQLITE
def test_other_holders_find_nothing_there(page, browser, container):
    me, here = page
    path = logged(me, here)
    with container.work(SYSTEM) as work:
        factories.holder(work, email="bo@example.org")
    other = browser()
    other.sign_in("bo@example.org")
    for address in (here, f"{here}/new", path, f"{path}/edit"):
        assert other.get(address).status_code == 404, address
    for act in ("submit", "withdraw", "discard", "edit"):
        assert other.send_form(f"{path}/{act}").status_code == 404, act
    assert upload(other, path, (PICTURE, "photo.png")).status_code == 404
