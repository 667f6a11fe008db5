"""Audits of a holder's activities: what is asked by when, the answer with files, the appeal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from tracker.api.desk.audits import AuditAnswerSchema, AuditAppealSchema
from tracker.api.http import routing, session_cookies
from tracker.domain.desk.audits import APPEALABLE, OPEN, AuditState, NoAnswer
from tracker.domain.errors import EvidenceTooLarge, Invalid, NotFound, Refusal, UnacceptableEvidence
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import figure, in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.desk import audit_items, audit_overviews
from tracker.services.desk.audit_items import AuditItemRow
from tracker.services.desk.audit_overviews import AuditItemOverview
from tracker.services.people import preferences
from tracker.services.points import evidence
from tracker.web.navigation import NavigationLink
from tracker.web.people import evidence_files, forms, lists, visitors

pages = Blueprint("holder-audits", __name__)

HERE = "/account/audits"
_ONE = f"{HERE}/<uuid:item_id>"


@dataclass(frozen=True, slots=True)
class HolderAuditWords:
    """One language's words."""

    title: str
    none: str
    one: str
    why: str
    keeps: str
    no_answer: str
    proof: str
    no_files: str
    later: str
    photo: str
    files: str
    files_hint: str
    explain: str
    explain_hint: str
    send: str
    send_again: str
    your_answer: str
    answered_on: str
    said: str
    points: str
    points_now: str
    appeal: str
    appeal_by: str
    appeal_over: str
    statement: str
    statement_hint: str
    file_appeal: str
    appealed: str
    appeal_decided: str
    your_appeal: str
    back: str
    more: str
    too_large: str
    too_large_why: str
    home: str
    states: dict[str, str]
    short: dict[str, str]
    wrong: dict[str, str]
    refusals: dict[str, str]


WORDS = {
    lang: HolderAuditWords(**catalogues.topic(lang, "audits_pages"))
    for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class HolderAuditShown:
    """An audited activity in a list."""

    here: str
    title: str
    state: str
    is_asked: bool


@pages.get(HERE)
@visitors.signed_in
def listed(actor: Actor) -> Response:
    """Every audit of the holder's activities, oldest first."""
    visitors.check_holder(actor)
    language = routing.language()
    with routing.container().reading(actor) as reading:
        found = audit_items.page(reading, after=lists.place(), limit=lists.LISTED + 1, filters={})
    rows, more = lists.cut(found, lambda one: one.id)
    return visitors.page(
        "audits",
        language,
        say=WORDS[language],
        rows=[shown(row, language) for row in rows],
        more=more,
    )


@pages.get(_ONE)
@visitors.signed_in
def show(actor: Actor, *, item_id: UUID) -> Response:
    """One audited activity."""
    visitors.check_holder(actor)
    return _show(actor, str(item_id))


def _too_large(*, item_id: UUID) -> Response:
    language = routing.language()
    say = WORDS[language]
    links = ({"href": f"{HERE}/{item_id}", "text": say.title},)
    lines = [say.too_large_why.format(**evidence_files.limits())]
    return visitors.page("message", language, 413, heading=say.too_large, lines=lines, links=links)


@pages.post(f"{_ONE}/answer")
@visitors.takes_files(evidence_files.most, _too_large)
@visitors.signed_in
def answer(actor: Actor, *, item_id: UUID) -> Response:
    """Answer with an explanation and files: all of it or nothing."""
    visitors.check_holder(actor)
    id_ = str(item_id)
    with routing.container().reading(actor) as reading:
        activity_id = audit_items.get(reading, id_).activity_id
    try:
        text = routing.load(AuditAnswerSchema(), forms.sent("answer"))["answer"]
        checked = evidence_files.sent(actor, activity_id)
    except NotFound:
        raise
    except Refusal as refusal:
        return _show(actor, id_, refusal)

    def act(work: UnitOfWork) -> str:
        for file in checked:
            evidence.add(work, activity_id, file)
        audit_items.answer(work, id_, text=text)
        return f"{HERE}/{id_}"

    return _attempted(actor, id_, act)


@pages.post(f"{_ONE}/appeal")
@visitors.signed_in
def appeal(actor: Actor, *, item_id: UUID) -> Response:
    """Appeal against an outcome that took points."""
    visitors.check_holder(actor)
    id_ = str(item_id)

    def act(work: UnitOfWork) -> str:
        said = routing.load(AuditAppealSchema(), forms.sent("statement"))
        audit_items.appeal(work, id_, statement=said["statement"])
        return f"{HERE}/{id_}"

    return _attempted(actor, id_, act)


def _attempted(actor: Actor, item_id: str, act: Callable[[UnitOfWork], str]) -> Response:
    return forms.attempted(
        actor,
        act,
        here=f"{HERE}/{item_id}",
        refused=lambda refusal: _show(actor, item_id, refusal),
    )


def shown(row: AuditItemRow, language: str) -> HolderAuditShown:
    """An audited activity in a line: its title, and where it stands."""
    state = WORDS[language].short[row.state].format(on=in_words(row.due_on, language))
    return HolderAuditShown(f"{HERE}/{row.id}", row.title, state, row.state == AuditState.ASKED)


def to_answer(row: AuditItemRow, language: str) -> NavigationLink:
    """The way to an audit that waits for an answer, as the first page says it."""
    text = WORDS[language].home.format(title=row.title, on=in_words(row.due_on, language))
    return NavigationLink(f"{HERE}/{row.id}", text, is_current=False)


def _show(actor: Actor, item_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        found = audit_overviews.of_item(reading, item_id)
        zone = ZoneInfo(preferences.mine(reading).holder.time_zone)
    row, say = found.row, WORDS[language]
    errors, wrong = _errors(refusal, language)
    return visitors.page(
        "audit",
        language,
        422 if refusal else 200,
        say=say,
        here=f"{HERE}/{row.id}",
        all=HERE,
        scheme=found.scheme.full_name(language),
        row=row,
        files=found.files,
        stands=_stands(found, language),
        is_open=row.state in OPEN,
        answered_on=_answered_on(row, language, zone),
        appeal=_appeal(found, language),
        can_appeal=found.appeal_by is not None and found.on <= found.appeal_by,
        limits=say.files_hint.format(**evidence_files.limits()),
        stated={name: request.form.get(name, "") for name in ("answer", "statement")},
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _stands(found: AuditItemOverview, language: str) -> Sequence[str]:
    """Where it stands and what follows, in sentences."""
    row, say = found.row, WORDS[language]
    told = [say.states[row.state].format(on=in_words(row.due_on, language))]
    if row.state == AuditState.ASKED:
        if found.no_answer == NoAnswer.REJECT:
            told.append(say.no_answer)
        told.append(say.keeps)
    if row.points is not None:
        told.append(say.points.format(figure(row.points)))
    if row.points_before is not None and row.points_after is not None:
        now, before = figure(row.points_after), figure(row.points_before)
        told.append(say.points_now.format(now=now, before=before))
    return told


def _answered_on(row: AuditItemRow, language: str, zone: ZoneInfo) -> str:
    return in_words(row.answered_at.astimezone(zone).date(), language) if row.answered_at else ""


def _appeal(found: AuditItemOverview, language: str) -> str:
    """What can be said of an appeal; empty where there is nothing to appeal against."""
    row, say = found.row, WORDS[language]
    if row.appealed_on and row.appeal_due_on:
        days: dict[str, date] = {"on": row.appealed_on, "due": row.appeal_due_on}
        told = say.appeal_decided if row.appeal_decided_at else say.appealed
        return told.format(**{name: in_words(day, language) for name, day in days.items()})
    if found.appeal_by is None or row.state not in APPEALABLE:
        return ""
    told = say.appeal_by if found.on <= found.appeal_by else say.appeal_over
    return told.format(in_words(found.appeal_by, language))


def _errors(refusal: Refusal | None, language: str) -> tuple[dict[str, str], str | None]:
    """What is wrong with each field, and with all in one sentence; nothing without a refusal."""
    if refusal is None:
        return {}, None
    say = WORDS[language]
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    if isinstance(refusal, EvidenceTooLarge | UnacceptableEvidence):
        named = {"file": refusal.detail}
    errors = {name: say.wrong[name] for name in named if name in say.wrong}
    usual = say.refusals.get(refusal.code, forms.words().refusal(refusal.code))
    return errors, next(iter(errors.values()), usual)
