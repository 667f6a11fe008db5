"""Certificate numbers as people type them."""

from __future__ import annotations

from collections.abc import Iterable

from tracker.domain.values import run_together

_HALF = 5  # a number is its scheme's prefix and twice five letters: CPT-VDN4V-98SGQ


def spellings(text: str, prefixes: Iterable[str]) -> set[str]:
    """The numbers on record that a text may mean, whatever its case, blanks and hyphens.

    ``prefixes`` are those of the schemes.

    >>> sorted(spellings("cpt vdn4v98sgq", ["CPT"]))
    ['CPT-VDN4V-98SGQ', 'CPTVDN4V98SGQ']
    """
    plain = run_together(text).upper()
    found = {"".join(text.split()).upper()}
    for prefix in prefixes:
        start = run_together(prefix).upper()
        letters = plain.removeprefix(start)
        if plain.startswith(start) and len(letters) == 2 * _HALF:
            found.add(f"{prefix}-{letters[:_HALF]}-{letters[_HALF:]}")
    return found
