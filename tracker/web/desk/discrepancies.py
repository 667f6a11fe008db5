"""The inbox of discrepancies as pages: what the list and the holder say, settled one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.desk.discrepancies import DiscrepancySettlementSchema, ReopeningSchema
from tracker.api.http import routing, session_cookies
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.domain.points import attendance
from tracker.domain.points.attendance import DiscrepancyKind, DiscrepancyState, Outcome
from tracker.domain.schemes.activity_types import translated
from tracker.language import catalogues
from tracker.language.voice import figure, in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.desk import discrepancies
from tracker.services.desk.discrepancies import DiscrepancyRow, Settlement
from tracker.web import navigation
from tracker.web.people import forms, lists, visitors

pages = Blueprint("discrepancy-pages", __name__)

HERE = "/desk/discrepancies"
_ONE = f"{HERE}/<uuid:discrepancy_id>"
_LIMIT = 25


@dataclass(frozen=True, slots=True)
class DiscrepanciesWords:
    """One language's words."""

    title: str
    none: str
    next_page: str
    course: str
    list: str
    claim: str
    what: str
    who: str
    how_much: str
    number: str
    email: str
    nobody: str
    unknown: str
    nothing: str
    detail: str
    see_claim: str
    settle: str
    choose: str
    reason: str
    reason_code: str
    choose_reason: str
    whose: str
    whose_hint: str
    send: str
    settled: str
    answered: str
    reopen: str
    reopen_why: str
    back: str
    now_settled: str
    kinds: dict[str, str]
    outcomes: dict[str, str]
    answers: dict[str, str]
    wrong: dict[str, str]
    refusals: dict[str, str]


WORDS = {
    lang: DiscrepanciesWords(**catalogues.topic(lang, "discrepancies_pages"))
    for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class DiscrepancyListed:
    """A discrepancy in the inbox."""

    here: str
    kind: str
    course: str
    who: str


@pages.get(HERE)
@visitors.for_staff
def home(actor: Actor) -> Response:
    """The open discrepancies, the oldest first."""
    language = routing.language()
    open_ = {"state": DiscrepancyState.OPEN}
    with routing.container().reading(actor) as reading:
        rows = discrepancies.page(reading, after=lists.place(), limit=_LIMIT + 1, filters=open_)
    more = rows[_LIMIT - 1].id if len(rows) > _LIMIT else ""
    return visitors.page(
        "desk/discrepancies",
        language,
        say=WORDS[language],
        parts=navigation.of_desk(actor, language),
        rows=[_listed(row, language) for row in rows[:_LIMIT]],
        told=WORDS[language].now_settled if "told" in request.args else "",
        next=f"{HERE}?after={more}" if more else "",
    )


def _listed(row: DiscrepancyRow, language: str) -> DiscrepancyListed:
    say = WORDS[language]
    return DiscrepancyListed(
        here=f"{HERE}/{row.id}",
        kind=say.kinds[row.kind],
        course=say.course.format(title=row.title, on=in_words(row.held_on, language)),
        who=row.holder_name or row.given_name or row.given_email or row.given_number or "",
    )


@pages.get(_ONE)
@visitors.for_staff
def show(actor: Actor, *, discrepancy_id: UUID) -> Response:
    """One discrepancy: what both say side by side, and the form that settles it."""
    return _show(actor, str(discrepancy_id))


@pages.post(f"{_ONE}/settle")
@visitors.for_staff
def settle(actor: Actor, *, discrepancy_id: UUID) -> Response:
    """Settle it."""

    def act(work: UnitOfWork, id_: str) -> None:
        said: dict[str, object] = dict(forms.sent("outcome", "reason", "reason_code", "holder_id"))
        if number := forms.sent("number").get("number"):
            said["holder_id"] = discrepancies.holder_numbered(work, number)
        body = routing.load(DiscrepancySettlementSchema(), said)
        holder_id = str(body["holder_id"]) if body["holder_id"] else None
        settlement = Settlement(
            outcome=Outcome(body["outcome"]),
            reason=body["reason"],
            reason_code=body.get("reason_code"),
            holder_id=holder_id,
        )
        discrepancies.settle(work, id_, settlement, version=forms.version())

    return _done(actor, discrepancy_id, act, then=f"{HERE}?told=settled")


@pages.post(f"{_ONE}/reopen")
@visitors.for_staff
def reopen(actor: Actor, *, discrepancy_id: UUID) -> Response:
    """Open it again; a match is taken back with what it brought."""

    def act(work: UnitOfWork, id_: str) -> None:
        body = routing.load(ReopeningSchema(), forms.sent("reason"))
        discrepancies.reopen(work, id_, reason=body["reason"], version=forms.version())

    return _done(actor, discrepancy_id, act)


def _done(
    actor: Actor, discrepancy_id: UUID, act: Callable[[UnitOfWork, str], None], *, then: str = ""
) -> Response:
    id_ = str(discrepancy_id)
    here = f"{HERE}/{id_}"

    def acted(work: UnitOfWork) -> str:
        act(work, id_)
        return then or here

    return forms.attempted(
        actor, acted, here=here, refused=lambda refusal: _show(actor, id_, refusal)
    )


def _show(actor: Actor, discrepancy_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        row = discrepancies.get(reading, discrepancy_id)
        reasons = reading.reasons.for_act("activity_rejection")
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    errors = {name: say.wrong[name] for name in named if name in say.wrong}
    usual = say.refusals.get(refusal.code, say.refusals["conflict"]) if refusal else None
    wrong = next(iter(errors.values()), usual)
    outcomes = attendance.outcomes_of(DiscrepancyKind(row.kind))
    settled = ""
    if row.outcome:
        settled = say.settled.format(
            who=row.settled_by, outcome=say.outcomes[row.outcome], reason=row.reason or ""
        )
    return visitors.page(
        "desk/discrepancy",
        language,
        422 if wrong else 200,
        say=say,
        here=f"{HERE}/{row.id}",
        parts=navigation.of_desk(actor, language),
        row=row,
        listed=_listed(row, language),
        lines=_lines(row, language),
        outcomes=[(one, say.outcomes[one]) for one in outcomes],
        asks_whose=Outcome.MATCHED in outcomes,
        reasons=[(one.code, translated(one.text, language)) for one in reasons]
        if row.kind == DiscrepancyKind.SILENT
        else [],
        settled=settled,
        answered=_answered(row, language),
        is_open=row.state == DiscrepancyState.OPEN,
        stated=request.form,
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _answered(row: DiscrepancyRow, language: str) -> str:
    """What the provider says of its list; empty before it has answered."""
    if row.answer is None or row.answered_at is None:
        return ""
    say, day = WORDS[language], in_words(row.answered_at.date(), language)
    told = say.answered.format(who=row.answered_by, day=day, answer=say.answers[row.answer])
    return f"{told} {row.answer_note or ''}".strip()


def _lines(row: DiscrepancyRow, language: str) -> list[tuple[str, str, str]]:
    """What the list and the holder say, field by field."""
    say = WORDS[language]

    def amount(number: Decimal | None) -> str:
        return say.nothing if number is None else figure(number)

    on_list = row.given_name if row.attendance_id else say.nobody
    lines = [
        (say.who, on_list or say.nothing, row.holder_name or say.unknown),
        (say.how_much, amount(row.said), amount(row.claimed)),
        (say.number, row.given_number or "", ""),
        (say.email, row.given_email or "", ""),
    ]
    return [one for one in lines if one[1] or one[2]]
