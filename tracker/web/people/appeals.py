"""Appeals of a holder: what can be appealed until when, the form, and the appeals so far."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.credentials.appeals import NewAppealSchema
from tracker.api.http import routing, session_cookies
from tracker.domain.credentials.appeals import Appealable, AppealSubject
from tracker.domain.errors import Invalid
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words, money
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import appeals
from tracker.services.credentials.appeals import AppealRow, AppealsOverview
from tracker.web import navigation
from tracker.web.people import forms, visitors

pages = Blueprint("appeal-pages", __name__)

_HERE = "/account/certifications/<uuid:certification_id>/appeals"


@dataclass(frozen=True, slots=True)
class AppealsWords:
    """One language's words."""

    title: str
    why: str
    nothing: str
    no_rule: str
    waits: str
    until: str
    too_late: str
    statement: str
    statement_hint: str
    cost: str
    cost_refunded: str
    free: str
    within: str
    file: str
    so_far: str
    none: str
    filed: str
    due: str
    your_statement: str
    fee_returned: str
    subjects: dict[str, str]
    about: dict[str, str]
    outcomes: dict[str, str]
    wrong: dict[str, str]


WORDS = {
    lang: AppealsWords(**catalogues.topic(lang, "appeals_pages")) for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class AppealableShown:
    """Something that can be appealed, or was until its last day; ``draft`` is what was written.

    ``is_meant``: the form that was sent is about it.
    """

    subject: str
    until: str
    is_open: bool
    renewal_id: str
    is_meant: bool
    draft: str


@dataclass(frozen=True, slots=True)
class AppealShown:
    """An appeal and how it ended."""

    about: str
    filed: str
    outcome: str
    reason: str
    statement: str
    fee_returned: bool


@pages.get(_HERE)
@visitors.signed_in
def home(actor: Actor, *, certification_id: UUID) -> Response:
    """What can be appealed, and the appeals so far."""
    visitors.check_holder(actor)
    return _home(actor, str(certification_id))


@pages.post(_HERE)
@visitors.signed_in
def file(actor: Actor, *, certification_id: UUID) -> Response:
    """File an appeal; what was written stays in the form if it is refused."""
    visitors.check_holder(actor)
    id_ = str(certification_id)
    try:
        wanted = routing.load(NewAppealSchema(), forms.sent("statement", "renewal_id"))
    except Invalid as refusal:
        return _home(actor, id_, bad=tuple(refusal.fields))
    against = str(wanted["renewal_id"]) if wanted["renewal_id"] else None

    def act(work: UnitOfWork) -> None:
        appeals.file(work, id_, statement=wanted["statement"], renewal_id=against)

    here = f"/account/certifications/{id_}/appeals"
    return forms.carried_out(
        actor, act, here=here, refused=lambda wrong: _home(actor, id_, wrong=wrong)
    )


def _home(
    actor: Actor, certification_id: str, *, wrong: str | None = None, bad: tuple[str, ...] = ()
) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        found = appeals.overview(reading, certification_id)
    say = WORDS[language]
    errors = {name: say.wrong[name] for name in bad}
    wrong = wrong or next(iter(errors.values()), None)
    return visitors.page(
        "appeals",
        language,
        422 if wrong else 200,
        say=say,
        wrong=wrong,
        errors=errors,
        here=f"/account/certifications/{certification_id}/appeals",
        parts=navigation.of_certification(certification_id, language),
        certification=found.scheme.full_name(language),
        missing=_nothing(found, language),
        terms=_terms(found, language),
        appealable=[_appealable(one, found, language) for one in found.appealable],
        appeals=[_appeal(row, language) for row in reversed(found.appeals)],
        csrf_token=session_cookies.csrf_token(actor),
    )


def _nothing(found: AppealsOverview, language: str) -> str:
    """Why nothing can be appealed; empty if something can."""
    say = WORDS[language]
    if found.rule is None:
        return say.no_rule.format(found.scheme.issuer)
    if any(not row.outcome for row in found.appeals):
        return say.waits
    return "" if found.appealable else say.nothing


def _terms(found: AppealsOverview, language: str) -> list[str]:
    """What an appeal costs, and how long it takes."""
    rule, say = found.rule, WORDS[language]
    if rule is None:
        return []
    fees = found.scheme.fees
    fee = money(rule.fee, fees.currency if fees else "")
    cost = say.cost_refunded if rule.refunded_on_success else say.cost
    told = cost.format(fee=fee) if rule.fee else say.free
    return [told, say.within.format(rule.decided_within_days)]


def _appealable(one: Appealable, found: AppealsOverview, language: str) -> AppealableShown:
    say, is_open = WORDS[language], one.is_open(found.on)
    against = one.renewal_id or ""
    is_meant = request.form.get("renewal_id") == against
    return AppealableShown(
        subject=say.subjects[one.kind].format(in_words(one.noticed_on, language)),
        until=(say.until if is_open else say.too_late).format(in_words(one.due_on, language)),
        is_open=is_open,
        renewal_id=against,
        is_meant=is_meant,
        draft=request.form.get("statement", "") if is_meant else "",
    )


def _appeal(row: AppealRow, language: str) -> AppealShown:
    say = WORDS[language]
    kind = AppealSubject.RENEWAL_DENIED if row.renewal_id else AppealSubject.SUSPENSION
    outcome = say.due.format(in_words(row.due_on, language))
    if row.outcome and row.decided_on:
        outcome = say.outcomes[row.outcome].format(in_words(row.decided_on, language))
    return AppealShown(
        about=say.about[kind],
        filed=say.filed.format(in_words(row.filed_on, language)),
        outcome=outcome,
        reason=row.reason or "",
        statement=row.statement,
        fee_returned=row.fee_refunded,
    )
