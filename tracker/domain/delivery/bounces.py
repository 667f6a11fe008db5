"""Letters that came back: what a mail system's status says of the address, and when to stop.

The status is that of RFC 3463, class.subject.detail: ``5.1.1`` is a mailbox that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class ReturnKind(StrEnum):
    """As what a letter counts that came back: for good, for now, or complained of."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"


SOFT_LIMIT = 3
"""So many letters that came back for now, within ``SOFT_WITHIN``, rest an address."""
SOFT_WITHIN, REST = timedelta(days=14), timedelta(days=30)

STATUS = re.compile(r"\b([245])\.([0-9]{1,3})\.([0-9]{1,3})\b")
# The address will never work. 5.2.1, a mailbox that takes no mail, is not among them: RFC 3463
# leaves open whether it is disabled for good.
_NEVER = frozenset(
    {
        "1.0",  # the address, without saying what
        "1.1",  # no such mailbox
        "1.2",  # no such system
        "1.3",  # the address makes no sense there
        "1.4",  # ambiguous
        "1.6",  # moved, and nobody says where to
        "1.10",  # the domain takes no mail (RFC 7505)
        "7.17",
        "7.18",  # mailbox or domain belong to somebody else now (RFC 7293)
    }
)
# About the letter or about us, so it says nothing against the address: subjects, then details.
_PROTOCOL, _CONTENT, _POLICY = "5", "6", "7"
_OURS = frozenset(
    {
        "1.5",  # a success
        "1.7",
        "1.8",
        "1.9",  # our own address, or the message
        "2.3",
        "3.4",  # too long
    }
)


@dataclass(frozen=True, slots=True)
class Returned:
    """One letter that came back for now."""

    letter: str
    status: str
    at: datetime


def kind_of(status: str) -> ReturnKind:
    """Whether a letter came back for good or for now; a status that makes no sense is for now."""
    found = STATUS.fullmatch(status)
    if found is None or found[1] != "5":
        return ReturnKind.SOFT
    return ReturnKind.HARD if f"{int(found[2])}.{int(found[3])}" in _NEVER else ReturnKind.SOFT


def speaks_of_address(status: str) -> bool:
    """Whether it is the address, its mailbox or its system that did not take the letter."""
    found = STATUS.fullmatch(status)
    if found is None or kind_of(status) == ReturnKind.HARD:
        return True
    about_us = found[2] in {_PROTOCOL, _CONTENT, _POLICY}
    return not about_us and f"{int(found[2])}.{int(found[3])}" not in _OURS


def rest_until(returned: Iterable[Returned]) -> datetime | None:
    """Until when an address rests to which letters came back for now; None: it does not.

    Three letters within 14 days rest it for 30 days from the last; two reports of one letter are
    one letter, and what was not the address's fault does not count.
    """
    counted = [one for one in returned if speaks_of_address(one.status)]
    if not counted:
        return None
    last = max(one.at for one in counted)
    letters = {one.letter for one in counted if one.at > last - SOFT_WITHIN}
    return last + REST if len(letters) >= SOFT_LIMIT else None
