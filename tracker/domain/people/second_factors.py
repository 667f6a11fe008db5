"""Second factors: codes of an authenticator app (TOTP, RFC 6238), and recovery codes."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime

STEP_SECONDS = 30
CODE_DIGITS = 6
RECOVERY_CODES = 10
"""How many recovery codes a set has; each works once."""
RECOVERY_BYTES = 5
_TOLERANCE = 1  # steps that a phone's clock may be off
_GROUP = 4
_HALF = 4  # characters of a recovery code before the hyphen


def counters(now: datetime) -> Sequence[int]:
    """The steps whose codes are accepted at an instant, the present one first."""
    present = int(now.timestamp()) // STEP_SECONDS
    return [present, *(present + n for n in range(-_TOLERANCE, _TOLERANCE + 1) if n)]


def is_code(text: str) -> bool:
    """Whether a text, without spaces and hyphens, has the form of an authenticator app's code."""
    return len(text) == CODE_DIGITS and text.isascii() and text.isdigit()


def grouped(secret: str) -> str:
    """A secret as people read and type it.

    >>> grouped("ABCDEFGHIJ")
    'ABCD EFGH IJ'
    """
    return " ".join(secret[start : start + _GROUP] for start in range(0, len(secret), _GROUP))


def recovery_code(random: bytes) -> str:
    """A recovery code from random bytes.

    >>> recovery_code(bytes(5))
    'AAAA-AAAA'
    """
    text = base64.b32encode(random).decode()
    return f"{text[:_HALF]}-{text[_HALF:]}"


def recovery_form(text: str) -> str:
    """A recovery code in the form in which it is compared, however it was typed.

    >>> recovery_form("abcd efgh"), recovery_form("ABCD-EFGH")
    ('ABCDEFGH', 'ABCDEFGH')
    """
    return "".join(x for x in text.upper() if x.isalnum())
