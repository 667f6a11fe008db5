"""tracker doctor: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import os
import smtplib
import ssl
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Literal

import click
import orjson
from sqlalchemy.exc import SQLAlchemyError

from tracker import migrations, schemes, settings
from tracker.cli.doors import OPERATOR, office
from tracker.cli.findings import Finding, of_letters
from tracker.cli.policies import MENDING
from tracker.schemes import SchemesRefusedError
from tracker.services import checks, publications, reminders, runtime, tallies
from tracker.services.work import Office, Reading
from tracker.settings import Settings, SettingsRefusedError

_STALE = timedelta(minutes=5)
_ENOUGH = 4096  # bytes that are written to a disk to know that it takes them
_PATIENCE = 10  # seconds for the mail relay to answer


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON.")
def doctor(*, as_json: bool) -> None:
    """Look for what is wrong and say how to mend it. Status 1 if there is any problem."""
    found: list[Finding] = []
    for finding in _examine():
        found.append(finding)
        if not as_json:
            click.echo(f"{finding.state:<8} {finding.check}: {finding.detail}")
            if finding.fix:
                click.echo(f"{'':<8} -> {finding.fix}")
    if as_json:
        findings = [asdict(finding) for finding in found]
        click.echo(orjson.dumps(findings, option=orjson.OPT_INDENT_2).decode())
    if any(finding.state == "problem" for finding in found):
        raise SystemExit(1)


def _examine() -> Iterator[Finding]:
    """Every check in turn; what the next one stands on must be well."""
    try:
        chosen = settings.load()
    except SettingsRefusedError as mistakes:
        yield Finding("settings", "problem", str(mistakes), "Correct the settings named above.")
        return
    yield Finding("settings", "ok", f"environment {chosen.environment}")
    try:
        found = schemes.load(chosen.schemes_directory)
    except SchemesRefusedError as mistakes:
        yield Finding(
            "schemes", "problem", str(mistakes), "Correct the files; see `schemes check`."
        )
        return
    yield Finding("schemes", "ok", ", ".join(found.by_code))
    storage = _storage(chosen)
    yield storage
    yield _mail(chosen)
    if storage.state == "ok":
        yield from _database(office(chosen))


def _storage(chosen: Settings) -> Finding:
    directory = chosen.storage_directory
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(bytes(_ENOUGH))
            file.flush()
            os.fsync(file.fileno())  # a full disk may be told of only then
    except OSError as error:
        fix = "Let this user write there, or set TRACKER_STORAGE_DIRECTORY."
        return Finding("storage", "problem", str(error), fix)
    return Finding("storage", "ok", f"{directory} can be written")


def _mail(chosen: Settings) -> Finding:
    """Speak to the relay without sending anything."""
    mail = chosen.mail
    where = f"{mail.server}:{mail.port}"
    try:
        made = smtplib.SMTP_SSL if mail.use_ssl else smtplib.SMTP
        with made(mail.server, mail.port, timeout=_PATIENCE) as relay:
            if mail.use_tls:
                relay.starttls(context=ssl.create_default_context())
            if mail.username:
                relay.login(mail.username, mail.password)
            relay.noop()
    except (OSError, smtplib.SMTPException) as error:
        return Finding("mail", "problem", f"{where}: {error}", runtime.RELAY_REMEDY)
    return Finding("mail", "ok", f"{where} answers")


def _database(opened: Office) -> Iterator[Finding]:
    where = opened.engine.url.render_as_string(hide_password=True)
    try:
        at = migrations.current(opened.engine)
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", error)).strip()
        fix = "Start the database, or correct TRACKER_DATABASE_URL."
        yield Finding("database", "problem", f"{where}: {cause}", fix)
        return
    yield Finding("database", "ok", where)
    with opened.reading(OPERATOR) as reading:
        obstacle = migrations.obstacle(reading.connection)
    if obstacle:
        yield Finding("migrations", "problem", obstacle, "Run `tracker migrate`.")
        return
    yield Finding("migrations", "ok", f"at {at}; this release's newest is {migrations.head()}")
    yield _writing(opened)
    with opened.reading(OPERATOR) as reading:
        known = _schemes_on_record(reading)
        yield known
        if known.state == "ok":
            for check in _CHECKS:
                yield check(reading)
            yield from of_letters(reading)


def _writing(opened: Office) -> Finding:
    """Write to the database, since one on a full disk can still be read."""
    try:
        with opened.work(OPERATOR) as work:
            tallies.put(work, "doctor", 0)
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", error)).strip()
        fix = "Make room on the database's disk, and let this user write to the database."
        return Finding("writing", "problem", cause, fix)
    return Finding("writing", "ok", "the database can be written to")


def _sending(reading: Reading) -> Finding:
    obstacle = runtime.obstacle(reading)
    if obstacle:
        state: Literal["warning", "problem"] = "warning" if runtime.is_new(reading) else "problem"
        detail = f"No message is sent. {obstacle.reason}"
        return Finding("sending", state, detail, obstacle.remedy)
    return Finding("sending", "ok", "letters may be sent from this database")


def _heartbeat(reading: Reading) -> Finding:
    last = checks.last_beat(reading)
    if last is None:
        return Finding("scheduler", "warning", "never ran here", "Start `tracker scheduler`.")
    age = reading.now - last
    detail = f"last seen {last:%Y-%m-%d %H:%M:%S} UTC, {age.total_seconds():,.0f} s ago"
    if age > _STALE:
        return Finding("scheduler", "problem", detail, "Start `tracker scheduler` again.")
    return Finding("scheduler", "ok", detail)


def _timelines(reading: Reading) -> Finding:
    found = checks.timelines(reading)
    if found.wrong:
        shown = ", ".join(found.wrong[:5])
        detail = f"{len(found.wrong)} of {found.examined} disagree with their facts: {shown}"
        return Finding("timelines", "problem", detail, "Report this with the numbers; it is a bug.")
    return Finding("timelines", "ok", f"{found.examined} certifications agree with their facts")


def _reminders(reading: Reading) -> Finding:
    found = reminders.identity_violations(reading)
    if found:
        detail = f"{len(found)} due stages without exactly one row; first: {found[0]}"
        return Finding("reminders", "problem", detail, "Start `tracker scheduler`, and look again.")
    return Finding("reminders", "ok", "every stage that fell due has exactly one row")


def _published(reading: Reading) -> Finding:
    """Whether the published policy versions still say what they said."""
    found = list(publications.breaches(reading, reading.schemes))
    if found:
        return Finding("policies", "warning", "; ".join(map(str, found)), MENDING)
    count = len(publications.published(reading))
    return Finding("policies", "ok", f"{count} published versions say what was published")


def _schemes_on_record(reading: Reading) -> Finding:
    found = checks.unknown_schemes(reading)
    if found:
        detail = f"no file states {', '.join(found)}, of which there are certifications"
        return Finding("schemes on record", "problem", detail, "Bring the scheme's file back.")
    return Finding("schemes on record", "ok", "every scheme on record has its file")


_CHECKS: tuple[Callable[[Reading], Finding], ...] = (
    _sending, _heartbeat, _timelines, _reminders, _published,
)  # fmt: skip
