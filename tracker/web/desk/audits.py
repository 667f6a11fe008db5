"""Audits as the body's people see them: figures, the list, and the draw, seen before it is made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.desk.audits import AuditToDrawSchema, wanted
from tracker.api.http import routing, session_cookies
from tracker.domain.desk.audits import AuditBasis, AuditUnit
from tracker.domain.errors import NotFound, Refusal
from tracker.domain.permissions import Actor
from tracker.language.voice import figure, in_words, month_names
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.desk import audit_overviews, audits
from tracker.services.desk.audit_items import AuditItemRow
from tracker.services.desk.audits import AuditFigures, AuditRow, AuditToDraw, DrawnSample
from tracker.services.desk.queue_order import FLAGS
from tracker.web import navigation
from tracker.web.desk import desk_forms, queue_shown
from tracker.web.desk.audits_words import WORDS
from tracker.web.desk.reviews_words import WORDS as OF_REVIEWS
from tracker.web.people import forms, lists, visitors

pages = Blueprint("desk-audits", __name__)

HERE = "/desk/audits"
_NEW = f"{HERE}/new"
_FIELDS = (
    *("scheme", "basis", "unit", "seed", "cycle", "percent", "flag", "reply_days", "reason"),
    "activity_ids",
)
_DAYS = ("from_on", "until_on")
_NUMBERS = ("cycle", "reply_days")  # 0, which neither may be, for what is no number
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SHOWN = 50


@pages.get(HERE)
@visitors.for_reviewers
def home(actor: Actor) -> Response:
    """The figures of all audits, and the audits, oldest first."""
    language = routing.language()
    with routing.container().reading(actor) as reading:
        figures, found = audit_overviews.listed(
            reading, after=lists.place(), limit=lists.LISTED + 1
        )
        rows, more = lists.cut(found, lambda one: one.id)
        shown = [(f"{HERE}/{row.id}", *_told(reading, row, language)) for row in rows]
    return visitors.page(
        "desk/audits",
        language,
        say=WORDS[language],
        form=desk_forms.words(),
        parts=navigation.of_desk(actor, language),
        rows=shown,
        more=more,
        figures=figures_shown(figures, language),
        new=_NEW if actor.is_staff else "",
    )


def _told(reading: ReadContext, row: AuditRow, language: str) -> tuple[str, str]:
    """What an audit is called, and how it was drawn."""
    say = WORDS[language]
    scheme = reading.schemes[row.scheme].full_name(language)
    basis = say.bases[row.basis]
    if row.percent is not None:
        basis = f"{basis}: {figure(row.percent)} %"
    return (
        say.audit.format(scheme=scheme, on=in_words(row.drawn_on, language)),
        say.drawn.format(basis=f"{basis}.", seed=row.seed, who=row.drawn_by),
    )


def figures_shown(found: AuditFigures, language: str) -> list[tuple[str, str]]:
    """The figures, each with its name."""
    say = WORDS[language]
    points = {"points_removed": figure(found.points_removed)}
    return [(say.figures[name], str(value)) for name, value in (asdict(found) | points).items()]


@pages.get(f"{HERE}/<uuid:audit_id>")
@visitors.for_reviewers
def show(actor: Actor, *, audit_id: UUID) -> Response:
    """One audit: how it was drawn, its figures, and its activities."""
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        row, figures, found = audit_overviews.of_audit(
            reading, str(audit_id), after=lists.place(), limit=lists.LISTED + 1
        )
        heading, drawn = _told(reading, row, language)
    items, more = lists.cut(found, lambda one: one.id)
    return visitors.page(
        "desk/audit",
        language,
        say=say,
        form=desk_forms.words(),
        parts=navigation.of_desk(actor, language),
        heading=heading,
        drawn=drawn,
        row=row,
        population=say.population.format(population=row.population),
        items=[_item(one, language) for one in items],
        more=more,
        figures=figures_shown(figures, language),
        all=HERE,
    )


def _item(row: AuditItemRow, language: str) -> tuple[str, str, str, str]:
    who = queue_shown.name_of(row.given_name, row.family_name)
    return f"{HERE}/items/{row.id}", row.title, who, WORDS[language].states[row.state]


# Drawing.
@pages.get(_NEW)
@visitors.for_staff
def new(actor: Actor) -> Response:
    """The form."""
    return _form(actor)


@pages.post(f"{_NEW}/preview")
@visitors.for_staff
def preview(actor: Actor) -> Response:
    """What would be drawn, and the button that draws it; nothing is recorded yet."""
    if "again" in request.form:
        return _form(actor)
    try:
        with routing.container().reading(actor) as reading:
            found = audits.sample(reading, _wanted())
    except NotFound:
        raise
    except Refusal as refusal:
        return _form(actor, refusal)
    return _preview(actor, found)


@pages.post(_NEW)
@visitors.for_staff
def draw(actor: Actor) -> Response:
    """Draw it, and ask the holders."""

    def act(work: UnitOfWork) -> str:
        return f"{HERE}/{audits.draw(work, _wanted())}"

    return forms.attempted(actor, act, here=_NEW, refused=lambda refusal: _form(actor, refusal))


def _wanted() -> AuditToDraw:
    """What the form says, checked as the API checks it. Raises Invalid."""
    said: dict[str, object] = dict(forms.sent(*_FIELDS))
    said |= {name: day for name in _DAYS if (day := desk_forms.day(name)) is not None}
    said |= {name: forms.number(str(said[name])) for name in _NUMBERS if name in said}
    if "activity_ids" in said:
        # Of each line the last id counts, so that an address is good as well.
        lines = [_ID.findall(line) or [line] for line in str(said["activity_ids"]).split()]
        said["activity_ids"] = [ids[-1] for ids in lines]
    return wanted(routing.load(AuditToDrawSchema(), said))


def _stated() -> dict[str, str]:
    names = [*_FIELDS, *(f"{day}_{part}" for day in _DAYS for part in ("year", "month", "day"))]
    return desk_forms.stated(*names)


def _form(actor: Actor, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    errors, wrong = desk_forms.errors(refusal, say.labels)
    schemes = routing.container().schemes
    return visitors.page(
        "desk/audit_new",
        language,
        422 if wrong else 200,
        say=say,
        form=desk_forms.words(),
        parts=navigation.of_desk(actor, language),
        here=_NEW,
        all=HERE,
        schemes=[(one.code, one.full_name(language)) for one in schemes if one.policies],
        bases=[(one.value, say.bases[one]) for one in AuditBasis],
        units=[(one.value, say.units[one]) for one in AuditUnit],
        flags=[(one, OF_REVIEWS[language].flags[one]) for one in FLAGS],
        months=month_names(language),
        stated=_stated(),
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _preview(actor: Actor, found: DrawnSample) -> Response:
    language = routing.language()
    say = WORDS[language]
    titles: Sequence[str] = [one.title for one in found.drawn[:_SHOWN]]
    return visitors.page(
        "desk/audit_preview",
        language,
        say=say,
        here=_NEW,
        heading=say.would_draw.format(drawn=len(found.drawn), population=found.population),
        titles=titles,
        rest=len(found.drawn) - len(titles),
        stated=_stated(),
        csrf_token=session_cookies.csrf_token(actor),
    )
