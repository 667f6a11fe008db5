"""A holder's own details: name and addresses, and requests that wait for staff."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.desk.requests import NewRequestSchema
from tracker.api.http import routing, session_cookies
from tracker.api.people.holders import HolderChangeSchema
from tracker.domain.desk.requests import IN_WORDS, RequestKind, RequestState
from tracker.domain.errors import EvidenceTooLarge, Invalid, Refusal, UnacceptableEvidence
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.desk import corrections, request_proofs, requests
from tracker.services.desk.requests import RequestRow
from tracker.services.overview import holder_details
from tracker.web.people import evidence_files, forms, visitors

pages = Blueprint("details-pages", __name__)

HERE = "/account/details"
_NAMES, _ADDRESSES = ("given_name", "family_name", "reason"), ("email", "second_email")


@dataclass(frozen=True, slots=True)
class DetailsWords:
    """One language's words."""

    title: str
    addresses: str
    addresses_why: str
    email: str
    second_email: str
    second_hint: str
    save: str
    name: str
    name_why: str
    given_name: str
    family_name: str
    reason: str
    reason_hint: str
    ask: str
    requests: str
    asked: str
    said: str
    withdraw: str
    other: str
    other_why: str
    kind: str
    statement: str
    statement_hint: str
    files: str
    files_hint: str
    send: str
    asked_in_words: str
    too_large: str
    too_large_why: str
    kinds: dict[RequestKind, str]
    states: dict[RequestState, str]
    wrong: dict[str, str]


WORDS = {
    lang: DetailsWords(**catalogues.topic(lang, "details_pages")) for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class HolderRequestShown:
    """A request in the words of the page; ``here`` is empty once it can't be withdrawn."""

    text: str
    state: str
    reason: str
    here: str


@pages.get(HERE)
@visitors.signed_in
def home(actor: Actor) -> Response:
    """The details, and what was requested."""
    visitors.check_holder(actor)
    return _home(actor)


@pages.post(f"{HERE}/addresses")
@visitors.signed_in
def change_addresses(actor: Actor) -> Response:
    """Change the addresses at once; the former one is told."""
    said: dict[str, object] = {name: request.form.get(name, "").strip() for name in _ADDRESSES}
    return _change(actor, said | {"second_email": said["second_email"] or None})


@pages.post(f"{HERE}/name")
@visitors.signed_in
def ask_for_name(actor: Actor) -> Response:
    """Ask for another name, which staff decide."""
    return _change(actor, dict(forms.sent(*_NAMES)))


def _too_large() -> Response:
    language = routing.language()
    say = WORDS[language]
    links = ({"href": HERE, "text": say.title},)
    lines = [say.too_large_why.format(**evidence_files.limits())]
    return visitors.page("message", language, 413, heading=say.too_large, lines=lines, links=links)


@pages.post(f"{HERE}/requests")
@visitors.takes_files(evidence_files.most, _too_large)
@visitors.signed_in
def ask_in_words(actor: Actor) -> Response:
    """Ask for a correction, an exemption or an extension, with files: all of it or nothing."""
    visitors.check_holder(actor)
    try:
        said = routing.load(NewRequestSchema(), forms.sent("kind", "statement"))
        checked = evidence_files.checked()
    except Refusal as refusal:
        return _home(actor, refusal)

    def act(work: UnitOfWork) -> None:
        made = requests.ask(work, RequestKind(said["kind"]), statement=said["statement"])
        for file in checked:
            request_proofs.add(work, made, file)

    return _done(actor, act)


@pages.post(f"{HERE}/requests/<uuid:request_id>/withdraw")
@visitors.signed_in
def withdraw(actor: Actor, *, request_id: UUID) -> Response:
    """Withdraw a request before it is decided."""
    return _done(actor, lambda work: requests.withdraw(work, str(request_id)))


def _change(actor: Actor, said: dict[str, object]) -> Response:
    holder_id = visitors.check_holder(actor)

    def act(work: UnitOfWork) -> None:
        body = routing.load(HolderChangeSchema(), said)
        reason = body.pop("reason", None)
        corrections.change(work, holder_id, body, version=forms.version(), reason=reason)

    return _done(actor, act)


def _done(actor: Actor, act: Callable[[UnitOfWork], object]) -> Response:
    visitors.check_holder(actor)

    def acted(work: UnitOfWork) -> str:
        act(work)
        return HERE

    return forms.attempted(actor, acted, here=HERE, refused=functools.partial(_home, actor))


def _home(actor: Actor, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        found = holder_details.mine(reading)
    holder = found.holder
    stated = {name: getattr(holder, name) or "" for name in (*_ADDRESSES, *_NAMES[:2])}
    if refusal is not None:
        stated |= request.form.to_dict()
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    if isinstance(refusal, EvidenceTooLarge | UnacceptableEvidence):
        named = {"file": refusal.detail}
    errors = {name: text for name, text in say.wrong.items() if name in named}
    wrong = forms.words().refusal(refusal.code) if refusal else None
    return visitors.page(
        "details",
        language,
        422 if refusal else 200,
        say=say,
        here=HERE,
        stated=stated,
        kinds=[(kind.value, say.kinds[kind]) for kind in RequestKind if kind in IN_WORDS],
        limits=say.files_hint.format(**evidence_files.limits()),
        version=holder.version,
        requests=[_shown(one, language) for one in reversed(found.requests)],
        errors=errors,
        wrong=next(iter(errors.values()), wrong),
        csrf_token=session_cookies.csrf_token(actor),
    )


def _shown(row: RequestRow, language: str) -> HolderRequestShown:
    say, state = WORDS[language], RequestState(row.state)
    names = {"given_name": row.given_name, "family_name": row.family_name, **row.proposal}
    asked = f"{names['given_name']} {names['family_name']}".strip()
    on, kind = in_words(row.requested_on, language), RequestKind(row.kind)
    in_own_words = say.asked_in_words.format(kind=say.kinds[kind], on=on, what=row.statement)
    return HolderRequestShown(
        text=in_own_words if kind in IN_WORDS else say.asked.format(name=asked, on=on),
        state=say.states[state],
        reason=row.reason or "",
        here=f"{HERE}/requests/{row.id}" if state == RequestState.REQUESTED else "",
    )
