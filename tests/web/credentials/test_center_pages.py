"""web/credentials/center_results.py: a center sends results and sees what became of them."""

from __future__ import annotations

import io
import re
from datetime import date

import pytest

from tests import factories
from tests.browsers import content
from tests.statements import counted
from tracker.db import new_id
from tracker.domain.credentials.assessments import Approval
from tracker.domain.credentials.center_results import ResultVerdict
from tracker.domain.permissions import SYSTEM, Actor
from tracker.language.catalogues import LANGUAGES
from tracker.services.credentials import center_results, centers
from tracker.services.desk.center_results import ResultDecision, decide
from tracker.services.people import holders

HERE = "/center"
SITTINGS = "/center/sittings"
HEADER = "attempt_ref,holder_ref,family_name,scheme,module,taken_on,result\n"
SQLITE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def ivy(container):
    approvals = [Approval(date(2020, 1, 1), None)]
    with container.work(SYSTEM) as work:
        return centers.add_center(work, name="Ivy Tech", category="employer", approvals=approvals)


@pytest.fixture
def kim(enter, ivy):
    """Somebody who manages the center."""
    return enter("center", center_id=ivy, access="manage")


@pytest.fixture
def lines(container):
    """A file of results of so many candidates."""

    def made(how_many, result="pass"):
        with container.work(SYSTEM) as work:
            ids = [factories.holder(work) for _ in range(how_many)]
            refs = [holders.get(work, id_).ref for id_ in ids]
        rows = (f"a-{ref},{ref},Pena,cpt,safety,2026-11-02,{result}\n" for ref in refs)
        return HEADER + "".join(rows)

    return made


def send(who, text, **more):
    token = re.findall(r'name="csrf_token" value="([^"]+)"', who.get("/account").text)[0]
    form = {"file": (io.BytesIO(text.encode()), "results.csv"), "csrf_token": token, **more}
    return who.post(HERE, form, content_type="multipart/form-data")


def test_results_are_shown_confirmed_and_accepted_or_sent_back(kim, lines, container):
    text = lines(2)
    preview = send(kim, text)
    assert preview.status_code == 200, content(preview)
    assert "<strong>2 rows are new</strong>" in preview.text
    assert "There are no results yet." in kim.get(HERE).text
    fingerprint = re.findall(r'name="fingerprint" value="(\w+)"', preview.text)[0]
    other = send(kim, lines(1), fingerprint=fingerprint)
    assert "This is not the file that you checked." in other.text
    done = send(kim, text, fingerprint=fingerprint)
    assert done.location == f"{HERE}?done=stored-2-0-0"
    home = content(kim.get(done.location))
    assert "2 rows are new, 0 rows change what is on record" in home
    assert home.count("Waiting; sent November 21, 2026") == 2
    with container.work(Actor(role="staff", name="sam", person_id=new_id())) as work:
        first, second = (row.id for row, _ in center_results.page(work, after=None, limit=5))
        accept = ResultDecision(ResultVerdict.ACCEPT, None, result_ids=[first])
        decide(work, accept)
        decide(work, ResultDecision(ResultVerdict.SEND_BACK, "Wrong day.", result_ids=[second]))

    home = content(kim.get(HERE))
    assert "Accepted November 21, 2026" in home
    assert "<strong>Wrong day.</strong>" in home
    assert content(kim.get(f"{HERE}?state=sent_back")).count('<th role="rowheader"') == 1
    assert content(kim.get(SITTINGS)).count('<th role="rowheader"') == 1


@SQLITE
def test_a_file_with_errors_is_told_row_by_row(kim, lines):
    page = send(kim, lines(1, result="perhaps"))

    assert page.status_code == 422
    assert "This file has 1 error." in page.text
    assert "<td>perhaps</td>" in page.text
    assert 'name="fingerprint"' not in page.text
    assert kim.send_form(HERE).status_code == 422


@SQLITE
def test_the_pages_are_for_those_of_the_center(enter, ivy, kim, lines):
    ann = enter("center", center_id=ivy, access="view", email="ann@example.org")
    assert 'type="file"' in kim.get(HERE).text
    assert 'type="file"' not in ann.get(HERE).text
    assert send(ann, lines(1)).status_code == 404
    sam = enter("staff")
    for path in (HERE, SITTINGS):
        assert ann.get(path).status_code == 200
        assert sam.get(path).status_code == 404


@SQLITE
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak_every_language(kim, lines, language):
    kim.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    text = lines(1)
    for page in (kim.get(HERE), kim.get(SITTINGS), send(kim, text), send(kim, "a,b\n1,2\n")):
        assert page.headers["Content-Language"] == language
        assert not re.findall(r"\{[a-z_]*\}", content(page))


@SQLITE
def test_the_pages_cost_as_many_statements_for_sixty_results_as_for_one(kim, lines, container):
    def costs():
        found = []
        for path in (HERE, SITTINGS):
            with counted(container) as sent:
                assert kim.get(path).status_code == 200
            found.append(len(sent))
        return found

    def store(text):
        page = send(kim, text)
        fingerprint = re.findall(r'name="fingerprint" value="(\w+)"', page.text)[0]
        assert send(kim, text, fingerprint=fingerprint).status_code == 303

    store(lines(1))
    before = costs()
    store(lines(60))
    assert costs() == before
    more = re.findall(r'href="/center(\?after=[^"]+)"', kim.get(HERE).text)[0]
    assert content(kim.get(HERE + more)).count('<th role="rowheader"') == 11
