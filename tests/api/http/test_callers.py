"""api/http/callers.py: which proxies are trusted with callers' addresses; the site's names.

On one database: who calls, and by which name, is judged before anything is read.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests import factories
from tests.backends import SQLITE
from tests.conftest import office_of
from tracker import settings
from tracker.api.http.callers import Proxied
from tracker.app import create_app
from tracker.settings import SettingsRefusedError


@pytest.fixture
def site(database_url, tmp_path, clock):
    """A client of an application with settings of its own."""
    made = []

    def make(**variables):
        given = {
            "TRACKER_DATABASE_URL": database_url,
            "TRACKER_STORAGE_DIRECTORY": str(tmp_path),
            **variables,
        }
        app = create_app(settings.load("testing", given), read_clock=clock)
        made.append(app)
        return app.test_client()

    yield make
    for app in made:
        office_of(app).engine.dispose()


PROXIES = {"TRACKER_SERVER_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1, fd00::/8"}


@pytest.mark.parametrize(
    ("sender", "forwarded", "caller"),
    [
        ("10.1.2.3", "203.0.113.5", "203.0.113.5"),
        ("192.0.2.1", "203.0.113.5", "203.0.113.5"),
        ("fd00::1", "2001:db8::5", "2001:db8::5"),
        # What the caller put before the proxy's word is the caller's own.
        ("10.0.0.1", "198.51.100.1, 203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "10.9.9.9, 203.0.113.5", "203.0.113.5"),
        # Two proxies of ours, one behind the other.
        ("10.0.0.1", "198.51.100.1, 203.0.113.5, 10.9.9.9", "203.0.113.5"),
        ("10.0.0.1", "10.9.9.9", "10.9.9.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        # Only our proxies are believed.
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),
        ("192.0.2.2", "198.51.100.1", "192.0.2.2"),
        ("", "198.51.100.1", ""),
    ],
)
def test_the_callers_address_is_what_the_last_trusted_proxy_says(sender, forwarded, caller):
    seen = _passed_on(sender, HTTP_X_FORWARDED_FOR=forwarded)

    assert seen["REMOTE_ADDR"] == caller


def test_scheme_and_name_are_taken_from_a_trusted_proxy_alone():
    said = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_HOST": "certs.body.us"}

    trusted, stranger = _passed_on("10.0.0.1", **said), _passed_on("203.0.113.5", **said)

    assert (trusted["wsgi.url_scheme"], trusted["HTTP_HOST"]) == ("https", "certs.body.us")
    assert (stranger["wsgi.url_scheme"], stranger["HTTP_HOST"]) == ("http", "10.0.0.17")


def _passed_on(sender, **headers):
    """What the application is told of a request from that address."""
    seen: dict[str, Any] = {}

    def app(environ, _start):
        seen.update(environ)
        return []

    environ = {"REMOTE_ADDR": sender, "wsgi.url_scheme": "http", "HTTP_HOST": "10.0.0.17"}
    proxied = Proxied(app, settings.load("testing", PROXIES))
    proxied(
        {**environ, **{name: value for name, value in headers.items() if value}},
        lambda *_: lambda _data: None,
    )
    return seen


@pytest.mark.parametrize("value", ["10.0.0.0/33", "proxy.body.us", "10.0.0.1;10.0.0.2"])
def test_proxies_that_are_no_addresses_refuse_the_start(value):
    with pytest.raises(
        SettingsRefusedError, match=r"server\.trusted_proxies = .*must be addresses"
    ):
        settings.load("default", {"TRACKER_SERVER_TRUSTED_PROXIES": value})


@pytest.mark.parametrize("value", ["9100", "localhost:9100", "127.0.0.1:0", "127.0.0.1:70000"])
def test_a_place_for_the_numbers_that_is_none_refuses_the_start(value):
    with pytest.raises(SettingsRefusedError, match=r"server\.metrics = .*must be an address"):
        settings.load("default", {"TRACKER_SERVER_METRICS": value})


NAMES = {
    "TRACKER_APP_BASE_URL": "https://Certs.body.us:8443/",
    "TRACKER_SERVER_HOSTS": "old.body.us",
}


OWN_NAMES = (
    *("certs.body.us", "CERTS.body.us.:443", "old.body.us"),
    *("localhost:8000", "127.0.0.1", "[::1]:1"),
)
OTHER_NAMES = ("evil.example", "certs.body.us.evil.example", "", "[::1", "a b")


@SQLITE
def test_the_site_answers_to_its_own_names(site):
    client = site(**NAMES)
    for host in OWN_NAMES:
        assert client.get("/", headers={"Host": host}).status_code == 200, host


@SQLITE
def test_to_any_other_name_there_is_nothing_here(site):
    client = site(**NAMES)
    for path in ("/", "/verify", "/docs", "/api/v1/schemes", "/metrics"):
        for host in OTHER_NAMES:
            answer = client.get(path, headers={"Host": host})
            assert (answer.status_code, answer.json["code"]) == (404, "not_found"), (path, host)


@SQLITE
def test_a_balancer_may_ask_by_address_whether_a_process_is_ready(site):
    client = site(**NAMES)
    for path in ("/healthz", "/readyz"):
        assert client.get(path, headers={"Host": "10.0.0.17:8000"}).status_code == 200


@SQLITE
def test_the_name_that_a_trusted_proxy_passes_on_counts(site):
    client = site(**NAMES, **PROXIES)
    headers = {"Host": "10.0.0.17:8000", "X-Forwarded-Host": "certs.body.us"}

    def status(address):
        environ = {"REMOTE_ADDR": address}
        return client.get("/", headers=headers, environ_base=environ).status_code

    assert (status("10.0.0.1"), status("203.0.113.5")) == (200, 404)


@SQLITE
def test_a_trusted_proxy_is_no_way_around_a_token(site):
    client = site(**PROXIES)
    environ = {"REMOTE_ADDR": "10.0.0.1"}
    headers = {"X-Forwarded-For": "127.0.0.1"}

    assert client.get("/metrics", headers=headers, environ_base=environ).status_code == 401
    secret = factories.secret(office_of(client.application), "admin")
    headers["Authorization"] = f"Bearer {secret}"
    assert client.get("/metrics", headers=headers, environ_base=environ).status_code == 200
