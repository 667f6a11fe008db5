"""The rules for the values of settings; ``settings`` reads them and reports what is wrong."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from email.utils import parseaddr

from tracker import production_rules
from tracker.domain import emails, history_chain
from tracker.production_rules import SettingValues

PREFIX = "TRACKER_"
_MAY_BE_EMPTY = {
    ("app", "now"),
    ("app", "accepted"),
    ("database", "pooler"),
    ("history", "keys"),
    ("history", "checkpoints"),
    ("mail", "username"),
    ("mail", "password"),
    ("mail", "relay_log"),
    ("sso", "providers"),
    ("sso", "secrets"),
    ("server", "hosts"),
    ("server", "trusted_proxies"),
    ("server", "metrics"),
}
_SECRET = {
    ("database", "url"),
    ("history", "keys"),
    ("mail", "password"),
    ("sso", "secrets"),
}
_PRODUCTION_NEEDS = ("history", "keys")
_MAY_BE_ZERO = {
    *(("reminders", key) for key in ("quiet_from_hour", "quiet_until_hour")),
    ("sso", "skew_seconds"),
}
_DATABASES = re.compile(r"sqlite(\+pysqlite)?:///.|postgres(ql)?(\+psycopg)?://")
_LAST_PORT = 65_535
_AT_MOST = {
    ("mail", "port"): _LAST_PORT,
    ("reminders", "quiet_from_hour"): 23,
    ("reminders", "quiet_until_hour"): 23,
    ("sso", "timeout_seconds"): 30,
    ("sso", "skew_seconds"): 300,
}
# OWASP's least costs for argon2id with one lane (Password Storage Cheat Sheet).
_SAFE_HASHING = {"password_memory_kib": 19_456, "password_rounds": 2}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def variable_of(section: str, key: str) -> str:
    """The name of the environment variable that sets a key."""
    return f"{PREFIX}{section.upper()}_{key.upper()}"


def broken(environment: str, values: SettingValues) -> list[str]:
    """The mistakes in the values, each with the name of its setting."""
    mistakes: list[str] = []
    for section, keys in values.items():
        for key, value in keys.items():
            if value == "" and not _may_be_empty(environment, section, key):
                mistakes.append(
                    f"{section}.{key}: must not be empty; set {variable_of(section, key)}"
                )
            if isinstance(value, str) and not value.isprintable():
                quoted = "" if (section, key) in _SECRET else f" = {value!r}"
                mistakes.append(f"{section}.{key}{quoted}: must be one line of text")
            if type(value) is int:
                mistakes += _beyond(section, key, value)
    mail = values.get("mail", {})
    if mail.get("use_tls") is True and mail.get("use_ssl") is True:
        mistakes.append("mail.use_tls, mail.use_ssl: only one of them may be true")
    _check_addresses(mail, mistakes)
    _check_server(values.get("server", {}), mistakes)
    _check_history_keys(values.get("history", {}).get("keys"), mistakes)
    mistakes += production_rules.broken(environment, values)
    _check_database(values.get("database", {}).get("url", ""), mistakes)
    pooler = values.get("database", {}).get("pooler", "")
    if pooler not in {"", "transaction"}:
        mistakes.append(f"database.pooler = {pooler!r}: must be empty or transaction")
    lines = values.get("logs", {}).get("format", "text")
    if lines not in {"text", "json"}:
        mistakes.append(f"logs.format = {lines!r}: must be text or json")
    _check_hashing(environment, values.get("accounts", {}), mistakes)
    _check_thresholds(values.get("employers", {}), mistakes)
    _check_clock(environment, str(values.get("app", {}).get("now", "")), mistakes)
    return mistakes


def _may_be_empty(environment: str, section: str, key: str) -> bool:
    if environment == "production" and (section, key) == _PRODUCTION_NEEDS:
        return False
    return (section, key) in _MAY_BE_EMPTY


def _beyond(section: str, key: str, value: int) -> Iterator[str]:
    """The mistake in a number that is too small or too large."""
    least = 0 if (section, key) in _MAY_BE_ZERO else 1
    if value < least:
        yield f"{section}.{key} = {value}: must be at least {least}"
    most = _AT_MOST.get((section, key), value)
    if value > most:
        yield f"{section}.{key} = {value}: must be at most {most}"


def _check_addresses(mail: Mapping[str, object], mistakes: list[str]) -> None:
    """Check that our own addresses, which are in every message, have a form every relay takes."""
    for key in ("sender", "reply_to", "bounce_domain", "message_id_domain"):
        value = mail.get(key)
        if not isinstance(value, str) or not value:
            continue
        is_domain = key.endswith("domain")
        address = parseaddr(value)[1] if value.endswith(">") else value
        address = f"x@{value}" if is_domain else address
        if rule := _broken(address, is_domain=is_domain):
            mistakes.append(f"mail.{key} = {value!r}: {rule}")


def _check_database(url: object, mistakes: list[str]) -> None:
    """Check the kind of database; the URL may contain a password, so it is not quoted."""
    if isinstance(url, str) and url and not _DATABASES.match(url):
        mistakes.append(
            "database.url: must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        )


def _check_history_keys(keys: object, mistakes: list[str]) -> None:
    """Check the form of the keys, which are secret, so they are not quoted."""
    if not isinstance(keys, str) or not keys:
        return
    try:
        history_chain.key_ring(keys)
    except ValueError as rule:
        mistakes.append(f"history.keys: {rule}; `tracker history new-key` makes one")


def _check_server(server: Mapping[str, object], mistakes: list[str]) -> None:
    rules: dict[str, tuple[Callable[[str], object], str]] = {
        "trusted_proxies": (
            networks,
            "must be addresses or networks such as 10.0.0.0/8, separated by commas",
        ),
        "metrics": (address, "must be an address and a port, such as 127.0.0.1:9100"),
    }
    for key, (reading, rule) in rules.items():
        value = server.get(key)
        if not isinstance(value, str) or not value:
            continue
        try:
            reading(value)
        except ValueError:
            mistakes.append(f"server.{key} = {value!r}: {rule}")


def networks(text: str) -> list[Network]:
    """The networks in a comma-separated list. Raises ValueError."""
    return [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]


def named_secrets(text: str) -> dict[str, str]:
    """Secrets by name, from NAME:SECRET,NAME:SECRET. Raises ValueError."""
    found: dict[str, str] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, colon, secret = part.partition(":")
        if not colon or not secret or name in found:
            raise ValueError("secrets must be NAME:SECRET,NAME:SECRET, each name once")
        found[name] = secret
    return found


def address(text: str) -> tuple[str, int]:
    """The IP address and the port. Raises ValueError."""
    host, _, port = text.rpartition(":")
    ip = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    if not (port.isascii() and port.isdigit() and 0 < int(port) <= _LAST_PORT):
        raise ValueError(text)
    return str(ip), int(port)


def _broken(address: str, *, is_domain: bool) -> str | None:
    """The rule that one of our own addresses breaks, or None."""
    try:
        local, _, domain = emails.for_relay(emails.email(address)).rpartition("@")
    except ValueError as rule:
        return "must be a domain name such as example.org" if is_domain else str(rule)
    if not local.isascii():
        return "must be in ASCII before the @, because not every relay accepts more"
    return None if address.isascii() else f"must have its domain in ASCII: {domain}"


def _check_hashing(environment: str, accounts: Mapping[str, object], mistakes: list[str]) -> None:
    """Check what hashing a password costs: argon2 needs 8 KiB, and production the usual cost."""
    least = {"password_memory_kib": 8, "password_rounds": 1}
    if environment == "production":
        least = _SAFE_HASHING
    for key, number in least.items():
        value = accounts.get(key)
        if type(value) is int and value < number:
            mistakes.append(f"accounts.{key} = {value}: must be at least {number}")


def _check_thresholds(employers: Mapping[str, object], mistakes: list[str]) -> None:
    """Check that each step of falling due begins before the next."""
    keys = ("due_first_days", "due_second_days", "due_third_days")
    days = [value for key in keys if isinstance(value := employers.get(key), int)]
    if days != sorted(set(days)):
        named = ", ".join(f"employers.{key}" for key in keys)
        mistakes.append(f"{named}: must rise, such as 30, 90, 180")


def _check_clock(environment: str, now: str, mistakes: list[str]) -> None:
    if not now:
        return
    if environment == "production":
        mistakes.append("app.now (TRACKER_NOW): the clock cannot be set in production")
        return
    try:
        aware = datetime.fromisoformat(now).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        mistakes.append(f"app.now = {now!r}: must be a date and time such as 2027-01-15T12:00:00Z")
