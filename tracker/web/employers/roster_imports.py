"""Uploading an employer's list: the file, what it would do, and the same file again to confirm.

How a file is confirmed is in ``web/imports/uploads``.
"""

from __future__ import annotations

from typing import IO

from flask import Blueprint, Response, request

from tracker import tabular
from tracker.api.http import attachments, limits, routing, session_cookies
from tracker.domain.errors import Refusal, TooManyAtOnce, TooOften
from tracker.domain.permissions import Actor
from tracker.services.core import organizations
from tracker.services.employers import roster
from tracker.services.imports import roster_preview
from tracker.tabular import Unpacked
from tracker.web.employers import workforce_words
from tracker.web.employers.roster_words import WORDS
from tracker.web.employers.workforce_words import WORDS as LIST_WORDS
from tracker.web.imports import uploads
from tracker.web.imports.uploads import SentFile
from tracker.web.people import visitors

pages = Blueprint("roster-pages", __name__)

HERE = "/employer/roster"
_KIND = "roster"
_MISSING = 100  # of those who are not in the file, by name
_FAULTS = 20  # errors in the list above the table; all of them stand in their cells


@pages.get(HERE)
@visitors.for_organization("employer", changes=True)
def home(actor: Actor, employer_id: str) -> Response:
    """The form, and what a file looks like."""
    del employer_id
    return _form(actor)


@pages.post(HERE)
@visitors.takes_files(uploads.most, uploads.too_large)
@visitors.for_organization("employer", changes=True)
def upload(actor: Actor, employer_id: str) -> Response:
    """Show what the file would do; store it if it is the very file that was confirmed."""

    def use(table: Unpacked, sent: SentFile, is_same: bool, is_another: bool) -> Response:  # noqa: FBT001 - the form of a callback
        def shown(_refusal: Refusal | None = None) -> Response:
            return _preview(actor, employer_id, table, sent, is_another=is_another)

        if not is_same:
            return shown()
        return uploads.stored(
            actor,
            _KIND,
            table,
            sent,
            here=HERE,
            to="/employer",
            refused=shown,
            ends_missing=request.form.get("ends_missing") == "yes",
        )

    return uploads.with_file(_KIND, lambda wrong: _form(actor, wrong=wrong), use)


def _preview(
    actor: Actor, employer_id: str, table: Unpacked, sent: SentFile, *, is_another: bool
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
        would=uploads.effects(found.report, say.effects) if found.report else (),
        missing=found.missing[:_MISSING],
        missing_count=say.missing(len(found.missing)),
        faults=[
            say.whole_row.format(row=one.row, rule=_rule(one)) for one in found.faults[:_FAULTS]
        ],
        csrf_token=session_cookies.csrf_token(actor),
    )


def _rule(error: tabular.RowError) -> str:
    return " ".join(filter(None, (error.column, f"“{error.value}”", error.rule)))


def _form(actor: Actor, wrong: str | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        own = organizations.named(reading, actor)
    columns = (
        ("employee_id", say.column_employee_id, True),
        ("email", say.column_email, False),
        ("certificate_number", say.column_certificate_number, False),
        ("site, department, shift", say.column_site, False),
        ("ended_on", say.column_ended_on, False),
        ("employer", say.column_employer.format(own.name if own else ""), False),
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
        hint=say.file_hint.format(uploads.megabytes()),
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
