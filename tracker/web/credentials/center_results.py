"""What an assessment center sent and what became of it, its attempts on record, and its uploads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.domain.credentials.center_results import ResultState
from tracker.domain.permissions import Actor
from tracker.domain.schemes.activity_types import translated
from tracker.language.voice import in_words
from tracker.services.core import organizations
from tracker.services.core.context import ReadContext
from tracker.services.credentials import center_results
from tracker.services.credentials.center_results import CenterResultRow, SittingRow
from tracker.web import navigation
from tracker.web.credentials.center_words import WORDS
from tracker.web.imports import uploads
from tracker.web.imports.uploads_words import WORDS as UPLOAD_WORDS
from tracker.web.navigation import NavigationLink
from tracker.web.people import lists, visitors

pages = Blueprint("center-pages", __name__)

HERE = "/center"
SITTINGS = f"{HERE}/sittings"
_KIND = "center_results"
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class ResultShown:
    """A result or an attempt in words; ``reason`` says why it was sent back."""

    reference: str
    module: str
    taken: str
    result: str
    state: str
    reason: str


@pages.get(HERE)
@visitors.for_organization("center")
def home(actor: Actor, center_id: str) -> Response:
    """The results that the center sent, and the form for a file of them."""
    del center_id
    return _home(actor)


@pages.post(HERE)
@visitors.takes_files(uploads.most, uploads.too_large)
@visitors.for_organization("center", changes=True)
def upload(actor: Actor, center_id: str) -> Response:
    """Check a file of results, or store the one that was checked."""
    del center_id
    return uploads.handled(actor, _KIND, HERE, lambda wrong: _home(actor, wrong))


@pages.get(SITTINGS)
@visitors.for_organization("center")
def sittings(actor: Actor, center_id: str) -> Response:
    """The attempts on record at the center."""
    language = routing.language()
    with routing.container().reading(actor) as reading:
        rows = center_results.sittings(reading, center_id, after=lists.place(), limit=_SHOWN + 1)
        names = _modules(reading, language)
    shown = [_sitting(row, names, language) for row in rows[:_SHOWN]]
    return _page(actor, SITTINGS, shown, rows[_SHOWN - 1].id if len(rows) > _SHOWN else "")


def _home(actor: Actor, wrong: str = "") -> Response:
    language = routing.language()
    state = lists.choice_in_address("state", ResultState)
    with routing.container().reading(actor) as reading:
        rows = center_results.page(reading, after=lists.place(), limit=_SHOWN + 1, state=state)
        names = _modules(reading, language)
    shown = [_result(row, names, language) for row, _ in rows[:_SHOWN]]
    more = rows[_SHOWN - 1][0].id if len(rows) > _SHOWN else ""
    return _page(actor, HERE, shown, more, state=state, wrong=wrong)


def _page(
    actor: Actor,
    here: str,
    rows: Sequence[ResultShown],
    more: str,
    *,
    state: ResultState | None = None,
    wrong: str = "",
) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        own = organizations.named(reading, actor)
    return visitors.page(
        "credentials/center_results",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        up=UPLOAD_WORDS[language],
        parts=_parts(language),
        own=own,
        here=here,
        states=list(ResultState) if here == HERE else (),
        chosen=state,
        rows=rows,
        following=f"?after={more}{f'&state={state}' if state else ''}" if more else "",
        is_later="after" in request.args,
        done=uploads.done(language),
        may_upload=here == HERE and "write" in actor.scopes,
        columns=uploads.columns(_KIND),
        hint=UPLOAD_WORDS[language].file_hint.format(uploads.megabytes()),
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _parts(language: str) -> list[NavigationLink]:
    say = WORDS[language]
    return navigation.of_places([(HERE, say.results), (SITTINGS, say.sittings)])


def _modules(reading: ReadContext, language: str) -> Mapping[tuple[str, str], str]:
    """The names of all modules by scheme and code."""
    return {
        (scheme.code, module.code): translated(module.name, language)
        for scheme in reading.schemes
        for module in scheme.modules
    }


def _result(
    row: CenterResultRow, names: Mapping[tuple[str, str], str], language: str
) -> ResultShown:
    say = WORDS[language]
    state = say.states[row.state]
    on = row.decided_at and _day(row.decided_at, language)
    told = say.decided.format(state=state, on=on) if on else state
    return ResultShown(
        reference=row.ref,
        module=names.get((row.scheme, row.module), row.module),
        taken=_in_words(row.taken_on, language),
        result=say.passed if row.passed else say.failed,
        state=f"{told}; {say.sent.format(_day(row.sent_at, language))}",
        reason=row.reason or "",
    )


def _sitting(row: SittingRow, names: Mapping[tuple[str, str], str], language: str) -> ResultShown:
    say = WORDS[language]
    voided = say.voided.format(_day(row.voided_at, language)) if row.voided_at else ""
    return ResultShown(
        reference=row.attempt_ref or "",
        module=names.get((row.scheme, row.module), row.module),
        taken=_in_words(row.taken_on, language),
        result=say.passed if row.passed else say.failed,
        state=voided or say.on_record,
        reason="",
    )


def _day(instant: datetime, language: str) -> str:
    return _in_words(instant.date(), language)


def _in_words(day: date, language: str) -> str:
    return in_words(day, language)
