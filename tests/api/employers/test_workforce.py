"""What an employer sees of its workers, over HTTP: the list, one, the numbers, the files."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import openpyxl  # type: ignore[import-untyped, unused-ignore]
import pytest
from sqlalchemy import select, update

from tests import factories
from tests.api.employers import employer_cases
from tests.api.employers.employer_cases import everything, read
from tests.backends import SQLITE
from tests.statements import counted
from tracker.api.employers import workforce as api
from tracker.api.http.schemas import ProblemSchema, page_of
from tracker.domain.employers.workforce import WORKER_STATUSES, urgency
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.models import Certification, Holder, Sharing
from tracker.services.credentials import certifications
from tracker.services.points import activities, activity_decisions, activity_rows

NOBODY = "01900000-0000-7000-8000-000000000000"
TODAY = date(2026, 11, 21)
KEYS = {
    "id",
    "employee_id",
    "site",
    "department",
    "shift",
    "shared",
    "reason",
    "reason_on",
    "name",
    "certificate_number",
    "status",
    "valid",
    "expires_on",
    "window_opens_on",
    "window_closes_on",
    "days_left",
    "points",
    "modules",
}


@pytest.fixture
def acme(container):
    return employer_cases.company(container)


@pytest.fixture
def hr(caller, acme):
    return caller("employer", employer_id=acme.id)


@pytest.fixture
def motley(acme):
    """Workers of every kind."""
    acme.hire("active", "active2", awarded_on=date(2024, 6, 1), site="Chicago", department="D1")
    acme.hire("soon", awarded_on=date(2021, 12, 11), site="Chicago")  # 20 days left
    acme.hire("open", awarded_on=date(2022, 1, 30), site="Austin", shift="night")  # 70
    acme.hire("later", awarded_on=date(2022, 4, 1), site="Austin")  # 131
    acme.hire("gone", "gone2", awarded_on=date(2021, 9, 1), site="Chicago")
    acme.hire("suspended", "revoked", awarded_on=date(2022, 1, 1), department="D1")
    acme.hire("new", awarded_on=None, site="Chicago")
    acme.hire("shy", shared=False, site="Chicago")
    acme.hire("stranger", known=False, site="Austin")
    acme.hire("left", ended_on=date(2026, 11, 21))
    acme.hire("leaving", ended_on=date(2026, 11, 22), awarded_on=date(2024, 1, 1))
    change(acme, "suspended", "suspend", date(2026, 10, 1))
    change(acme, "revoked", "revoke", date(2026, 10, 1))
    return acme


def change(acme, employee_id, kind, on):
    with acme.container.work(SYSTEM) as work:
        held = factories.certification(work, acme.holders[employee_id], "cpt")
        certifications.change(
            work, held.id, kind=kind, effective_on=on, reason_code="other", reason="A test."
        )


def earn(acme, employee_id, points):
    with acme.container.work(SYSTEM) as work:
        held = factories.certification(work, acme.holders[employee_id], "cpt")
        course = {
            "category": "CE",
            "type": "third_party",
            "title": "Secret title",
            "quantity": Decimal(points),
            "completed_on": date(2026, 1, 5),
        }
        made = activities.log(work, held.id, course)
        activities.submit(work, made)
        version = activity_rows.get(work, made).version
        activity_decisions.decide(
            work,
            made,
            activity_decisions.ReviewerDecision(ActivityVerdict.APPROVED),
            version=version,
        )


def shown(who, acme, **query):
    return everything(who, acme.path("/workforce"), **query)


def by_number(rows):
    return {row["employee_id"]: row for row in rows}


def test_a_worker_without_consent_is_not_shared_and_has_no_data(motley, hr):
    rows = by_number(shown(hr, motley))
    for number in ("shy", "stranger"):
        row = rows[number]
        assert (row["status"], row["shared"]) == ("not_shared", False)
        told = {key for key, value in row.items() if value is not None}
        assert told == {"id", "employee_id", "site", "shared", "status", "reason"}
        assert hr.get(motley.path(f"/workforce/{row['id']}")).status_code == 404
    assert "left" not in rows
    assert rows["new"]["status"] == "not_certified"


def test_an_unlinked_worker_answers_as_an_unknown_one(motley, hr):
    ids = (motley.entries["shy"], motley.entries["stranger"], motley.entries["left"], NOBODY)
    bodies = [
        read(ProblemSchema, hr.get(motley.path(f"/workforce/{id_}")), 404) | {"request_id": ""}
        for id_ in ids
    ]
    assert bodies == [bodies[0]] * len(ids)


def test_the_employer_sees_the_allowed_keys_and_no_others(motley, hr, container):
    earn(motley, "soon", 30)
    answer = hr.get(motley.path(f"/workforce/{motley.entries['soon']}"))
    row = read(api.WorkerStandingSchema, answer)
    assert row.keys() == KEYS
    assert row["points"] == {
        "counted": "30.00",
        "required": "100.00",
        "missing": "70.00",
        "verified": False,
    }
    assert (row["status"], row["days_left"], row["expires_on"]) == (
        "renewal_open",
        20,
        "2026-12-11",
    )
    listed = hr.get(motley.path("/workforce"))
    read(page_of(api.WorkerStandingSchema), listed)
    with container.reading(SYSTEM) as reading:
        holder = reading.row(
            select(Holder.email, Holder.ref).where(Holder.id == motley.holders["soon"])
        )
    for text in (listed.text, answer.text, hr.get(motley.path("/workforce.csv")).text):
        for secret in (holder.email, holder.ref, "Secret title", "@example.org"):
            assert secret not in text


def test_points_are_shown_to_whom_the_holder_shows_them(acme, hr):
    acme.hire("with")
    acme.hire("without", with_points=False)
    rows = by_number(shown(hr, acme))
    assert rows["with"]["points"]["required"] == "100.00"
    assert rows["without"]["points"] is None
    assert rows["without"]["status"] == "active"


def test_the_end_of_consent_takes_effect_at_once(acme, hr, caller):
    acme.hire("1")
    one = acme.path(f"/workforce/{acme.entries['1']}")
    assert hr.get(one).status_code == 200
    ana = caller("holder", holder_id=acme.holders["1"])
    assert ana.delete(f"/me/sharing/{acme.sharing_of('1')}").status_code == 204
    assert hr.get(one).status_code == 404
    for day in ("2024-01-01", "2026-11-21", "2028-01-01"):
        assert [row["status"] for row in shown(hr, acme, as_of=day)] == ["not_shared"]
    assert "CPT-" not in hr.get(acme.path("/workforce.csv")).text


def test_consent_opens_its_own_day_and_later_ones_and_none_before(acme, hr, container):
    acme.hire("1", awarded_on=date(2021, 12, 11))
    days = ("2026-09-11", "2026-11-20", "2026-11-21", "2026-12-12")
    told = {day: shown(hr, acme, as_of=day)[0]["status"] for day in days}
    assert list(told.values()) == ["not_shared", "not_shared", "renewal_open", "expired"]
    before = shown(hr, acme, as_of="2026-11-20")[0]
    assert (before["name"], before["certificate_number"], before["expires_on"]) == (None,) * 3
    one = acme.path(f"/workforce/{acme.entries['1']}")
    assert hr.get(f"{one}?as_of=2026-11-20").status_code == 404
    signed = update(Sharing).values(consented_on=date(2021, 12, 1))  # as a file may bring it
    with container.work(SYSTEM) as work:
        work.connection.execute(signed)
    assert shown(hr, acme, as_of="2021-12-10")[0]["status"] == "not_certified"
    assert shown(hr, acme, as_of="2021-12-11")[0]["status"] == "active"


def test_anothers_workforce_is_unknown_whatever_else_is_sent(container, hr, acme):
    other = employer_cases.company(container, "Other")
    other.hire("1")
    for rest in ("", "/summary", "/forecast", ".csv", ".xlsx", f"/{other.entries['1']}"):
        theirs = hr.get(other.path(f"/workforce{rest}"))
        unknown = hr.get(f"/employers/{NOBODY}/workforce{rest}")
        assert theirs.status_code == 404
        assert theirs.json | {"request_id": ""} == unknown.json | {"request_id": ""}
    mixed = hr.get(acme.path(f"/workforce/{other.entries['1']}"))
    assert mixed.status_code == 404
    asked = hr.get(acme.path("/workforce"), query_string={"employer_id": other.id})
    assert (asked.status_code, asked.json["errors"][0]["field"]) == (422, "employer_id")
    headers = {"X-Org-Id": other.id}
    assert hr.get(acme.path("/workforce"), headers=headers).json["items"] == []


NO_SENSE: list[dict[str, str]] = [
    {"limit": "201"},
    {"after": "bm9wZQ=="},
    {"after": "MjAyNi0wMS0wMS9ub3Bl"},
    {"status": "in_progress"},
    {"sort": "name"},
    {"as_of": "2026-02-30"},
    {"scheme": "nope"},
    {"valid": "1"},
    {"known_at": "2026-01-01T00:00:00Z"},
]


@SQLITE
def test_a_parameter_that_makes_no_sense_is_refused(acme, hr):
    for query in NO_SENSE:
        answer = hr.get(acme.path("/workforce"), query_string=query)
        assert answer.status_code == 422, query
        assert answer.json["errors"][0]["field"] == next(iter(query))


def test_the_most_urgent_come_first_on_pages_of_any_length(motley, hr):
    for limit in (1, 4, 200):
        rows = shown(hr, motley, limit=limit)
        numbers = [row["employee_id"] for row in rows]
        assert len(numbers) == len(set(numbers)) == 13, limit
        days = [
            urgency(row["expires_on"] and date.fromisoformat(row["expires_on"])) for row in rows
        ]
        assert days == sorted(days), limit
        assert [rows[0]["status"], rows[1]["status"]] == ["expired", "expired"], limit
        assert set(numbers[-3:]) == {"new", "shy", "stranger"}, limit


def test_the_list_comes_by_the_employers_own_number_if_asked(motley, hr):
    for limit in (1, 5, 200):
        rows = shown(hr, motley, limit=limit, sort="employee_id")
        assert [row["employee_id"] for row in rows] == sorted(motley.entries.keys() - {"left"}), (
            limit
        )


def test_the_link_to_the_next_page_keeps_the_question(motley, hr):
    page = hr.get(motley.path("/workforce"), query_string={"site": "Chicago", "limit": 2})
    link = page.headers["Link"].partition(">")[0].removeprefix("<")
    following = hr.get(link.removeprefix("/api/v1"))
    assert {row["site"] for row in following.json["items"]} == {"Chicago"}


FILTERS = [
    ({"site": "Austin"}, {"open", "later", "stranger"}),
    ({"department": "D1", "valid": "false"}, {"suspended", "revoked"}),
    ({"shift": "night"}, {"open"}),
    ({"employee_id": "GONE"}, {"gone", "gone2"}),
    ({"employee_id": "g%"}, set()),
    ({"status": "not_shared"}, {"shy", "stranger"}),
    ({"status": "expired", "site": "Chicago"}, {"gone", "gone2"}),
    ({"valid": "true"}, {"active", "active2", "soon", "open", "later", "leaving"}),
    ({"expires_from": "2026-12-11", "expires_until": "2027-01-30"}, {"soon", "open"}),
]


def test_filters_keep_the_workers_asked_for(motley, hr):
    for query, numbers in FILTERS:
        assert {row["employee_id"] for row in shown(hr, motley, **query)} == numbers, query


ASKED = [
    {"as_of": "2026-11-21"},
    {"as_of": "2024-01-01", "site": "Chicago"},
    {"as_of": "2026-12-12", "department": "D1"},
    {"as_of": "2029-07-01", "site": "Austin"},
]


def test_every_number_opens_as_many_rows_as_it_counts(motley, hr):
    for asked in ASKED:
        answer = hr.get(motley.path("/workforce/summary"), query_string=asked)
        found = read(api.SummarySchema, answer)
        numbers = [found["total"], found["valid"], *found["statuses"], *found["due"]]
        ahead = hr.get(motley.path("/workforce/forecast"), query_string=asked)
        numbers += read(api.ForecastSchema, ahead)["months"]
        for number in numbers:
            link = number["link"].removeprefix("/api/v1")
            assert len(everything(hr, link)) == number["count"], link
        assert sum(one["count"] for one in found["statuses"]) == found["total"]["count"], asked
        assert [one["status"] for one in found["statuses"]] == list(WORKER_STATUSES), asked


def test_the_summary_tells_its_thresholds_and_counts_both_ends(acme, hr):
    for days in (0, 30, 31, 90, 91, 180, 181):
        day = TODAY + timedelta(days=days)
        acme.hire(str(days), awarded_on=day.replace(year=day.year - 5))
    acme.hire("yesterday", awarded_on=date(2021, 11, 20))
    found = hr.get(acme.path("/workforce/summary")).json
    assert [(one["days"], one["until_on"], one["count"]) for one in found["due"]] == [
        (180, "2027-05-20", 6),
        (90, "2027-02-19", 4),
        (30, "2026-12-21", 2),
    ]
    assert (found["valid"]["count"], found["not_shared"]["count"]) == (7, 0)


def test_the_forecast_has_24_months_and_leaves_out_what_does_not_fall_due(motley, hr):
    months = hr.get(motley.path("/workforce/forecast")).json["months"]
    assert (months[0]["month"], months[-1]["month"], len(months)) == ("2026-11", "2028-10", 24)
    assert {m["month"]: m["count"] for m in months if m["count"]} == {
        "2026-12": 1,
        "2027-01": 1,
        "2027-04": 1,
    }


FIELDS = (
    "employee_id",
    "site",
    "department",
    "shift",
    "shared",
    "not_shared_reason",
    "name",
    "certificate_number",
    "status",
    "valid",
    "expires_on",
    "window_opens_on",
    "window_closes_on",
    "days_left",
)


def _cells(row):
    points = row["points"] or {"counted": None, "required": None}
    row["not_shared_reason"] = row["reason"]
    values = [row[key] for key in FIELDS] + [points["counted"], points["required"]]
    words = {None: "", True: "true", False: "false"}
    return [words[v] if v is None or isinstance(v, bool) else str(v) for v in values]


QUERIES: list[dict[str, str]] = [
    {},
    {"site": "Chicago"},
    {"status": "expired"},
    {"as_of": "2028-01-01", "valid": "true"},
    {"sort": "employee_id"},
]


def test_the_files_equal_the_screen(motley, hr):
    earn(motley, "active", 12)
    for query in QUERIES:
        screen = [_cells(row) for row in shown(hr, motley, **query)]
        answer = hr.get(motley.path("/workforce.csv"), query_string=query | {"points": "true"})
        assert answer.content_type == "text/csv; charset=utf-8", query
        header, *lines = csv.reader(io.StringIO(answer.text))
        assert header == ["as_of", "scheme", *FIELDS, "points_counted", "points_required"], query
        assert [line[2:] for line in lines] == screen, query
        assert {line[0] for line in lines} == {query.get("as_of", "2026-11-21")}, query
        quick = hr.get(motley.path("/workforce.csv"), query_string=query)
        _, *lines = csv.reader(io.StringIO(quick.text))
        assert [line[2:] for line in lines] == [cells[:-2] for cells in screen], query
        book = hr.get(motley.path("/workforce.xlsx"), query_string=query)
        rows = list(
            openpyxl.load_workbook(io.BytesIO(book.data)).worksheets[0].iter_rows(values_only=True)
        )
        assert [row[2] for row in rows[1:]] == [cells[0] for cells in screen], query
        assert [row[10] for row in rows[1:]] == [cells[8] for cells in screen], query


def test_the_files_tell_day_and_filter_in_their_names(motley, hr):
    query = {"status": "expired", "site": "Chicago", "as_of": "2026-12-01"}
    name = "workforce_cpt_2026-12-01_status-expired_site-Chicago"
    for ending in ("csv", "xlsx"):
        answer = hr.get(motley.path(f"/workforce.{ending}"), query_string=query)
        disposition = answer.headers["Content-Disposition"].replace('"', "")
        assert disposition == f"attachment; filename={name}.{ending}"
    answer = hr.get(motley.path("/workforce.csv"), query_string={"site": '"; ../x'})
    assert answer.headers["Content-Disposition"].endswith('site-.-..-x.csv"') is False
    assert "../" not in answer.headers["Content-Disposition"]


FORMULAS = ["=HYPERLINK()", "\t=1", " @x", "＝1", "+1", "-1"]  # noqa: RUF001 - these signs are meant


@SQLITE
def test_no_cell_of_a_file_is_a_formula(acme, hr, container):
    for name in FORMULAS:
        acme.hire(name, site=name)
        with container.work(SYSTEM) as work:
            work.session.get(Holder, acme.holders[name]).given_name = name
    _, *lines = csv.reader(io.StringIO(hr.get(acme.path("/workforce.csv")).text))
    assert sorted(line[2] for line in lines) == sorted(f"'{name}" for name in FORMULAS)
    for line in lines:
        assert line[2] == line[3]
        assert line[8].startswith(f"{line[2]} ")
    book = openpyxl.load_workbook(io.BytesIO(hr.get(acme.path("/workforce.xlsx")).data))
    cells = [cell for row in book.worksheets[0].iter_rows(min_row=2) for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}


@pytest.mark.parametrize("rest", ["", "/summary", "/forecast", ".csv", ".csv?points=true"])
def test_a_list_costs_as_many_statements_for_150_workers_as_for_5(acme, hr, container, rest):
    path, _, more = rest.partition("?")
    url = acme.path(f"/workforce{path}") + (f"?{more}" if more else "")
    url += "?limit=200" if not rest else ""
    acme.hire(*(f"A{n}" for n in range(5)))
    hr.get(url)
    with counted(container) as few:
        assert hr.get(url).get_data()
    acme.hire(*(f"B{n}" for n in range(145)))
    earn(acme, "B1", 5)
    with counted(container) as many:
        assert hr.get(url).get_data()
    # The use of the token and the look are counted; of a file also what the history tells of it.
    most = {".csv?points=true": 14, ".csv": 12}.get(rest, 8)
    assert len(few) == len(many) <= most


def test_a_voided_certification_is_none(acme, hr, container):
    acme.hire("1")
    with container.work(SYSTEM) as work:
        held = factories.certification(work, acme.holders["1"], "cpt")
        work.session.get(Certification, held.id).withdrawn_at = work.now
    (row,) = shown(hr, acme)
    assert (row["status"], row["certificate_number"]) == ("not_certified", None)


def test_another_scheme_is_asked_about_by_its_code(acme, hr):
    acme.hire("1")
    assert [row["status"] for row in shown(hr, acme, scheme="clt")] == ["not_certified"]
