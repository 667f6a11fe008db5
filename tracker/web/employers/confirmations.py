"""The years of employment to confirm, one press each, and what was confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.employers.confirmations import NewConfirmationSchema, SigningEndSchema
from tracker.api.http import routing, session_cookies
from tracker.domain.errors import Refusal
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.employers import confirmations
from tracker.services.employers.confirmations import ConfirmationRow
from tracker.web.employers import workforce_words
from tracker.web.employers.workforce_words import WORDS as LIST_WORDS
from tracker.web.people import forms, lists, visitors

pages = Blueprint("employer-confirmation-pages", __name__)

HERE = "/employer/confirmations"
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class ConfirmationsWords:
    """One language's words."""

    title: str
    why: str
    none: str
    confirm: str
    confirm_for: str
    days: str
    done_title: str
    done_none: str
    signed: str
    contested: str
    withdrawn: str
    withdraw: str
    withdraw_why: str
    next: str
    first: str
    earlier: str


WORDS = {
    lang: ConfirmationsWords(**catalogues.topic(lang, "confirmations_pages"))
    for lang in catalogues.LANGUAGES
}


@pages.get(HERE)
@visitors.for_organization("employer", changes=True)
def home(actor: Actor, employer_id: str) -> Response:
    """The workers who share, with the years to confirm."""
    return _home(actor, employer_id)


@pages.post(HERE)
@visitors.for_organization("employer", changes=True)
def confirm(actor: Actor, employer_id: str) -> Response:
    """Confirm one year of a worker."""

    def act(work: UnitOfWork) -> object:
        year = forms.number(forms.sent("year").get("year", ""))
        entry_id = forms.id_sent("entry_id")
        said = routing.load(NewConfirmationSchema(), {"entry_id": entry_id, "year": year})
        return confirmations.confirm(work, employer_id, entry_id, said["year"])

    return _done(actor, employer_id, act)


@pages.post(f"{HERE}/<uuid:confirmation_id>/withdraw")
@visitors.for_organization("employer", changes=True)
def withdraw(actor: Actor, employer_id: str, *, confirmation_id: UUID) -> Response:
    """Take a confirmation back."""

    def act(work: UnitOfWork) -> object:
        said = routing.load(SigningEndSchema(), forms.sent("reason"))
        return confirmations.withdraw(work, str(confirmation_id), **said)

    return _done(actor, employer_id, act)


def _done(actor: Actor, employer_id: str, act: Callable[[UnitOfWork], object]) -> Response:
    def acted(work: UnitOfWork) -> str:
        act(work)
        return HERE

    return forms.attempted(
        actor, acted, here=HERE, refused=lambda refusal: _home(actor, employer_id, refusal)
    )


def _home(actor: Actor, employer_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        after = lists.place()
        due = confirmations.due(reading, employer_id, after=after, limit=_SHOWN + 1)
        signed = confirmations.latest(
            reading, employer_id, before=lists.id_in_address("before"), limit=_SHOWN + 1
        )
    rows = [
        {
            "entry_id": one.worker.entry_id,
            "name": f"{one.worker.given_name} {one.worker.family_name}",
            "employee_id": one.worker.employee_id,
            "years": [
                (
                    year.year,
                    say.days.format(
                        starts=in_words(year.period.starts_on, language),
                        ends=in_words(year.period.ends_on, language),
                    ),
                )
                for year in one.years
            ],
        }
        for one in due[:_SHOWN]
        if one.years
    ]
    return visitors.page(
        "employers/confirmations",
        language,
        422 if refusal else 200,
        say=say,
        frame_words=LIST_WORDS[language],
        parts=workforce_words.parts(actor, language),
        here=HERE,
        rows=rows,
        signed=[_signed(one, language) for one in signed[:_SHOWN]],
        earlier=signed[_SHOWN - 1].id if len(signed) > _SHOWN else "",
        following=due[_SHOWN - 1].worker.entry_id if len(due) > _SHOWN else "",
        is_later=bool(after or request.args.get("before")),
        wrong=forms.words().refusal(refusal.code) if refusal else None,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _signed(one: ConfirmationRow, language: str) -> dict[str, object]:
    say = WORDS[language]
    told = say.signed.format(
        name=f"{one.given_name} {one.family_name}",
        starts=in_words(one.starts_on, language),
        ends=in_words(one.ends_on, language),
        signer=one.signed_by,
    )
    over = ""
    if one.withdrawn_at is not None:
        over = say.withdrawn.format(one.withdrawn_reason)
    elif one.contested_at is not None:
        over = say.contested.format(one.contest)
    return {"id": one.id, "told": told, "over": over, "stands": one.withdrawn_at is None}
