"""Certificate numbers: the form that they may have, and the form in which they are compared.

Numbers issued here are a scheme's prefix and two groups of five characters (CPT-VDN4V-98SGQ).
Numbers of other systems are kept as printed on the certificate.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum

from tracker.domain.values import fraction_rule, line, run_together

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""The letters and digits of numbers issued here, none of which is easily taken for another."""
DRAWN = 10
"""How many of them are drawn for a number."""
LONGEST = 32
"""Characters of a certificate number."""
MARKS = " -./_"
"""Characters that may stand between the letters and digits of a number, and mean nothing."""
_HYPHENS = re.compile("[\u2010-\u2015\u2212\u00af\ufe58\ufe63\uff0d]")
_FORM = re.compile(r"[A-Za-z0-9](?:[ ./_-]?[A-Za-z0-9])*")
_RULE = (
    "must be a certificate number of letters and digits, such as CPT-VDN4V-98SGQ or 2014/00123, "
    f"with at most {LONGEST} characters; between them, single hyphens, slashes, dots, underscores "
    "and spaces are allowed"
)
# What people write if there is no number.
_PLACEHOLDERS = frozenset(
    {"NA", "NONE", "NULL", "NIL", "TBD", "TBA", "PENDING", "UNKNOWN", "MISSING", "LOST", "X", "0"}
)


def certificate_number(text: str) -> str:
    """A number as somebody entered it: a line of text with plain hyphens. Raises ValueError."""
    number = _HYPHENS.sub("-", line(text, LONGEST))
    if rule := fraction_rule(number):
        raise ValueError(rule)
    return number


def key(number: str) -> str:
    """A number in the form used for comparison: without case, spaces, hyphens and other marks.

    >>> key("cpt vdn4v98sgq") == key("CPT-VDN4V-98SGQ")
    True
    """
    return run_together(number).upper()


def from_elsewhere(text: str) -> str:
    """A number issued by another system, in the form in which it is kept. Raises ValueError.

    >>> from_elsewhere(" 2014/00123 ")
    '2014/00123'
    """
    number = certificate_number(text)
    if not _FORM.fullmatch(number):
        raise ValueError(_RULE)
    if key(number) in _PLACEHOLDERS or not key(number).strip("0X"):
        raise ValueError(f"means that there is none, and is not a certificate number; {_RULE}")
    return number


class NumberCause(StrEnum):
    """A usual cause of a number under which there is no certificate."""

    OTHER_ISSUER = "other_issuer"
    WRONG_CHARACTER = "wrong_character"
    WRONG_LENGTH = "wrong_length"
    MISTYPED = "mistyped"
    OTHER_NAME = "other_name"
    NOT_ON_RECORD = "not_on_record"


def usual_causes(number: str, prefixes: Collection[str]) -> tuple[NumberCause, ...]:
    """What is usually wrong with such a number, the likeliest first: told from the number alone.

    ``prefixes`` are those of the schemes. Numbers brought from elsewhere may have any form, so
    these are only causes to look at.

    >>> [cause.value for cause in usual_causes("CPT-VDN4V-98SG0", ["CPT"])]
    ['wrong_character', 'mistyped', 'not_on_record']
    """
    compared = key(number)
    longest = max((one for one in prefixes if compared.startswith(key(one))), key=len, default="")
    if not longest:
        return (NumberCause.OTHER_ISSUER, NumberCause.MISTYPED, NumberCause.NOT_ON_RECORD)
    drawn = compared.removeprefix(key(longest))
    causes = [
        *([NumberCause.WRONG_CHARACTER] if set(drawn) - set(ALPHABET) else []),
        *([] if len(drawn) in {DRAWN, DRAWN + 1} else [NumberCause.WRONG_LENGTH]),
    ]
    if not causes:
        causes = [NumberCause.OTHER_NAME]
    return (*causes, NumberCause.MISTYPED, NumberCause.NOT_ON_RECORD)
