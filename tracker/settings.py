"""Frozen settings from ``config/*.toml`` and the environment.

``default.toml`` has every key with its meaning; the file of the environment overrides values, and a
``TRACKER_<SECTION>_<KEY>`` variable overrides both. The application does not start with a
misspelled, missing, mistyped or empty setting, and all mistakes are reported at once.
"""

from __future__ import annotations

import difflib
import functools
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, get_type_hints

from tracker import setting_rules
from tracker.domain.employers.workforce import Thresholds
from tracker.domain.people import single_sign_on
from tracker.domain.people.single_sign_on import IdentityProvider
from tracker.production_rules import SettingValues
from tracker.setting_rules import PREFIX, variable_of

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "shipped"
ROOT = _SHIPPED if _SHIPPED.is_dir() else _PACKAGE.parent
"""The folder of `config/` and `migrations/`: in an installed package, beside it in a checkout."""
ENVIRONMENTS = ("default", "testing", "production")
_SHORT_NAMES = {"TRACKER_NOW": ("app", "now")}
_LONGEST_NUMBER = 18  # digits; Python reads longer ones, but slowly


class SettingsRefusedError(Exception):
    """The settings have mistakes; the text names each of them on its own line."""


@dataclass(frozen=True, slots=True)
class App:
    """The installation's name, its address, its clock, and its scheme files."""

    name: str
    base_url: str
    now: str
    schemes: str
    reasons: str
    credentials: str
    pathways: str
    accepted: str


@dataclass(frozen=True, slots=True)
class Database:
    """The database's URL, its connection pool, and how long to wait for locks."""

    url: str
    pool_size: int
    pooler: str
    busy_timeout_seconds: int


@dataclass(frozen=True, slots=True)
class Storage:
    """Where evidence files and keys are kept."""

    directory: str


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """The keys of the history's chain, and where its checkpoints are written."""

    keys: str = field(repr=False)
    checkpoints: str


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The SMTP relay and the addresses in messages."""

    server: str
    port: int
    use_tls: bool
    use_ssl: bool
    username: str
    password: str
    timeout_seconds: int
    sender: str
    reply_to: str
    bounce_domain: str
    message_id_domain: str
    relay_log: str


@dataclass(frozen=True, slots=True)
class Reminders:
    """Batch sizes, leases and the scheduler's timetable; durations in seconds."""

    batch: int
    claim: int
    connections: int
    lease_seconds: int
    transmitting_seconds: int
    fuse_minimum: int
    quiet_from_hour: int
    quiet_until_hour: int
    plan_every_seconds: int
    dispatch_every_seconds: int
    reap_every_seconds: int
    audit_every_seconds: int


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """Locks, the service level in business days, and from what the usual wait is measured."""

    lock_minutes: int
    service_level_days: int
    measured_over_days: int
    measured_decisions: int


@dataclass(frozen=True, slots=True)
class EvidenceLimits:
    """Limits for evidence files."""

    maximum_bytes: int
    maximum_files: int
    maximum_pixels: int


@dataclass(frozen=True, slots=True)
class Imports:
    """Limits for uploaded imports; an employer's is smaller than the staff's."""

    maximum_bytes: int
    employer_maximum_bytes: int
    dry_runs_at_once: int


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Limits for reading a file from outside, in a separate process."""

    at_once: int
    waiting: int
    patience_seconds: int
    evidence_seconds: int
    table_seconds: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Exports:
    """Limits for exported files."""

    at_once: int


@dataclass(frozen=True, slots=True)
class Api:
    """Limits of the HTTP interface."""

    page_limit: int
    idempotency_days: int


@dataclass(frozen=True, slots=True)
class Server:
    """How requests are served, and which hosts and proxies are trusted."""

    threads: int
    hosts: str
    trusted_proxies: str
    metrics: str


@dataclass(frozen=True, slots=True)
class Logs:
    """How log lines are written: ``text`` or ``json``."""

    format: str


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """How long codes, links and sessions last, and what hashing a password costs."""

    code_minutes: int
    code_tries: int
    reset_minutes: int
    invitation_days: int
    fresh_minutes: int
    idle_minutes: int
    session_hours: int
    password_memory_kib: int
    password_rounds: int


@dataclass(frozen=True, slots=True)
class SsoSettings:
    """Where identity providers are described, their secrets, and how they are asked."""

    providers: str
    secrets: str = field(repr=False)
    timeout_seconds: int
    cache_minutes: int
    skew_seconds: int

    def secret_of(self, provider: str) -> str:
        """The secret of our client at a provider. Raises KeyError."""
        return setting_rules.named_secrets(self.secrets)[provider]


@dataclass(frozen=True, slots=True)
class EmployerSettings:
    """From how many days before its expiry a certification counts as due, in three steps."""

    due_first_days: int
    due_second_days: int
    due_third_days: int

    @property
    def thresholds(self) -> Thresholds:
        """The three as one value."""
        return Thresholds(self.due_first_days, self.due_second_days, self.due_third_days)


@dataclass(frozen=True, slots=True)
class Privacy:
    """How long data about people are kept where nothing else says so."""

    look_days: int
    message_text_days: int
    bounce_days: int
    digest_days: int
    refused_import_days: int
    import_days: int
    evidence_days: int
    request_days: int
    problem_report_days: int
    erasure_keeps: str
    archive_maximum_bytes: int


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How much one person may do, so that nobody uses up shared resources."""

    requests_per_minute: int
    entries_per_minute: int
    misses_per_minute: int
    number_misses_per_hour: int
    exports_per_hour: int
    archives_per_day: int
    sign_ins_per_hour: int
    codes_per_hour: int
    guesses_per_minute: int
    guesses_per_hour: int
    claims: int
    drafts: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, by section; ``environment`` names the file that overrides the defaults."""

    environment: str
    app: App
    database: Database
    storage: Storage
    history: HistorySettings
    mail: MailSettings
    reminders: Reminders
    reviews: ReviewSettings
    evidence: EvidenceLimits
    imports: Imports
    files: FileLimits
    exports: Exports
    api: Api
    server: Server
    logs: Logs
    accounts: AccountSettings
    sso: SsoSettings
    employers: EmployerSettings
    limits: RequestLimits
    privacy: Privacy

    @property
    def schemes_directory(self) -> Path:
        """The directory of the scheme files; ``_found`` explains relative names."""
        return _found(self.app.schemes)

    @property
    def reasons_file(self) -> Path:
        """The file of the reason codes; ``_found`` explains relative names."""
        return _found(self.app.reasons)

    @property
    def credentials_file(self) -> Path:
        """The file of the catalog of credentials; ``_found`` explains relative names."""
        return _found(self.app.credentials)

    @property
    def pathways_directory(self) -> Path:
        """The directory of the pathway files; ``_found`` explains relative names."""
        return _found(self.app.pathways)

    @property
    def identity_providers(self) -> Mapping[str, IdentityProvider]:
        """The providers that may sign people in, by name."""
        return _providers(self.sso.providers)

    @property
    def storage_directory(self) -> Path:
        """The directory for files and keys; a relative name starts at the current directory."""
        return Path(self.storage.directory).resolve()

    @property
    def checkpoints_directory(self) -> Path:
        """The directory of the history's checkpoints."""
        chosen = self.history.checkpoints
        return Path(chosen).resolve() if chosen else self.storage_directory / "checkpoints"

    @property
    def proxies(self) -> tuple[setting_rules.Network, ...]:
        """The addresses and networks of ``server.trusted_proxies``."""
        return tuple(setting_rules.networks(self.server.trusted_proxies))

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """The address and port that serve the metrics without a token, or None."""
        return setting_rules.address(self.server.metrics) if self.server.metrics else None

    @property
    def now(self) -> datetime | None:
        """The instant that the clock is set to, or None."""
        return datetime.fromisoformat(self.app.now) if self.app.now else None


@functools.cache
def _providers(name: str) -> Mapping[str, IdentityProvider]:
    """The providers of a file; none without a file. Raises OSError, ValueError."""
    if not name:
        return {}
    tables = tomllib.loads(_found(name).read_text(encoding="utf-8"))
    return {key: single_sign_on.provider(key, table) for key, table in tables.items()}


def _provider_mistakes(sso: SettingValues) -> list[str]:
    """What is wrong with the file of providers and their secrets, which are not quoted."""
    name, secrets = sso.get("sso", {}).get("providers"), sso.get("sso", {}).get("secrets")
    try:
        found = _providers(name if isinstance(name, str) else "")
        given = setting_rules.named_secrets(secrets if isinstance(secrets, str) else "")
    except (OSError, ValueError, AttributeError) as error:
        return [f"sso.providers, sso.secrets: {error}"]
    issuers = [provider.issuer for provider in found.values()]
    twice = ["sso.providers: two providers have one issuer"] * (len(set(issuers)) < len(issuers))
    missing = sorted(found.keys() - given.keys())
    return twice + [f"sso.secrets: has none for {one}" for one in missing]


def _found(name: str) -> Path:
    """The path of a file or folder below ``ROOT``, or else from the current directory."""
    ours = ROOT / name
    return ours if ours.exists() else Path(name).absolute()


_SECTIONS: dict[str, type] = {
    name: kind for name, kind in get_type_hints(Settings).items() if name != "environment"
}


def load(environment: str | None = None, variables: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of an environment (``TRACKER_ENV``, or ``default`` without it).

    Raises SettingsRefusedError, which names all mistakes.
    """
    variables = dict(os.environ if variables is None else variables)
    environment = environment or variables.pop("TRACKER_ENV", "default")
    variables.pop("TRACKER_ENV", None)
    if environment not in ENVIRONMENTS:
        raise SettingsRefusedError(f"TRACKER_ENV = {environment!r}: must be one of {ENVIRONMENTS}")
    mistakes: list[str] = []
    values = _read("default", mistakes)
    if environment != "default":
        for section, keys in _read(environment, mistakes).items():
            values.setdefault(section, {}).update(keys)
    _overlay(values, variables, mistakes)
    sections = {name: _section(name, kind, values, mistakes) for name, kind in _SECTIONS.items()}
    mistakes += setting_rules.broken(environment, values) + _provider_mistakes(values)
    if mistakes:
        raise SettingsRefusedError("\n".join(mistakes))
    return Settings(environment=environment, **sections)


def _read(name: str, mistakes: list[str]) -> dict[str, dict[str, object]]:
    path = ROOT / "config" / f"{name}.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        mistakes.append(f"{path.name}: cannot be read: {error}")
        return {}
    for section, keys in list(values.items()):
        if section not in _SECTIONS or not isinstance(keys, dict):
            mistakes.append(f"{path.name}: [{section}] is not a known section")
            del values[section]
            continue
        unknown = sorted(keys.keys() - _keys(section))
        mistakes += [
            f"{path.name}: {section}.{key} is not a known setting{_near(key, _keys(section))}"
            for key in unknown
        ]
    return values


def _keys(section: str) -> set[str]:
    return {f.name for f in fields(_SECTIONS[section])} if section in _SECTIONS else set()


def _near(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), 1)
    return f"; did you mean {close[0]}?" if close else ""


def _overlay(
    values: dict[str, dict[str, object]], variables: Mapping[str, str], mistakes: list[str]
) -> None:
    """Override the files' values with the TRACKER_ variables; an unknown one is a mistake."""
    for variable, text in sorted(variables.items()):
        if not variable.startswith(PREFIX):
            continue
        target, value = _target(variable), text
        if target is None and variable.endswith("_FILE"):
            target = _target(variable.removesuffix("_FILE"))
            value = _content(variable, text, mistakes) if target else text
        if target is None:
            known = [variable_of(section, key) for section in _SECTIONS for key in _keys(section)]
            mistakes.append(f"{variable}: is not a known setting{_near(variable, known)}")
            continue
        section, key = target
        values.setdefault(section, {})[key] = _typed(_SECTIONS[section], key, value)


def _content(variable: str, path: str, mistakes: list[str]) -> str:
    """The text of the file that a variable names, without surrounding whitespace."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        mistakes.append(f"{variable} = {path!r}: cannot be read: {error}")
        return path


def _target(variable: str) -> tuple[str, str] | None:
    if variable in _SHORT_NAMES:
        return _SHORT_NAMES[variable]
    section, _, key = variable.removeprefix(PREFIX).lower().partition("_")
    return (section, key) if key in _keys(section) else None


def _typed(kind: type, key: str, text: str) -> object:
    """A variable's text converted to the setting's type; unchanged if it does not fit."""
    wanted = get_type_hints(kind)[key]
    if wanted is int and text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER:
        return int(text)
    if wanted is bool and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    return text


def _section(name: str, kind: type, values: SettingValues, mistakes: list[str]) -> Any:
    given, hints = values.get(name, {}), get_type_hints(kind)
    for key, wanted in hints.items():
        if key not in given:
            mistakes.append(f"{name}.{key}: is missing")
        elif type(given[key]) is not wanted:
            mistakes.append(f"{name}.{key} = {given[key]!r}: must be of type {wanted.__name__}")
    return kind(**{key: given.get(key) for key in hints})
