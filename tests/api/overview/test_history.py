"""api/overview/history.py, services/overview/history_pages.py: who changed what to what."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, text

from tests import factories
from tests.backends import SQLITE
from tests.statements import counted
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Base, HistoryValue
from tracker.services.core import history
from tracker.services.employers import employers
from tracker.services.overview import history_erasure, history_pages
from tracker.services.overview.history_pages import HistoryFilter

COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Robots",
    "quantity": "8",
    "completed_on": "2026-01-05",
}


@pytest.fixture
def ids(container):
    return factories.certified(
        container, date(2024, 3, 1), given_name="Ana", family_name="Soto", email="ana@example.org"
    )


@pytest.fixture
def path(ids):
    return f"/holders/{ids[0]}"


def patch(caller, path, body):
    return caller.patch(path, body, version=caller.get(path).headers["ETag"])


def test_a_correction_is_told_with_the_values_before_and_after(staff, path, ids):
    body = {
        "family_name": "Ruiz",
        "email": "r@example.org",
        "second_email": "s@example.org",
        "language": "es",
        "time_zone": "America/Denver",
        "reason": "By telephone",
    }
    patch(staff, path, body)

    (line,) = staff.get(f"/history?subject=holder&subject_id={ids[0]}&action=correct").json["items"]
    assert {c["field"]: (c["before"], c["after"]) for c in line["changes"]} == {
        "family_name": ("Soto", "Ruiz"),
        "email": ("ana@example.org", "r@example.org"),
        "second_email": (None, "s@example.org"),
        "language": ("en", "es"),
        "time_zone": ("America/New_York", "America/Denver"),
    }
    assert (line["detail"], line["at"]) == ({"reason": "By telephone"}, "2026-11-21T17:00:00Z")
    assert line["actor"].startswith("staff-")


def test_what_changes_nothing_leaves_no_line(staff, path, ids):
    patch(staff, path, {"family_name": "Soto"})
    assert staff.get(f"/history?subject_id={ids[0]}&action=correct").json["items"] == []


def test_an_edited_activity_and_a_renamed_employer_tell_their_values(container, staff, ids):
    made = staff.post(f"/certifications/{ids[1]}/activities", COURSE).json
    patch(staff, f"/activities/{made['id']}", {"title": "Robot Safety", "quantity": "9"})
    (edit, log) = staff.get(f"/activities/{made['id']}/history").json["items"]
    assert (edit["action"], log["action"]) == ("edit", "log")
    assert edit["changes"] == [
        {"field": "quantity", "before": "8.00", "after": "9.00"},
        {"field": "title", "before": "Robots", "after": "Robot Safety"},
    ]

    with container.work(SYSTEM) as work:
        acme = employers.register(work, name="Acme", email="hr@acme.example").id
    patch(staff, f"/employers/{acme}", {"name": "Acme Inc", "email": "x@acme.example"})
    staff.call("PUT", f"/employers/{acme}/digest", json={"every": "week", "language": "en"})
    lines = staff.get(f"/employers/{acme}/history").json["items"]
    changed = next(line["changes"] for line in lines if line["action"] == "correct")
    assert changed == [
        {"field": "email", "before": "hr@acme.example", "after": "x@acme.example"},
        {"field": "name", "before": "Acme", "after": "Acme Inc"},
    ]


def test_a_persons_history_is_that_of_all_their_records_and_of_nobody_elses(
    container, staff, path, ids, caller
):
    factories.certified(container, date(2024, 3, 1))
    caller("holder", holder_id=ids[0]).post(f"/certifications/{ids[1]}/activities", COURSE)
    patch(caller("holder", holder_id=ids[0]), path, {"family_name": "Ruiz"})

    lines = staff.get(f"{path}/history?limit=200").json["items"]
    assert {(line["subject"], line["action"]) for line in lines} == {
        ("holder", "register"),
        ("assessment", "record"),
        ("certification", "award"),
        ("activity", "log"),
        ("request", "ask"),
        ("token", "create"),
    }
    assert [line["id"] for line in lines] == sorted((line["id"] for line in lines), reverse=True)
    assert staff.get(f"/history?holder_id={ids[0]}&limit=200").json["items"] == lines
    assert sum(line["subject"] == "assessment" for line in lines) == 4
    own = staff.get(f"/history?holder_id={ids[0]}&action=award").json["items"]
    assert [line["subject_id"] for line in own] == [ids[1]]


def test_records_have_histories_of_their_own(staff, ids):
    told = staff.get(f"/certifications/{ids[1]}/history").json["items"]
    assert [line["action"] for line in told] == ["award"]
    held = staff.get(f"/holders/{ids[0]}/assessments").json["items"]
    for one in held:
        (line,) = staff.get(f"/assessments/{one['id']}/history").json["items"]
        assert (line["subject"], line["subject_id"]) == ("assessment", one["id"])


UNKNOWN = "01900000-0000-7000-8000-000000000000"


PATHS = ["holders", "certifications", "activities", "renewals", "assessments", "employers"]


@SQLITE
def test_only_the_staff_see_history_and_of_nobody_there_is_none(staff, caller, ids):
    own = caller("holder", holder_id=ids[0])
    for path in PATHS:
        assert staff.get(f"/{path}/{UNKNOWN}/history").status_code == 404, path
        assert own.get(f"/{path}/{ids[0]}/history").status_code == 403, path
    assert own.get("/history").status_code == 403
    assert staff.get(f"/history?holder_id={UNKNOWN}").status_code == 404


def test_lines_are_asked_for_by_actor_action_and_day(staff, path, clock):
    patch(staff, path, {"language": "es"})
    clock.set("2026-11-22")
    patch(staff, path, {"language": "en"})
    clock.set("2026-11-24")
    patch(staff, path, {"language": "es"})
    actor = staff.get("/history?action=correct").json["items"][0]["actor"]

    def days(query):
        lines = staff.get(f"/history?action=correct&{query}").json["items"]
        return [int(line["at"][8:10]) for line in lines]

    assert days(f"actor={actor}") == [24, 22, 21]
    assert days("actor=nobody") == []
    assert days("from=2026-11-22") == [24, 22]
    assert days("until=2026-11-22") == [22, 21]
    assert days("from=2026-11-22&until=2026-11-23") == [22]
    assert staff.get("/history?from=yesterday").json["errors"][0]["field"] == "from"


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize("days", ["", "&from=2026-11-21", "&until=2026-11-21"])
def test_pages_follow_one_another_to_the_beginning(staff, days):
    page = staff.get(f"/history?limit=3{days}").json
    found = [line["id"] for line in page["items"]]
    while page["next"]:
        page = staff.get(f"/history?limit=3&after={page['next']}{days}").json
        found += [line["id"] for line in page["items"]]
    everything = staff.get(f"/history?limit=200{days}").json["items"]
    assert len(found) > 6
    assert found == [line["id"] for line in everything]
    assert staff.get("/history?after=eA==").status_code == 422


def test_a_line_names_the_token_and_the_request_that_did_it(app, staff, path, ids):
    version = staff.get(path).headers["ETag"]
    answer = staff.patch(path, {"family_name": "Ruiz"}, version=version)
    (line,) = staff.get(f"/history?subject_id={ids[0]}&action=correct").json["items"]

    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert (line["actor_role"], line["account_id"], line["session_id"]) == ("staff", None, None)
    found = staff.get(f"/history?token_id={line['token_id']}&limit=200").json["items"]
    assert {one["token_id"] for one in found} == {line["token_id"]}
    assert line in found
    assert staff.get(f"/history?token_id={UNKNOWN}").json["items"] == []
    assert staff.get("/history?token_id=x").status_code == 422
    assert app


def test_holders_are_found_by_their_account_and_named_as_long_as_their_name_is_kept(
    container, staff, ids
):
    actor = Actor(
        role="holder", name="Ana Soto", session_id=UNKNOWN, person_id=UNKNOWN, holder_id=ids[0]
    )
    with container.work(actor) as work:
        history.record(work, "log", "activity", UNKNOWN)
    (line,) = staff.get(f"/history?account_id={UNKNOWN}").json["items"]
    assert (line["actor"], line["actor_role"]) == ("Ana Soto", "holder")
    assert line["session_id"] == line["account_id"] == UNKNOWN
    assert (line["token_id"], line["changes"]) == (None, [])

    with container.work(SYSTEM) as work:
        history_erasure.erase_person(work, ids[0], reason="Asked for.")
    (line,) = staff.get(f"/history?account_id={UNKNOWN}").json["items"]
    assert line["actor"] == "holder"
    assert staff.get(f"/history?subject_id={ids[0]}&action=erase").json["items"]


def test_every_record_of_a_person_is_part_of_what_is_told_and_erased():
    held = {
        name
        for name, table in Base.metadata.tables.items()
        if "holder_id" in table.c and table.c.holder_id.foreign_keys
    }
    assert held & set(history.SUBJECTS) <= {subject for subject, *_ in history_pages.OF_PERSON}


def test_the_number_of_another_credential_goes_from_the_history_in_an_erasure(
    container, staff, path
):
    said = {"credential": "osha_10", "number": "S-77", "issued_on": "2026-03-02"}
    assert staff.post(f"{path}/credentials", said).status_code == 201
    changes = staff.get(f"{path}/history").json["items"][0]["changes"]
    assert {c["after"] for c in changes if c["field"] == "number"} == {"S-77"}

    with container.work(SYSTEM) as work:
        history_erasure.erase_person(work, path.rpartition("/")[2], reason="Asked for.")
        left = select(HistoryValue.after).where(HistoryValue.field == "number")
        assert work.rows(left) == [(None,)]


def test_a_page_costs_as_many_statements_whatever_it_shows(container, staff, path, ids):
    def cost(asked):
        with counted(container) as sent:
            assert staff.get(asked).status_code == 200
        return len([one for one in sent if "UPDATE token" not in one])

    asked = ["/history", f"{path}/history", f"/certifications/{ids[1]}/history"]
    before = [cost(one) for one in asked]
    for n in range(12):
        patch(staff, path, {"family_name": f"Ruiz {n}"})
    assert [cost(one) for one in asked] == before
    assert max(before) <= 4


INDEXES = [
    (HistoryFilter(limit=51, actor="somebody"), "ix_history_actor"),
    (HistoryFilter(limit=51, action="correct"), "ix_history_action"),
    (HistoryFilter(limit=51, subject="holder", subject_id="x"), "ix_history_subject"),
    (HistoryFilter(limit=51, subject_id="x"), "ix_history_subject"),
    (HistoryFilter(limit=51, token_id=UNKNOWN), "ix_history_token"),
    (HistoryFilter(limit=51, account_id=UNKNOWN), "ix_history_account"),
    (HistoryFilter(limit=51, until_on=date(2026, 11, 22)), "ix_history_at"),
    (HistoryFilter(limit=51, from_on=date(2026, 11, 24)), "ix_history_at"),
    (HistoryFilter(limit=51, from_on=date(2026, 11, 24), after=9000), "ix_history_at"),
]


def test_lines_are_found_through_indexes(container, backend):
    """All in one test: to make the lines takes longer than to ask."""
    _fill(container)
    with container.reading(SYSTEM) as reading:
        plans = {
            asked: _plan(reading, backend, history_pages._asked(asked)) for asked, _ in INDEXES
        }
    assert [asked for asked, index in INDEXES if index not in plans[asked]] == []


def test_a_persons_lines_are_found_through_an_index(container, backend, ids):
    _fill(container)
    with container.reading(SYSTEM) as reading, counted(container) as sent:
        history_pages.page(reading, HistoryFilter(limit=51), holder_id=ids[0])
    assert len(sent) == 3
    with container.reading(SYSTEM) as reading:
        found = history_pages.records_of_person(reading, ids[0])
        about = history_pages._asked(HistoryFilter(limit=51)).where(
            history_pages._is_about(reading, found)
        )
        plan = _plan(reading, backend, about)
    assert "ix_history_subject" in plan
    assert "Seq Scan on history" not in plan
    assert "SCAN history" not in plan


def _fill(container):
    """Twenty thousand lines of others."""
    for n in range(20_000 // 500):
        details: list[tuple[str, dict[str, str]]] = [(f"s{n}-{k}", {}) for k in range(500)]
        with container.work(Actor(role="staff", name=f"clerk {n}")) as work:
            history.record_many(work, f"act{n}", history.SUBJECTS[n % 7], details)
        container.clock.advance(hours=6)
    with container.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))


def _plan(reading, backend, statement):
    explain = "explain query plan" if backend == "sqlite" else "explain"
    compiled = statement.compile(reading.connection.engine, compile_kwargs={"literal_binds": True})
    return str(
        reading.connection.exec_driver_sql(f"{explain} {compiled}".replace("%", "%%")).fetchall()
    )
