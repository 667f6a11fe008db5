"""Appeals as staff see them: the list by deadline, one, and the letter before it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.credentials.appeals import AppealDecisionSchema
from tracker.api.http import routing, session_cookies
from tracker.domain.credentials.appeals import AppealVerdict
from tracker.domain.errors import Invalid, NotFound, Refusal
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words, money
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import appeals
from tracker.services.delivery.sent_messages import Copy
from tracker.services.desk import appeal_dossiers
from tracker.services.desk.appeal_dossiers import AppealDossier, WaitingAppeal
from tracker.web import navigation
from tracker.web.desk import queue_shown
from tracker.web.desk.reviews_words import WORDS as OF_REVIEWS
from tracker.web.people import forms, visitors

pages = Blueprint("appeal-desk-pages", __name__)

HERE = "/desk/appeals"
_ONE = f"{HERE}/<uuid:appeal_id>"
_LIMIT = 25


@dataclass(frozen=True, slots=True)
class AppealDeskWords:
    """One language's words."""

    title: str
    none: str
    one: str
    due: str
    late: str
    filed: str
    against: str
    against_renewal: str
    decided_by_rule: str
    ground: str
    statement: str
    fee: str
    outcome: str
    decide: str
    change: str
    what: str
    reason: str
    see: str
    preview: str
    preview_why: str
    no_letter: str
    confirm_upheld: str
    confirm_dismissed: str
    other: str
    barred: str
    next_page: str
    back: str
    subjects: dict[str, str]
    verdicts: dict[str, str]
    outcomes: dict[str, str]
    wrong: dict[str, str]
    refusals: dict[str, str]


WORDS = {
    lang: AppealDeskWords(**catalogues.topic(lang, "appeal_desk_pages"))
    for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class AppealListed:
    """An appeal in the list."""

    here: str
    who: str
    number: str
    against: str
    due: str
    is_late: bool


@pages.get(HERE)
@visitors.for_staff
def home(actor: Actor) -> Response:
    """The appeals that wait, those first whose deadline is first."""
    language = routing.language()
    with routing.container().reading(actor) as reading:
        rows = appeal_dossiers.page(reading, after=_after(), limit=_LIMIT + 1)
        today = reading.now.date()
    more = rows[_LIMIT - 1] if len(rows) > _LIMIT else None
    return visitors.page(
        "desk/appeals",
        language,
        say=WORDS[language],
        parts=navigation.of_desk(actor, language),
        rows=[_listed(row, today, language) for row in rows[:_LIMIT]],
        next=f"{HERE}?after={more.due_on}/{more.id}" if more else "",
    )


def _after() -> tuple[date, str] | None:
    """The place in the address; None at the beginning. Raises NotFound for no place."""
    if not (given := request.args.get("after")):
        return None
    due_on, _, id_ = given.partition("/")
    try:
        return date.fromisoformat(due_on), str(UUID(id_))
    except ValueError as error:
        raise NotFound from error


def _listed(row: WaitingAppeal, today: date, language: str) -> AppealListed:
    say, is_late = WORDS[language], row.due_on < today
    due = (say.late if is_late else say.due).format(on=in_words(row.due_on, language))
    return AppealListed(
        here=f"{HERE}/{row.id}",
        who=queue_shown.name_of(row.given_name, row.family_name),
        number=row.number,
        against=_against(row, language),
        due=due,
        is_late=is_late,
    )


def _against(row: WaitingAppeal, language: str) -> str:
    say = WORDS[language]
    told = say.subjects[row.kind] if row.kind else say.against_renewal
    on = in_words(row.decided_on, language) if row.decided_on else ""
    return told.format(on=on, who=row.decided_by or say.decided_by_rule)


@pages.get(_ONE)
@visitors.for_staff
def show(actor: Actor, *, appeal_id: UUID) -> Response:
    """One appeal: what it is against, what the holder says, and the form."""
    return _show(actor, str(appeal_id))


@pages.post(f"{_ONE}/preview")
@visitors.for_staff
def preview(actor: Actor, *, appeal_id: UUID) -> Response:
    """The letter that would leave, and the button that decides; nothing is decided yet."""
    id_ = str(appeal_id)
    if "again" in request.form:
        return _show(actor, id_)
    try:
        said = _said()
        with routing.container().work(actor) as work:
            letter = appeal_dossiers.preview(work, id_, **said, version=forms.version())
    except NotFound:
        raise
    except Refusal as refusal:
        return _show(actor, id_, refusal)
    return _preview(actor, id_, said, letter)


@pages.post(_ONE)
@visitors.for_staff
def decide(actor: Actor, *, appeal_id: UUID) -> Response:
    """Uphold or dismiss it."""
    id_ = str(appeal_id)

    def act(work: UnitOfWork) -> str:
        appeals.decide(work, id_, **_said(), version=forms.version())
        return f"{HERE}/{id_}"

    return forms.attempted(
        actor, act, here=f"{HERE}/{id_}", refused=lambda refusal: _show(actor, id_, refusal)
    )


def _said() -> dict[str, Any]:
    """Outcome and reason, checked as the API checks them. Raises Invalid."""
    found: dict[str, Any] = routing.load(AppealDecisionSchema(), forms.sent("outcome", "reason"))
    return found


def _show(actor: Actor, appeal_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        found = appeal_dossiers.get(reading, appeal_id)
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    errors = {name: say.wrong[name] for name in named if name in say.wrong}
    usual = say.refusals.get(refusal.code, say.refusals["conflict"]) if refusal else None
    wrong = next(iter(errors.values()), usual)
    row, listed = found.appeal, _listed(found.about, found.today, language)
    return visitors.page(
        "desk/appeal",
        language,
        422 if wrong else 200,
        say=say,
        here=listed.here,
        parts=navigation.of_desk(actor, language),
        certification=found.scheme.full_name(language),
        heading=say.one.format(listed.who),
        row=row,
        listed=listed,
        facts=_facts(found, language),
        verdicts=[
            (one, say.verdicts[one]) for one in map(str, AppealVerdict) if one != row.outcome
        ],
        reason_label=say.reason.format(
            language=OF_REVIEWS[language].languages[found.about.language]
        ),
        is_barred=found.is_barred,
        stated=request.form,
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _facts(found: AppealDossier, language: str) -> list[tuple[str, str]]:
    say, row = WORDS[language], found.appeal
    fees = found.scheme.fees
    outcome = ""
    if row.outcome and row.decided_on:
        outcome = say.outcomes[row.outcome].format(in_words(row.decided_on, language))
    facts = [
        (say.against, _against(found.about, language)),
        (say.ground, found.about.ground or ""),
        (say.statement, row.statement),
        (say.fee, money(row.fee, fees.currency if fees else "")),
        (say.outcome, f"{outcome}. {row.reason or ''}" if outcome else ""),
    ]
    return [one for one in facts if one[1]]


def _preview(
    actor: Actor, appeal_id: str, said: Mapping[str, str], letter: Copy | None
) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        about = appeal_dossiers.get(reading, appeal_id).about
    who = queue_shown.name_of(about.given_name, about.family_name)
    upheld = said["outcome"] == AppealVerdict.UPHELD
    return visitors.page(
        "desk/appeal_preview",
        language,
        say=say,
        here=f"{HERE}/{appeal_id}",
        why=(say.preview_why if letter else say.no_letter).format(who=who),
        letter=letter,
        letter_language=about.language,
        button=say.confirm_upheld if upheld else say.confirm_dismissed,
        stated={name: request.form.get(name, "") for name in ("outcome", "reason", "version")},
        csrf_token=session_cookies.csrf_token(actor),
    )
