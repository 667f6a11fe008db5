"""Requests to erase a person's data, as a page for staff: see whose and until when, and answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response

from tracker.api.http import routing, session_cookies
from tracker.domain.people.erasures import ErasureState
from tracker.domain.permissions import Actor
from tracker.language.voice import in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.overview import erasures
from tracker.services.overview.erasures import ErasureRow
from tracker.web.people import forms, visitors

pages = Blueprint("answer-erasures", __name__)

HERE = "/account/erasures"
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class ErasureShown:
    """A request in the words of the page."""

    id: str
    who: str
    by: str
    reason: str
    due: str


@pages.get(HERE)
@visitors.for_staff
def home(actor: Actor) -> Response:
    """The requests that wait, the one that is due first at the top."""
    return _page(actor)


@pages.post(f"{HERE}/<uuid:erasure_id>/approve")
@visitors.for_staff
def approve(actor: Actor, *, erasure_id: UUID) -> Response:
    """Erase the data, as another person asked; this cannot be undone."""
    return _done(actor, lambda work: erasures.approve(work, str(erasure_id)))


@pages.post(f"{HERE}/<uuid:erasure_id>/refuse")
@visitors.for_staff
def refuse(actor: Actor, *, erasure_id: UUID) -> Response:
    """Refuse a request, with the reason."""
    id_ = str(erasure_id)
    return _done(actor, lambda work: erasures.refuse(work, id_, reason=forms.reason()))


def _done(actor: Actor, act: Callable[[UnitOfWork], object]) -> Response:
    return forms.carried_out(actor, act, here=HERE, refused=lambda wrong: _page(actor, wrong=wrong))


def _page(actor: Actor, *, wrong: str | None = None) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        rows = erasures.page(reading, after=None, limit=_SHOWN, state=ErasureState.REQUESTED)
        owners = erasures.owners(reading, rows)
    return visitors.page(
        "erasures",
        language,
        422 if wrong else 200,
        more=forms.words(),
        here=HERE,
        rows=[_shown(row, owners[row.holder_id], language) for row in rows],
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _shown(row: ErasureRow, who: str, language: str) -> ErasureShown:
    say = forms.words()
    by = say.asked_by_holder if row.is_holders else say.proposed_by.format(row.proposed_by)
    return ErasureShown(row.id, who, by, row.reason, in_words(row.due_on, language))
