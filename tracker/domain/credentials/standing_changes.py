"""Changes of a standing: which are allowed in which state, and with which values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tracker.domain.credentials.certifications import ChangeKind, ChangeOfStanding, Hold, hold_on
from tracker.domain.errors import IllegalTransition, Invalid

_LAWFUL: dict[ChangeKind, frozenset[Hold | None]] = {
    ChangeKind.SUSPEND: frozenset({None}),
    ChangeKind.SURRENDER: frozenset({None, Hold.SUSPENDED}),
    ChangeKind.REVOKE: frozenset({None, Hold.SUSPENDED, Hold.SURRENDERED}),
    ChangeKind.REINSTATE: frozenset({Hold.SUSPENDED, Hold.REVOKED, Hold.SURRENDERED}),
}


UNDOING = frozenset({"mistake", "appeal_upheld"})
"""The reasons for which a reinstatement undoes the suspension or revocation that it lifts."""


def allowed_on(changes: Iterable[ChangeOfStanding], on: date) -> list[ChangeKind]:
    """The changes that the transition table allows on a day."""
    hold = hold_on(changes, on)
    return [kind for kind, holds in _LAWFUL.items() if hold in holds]


def check_change(
    kind: ChangeKind, changes: Iterable[ChangeOfStanding], *, effective_on: date
) -> None:
    """Refuse a change that the transition table does not allow: nothing is revoked twice."""
    hold = hold_on(changes, effective_on)
    if hold not in _LAWFUL[kind]:
        state = hold or "neither suspended, revoked nor surrendered"
        raise IllegalTransition(
            f"Cannot {kind} a certification that is {state} on {effective_on}.", state=state
        )


def check_awarded(kind: ChangeKind, *, effective_on: date, awarded_on: date) -> None:
    """Refuse a change dated before the award, which must be a mistake. Raises Invalid.

    A reinstatement is exempt: it lifts what is on record, even if a correction has moved the award
    since.
    """
    if kind != ChangeKind.REINSTATE and effective_on < awarded_on:
        rule = f"must not be before the award ({awarded_on})"
        raise Invalid("The certification did not exist on that day.", fields={"effective_on": rule})


def effective_day(
    kind: ChangeKind, reason_code: str, changes: Iterable[ChangeOfStanding], *, today: date
) -> date:
    """The day from which a change applies if none is given: today.

    A reinstatement whose reason is that the suspension or revocation was a mistake undoes it from
    its first day, so that nothing of it remains.
    """
    holds = [
        c.effective_on
        for c in changes
        if c.kind != ChangeKind.REINSTATE and c.effective_on <= today
    ]
    undoes = kind == ChangeKind.REINSTATE and reason_code in UNDOING
    return max(holds) if undoes and holds else today


def check_bar(kind: ChangeKind, *, effective_on: date, barred_until: date | None) -> None:
    """Refuse a bar without a revocation, or one that ends before the revocation. Raises Invalid."""
    if barred_until is None:
        return
    rule = None if kind == ChangeKind.REVOKE else "is allowed only for a revocation"
    if kind == ChangeKind.REVOKE and barred_until < effective_on:
        rule = f"must not be before effective_on ({effective_on})"
    if rule is not None:
        raise Invalid("The last day of the bar is not acceptable.", fields={"barred_until": rule})
