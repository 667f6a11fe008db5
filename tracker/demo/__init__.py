"""``tracker demo``: a throwaway site on SQLite with invented people, its scheduler, a mail catcher.

Everything lies in one directory, ``var/demo``, which is emptied at every start. The data come in
through the same imports as real files do, the letters leave through the same outbox, over real
SMTP, into the catcher; the web server and the scheduler are the ordinary programs.
"""

from __future__ import annotations

import io
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
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType

import click
from sqlalchemy import func, select

from tracker import migrations, settings, tabular
from tracker.app import create_office
from tracker.demo import people
from tracker.demo.mail_catcher import MailCatcher
from tracker.domain.credentials.assessments import Approval
from tracker.domain.permissions import SYSTEM, Actor, Role
from tracker.models import Certification, Employer, Holder, Message, RosterEntry
from tracker.services import imports
from tracker.services.core import tokens
from tracker.services.core.context import Container, UnitOfWork
from tracker.services.credentials import centers
from tracker.services.delivery import send_safety

NOW = "2026-11-21T17:00:00Z"
"""The demonstration's clock starts here, so that every run shows the same people and days."""

_STAFF = Actor(role="staff", name="demonstration")
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Site:
    """Where a running demonstration is found."""

    directory: Path
    url: str
    letters: Path
    variables: Mapping[str, str]


def main(*, port: int = 8000, directory: Path | None = None, once: bool = False) -> None:
    """Set the site up, print where everything is, and serve it until told to stop.

    ``once`` ends as soon as the letters of the first hour have been delivered.
    """
    home = (directory or Path("var/demo")).resolve()
    if home.exists():
        shutil.rmtree(home)
    (home / "letters").mkdir(parents=True)
    caught = MailCatcher(home / "letters")
    with suppress(KeyboardInterrupt), _stopped_by_signal(), caught as catcher:
        environment = _environment(home, port, catcher.port)
        given = settings.load(variables=environment)
        office = create_office(given)
        site = _furnish(office, home, port)
        with _serving(port, environment):
            _wait_until_ready(site.url)
            _wait_for_letters(office, catcher)
            click.echo(_guide(site, catcher))
            office.engine.dispose()
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
    """Say that the port is taken before anything is set up, rather than after."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise OSError(f"Port {port} is in use; choose another with --port.") from error


def _furnish(office: Container, home: Path, port: int) -> Site:
    """Make the tables, the people and a token for each role."""
    migrations.upgrade(office.engine)
    today = datetime.fromisoformat(NOW).astimezone(UTC).date()
    with office.work(_STAFF) as work:
        _approve_centers(work)
        for kind, rows in people.generate(today).items():
            report = imports.run(work, kind, _file(rows), filename=f"{kind}.csv", new_centers=True)
            click.echo(f"{kind}: {report.created} rows")
    with office.work(SYSTEM) as work:
        send_safety.enable(work, reason="The demonstration's messages go nowhere.")
        variables = {"URL": f"http://127.0.0.1:{port}", **_credentials(work)}
    exports = "".join(f"export {name}='{value}'\n" for name, value in variables.items())
    (home / "demo.env").write_text(exports, encoding="utf-8")
    return Site(home, variables["URL"], home / "letters", variables)


def _approve_centers(work: UnitOfWork) -> None:
    """The directory of centers; one approval lapsed, so that some assessments carry a warning."""
    for name, category, lapses_on in (
        ("Ivy Tech Community College", "community_college", None),
        ("Lone Star College", "community_college", None),
        ("American Job Center 14", "adult_education", None),
        ("Northside High School CTE", "secondary_school", date(2025, 6, 30)),
        ("Palmetto Motors Training Center", "employer", None),
    ):
        approval = Approval(approved_on=date(2010, 1, 1), lapses_on=lapses_on)
        centers.add_center(work, name=name, category=category, approvals=[approval])


def _file(rows: list[dict[str, object]]) -> io.BytesIO:
    """Rows as the CSV file that an import reads."""
    header = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.BytesIO()
    tabular.write_csv(stream, header, ([row.get(name) for name in header] for row in rows))
    stream.seek(0)
    return stream


def _credentials(work: UnitOfWork) -> dict[str, str]:
    """A token a role, and the ids that the README's examples use."""
    holder = work.row(select(Holder.id).where(Holder.ref == "D-0001"))
    held = work.row(
        select(Certification.id, Certification.public_id).where(
            Certification.holder_id == holder.id, Certification.scheme == "cpt"
        )
    )
    employer = work.row(
        select(Employer.id).join(RosterEntry).where(RosterEntry.holder_id == holder.id)
    )
    return {
        "ADMIN": _token(work, "admin"),
        "STAFF": _token(work, "staff"),
        "EMPLOYER": _token(work, "employer", employer_id=employer.id),
        "HOLDER": _token(work, "holder", holder_id=holder.id),
        "HOLDER_ID": holder.id,
        "CERTIFICATION_ID": held.id,
        "PUBLIC_ID": held.public_id,
        "EMPLOYER_ID": employer.id,
    }


def _token(work: UnitOfWork, role: Role, **subject: str) -> str:
    return tokens.create(
        work,
        name=f"demo {role}",
        role=role,
        holder_id=subject.get("holder_id"),
        employer_id=subject.get("employer_id"),
    )[1]


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
    raise OSError(f"The web server did not answer at {url}; see server.log beside the database.")


def _wait_for_letters(office: Container, catcher: MailCatcher) -> None:
    """Until every letter that is due now lies in the catcher; news waits for second thoughts."""
    deadline, quiet = time.monotonic() + _PATIENCE, 0
    while time.monotonic() < deadline and quiet < 3:  # noqa: PLR2004 - as long as planning takes
        before = len(catcher.emails())
        time.sleep(2)
        with office.reading(SYSTEM) as reading:
            unsent = reading.row(
                select(func.count()).where(
                    Message.state.in_(("ready", "claimed", "transmitting")),
                    Message.next_at <= reading.now,
                )
            )[0]
        done = before and not unsent and len(catcher.emails()) == before
        quiet = quiet + 1 if done else 0


def _guide(site: Site, catcher: MailCatcher) -> str:
    """What to look at, and with which token."""
    letters = catcher.emails()
    shown = [f"  {one.recipient:28} {one.subject}" for one in letters[:8]]
    if len(letters) > len(shown):
        shown.append(f"  ... and {len(letters) - len(shown)} more")
    tokens_ = [f"  {name:17} {value}" for name, value in site.variables.items()]
    return "\n".join(
        [
            "",
            f"Tracker is running. Its clock began at {NOW}.",
            "",
            f"  {site.url}/               start page",
            f"  {site.url}/docs           the HTTP interface, to try out",
            f"  {site.url}/verify/{site.variables['PUBLIC_ID']}   a public verification page",
            "",
            "Tokens and ids; in another shell:  . var/demo/demo.env"
            if site.directory.name == "demo"
            else f"Tokens and ids; in another shell:  . {site.directory}/demo.env",
            *tokens_,
            "",
            f"Reminders delivered: {len(letters)}, kept in {site.letters}",
            *shown,
            "",
            "Stop with Ctrl-C.",
        ]
    )


@contextmanager
def _stopped_by_signal() -> Iterator[None]:
    """Let SIGTERM end the demonstration as Ctrl-C does, children included."""
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
