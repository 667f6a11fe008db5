"""web/employers/requirements.py and kiosk.py: what jobs require, and yes or no on the floor."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tests.browsers import content
from tracker import signatures
from tracker.language.catalogues import LANGUAGES
from tracker.services.employers import gate_lists

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
    for path in (JOBS, KIOSK):
        page = hr.get(path, headers={"Accept-Language": language})
        assert page.headers["Content-Language"] == language
        assert not re.findall(r"\{[a-z_]*\}", content(page))
