"""Settings: frozen, complete, and refused with every mistake named."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tracker import settings
from tracker.settings import SettingsRefusedError

CONFIG = settings.ROOT / "config"
PRODUCTION = {
    "TRACKER_APP_BASE_URL": "https://certs.body.us",
    "TRACKER_DATABASE_URL": "postgresql://u:p@db/tracker?sslmode=verify-full",
    "TRACKER_HISTORY_KEYS": f"2027:{'ab' * 32}",
    "TRACKER_MAIL_SERVER": "relay.body.us",
    "TRACKER_MAIL_SENDER": "Tracker <t@body.us>",
    "TRACKER_MAIL_REPLY_TO": "help@body.us",
    "TRACKER_MAIL_BOUNCE_DOMAIN": "body.us",
    "TRACKER_MAIL_MESSAGE_ID_DOMAIN": "body.us",
}


def _refused(environment: str = "default", **variables: str) -> list[str]:
    """The mistakes that a start with these variables is refused for."""
    with pytest.raises(SettingsRefusedError) as refused:
        settings.load(environment, variables)
    return str(refused.value).split("\n")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the settings files that a test may spoil."""
    folder = tmp_path / "config"
    folder.mkdir()
    for file in CONFIG.glob("*.toml"):
        (folder / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    return folder


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")


def test_the_defaults_start_on_a_fresh_machine():
    loaded = settings.load("default", {})

    assert loaded.environment == "default"
    assert loaded.database.url == "sqlite:///var/tracker.sqlite3"
    assert loaded.now is None


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.load("default", {}).mail.port = 26  # type: ignore[misc]


def test_an_environments_file_is_laid_over_the_defaults_and_variables_over_both():
    assert settings.load("testing", {}).reminders.plan_every_seconds == 1
    variables = {"TRACKER_REMINDERS_PLAN_EVERY_SECONDS": "7"}

    assert settings.load("testing", variables).reminders.plan_every_seconds == 7


@pytest.mark.parametrize(
    ("variables", "environment"), [({}, "default"), ({"TRACKER_ENV": "testing"}, "testing")]
)
def test_the_environment_is_named_by_a_variable(variables, environment):
    assert settings.load(variables=variables).environment == environment


def test_the_environment_given_goes_before_the_variable():
    assert settings.load("default", {"TRACKER_ENV": "testing"}).environment == "default"


def test_the_process_environment_is_read_where_nothing_else_is_given(monkeypatch):
    monkeypatch.setenv("TRACKER_ENV", "testing")
    monkeypatch.setenv("TRACKER_MAIL_PORT", "2525")

    assert settings.load().mail.port == 2525


def test_an_unknown_environment_is_refused():
    with pytest.raises(SettingsRefusedError, match="TRACKER_ENV = 'prod': must be one of"):
        settings.load(variables={"TRACKER_ENV": "prod"})


def test_production_starts_with_what_must_be_given():
    loaded = settings.load("production", PRODUCTION)

    assert (loaded.mail.port, loaded.mail.use_tls) == (587, True)


def test_production_names_everything_that_was_left_empty():
    mistakes = _refused("production")

    assert sorted(mistakes) == sorted(
        f"{section}.{key}: must not be empty; set TRACKER_{section.upper()}_{key.upper()}"
        for section, key in [
            ("app", "base_url"),
            ("database", "url"),
            ("history", "keys"),
            ("mail", "server"),
            ("mail", "sender"),
            ("mail", "reply_to"),
            ("mail", "bounce_domain"),
            ("mail", "message_id_domain"),
        ]
    )


def test_the_clock_cannot_be_set_in_production():
    assert _refused("production", **PRODUCTION, TRACKER_NOW="2027-01-15T12:00:00Z") == [
        "app.now (TRACKER_NOW): the clock cannot be set in production"
    ]


def test_the_clock_can_be_set_elsewhere():
    loaded = settings.load("default", {"TRACKER_NOW": "2027-01-15T12:00:00Z"})

    assert loaded.now == datetime(2027, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize("now", ["tomorrow", "2027-01-15", "2027-01-15T12:00:00"])
def test_the_clock_must_be_set_to_an_instant(now):
    assert _refused(TRACKER_NOW=now) == [
        f"app.now = {now!r}: must be a date and time such as 2027-01-15T12:00:00Z"
    ]


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("TRACKER_MAIL_SEVER", "; did you mean TRACKER_MAIL_SERVER?"),
        ("TRACKER_MAIL_PASSWORD_FILES", "; did you mean TRACKER_MAIL_PASSWORD?"),
        ("TRACKER_NOWHERE_FILE", ""),
        ("TRACKER_", ""),
        ("TRACKER_XYZZY_PLUGH", ""),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_known_one(variable, told):
    (mistake,) = _refused(**{variable: "x"})

    assert mistake.startswith(f"{variable}: is not a known setting")
    assert mistake.endswith(told)


def test_variables_of_others_are_none_of_our_business():
    variables = {"PATH": "/bin", "TRACKERS": "1"}

    assert settings.load("default", variables) == settings.load("default", {})


@pytest.mark.parametrize(
    "text", ["abc", "", "-5", "1.5", "²", "1e3", " 5", "\u0665", "9" * 19, "9" * 5000, "1_000"]
)
def test_a_bad_number_is_named(text):
    mistakes = _refused(TRACKER_MAIL_PORT=text)

    assert f"mail.port = {text!r}: must be of type int" in mistakes


@pytest.mark.parametrize(
    ("text", "rule"), [("0", "must be at least 1"), ("65536", "must be at most 65535")]
)
def test_a_port_that_no_machine_has_is_named(text, rule):
    assert _refused(TRACKER_MAIL_PORT=text) == [f"mail.port = {text}: {rule}"]


def test_a_number_out_of_its_range_is_named():
    assert _refused(TRACKER_REMINDERS_QUIET_FROM_HOUR="24") == [
        "reminders.quiet_from_hour = 24: must be at most 23"
    ]
    assert _refused(TRACKER_API_PAGE_LIMIT="0") == ["api.page_limit = 0: must be at least 1"]


@pytest.mark.parametrize("days", [("90", "30"), ("90", "90")])
def test_the_days_of_falling_due_rise(days):
    first, second = days
    given = {
        "TRACKER_EMPLOYERS_DUE_FIRST_DAYS": first,
        "TRACKER_EMPLOYERS_DUE_SECOND_DAYS": second,
    }

    (mistake,) = _refused(**given)
    assert mistake.endswith("must rise, such as 30, 90, 180")
    rising = {"TRACKER_EMPLOYERS_DUE_FIRST_DAYS": "14"}
    assert settings.load("default", rising).employers.thresholds.first == 14


def test_hashing_a_password_costs_in_production_what_is_usual():
    cheap = {"TRACKER_ACCOUNTS_PASSWORD_ROUNDS": "1"}
    assert settings.load("default", cheap).accounts.password_rounds == 1

    assert "accounts.password_rounds = 1: must be at least 2" in _refused("production", **cheap)
    assert _refused(TRACKER_ACCOUNTS_PASSWORD_MEMORY_KIB="7") == [
        "accounts.password_memory_kib = 7: must be at least 8"
    ]


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False), ("TRUE", True)])
def test_truth_is_read_in_any_case(text, value):
    assert settings.load("default", {"TRACKER_MAIL_USE_TLS": text}).mail.use_tls is value


@pytest.mark.parametrize("text", ["yes", "1", "0", "on"])
def test_what_is_neither_true_nor_false_is_named(text):
    assert _refused(TRACKER_MAIL_USE_TLS=text) == [f"mail.use_tls = {text!r}: must be of type bool"]


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        (
            "sender",
            "Tracker <t@münchen.example>",
            "must have its domain in ASCII: xn--mnchen-3ya.e",
        ),
        ("sender", "josé@tracker.example", "must be in ASCII before the @, because"),
        (
            "reply_to",
            "a:b@tracker.example",
            "must be one email address such as ana@example.org, with",
        ),
        ("bounce_domain", "localhost", "must be a domain name such as example.org"),
        ("message_id_domain", "bücher.example", "must have its domain in ASCII: xn--bcher-kva.exa"),
    ],
)
def test_our_own_addresses_are_written_as_every_relay_takes_them(key, value, rule):
    (mistake,) = _refused(**{f"TRACKER_MAIL_{key.upper()}": value})
    assert mistake.startswith(f"mail.{key} = {value!r}: {rule}")


def test_our_own_domain_may_be_given_in_its_ascii_form():
    loaded = settings.load("default", {"TRACKER_MAIL_BOUNCE_DOMAIN": "xn--mnchen-3ya.example"})
    assert loaded.mail.bounce_domain == "xn--mnchen-3ya.example"


def test_mail_is_encrypted_in_one_way_only():
    assert _refused(TRACKER_MAIL_USE_TLS="true", TRACKER_MAIL_USE_SSL="true") == [
        "mail.use_tls, mail.use_ssl: only one of them may be true"
    ]


@pytest.mark.parametrize(
    ("variable", "text"),
    [("TRACKER_MAIL_PASSWORD_FILE", "s3cret"), ("TRACKER_MAIL_USERNAME_FILE", "José")],
)
def test_a_secret_is_read_from_its_file(tmp_path, variable, text):
    file = tmp_path / "secret"
    file.write_text(f"{text}\n", "utf-8")
    loaded = settings.load("default", {variable: str(file)})

    assert text in {loaded.mail.password, loaded.mail.username}


def test_the_clock_and_numbers_are_read_from_files_too(tmp_path):
    (tmp_path / "now").write_text("2027-01-15T12:00:00+00:00\n", "utf-8")
    (tmp_path / "port").write_text("2525\n", "utf-8")
    variables = {
        "TRACKER_NOW_FILE": str(tmp_path / "now"),
        "TRACKER_MAIL_PORT_FILE": str(tmp_path / "port"),
    }
    loaded = settings.load("default", variables)

    assert (loaded.app.now, loaded.mail.port) == ("2027-01-15T12:00:00+00:00", 2525)


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_secrets_file_that_cannot_be_read_is_named(tmp_path, content):
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    (mistake,) = _refused(TRACKER_MAIL_PASSWORD_FILE=str(file))

    assert mistake.startswith(f"TRACKER_MAIL_PASSWORD_FILE = {str(file)!r}: cannot be read: ")


def test_a_secrets_file_cannot_be_a_folder_or_have_no_name(tmp_path):
    (mistake,) = _refused(TRACKER_MAIL_PASSWORD_FILE=str(tmp_path))

    assert "cannot be read" in mistake
    assert "cannot be read" in _refused(TRACKER_DATABASE_URL_FILE="")[0]


def test_an_unknown_key_in_a_file_is_named_with_the_nearest_known_one(config):
    _replace(config / "production.toml", "port = 587", "prot = 587\nxyzzy = 1")

    assert _refused("production", **PRODUCTION) == [
        "production.toml: mail.prot is not a known setting; did you mean port?",
        "production.toml: mail.xyzzy is not a known setting",
    ]


@pytest.mark.parametrize("added", ["[maill]\nport = 1\n", "maill = 3\n"])
def test_an_unknown_section_is_named(config, added):
    file = config / "testing.toml"
    file.write_text(added + file.read_text("utf-8"), "utf-8")

    assert _refused("testing") == ["testing.toml: [maill] is not a known section"]


def test_a_missing_key_is_named(config):
    text = (config / "default.toml").read_text("utf-8")
    (config / "default.toml").write_text(re.sub(r"(?m)^port = .*\n", "", text), "utf-8")

    assert _refused() == ["mail.port: is missing"]


def test_a_missing_section_is_named_key_by_key(config):
    text = (config / "default.toml").read_text("utf-8")
    (config / "default.toml").write_text(text.replace("[exports]\nat_once", "#"), "utf-8")

    assert _refused() == ["exports.at_once: is missing"]


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("port = 1025", 'port = "1025"', "mail.port = '1025': must be of type int"),
        ("port = 1025", "port = true", "mail.port = True: must be of type int"),
        ("port = 1025", "port = 1025.0", "mail.port = 1025.0: must be of type int"),
        ("use_tls = false", "use_tls = 0", "mail.use_tls = 0: must be of type bool"),
        ('username = ""', "username = 3", "mail.username = 3: must be of type str"),
    ],
)
def test_a_value_of_another_type_is_named(config, old, new, mistake):
    _replace(config / "default.toml", old, new)

    assert mistake in _refused()


def test_a_settings_file_that_is_not_toml_is_named(config):
    (config / "testing.toml").write_text("[mail\n", "utf-8")
    (mistake,) = _refused("testing")

    assert mistake.startswith("testing.toml: cannot be read: ")


def test_a_settings_file_that_is_not_there_is_named(config):
    (config / "production.toml").unlink()

    assert _refused("production", **PRODUCTION)[0].startswith("production.toml: cannot be read: ")


def test_every_mistake_is_named_in_one_run(config):
    _replace(config / "testing.toml", "reap_every_seconds = 1", "reap_evry_seconds = 1")
    mistakes = _refused(
        "testing",
        TRACKER_MAIL_PORT="x",
        TRACKER_MAIL_SEVER="x",
        TRACKER_NOW="x",
        TRACKER_DATABASE_URL="",
    )

    assert [mistake.split(" ")[0].rstrip(":") for mistake in mistakes] == [
        "testing.toml",
        "TRACKER_MAIL_SEVER",
        "mail.port",
        "database.url",
        "app.now",
    ]


def test_relative_folders_start_where_the_settings_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loaded = settings.load("default", {})

    assert loaded.schemes_directory == CONFIG / "schemes"
    assert loaded.storage_directory == tmp_path / "var"


def test_every_key_of_the_defaults_has_its_meaning_beside_it():
    lines = (CONFIG / "default.toml").read_text("utf-8").splitlines()
    bare = [line for line in lines if re.match(r"\w+ = ", line) and " # " not in line]

    assert bare == []


@pytest.mark.parametrize("name", ["testing", "production"])
def test_the_other_files_override_values_and_add_no_key(name):
    defaults = tomllib.loads((CONFIG / "default.toml").read_text("utf-8"))
    other = tomllib.loads((CONFIG / f"{name}.toml").read_text("utf-8"))

    assert all(keys.keys() <= defaults[section].keys() for section, keys in other.items())


@pytest.mark.parametrize(
    "url",
    [
        "mysql://tracker:hunter2@db/x",
        "postgresql",
        "sqlite://",
        "sqlite:///",
        "x.sqlite3",
        "postgresql+asyncpg://tracker:hunter2@db/x",
        " sqlite:///x",
    ],
)
def test_a_database_of_another_kind_is_refused_and_its_password_not_told(url):
    rule = "database.url: must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
    assert _refused(TRACKER_DATABASE_URL=url) == [rule]


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////var/x.sqlite3",
        "postgres://db/x",
        "postgresql://@/tracker?host=h1&host=h2",
        "postgresql+psycopg://tracker@db:5433/x?sslmode=require",
    ],
)
def test_both_databases_are_named_as_programs_name_them(url):
    assert settings.load("default", {"TRACKER_DATABASE_URL": url}).database.url == url


@pytest.mark.parametrize(
    ("keys", "rule"),
    [
        ("secret", "must be ID:HEX, or several of them separated by commas"),
        ("a:abcd", "must have at least 32 bytes (64 digits)"),
        (f"a:{'ab' * 32},a:{'cd' * 32}", "must not name the key a twice"),
    ],
)
def test_keys_of_the_history_that_are_wrong_are_refused_and_not_quoted(keys, rule):
    assert _refused(TRACKER_HISTORY_KEYS=keys) == [
        f"history.keys: {rule}; `tracker history new-key` makes one"
    ]


@pytest.mark.parametrize(
    "variable", ["TRACKER_HISTORY_KEYS", "TRACKER_MAIL_PASSWORD", "TRACKER_DATABASE_URL"]
)
def test_a_secret_of_several_lines_is_not_quoted(variable):
    (first, *_) = _refused(**{variable: "sqlite:///x\nsecret"})

    assert "must be one line of text" in first
    assert "secret" not in first
    assert "ab" * 32 not in repr(settings.load("production", PRODUCTION))


PROVIDER = """
[acme]
label = "Acme"
issuer = "https://login.acme.example"
client_id = "tracker"
roles = ["staff"]
domains = ["acme.example"]
"""


def test_identity_providers_come_from_a_file_and_their_secrets_from_the_environment(
    tmp_path: Path,
) -> None:
    file = tmp_path / "providers.toml"
    file.write_text(PROVIDER, "utf-8")
    given = {"TRACKER_SSO_PROVIDERS": str(file), "TRACKER_SSO_SECRETS": "acme:a:b, other:c"}
    loaded = settings.load("default", given)

    assert loaded.identity_providers["acme"].label == "Acme"
    assert loaded.sso.secret_of("acme") == "a:b"
    assert "a:b" not in repr(loaded)
    assert settings.load("default", {}).identity_providers == {}


@pytest.mark.parametrize(
    ("text", "secrets", "said"),
    [
        (PROVIDER, "", "sso.secrets: has none for acme"),
        (PROVIDER, "s3cret", "sso.providers, sso.secrets: secrets must be NAME:SECRET"),
        (PROVIDER, "acme:x,acme:y", "sso.providers, sso.secrets: secrets must be NAME:SECRET"),
        (PROVIDER.replace("https", "http"), "acme:x", "sso.providers, sso.secrets: acme.issuer"),
        ("[acme", "acme:x", "sso.providers, sso.secrets: "),
        ("acme = 1", "acme:x", "sso.providers, sso.secrets: "),
        (
            PROVIDER + PROVIDER.replace("[acme]", "[other]"),
            "acme:x,other:y",
            "sso.providers: two providers have one issuer",
        ),
    ],
)
def test_a_mistake_about_identity_providers_is_named_without_secrets(
    tmp_path: Path, text: str, secrets: str, said: str
) -> None:
    file = tmp_path / "providers.toml"
    file.write_text(text, "utf-8")
    (mistake,) = _refused(TRACKER_SSO_PROVIDERS=str(file), TRACKER_SSO_SECRETS=secrets)

    assert mistake.startswith(said)
    assert "s3cret" not in mistake
