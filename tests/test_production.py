"""tracker.production_rules: what production refuses, and how it is accepted on purpose."""

from __future__ import annotations

import pytest

from tests.test_settings import PRODUCTION
from tracker import settings
from tracker.production_rules import NAMES
from tracker.settings import SettingsRefusedError

BROKEN = {
    "http": [
        {"TRACKER_APP_BASE_URL": "http://certs.body.us"},
        {"TRACKER_APP_BASE_URL": "HTTP://certs.body.us"},
    ],
    "plain_mail": [{"TRACKER_MAIL_USE_TLS": "false"}],
    "plain_database": [
        {"TRACKER_DATABASE_URL": "postgresql://u:p@db/tracker"},
        {"TRACKER_DATABASE_URL": "postgresql+psycopg://u@db/tracker?sslmode=prefer"},
        {"TRACKER_DATABASE_URL": "postgresql://u@/tracker?host=h1:5432&host=h2:5432"},
    ],
    "sqlite": [{"TRACKER_DATABASE_URL": "sqlite:///x.sqlite3"}],
    "example_addresses": [
        {"TRACKER_MAIL_SENDER": "Tracker <reminders@tracker.example>"},
        {"TRACKER_MAIL_SENDER": "reminders@example.org"},
        {"TRACKER_MAIL_REPLY_TO": "help@mail.example.com"},
        {"TRACKER_MAIL_BOUNCE_DOMAIN": "tracker.TEST"},
        {"TRACKER_MAIL_MESSAGE_ID_DOMAIN": "example.net"},
        {"TRACKER_APP_BASE_URL": "https://tracker.example/"},
    ],
}
CASES = [(name, given) for name, all_given in BROKEN.items() for given in all_given]


def test_there_is_a_case_of_everything_that_can_be_accepted():
    assert set(BROKEN) == set(NAMES)


@pytest.mark.parametrize(("name", "given"), CASES)
def test_what_is_unsafe_is_refused_with_the_way_to_accept_it(name, given):
    with pytest.raises(SettingsRefusedError) as refused:
        settings.load("production", PRODUCTION | given)

    (line,) = str(refused.value).splitlines()
    rule, _, way = line.partition(" To accept this anyway, set ")
    (variable,) = given
    section, key = variable.removeprefix("TRACKER_").lower().split("_", 1)
    assert rule.startswith(f"{section}.{key}")
    assert way == f"TRACKER_APP_ACCEPTED={name}"
    variable, _, value = way.partition("=")
    accepted = settings.load("production", PRODUCTION | given | {variable: value})
    assert accepted.app.accepted == name


@pytest.mark.parametrize(("name", "given"), CASES)
def test_elsewhere_than_in_production_it_is_usual(name, given):
    del name
    assert settings.load("default", given).environment == "default"


@pytest.mark.parametrize(
    "given",
    [
        {"TRACKER_MAIL_USE_TLS": "false", "TRACKER_MAIL_SERVER": "127.0.0.1"},
        {"TRACKER_MAIL_USE_TLS": "false", "TRACKER_MAIL_USE_SSL": "true"},
        {"TRACKER_DATABASE_URL": "postgresql://u@localhost/tracker"},
        {"TRACKER_DATABASE_URL": "postgresql://u@/tracker?host=/run/postgresql"},
        {"TRACKER_DATABASE_URL": "postgresql://u@db/tracker?sslmode=require"},
        {"TRACKER_MAIL_SENDER": "reminders@counterexample.org"},
    ],
)
def test_what_stays_on_this_machine_or_is_encrypted_is_fine(given):
    assert settings.load("production", PRODUCTION | given).app.accepted == ""


def test_what_is_accepted_grows_by_what_is_refused_next():
    unsafe = {
        "TRACKER_DATABASE_URL": "sqlite:///x.sqlite3",
        "TRACKER_MAIL_USE_TLS": "false",
        "TRACKER_APP_ACCEPTED": "sqlite",
    }
    with pytest.raises(SettingsRefusedError, match=r"TRACKER_APP_ACCEPTED=sqlite,plain_mail$"):
        settings.load("production", PRODUCTION | unsafe)


@pytest.mark.parametrize("environment", settings.ENVIRONMENTS)
def test_a_name_that_accepts_nothing_is_told(environment):
    given = PRODUCTION | {"TRACKER_APP_ACCEPTED": "sqlite, everything"}
    with pytest.raises(
        SettingsRefusedError,
        match=r"app\.accepted: 'everything' is not an exception; the exceptions are: http, ",
    ):
        settings.load(environment, given)


@pytest.mark.parametrize("environment", settings.ENVIRONMENTS)
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TRACKER_MAIL_SENDER", "A <a@body.us>\r\nBcc: b@body.us"),
        ("TRACKER_APP_NAME", "Tracker\nSet-Cookie: a=b"),
        ("TRACKER_APP_BASE_URL", "https://body.us/\r"),
        ("TRACKER_MAIL_SERVER", "relay\x00.body.us"),
        ("TRACKER_MAIL_PASSWORD", "secret\n\nmore"),
    ],
)
def test_a_value_of_several_lines_is_refused_everywhere(environment, variable, value):
    section, key = variable.removeprefix("TRACKER_").lower().split("_", 1)
    with pytest.raises(SettingsRefusedError, match=rf"{section}\.{key}( = .*)?: must be one line"):
        settings.load(environment, PRODUCTION | {variable: value})
