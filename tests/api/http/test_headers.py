"""What every answer of every route carries, whatever is asked and answered.

The numbers of cases are those of our list of attacks: pages, the interface, static files, wrong
methods, what does not exist, and faults.

On one database: the headers are added to every answer, that of a fault included, outside of the
views, and what a view adds (``no-store``, a cookie) is read from no row. What databases answer
differently is a status, and statuses are walked on both (tests/api/access).
"""

from __future__ import annotations

import re

import pytest

from tests.conftest import make_app, office_of
from tracker.api import PREFIX

UNKNOWN = "01900000-0000-7000-8000-000000000000"
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
STATIC = ("/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/start.js")
NOWHERE = ("/nothing", "/account/nothing", f"{PREFIX}/nothing", "/docs/nothing.js", "/verify/x/y")


@pytest.fixture
def backend():
    """One backend is enough: no database is asked for a header."""
    return "sqlite"


def paths(app):
    """Every path with the methods that it answers; ids are unknown ones."""
    for rule in app.url_map.iter_rules():
        path = re.sub("<uuid:[^>]+>", UNKNOWN, rule.rule)
        yield re.sub("<[^>]+>", "x", path), rule.methods - {"HEAD", "OPTIONS"}


def dressed(answer, *, is_private=False):
    """Check the headers of an answer (cases 27 and 29)."""
    headers, what = answer.headers, answer.request.path
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy, what
    assert "default-src 'none'" in policy, what
    assert "frame-ancestors 'none'" in policy, what
    assert headers["X-Content-Type-Options"] == "nosniff", what
    assert headers["Strict-Transport-Security"] == "max-age=31536000", what
    assert headers["Referrer-Policy"] in {"no-referrer", "same-origin"}, what
    assert len(headers["X-Request-ID"]) == 36, what
    assert not [name for name, _ in headers if name.startswith("Access-Control-")], what
    if is_private:
        assert "no-store" in headers["Cache-Control"], what


@pytest.fixture
def ask(app, staff):
    """Send a request for another site's page, with the token of a member of staff or without."""

    def send(method, path, *, known=False, **options):
        headers = {"Origin": "https://evil.example", **options.pop("headers", {})}
        if known:
            headers["Authorization"] = f"Bearer {staff.secret}"
        return app.test_client().open(
            path, method=method, headers=headers, buffered=True, **options
        )

    return send


def test_every_route_by_every_method_with_and_without_a_token(app, ask):
    for path, methods in paths(app):
        for method in sorted(methods):
            dressed(ask(method, path))
            dressed(ask(method, path, known=True), is_private=True)


def test_what_does_not_exist_and_static_files(ask):
    for path in NOWHERE:
        answer = ask("GET", path)
        dressed(answer)
        assert answer.status_code == 404, path
        dressed(ask("GET", path, known=True), is_private=True)
    for path in STATIC:
        answer = ask("GET", path)
        dressed(answer)
        assert answer.status_code == 200, path


def test_no_route_that_changes_something_answers_a_get(app, ask):
    methods: dict[str, set[str]] = {}
    for path, some in paths(app):
        methods.setdefault(path, set()).update(some)
    changing = [path for path, some in methods.items() if some <= CHANGING]
    for path in changing:
        answer = ask("GET", path, known=True)
        dressed(answer, is_private=True)
        assert answer.status_code == 405, path
        assert set(answer.headers["Allow"].split(", ")) - {"OPTIONS"} == methods[path]
    assert len(changing) > 40


def test_json_that_says_it_is_text_is_not_read(app, ask):
    """A form of another site can send text/plain without being asked."""
    read = 0
    for path, methods in paths(app):
        for method in sorted(methods & CHANGING):
            if not path.startswith(PREFIX):
                continue
            options = {"data": "{}", "content_type": "text/plain", "known": True}
            answer = ask(method, path, headers={"If-Match": '"1"'}, **options)
            dressed(answer, is_private=True)
            assert answer.status_code in {400, 401, 403, 404, 415}, (method, path)
            read += answer.status_code == 415
    assert read > 20


def test_a_fault_in_any_route_tells_the_number_of_the_request_alone(app, ask):

    def fault(**_):
        raise RuntimeError("secret internals")

    app.view_functions = dict.fromkeys(app.view_functions, fault)
    for path, methods in paths(app):
        for method in sorted(methods):
            answer = ask(method, path, known=True)
            dressed(answer, is_private=True)
            assert answer.status_code == 500, (method, path)
            assert "secret" not in answer.text
            assert answer.json["request_id"] == answer.headers["X-Request-ID"]


def test_a_name_that_is_not_ours_is_told_nothing(app, ask):
    for path, methods in paths(app):
        for method in sorted(methods):
            if path not in {"/healthz", "/readyz"}:
                answer = ask(method, path, headers={"Host": "evil.example"})
                dressed(answer)
                assert (answer.status_code, "evil" in answer.text) == (404, False), path


def test_the_cookies_of_signing_in_belong_to_this_host_alone(database_url, tmp_path, clock):
    home = {"TRACKER_APP_BASE_URL": "https://tracker.example"}
    app = make_app(database_url, tmp_path / "storage", clock, **home)
    form = {"identifier": "ana@example.org"}
    answer = app.test_client().post("/sign-in", data=form, base_url="https://tracker.example")
    office_of(app).engine.dispose()

    dressed(answer, is_private=True)
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
