"""The review queue as a page: a list with its ages and a filter, and one answer to many at once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from flask import Blueprint, Response, request
from marshmallow import ValidationError, fields

from tracker.api.desk.review_queue import key_of
from tracker.api.http import paging, routing, session_cookies
from tracker.domain.desk.reviews import MANY
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.language.voice import ACTIVITIES, counted
from tracker.services.core.context import UnitOfWork
from tracker.services.desk import joint_decisions, queue_overviews, review_rounds
from tracker.services.desk.joint_decisions import JointPreview
from tracker.services.desk.queue_order import FLAGS
from tracker.services.desk.review_queue import STATES
from tracker.web import navigation
from tracker.web.desk import queue_shown, review_forms, reviews_shown
from tracker.web.desk.review_forms import QueueQuery
from tracker.web.desk.reviews_words import WORDS
from tracker.web.people import forms, visitors

pages = Blueprint("review-queue-pages", __name__)

HERE = "/desk/reviews"
_TOGETHER = f"{HERE}/together"


@pages.get(HERE)
@visitors.for_reviewers
def home(actor: Actor) -> Response:
    """The activities that wait, those first whose delay would hurt most."""
    return show(actor, review_forms.query())


@pages.post(f"{HERE}/start")
@visitors.for_reviewers
def start(actor: Actor) -> Response:
    """Open the first activity that is free, or say that there is none."""
    query = review_forms.query()

    def act(work: UnitOfWork) -> str:
        return reviews_shown.next_page(review_rounds.start(work, query.selection), query.text)

    return forms.attempted(
        actor, act, here=HERE, refused=lambda refusal: show(actor, query, refusal)
    )


def show(actor: Actor, query: QueueQuery, refusal: Refusal | None = None) -> Response:
    """The queue; after a refusal with what it says."""
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        found = queue_overviews.read(
            reading,
            query.selection,
            after=query.after,
            limit=query.limit,
            just=review_forms.just(),
        )
        rows = [queue_shown.queued(reading, one, language) for one in found.page.items]
        choices = queue_shown.choices(reading, found.employers, language)
    errors, wrong = query.errors, next(iter(query.errors.values()), None)
    if refusal is not None:
        errors, wrong = review_forms.errors_of(refusal, language)
    after = paging.cursor_of(key_of(found.page.next)) if found.page.next else ""
    return visitors.page(
        "desk/review_queue",
        language,
        422 if wrong else 200,
        say=say,
        here=HERE,
        parts=navigation.of_desk(actor, language),
        rows=rows,
        ages=queue_shown.ages(found.ages, language) if found.ages else None,
        choices=choices,
        states=[(state, say.states[state]) for state in STATES],
        flags=[(flag, say.flags[flag]) for flag in FLAGS],
        asked=request.args if query.errors else query.asked,
        filter=query.text,
        next=f"{HERE}?{_with(query, after)}" if after else "",
        just=reviews_shown.just(found.just, language),
        told=reviews_shown.told(language),
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _with(query: QueueQuery, after: str) -> str:
    return f"{query.text[1:]}&after={after}" if query.text else f"after={after}"


@pages.get(_TOGETHER)
@visitors.for_reviewers
def together(actor: Actor) -> Response:
    """The chosen activities, and the form for one answer to all of them."""
    return _together(actor, _chosen(request.args.getlist("activity")))


@pages.post(_TOGETHER)
@visitors.for_reviewers
def decide(actor: Actor) -> Response:
    """Give one answer to the chosen activities: to all of them, or to none."""
    chosen = dict(_versions())
    ids = list(chosen)

    def act(work: UnitOfWork) -> str:
        if not chosen:
            raise Invalid("No activity was chosen.", fields={"activities": "is required"})
        joint_decisions.decide(work, chosen, review_forms.answer(), with_text_of_code=True)
        return f"{HERE}?told=together"

    return forms.attempted(
        actor, act, here=HERE, refused=lambda refusal: _together(actor, ids, refusal)
    )


def _versions() -> list[tuple[str, int]]:
    """The activities of the form with the version of each that was read; 0 if that is no number."""
    found = []
    for one in request.form.get("activities", "").split(",")[:MANY]:
        id_, _, version = one.partition(":")
        found += [(each, forms.number(version)) for each in _chosen([id_])]
    return found


def _chosen(given: Sequence[str]) -> list[str]:
    found = []
    for one in given[:MANY]:
        try:
            found.append(str(fields.UUID().deserialize(one)))
        except ValidationError:
            continue
    return found


def _together(actor: Actor, ids: Sequence[str], refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    if not ids:
        errors = {"activities": say.together_none}
        query = review_forms.query()
        return show(actor, QueueQuery(query.selection, None, query.limit, query.asked, errors))
    with routing.container().reading(actor) as reading:
        found = joint_decisions.preview(reading, ids)
        rows = [queue_shown.queued(reading, one, language) for one in found.waiting]
        reasons = reviews_shown.reasons(reading, language, language)
    errors, wrong = review_forms.errors_of(refusal, language)
    activities = counted(Decimal(len(rows)), ACTIVITIES, language)
    return visitors.page(
        "desk/reviews_together",
        language,
        422 if wrong else 200,
        say=say,
        here=_TOGETHER,
        parts=navigation.of_desk(actor, language),
        rows=rows,
        versions=",".join(f"{row.id}:{row.version}" for row in rows),
        what=say.together_what.format(activities=activities),
        send=say.together_send.format(activities=activities),
        unlike=_unlike(found, language),
        reasons=reasons,
        stated=request.form,
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _unlike(found: JointPreview, language: str) -> str:
    """Why they can't be decided together; empty if they can."""
    if found.objection is None:
        return ""
    words = WORDS[language].together_fields
    field = str(found.objection.facts["field"])
    return WORDS[language].together_unlike.format(why=words.get(field, words["other"]))
