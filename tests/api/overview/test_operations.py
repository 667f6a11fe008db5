"""What operators see, the pages, and how every kind of bad request is answered."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import generate_latest
from sqlalchemy import delete, insert, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tests import factories
from tests.backends import SQLITE
from tests.conftest import make_app
from tests.statements import counted
from tracker import jobs, settings
from tracker.api import PREFIX
from tracker.api.http import routing
from tracker.api.overview import operations
from tracker.app import create_app
from tracker.domain.permissions import SYSTEM
from tracker.models import AppliedMigration, Bounce, Message, Runtime
from tracker.services.core import counters
from tracker.services.delivery import send_safety, sent_messages
from tracker.services.delivery.sent_messages import MessageFilter
from tracker.services.outbox import suppressions
from tracker.services.overview.metrics import gauges
from tracker.settings import SettingsRefusedError
from tracker.web import is_undocumented

PROBLEM = "application/problem+json"


def letter(container, **values):
    with container.work(SYSTEM) as work:
        row = {
            "id": "0192d3a0-0000-7000-8000-000000000001",
            "dedupe_key": "k",
            "message_id": "m",
            "kind": "reminder",
            "address": "ana@example.org",
            "state": "ready",
            "priority": 5,
            "created_at": work.now,
            "next_at": work.now,
            "token": 0,
            "attempts": 0,
            "useful_until": work.now + timedelta(days=1),
            **values,
        }
        work.connection.execute(insert(Message).values(row))


@pytest.fixture
def numbers(client, container):
    """Ask for the numbers with an admin's token; the text."""

    def ask():
        headers = {"Authorization": f"Bearer {factories.secret(container, 'admin')}"}
        answer = client.get("/metrics", headers=headers)
        assert answer.content_type.startswith("text/plain")
        return answer.text

    return ask


@SQLITE
def test_the_process_says_that_it_lives_without_asking_the_database(client, monkeypatch):
    def unreachable():
        raise AssertionError("it asked")

    monkeypatch.setattr(routing, "container", unreachable)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_a_migrated_database_is_ready(client):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    operations.ReadinessSchema().load(answer.json)
    assert answer.get_json()["checks"] == {"database": "ok", "migrations": "ok"}


def test_mail_that_stands_still_takes_no_site_away(client, container, clock, numbers):
    letter(container)
    clock.advance(minutes=16)
    assert client.get("/readyz").status_code == 200
    assert 'tracker_outbox_oldest_ready_seconds{group="usual"} 960.0' in numbers()


@pytest.mark.owner
def test_a_database_behind_its_migrations_is_not_ready(client, container):
    with container.work(SYSTEM) as work:
        work.connection.execute(text("update alembic_version set version_num = '0000'"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    checks = problem(answer, 503, "not_ready")["checks"]
    assert checks["migrations"].startswith("at version 0000; the newest is")


@pytest.mark.owner
@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        (["expand"], 200),
        (["expand", "expand"], 200),
        (["contract"], 503),
        (["contract", "expand"], 503),
        ([], 503),
    ],
)
def test_a_schema_ahead_of_the_code_is_served_while_it_only_adds(client, container, kinds, status):
    """A rolling upgrade: the new release has migrated, and this process is of the old one."""
    with container.work(SYSTEM) as work:
        work.connection.execute(text("alter table holder add column shoe_size integer"))
        work.connection.execute(text("update alembic_version set version_num = :n"), {"n": "9002"})
        for n, kind in enumerate(kinds, 9003 - len(kinds)):
            row = {"revision": str(n), "kind": kind}
            work.connection.execute(insert(AppliedMigration).values(row))

    assert client.get("/readyz").status_code == status
    if status == 200:
        with container.work(SYSTEM) as work:
            factories.holder(work)


def test_a_database_that_is_away_is_not_ready_and_the_numbers_say_so(tmp_path):
    away = "postgresql://nobody@127.0.0.1:1/none"
    client = make_app(away, tmp_path, None).test_client()
    answer = client.get("/readyz")
    problem(answer, 503, "database_unavailable")
    assert answer.headers["Retry-After"]
    assert client.get("/healthz").status_code == 200
    numbers = operations.Numbers(client.application.extensions["tracker"])
    assert "tracker_database_up 0.0" in generate_latest(numbers.registry).decode()


def test_the_numbers_tell_of_requests_letters_and_the_scheduler(client, container, clock, numbers):
    letter(container, state="dead")
    with container.work(SYSTEM) as work:
        work.connection.execute(delete(Runtime))
        row = {"id": 1, "database_id": SOME_ID, "armed": True, "last_tick_at": work.now}
        work.connection.execute(insert(Runtime).values(row))
    clock.advance(seconds=90)
    client.get("/healthz")
    client.get("/api/v1/nothing")
    client.open("/healthz", method="NONSENSE")
    told = numbers()
    for line in (
        'tracker_http_requests_total{method="GET",route="/healthz",status="200"} 1.0',
        'tracker_http_requests_total{method="GET",route="unmatched",status="404"} 1.0',
        'tracker_http_requests_total{method="other",route="unmatched",status="405"} 1.0',
        'tracker_http_request_seconds_count{method="GET",route="/healthz"} 1.0',
        'tracker_outbox_messages{state="dead"} 1.0',
        'tracker_outbox_messages{state="ready"} 0.0',
        "tracker_scheduler_heartbeat_age_seconds 90.0",
        "tracker_reminder_cursors_due 0.0",
        "tracker_database_up 1.0",
    ):
        assert line in told, line


SOME_ID = "0192d3a0-0000-7000-8000-000000000000"


def test_the_numbers_tell_of_delay_doubts_bounces_the_relay_and_the_fuse(container, clock, numbers):
    letter(container, state="ready", priority=1)
    letter(
        container,
        id=SOME_ID,
        dedupe_key="k2",
        message_id="m2",
        state="transmitting",
        lease_until=clock.now,
    )
    clock.advance(minutes=10)
    jobs.reap(container)
    with container.work(SYSTEM) as work:
        send_safety.hold(work, "The clock jumped.")
        for _ in range(5):
            send_safety.relay_failed(work, "connection refused")
        suppressions.suppress(work, ["a@example.org"], "hard_bounce")
        suppressions.suppress(work, ["b@example.org"], "soft_bounce", until=work.now)
        row = {
            "digest": "d",
            "message_id": SOME_ID,
            "address": "a@example.org",
            "kind": "hard",
            "status": "5.1.1",
            "diagnostic": "",
            "at": work.now,
        }
        work.connection.execute(insert(Bounce).values(row))
    jobs.audit(container)
    told = numbers()
    for line in (
        'tracker_outbox_oldest_ready_seconds{group="urgent"} 600.0',
        'tracker_outbox_messages{state="ambiguous"} 1.0',
        'tracker_reaped_messages_total{outcome="in_doubt"} 1.0',
        'tracker_reaped_messages_total{outcome="found_sent"} 0.0',
        'tracker_bounces_last_day{kind="hard"} 1.0',
        'tracker_bounces_last_day{kind="complaint"} 0.0',
        "tracker_suppressed_addresses 1.0",
        "tracker_reminder_identity_violations 0.0",
        "tracker_reminder_audit_age_seconds 0.0",
        "tracker_sending_enabled 0.0",
        "tracker_sending_held 1.0",
        "tracker_relay_failures 5.0",
        "tracker_relay_paused 1.0",
        "tracker_digests_late 0.0",
    ):
        assert line in told, line
    assert 'group="usual"' not in told
    assert 'state="sent"' not in told


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_no_number_reads_the_letters_that_are_over_or_the_cursors_that_are_not_due(container):
    """A gauge costs what is unfinished, not what there is: every plan goes by an index."""
    with container.work(SYSTEM) as work:
        work.connection.execute(text(_MANY_LETTERS))
        work.connection.execute(text("analyze message"))
        with counted(container) as sent:
            gauges(work)
        plans = {one: " ".join(_plan(work, one)) for one in sent if "FROM message" in one}

    assert len(plans) == 2
    for one, plan in plans.items():
        assert "Seq Scan" not in plan, (one, plan)
        assert "Index" in plan
    assert len(sent) <= 9


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_letters_that_need_a_hand_are_found_without_reading_the_others(container):
    with container.work(SYSTEM) as work:
        work.connection.execute(text(_MANY_LETTERS))
        work.connection.execute(text("analyze message"))
        with counted(container) as sent:
            found = sent_messages.page(work, b"key", MessageFilter(None, 5, ("dead",)))
        (one,) = sent
        plan = " ".join(_plan(work, re.sub(r"%\(\w+\)s(::\w+)?", "5", one)))

    assert len(found) == 5
    assert "ix_message_stuck" in plan, plan


_MANY_LETTERS = """
insert into message (id, dedupe_key, message_id, kind, address, priority, state, created_at,
                     next_at, useful_until, token, attempts, finished_at)
select gen_random_uuid(), 'k' || n, 'm' || n, 'reminder', 'a@example.org', 5,
       case when n % 1000 = 0 then 'ready' when n % 1000 = 1 then 'dead' else 'sent' end,
       now(), now(), now(), 0, 1, now()
from generate_series(1, 20000) n
"""


def _plan(work, statement):
    for row in work.rows(text("explain " + statement.replace("%%", "%"))):
        yield row[0]


def test_a_reaping_that_finds_nothing_writes_no_number(container):
    jobs.reap(container)
    with container.reading(SYSTEM) as reading:
        assert counters.known(reading) == {}


def test_no_sample_stands_for_what_there_is_none_of(numbers):
    text_ = numbers()
    assert "\ntracker_scheduler_heartbeat_age_seconds " not in text_
    assert "\ntracker_reminder_oldest_due_seconds " not in text_


def test_the_planner_that_is_late_shows(container, clock, numbers):
    factories.certified(container, clock.now.date())
    with container.work(SYSTEM) as work:
        work.connection.execute(
            text("update reminder_cursor set next_due_at = :at"), {"at": _instant(work)}
        )
    clock.advance(hours=1)
    assert "tracker_reminder_oldest_due_seconds 3600.0" in numbers()


def _instant(work):
    return work.now.replace(tzinfo=None).isoformat(" ") if work.dialect == "sqlite" else work.now


@SQLITE
@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.7"])
def test_the_numbers_need_an_admins_token_from_wherever_they_are_asked(client, container, address):
    """This machine is no exception: a proxy that adds no header makes everyone come from it."""

    def status(**headers):
        environ = {"REMOTE_ADDR": address}
        return client.get("/metrics", headers=headers, environ_base=environ).status_code

    assert status() == 401
    staff, admin = factories.secret(container, "staff"), factories.secret(container, "admin")
    assert status(Authorization=f"Bearer {staff}") == 403
    assert status(Authorization=f"Bearer {admin}") == 200


@SQLITE
def test_the_start_page_links_to_what_there_is(client):
    page = client.get("/")
    assert page.status_code == 200
    for link in re.findall(r'href="(/[^"]*)"', page.text):
        page = client.get(link, headers={"Accept": "text/html"}, follow_redirects=True)
        assert page.status_code == 200, link


@SQLITE
def test_the_documentation_needs_nothing_from_elsewhere(client):
    page = client.get("/docs")
    assert page.status_code == 200
    links = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert all(link.startswith("/") for link in links)
    for link in links:
        with client.get(link) as file:
            assert file.status_code == 200, link
            assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert "<script>" not in page.text
    assert "onload" not in page.text


OTHER_FILES = ["../pages.py", "swagger-ui.js", "%2e%2e/x", "index.html"]


@SQLITE
def test_only_the_named_files_of_the_documentation_are_served(client):
    for name in OTHER_FILES:
        assert client.get(f"/docs/{name}").status_code == 404, name


PAGES = [
    "/",
    "/docs",
    "/docs/start.js",
    "/verify",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/openapi.json",
    "/api/v1/schemes",
    "/api/v1/me",
    "/nowhere",
]


@SQLITE
def test_every_answer_carries_the_headers_that_protect_it(client):
    asked = {"Accept": "text/html", "Origin": "https://evil.example"}
    for path in PAGES:
        with client.get(path, headers=asked) as got:
            policy = got.headers["Content-Security-Policy"]
            assert "unsafe" not in policy, path
            assert "default-src 'none'" in policy, path
            assert "frame-ancestors 'none'" in policy, path
            assert got.headers["X-Content-Type-Options"] == "nosniff", path
            assert got.headers["Referrer-Policy"] == "no-referrer", path
            assert "max-age" in got.headers["Strict-Transport-Security"], path
            assert got.headers["X-Request-ID"], path
            assert "Access-Control-Allow-Origin" not in got.headers, path


@SQLITE
def test_what_is_private_is_not_stored_on_the_way(staff):
    for path in ("/me", "/holders", "/tokens"):
        assert staff.get(path).headers["Cache-Control"] == "private, no-store"


@SQLITE
def test_the_routes_left_out_of_the_document_are_pages_but_for_the_document(app):
    rules = {rule.rule for rule in app.url_map.iter_rules() if is_undocumented(rule.rule)}
    assert {rule for rule in rules if rule.startswith(PREFIX)} == {f"{PREFIX}/openapi.json"}
    assert rules >= {"/", "/docs", "/sign-in", "/account"}


def problem(answer: Any, status: int, code: str) -> Any:
    assert (answer.status_code, answer.content_type) == (status, PROBLEM)
    assert (answer.json["status"], answer.json["code"]) == (status, code)
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    return answer.json


@SQLITE
def test_an_unknown_path_is_a_problem(client, anonymous):
    assert problem(client.get("/nowhere"), 404, "not_found")
    assert problem(anonymous.get("/nowhere"), 404, "not_found")
    assert problem(anonymous.get("/holders/not-a-uuid"), 404, "not_found")


@SQLITE
def test_a_method_that_a_path_does_not_know_is_a_problem_that_names_those_it_knows(staff):
    answer = staff.call("PUT", "/holders")
    problem(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


@SQLITE
def test_get_changes_nothing_on_routes_that_change(client, app):
    rules = list(app.url_map.iter_rules())
    looked_at = {rule.rule for rule in rules if "GET" in rule.methods}
    changing = {rule.rule for rule in rules} - looked_at
    assert changing
    for rule in changing:
        path = re.sub(r"<[^>]*>", SOME_ID, rule)
        assert client.get(path).status_code == 405, path


@SQLITE
def test_bad_json_another_type_and_too_much_of_it_are_problems(staff):
    kind = {"Content-Type": "application/json"}
    problem(staff.call("POST", "/holders", data="{", headers=kind), 400, "bad_request")
    problem(staff.call("POST", "/holders", data=b"\xff\xfe", headers=kind), 400, "bad_request")
    plain = staff.call("POST", "/holders", data="{}", headers={"Content-Type": "text/plain"})
    problem(plain, 415, "unsupported_media_type")
    huge = staff.call("POST", "/holders", data=b" " * (1024 * 1024 + 1), headers=kind)
    problem(huge, 413, "request_entity_too_large")
    fits = staff.call("POST", "/holders", data=b"{}" + b" " * (1024 * 1024 - 2), headers=kind)
    assert fits.status_code == 422


@SQLITE
def test_a_parameter_given_twice_is_refused_rather_than_dropped(staff):
    answer = staff.get("/holders?limit=1&limit=2")
    errors = problem(answer, 422, "invalid")["errors"]
    assert errors == [{"field": "limit", "message": "must appear only once"}]


@SQLITE
def test_a_name_with_line_breaks_is_refused(staff):
    body = {"given_name": "x\r\nBcc: v@example.org", "family_name": "y", "email": "a@example.org"}
    errors = problem(staff.post("/holders", body), 422, "invalid")["errors"]
    rule = "must be one line of text without tabs, line breaks or control characters"
    assert errors == [{"field": "given_name", "message": rule}]


def fail_with(monkeypatch, error):
    def view(*_args, **_options):
        raise error

    monkeypatch.setattr("tracker.services.people.holders.search", view)


@SQLITE
def test_a_failure_tells_the_caller_its_number_and_the_log_the_rest(staff, monkeypatch, caplog):
    fail_with(monkeypatch, RuntimeError("secret internals"))
    answer = staff.get("/holders")
    told = problem(answer, 500, "internal_error")
    assert "secret internals" not in answer.text
    assert "Traceback" not in answer.text
    assert told["request_id"] in caplog.text
    assert "secret internals" in caplog.text


@SQLITE
def test_a_constraint_that_no_service_named_is_a_conflict(staff, monkeypatch, caplog):
    fail_with(monkeypatch, IntegrityError("insert", {}, Exception("uq_secret")))
    answer = staff.get("/holders")
    problem(answer, 409, "conflict")
    assert "uq_secret" not in answer.text
    assert "uq_secret" in caplog.text


@SQLITE
@pytest.mark.parametrize(
    "error",
    [OperationalError("select", {}, Exception("database is locked")), PoolTimeoutError("pool")],
)
def test_a_busy_database_asks_to_come_back(staff, monkeypatch, error):
    fail_with(monkeypatch, error)
    answer = staff.get("/holders")
    problem(answer, 503, "database_unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert "locked" not in answer.text


@SQLITE
def test_sqlite_that_stays_locked_is_busy_and_not_broken(app, container, tmp_path):
    url = str(app.config["SQLALCHEMY_DATABASE_URI"])
    hasty = make_app(url, tmp_path / "storage", None, TRACKER_DATABASE_BUSY_TIMEOUT_SECONDS="1")
    headers = {"Authorization": f"Bearer {factories.secret(container, 'staff')}"}
    body = {"given_name": "x", "family_name": "y", "email": "a@example.org"}
    with container.work(SYSTEM):
        answer = hasty.test_client().post("/api/v1/holders", json=body, headers=headers)
    problem(answer, 503, "database_unavailable")
    assert (
        hasty.test_client().post("/api/v1/holders", json=body, headers=headers).status_code == 201
    )
    hasty.extensions["tracker"].engine.dispose()


def test_production_refuses_to_start_in_debug_mode(tmp_path, monkeypatch):
    variables = {
        "TRACKER_DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3",
        "TRACKER_STORAGE_DIRECTORY": str(tmp_path),
        "TRACKER_APP_ACCEPTED": "example_addresses,sqlite",
        "TRACKER_APP_BASE_URL": "https://x.example",
        "TRACKER_HISTORY_KEYS": f"k:{'ab' * 32}",
        "TRACKER_MAIL_SERVER": "mail.example",
        "TRACKER_MAIL_SENDER": "a@x.example",
        "TRACKER_MAIL_REPLY_TO": "b@x.example",
        "TRACKER_MAIL_BOUNCE_DOMAIN": "x.example",
        "TRACKER_MAIL_MESSAGE_ID_DOMAIN": "x.example",
    }
    given = settings.load("production", variables)
    create_app(given)
    monkeypatch.setenv("FLASK_DEBUG", "1")
    with pytest.raises(SettingsRefusedError, match="debug"):
        create_app(given)
