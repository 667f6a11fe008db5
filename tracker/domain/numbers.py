"""Certificate numbers: the form that they may have, and the form in which they are compared.

Numbers issued here are a scheme's prefix and two groups of five characters (CPT-VDN4V-98SGQ).
Numbers of other systems are kept as printed on the certificate.
"""

from __future__ import annotations

import re

from tracker.domain.values import fraction_rule, line, run_together

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
