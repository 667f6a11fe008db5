"""One review as a page: the claim with its evidence, the rule, the points, and the answer to it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.domain.errors import IllegalTransition, Refusal, Stale
from tracker.domain.permissions import Actor
from tracker.domain.points.activities import ActivityState, ActivityVerdict, allows
from tracker.language.voice import in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.desk import review_rounds, reviews
from tracker.services.desk.review_rounds import OpenedReview
from tracker.services.points import activity_decisions
from tracker.web import navigation, static_files
from tracker.web import pages as frame
from tracker.web.desk import queue_shown, review_forms, reviews_shown
from tracker.web.desk.reviews_shown import HERE
from tracker.web.desk.reviews_words import WORDS
from tracker.web.people import forms, visitors

pages = Blueprint("review-pages", __name__)

_ONE = f"{HERE}/<uuid:activity_id>"


@pages.get(_ONE)
@visitors.for_reviewers
def show(actor: Actor, *, activity_id: UUID) -> Response:
    """Everything that is known about an activity, and the forms for an answer."""
    return _show(actor, str(activity_id))


@pages.post(f"{_ONE}/open")
@visitors.for_reviewers
def open_one(actor: Actor, *, activity_id: UUID) -> Response:
    """Open it, so that nobody else decides it for a while."""
    return _done(actor, str(activity_id), reviews.take)


@pages.post(f"{_ONE}/hand-back")
@visitors.for_reviewers
def hand_back(actor: Actor, *, activity_id: UUID) -> Response:
    """Let others decide it."""

    def act(work: UnitOfWork, id_: str) -> None:
        reviews.hand_back_activity(work, id_)

    return _done(actor, str(activity_id), act, then=HERE)


@pages.post(f"{_ONE}/skip")
@visitors.for_reviewers
def skip(actor: Actor, *, activity_id: UUID) -> Response:
    """Leave it to others and open the next one."""
    id_, query = str(activity_id), review_forms.query()

    def act(work: UnitOfWork) -> str:
        following = review_rounds.skip(work, id_, query.selection)
        return reviews_shown.next_page(following, query.text)

    return forms.attempted(
        actor, act, here=f"{HERE}/{id_}", refused=lambda refusal: _show(actor, id_, refusal)
    )


@pages.post(f"{_ONE}/decide")
@visitors.for_reviewers
def decide(actor: Actor, *, activity_id: UUID) -> Response:
    """Answer it and open the next one."""
    id_, query = str(activity_id), review_forms.query()

    def act(work: UnitOfWork) -> str:
        following = review_rounds.decide(
            work,
            id_,
            review_forms.answer(),
            version=forms.version(),
            selection=query.selection,
        )
        return reviews_shown.next_page(following, query.text, just=id_)

    return forms.attempted(
        actor, act, here=f"{HERE}/{id_}", refused=lambda refusal: _show(actor, id_, refusal)
    )


@pages.post(f"{_ONE}/undo")
@visitors.for_reviewers
def undo(actor: Actor, *, activity_id: UUID) -> Response:
    """Undo the decision; it waits again."""
    id_ = str(activity_id)

    def act(work: UnitOfWork) -> str:
        reason, version = forms.reason(), forms.version()
        activity_decisions.undo(work, id_, reason=reason, version=version)
        return f"{HERE}/{id_}?told=undone"

    return forms.attempted(
        actor, act, here=f"{HERE}/{id_}", refused=lambda refusal: _show(actor, id_, refusal)
    )


def _done(
    actor: Actor, activity_id: str, act: Callable[[UnitOfWork, str], None], *, then: str = ""
) -> Response:
    query = review_forms.query()
    here = f"{then or f'{HERE}/{activity_id}'}{query.text}"

    def acted(work: UnitOfWork) -> str:
        act(work, activity_id)
        return here

    return forms.attempted(
        actor, acted, here=here, refused=lambda refusal: _show(actor, activity_id, refusal)
    )


def _show(actor: Actor, activity_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        opened = review_rounds.show(reading, activity_id, just=review_forms.just())
        found = opened.dossier
        row = found.waiting.activity
        reasons = reviews_shown.reasons(reading, language, row.language)
        lock = queue_shown.locked(reading, found.waiting.lock, language)
        shown = queue_shown.queued(reading, found.waiting, language)
        is_others = shown.is_locked
    errors, wrong = review_forms.errors_of(refusal, language)
    made = visitors.page(
        "desk/review",
        language,
        422 if wrong else 200,
        say=say,
        here=f"{HERE}/{row.id}",
        parts=navigation.of_desk(actor, language),
        filter=review_forms.query().text,
        row=row,
        one=shown,
        **reviews_shown.parts(found, language),
        reasons=reasons,
        told_in=say.languages[row.language],
        asks_provider=found.kind is not None and found.kind.unapproved is not None,
        state=say.states[row.state],
        is_decided=row.state != ActivityState.SUBMITTED,
        can_decide=allows(row.state, "decide") and not opened.is_barred and not is_others,
        can_undo=allows(row.state, "undo") and not opened.is_barred and not is_others,
        is_barred=opened.is_barred,
        lock=lock,
        is_free=not found.waiting.lock and row.state == ActivityState.SUBMITTED,
        is_own=bool(found.waiting.lock) and not is_others,
        just=reviews_shown.just(opened.just, language),
        told=reviews_shown.told(language),
        meanwhile=_meanwhile(opened, refusal, language),
        sent=_sent(),
        stated=request.form,
        errors=errors,
        wrong=wrong,
        script=static_files.REVIEW_SCRIPT.address,
        csrf_token=session_cookies.csrf_token(actor),
    )
    return frame.with_evidence(frame.with_script(made))


def _sent() -> str:
    """Which form was sent, to show it again with what it said."""
    verdict = request.form.get("verdict", "")
    if verdict == ActivityVerdict.APPROVED:
        return "limit" if "points_limit" in request.form else "approve"
    if verdict == ActivityVerdict.REJECTED:
        return "reject"
    return "ask" if verdict == ActivityVerdict.MORE_INFORMATION else ""


def _meanwhile(opened: OpenedReview, refusal: Refusal | None, language: str) -> str:
    """What happened to the activity after the reader opened it; empty if nothing did."""
    if not isinstance(refusal, Stale | IllegalTransition):
        return ""
    say = WORDS[language]
    stood = [one for one in opened.dossier.decisions if one.undone_at is None]
    if not stood or opened.dossier.waiting.activity.state == ActivityState.SUBMITTED:
        return say.changed
    last = stood[-1]
    return say.meanwhile.format(
        who=last.decided_by,
        verdict=say.verdicts[last.verdict],
        on=in_words(last.decided_on, language),
    )
