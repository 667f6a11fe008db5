"""Applications to renew as staff see them: the list, and one with its checklist and decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.credentials.fees import FeeChangeSchema
from tracker.api.credentials.renewals import RenewalDecisionSchema
from tracker.api.desk.review_queue import RenewalsQuerySchema, key_of
from tracker.api.http import paging, routing, session_cookies
from tracker.domain.credentials.fees import FeeChange
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.language.voice import POINTS, counted, figure, in_words
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import renewal_fees, renewals
from tracker.services.desk import renewal_dossiers, renewal_queue, reviews
from tracker.services.desk.renewal_queue import WaitingApplication
from tracker.web import navigation
from tracker.web.desk import queue_shown, renewals_shown
from tracker.web.desk.renewals_words import WORDS
from tracker.web.desk.reviews_words import WORDS as OF_REVIEWS
from tracker.web.desk.reviews_words import business_days
from tracker.web.people import forms, visitors

pages = Blueprint("renewal-desk-pages", __name__)

HERE = "/desk/renewals"
_ONE = f"{HERE}/<uuid:renewal_id>"
_LIMIT = 25


@dataclass(frozen=True, slots=True)
class ApplicationListed:
    """An application in the list."""

    id: str
    who: str
    scheme: str
    applied: str
    waits: str
    is_late: bool
    expiry: str
    points: str
    lock: str
    is_locked: bool


@pages.get(HERE)
@visitors.for_staff
def home(actor: Actor) -> Response:
    """The applications that wait, those first whose certification expires first."""
    language = routing.language()
    asked = {"after": request.args["after"]} if request.args.get("after") else {}
    try:
        after = routing.load(RenewalsQuerySchema(), asked).get("after")
    except Invalid:
        after = None
    with routing.container().reading(actor) as reading:
        found = renewal_queue.page(reading, scheme=None, after=after, limit=_LIMIT + 1)
        rows = [_listed(reading, one, language) for one in found[:_LIMIT]]
    more = paging.cursor_of(key_of(found[_LIMIT - 1].place)) if len(found) > _LIMIT else ""
    return visitors.page(
        "desk/renewals",
        language,
        say=WORDS[language],
        here=HERE,
        parts=navigation.of_desk(actor, language),
        rows=rows,
        next=f"{HERE}?after={more}" if more else "",
        csrf_token=session_cookies.csrf_token(actor),
    )


def _listed(reading: ReadContext, one: WaitingApplication, language: str) -> ApplicationListed:
    row, say, of_reviews = one.renewal, WORDS[language], OF_REVIEWS[language]
    days = business_days(one.business_days, language)
    waits = (of_reviews.waits_late if one.overdue else of_reviews.waits).format(days=days)
    return ApplicationListed(
        id=row.id,
        who=queue_shown.name_of(row.given_name, row.family_name),
        scheme=reading.schemes[row.scheme].full_name(language),
        applied=say.applied.format(on=in_words(row.submitted_on, language)),
        waits=waits if one.business_days else of_reviews.waits_today,
        is_late=one.overdue,
        expiry=queue_shown.expiry(row.certificate_number, one.standing, one.days_left, language),
        points=_points(one, language),
        lock=queue_shown.locked(reading, one.lock, language),
        is_locked=one.lock is not None and one.lock.reviewer_id != reading.actor.who,
    )


def _points(one: WaitingApplication, language: str) -> str:
    say = WORDS[language]
    if one.points_now is None or one.required is None or one.points_if_approved is None:
        return say.points_none
    told = say.points_then if one.points_if_approved != one.points_now else say.points
    return told.format(
        now=figure(one.points_now),
        required=counted(one.required, POINTS, language),
        then=figure(one.points_if_approved),
    )


@pages.get(_ONE)
@visitors.for_staff
def show(actor: Actor, *, renewal_id: UUID) -> Response:
    """One application: what an approval needs, the payment, the decision."""
    return _show(actor, str(renewal_id))


@pages.post(f"{_ONE}/open")
@visitors.for_staff
def open_one(actor: Actor, *, renewal_id: UUID) -> Response:
    """Open it, so that nobody else decides it for a while."""
    return _done(actor, renewal_id, reviews.open_renewal)


@pages.post(f"{_ONE}/hand-back")
@visitors.for_staff
def hand_back(actor: Actor, *, renewal_id: UUID) -> Response:
    """Let others decide it."""
    return _done(actor, renewal_id, reviews.hand_back_renewal)


@pages.post(f"{_ONE}/decide")
@visitors.for_staff
def decide(actor: Actor, *, renewal_id: UUID) -> Response:
    """Approve or deny it."""

    def act(work: UnitOfWork, id_: str) -> None:
        said: dict[str, object] = dict(forms.sent("decision", "reason"))
        said["checks"] = request.form.getlist("checks")
        renewal_dossiers.decide(
            work,
            id_,
            **routing.load(RenewalDecisionSchema(), said),
            reason_code=forms.sent("reason_code").get("reason_code"),
            version=forms.version(),
        )

    return _done(actor, renewal_id, act)


@pages.post(f"{_ONE}/undo")
@visitors.for_staff
def undo(actor: Actor, *, renewal_id: UUID) -> Response:
    """Undo the decision: the one before applies again, or it waits."""

    def act(work: UnitOfWork, id_: str) -> None:
        renewals.undo(work, id_, reason=forms.reason(), version=forms.version())

    return _done(actor, renewal_id, act)


@pages.post(f"{_ONE}/fee")
@visitors.for_staff
def pay(actor: Actor, *, renewal_id: UUID) -> Response:
    """Record what became of the fee."""

    def act(work: UnitOfWork, id_: str) -> None:
        said = routing.load(FeeChangeSchema(), forms.sent("state", "reference", "reason"))
        fee_id = renewals.get(work, id_).fee_id or ""
        renewal_fees.record(work, fee_id, FeeChange(**said), version=forms.version())

    return _done(actor, renewal_id, act)


def _done(actor: Actor, renewal_id: UUID, act: Callable[[UnitOfWork, str], object]) -> Response:
    """Do it and show the application."""
    id_ = str(renewal_id)
    here = f"{HERE}/{id_}"

    def acted(work: UnitOfWork) -> str:
        act(work, id_)
        return here

    return forms.attempted(
        actor, acted, here=here, refused=lambda refusal: _show(actor, id_, refusal)
    )


def _show(actor: Actor, renewal_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say, of_reviews = WORDS[language], OF_REVIEWS[language]
    with routing.container().reading(actor) as reading:
        found = renewal_dossiers.get(reading, renewal_id)
        lock = queue_shown.locked(reading, found.lock, language)
        is_others = found.lock is not None and found.lock.reviewer_id != reading.actor.who
    errors, wrong = say.told(refusal, language)
    row, who = found.renewal, {"who": found.holder_name, "number": found.number}
    may = not found.is_barred and not is_others and row.withdrawn_on is None
    return visitors.page(
        "desk/renewal",
        language,
        422 if wrong else 200,
        say=say,
        here=f"{HERE}/{row.id}",
        parts=navigation.of_desk(actor, language),
        certification=found.scheme.full_name(language),
        heading=say.one.format(found.holder_name),
        made=say.made.format(who=found.holder_name, on=in_words(row.submitted_on, language)),
        decision=say.verdicts[row.decision] if row.decision else "",
        row=row,
        **renewals_shown.parts(found, language),
        reviews=[f"/desk/reviews/{id_}" for id_ in found.waiting],
        told_in=of_reviews.languages[found.language],
        approve_brings=say.approve_brings.format(**who),
        deny_brings=say.deny_brings.format(**who),
        may=may,
        can_approve=may and not found.obstacles and row.decision != "approved",
        can_deny=may and row.decision != "denied",
        can_undo=may and row.decision is not None,
        quiet=say.undo_quiet.format(of_reviews.clock(found.quiet_until))
        if found.quiet_until
        else say.undo_told,
        withdrawn=say.withdrawn.format(in_words(row.withdrawn_on, language))
        if row.withdrawn_on
        else "",
        is_barred=found.is_barred,
        lock=lock,
        is_free=may and found.lock is None and row.decision is None,
        is_own=found.lock is not None and not is_others,
        stated=request.form,
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )
