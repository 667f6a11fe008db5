"""Uploading an employer's list: the file, what it would do, and the same file again to confirm.

Nothing is kept between the two uploads but a fingerprint in the form: a file that differs from the
one that was checked is checked instead of stored.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import IO

from flask import Blueprint, Response, request
from werkzeug.datastructures import FileStorage

from tracker import tabular
from tracker.api import imports as imports_api
from tracker.api.http import attachments, limits, routing, session_cookies
from tracker.domain.errors import Refusal, TooBusy, TooManyAtOnce, TooOften
from tracker.domain.permissions import Actor
from tracker.services import imports
from tracker.services.core import organizations
from tracker.services.core.context import UnitOfWork
from tracker.services.employers import roster
from tracker.services.imports import apart, roster_preview
from tracker.services.imports.roster_preview import RosterPreview
from tracker.tabular import Dates, Encoding, Unpacked
from tracker.web.employers import workforce_words
from tracker.web.employers.roster_words import WORDS
from tracker.web.employers.workforce_words import WORDS as LIST_WORDS
from tracker.web.people import forms, visitors

pages = Blueprint("roster-pages", __name__)

HERE = "/employer/roster"
_MB = 10**6
_WRAPPING = 64 * 1024  # bytes for the form around a file
_KIND = "roster"


def _maximum() -> int:
    return routing.container().settings.imports.employer_maximum_bytes


def _most() -> int:
    return _maximum() + _WRAPPING


def _megabytes() -> str:
    return f"{_maximum() / _MB:,.0f}"


def _too_large() -> Response:
    language = routing.language()
    say = WORDS[language]
    lines, links = [say.too_large_why.format(_megabytes())], ({"href": HERE, "text": say.title},)
    return visitors.page("message", language, 413, heading=say.too_large, lines=lines, links=links)


@pages.get(HERE)
@visitors.for_organization("employer", changes=True)
def home(actor: Actor, employer_id: str) -> Response:
    """The form, and what a file looks like."""
    del employer_id
    return _form(actor)


@pages.post(HERE)
@visitors.takes_files(_most, _too_large)
@visitors.for_organization("employer", changes=True)
def upload(actor: Actor, employer_id: str) -> Response:
    """Show what the file would do; store it if it is the very file that was confirmed."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _form(actor, wrong=WORDS[routing.language()].no_file)
    sent = _SentFile(imports_api.shown_name(file.filename), _dates(), _fingerprint(file))
    confirmed = request.form.get("fingerprint", "")
    settings = routing.container().settings
    try:
        with apart.unpacked(settings, _KIND, file.stream, encoding=Encoding.UTF_8) as table:
            if confirmed == sent.fingerprint:
                return _stored(actor, employer_id, table, sent)
            return _preview(actor, employer_id, table, sent, is_another=bool(confirmed))
    except TooBusy:
        return _form(actor, wrong=WORDS[routing.language()].too_busy)


@dataclass(frozen=True, slots=True)
class _SentFile:
    """A file that was sent: its name, how its dates are read, the digest of its bytes."""

    name: str
    dates: Dates
    fingerprint: str


def _dates() -> Dates:
    return next((one for one in Dates if one.value == request.form.get("dates")), Dates.ISO)


def _fingerprint(file: FileStorage) -> str:
    found = hashlib.sha256(file.stream.read()).hexdigest()
    file.stream.seek(0)
    return found


def _stored(actor: Actor, employer_id: str, table: Unpacked, sent: _SentFile) -> Response:
    """Store the file; one that has become wrong in the meantime is shown again."""

    def act(work: UnitOfWork) -> str:
        done = imports.run(
            work, _KIND, table, filename=sent.name, dates=sent.dates, employer_id=employer_id
        )
        return f"/employer?done=stored-{done.created}-{done.changed}-{done.unchanged}"

    def refused(_refusal: Refusal) -> Response:
        return _preview(actor, employer_id, table, sent, is_another=False)

    return forms.attempted(actor, act, here=HERE, refused=refused)


def _preview(
    actor: Actor, employer_id: str, table: Unpacked, sent: _SentFile, *, is_another: bool
) -> Response:
    language = routing.language()
    say = WORDS[language]
    found = roster_preview.preview(
        routing.container(),
        actor,
        table,
        employer_id=employer_id,
        filename=sent.name,
        dates=sent.dates,
    )
    wrong = None
    if found.report is None:
        count = found.total_faults
        wrong = (say.refused_one if count == 1 else say.refused_other).format(f"{count:,}")
    return visitors.page(
        "employers/roster_preview",
        language,
        422 if wrong else 200,
        say=say,
        here=HERE,
        sent=sent,
        wrong=wrong,
        changed=say.changed if is_another else "",
        found=found,
        would=_would(found, language),
        faults=[say.whole_row.format(row=one.row, rule=_rule(one)) for one in found.faults],
        csrf_token=session_cookies.csrf_token(actor),
    )


def _rule(error: tabular.RowError) -> str:
    return " ".join(filter(None, (error.column, f"“{error.value}”", error.rule)))


def _would(found: RosterPreview, language: str) -> list[str]:
    say, report = WORDS[language], found.report
    if report is None:
        return []
    return [
        say.would_add.format(f"{report.created:,}"),
        say.would_change.format(f"{report.changed:,}"),
        say.would_keep.format(f"{report.unchanged:,}"),
    ]


def _form(actor: Actor, wrong: str | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        own = organizations.named(reading, actor)
    columns = (
        ("employer", say.column_employer.format(own.name if own else ""), True),
        ("employee_id", say.column_employee_id, True),
        ("email", say.column_email, False),
        ("certificate_number", say.column_certificate_number, False),
        ("site, department, shift", say.column_site, False),
        ("ended_on", say.column_ended_on, False),
    )
    return visitors.page(
        "employers/roster",
        language,
        422 if wrong else 200,
        say=say,
        frame_words=LIST_WORDS[language],
        parts=workforce_words.parts(actor, language),
        here=HERE,
        columns=columns,
        hint=say.file_hint.format(_megabytes()),
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


@pages.get(f"{HERE}/current.csv")
@visitors.for_organization("employer", changes=True)
def current(actor: Actor, employer_id: str) -> Response:
    """The list as it is now, in the form in which it is uploaded."""
    try:
        limits.exported(actor)
        with routing.container().reading(actor) as reading:
            rows = roster.current(reading, employer_id)

            def write(file: IO[bytes]) -> None:
                tabular.write_csv(file, roster.CURRENT, rows)

            made = attachments.attached(
                reading, write, content_type="text/csv; charset=utf-8", name="roster.csv"
            )
    except (TooOften, TooManyAtOnce) as refusal:
        return visitors.refused_file(refusal)
    return visitors.private(made)
