"""Acts that need two people, as pages: propose to revoke, and answer what a colleague proposed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.domain import values
from tracker.domain.credentials.certifications import Status
from tracker.domain.desk.approvals import ApprovalState
from tracker.domain.errors import Invalid
from tracker.domain.permissions import Actor
from tracker.domain.schemes.reasons import ReasonCode
from tracker.language.voice import in_words
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import certificate_numbers
from tracker.services.desk import approvals
from tracker.services.desk.approvals import ApprovalRow
from tracker.services.overview import two_person_acts
from tracker.services.overview.two_person_acts import ProposedRevocation
from tracker.web.people import forms, visitors
from tracker.web.verify_words import WORDS as ON_THE_PAGE

pages = Blueprint("approvals-of-two", __name__)

HERE = "/account/approvals"
_LONGEST_NUMBER = 64
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class ApprovalShown:
    """A proposal in the words of the page.

    ``brings`` is what the public page will say, ``records`` are the refs that a merge makes one.
    ``answers`` are those that this person may give.
    """

    id: str
    act: str
    brings: str
    records: str
    by: str
    reason: str
    expires_on: str
    answers: Collection[ApprovalState]


@pages.get(HERE)
@visitors.for_staff
def home(actor: Actor) -> Response:
    """What is proposed, and the form to propose a revocation."""
    return _page(actor)


@pages.post(HERE)
@visitors.for_staff
def propose(actor: Actor) -> Response:
    """Propose to revoke a certification."""
    return _done(actor, lambda work: two_person_acts.propose_revocation(work, _wanted(work)))


@pages.post(f"{HERE}/<uuid:approval_id>/approve")
@visitors.for_staff
def approve(actor: Actor, *, approval_id: UUID) -> Response:
    """Carry out what a colleague proposed."""
    return _done(actor, lambda work: two_person_acts.approve(work, str(approval_id)))


@pages.post(f"{HERE}/<uuid:approval_id>/refuse")
@visitors.for_staff
def decline(actor: Actor, *, approval_id: UUID) -> Response:
    """Decline a proposal."""
    id_ = str(approval_id)
    return _done(actor, lambda work: two_person_acts.decline(work, id_, reason=forms.reason()))


@pages.post(f"{HERE}/<uuid:approval_id>/withdraw")
@visitors.for_staff
def withdraw(actor: Actor, *, approval_id: UUID) -> Response:
    """Withdraw one's own proposal."""
    id_ = str(approval_id)
    return _done(actor, lambda work: two_person_acts.withdraw(work, id_, reason=forms.reason()))


def _wanted(work: UnitOfWork) -> ProposedRevocation:
    """What the form proposes. Raises Invalid."""
    try:
        number = values.line(request.form.get("number", ""), _LONGEST_NUMBER)
    except ValueError as error:
        raise Invalid("A value is not acceptable.") from error
    found = certificate_numbers.certification_of(work, number)
    if found is None:
        raise Invalid("There is no such certificate.")
    return ProposedRevocation(found, request.form.get("reason_code", ""), forms.reason())


def _done(actor: Actor, act: Callable[[UnitOfWork], object]) -> Response:
    return forms.carried_out(
        actor,
        act,
        here=HERE,
        refused=lambda wrong: _page(actor, wrong=wrong),
        invalid=forms.words().invalid_approval,
    )


def _page(actor: Actor, *, wrong: str | None = None) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        open_ = {"state": ApprovalState.OPEN}
        rows = approvals.page(reading, after=None, limit=_SHOWN, filters=open_)
        reasons = [(one.code, one.text[language]) for one in _reasons(reading)]
        answers = approvals.answers_of_actor(reading, rows)
        shown = [_shown(row, language, answers[row.id]) for row in rows]
    return visitors.page(
        "approvals",
        language,
        422 if wrong else 200,
        more=forms.words(),
        here=HERE,
        rows=shown,
        reasons=reasons,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _reasons(reading: ReadContext) -> list[ReasonCode]:
    """The codes for a revocation itself, without those for what undoes one."""
    return [one for one in reading.reasons.for_act("revocation") if "revocation" in one.acts]


def _shown(row: ApprovalRow, language: str, answers: Collection[ApprovalState]) -> ApprovalShown:
    brings, refs = "", row.preview.get("refs")
    if status := row.preview.get("status"):
        words = ON_THE_PAGE[language].statuses[Status(str(status))]
        brings = f"{row.preview['number']}: {words}"
    return ApprovalShown(
        id=row.id,
        act=forms.words().two_person_acts[row.act],
        brings=brings,
        records=" ← ".join(refs if isinstance(refs, list) else ()),
        by=row.proposed_by,
        reason=row.reason,
        expires_on=in_words(row.expires_at.date(), language),
        answers=answers,
    )
