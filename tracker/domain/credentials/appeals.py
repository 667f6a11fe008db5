"""Appeals: what can be appealed and until when, who may decide, and what the verdict brings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from tracker.domain.clocks import midnight, named_zone
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.errors import AppealTooLate, NotAllowed
from tracker.domain.permissions import Actor
from tracker.domain.schemes.schemes import AppealRule


class AppealSubject(StrEnum):
    """What an appeal is about."""

    SUSPENSION = "suspension"
    REVOCATION = "revocation"
    RENEWAL_DENIED = "renewal_denied"


APPEALABLE: Mapping[ChangeKind, AppealSubject] = {
    ChangeKind.SUSPEND: AppealSubject.SUSPENSION,
    ChangeKind.REVOKE: AppealSubject.REVOCATION,
}
"""The changes of standing that can be appealed, besides a denied renewal."""

Decider = tuple[str | None, str]
"""Who decided: the person's id, if it was recorded, and the name."""


class AppealVerdict(StrEnum):
    """How an appeal is decided."""

    UPHELD = "upheld"
    DISMISSED = "dismissed"


def appeal_due_on(rule: AppealRule, *, noticed_on: date) -> date:
    """The last day on which an appeal is accepted, counted from the notice."""
    return noticed_on + timedelta(days=rule.due_days)


@dataclass(frozen=True, slots=True)
class Appealable:
    """A decision that can be appealed, or could have been: one of the two ids is given.

    ``noticed_on`` is the day of the notice, ``due_on`` the last day to appeal.
    """

    change_id: str | None
    renewal_id: str | None
    kind: AppealSubject
    noticed_on: date
    due_on: date

    def is_open(self, on: date) -> bool:
        """Whether an appeal is still in time on that day."""
        return on <= self.due_on


def check_appeal(rule: AppealRule, *, noticed_on: date, on: date, zone: str = "") -> None:
    """Refuse an appeal that comes later than the published period after the notice.

    ``zone`` is the IANA zone whose midnight ends the last day; the sentence names it if it is
    given. Raises AppealTooLate.
    """
    due_on = appeal_due_on(rule, noticed_on=noticed_on)
    if on > due_on:
        refusal = f"The appeal was due by {due_on}{midnight(zone)}."
        raise AppealTooLate(refusal, due_on=due_on, **named_zone(zone))


def check_uninvolved(
    actor: Actor, deciders: Collection[Decider], *, ids: Collection[str] = ()
) -> None:
    """Refuse an appeal's decision by somebody who decided what is appealed.

    ``ids`` are all ids of the actor, beside those that the actor has. People are compared by id; by
    name only for decisions that were recorded without one, and actors who have none. Raises
    NotAllowed.
    """
    own = actor.ids | set(ids)
    if any(id_ in own if id_ and own else actor.name == name for id_, name in deciders):
        raise NotAllowed("The person who made the decision cannot decide the appeal against it.")


def is_fee_refunded(rule: AppealRule | None, verdict: AppealVerdict) -> bool:
    """Whether the verdict gives the appeal's fee back."""
    return verdict == AppealVerdict.UPHELD and rule is not None and rule.refunded_on_success


def reinstated_on(rule: AppealRule | None, *, changed_on: date, decided_on: date) -> date:
    """The day from which an upheld appeal puts a certification back in force.

    That is the day of the change where the rule restores the gap, else the day of the decision.
    """
    return changed_on if rule is not None and rule.restores_gap else decided_on
