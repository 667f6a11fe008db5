"""web/credentials/funding.py: a sponsor's report of those whose cases it manages, and its file."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from tests import factories
from tests.browsers import content
from tests.statements import counted
from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.domain.permissions import SYSTEM, Actor
from tracker.language.catalogues import LANGUAGES
from tracker.services.credentials import assessments, managed_cases, sponsors

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
HERE = "/sponsor/funding"
DAYS = "since=2026-04-01&until=2026-06-30"


@pytest.fixture
def board(container):
    """A workforce board on record; the id."""
    with container.work(SYSTEM) as work:
        return sponsors.DIRECTORY.enter(work, name="Board").id


@pytest.fixture
def kim(enter, board):
    return enter("sponsor", sponsor_id=board, access="view")


@pytest.fixture
def followed(container, board):
    """Somebody with an attempt that two pay for, who lets the board see it or does not."""

    def made(*, agrees=True, **values):
        attempt = AttemptToRecord(
            scheme="cpt",
            module="safety",
            taken_on=date(2026, 5, 12),
            passed=True,
            funding="wioa",
            amount=Decimal("30.00"),
            funding_reference="V-17",
            more_funding=[{"funding": "self", "amount": "15.00", "funding_reference": None}],
        )
        with container.work(SYSTEM) as work:
            holder_id = factories.holder(work, **values)
            assessments.record(work, holder_id, attempt)
            case_id = managed_cases.register(work, holder_id, board)
        by = Actor(role="holder", name="Ana", holder_id=holder_id)
        if agrees:
            with container.work(by) as work:
                managed_cases.consent(work, case_id)
        return by, case_id

    return made


def test_a_sponsor_sees_who_paid_for_those_who_agreed_until_they_end_it(kim, followed, container):
    followed(agrees=False, given_name="Bea")
    assert f'href="{HERE}"' in kim.get("/sponsor").text
    assert "There are no attempts" in content(kim.get(HERE))
    by, case_id = followed(given_name="Ana", family_name="Ruiz")
    page = content(kim.get(HERE))

    assert "Attempts: 1. Paid: $45.00." in page
    rows = re.findall(r"<tr><td>(.*?)</td></tr>", page)
    assert [row.split("</td><td>") for row in rows] == [
        ["April 1, 2026 to June 30, 2026", who, "Not stated", "Passed", "1", amount]
        for who, amount in (("The candidate", "$15.00"), ("WIOA", "$30.00"))
    ]
    attempts = content(kim.get(f"{HERE}/attempts?{DAYS}"))
    for told in ("Ana Ruiz", "Safety", "May 12, 2026", "WIOA: $30.00 (V-17); The candidate: $15"):
        assert told in attempts
    assert "Bea" not in attempts

    with container.work(by) as work:
        managed_cases.end_consent(work, case_id)
    assert "There are no attempts" in content(kim.get(HERE))
    assert "Ana" not in content(kim.get(f"{HERE}/attempts?{DAYS}"))


def test_the_report_is_a_file_too_of_the_days_and_periods_of_the_page(kim, followed):
    followed()
    page = kim.get(f"{HERE}?{DAYS}&period=month").text
    (address,) = re.findall(r'href="([^"]+\.csv\?[^"]+)"', page)
    file = kim.get(address.replace("&amp;", "&"))

    assert file.status_code == 200
    assert 'filename="funding-2026-04-01-2026-06-30.csv"' in file.headers["Content-Disposition"]
    header, *lines = file.text.splitlines()
    assert header.startswith("starts_on,ends_on,funding")
    assert [line[:21] for line in lines] == ["2026-05-01,2026-05-31"] * 2
    assert "no-store" in file.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=x", "since"),
        ("until=x", "until"),
        ("since=2026-12-31&until=2026-01-01", "until"),
        ("period=week", "period"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_shown_instead(kim, followed, query, field):
    followed()
    page = kim.get(f"{HERE}?{query}")

    assert (page.status_code, f'href="#{field}"' in page.text) == (422, True)
    assert "Paid:" not in page.text
    assert kim.get(f"{HERE}.csv?{query}").location.startswith(f"{HERE}?")


def test_the_pages_are_for_sponsors(enter, kim):
    staff = enter("staff")
    for path in (HERE, f"{HERE}.csv", f"{HERE}/attempts"):
        assert kim.get(path).status_code == 200
        assert staff.get(path).status_code == 404
    assert kim.get(f"{HERE}/attempts?since=x").location.startswith(f"{HERE}?since=x")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak_every_language(kim, followed, language):
    followed()
    for path in (HERE, f"{HERE}/attempts"):
        page = kim.get(path, headers={"Accept-Language": language})
        assert page.headers["Content-Language"] == language
        assert not re.findall(r"\{[a-z_]*\}", content(page))


def test_more_people_cost_no_more_statements_and_are_on_the_next_page(kim, followed, container):
    def cost():
        with counted(container) as sent:
            for path in (HERE, f"{HERE}/attempts"):
                assert kim.get(path).status_code == 200
        return len(sent)

    followed()
    before = cost()
    for _ in range(51):
        followed()
    assert cost() == before
    (more,) = re.findall(r'href="([^"]+after=[^"]+)"', content(kim.get(f"{HERE}/attempts")))
    assert content(kim.get(more.replace("&amp;", "&"))).count("V-17") == 2
