"""Which passwords may be chosen: long ones that are neither common nor about their owner.

No mixture of letters, digits and signs is demanded, and no password expires: both lead to weaker
passwords (NIST SP 800-63B, 3.1.1).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from enum import StrEnum

from tracker.domain.errors import UnacceptablePassword

SHORTEST, LONGEST = 10, 200
"""Characters of a password."""


class PasswordFault(StrEnum):
    """Why a password may not be chosen."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    COMMON = "common"
    PERSONAL = "personal"


_RULES = {
    PasswordFault.TOO_SHORT: f"must have at least {SHORTEST} characters",
    PasswordFault.TOO_LONG: f"must have at most {LONGEST} characters",
    PasswordFault.COMMON: "must not be a common password",
    PasswordFault.PERSONAL: "must not be your name, your email address or the name of this site",
}


def kept(text: str) -> str:
    """A password in the form in which it is hashed: NFC, so that every keyboard types the same.

    >>> len(kept("n" + chr(0x303)))
    1
    """
    return unicodedata.normalize("NFC", text)


def fault(text: str, *, about: Collection[str], common: Collection[str]) -> PasswordFault | None:
    """Why a password in its kept form may not be chosen; None if it may.

    ``about`` are texts about the owner: the name, the address. ``common`` are passwords in lower
    case. Digits and signs at the end do not make a common or personal password a good one.
    """
    if len(text) < SHORTEST:
        return PasswordFault.TOO_SHORT
    if len(text) > LONGEST:
        return PasswordFault.TOO_LONG
    spellings = {text.casefold(), _bare(text), _stem(text)}
    if not spellings.isdisjoint(common) or len(set(text.casefold())) == 1:
        return PasswordFault.COMMON
    if not spellings.isdisjoint(_forms(about)):
        return PasswordFault.PERSONAL
    return None


def check(text: str, *, about: Collection[str], common: Collection[str]) -> None:
    """Refuse a password that may not be chosen. Raises UnacceptablePassword."""
    if (found := fault(text, about=about, common=common)) is not None:
        rule = _RULES[found]
        raise UnacceptablePassword(
            f"This password cannot be used: it {rule}.", fields={"password": rule}, fault=found
        )


def _forms(about: Collection[str]) -> set[str]:
    """The spellings of what is about the owner: without domain, also with the words reversed."""
    found: set[str] = set()
    for text in about:
        words = text.partition("@")[0].split()
        found |= {_bare(text), _bare("".join(words)), _bare("".join(reversed(words)))}
    return (found | {_stem(form) for form in found}) - {""}


def _bare(text: str) -> str:
    """Its letters and digits, in lower case."""
    return "".join(x for x in text.casefold() if x.isalnum())


def _stem(text: str) -> str:
    """The same without digits at the end."""
    return _bare(text).rstrip("0123456789")
