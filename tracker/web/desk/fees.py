"""A fee of any kind: where it stands, and what can be recorded of it; the fee of an attempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response

from tracker.api.credentials.fees import AttemptFeeSchema, FeeAmountSchema, FeeChangeSchema
from tracker.api.http import routing, session_cookies
from tracker.domain.credentials.fees import NEXT_STATES, FeeChange, FeeState
from tracker.domain.errors import Refusal
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words, money
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import fees, renewal_fees
from tracker.services.overview import person_overviews
from tracker.web import navigation
from tracker.web.desk import desk_forms, module_grids, record_words
from tracker.web.people import forms, visitors

pages = Blueprint("desk-fees", __name__)

HERE = "/desk/fees"
_ONE = f"{HERE}/<uuid:fee_id>"
_OF_ATTEMPT = "/desk/assessments/<uuid:assessment_id>/fee"


@dataclass(frozen=True, slots=True)
class DeskFeesWords:
    """One language's words."""

    title: str
    of_attempt: str
    quote: str
    amount_hint: str
    on_record: str
    changed: str
    refund_due: str
    change: str
    save: str
    correct: str
    correct_why: str
    labels: dict[str, str]
    hints: dict[str, str]


WORDS = {
    lang: DeskFeesWords(**catalogues.topic(lang, "desk_fees_pages"))
    for lang in catalogues.LANGUAGES
}


@pages.get(_ONE)
@visitors.for_staff
def show(actor: Actor, *, fee_id: UUID) -> Response:
    """Where a fee stands, and the form for what became of it."""
    return _show(actor, str(fee_id))


@pages.post(_ONE)
@visitors.for_staff
def change(actor: Actor, *, fee_id: UUID) -> Response:
    """Record what became of it."""
    id_ = str(fee_id)

    def act(work: UnitOfWork) -> None:
        said = routing.load(
            FeeChangeSchema(), forms.sent("state", "reference", "reason", "employer_id")
        )
        employer_id = said.pop("employer_id", None)
        told = FeeChange(**said, employer_id=str(employer_id) if employer_id else None)
        renewal_fees.record(work, id_, told, version=forms.version())

    return _done(actor, id_, act)


@pages.post(f"{_ONE}/amount")
@visitors.for_staff
def correct(actor: Actor, *, fee_id: UUID) -> Response:
    """Correct the amount of the fee of an attempt."""
    id_ = str(fee_id)

    def act(work: UnitOfWork) -> None:
        said = routing.load(FeeAmountSchema(), forms.sent("amount", "reason"))
        fees.correct_amount(work, id_, **said, version=forms.version())

    return _done(actor, id_, act)


def _done(actor: Actor, fee_id: str, act: Callable[[UnitOfWork], None]) -> Response:
    here = f"{HERE}/{fee_id}"

    def acted(work: UnitOfWork) -> str:
        act(work)
        return here

    return forms.attempted(
        actor, acted, here=here, refused=lambda refusal: _show(actor, fee_id, refusal)
    )


def _show(actor: Actor, fee_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    codes = record_words.WORDS[language]
    with routing.container().reading(actor) as reading:
        found = person_overviews.of_fee(reading, fee_id)
    row, names = found.fee, dict(found.employers)
    states = sorted(NEXT_STATES[FeeState(row.state)], key=list(FeeState).index)
    return _page(
        actor,
        "desk/fee",
        refusal,
        here=f"{HERE}/{row.id}",
        holder=found.holder,
        row=row,
        amount=money(row.amount, row.currency),
        state=codes.said("fee_states", row.state),
        employer=names.get(row.employer_id or "", ""),
        changed_on=in_words(row.changed_at.date(), language),
        choices=[(str(one), codes.said("fee_states", one)) for one in states],
        employers=found.employers,
        can_correct=found.can_correct,
        stated=desk_forms.stated("state", "reference", "reason", "employer_id", "amount"),
    )


# The fee of an attempt.
@pages.get(_OF_ATTEMPT)
@visitors.for_staff
def ask_amount(actor: Actor, *, assessment_id: UUID) -> Response:
    """The form for what an attempt costs."""
    return _ask(actor, str(assessment_id))


@pages.post(_OF_ATTEMPT)
@visitors.for_staff
def quote(actor: Actor, *, assessment_id: UUID) -> Response:
    """Record what the attempt costs."""
    id_ = str(assessment_id)

    def act(work: UnitOfWork) -> str:
        said = routing.load(AttemptFeeSchema(), forms.sent("amount"))
        return f"{HERE}/{fees.owe_for_attempt(work, id_, **said)}"

    here = f"/desk/assessments/{id_}/fee"
    return forms.attempted(actor, act, here=here, refused=lambda refusal: _ask(actor, id_, refusal))


def _ask(actor: Actor, assessment_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        found = person_overviews.of_attempt(reading, assessment_id)
    row = found.attempt
    names = module_grids.names(routing.container().schemes, language)
    module = names.get((row.scheme, row.module), row.module)
    return _page(
        actor,
        "desk/attempt_fee",
        refusal,
        here=f"/desk/assessments/{assessment_id}/fee",
        holder=found.holder,
        row=row,
        attempt=f"{module}, {in_words(row.taken_on, language)}",
        stated=desk_forms.stated("amount"),
    )


def _page(actor: Actor, template: str, refusal: Refusal | None, **facts: object) -> Response:
    language = routing.language()
    say = WORDS[language]
    errors, wrong = desk_forms.errors(refusal, say.labels)
    return visitors.page(
        template,
        language,
        422 if wrong else 200,
        say=say,
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
        **facts,
    )
