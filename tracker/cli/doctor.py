"""tracker doctor: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from email.utils import parseaddr

import click
import orjson
from sqlalchemy.exc import SQLAlchemyError

from tracker import jobs, migrations, scheme_files, settings
from tracker.cli.commands import OPERATOR, container
from tracker.cli.modes import of_files
from tracker.mail.smtp_sender import DeliveryOutcome
from tracker.scheme_files import SchemesRefusedError
from tracker.services.core import counters
from tracker.services.core.context import Container, ReadContext
from tracker.services.delivery import ledger, send_safety
from tracker.services.overview import findings, history_checkpoints, integrity
from tracker.services.overview.findings import DoctorFinding
from tracker.services.overview.history_checkpoints import StrayCheckpoint
from tracker.settings import Settings, SettingsRefusedError

_OLD_CHECKPOINT = timedelta(days=2)
_ENOUGH = 4096  # bytes written to test a disk


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON.")
def doctor(*, as_json: bool) -> None:
    """Check the installation, and say how to fix each problem.

    Exits with status 1 if there is a problem.
    """
    found: list[DoctorFinding] = []
    for finding in _examine():
        found.append(finding)
        if not as_json:
            click.echo(f"{finding.state:<8} {finding.check}: {finding.detail}")
            if finding.fix:
                click.echo(f"{'':<8} -> {finding.fix}")
    if as_json:
        as_values = [asdict(finding) for finding in found]
        click.echo(orjson.dumps(as_values, option=orjson.OPT_INDENT_2).decode())
    if any(finding.state == "problem" for finding in found):
        raise SystemExit(1)


def _examine() -> Iterator[DoctorFinding]:
    """Every check in turn; a check runs only if those that it depends on passed."""
    try:
        chosen = settings.load()
    except SettingsRefusedError as mistakes:
        yield DoctorFinding(
            "settings", "problem", str(mistakes), "Correct the settings named above."
        )
        return
    yield _environment(chosen)
    try:
        found = scheme_files.load(chosen.schemes_directory)
    except SchemesRefusedError as mistakes:
        yield DoctorFinding(
            "schemes", "problem", str(mistakes), "Correct the files; see `schemes check`."
        )
        return
    yield DoctorFinding("schemes", "ok", ", ".join(found.by_code))
    storage = _storage(chosen)
    yield storage
    yield _mail(chosen)
    if storage.state == "ok":
        opened = container(chosen)
        yield from of_files(chosen)
        yield from _database(opened)


def _environment(chosen: Settings) -> DoctorFinding:
    named = f"environment {chosen.environment}"
    if chosen.environment == "default":
        fix = "Set TRACKER_ENV=production on a site that sends email to real people."
        return DoctorFinding(
            "settings", "warning", f"{named}: this is not a production environment", fix
        )
    return DoctorFinding("settings", "ok", named)


def _storage(chosen: Settings) -> DoctorFinding:
    directory = chosen.storage_directory
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(bytes(_ENOUGH))
            file.flush()
            os.fsync(file.fileno())  # a full disk may fail only here
    except OSError as error:
        fix = "Let this user write there, or set TRACKER_STORAGE_DIRECTORY."
        return DoctorFinding("storage", "problem", str(error), fix)
    return DoctorFinding("storage", "ok", f"{directory} is writable")


def _mail(chosen: Settings) -> DoctorFinding:
    """Talk to the relay as for an email, up to the point where one would be sent; none is."""
    mail = chosen.mail
    where = f"{mail.server}:{mail.port}"
    fix = "Start the relay, or correct TRACKER_MAIL_SERVER, _PORT, _USERNAME and _PASSWORD."
    try:
        with jobs.smtp_sender_of(chosen) as sender:
            answer = sender.deliver(
                envelope_sender=f"doctor@{mail.bounce_domain}",
                recipient=parseaddr(mail.reply_to)[1],
                data=b"",
                mark=lambda: False,
            )
    except ValueError as rule:
        return DoctorFinding("mail", "problem", str(rule), fix)
    if answer.connection_failed:
        return DoctorFinding(
            "mail", "problem", f"{where}: {answer.reply}", send_safety.RELAY_REMEDY
        )
    if answer.outcome is not DeliveryOutcome.NOT_OWED:
        asked = "Configure the relay to accept messages from this host, to other domains too."
        return DoctorFinding("mail", "warning", f"{where} refuses messages: {answer.reply}", asked)
    return DoctorFinding("mail", "ok", f"{where} accepts messages")


def _database(opened: Container) -> Iterator[DoctorFinding]:
    where = opened.engine.url.render_as_string(hide_password=True)
    try:
        at = migrations.current(opened.engine)
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", error)).strip()
        fix = "Start the database, or correct TRACKER_DATABASE_URL."
        yield DoctorFinding("database", "problem", f"{where}: {cause}", fix)
        return
    yield DoctorFinding("database", "ok", where)
    with opened.reading(OPERATOR) as reading:
        obstacle = migrations.obstacle(reading.connection)
    if obstacle:
        yield DoctorFinding("migrations", "problem", obstacle, "Run `tracker migrate`.")
        return
    yield DoctorFinding(
        "migrations", "ok", f"at migration {at}; this release needs {migrations.head()}"
    )
    yield _writing(opened)
    with opened.reading(OPERATOR) as reading:
        yield from findings.of_row_security(reading)
        known = findings.of_schemes(reading)
        yield known
        if known.state == "ok":
            for check in _CHECKS:
                yield check(reading)
            yield _checkpoints(reading, opened)
            yield from findings.of_outbox(reading)


def _writing(opened: Container) -> DoctorFinding:
    """Write to the database, since one on a full disk can still be read."""
    try:
        with opened.work(OPERATOR) as work:
            counters.put(work, "doctor", 0)
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", error)).strip()
        fix = "Free disk space for the database, and give this user permission to write to it."
        return DoctorFinding("writing", "problem", cause, fix)
    return DoctorFinding("writing", "ok", "the database is writable")


def _timelines(reading: ReadContext) -> DoctorFinding:
    found = integrity.timelines(reading)
    if found.wrong:
        shown = ", ".join(found.wrong[:5])
        detail = (
            f"{len(found.wrong)} of {found.examined} certifications do not match the recorded "
            f"facts: {shown}"
        )
        fix = "This is a bug; report it with these certificate numbers."
        return DoctorFinding("timelines", "problem", detail, fix)
    return DoctorFinding(
        "timelines", "ok", f"{found.examined} certifications match the recorded facts"
    )


def _words(reading: ReadContext) -> DoctorFinding:
    found = integrity.words(reading)
    if found.wrong:
        shown = ", ".join(found.wrong[:5])
        detail = f"{len(found.wrong)} of {found.examined} people are not found as named: {shown}"
        fix = "This is a bug; report it. Until then, find them by their refs."
        return DoctorFinding("search", "problem", detail, fix)
    return DoctorFinding("search", "ok", f"{found.examined} people are found as they are named")


def _reminders(reading: ReadContext) -> DoctorFinding:
    found = ledger.identity_violations(reading)
    if found:
        detail = f"{len(found)} due stages do not have exactly one row; the first is {found[0]}"
        return DoctorFinding(
            "reminders",
            "problem",
            detail,
            "Start `tracker scheduler`, then run `tracker doctor` again.",
        )
    return DoctorFinding("reminders", "ok", "every due stage has exactly one row")


def _checkpoints(reading: ReadContext, opened: Container) -> DoctorFinding:
    """How old the history's last checkpoint is, and whether the chain still has what it saw."""
    last = history_checkpoints.latest(reading, opened.history_keys)
    if last is None:
        detail = f"there is no checkpoint of the history in {opened.settings.checkpoints_directory}"
        return DoctorFinding("history", "warning", detail, "Start `tracker scheduler`.")
    if isinstance(last, StrayCheckpoint):
        fix = "Give the key that signed it, or move the file away."
        return DoctorFinding("history", "problem", f"the checkpoint {last.name} {last.why}", fix)
    if not history_checkpoints.is_kept(reading, last):
        detail = f"the chain has lost block {last.sequence}, which checkpoint {last.name} saw"
        return DoctorFinding("history", "problem", detail, "Run `tracker history verify`.")
    hours = (reading.now - last.at).total_seconds() / 3600
    detail = f"the last checkpoint is {hours:,.0f} h old, of block {last.sequence}"
    if reading.now - last.at > _OLD_CHECKPOINT:
        return DoctorFinding("history", "problem", detail, "Start `tracker scheduler` again.")
    return DoctorFinding("history", "ok", detail)


_CHECKS: tuple[Callable[[ReadContext], DoctorFinding], ...] = (
    findings.of_sending,
    findings.of_scheduler,
    _timelines,
    _words,
    _reminders,
    findings.of_policies,
)
