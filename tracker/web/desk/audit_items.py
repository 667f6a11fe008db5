"""One audited activity as the body's people see it: the answer, the outcome and what it brings."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.desk.audits import AuditOutcomeSchema, verdict
from tracker.api.http import routing, session_cookies
from tracker.domain.credentials.certifications import Status
from tracker.domain.desk.audits import OPEN, AuditOutcome, AuditVerdict
from tracker.domain.errors import NotFound, Refusal
from tracker.domain.permissions import Actor
from tracker.language.voice import figure, in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.desk import audit_items, audit_overviews
from tracker.services.desk.audit_effects import AuditEffects, AuditSituation
from tracker.services.desk.audit_items import AuditItemRow
from tracker.services.desk.audit_overviews import AuditItemOverview
from tracker.web import navigation
from tracker.web.desk import desk_forms, queue_shown, review_forms
from tracker.web.desk.audits_words import WORDS
from tracker.web.people import forms, visitors
from tracker.web.verify_words import WORDS as VERIFY_WORDS

pages = Blueprint("desk-audit-items", __name__)

_ALL = "/desk/audits"
_ONE = f"{_ALL}/items/<uuid:item_id>"
_FIELDS = ("outcome", "points", "reason_code", "reason", "version")


@pages.get(_ONE)
@visitors.for_reviewers
def show(actor: Actor, *, item_id: UUID) -> Response:
    """One audited activity, and the form for its outcome."""
    return _show(actor, str(item_id))


@pages.post(f"{_ONE}/preview")
@visitors.for_reviewers
def preview(actor: Actor, *, item_id: UUID) -> Response:
    """What the outcome would bring, and the button that decides; nothing is decided yet."""
    id_ = str(item_id)
    if "again" in request.form:
        return _show(actor, id_)
    try:
        said, version = _said(), forms.version()
        with routing.container().work(actor) as work:
            effects = audit_items.preview(work, id_, said, version=version)
    except NotFound:
        raise
    except Refusal as refusal:
        return _show(actor, id_, refusal)
    return _preview(actor, id_, said, effects)


@pages.post(_ONE)
@visitors.for_reviewers
def decide(actor: Actor, *, item_id: UUID) -> Response:
    """Settle it, or settle it otherwise later."""
    id_ = str(item_id)

    def act(work: UnitOfWork) -> str:
        audit_items.decide(work, id_, _said(), version=forms.version())
        return f"{_ALL}/items/{id_}"

    return forms.attempted(
        actor,
        act,
        here=f"{_ALL}/items/{id_}",
        refused=lambda refusal: _show(actor, id_, refusal),
    )


def _said() -> AuditVerdict:
    return verdict(routing.load(AuditOutcomeSchema(), forms.sent(*_FIELDS[:-1])))


def _show(actor: Actor, item_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    errors, wrong = desk_forms.errors(refusal, say.labels)
    with routing.container().reading(actor) as reading:
        found = audit_overviews.of_item(reading, item_id)
        reasons = [
            one
            for act in ("points_limit", "activity_rejection")
            for one in review_forms.reasons(reading, act, language, found.language)
        ]
    row = found.row
    outcomes = [
        (one.value, say.outcomes[one])
        for one in AuditOutcome
        if row.state in OPEN or one != AuditOutcome.CALLED_OFF
    ]
    return visitors.page(
        "desk/audit_item",
        language,
        422 if wrong else 200,
        say=say,
        form=desk_forms.words(),
        parts=navigation.of_desk(actor, language),
        here=f"{_ALL}/items/{row.id}",
        all=f"{_ALL}/{row.audit_id}",
        scheme=found.scheme.full_name(language),
        heading=say.item.format(title=row.title),
        row=row,
        facts=_facts(found, language),
        files=[(f"/desk/evidence/{file.id}", file.filename) for file in found.files],
        outcomes=outcomes,
        reasons=list({one.code: (one.code, one.text) for one in reasons}.values()),
        stated=desk_forms.stated(*_FIELDS),
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _facts(found: AuditItemOverview, language: str) -> list[tuple[str, str]]:
    row, say = found.row, WORDS[language]
    state = say.states[row.state]
    if row.state in OPEN:
        state = f"{state}. {say.due.format(on=in_words(row.due_on, language))}"
    facts = [
        (say.asked_of, _who(row)),
        (say.state, state),
        (say.answer, row.answer or say.no_answer),
        (say.reason_said, row.reason or ""),
        (say.by_whom, row.decided_by or ""),
        (say.appeal, row.appeal or ""),
    ]
    if row.appeal_due_on and not row.appeal_decided_at:
        due = say.appeal_due.format(on=in_words(row.appeal_due_on, language))
        facts[-1] = (say.appeal, f"{row.appeal} ({due})")
    return [one for one in facts if one[1]]


def _who(row: AuditItemRow) -> str:
    return queue_shown.name_of(row.given_name, row.family_name)


def _preview(actor: Actor, item_id: str, said: AuditVerdict, effects: AuditEffects) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        row = audit_items.get(reading, item_id)
    return visitors.page(
        "desk/audit_effects",
        language,
        say=say,
        here=f"{_ALL}/items/{item_id}",
        why=say.effects_why.format(outcome=say.outcomes[said.outcome], who=_who(row)),
        lines=_lines(effects, language),
        fallen=[
            say.falls.format(
                on=in_words(one.submitted_on, language),
                total=figure(one.total),
                required=figure(one.required),
            )
            for one in effects.fallen
        ],
        stated=desk_forms.stated(*_FIELDS),
        csrf_token=session_cookies.csrf_token(actor),
    )


def _lines(effects: AuditEffects, language: str) -> Sequence[tuple[str, str, str]]:
    """What was and would be, each with its name."""
    say = WORDS[language]
    both = (effects.before, effects.after)
    points = [say.points_none if one.points is None else figure(one.points) for one in both]
    standing = [_standing(one, language) for one in both]
    return [(say.points, points[0], points[1]), (say.standing, standing[0], standing[1])]


def _standing(one: AuditSituation, language: str) -> str:
    if one.status is None:
        return ""
    told = VERIFY_WORDS[language].statuses[Status(one.status)]
    return f"{told}, {in_words(one.expires_on, language)}" if one.expires_on else told
