"""What employers confirmed of a holder's employment, what is missing, what they permit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import Blueprint, Response

from tracker.api.employers.confirmations import ContestSchema
from tracker.api.http import routing, session_cookies
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.employers import confirmations, employers, work_permissions
from tracker.services.employers.confirmations import ConfirmationRow, MissingYears
from tracker.services.employers.work_permissions import WorkPermissionRow
from tracker.web.people import forms, visitors

pages = Blueprint("employment-pages", __name__)

HERE = "/account/employment"
_ONE = f"{HERE}/<uuid:confirmation_id>"


@dataclass(frozen=True, slots=True)
class EmploymentWords:
    """One language's words."""

    title: str
    why: str
    none: str
    signed: str
    contested: str
    withdrawn: str
    contest: str
    contest_why: str
    end_contest: str
    missing: str
    permissions: str
    permission: str
    permission_over: str
    no_certification: str
    back: str


WORDS = {
    lang: EmploymentWords(**catalogues.topic(lang, "employment_pages"))
    for lang in catalogues.LANGUAGES
}


@pages.get(HERE)
@visitors.signed_in
def home(actor: Actor) -> Response:
    """Who confirmed what, and which years are missing."""
    return _home(actor)


@pages.post(f"{_ONE}/contest")
@visitors.signed_in
def contest(actor: Actor, *, confirmation_id: UUID) -> Response:
    """Say that a confirmation is wrong."""

    def act(work: UnitOfWork) -> None:
        said = routing.load(ContestSchema(), forms.sent("statement"))
        confirmations.contest(work, str(confirmation_id), **said)

    return _done(actor, act)


@pages.post(f"{_ONE}/end")
@visitors.signed_in
def end_contest(actor: Actor, *, confirmation_id: UUID) -> Response:
    """Say that it is right after all."""
    return _done(actor, lambda work: confirmations.end_contest(work, str(confirmation_id)))


def _done(actor: Actor, act: Callable[[UnitOfWork], object]) -> Response:
    visitors.check_holder(actor)
    return forms.carried_out(actor, act, here=HERE, refused=lambda wrong: _home(actor, wrong))


def _home(actor: Actor, wrong: str | None = None) -> Response:
    holder_id = visitors.check_holder(actor)
    language = routing.language()
    with routing.container().reading(actor) as reading:
        signed = confirmations.page(reading, holder_id=holder_id)
        absent = confirmations.missing(reading, holder_id)
        permitted = work_permissions.page(reading, holder_id=holder_id)
        today = employers.today(reading)
    return visitors.page(
        "employment",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        here=HERE,
        wrong=wrong,
        signed=[(one, *_signed(one, language)) for one in reversed(signed)],
        missing=[missing_in_words(one, language) for one in absent],
        permissions=[_permission(one, today, language) for one in permitted],
        csrf_token=session_cookies.csrf_token(actor),
    )


def missing_in_words(one: MissingYears, language: str) -> str:
    """The years that an employer has not confirmed, in a sentence."""
    return WORDS[language].missing.format(
        employer=one.employer, years=", ".join(map(str, one.years))
    )


def _signed(one: ConfirmationRow, language: str) -> tuple[str, str]:
    say = WORDS[language]
    told = say.signed.format(
        employer=one.name,
        starts=in_words(one.starts_on, language),
        ends=in_words(one.ends_on, language),
        signer=one.signed_by,
        on=in_words(one.recorded_at.date(), language),
    )
    if one.withdrawn_at is not None:
        return told, say.withdrawn.format(one.withdrawn_reason)
    return told, say.contested.format(one.contest) if one.contested_at is not None else ""


def _permission(one: WorkPermissionRow, today: date, language: str) -> str:
    say = WORDS[language]
    told = say.permission if one.is_in_force(today) else say.permission_over
    days = {"starts": in_words(one.starts_on, language), "ends": in_words(one.ends_on, language)}
    return told.format(employer=one.name, words=one.words, **days)
