"""Credentials from elsewhere: the list, adding one, and turning one into an activity."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.api.points.other_credentials import NewCredentialSchema
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.domain.points.other_credentials import status_on
from tracker.language import catalogues
from tracker.language.voice import in_words, month_names
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.overview import holder_credentials
from tracker.services.points import other_credentials
from tracker.services.points.other_credentials import OtherCredentialRow
from tracker.web.people import activity_forms, forms, visitors
from tracker.web.people.activities_words import WORDS as DAY_WORDS

pages = Blueprint("credential-pages", __name__)

HERE = "/account/credentials"
_TEXTS = ("number", "evidence")


@dataclass(frozen=True, slots=True)
class CredentialsWords:
    """One language's words."""

    title: str
    why: str
    none: str
    add: str
    kind: str
    number: str
    number_hint: str
    issued_on: str
    expires_on: str
    expires_hint: str
    evidence: str
    evidence_hint: str
    save: str
    issued: str
    through: str
    claim: str
    claimed: str
    remove: str
    removed_reason: str
    statuses: dict[str, str]
    wrong: dict[str, str]


WORDS = {
    lang: CredentialsWords(**catalogues.topic(lang, "credentials_pages"))
    for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class CredentialShown:
    """A credential in the words of the page; ``activity`` is the page of what it is claimed as."""

    here: str
    name: str
    facts: Sequence[str]
    activity: str


@pages.get(HERE)
@visitors.signed_in
def home(actor: Actor) -> Response:
    """The credentials, and the form for another one."""
    visitors.check_holder(actor)
    return _home(actor)


@pages.post(HERE)
@visitors.signed_in
def add(actor: Actor) -> Response:
    """Record a credential; the same form twice records one."""
    holder_id = visitors.check_holder(actor)

    def act(work: UnitOfWork) -> str:
        other_credentials.add(work, holder_id, routing.load(NewCredentialSchema(), _sent()))
        return HERE

    refused = functools.partial(_home, actor)
    run = functools.partial(forms.attempted, actor, act, here=HERE, refused=refused)
    return forms.once(actor, run)


@pages.post(f"{HERE}/<uuid:credential_id>/activity")
@visitors.signed_in
def claim(actor: Actor, *, credential_id: UUID) -> Response:
    """Make an activity of it, and show that draft."""

    def act(work: UnitOfWork) -> str:
        for_ = forms.id_sent("certification_id")
        return f"/account/activities/{other_credentials.claim(work, str(credential_id), for_)}"

    return _done(actor, act)


@pages.post(f"{HERE}/<uuid:credential_id>/remove")
@visitors.signed_in
def remove(actor: Actor, *, credential_id: UUID) -> Response:
    """Take it off the list; it stays in the history."""

    def act(work: UnitOfWork) -> str:
        why = WORDS[routing.language()].removed_reason
        other_credentials.withdraw(work, str(credential_id), reason=why)
        return HERE

    return _done(actor, act)


def _done(actor: Actor, act: Callable[[UnitOfWork], str]) -> Response:
    visitors.check_holder(actor)
    return forms.attempted(actor, act, here=HERE, refused=functools.partial(_home, actor))


def _sent() -> dict[str, object]:
    """The form as the API would be told it; the kind and its level are one choice."""
    kind, _, level = request.form.get("credential", "").partition("/")
    days = {name: activity_forms.sent_day(name) for name in ("issued_on", "expires_on")}
    said = {"credential": kind, "level": level, **forms.sent(*_TEXTS), **days}
    return {name: value for name, value in said.items() if value}


def _home(actor: Actor, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        found = holder_credentials.mine(reading)
        shown = [_shown(reading, row, language) for row in found.rows]
        kinds = [
            (f"{kind.code}/{level}", f"{kind.name} {level} ({kind.issuer})".replace("  ", " "))
            for kind in reading.credentials.by_code.values()
            for level in (kind.levels or ("",))
        ]
        claims = [
            (one.id, reading.schemes[one.scheme].full_name(language))
            for one in found.certifications
        ]
    errors, wrong = _errors(refusal, say)
    return visitors.page(
        "credentials",
        language,
        422 if refusal else 200,
        say=say,
        here=HERE,
        credentials=shown,
        kinds=kinds,
        claims=claims,
        months=month_names(language),
        day_words=DAY_WORDS[language],
        stated=request.form if refusal else {},
        errors=errors,
        wrong=wrong,
        once=forms.new_form(),
        csrf_token=session_cookies.csrf_token(actor),
    )


def _errors(refusal: Refusal | None, say: CredentialsWords) -> tuple[dict[str, str], str | None]:
    """What is wrong with each field, and with all in one sentence."""
    if refusal is None:
        return {}, None
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    errors = {name: text for name, text in say.wrong.items() if name in named}
    usual = say.wrong["twice"] if refusal.code == "already_recorded" else ""
    return errors, next(iter(errors.values()), usual or forms.words().refusal(refusal.code))


def _shown(reading: ReadContext, row: OtherCredentialRow, language: str) -> CredentialShown:
    say, kind = WORDS[language], reading.credentials.by_code.get(row.credential)
    status = status_on(reading.now.date(), expires_on=row.expires_on, is_withdrawn=False)
    told = [kind.issuer if kind else "", row.number, say.issued.format(_day(row, "issued_on"))]
    if row.expires_on is not None:
        told.append(say.through.format(_day(row, "expires_on")))
    told.append(say.statuses["verified" if row.verified_at else status])
    return CredentialShown(
        here=f"{HERE}/{row.id}",
        name=f"{kind.name if kind else row.credential} {row.level}".strip(),
        facts=[one for one in told if one],
        activity=f"/account/activities/{row.activity_id}" if row.activity_id else "",
    )


def _day(row: OtherCredentialRow, name: str) -> str:
    return in_words(getattr(row, name), routing.language())
