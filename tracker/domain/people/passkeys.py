"""Passkeys: how many a person may have, what shows a copy, and which one must stay."""

from __future__ import annotations

from tracker.domain.errors import LastFactor, LimitReached
from tracker.domain.permissions import Role

LONGEST_NAME = 60
"""Characters of the name that the owner gives a passkey."""
LONGEST_ANSWER = 16_384
"""Characters of what a browser sends to prove a passkey."""
MOST = 20
"""Passkeys of one person."""


def is_copied(stored: int, shown: int) -> bool:
    """Whether a passkey's counter of uses shows that two devices hold the same key.

    Each use counts up (WebAuthn, 6.1.1). A passkey that does not count always shows zero.

    >>> is_copied(5, 6), is_copied(0, 0), is_copied(5, 5), is_copied(5, 0)
    (False, False, True, True)
    """
    return (stored > 0 or shown > 0) and shown <= stored


def check_room(already: int) -> None:
    """Refuse one passkey too many. Raises LimitReached."""
    if already >= MOST:
        raise LimitReached(f"You have {already} passkeys; remove one first.", limit=MOST)


def check_removable(role: Role, *, others: int, has_app: bool) -> None:
    """Refuse to leave an account that needs a second factor without one. Raises LastFactor.

    Holders need none: a mailed code lets them in.
    """
    if role != "holder" and not others and not has_app:
        raise LastFactor("Set up an authenticator app or another passkey first.")
