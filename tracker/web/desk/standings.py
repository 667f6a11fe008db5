"""Suspend, revoke or reinstate a certification: the form, the public page as it will look, the act.

A revocation is proposed here and approved by a second person (``web/people/approvals``).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.credentials.certifications import RevocationSchema, StandingChangeSchema
from tracker.api.http import routing, session_cookies
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import certificate_numbers
from tracker.services.credentials.verification import Verified
from tracker.services.overview import standing_acts
from tracker.services.overview.standing_acts import BY_STAFF, RecordedChange, StandingAct
from tracker.web import navigation, verify
from tracker.web.desk import queue_shown
from tracker.web.people import forms, visitors
from tracker.web.verify_words import WORDS as ON_THE_PAGE

pages = Blueprint("standing-pages", __name__)

HERE = "/desk/certificates"
_ONE = f"{HERE}/<uuid:certification_id>"
_FIELDS = ("reason_code", "reason", "effective_on", "barred_until")
_LONGEST_NUMBER = 64


@dataclass(frozen=True, slots=True)
class StandingWords:
    """One language's words."""

    title: str
    find: str
    number: str
    find_button: str
    not_found: str
    now: str
    changes: str
    no_changes: str
    change: str
    act: str
    nothing_allowed: str
    effective_on: str
    effective_hint: str
    reason_code: str
    choose_reason: str
    reason: str
    reason_hint: str
    barred_until: str
    barred_hint: str
    see: str
    preview: str
    preview_on: str
    about: str
    about_two: str
    confirm: str
    propose: str
    other: str
    proposed: str
    proposed_link: str
    barred: str
    back: str
    kinds: dict[str, str]
    done: dict[str, str]
    wrong: dict[str, str]
    refusals: dict[str, str]


WORDS = {
    lang: StandingWords(**catalogues.topic(lang, "standing_pages")) for lang in catalogues.LANGUAGES
}


@pages.get(HERE)
@visitors.for_staff
def find(actor: Actor) -> Response:
    """The form for a certificate number, which leads to the certificate."""
    language, number = routing.language(), request.args.get("number", "").strip()
    found = None
    if number and len(number) <= _LONGEST_NUMBER:
        with routing.container().reading(actor) as reading:
            found = certificate_numbers.certification_of(reading, number)
    if found is not None:
        return visitors.go(f"{HERE}/{found}")
    say = WORDS[language]
    return visitors.page(
        "desk/certificates",
        language,
        404 if number else 200,
        say=say,
        here=HERE,
        parts=navigation.of_desk(actor, language),
        number=number,
        wrong=say.not_found if number else None,
    )


@pages.get(_ONE)
@visitors.for_staff
def show(actor: Actor, *, certification_id: UUID) -> Response:
    """How it stands, what was changed before, and the form for a change."""
    return _show(actor, str(certification_id))


@pages.post(f"{_ONE}/preview")
@visitors.for_staff
def preview(actor: Actor, *, certification_id: UUID) -> Response:
    """The public page as it will look, and the button that does it; nothing is changed yet."""
    id_ = str(certification_id)
    if "again" in request.form:
        return _show(actor, id_)
    try:
        act = _act()
        with routing.container().work(actor) as work:
            found = standing_acts.preview(work, id_, act)
    except Refusal as refusal:
        if refusal.code == "not_found":
            raise
        return _show(actor, id_, refusal)
    return _preview(actor, id_, act, found)


@pages.post(_ONE)
@visitors.for_staff
def change(actor: Actor, *, certification_id: UUID) -> Response:
    """Suspend or reinstate it, or propose to revoke it."""
    id_ = str(certification_id)

    def act(work: UnitOfWork) -> str:
        standing_acts.carry_out(work, id_, _act())
        return f"{HERE}/{id_}"

    return forms.attempted(
        actor, act, here=f"{HERE}/{id_}", refused=lambda refusal: _show(actor, id_, refusal)
    )


def _act() -> StandingAct:
    """What the form says, checked as the API checks it. Raises Invalid."""
    kind = request.form.get("kind", "")
    if kind not in BY_STAFF:
        raise Invalid("Nothing was chosen.", fields={"kind": "is required"})
    is_revocation = kind == ChangeKind.REVOKE
    schema = RevocationSchema() if is_revocation else StandingChangeSchema()
    said = routing.load(schema, forms.sent(*_FIELDS))
    return StandingAct(kind=ChangeKind(kind), **said)


def _show(actor: Actor, certification_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        found = standing_acts.of_certification(reading, certification_id)
    now = found.standing
    left = (now.expires_on - now.on).days if now and now.expires_on else None
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    errors = {name: say.wrong[name] for name in named if name in say.wrong}
    usual = say.refusals.get(refusal.code, say.refusals["conflict"]) if refusal else None
    wrong = next(iter(errors.values()), usual)
    status = ON_THE_PAGE[language].statuses[now.status] if now else ""
    return visitors.page(
        "desk/certificate",
        language,
        422 if wrong else 200,
        say=say,
        here=f"{HERE}/{found.certification_id}",
        parts=navigation.of_desk(actor, language),
        certification=found.scheme.full_name(language),
        who=found.holder_name,
        number=found.number,
        stands=status,
        expiry=queue_shown.expiry(found.number, now, left, language),
        changes=[_change(one, language) for one in found.changes],
        kinds=[(kind, say.kinds[kind]) for kind in found.allowed],
        reasons=[(one.code, one.text.get(language, one.text["en"])) for one in found.reasons],
        is_proposed=found.is_proposed,
        is_barred=found.is_barred,
        stated=request.form,
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _change(one: RecordedChange, language: str) -> str:
    say = WORDS[language]
    return say.change.format(
        kind=say.done[one.kind],
        on=in_words(one.effective_on, language),
        who=one.decided_by,
        reason=one.reason,
    )


def _preview(actor: Actor, certification_id: str, act: StandingAct, found: Verified) -> Response:
    language = routing.language()
    say = WORDS[language]
    on = in_words(act.effective_on or found.standing.on, language)
    is_revocation = act.kind == ChangeKind.REVOKE
    about = say.about_two if is_revocation else say.about
    kind = say.kinds[act.kind]
    return visitors.page(
        "desk/certificate_preview",
        language,
        say=say,
        here=f"{HERE}/{certification_id}",
        about=about.format(kind=kind, number=found.number, who=found.holder, on=on),
        preview_on=say.preview_on.format(
            number=found.number, on=in_words(found.standing.on, language)
        ),
        shown=verify.facts(found, language),
        on_the_page=ON_THE_PAGE[language],
        button=say.propose if is_revocation else say.confirm.format(kind=kind),
        stated={name: request.form.get(name, "") for name in ("kind", *_FIELDS)},
        csrf_token=session_cookies.csrf_token(actor),
    )
