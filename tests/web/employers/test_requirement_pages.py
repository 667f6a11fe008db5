"""web/employers/requirements.py and kiosk.py: what jobs require, and yes or no on the floor."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import select, update

from tests.browsers import content
from tracker import signatures
from tracker.domain.employers.requirements import RequirementKind
from tracker.domain.permissions import SYSTEM, Actor
from tracker.language.catalogues import LANGUAGES
from tracker.models import HistoryEntry, JobRequirement
from tracker.services.employers import gate_lists, requirements

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
JOBS, KIOSK = "/employer/requirements", "/employer/kiosk"
LINE = {"name": "Line 3", "kind": "line", "need_1_1": "scheme:cpt", "need_1_2": "scheme:clt"}


def id_of(page):
    return re.findall(r'href="/employer/kiosk\?requirement=([0-9a-f-]+)"', page.text)[0]


def added(hr, **changes):
    assert hr.send_form(JOBS, **{**LINE, **changes}).location == JOBS
    return id_of(hr.get(JOBS))


def test_a_requirement_is_added_shown_and_ended_by_those_who_manage(hr, viewer):
    assert "Nothing is required yet." in hr.get(JOBS).text
    job = added(hr, need_2_1="module:cpt:safety", need_3_1="credential:osha_10")
    page = content(hr.get(JOBS))

    assert "Line 3" in page
    assert re.search(r"<li>Certified Production Technician .*CPT.* or .*CLT.*</li>", page)
    assert re.search(r"<li>Safety</li>", page)
    seen = content(viewer.get(JOBS))
    assert "Line 3" in seen
    assert f"{job}/end" not in seen
    assert viewer.send_form(JOBS, **LINE).status_code == 404
    assert viewer.send_form(f"{JOBS}/{job}/end", version="1").status_code == 404
    assert hr.send_form(f"{JOBS}/{job}/end", version="1").location == JOBS
    assert "Nothing is required yet." in hr.get(JOBS).text


def test_a_requirement_is_changed_by_those_who_manage_as_the_form_shows_it(hr, viewer, container):
    job = added(hr, need_2_1="module:cpt:safety", need_3_1="credential:osha_10")
    edit = f"{JOBS}/{job}/edit"
    assert f'href="{edit}"' in hr.get(JOBS).text
    assert f'href="{edit}"' not in viewer.get(JOBS).text
    page = content(hr.get(edit))
    for told in (
        'value="Line 3"',
        '<option value="line" selected>',
        *(f'<option value="{code}" selected>' for code in ("scheme:clt", "module:cpt:safety")),
        '<option value="credential:osha_10" selected>',
        '<input type="hidden" name="version" value="1">',
    ):
        assert told in page
    changed = {"name": "Line 4", "kind": "role", "need_1_1": "module:cpt:safety", "version": "1"}
    for who in (viewer.get(edit), viewer.send_form(edit, **changed)):
        assert who.status_code == 404
    wrong = hr.send_form(edit, **changed | {"name": ""})
    assert (wrong.status_code, 'href="#name"' in wrong.text) == (422, True)
    nothing = hr.send_form(edit, name="Line 4", kind="role", version="1")
    assert 'href="#need_1_1"' in nothing.text
    assert hr.send_form(edit, **changed).location == JOBS
    page = content(hr.get(JOBS))
    assert ">Line 4</h2>" in page
    assert "<small>A role</small>" in page
    assert ">Line 3</h2>" not in page
    assert hr.send_form(edit, **changed).status_code == 422, "somebody has changed it meanwhile"
    with container.reading(SYSTEM) as reading:
        about = select(HistoryEntry.action).where(HistoryEntry.subject == "job_requirement")
        assert [row.action for row in reading.rows(about)] == ["add", "change"]
    hr.send_form(f"{JOBS}/{job}/end", version="2")
    assert hr.get(edit).status_code == 404


def test_a_requirement_of_the_api_is_kept_whole_by_the_form(hr, acme, container):
    """Also more needs and alternatives than the form for a new one has."""
    first = [{"scheme": "cpt"}, {"scheme": "clt"}, {"credential": "nims"}]
    others = [{"scheme": "cpt", "module": "safety"}, *first]
    needs = requirements.needs_of([first, *([one] for one in others)])
    by = Actor(role="employer", name="Kim", organization_id=acme.id)
    with container.work(by) as work:
        row = requirements.add(work, acme.id, name="Job", kind=RequirementKind.TASK, needs=needs)
    edit = f"{JOBS}/{row.id}/edit"
    fields = re.findall(
        r'<select[^>]* name="(need_[0-9_]+)">(.*?)</select>', hr.get(edit).text, re.DOTALL
    )
    said = {
        name: chosen[0]
        for name, options in fields
        if (chosen := re.findall(r'value="([^"]+)" selected', options))
    }
    assert len(said) == 7
    assert hr.send_form(edit, name="Job", kind="task", version="1", **said).location == JOBS
    with container.reading(by) as reading:
        assert requirements.get(reading, acme.id, row.id).needs == needs


def test_what_no_file_describes_any_more_is_shown_and_not_dropped(hr, container):
    job = added(hr)
    gone = update(JobRequirement).values(needs=[[{"credential": "gone"}]])
    with container.work(SYSTEM) as work:
        work.execute(gone)
    page = content(hr.get(f"{JOBS}/{job}/edit"))
    assert '<option value="credential:gone" selected>gone</option>' in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"need_1_1": "", "need_1_2": ""}, "need_1_1"),
        ({"need_1_2": "scheme:cpt"}, "need_1_1"),
        ({"need_1_1": "scheme:nope"}, "need_1_1"),
        ({"need_1_1": "module:cpt:nope"}, "need_1_1"),
        ({"need_1_1": "nonsense"}, "need_1_1"),
    ],
)
def test_what_is_wrong_with_a_form_is_said_and_what_was_typed_stays(hr, changes, field):
    refused = hr.send_form(JOBS, **{**LINE, **changes})

    assert refused.status_code == 422
    assert f'href="#{field}"' in refused.text
    if "name" not in changes:
        assert 'value="Line 3"' in refused.text


def test_a_second_requirement_of_the_same_name_is_refused_in_words(hr):
    added(hr)

    assert "no other requirement of yours has" in hr.send_form(JOBS, **LINE).text


def test_the_kiosk_says_yes_no_or_that_it_is_not_known(acme, hr, viewer):
    acme.hire("1001")
    acme.hire("1002", awarded_on=date(2018, 5, 1))
    acme.hire("1003", shared=False)
    job = added(hr)

    def answer(who):
        page = viewer.send_form(KIOSK, requirement=job, who=who)
        shown = content(page)
        (kind,) = re.findall(r'<div class="(\w+) kiosk" role="status">', shown)
        assert f'value="{job}" selected' in shown
        assert who not in page.request.url
        return kind, re.findall(r"</span> ([^<]+)</h2>", shown)[0], shown

    assert answer("1001")[:2] == ("valid", "Yes")
    assert "until May 1, 2028" in answer("1001")[2]
    assert answer("1002")[:2] == ("invalid", "No")
    assert "expired on May 1, 2023" in answer("1002")[2]
    assert answer("1003")[:2] == ("invalid", "Not known")
    assert answer("9999")[:2] == ("invalid", "Not known")
    assert viewer.send_form(KIOSK, requirement=job, who=" ").status_code == 422


def test_the_kiosk_asks_for_a_job_first_and_takes_the_one_of_its_address(hr):
    assert "has not said yet what its jobs require" in hr.get(KIOSK).text
    job = added(hr)
    added(hr, name="Other")

    assert f'value="{job}" selected' in hr.get(f"{KIOSK}?requirement={job}").text
    assert " selected" not in content(hr.get(f"{KIOSK}?requirement=nonsense"))


def test_a_kiosk_answers_so_many_questions_a_minute(acme, hr, clock):
    acme.hire("1001")
    job = added(hr)
    statuses = {hr.send_form(KIOSK, requirement=job, who="1001").status_code for _ in range(60)}

    assert statuses == {200}
    assert hr.send_form(KIOSK, requirement=job, who="1001").status_code == 429
    clock.advance(minutes=1)
    assert hr.send_form(KIOSK, requirement=job, who="1001").status_code == 200


def test_a_list_for_a_gate_is_a_signed_file(acme, hr, viewer, app):
    acme.hire("1001")
    job = added(hr)
    file = viewer.send_form(f"{JOBS}/{job}/gate-list", hours="8")
    (key,) = app.test_client().get("/api/v1/signing-keys").json["keys"]

    assert file.status_code == 200
    assert "attachment" in file.headers["Content-Disposition"]
    values = signatures.read(key, gate_lists.KIND, file.text) or {}
    assert values["employee_ids"] == ["1001"]
    assert hr.send_form(f"{JOBS}/{job}/gate-list", hours="80").status_code == 422


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak_every_language(hr, language):
    job = added(hr)
    hr.send_form(KIOSK, requirement=job, who="1")
    for path in (JOBS, KIOSK, f"{JOBS}/{job}/edit"):
        page = hr.get(path, headers={"Accept-Language": language})
        assert page.headers["Content-Language"] == language
        assert not re.findall(r"\{[a-z_]*\}", content(page))
