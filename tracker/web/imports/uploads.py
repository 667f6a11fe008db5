"""Files on pages: a file is checked, shown, and stored once the very same file is sent again.

Nothing is kept between the two uploads but a fingerprint in the form: a file that differs from the
one that was checked is checked instead of stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Response, request
from werkzeug.datastructures import FileStorage

from tracker.api import imports as imports_api
from tracker.api.http import routing, session_cookies
from tracker.domain.errors import Refusal, TooBusy
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.services import imports
from tracker.services.core.context import UnitOfWork
from tracker.services.imports import apart
from tracker.services.imports.report import ImportRefused, ImportReport
from tracker.tabular import Dates, Encoding, Unpacked
from tracker.web.imports.uploads_words import WORDS
from tracker.web.people import forms, visitors

_MB = 10**6
_WRAPPING = 64 * 1024  # bytes for the form around a file
_SHOWN = 100  # errors or notes on the page
_LONGEST_COUNT = 7
_COUNTS = ("created", "changed", "unchanged")


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that was sent: its name, how its dates are read, the digest of its bytes."""

    name: str
    dates: Dates
    fingerprint: str


def most() -> int:
    """How many bytes a form with a file may have."""
    return routing.container().settings.imports.employer_maximum_bytes + _WRAPPING


def megabytes() -> str:
    """How large a file may be, in words."""
    return f"{routing.container().settings.imports.employer_maximum_bytes / _MB:,.0f}"


def too_large() -> Response:
    """The page for a file that is too large."""
    language = routing.language()
    say = WORDS[language]
    links = ({"href": request.path, "text": say.back},)
    lines = [say.too_large_why.format(megabytes())]
    return visitors.page("message", language, 413, heading=say.too_large, lines=lines, links=links)


def with_file(
    kind: str,
    form: Callable[[str], Response],
    use: Callable[[Unpacked, SentFile, bool, bool], Response],
) -> Response:
    """Read the file of a form and use it; ``form`` is the page that says what is wrong with it.

    ``use`` gets the table, the file, whether it is the one that was confirmed, and whether another
    one was.
    """
    say, file = WORDS[routing.language()], request.files.get("file")
    if file is None or not file.filename:
        return form(say.no_file)
    sent = SentFile(imports_api.shown_name(file.filename), _dates(), _fingerprint(file))
    confirmed = request.form.get("fingerprint", "")
    is_same = confirmed == sent.fingerprint
    settings = routing.container().settings
    try:
        with apart.unpacked(settings, kind, file.stream, encoding=Encoding.UTF_8) as table:
            return use(table, sent, is_same, bool(confirmed) and not is_same)
    except TooBusy:
        return form(say.too_busy)


def _dates() -> Dates:
    return next((one for one in Dates if one.value == request.form.get("dates")), Dates.ISO)


def _fingerprint(file: FileStorage) -> str:
    found = hashlib.sha256(file.stream.read()).hexdigest()
    file.stream.seek(0)
    return found


def stored(
    actor: Actor,
    kind: str,
    table: Unpacked,
    sent: SentFile,
    *,
    here: str,
    to: str,
    refused: Callable[[Refusal], Response],
    ends_missing: bool = False,
) -> Response:
    """Store a file and show the page ``to``, which is told how many rows did what."""

    def act(work: UnitOfWork) -> str:
        done = imports.run(
            work,
            kind,
            table,
            filename=sent.name,
            dates=sent.dates,
            employer_id=actor.employer_id,
            ends_missing=ends_missing,
        )
        return f"{to}?done=stored-{done.created}-{done.changed}-{done.unchanged}"

    return forms.attempted(actor, act, here=here, refused=refused)


def done(language: str) -> str:
    """What the upload before has done, as the address tells; empty if it tells nothing."""
    name, *said = request.args.get("done", "").split("-")
    counts = [int(one[:_LONGEST_COUNT]) for one in said if one.isdecimal()]
    if name != "stored" or len(counts) != len(_COUNTS):
        return ""
    say = WORDS[language]
    told = [catalogues.counted(say.effects[one], n) for one, n in zip(_COUNTS, counts, strict=True)]
    return say.stored.format(", ".join(told))


def columns(kind: str) -> list[tuple[str, bool]]:
    """The names of the columns of a kind of file, and whether they are required."""
    return [(one.name, one.required) for one in imports.table_columns(kind)]


def handled(actor: Actor, kind: str, here: str, form: Callable[[str], Response]) -> Response:
    """The whole of an upload to the page ``here``, whose form says what is wrong."""

    def use(table: Unpacked, sent: SentFile, is_same: bool, is_another: bool) -> Response:  # noqa: FBT001 - the form of a callback
        def shown(_refusal: Refusal | None = None) -> Response:
            return _preview(actor, kind, here, table, sent, is_another=is_another)

        if not is_same:
            return shown()
        return stored(actor, kind, table, sent, here=here, to=here, refused=shown)

    return with_file(kind, form, use)


def _preview(
    actor: Actor, kind: str, here: str, table: Unpacked, sent: SentFile, *, is_another: bool
) -> Response:
    language = routing.language()
    say = WORDS[language]
    report: ImportReport | None = None
    refusal: ImportRefused | None = None
    try:
        report = apart.check(
            routing.container(), actor, kind, table, filename=sent.name, dates=sent.dates
        )
    except ImportRefused as refused:
        refusal = refused
    count = refusal.total if refusal else 0
    wrong = (say.refused_one if count == 1 else say.refused_other).format(f"{count:,}")
    return visitors.page(
        "imports/preview",
        language,
        422 if refusal else 200,
        say=say,
        here=here,
        sent=sent,
        changed=say.changed if is_another else "",
        wrong=wrong if refusal else None,
        errors=refusal.errors[:_SHOWN] if refusal else (),
        notes=report.warnings[:_SHOWN] if report else (),
        has_more=count > _SHOWN or bool(report and report.total_warnings > _SHOWN),
        would=effects(report, say.effects) if report else (),
        csrf_token=session_cookies.csrf_token(actor),
    )


def effects(report: ImportReport, words: Mapping[str, Mapping[str, str]]) -> list[str]:
    """How many rows a file adds, changes and leaves as they are, in ``words`` for each of them."""
    return [catalogues.counted(words[name], getattr(report, name)) for name in _COUNTS]
