"""Credentials of other issuers as records: what one may say, and when its holder is reminded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from tracker.domain.errors import Invalid
from tracker.domain.schemes.credentials import CredentialKind
from tracker.domain.values import future_rule


class CredentialStatus(StrEnum):
    """How a credential on record stands on a day."""

    CURRENT = "current"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


def status_on(day: date, *, expires_on: date | None, is_withdrawn: bool) -> CredentialStatus:
    """The status on a day; the expiration date is the last valid day."""
    if is_withdrawn:
        return CredentialStatus.WITHDRAWN
    is_over = expires_on is not None and expires_on < day
    return CredentialStatus.EXPIRED if is_over else CredentialStatus.CURRENT


def check_credential(
    kind: CredentialKind, *, level: str, issued_on: date, expires_on: date | None, on: date
) -> None:
    """Refuse a level that the credential does not have, and dates that cannot be. Raises Invalid.

    ``on`` is today. A credential with levels must name one.
    """
    levels = ", ".join(kind.levels)
    fields: dict[str, str] = {}
    if level not in (kind.levels or ("",)):
        fields["level"] = f"must be one of {levels}" if levels else "must be left out: it has none"
    if rule := future_rule(issued_on, on):
        fields["issued_on"] = rule
    if expires_on is not None and expires_on < issued_on:
        fields["expires_on"] = f"must not be before issued_on ({issued_on})"
    if fields:
        raise Invalid("This is no possible credential.", fields=fields)


def due_reminder(expires_on: date, remind: Iterable[int], *, on: date) -> int | None:
    """Which reminder is due on a day: the latest one of those so many days before the expiration.

    A reminder that was missed is not sent late beside the next one. None: too early, or over.

    >>> due_reminder(date(2027, 1, 31), (90, 30), on=date(2027, 1, 2))
    30
    """
    left = (expires_on - on).days
    return min((days for days in remind if days >= left), default=None) if left >= 0 else None
