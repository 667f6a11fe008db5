"""An organization keeps a manager, and the certification body an administrator."""

from __future__ import annotations

from tracker.domain.errors import LastAdministrator, LastManager
from tracker.domain.permissions import Actor, Role

WANTED = 2
"""Managers that an organization should have, so that one may leave; staff see who has fewer."""


def check_not_last(actor: Actor, role: Role, others: int, *, override_reason: str | None) -> None:
    """Refuse that the last administrator goes, or an organization's last manager.

    ``others`` is how many more there are. Staff may override the latter with a reason: somebody's
    access must end at once, even where nobody is left. Raises LastAdministrator, LastManager.
    """
    if others:
        return
    if role == "admin":
        raise LastAdministrator("This is the last administrator; invite or name another one first.")
    if actor.is_staff and override_reason:
        return
    refusal = LastManager("This is the organization's last manager; name another one first.")
    raise refusal if actor.is_staff else refusal.final()
