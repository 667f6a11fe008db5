"""The one rule for each kind of value, wherever it is entered, and how two values are compared.

Code that reads a line of text, a name, a key, a day or an amount, over HTTP, from a file, from the
command line or from a search, uses the functions here; the rule for email addresses is in
``emails``, that for certificate numbers in ``numbers``. The functions take the text as given and
return the value in the form in which it is kept, or raise ValueError with the rule in words ("must
be ...").

A line of text is *cleaned* of invisible characters, so that two texts that look alike are equal:

- composed (Unicode NFC);
- white space of every width becomes one space; white space around the text is removed;
- invisible characters are removed: zero-width spaces, direction marks, soft hyphens, byte order
  marks, fillers, variation selectors. A joiner stays between letters whose shape it changes;
- refused is what must not be dropped silently: tabs, line breaks and other control characters,
  marks that reorder what is shown, lone surrogates, characters without a meaning, and the
  replacement character that programs write for a character that they have lost.

Its length counts the characters kept. A line that is kept is a real value, not a placeholder that
programs write for an empty one; a search accepts placeholders too, since one may be somebody's name
in capitals.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal
from functools import lru_cache

from idna.core import valid_contextj

LONGEST_NAME, LONGEST_COMPANY, LONGEST_REFERENCE = 100, 200, 64
"""Characters of a name, and of a key by which files and other systems identify a record."""
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)
MOST_CENTS = Decimal("999999.99")
"""The largest amount of points or money that is kept."""
DIGITS = r"[0-9]{1,6}(\.[0-9]{1,2})?"
"""Points, money and quantities as they are written: at most two decimals after a point."""

# Letters that Unicode does not decompose, but which people type without their stroke or tail.
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

# Unicode's white space within a line, and the blank Braille pattern.
_WIDE = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000"
# Unicode's Default_Ignorable_Code_Point, except the marks that reorder text; and annotations.
_SHAPELESS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2065\u206a-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
# Control characters, line separators, marks that reorder text, surrogates, private-use characters
# and noncharacters.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef"
    "\ufffe\uffff\U000f0000-\U0010ffff]"
)
_UNSEEN = re.compile(f"[{_SHAPELESS}]")
# Also characters that look the same: full width, small, division slash, ratio.
_LINKS = re.compile("[:/@\\\\\uff1a\uff0f\uff20\ufe55\ufe6b\u2044\u2215\u2236\ua789\uff3c]")
_BLANKS = re.compile(f"[ {_WIDE}]+")
_ACCENTS = re.compile("[\u0300-\u036f ]*")  # without a letter that carries them
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
# What is removed may put marks in another order, so that a joiner joins nothing any more. A text
# that is not settled after so many passes is made to defeat us: it loses all joiners.
_MOST_PASSES = 4
_MARKS = re.compile("[\u0300-\u036f]")  # the accents of Latin, Greek and Cyrillic letters
_LOST = "\N{REPLACEMENT CHARACTER}"
_ONE_LINE = "must be one line of text without tabs, line breaks or control characters"

# Letters to Unicode, apostrophes to the people who type them: the okina in Hawaiian names and
# similar characters.
_LIKE_APOSTROPHES = "`\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\ua78c"

# Typographic characters that programs put in place of the typed ones.
_TYPED = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u0060\u02bb\u02bc", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"')
)

NOTHING = frozenset({"nan", "NaN", "NaT", "NULL", "#N/A", "#NV", "<NA>"})
"""What programs write for an empty value; a person's name may be Null or Nan."""
# A long number as Excel shows it, and writes it to CSV: 1.23457E+11.
_SHORTENED = re.compile(r"-?[0-9](?:[.,][0-9]{1,14})?E\+[0-9]{2,3}")
# What a spreadsheet shows if a formula failed, or if a column is too narrow for a number.
_ERROR = re.compile(
    r"#(?:REF!|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|SPILL!|CALC!|FIELD!|N/D)|#{3,}|Err:[0-9]{3}"
)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# A whole number written as a fraction, by pandas in a column with an empty cell, or by a
# spreadsheet in a column of numbers.
_FRACTION = re.compile(r"[0-9]+[.,]00?")
_LONGEST_PADDED = 16  # digits including leading zeros: spreadsheets keep no more than 15


# Lines of text.
def cleaned(text: str) -> str:
    """Clean a line of text; the result may be empty. Raises ValueError for refused characters.

    >>> cleaned("  Jose\N{COMBINING ACUTE ACCENT}\N{ZERO WIDTH SPACE}  Ruiz ")
    'José Ruiz'
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split()) if "  " in text else text.strip(" ")
    if not text.isprintable() and _FORBIDDEN.search(text):
        raise ValueError(_ONE_LINE)
    if _LOST in text:
        raise ValueError(
            f"contains {_LOST}, where a program lost a character: enter the text again"
        )
    return tidy(text)


def tidy(text: str) -> str:
    """Clean a text on record, which may have characters that are refused today; never raises."""
    text = unicodedata.normalize("NFC", text)
    for _ in range(_MOST_PASSES):
        if not _UNSEEN.search(text):
            break
        kept = (x for n, x in enumerate(text) if not _UNSEEN.match(x) or _joins(text, n))
        before, text = text, unicodedata.normalize("NFC", "".join(kept))
        if text == before:
            break
    else:
        text = unicodedata.normalize("NFC", _UNSEEN.sub("", text))
    return _BLANKS.sub(" ", text).strip(" ")


def _joins(text: str, place: int) -> bool:
    """Whether a joiner changes the letters around it, as in Persian names (RFC 5892, A.1, A.2)."""
    try:
        return text[place] in _JOINERS and valid_contextj(text, place)
    except ValueError:  # next to a character that Unicode does not know
        return False


def line(text: str, longest: int) -> str:
    """A line of 1 to ``longest`` characters, in the form in which it is kept. Raises ValueError."""
    kept = sought(text, longest)
    if rule := lost_rule(kept):
        raise ValueError(rule)
    return kept


def sought(text: str, longest: int) -> str:
    """A line of text used to search for a record. Raises ValueError."""
    kept = cleaned(text)
    if not kept or (not kept.isascii() and _ACCENTS.fullmatch(kept)):
        raise ValueError("must not be empty")
    if len(kept) > longest:
        raise ValueError(f"must be at most {longest:,} characters")
    return kept


def lost_rule(text: str) -> str | None:
    """The rule that a text breaks if a program wrote it in place of a value; else None.

    >>> lost_rule("Null") is None
    True
    """
    if text in NOTHING:
        return "is what programs write for an empty value: leave it empty"
    if "E+" in text and _SHORTENED.fullmatch(text):
        return (
            "is a number that a spreadsheet shortened, so that digits were lost: enter all "
            "digits, in a spreadsheet in a column with the format Text"
        )
    if text[0] in "#E" and _ERROR.fullmatch(text):
        return (
            "is what a spreadsheet shows instead of a value, because of an error or a narrow "
            "column: enter the value, or leave it empty"
        )
    return None


def name(text: str) -> str:
    """A given or family name, in the form in which it is kept. Raises ValueError."""
    return line(text, LONGEST_NAME)


def company(text: str) -> str:
    """A company's name, in the form in which it is kept. Raises ValueError.

    It appears in messages that we sign, so it must not contain anything that makes a link, an
    address or a sender's name.
    """
    kept = line(text, LONGEST_COMPANY)
    if _LINKS.search(kept):
        raise ValueError("must not contain : / or @, because it appears in emails that we send")
    return kept


def harmless(text: str) -> str:
    """A name on record, which may be older than that rule, made safe for a message.

    >>> harmless("Acme: see http://acme.example")
    'Acme see http acme.example'
    """
    return " ".join(_LINKS.sub(" ", text).split())


def reference(text: str) -> str:
    """A key of another system, such as a holder_ref; two are equal if they look the same.

    Case matters, because it may matter in the system that issued the key. Raises ValueError.
    """
    return line(text, LONGEST_REFERENCE)


def new_reference(text: str) -> str:
    """A key to be recorded: not a fraction that a program has made of it. Raises ValueError."""
    kept = reference(text)
    if rule := fraction_rule(kept):
        raise ValueError(rule)
    return kept


def fraction_rule(key: str) -> str | None:
    """The rule that a key in a file breaks if a program turned it into a fraction; else None.

    >>> fraction_rule("0017.1") is None
    True
    """
    if not _FRACTION.fullmatch(key):
        return None
    return (
        "is a whole number that a program wrote as a fraction; write it without "
        f"{key.lstrip('0123456789')} and with its leading zeros"
    )


def padded_otherwise(key: str) -> list[str]:
    """The keys that are the same whole number with more or fewer leading zeros.

    >>> padded_otherwise("0042")[:3]
    ['42', '042', '00042']
    """
    if not (key.isascii() and key.isdigit()):
        return []
    digits = key.lstrip("0") or "0"
    same = (digits.zfill(width) for width in range(len(digits), _LONGEST_PADDED + 1))
    return [other for other in same if other != key]


# Days and amounts.
def trimmed(text: str) -> str:
    """A text without white space and invisible characters around it."""
    return text.strip(AROUND)


def _listed(listed: str) -> str:
    """The characters up to U+FFFF that a character class lists one by one or as ranges.

    To try each of 65,000 characters takes longer than all else that a short program does at its
    start, and a file from outside is read in a program of its own.
    """
    ranges = re.findall("(.)(?:-(.))?", listed, re.DOTALL)
    return "".join(
        chr(code)
        for first, last in ranges
        for code in range(ord(first), ord(last or first) + 1)
        if code <= _LAST_OF_PLANE
    )


_LAST_OF_PLANE = 0xFFFF
AROUND = _listed(f" {_WIDE}{_SHAPELESS}")
"""Characters without meaning before and after a value: white space and invisible characters."""


def day(text: str) -> date:
    """A calendar date in ISO 8601 form, from 1900 through 2200. Raises ValueError."""
    written = trimmed(text)
    if not _DAY.fullmatch(written):
        raise ValueError("must be a date such as 2026-03-15")
    return day_of(written[:4], written[5:7], written[8:])


def day_of(year: str, month: str, number: str, *, order: str = "") -> date:
    """A calendar date from its parts in ASCII digits. Raises ValueError.

    ``order`` is added to the error: it says how day and month were told apart.
    """
    if not FIRST_DAY.year <= int(year) <= LAST_DAY.year:
        raise ValueError(f"must be a date in the years {FIRST_DAY.year} to {LAST_DAY.year}")
    try:
        return date(int(year), int(month), int(number))
    except ValueError:
        raise ValueError(f"must be a day that exists{order}") from None


@lru_cache(maxsize=64)
def _plain_number(places: int) -> re.Pattern[str]:
    return re.compile(rf"-?[0-9]{{1,15}}(?:\.[0-9]{{1,{places}}})?" if places else "-?[0-9]{1,15}")


def amount(
    text: str,
    *,
    places: int = 2,
    minimum: Decimal | int | None = 0,
    maximum: Decimal | int | None = MOST_CENTS,
) -> Decimal:
    """Points, money or a quantity in plain ASCII digits, with exactly ``places`` decimals.

    No exponent, no thousands separators, no other digits, no NaN or infinity. Raises ValueError.
    """
    written = trimmed(text)
    if _plain_number(places).fullmatch(written):
        number = Decimal(written).quantize(Decimal(1).scaleb(-places)) + 0  # -0.00 is 0.00
        if (minimum is None or number >= minimum) and (maximum is None or number <= maximum):
            return number
    raise ValueError(amount_rule(places, minimum, maximum))


def amount_rule(places: int, minimum: Decimal | int | None, maximum: Decimal | int | None) -> str:
    """The rule that an amount breaks, in words."""
    rule = f"must be a number{bounds(minimum, maximum)} in plain digits"
    return rule + (f", with at most {places} decimal places after a point" if places else "")


def bounds(minimum: Decimal | int | None, maximum: Decimal | int | None) -> str:
    """The smallest and largest allowed number, worded to follow "a number"."""
    if minimum is not None and maximum is not None:
        return f" from {minimum} to {maximum}"
    if minimum is not None:
        return f" of at least {minimum}"
    return "" if maximum is None else f" of at most {maximum}"


# Comparing.
def folded(*parts: str) -> str:
    """Text in the form used for searching: words of letters and digits, without accents and case.

    Punctuation separates words, repeated spaces become one, and invisible characters are dropped.

    >>> folded("Núñez-García", " José")
    'nunez garcia jose'
    """
    plain = unicodedata.normalize("NFKD", " ".join(parts)).casefold().translate(_PLAIN)
    return " ".join(plain.translate(_SPLIT).split())


class _Split(dict[int, str | None]):
    """What becomes of each character of a folded text, found once for those that occur often."""

    def __missing__(self, code: int) -> str | None:
        sign = chr(code)
        kept = " " if _parts(sign) else sign if sign.isalnum() else None
        if code <= _LAST_COMMON:
            self[code] = kept
        return kept


_LAST_COMMON = 0x24FF  # of the alphabets; those after them are too many to keep
_SPLIT = _Split()


def _parts(sign: str) -> bool:
    """Whether a character separates words: spaces, punctuation and apostrophes of any kind."""
    return unicodedata.category(sign)[0] in "PZ" or sign.isspace() or sign in _LIKE_APOSTROPHES


def run_together(text: str) -> str:
    """The same without spaces: how names and numbers are compared for equality.

    >>> run_together("CPT-VDN4V-98SGQ") == run_together("cptvdn4v98sgq")
    True
    """
    return folded(text).replace(" ", "")


@lru_cache(maxsize=8192)
def alike(text: str) -> str:
    """Text in the form used to find duplicates: symbols count; case, accents and spaces do not.

    Typographic variants of a character do not count either.

    >>> alike("Señal\N{NO-BREAK SPACE}1 \N{EN DASH} C++") == alike("senal  1 - c++")
    True
    >>> alike("C++") == alike("C#")
    False
    """
    plain = unicodedata.normalize("NFKD", tidy(text).translate(_TYPED)).casefold()
    return tidy(_MARKS.sub("", plain).translate(_PLAIN)) or text


def folded_name(name: str) -> str:
    """A company's name in the form used to tell companies apart: no case, accents, punctuation.

    >>> folded_name("ACME, Inc.") == folded_name("Acmé Inc")
    True
    """
    return folded(name) or name


def future_rule(day: date | None, today: date) -> str | None:
    """The rule broken by a day later than ``today`` that can only be in the past; else None.

    Passes, consents, submissions and decisions have already happened: HTTP and files refuse future
    ones in the same words.
    """
    if day is None or day <= today:
        return None
    return f"must not be in the future (today is {today})"
