"""Values of every door: one notion of what two of them have in common."""

from __future__ import annotations

import unicodedata
from datetime import date

# Letters that Unicode does not take apart, but which people type without their stroke or tail.
_DOTLESS_I = "\N{LATIN SMALL LETTER DOTLESS I}"
_PLAIN = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        _DOTLESS_I: "i",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
    }
)


def folded(*parts: str) -> str:
    """Text as searches compare it: words of letters and digits, without accents and case.

    Punctuation parts words, several blanks are one, and what cannot be seen is left out.

    >>> folded("Núñez-García", " José")
    'nunez garcia jose'
    """
    split = unicodedata.normalize("NFKD", " ".join(parts)).casefold().translate(_PLAIN)
    kept = (" " if unicodedata.category(x)[0] in "PZ" or x.isspace() else x for x in split)
    return " ".join("".join(x for x in kept if x.isalnum() or x == " ").split())


def run_together(text: str) -> str:
    """The same without blanks: how names and numbers are compared where they must be equal.

    >>> run_together("CPT-VDN4V-98SGQ") == run_together("cptvdn4v98sgq")
    True
    """
    return folded(text).replace(" ", "")


def future_rule(day: date | None, today: date) -> str | None:
    """The rule that a day which can only be past breaks by being later than ``today``, or None.

    Passes, consents, submissions and decisions happened: HTTP and files refuse them alike.
    """
    if day is None or day <= today:
        return None
    return f"must not be in the future (today is {today})"
