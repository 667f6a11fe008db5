"""How long a session lives, and for how long it is known who uses it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.domain.errors import NotAllowed, ReauthenticationRequired
from tracker.domain.permissions import Actor


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """The longest time without a request (``idle``), and the longest time in all."""

    idle: timedelta
    absolute: timedelta

    def ends_at(self, *, started_at: datetime, last_used_at: datetime) -> datetime:
        """The instant from which the session is over unless it is used again before."""
        return min(last_used_at + self.idle, started_at + self.absolute)

    def is_over(self, now: datetime, *, started_at: datetime, last_used_at: datetime) -> bool:
        """Whether the session is over."""
        return now >= self.ends_at(started_at=started_at, last_used_at=last_used_at)


def is_fresh(actor: Actor, now: datetime, *, within: timedelta) -> bool:
    """Whether the person has proved who they are within that time; a token proves nothing."""
    return actor.proved_at is not None and now < actor.proved_at + within


def check_fresh(actor: Actor, now: datetime, *, within: timedelta) -> None:
    """Refuse a sensitive act to people who have not proved lately who they are.

    Raises ReauthenticationRequired, or NotAllowed for a token.
    """
    if actor.session_id is None:
        raise NotAllowed("Sign in to do this; a token may not.")
    if not is_fresh(actor, now, within=within):
        raise ReauthenticationRequired("Confirm first who you are, at /account/confirm.")
