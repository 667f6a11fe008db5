"""web/employers/workforce.py: the numbers, the list, its files and the report, for one employer."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import func, select

from tests.api.employers import employer_cases
from tests.browsers import content
from tests.statements import counted
from tests.web.test_frame import links
from tracker.domain.permissions import SYSTEM
from tracker.language.catalogues import LANGUAGES
from tracker.models import EmployerLook

pytestmark = [
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("crew"),
]
HERE = "/employer"


@pytest.fixture
def crew(acme):
    """Two who expire on December 11, one in May, one who has, one who shares nothing."""
    acme.hire("1", "2", awarded_on=date(2021, 12, 11), site="Plant 2")
    acme.hire("3", awarded_on=date(2022, 6, 1), shift="B")
    acme.hire("4", awarded_on=date(2021, 11, 1))
    acme.hire("5", shared=False)
    return acme


def numbers(page):
    """The numbers of the parts, by their addresses."""
    found = re.findall(r'href="([^"]+)"[^>]*><svg class="key".*?<strong>(\d+)</strong>', page.text)
    codes = [re.findall(r"segment=(\w+)", href)[0] for href, _ in found]
    return {code: (href, int(count)) for code, (href, count) in zip(codes, found, strict=True)}


def rows(page):
    return re.findall(r'<tr role="row"><th role="rowheader".*?</tr>', page.text, re.DOTALL)


def test_every_number_opens_its_rows(hr):
    page = hr.get(HERE)
    parts = numbers(page)

    assert "<strong>5 workers</strong> as of November 21, 2026" in page.text
    assert {code: n for code, (_, n) in parts.items() if n} == {
        "past": 1,
        "due_first": 2,
        "later": 1,
        "not_shared": 1,
    }
    for href, count in parts.values():
        assert len(rows(hr.get(href.replace("&amp;", "&")))) == count, href
    months = re.findall(r'<td><a href="([^"]+)">(\d+)</a></td>', page.text)
    assert [int(n) for _, n in months] == [2, 1]
    for href, count in months:
        assert len(rows(hr.get(href.replace("&amp;", "&")))) == int(count), href


def test_the_most_urgent_come_first_and_a_worker_who_shares_nothing_is_a_number(hr):
    found = rows(hr.get(HERE))

    assert "Expired" in found[0]
    assert "December 11, 2026" in found[1]
    assert "20 days left" in found[1]
    assert ">5</a>" in found[-1]
    assert "Not shared" in found[-1]
    assert "Ana" not in found[-1]


def test_a_filter_stays_in_every_address_of_the_list(hr):
    page = hr.get(f"{HERE}?segment=due_first&site=Plant+2&limit=1")
    text = page.text

    assert "Shown: Due in 30 days or less; Site Plant 2." in text
    assert "workers.csv?site=Plant+2&amp;segment=due_first" in text
    more = re.findall(r'href="([^"]+)">Next page', text)[0].replace("&amp;", "&")
    assert "site=Plant+2" in more
    assert numbers(page)["past"][1] == 0
    following = hr.get(more)
    assert len(rows(following)) == 1
    assert rows(following) != rows(page)
    assert "Next page" not in following.text


def test_the_file_and_the_report_say_what_the_list_says(hr):
    query = "?segment=due_first"
    listed = rows(hr.get(HERE + query))
    lines = hr.get(f"{HERE}/workers.csv{query}").text.splitlines()
    report = content(hr.get(f"{HERE}/report{query}"))

    assert len(lines) - 1 == len(listed) == report.count('<th scope="row">') == 2
    assert "Checked at" in report
    assert "November 21, 2026, 12:00 EST" in report
    assert "Due in 30 days or less" in report
    book = hr.get(f"{HERE}/workers.xlsx{query}")
    assert book.data.startswith(b"PK")
    assert "segment-due_first.xlsx" in book.headers["Content-Disposition"]


def test_a_look_is_on_record_before_anything_is_shown(hr, container):
    for path in (HERE, f"{HERE}/workers.csv", f"{HERE}/report"):
        assert hr.get(path).status_code == 200
    with container.reading(SYSTEM) as reading:
        found = reading.rows(select(EmployerLook.kind, EmployerLook.workers))

    assert sorted(map(tuple, found)) == [("file", 4), ("file", 4), ("list", 4), ("numbers", 4)]


@pytest.mark.parametrize("query", ["?as_of=tomorrow", "?segment=x", "?scheme=x", "?after=x"])
def test_a_filter_that_cannot_be_read_shows_everyone_and_says_so(hr, query):
    page = hr.get(HERE + query)

    assert "everyone is shown" in page.text
    assert len(rows(page)) == 5


def test_a_filter_that_cannot_be_read_makes_no_file_and_no_report(hr, container):
    for path in ("workers.csv", "workers.xlsx", "report"):
        assert hr.get(f"{HERE}/{path}?segment=x&site=A").location == f"{HERE}?segment=x&site=A"
    with container.reading(SYSTEM) as reading:
        assert reading.rows(select(EmployerLook.id)) == []


def test_another_day_is_said_and_kept(hr):
    page = hr.get(f"{HERE}?as_of=2027-06-01")

    assert "as of June 1, 2027" in page.text
    assert "Consent is always today" in page.text
    assert all("as_of=2027-06-01" in href for href, _ in numbers(page).values())


def test_whoever_has_listed_nobody_is_told_what_to_do(enter, container):
    globex = employer_cases.company(container, "Globex")
    for access, finds in (("manage", True), ("view", False)):
        who = enter("employer", employer_id=globex.id, access=access, email=f"{access}@example.net")
        page = content(who.get(HERE))
        assert "You haven" in page
        assert ('role="button" href="/employer/roster"' in page) is finds


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak_every_language(hr, language):
    for path in (HERE, f"{HERE}/report"):
        page = hr.get(path, headers={"Accept-Language": language})
        assert page.status_code == 200
        assert page.headers["Content-Language"] == language
        assert "{" not in content(page)


def test_the_page_is_for_an_employer_and_has_a_link_for_it(hr, enter):
    assert HERE in links(hr.get(HERE))[0]
    for role in ("staff", "reviewer", "admin"):
        who = enter(role, email=f"{role}@example.net")
        assert who.get(HERE).status_code == 404, role
        assert HERE not in links(who.get("/account"))[0]


def test_the_page_costs_as_many_statements_for_forty_workers_as_for_five(crew, hr, container):
    def cost():
        with counted(container) as sent:
            assert hr.get(HERE).status_code == 200
        return len(sent)

    before = cost()
    crew.hire(*(f"x{n}" for n in range(40)), awarded_on=date(2022, 3, 1), site="Plant 9")
    with container.reading(SYSTEM) as reading:
        assert reading.rows(select(func.count()).select_from(EmployerLook))[0][0] == 2

    assert cost() == before
