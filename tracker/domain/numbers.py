"""Certificate numbers as people type them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tracker.domain.values import line, run_together

LONGEST = 32
"""Characters of a certificate number."""
_HALF = 5  # a number is its scheme's prefix and twice five letters: CPT-VDN4V-98SGQ
_HYPHENS = re.compile("[\u2010-\u2015\u2212\u00af\ufe58\ufe63\uff0d]")


def certificate_number(text: str) -> str:
    """A number as somebody gave it: a line of text with plain hyphens. Raises ValueError."""
    return _HYPHENS.sub("-", line(text, LONGEST))


def spellings(text: str, prefixes: Iterable[str]) -> set[str]:
    """The numbers on record that a text may mean, whatever its case, blanks and hyphens.

    ``prefixes`` are those of the schemes.

    >>> sorted(spellings("CPT-vdn4v98sgq", ["CPT"]))
    ['CPT-VDN4V-98SGQ', 'CPT-VDN4V98SGQ', 'CPT-vdn4v98sgq']
    """
    plain = run_together(text).upper()
    written = _HYPHENS.sub("-", text.strip())
    found = {written, written.upper(), "".join(written.split()).upper()}
    for prefix in prefixes:
        start = run_together(prefix).upper()
        letters = plain.removeprefix(start)
        if plain.startswith(start) and len(letters) == 2 * _HALF:
            found.add(f"{prefix}-{letters[:_HALF]}-{letters[_HALF:]}")
    return found
