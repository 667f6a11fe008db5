"""A provider's discrepancies: what does not fit in its lists, and what it says of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.api.points.discrepancy_answers import ProviderAnswerSchema
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.domain.points.attendance import DiscrepancyKind, DiscrepancyState, ProviderAnswer
from tracker.language import catalogues
from tracker.language.voice import figure, in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.points import discrepancy_answers
from tracker.services.points.discrepancy_answers import AskedDiscrepancy
from tracker.web import navigation
from tracker.web.navigation import NavigationLink
from tracker.web.people import forms, lists, visitors

pages = Blueprint("discrepancy-answer-pages", __name__)

HERE = "/provider/discrepancies"
_ONE = f"{HERE}/<uuid:discrepancy_id>"
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class DiscrepancyAnswersWords:
    """One language's words."""

    courses: str
    title: str
    why: str
    none: str
    next: str
    first: str
    course: str
    list: str
    claim: str
    name: str
    number: str
    email: str
    reference: str
    not_said: str
    answer: str
    choose: str
    note: str
    send: str
    answered: str
    not_answered: str
    change: str
    settled: str
    viewer: str
    upload: str
    saved: str
    parts_label: str
    kinds: dict[str, str]
    what_to_do: dict[str, str]
    answers: dict[str, str]
    wrong: dict[str, str]


WORDS = {
    lang: DiscrepancyAnswersWords(**catalogues.topic(lang, "discrepancy_answers_pages"))
    for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class AskedShown:
    """A discrepancy in a provider's list of them."""

    href: str
    course: str
    kind: str
    who: str
    state: str


def parts(language: str) -> list[NavigationLink]:
    """The links between a provider's pages."""
    say = WORDS[language]
    return navigation.of_places([("/provider", say.courses), (HERE, say.title)])


@pages.get(HERE)
@visitors.for_organization("provider")
def home(actor: Actor, provider_id: str) -> Response:
    """The open discrepancies of the provider's lists, the oldest first."""
    del provider_id
    language = routing.language()
    with routing.container().reading(actor) as reading:
        rows = discrepancy_answers.page(
            reading, state=DiscrepancyState.OPEN, after=lists.place(), limit=_SHOWN + 1
        )
    say = WORDS[language]
    return visitors.page(
        "points/discrepancy_answers",
        language,
        say=say,
        parts=parts(language),
        here=HERE,
        rows=[_shown(row, language) for row in rows[:_SHOWN]],
        following=rows[_SHOWN - 1].id if len(rows) > _SHOWN else "",
        is_later="after" in request.args,
        done=say.saved if request.args.get("done") == "saved" else "",
    )


@pages.get(_ONE)
@visitors.for_organization("provider")
def show(actor: Actor, provider_id: str, *, discrepancy_id: UUID) -> Response:
    """One of them, and the form for those who manage."""
    del provider_id
    return _show(actor, str(discrepancy_id))


@pages.post(f"{_ONE}/answer")
@visitors.for_organization("provider", changes=True)
def answer(actor: Actor, provider_id: str, *, discrepancy_id: UUID) -> Response:
    """Say whether the list is right."""
    del provider_id
    id_ = str(discrepancy_id)

    def act(work: UnitOfWork) -> str:
        body = routing.load(ProviderAnswerSchema(), forms.sent("answer", "note"))
        said = ProviderAnswer(body["answer"])
        discrepancy_answers.answer(work, id_, said, note=body["note"])
        return f"{HERE}?done=saved"

    return forms.attempted(
        actor, act, here=f"{HERE}/{id_}", refused=lambda refusal: _show(actor, id_, refusal)
    )


def _shown(row: AskedDiscrepancy, language: str) -> AskedShown:
    say = WORDS[language]
    return AskedShown(
        href=f"{HERE}/{row.id}",
        course=say.course.format(title=row.title, on=in_words(row.held_on, language)),
        kind=say.kinds[row.kind],
        who=row.given_name or row.given_email or row.given_number or row.given_holder_ref or "",
        state=say.answers[row.answer] if row.answer else say.not_answered,
    )


def _show(actor: Actor, discrepancy_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        row = discrepancy_answers.get(reading, discrepancy_id)
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    errors = {name: say.wrong[name] for name in named if name in say.wrong}
    usual = forms.words().refusal(refusal.code) if refusal else None
    stated = request.form if refusal else {"answer": row.answer, "note": row.answer_note or ""}
    return visitors.page(
        "points/discrepancy_answer",
        language,
        422 if refusal else 200,
        say=say,
        parts=parts(language),
        here=f"{HERE}/{row.id}",
        shown=_shown(row, language),
        lines=_lines(row, language),
        what_to_do=say.what_to_do[row.kind],
        answered=_answered(row, language),
        is_silent=row.kind == DiscrepancyKind.SILENT,
        is_open=row.state == DiscrepancyState.OPEN,
        may_change="write" in actor.scopes,
        choices=[(one, say.answers[one]) for one in ProviderAnswer],
        stated=stated,
        errors=errors,
        wrong=next(iter(errors.values()), usual),
        csrf_token=session_cookies.csrf_token(actor),
    )


def _answered(row: AskedDiscrepancy, language: str) -> str:
    if row.answer is None or row.answered_at is None:
        return ""
    day, say = in_words(row.answered_at.date(), language), WORDS[language]
    told = say.answered.format(who=row.answered_by, day=day, answer=say.answers[row.answer])
    return f"{told} {row.answer_note or ''}".strip()


def _lines(row: AskedDiscrepancy, language: str) -> list[tuple[str, str]]:
    """What the list says, and what was claimed where that is what does not fit."""
    say = WORDS[language]

    def amount(number: Decimal | None) -> str:
        return say.not_said if number is None else figure(number)

    lines = [
        (say.name, row.given_name or ""),
        (say.number, row.given_number or ""),
        (say.email, row.given_email or ""),
        (say.reference, row.given_holder_ref or ""),
    ]
    if row.kind != DiscrepancyKind.SILENT:
        lines.append((say.list, amount(row.said)))
    if row.kind != DiscrepancyKind.UNMATCHED:
        lines.append((say.claim, amount(row.claimed)))
    return [one for one in lines if one[1]]
