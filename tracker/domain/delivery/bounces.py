"""Bounces: what a mail system's status says about the address, and when to stop sending.

The status is that of RFC 3463, class.subject.detail: ``5.1.1`` is a mailbox that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class ReturnKind(StrEnum):
    """How a returned message counts: for good, for now, or as a complaint."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"


SOFT_LIMIT = 3
"""This many temporary bounces within ``SOFT_WITHIN`` pause sending to an address."""
SOFT_WITHIN, REST = timedelta(days=14), timedelta(days=30)

STATUS = re.compile(r"\b([245])\.([0-9]{1,3})\.([0-9]{1,3})\b")
# The address will never work. 5.2.1, a mailbox that accepts no mail, is not among them: RFC 3463
# leaves open whether it is disabled for good.
_NEVER = frozenset(
    {
        "1.0",  # bad address, without details
        "1.1",  # no such mailbox
        "1.2",  # no such system
        "1.3",  # address with a syntax error
        "1.4",  # ambiguous
        "1.6",  # moved, and nobody says where to
        "1.10",  # the domain accepts no mail (RFC 7505)
        "7.17",
        "7.18",  # mailbox or domain now belongs to somebody else (RFC 7293)
    }
)
# About the message or about us, so no evidence against the address: subjects, then details.
_PROTOCOL, _CONTENT, _POLICY = "5", "6", "7"
_OURS = frozenset(
    {
        "1.5",  # success
        "1.7",
        "1.8",
        "1.9",  # our own address, or the message
        "2.3",
        "3.4",  # too long
    }
)


@dataclass(frozen=True, slots=True)
class Returned:
    """One temporary bounce of a message."""

    message_id: str
    status: str
    at: datetime


def kind_of(status: str) -> ReturnKind:
    """Whether a bounce is permanent or temporary; an invalid status is temporary."""
    found = STATUS.fullmatch(status)
    if found is None or found[1] != "5":
        return ReturnKind.SOFT
    return ReturnKind.HARD if f"{int(found[2])}.{int(found[3])}" in _NEVER else ReturnKind.SOFT


def speaks_of_address(status: str) -> bool:
    """Whether the message was refused because of the address, its mailbox or its mail system."""
    found = STATUS.fullmatch(status)
    if found is None or kind_of(status) == ReturnKind.HARD:
        return True
    about_us = found[2] in {_PROTOCOL, _CONTENT, _POLICY}
    return not about_us and f"{int(found[2])}.{int(found[3])}" not in _OURS


def rest_until(returned: Iterable[Returned]) -> datetime | None:
    """The end of the pause in sending to an address after temporary bounces; None: no pause.

    Three messages within 14 days pause it for 30 days from the last one. Two reports of one message
    count once, and bounces that were not the address's fault do not count.
    """
    counted = [one for one in returned if speaks_of_address(one.status)]
    if not counted:
        return None
    last = max(one.at for one in counted)
    messages = {one.message_id for one in counted if one.at > last - SOFT_WITHIN}
    return last + REST if len(messages) >= SOFT_LIMIT else None
