"""Safety rules for production; an exception must be accepted by name in ``app.accepted``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email.utils import parseaddr
from urllib.parse import parse_qs, urlsplit

SettingValues = Mapping[str, Mapping[str, object]]

NAMES = {
    "http": "links in email, and sessions, that anyone on the way can read and change",
    "plain_mail": "messages, and the relay's password, sent without TLS",
    "plain_database": "records sent to the database without TLS",
    "sqlite": "a database for one machine and one process",
    "example_addresses": "addresses at a domain reserved for examples",
}
"""The exceptions that can be accepted, and what each means."""

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})
_NO_EXAMPLE = "must not use a domain reserved for examples"
_EXAMPLES = (
    ".example",
    ".test",
    ".invalid",
    ".localhost",
    ".example.com",
    ".example.net",
    ".example.org",
)


def broken(environment: str, values: SettingValues) -> list[str]:
    """The rules that are broken and not accepted, each with how to accept it.

    Unknown names in ``app.accepted`` are reported in every environment.
    """
    text = str(values.get("app", {}).get("accepted", ""))
    accepted = {name.strip() for name in text.split(",") if name.strip()}
    unknown = sorted(accepted - NAMES.keys())
    mistakes = [
        f"app.accepted: {name!r} is not an exception; the exceptions are: {', '.join(NAMES)}"
        for name in unknown
    ]
    if environment != "production":
        return mistakes
    together = ",".join(sorted(accepted - set(unknown)))
    for name, said in _found(values):
        if name not in accepted:
            wanted = f"{together},{name}" if together else name
            mistakes.append(f"{said}. To accept this anyway, set TRACKER_APP_ACCEPTED={wanted}")
    return mistakes


def _found(values: SettingValues) -> Iterator[tuple[str, str]]:
    yield from _of_site(str(values.get("app", {}).get("base_url", "")))
    yield from _of_mail(values.get("mail", {}))
    yield from _of_database(str(values.get("database", {}).get("url", "")))


def _of_site(url: str) -> Iterator[tuple[str, str]]:
    if urlsplit(url).scheme == "http":
        yield "http", f"app.base_url = {url!r}: must begin with https:// in production"
    if _is_example(urlsplit(url).hostname or ""):
        yield "example_addresses", f"app.base_url = {url!r}: {_NO_EXAMPLE}"


def _of_mail(mail: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    encrypted = mail.get("use_tls") or mail.get("use_ssl")
    server = mail.get("server", "")
    if not encrypted and server and server not in _THIS_MACHINE:
        rule = "must be true (or mail.use_ssl) for a relay that is not on this machine"
        yield "plain_mail", f"mail.use_tls = false: {rule}"
    for key in ("sender", "reply_to", "bounce_domain", "message_id_domain"):
        value = str(mail.get(key, ""))
        if _is_example(parseaddr(value)[1].rpartition("@")[2] or value):
            yield "example_addresses", f"mail.{key} = {value!r}: {_NO_EXAMPLE}"


def _of_database(url: str) -> Iterator[tuple[str, str]]:
    if url.startswith("sqlite"):
        yield "sqlite", "database.url: must name a PostgreSQL database in production"
    elif url.startswith("postgresql") and not _is_safe(url):
        rule = "must end in ?sslmode=verify-full (or verify-ca, require)"
        yield "plain_database", f"database.url: {rule} for a server that is not on this machine"


def _is_safe(url: str) -> bool:
    """Whether the connection to PostgreSQL is encrypted or stays on this machine."""
    parts = urlsplit(url)
    given = parse_qs(parts.query)
    hosts = given.get("host") or [parts.hostname or ""]
    local = all(not h or h.startswith("/") or h.split(":")[0] in _THIS_MACHINE for h in hosts)
    return local or given.get("sslmode", [""])[-1] in _ENCRYPTED


def _is_example(domain: str) -> bool:
    return f".{domain.lower()}".endswith(_EXAMPLES)
