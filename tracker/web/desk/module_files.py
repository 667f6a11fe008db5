"""Many results from a file: checked row by row first, stored only when somebody confirms it.

The page that shows what the file would bring carries the file itself, so that what is confirmed is
what was checked. So it takes small files; large ones are imported over the API or by the command.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies, uploads
from tracker.domain.errors import Invalid, NotFound, Refusal
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.services import imports
from tracker.services.core.context import UnitOfWork
from tracker.services.imports import ImportRefused, apart
from tracker.tabular import Encoding
from tracker.web import navigation
from tracker.web.desk import desk_forms
from tracker.web.people import forms, visitors

pages = Blueprint("desk-module-files", __name__)

HERE = "/desk/modules/file"
_KIND = "assessments"
_LARGEST = 300_000  # bytes: the page with a checked file stays below what a form may send
_WRAPPING = 64 * 1024
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class DeskFilesWords:
    """One language's words."""

    title: str
    why: str
    columns: str
    required: str
    optional: str
    file: str
    file_hint: str
    check: str
    missing: str
    too_large: str
    too_large_why: str
    broken: str
    refused_title: str
    refused: str
    row: str
    column: str
    value: str
    rule: str
    again: str
    checked_title: str
    not_stored: str
    stored_title: str
    stored: str
    counts: dict[str, str]
    awards: str
    person: str
    number: str
    what: str
    before: str
    after: str
    effects: dict[str, str]
    warnings: str
    store_one: str
    store_other: str
    store_why: str
    more_rows: str


WORDS = {
    lang: DeskFilesWords(**catalogues.topic(lang, "desk_files_pages"))
    for lang in catalogues.LANGUAGES
}


@pages.get(HERE)
@visitors.for_staff
def show(actor: Actor) -> Response:
    """What such a file has, and the form to send one."""
    return _form(actor)


def _most() -> int:
    return _LARGEST + _WRAPPING


def _too_large() -> Response:
    language = routing.language()
    say = WORDS[language]
    links = ({"href": HERE, "text": say.title},)
    lines = [say.too_large_why.format(_LARGEST // 1000)]
    return visitors.page("message", language, 413, heading=say.too_large, lines=lines, links=links)


@pages.post(f"{HERE}/preview")
@visitors.takes_files(_most, _too_large)
@visitors.for_staff
def preview(actor: Actor) -> Response:
    """What a file would bring, or each row that is wrong; nothing is stored."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _form(actor, wrong=WORDS[routing.language()].missing)
    if uploads.size(file) > _LARGEST:
        return _too_large()
    content, name = file.stream.read(), _name(file.filename)
    container = routing.container()
    try:
        with apart.unpacked(
            container.settings, _KIND, io.BytesIO(content), encoding=Encoding.UTF_8
        ) as table:
            report = apart.check(container, actor, _KIND, table, filename=name)
    except ImportRefused as refusal:
        return _refused(refusal)
    except Refusal as refusal:
        return _form(actor, wrong=_told(refusal))
    return _report(actor, report.to_dict(), content=base64.urlsafe_b64encode(content).decode())


@pages.post(HERE)
@visitors.for_staff
def store(actor: Actor) -> Response:
    """Store the file that was checked: every row of it, or none."""
    container, name = routing.container(), _name(request.form.get("name", ""))

    def act(work: UnitOfWork) -> str:
        report = imports.run(work, _KIND, table, filename=name)
        return f"{HERE}/{report.id}"

    def refused(refusal: Refusal) -> Response:
        if isinstance(refusal, ImportRefused):
            with container.work(actor) as work:
                imports.record_run(work, refusal)
            return _refused(refusal)
        return _form(actor, wrong=_told(refusal))

    try:
        content = io.BytesIO(_content())
        with apart.unpacked(container.settings, _KIND, content, encoding=Encoding.UTF_8) as table:
            return forms.attempted(actor, act, here=HERE, refused=refused)
    except NotFound:
        raise
    except Refusal as refusal:
        return refused(refusal)


@pages.get(f"{HERE}/<uuid:run_id>")
@visitors.for_staff
def stored(actor: Actor, *, run_id: UUID) -> Response:
    """What a file brought that was stored."""
    with routing.container().reading(actor) as reading:
        row = imports.get(reading, str(run_id))
    if (row.kind, row.outcome) != (_KIND, "stored"):
        raise NotFound
    return _report(actor, row.report)


def _content() -> bytes:
    """The file in the form. Raises Invalid if it is not what a page put there."""
    try:
        return base64.b64decode(request.form.get("content", ""), altchars=b"-_", validate=True)
    except ValueError as error:
        raise Invalid(WORDS[routing.language()].broken) from error


def _told(refusal: Refusal) -> str | None:
    return desk_forms.errors(refusal, {}, own=[WORDS[routing.language()].broken])[1]


def _name(name: str) -> str:
    """The end of a name, without characters that do not print."""
    return "".join(letter for letter in name if letter.isprintable())[-_LONGEST_NAME:]


def _form(actor: Actor, *, wrong: str | None = None) -> Response:
    language = routing.language()
    columns = imports.table_columns(_KIND)
    return visitors.page(
        "desk/module_file",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        here=HERE,
        required=[column.name for column in columns if column.required],
        optional=[column.name for column in columns if not column.required],
        most=_LARGEST // 1000,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _refused(refusal: ImportRefused) -> Response:
    language = routing.language()
    say = WORDS[language]
    return visitors.page(
        "desk/module_file_refused",
        language,
        422,
        say=say,
        areas=navigation.of_records(language),
        here=HERE,
        bad=refusal.errors,
        wrong=say.refused.format(refusal.total),
        more=refusal.total - len(refusal.errors),
    )


def _report(actor: Actor, report: Mapping[str, object], *, content: str = "") -> Response:
    language = routing.language()
    counts = ("rows", "created", "changed", "unchanged")
    return visitors.page(
        "desk/module_file_report",
        language,
        say=WORDS[language],
        areas=navigation.of_records(language),
        here=HERE,
        report=report,
        counts=[(name, report[name]) for name in counts],
        content=content,
        csrf_token=session_cookies.csrf_token(actor),
    )
