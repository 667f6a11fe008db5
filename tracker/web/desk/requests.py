"""Requests of holders, oldest first, with the day by which to answer each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import Blueprint, Response

from tracker.api.desk.requests import RequestDecisionSchema
from tracker.api.http import routing, session_cookies
from tracker.domain.desk import requests as rules
from tracker.domain.desk.requests import RequestState
from tracker.domain.errors import Refusal
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.desk import request_proofs, requests
from tracker.services.desk.request_proofs import ProofRow
from tracker.services.desk.requests import RequestRow
from tracker.web import navigation
from tracker.web.desk import desk_forms, record_words
from tracker.web.people import forms, lists, visitors

pages = Blueprint("desk-requests", __name__)

HERE = "/desk/requests"
_ONE = f"{HERE}/<uuid:request_id>"
_SOON = 7


@dataclass(frozen=True, slots=True)
class DeskRequestsWords:
    """One language's words."""

    title: str
    why: str
    none: str
    asks: str
    statement: str
    due: str
    soon: str
    late: str
    asked_on: str
    decided_by: str
    grant: str
    refuse: str
    refuse_reason: str
    others: str
    erasures: str
    recoveries: str
    approvals: str
    files: str
    labels: dict[str, str]


WORDS = {
    lang: DeskRequestsWords(**catalogues.topic(lang, "desk_requests_pages"))
    for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class RequestShown:
    """A request in words; ``clock`` is in_time, soon, late, or empty once it is answered."""

    row: RequestRow
    kind: str
    state: str
    clock: str
    due: str
    asked_on: str
    on_record: str
    asks: str
    is_open: bool
    can_be_granted: bool
    files: Sequence[ProofRow]


@pages.get(HERE)
@visitors.for_staff
def listed(actor: Actor) -> Response:
    """The requests that wait, or those of another state."""
    return _list(actor)


@pages.post(f"{_ONE}/grant")
@visitors.for_staff
def grant(actor: Actor, *, request_id: UUID) -> Response:
    """Grant a request: the record is changed as it asks."""
    return _decided(actor, str(request_id), "granted")


@pages.post(f"{_ONE}/refuse")
@visitors.for_staff
def refuse(actor: Actor, *, request_id: UUID) -> Response:
    """Refuse a request with a reason, which the holder reads."""
    return _decided(actor, str(request_id), "refused")


def _decided(actor: Actor, request_id: str, decision: str) -> Response:
    def act(work: UnitOfWork) -> str:
        said = {"decision": decision, **forms.sent("reason")}
        values = routing.load(RequestDecisionSchema(), said)
        requests.decide(work, request_id, **values, version=forms.version())
        return HERE

    return forms.attempted(
        actor, act, here=HERE, refused=lambda refusal: _list(actor, refusal=refusal)
    )


def _list(actor: Actor, *, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    state = lists.choice_in_address("state", RequestState) or RequestState.REQUESTED
    with routing.container().reading(actor) as reading:
        found = requests.page(
            reading,
            after=lists.place(),
            limit=lists.LISTED + 1,
            filters={"state": state},
        )
        proofs = request_proofs.of_requests(reading, found)
        today = reading.now.date()
    rows, more = lists.cut(found, lambda one: one.id, HERE)
    say = WORDS[language]
    errors, wrong = desk_forms.errors(refusal, say.labels)
    codes = record_words.WORDS[language]
    return visitors.page(
        "desk/requests",
        language,
        422 if wrong else 200,
        say=say,
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        here=HERE,
        rows=[_shown(row, proofs[row.id], today, language) for row in rows],
        more=more,
        state=state,
        states=[
            (each, codes.said("request_states", each))
            for each in (RequestState.REQUESTED, RequestState.GRANTED, RequestState.REFUSED)
        ],
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _shown(row: RequestRow, files: Sequence[ProofRow], today: date, language: str) -> RequestShown:
    codes, due = record_words.WORDS[language], rules.due_on(row.requested_on)
    left, is_open = (due - today).days, row.state == RequestState.REQUESTED
    clock = "late" if left < 0 else "soon" if left <= _SOON else "in_time"
    return RequestShown(
        row=row,
        kind=codes.said("request_kinds", row.kind),
        state=codes.said("request_states", row.state),
        clock=clock if is_open else "",
        due=in_words(due, language),
        asked_on=in_words(row.requested_on, language),
        on_record=f"{row.given_name} {row.family_name}",
        asks="; ".join(
            f"{codes.said('fields', name)}: {value}" for name, value in row.proposal.items()
        ),
        is_open=is_open,
        files=files,
        can_be_granted=row.state in rules.DECIDABLE[rules.RequestVerdict.GRANTED],
    )
