"""Security events: what somebody should know that happened to their account and their data."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class SecurityEventKind(StrEnum):
    """What happened, as the person concerned is shown it."""

    ACCOUNT_OPENED = "account_opened"
    ACCOUNT_CLAIMED = "account_claimed"
    SIGNED_IN = "signed_in"
    SESSION_ENDED = "session_ended"
    CONFIRMED = "confirmed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an event
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of an event
    FACTOR_CHANGED = "factor_changed"
    FACTOR_RESET = "factor_reset"
    RECOVERY_CODES = "recovery_codes"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    PASSKEY_REFUSED = "passkey_refused"
    PROVIDER_BOUND = "provider_bound"
    PROVIDER_UNBOUND = "provider_unbound"
    PASSWORD_REMOVED = "password_removed"  # noqa: S105 - the name of an event
    RIGHTS_CHANGED = "rights_changed"
    DEACTIVATED = "deactivated"
    NOT_ME = "not_me"
    INVITATION_ACCEPTED = "invitation_accepted"
    RECOVERY_PROPOSED = "recovery_proposed"
    RECOVERY_APPROVED = "recovery_approved"
    RECOVERY_REFUSED = "recovery_refused"
    TOKEN_MADE = "token_made"  # noqa: S105 - the name of an event
    TOKEN_ENDED = "token_ended"  # noqa: S105 - the name of an event
    CONSENT_GIVEN = "consent_given"
    CONSENT_ENDED = "consent_ended"
    EXPORTED = "exported"
    ERASURE_ASKED = "erasure_asked"
    ERASURE_WITHDRAWN = "erasure_withdrawn"
    ERASURE_REFUSED = "erasure_refused"
    ERASED = "erased"


OF_ACTIONS: Mapping[tuple[str, str], SecurityEventKind] = {
    ("account", "open"): SecurityEventKind.ACCOUNT_OPENED,
    ("account", "claim"): SecurityEventKind.ACCOUNT_CLAIMED,
    ("account", "sign_in"): SecurityEventKind.SIGNED_IN,
    ("account", "sign_out"): SecurityEventKind.SESSION_ENDED,
    ("account", "confirm"): SecurityEventKind.CONFIRMED,
    ("account", "change_password"): SecurityEventKind.PASSWORD_CHANGED,
    ("account", "reset_password"): SecurityEventKind.PASSWORD_RESET,
    ("account", "set_up_factor"): SecurityEventKind.FACTOR_CHANGED,
    ("account", "replace_factor"): SecurityEventKind.FACTOR_CHANGED,
    ("account", "reset_factor"): SecurityEventKind.FACTOR_RESET,
    ("account", "new_recovery_codes"): SecurityEventKind.RECOVERY_CODES,
    ("account", "add_passkey"): SecurityEventKind.PASSKEY_ADDED,
    ("account", "remove_passkey"): SecurityEventKind.PASSKEY_REMOVED,
    ("account", "refuse_passkey"): SecurityEventKind.PASSKEY_REFUSED,
    ("account", "bind_provider"): SecurityEventKind.PROVIDER_BOUND,
    ("account", "unbind_provider"): SecurityEventKind.PROVIDER_UNBOUND,
    ("account", "remove_password"): SecurityEventKind.PASSWORD_REMOVED,
    ("account", "change"): SecurityEventKind.RIGHTS_CHANGED,
    ("account", "deactivate"): SecurityEventKind.DEACTIVATED,
    ("account", "not_me"): SecurityEventKind.NOT_ME,
    ("invitation", "accept"): SecurityEventKind.INVITATION_ACCEPTED,
    ("recovery", "propose"): SecurityEventKind.RECOVERY_PROPOSED,
    ("recovery", "approve"): SecurityEventKind.RECOVERY_APPROVED,
    ("recovery", "refuse"): SecurityEventKind.RECOVERY_REFUSED,
    ("token", "create"): SecurityEventKind.TOKEN_MADE,
    ("token", "revoke"): SecurityEventKind.TOKEN_ENDED,
    ("sharing", "consent"): SecurityEventKind.CONSENT_GIVEN,
    ("sharing", "end"): SecurityEventKind.CONSENT_ENDED,
    ("employer", "export"): SecurityEventKind.EXPORTED,
    ("holder", "export"): SecurityEventKind.EXPORTED,
    ("holder", "ask_erasure"): SecurityEventKind.ERASURE_ASKED,
    ("holder", "withdraw_erasure"): SecurityEventKind.ERASURE_WITHDRAWN,
    ("holder", "refuse_erasure"): SecurityEventKind.ERASURE_REFUSED,
    ("holder", "erase"): SecurityEventKind.ERASED,
}
"""The actions of the history that are security events, by the subject of the entry and the action.

An entry of any other action is none.
"""


class FailureKind(StrEnum):
    """What was wrong in failed attempts to sign in."""

    PASSWORD = "password"  # noqa: S105 - the name of a secret
    SECOND_FACTOR = "second_factor"
    CODE = "code"


def kind_of(subject: str, action: str) -> SecurityEventKind | None:
    """The event that an entry of the history is, if it is one.

    >>> kind_of("account", "sign_in").value, kind_of("holder", "correct")
    ('signed_in', None)
    """
    return OF_ACTIONS.get((subject, action))


def actions_of(subject: str) -> frozenset[str]:
    """The actions on a subject that are events."""
    return frozenset(action for about, action in OF_ACTIONS if about == subject)
