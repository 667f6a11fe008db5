"""Recoveries as pages: propose to let somebody in again, and approve what a colleague proposed."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.domain import emails, values
from tracker.domain.errors import Invalid
from tracker.domain.people.recoveries import RecoveryState
from tracker.domain.permissions import Actor
from tracker.services.core import tokens
from tracker.services.core.context import UnitOfWork
from tracker.services.people import recoveries
from tracker.services.people.recoveries import NewRecovery
from tracker.web.people import forms, visitors

pages = Blueprint("recover-accounts", __name__)

HERE = "/account/recoveries"
_LONGEST_REF = 64
_SHOWN = 100


@pages.get(HERE)
@visitors.for_staff
def home(actor: Actor) -> Response:
    """What is proposed, and the form for a holder who lost the mailbox."""
    return _page(actor)


@pages.post(HERE)
@visitors.for_staff
def propose(actor: Actor) -> Response:
    """Propose a holder's new address, or to remove the second factor of an account."""
    return _done(actor, lambda work: recoveries.propose(work, _wanted(work)))


@pages.post(f"{HERE}/<uuid:recovery_id>/approve")
@visitors.for_staff
def approve(actor: Actor, *, recovery_id: UUID) -> Response:
    """Carry out what a colleague proposed."""
    return _done(actor, lambda work: recoveries.approve(work, str(recovery_id)))


@pages.post(f"{HERE}/<uuid:recovery_id>/refuse")
@visitors.for_staff
def refuse(actor: Actor, *, recovery_id: UUID) -> Response:
    """Refuse a proposal."""
    id_ = str(recovery_id)
    return _done(actor, lambda work: recoveries.refuse(work, id_, reason=forms.reason()))


def _wanted(work: UnitOfWork) -> NewRecovery:
    """What the form proposes. Raises Invalid."""
    sent = request.form
    try:
        if "account_id" in sent:
            return NewRecovery(forms.reason(), account_id=str(UUID(sent["account_id"])))
        address = emails.email(sent.get("email", ""))
        ref = values.line(sent.get("holder", ""), _LONGEST_REF)
    except ValueError as error:
        raise Invalid("A value is not acceptable.") from error
    holder_id = tokens.holder_of_ref(work, ref)
    return NewRecovery(forms.reason(), holder_id=holder_id, email=address)


def _done(actor: Actor, act: Callable[[UnitOfWork], object]) -> Response:
    return forms.carried_out(
        actor,
        act,
        here=HERE,
        refused=lambda wrong: _page(actor, wrong=wrong),
        invalid=forms.words().invalid_recovery,
    )


def _page(actor: Actor, *, wrong: str | None = None) -> Response:
    with routing.container().reading(actor) as reading:
        rows = recoveries.page(reading, after=None, limit=_SHOWN, state=RecoveryState.PROPOSED)
        owners = recoveries.owners(reading, rows)
    return visitors.page(
        "recoveries",
        routing.language(),
        422 if wrong else 200,
        more=forms.words(),
        here=HERE,
        rows=rows,
        owners=owners,
        wrong=wrong,
        typed=request.form if wrong and "holder" in request.form else {},
        csrf_token=session_cookies.csrf_token(actor),
    )
