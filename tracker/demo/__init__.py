"""``tracker demo``: a throwaway site on SQLite with invented people, a scheduler, a mail catcher.

What lives here: the run (this module), who the people are (``names``, ``workers``, ``careers``,
``people``, ``pathways``), their evidence (``documents``), how they are recorded (``loading``), and
where their email goes (``mail_catcher``). Everything is kept in one directory, ``var/demo``, which
is emptied at every start. The data come in through the imports, email leaves through the outbox
over real SMTP, and the web server and the scheduler are the ordinary programs.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click
from sqlalchemy import func, select

from tracker import migrations, settings
from tracker.app import create_container
from tracker.demo import loading
from tracker.demo.mail_catcher import MailCatcher
from tracker.domain.delivery.queue_acts import WAITING
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Message
from tracker.services.core.context import Container
from tracker.services.delivery import send_safety

NOW = "2026-11-21T17:00:00Z"
"""The demo's clock starts here, so that every run shows the same people and days."""

_STAFF = Actor(role="staff", name="demo")
_PATIENCE = 180.0  # seconds: a slow machine starts three processes


@dataclass(frozen=True, slots=True)
class Site:
    """The addresses and tokens of a running demo; ``links`` sign in once, by role."""

    directory: Path
    url: str
    emails: Path
    variables: Mapping[str, str]
    links: Mapping[str, str]


def main(*, port: int = 8000, directory: Path | None = None, once: bool = False) -> None:
    """Set the site up, print where everything is, and serve it until stopped.

    ``once`` ends as soon as the emails that are due have been delivered.
    """
    home = (directory or Path("var/demo")).resolve()
    if home.exists():
        shutil.rmtree(home)
    (home / "emails").mkdir(parents=True)
    mail_catcher = MailCatcher(home / "emails")
    with suppress(KeyboardInterrupt), _stopped_by_signal(), mail_catcher as catcher:
        environment = _environment(home, port, catcher.port)
        container = create_container(settings.load(variables=environment))
        site = _set_up(container, home, port)
        with _serving(port, environment):
            _wait_until_ready(site.url)
            _wait_for_emails(container, catcher)
            container.engine.dispose()
            click.echo(_guide(site, catcher))
            while not once:
                time.sleep(1)


def _environment(home: Path, port: int, smtp_port: int) -> dict[str, str]:
    _check_free(port)
    return {
        "TRACKER_APP_BASE_URL": f"http://127.0.0.1:{port}",
        "TRACKER_NOW": NOW,
        "TRACKER_DATABASE_URL": f"sqlite:///{home}/tracker.sqlite3",
        "TRACKER_STORAGE_DIRECTORY": str(home),
        "TRACKER_MAIL_SERVER": "127.0.0.1",
        "TRACKER_MAIL_PORT": str(smtp_port),
        "TRACKER_REMINDERS_PLAN_EVERY_SECONDS": "5",
        "TRACKER_REMINDERS_DISPATCH_EVERY_SECONDS": "1",
    }


def _check_free(port: int) -> None:
    """Fail if the port is taken before anything is set up, rather than after."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise OSError(f"Port {port} is in use; choose another with --port.") from error


def _set_up(container: Container, home: Path, port: int) -> Site:
    """Create the tables, the people, a token and a link to sign in for each role."""
    migrations.upgrade(container.engine)
    today = datetime.fromisoformat(NOW).astimezone(UTC).date()
    with container.work(_STAFF) as work:
        for line in loading.load(work, today):
            click.echo(line)
    with container.work(SYSTEM) as work:
        send_safety.enable(work, reason="The demo's mail catcher delivers nothing.")
        variables = {"URL": f"http://127.0.0.1:{port}", **loading.credentials(work)}
        links = loading.sign_in_links(work)
    exports = "".join(f"export {name}='{value}'\n" for name, value in variables.items())
    (home / "demo.env").write_text(exports, encoding="utf-8")
    return Site(home, variables["URL"], home / "emails", variables, links)


@contextmanager
def _serving(port: int, environment: Mapping[str, str]) -> Iterator[None]:
    """The ordinary web server and scheduler, as a process of their own."""
    program = [
        sys.executable,
        "-m",
        "tracker.cli",
        "serve",
        "--port",
        str(port),
        "--with-scheduler",
    ]
    paths = [str(settings.ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("TRACKER_")}
    environment = {**inherited, **environment, "PYTHONPATH": os.pathsep.join(paths)}
    with (
        Path(environment["TRACKER_STORAGE_DIRECTORY"], "server.log").open("wb") as log,
        subprocess.Popen(program, env=environment, stdout=log, stderr=log) as running,  # noqa: S603 - our own program
    ):
        try:
            yield
        finally:
            running.terminate()
            running.wait(_PATIENCE)


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"{url}/api/v1/schemes", timeout=2):  # noqa: S310 - our own server
            return
        time.sleep(0.2)
    raise OSError(
        f"The web server did not answer at {url}; read server.log in the database's folder."
    )


def _wait_for_emails(container: Container, catcher: MailCatcher) -> None:
    """Wait until every email that is due now was caught; notices of decisions leave later."""
    deadline, quiet = time.monotonic() + _PATIENCE, 0
    while time.monotonic() < deadline and quiet < 4:  # noqa: PLR2004 - as long as planning takes
        before = len(catcher.emails())
        time.sleep(1)
        with container.reading(SYSTEM) as reading:
            unsent = reading.row(
                select(func.count()).where(
                    Message.state.in_(WAITING),
                    Message.next_at <= reading.now,
                )
            )[0]
        done = before and not unsent and len(catcher.emails()) == before
        quiet = quiet + 1 if done else 0


def _guide(site: Site, catcher: MailCatcher) -> str:
    """What to look at, and with which token."""
    emails = catcher.emails()
    shown = [f"  {email.recipient:34} {email.subject}" for email in emails[:8]]
    if len(emails) > len(shown):
        shown.append(f"  ... and {len(emails) - len(shown)} more")
    variables = [f"  {name:17} {value}" for name, value in site.variables.items()]
    links = [f"  {role:10} {link}" for role, link in site.links.items()]
    return "\n".join(
        [
            "",
            f"Tracker is running. Its clock started at {NOW}.",
            "",
            f"  {site.url}/               start page",
            f"  {site.url}/docs           the HTTP API documentation",
            f"  {site.url}/verify/{site.variables['PUBLIC_ID']}   a public verification page",
            "",
            "Sign in with a browser, once with each link:",
            *links,
            f"or as any worker at {site.url}/sign-in, where the code arrives as an email (below).",
            "The codes of an authenticator app fit its own clock, not the demo's.",
            "",
            "Tokens and ids; in another shell:  . var/demo/demo.env"
            if site.directory.name == "demo"
            else f"Tokens and ids; in another shell:  . {site.directory}/demo.env",
            *variables,
            "",
            f"Reminders delivered: {len(emails)}, kept in {site.emails}",
            *shown,
            "",
            "Stop with Ctrl-C.",
        ]
    )


@contextmanager
def _stopped_by_signal() -> Iterator[None]:
    """Let SIGTERM end the demo as Ctrl-C does, its child processes included."""
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
