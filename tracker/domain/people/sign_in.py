"""Signing in: what people type, what a mailed code is, where they go afterwards."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

from tracker.domain import emails, numbers
from tracker.domain.values import cleaned


class AttemptPurpose(StrEnum):
    """What an attempt is for.

    ``code``: a mailed code and link sign in. ``reset``: a mailed link lets somebody choose a new
    password. ``factor``: the password was right, and the second factor is asked for. ``passkey``:
    a browser was given a challenge for a passkey to sign. ``provider``: it was sent to an identity
    provider.
    """

    CODE = "code"
    RESET = "reset"
    FACTOR = "factor"
    PASSKEY = "passkey"
    PROVIDER = "provider"


HOME = "/account"
"""The page that opens after signing in, unless another one of ours was asked for."""
LONGEST_PATH = 500
_DIGITS = 6
_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")  # printable ASCII without the backslash
_RULE = "must be your email address or your certificate number"


def identifier(text: str) -> str:
    """An email address or a certificate number, in the form in which it is looked up.

    Every spelling has the same form, so that the limits count them as one. Raises ValueError with
    the rule.

    >>> identifier(" Ana@Example.org "), identifier("cpt vdn4v-98sgq")
    ('ana@example.org', 'CPTVDN4V98SGQ')
    """
    try:
        if "@" in text:
            return emails.compared(emails.email(text))
        number = numbers.key(numbers.certificate_number(text))
    except ValueError as error:
        raise ValueError(_RULE) from error
    if not number:
        raise ValueError(_RULE)
    return number


def code_of(digest: bytes) -> str:
    """Six digits from a secret digest; each code is as likely as any other.

    >>> code_of(bytes(31) + bytes([7]))
    '000007'
    """
    return f"{int.from_bytes(digest) % 10**_DIGITS:0{_DIGITS}}"


def typed(text: str) -> str:
    """A code as people type it, in ASCII digits and without spaces and hyphens; may be none."""
    try:
        line = cleaned(text)
    except ValueError:
        return ""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", line))


def own_path(text: str) -> str:
    """The page to open after signing in: a path of this site, or else ``HOME``.

    >>> own_path("/verify?number=1"), own_path("//evil.example"), own_path("https://evil.example")
    ('/verify?number=1', '/account', '/account')
    """
    is_ours = len(text) <= LONGEST_PATH and _PATH.fullmatch(text)
    return text if is_ours else HOME
