"""web/employers/roster_imports.py: a list is stored as it was shown before."""

from __future__ import annotations

import hashlib
import io
import re

import pytest
from sqlalchemy import func, select

from tests import factories
from tests.browsers import content
from tracker import tabular
from tracker.domain.permissions import SYSTEM
from tracker.language.catalogues import LANGUAGES
from tracker.models import ImportRun, Message, RosterEntry
from tracker.services.imports import roster_preview

HERE = "/employer/roster"
HEADER = "employer,employee_id,email,certificate_number,site,ended_on\n"
GOOD = f"{HEADER}Acme,1001,ana@example.org,,Plant 2,\nAcme,1002,bo@example.org,,Plant 2,\n"
SQLITE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def send(who, text, name="roster.csv", **more):
    data = text if isinstance(text, bytes) else text.encode()
    token = re.findall(r'name="csrf_token" value="([^"]+)"', who.get("/account").text)[0]
    form = {"file": (io.BytesIO(data), name), "csrf_token": token, **more}
    return who.post(HERE, form, content_type="multipart/form-data")


def fingerprint(page):
    return re.findall(r'name="fingerprint" value="([0-9a-f]{64})"', page.text)[0]


def stored(container):
    with container.reading(SYSTEM) as reading:
        counts = (select(func.count()).select_from(one) for one in (RosterEntry, Message))
        return tuple(reading.rows(count)[0][0] for count in counts)


def test_nothing_is_stored_or_sent_before_the_very_file_is_confirmed(hr, container):
    with container.work(SYSTEM) as work:
        factories.holder(work, email="ana@example.org")
    preview = send(hr, GOOD)

    assert preview.status_code == 200
    assert "<strong>2 workers added</strong>" in preview.text
    assert preview.text.count("<td>Added</td>") == 2
    assert stored(container) == (0, 0)
    other = send(hr, GOOD.replace("1002", "1003"), fingerprint=fingerprint(preview))
    assert "This is not the file that you checked." in other.text
    assert stored(container) == (0, 0)
    done = send(hr, GOOD, fingerprint=fingerprint(preview))
    assert done.location == "/employer?done=stored-2-0-0"
    assert "2 added, 0 changed, 0 as before" in hr.get(done.location).text
    assert stored(container) == (2, 1)
    with container.reading(SYSTEM) as reading:
        (run,) = reading.rows(select(ImportRun.outcome, ImportRun.filename))
    assert tuple(run) == ("stored", "roster.csv")
    again = send(hr, GOOD)
    assert "<strong>2 as before</strong>" in again.text
    assert again.text.count("<td>On your list</td>") == 2


def test_the_companys_name_need_not_stand_in_its_own_file(hr, container):
    text = "employee_id,site\n1001,Plant 2\n1002,Plant 2\n"
    preview = send(hr, text)
    assert "<strong>2 workers added</strong>" in preview.text
    done = send(hr, text, fingerprint=fingerprint(preview))
    assert done.location == "/employer?done=stored-2-0-0"
    assert (
        "<strong>2 as before</strong>" in send(hr, "employer,employee_id\nAcme,1001\n,1002\n").text
    )
    twice = send(hr, "employee_id\n1003\n1003\n")
    assert twice.status_code == 422
    assert "already appears in row 2" in twice.text
    assert stored(container) == (2, 0)


@SQLITE
def test_what_is_wrong_stands_in_the_cell(hr, container):
    text = f"{HEADER}Acme,1,nobody,,,\nAcme,2,,,,11/31/2026\nGlobex,3,,,,\n"
    page = send(hr, text)
    cells = re.findall(r'<td class="faulty">([^<]*)<span class="wrong"[^>]*>([^<]+)', page.text)

    assert page.status_code == 422
    assert "This file has 3 errors. Nothing was stored." in page.text
    assert sorted(value for value, _ in cells) == ["11/31/2026", "Globex", "nobody"]
    assert 'name="fingerprint"' not in page.text
    assert "<title>Error: " in page.text
    assert stored(container) == (0, 0)


@SQLITE
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", "employee_id"),
        (b"%PDF-1.7", "PDF"),
        ("", "empty"),
        (b"PK\x03\x04nonsense", "Row 1"),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_words(hr, text, told):
    page = send(hr, text)

    assert page.status_code == 422
    assert told in content(page)


@SQLITE
def test_a_row_that_may_mean_somebody_listed_already_is_pointed_out(hr, acme, container):
    acme.hire("0042", known=False, shared=False, awarded_on=None)
    acme.hire("7", known=False, shared=False, awarded_on=None, given_email="Ana@example.org")
    page = send(hr, f"{HEADER}Acme,42,,,,\nAcme,1001,ana@example.org,,,\nAcme,1002,,,,\n")

    assert re.findall(r"employee number as (\w+) on your list", page.text) == ["0042", "7"]
    with container.work(SYSTEM) as work:
        factories.holder(work, email="bo@example.org")
    known = send(hr, f"{HEADER}Acme,9,bo@example.org,,,\n")
    unknown = send(hr, f"{HEADER}Acme,9,no@example.org,,,\n")
    tokens = re.compile(r'value="[^"]*"')
    assert tokens.sub("", known.text).replace("bo@", "no@") == tokens.sub("", unknown.text)


@SQLITE
def test_a_workbook_is_read_and_days_as_the_form_says(hr, acme):
    acme.hire("1", known=False, shared=False, awarded_on=None)
    book = io.BytesIO()
    header = ("employer", "employee_id", "ended_on")
    tabular.write_xlsx(book, header, [("Acme", "1", "11/20/2026")])
    assert send(hr, book.getvalue(), "roster.xlsx").status_code == 422
    page = send(hr, book.getvalue(), "roster.xlsx", dates="us")

    assert page.status_code == 200
    assert "<td>Employment ends</td>" in page.text
    assert 'name="dates" value="us"' in page.text
    done = send(hr, book.getvalue(), dates="us", fingerprint=fingerprint(page))
    assert done.location == "/employer?done=stored-0-1-0"


@SQLITE
def test_the_list_is_saved_in_the_form_in_which_it_is_uploaded(hr, acme):
    acme.hire("1", "2", shared=False, site="Plant 2", given_email="ana@example.org")
    saved = hr.get(f"{HERE}/current.csv")

    assert saved.headers["Content-Disposition"] == 'attachment; filename="roster.csv"'
    page = send(hr, saved.data)
    assert page.status_code == 200
    assert "<strong>2 as before</strong>" in page.text


@SQLITE
def test_no_file_and_too_large_a_file_are_refused(hr, container):
    assert hr.send_form(HERE).status_code == 422
    limit = container.settings.imports.employer_maximum_bytes
    body = b"x" * (limit + 100_000)
    page = hr.post(HERE, body, content_type="multipart/form-data; boundary=y")
    assert page.status_code == 413
    assert "too large" in page.text


@SQLITE
def test_only_those_who_manage_upload(viewer, hr, enter):
    holder_like = enter("staff", email="s@example.net")
    for who in (viewer, holder_like):
        assert who.get(HERE).status_code == 404
        assert who.get(f"{HERE}/current.csv").status_code == 404
        assert send(who, GOOD).status_code == 404
    assert HERE not in content(viewer.get("/employer"))
    assert HERE in content(hr.get("/employer"))


@SQLITE
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak_every_language(hr, language):
    hr.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    for page in (hr.get(HERE), send(hr, GOOD), send(hr, f"{HEADER}Globex,1,,,,\n")):
        assert page.headers["Content-Language"] == language
        assert not re.findall(r"\{[a-z_]*\}", content(page))


@SQLITE
def test_a_long_file_is_shown_by_its_beginning(hr):
    lines = "".join(f"Acme,{n},,,,\n" for n in range(1000, 1300))
    page = send(hr, HEADER + lines)

    assert "<strong>300 workers added</strong>" in page.text
    assert page.text.count("<td>Added</td>") == roster_preview.FIRST


def test_who_is_not_in_the_file_is_named_and_ended_only_if_asked_for(hr, acme, container):
    acme.hire("1001", "1002", "0900")
    file = "employer,employee_id\nAcme,1001\n"
    preview = send(hr, file)
    page = content(preview)

    assert "2 workers are on your list and not in this file" in page
    assert "<p>0900, 1002</p>" in page
    assert 'name="ends_missing" value="yes"' in page
    seen = fingerprint(preview)
    assert send(hr, file, fingerprint=seen).location == "/employer?done=stored-0-0-1"
    assert current(container) == {"0900", "1001", "1002"}
    send(hr, file, fingerprint=seen, ends_missing="yes")
    assert current(container) == {"1001"}
    assert "ends_missing" not in send(hr, file).text


def test_a_number_that_is_written_otherwise_is_in_the_file_all_the_same(hr, acme):
    acme.hire("José 1", "2")
    preview = send(hr, "employee_id\nJose\u0301  1\n")

    assert "<strong>1 as before</strong>" in preview.text
    assert "<p>2</p>" in content(preview)


def test_a_file_without_rows_is_no_whole_list(hr, acme, container):
    acme.hire("1001")
    file = "employee_id\n"
    preview = send(hr, file)
    assert "ends_missing" not in preview.text
    seen = hashlib.sha256(file.encode()).hexdigest()
    send(hr, file, fingerprint=seen, ends_missing="yes")
    assert current(container) == {"1001"}


def current(container):
    """The numbers of those whose employment has not ended."""
    with container.reading(SYSTEM) as reading:
        statement = select(RosterEntry.employee_id).where(RosterEntry.ended_on.is_(None))
        return {row.employee_id for row in reading.rows(statement)}
