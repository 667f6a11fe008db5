"""What a spreadsheet shows for a number: ECMA-376 part 1, 18.8.31 (numFmts), as far as tables need.

Here: format codes such as `00000`, `0.0%` or `m/d/yyyy`, and the text they make of a value. Not
here: which texts a column accepts (`cells`). Fractions, conditions and codes of other alphabets are
not computed: for them `shown` returns None, and the cell is refused.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cached_property, lru_cache

GENERAL = "General"
_FOR_NUMBERS = 3  # sections of a format: for positive, negative, zero; a fourth is for texts
_LONGEST = 255  # what Excel allows
_TOO_LONG = "[...]"  # a condition, which is not computed
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_(?P<pad>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<general>General)|(?P<exponent>[Ee][+-])|(?P<place>[0#?])|(?P<other>.)",
    re.DOTALL,
)
# Characters that stand for themselves without quotation marks.
_PLAIN_SIGNS = frozenset("$€£¥+-/():!^&'~{}<>= ")
_CURRENCY = re.compile(r"\$([^-]*)(?:-[0-9A-Fa-f]*)?")
_COLORS = re.compile(r"(?i)black|blue|cyan|green|magenta|red|white|yellow|color ?[0-9]+")
_NOT_LAYOUT = re.compile(
    r'"[^"]*"|\\.|_.|\*.|\[(?!hh?\]|mm?\]|ss?\])[^\]]*\]|(?i:am/pm|a/p|general)'
)
_DATE_SIGN = re.compile(r"(?i)[dmyhs]")
_DAY, _YEAR = re.compile(r"(?i)(?<!d)d{1,2}(?!d)"), re.compile(r"(?i)y|e")
_MONTH = re.compile(r"(?i)(?<![hm:\]])m+(?![m:]|\.?s)")


@dataclass(frozen=True, slots=True)
class FormatToken:
    """One token of a format: `kind` is literal, place, point, comma, percent, exponent, text..."""

    kind: str
    text: str


class FormatSection:
    """One of up to four sections of a format: for positive, negative, zero, text."""

    def __init__(self, tokens: Sequence[FormatToken]) -> None:
        """Take the tokens of the section."""
        kinds = [token.kind for token in tokens]
        self.tokens = tokens
        self.percent = kinds.count("percent")
        self.scientific = "exponent" in kinds
        power = kinds.index("exponent") if self.scientific else len(kinds)
        places = [at for at, kind in enumerate(kinds) if kind == "place" and at < power]
        self.known = "unknown" not in kinds and not ("slash" in kinds and places)  # a fraction
        self.is_for_text = "text" in kinds
        self.point = point = kinds.index("point") if "point" in kinds else len(kinds)
        self.whole = [index for index in places if index < point]
        self.decimals = [index for index in places if index > point]
        last = self.whole[-1] if self.whole else -1
        commas = [index for index, kind in enumerate(kinds) if kind == "comma"]
        self.grouped = any(self.whole[:1] < [index] < [last] for index in commas)
        # Each comma after the places before the point, or after all places, divides by a thousand.
        self.thousands = sum(
            last < index < point or index > max(places, default=power) for index in commas
        )


class NumberFormat:
    """A format code: what it shows for a number, a text or a day."""

    def __init__(self, code: str) -> None:
        """Take a code as the file has it; one that is too long is not understood."""
        self.code = code if len(code) <= _LONGEST else _TOO_LONG
        self._layout = _NOT_LAYOUT.sub("", self.code.split(";")[0])
        self.sections = [FormatSection(tokens) for tokens in _sections(self.code)]
        whole = len(self.sections) > _FOR_NUMBERS or self.sections[-1].is_for_text
        self._for_text = self.sections[-1] if whole else None
        self._for_numbers = self.sections[:_FOR_NUMBERS]
        if self._for_text in self._for_numbers:
            self._for_numbers.pop()
        self._is_conditional = any(
            token.kind == "condition" for section in self.sections for token in section.tokens
        )

    @cached_property
    def is_general(self) -> bool:
        """Whether numbers are shown unchanged."""
        return self.code in {GENERAL, "@", ""}

    @cached_property
    def is_date(self) -> bool:
        """Whether numbers are shown as days or times."""
        return _DATE_SIGN.search(self._layout) is not None

    @cached_property
    def hides_part_of_date(self) -> bool:
        """Whether day, month or year of a date is not visible."""
        return not all(part.search(self._layout) for part in (_DAY, _MONTH, _YEAR))

    def section(self, value: Decimal) -> FormatSection:
        """The section that shows this value; an empty one if the format is for texts only."""
        parts = self._for_numbers or [FormatSection([])]
        if value < 0 and len(parts) > 1:
            return parts[1]
        return parts[2] if value == 0 and len(parts) == _FOR_NUMBERS else parts[0]

    def shown(self, value: Decimal) -> str | None:
        """What is shown for a number, or None if this module cannot tell."""
        if self.is_general or not self._for_numbers:
            return f"{value:f}"
        if self._is_conditional:
            return None
        section = self.section(value)
        if not section.known:
            return None
        sign = "-" if value < 0 and len(self._for_numbers) == 1 else ""
        try:
            text = _filled(section, abs(value)).strip()
        except InvalidOperation:  # more places than any spreadsheet shows
            return None
        return sign + text if text.strip("0.,%") or not sign else text  # -0.001 as 0.00: no sign

    def shown_text(self, text: str) -> str:
        """What is shown for a text: a fourth section, or a last one with @, decides it."""
        section = self._for_text
        if self.is_general or section is None or not section.known:
            return text
        return "".join(text if token.kind == "text" else token.text for token in section.tokens)


@lru_cache(maxsize=512)
def number_format(code: str) -> NumberFormat:
    """Parse a format code; results are cached."""
    return NumberFormat(code)


def _sections(code: str) -> list[list[FormatToken]]:
    sections: list[list[FormatToken]] = [[]]
    for token in _tokens(code):
        if token.kind == "semicolon":
            sections.append([])
        else:
            sections[-1].append(token)
    return sections


def _tokens(code: str) -> Iterator[FormatToken]:
    for found in _TOKEN.finditer(code):
        kind = found.lastgroup or ""
        text = found[kind]
        if kind in {"quoted", "escaped"}:
            yield FormatToken("literal", text)
        elif kind in {"pad", "fill"}:
            yield FormatToken("literal", " " if kind == "pad" else "")
        elif kind == "bracket":
            yield _bracket(text)
        else:
            yield _sign(text) if kind == "other" else FormatToken(kind, text)


def _bracket(text: str) -> FormatToken:
    """Parse [Red], [$€-407] and the like; conditions are not computed."""
    if found := _CURRENCY.fullmatch(text):
        return FormatToken("literal", found[1])
    if _COLORS.fullmatch(text):
        return FormatToken("literal", "")
    return FormatToken("condition" if text.startswith(("<", ">", "=")) else "unknown", text)


_SIGNS = {".": "point", ",": "comma", "%": "percent", ";": "semicolon", "@": "text", "/": "slash"}


def _sign(sign: str) -> FormatToken:
    if sign in _SIGNS:
        return FormatToken(_SIGNS[sign], sign)
    return FormatToken("literal" if sign in _PLAIN_SIGNS else "unknown", sign)


def _filled(section: FormatSection, value: Decimal) -> str:
    """Put the digits of a non-negative value into the places of a section."""
    value = value.scaleb(2 * section.percent - 3 * section.thousands)
    places = len(section.decimals)
    if section.scientific:
        return f"{value:.{places}E}"
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    whole, _, decimals = f"{rounded:f}".partition(".")
    digits = _whole_digits(section, whole) | _decimal_digits(section, decimals)
    return "".join(
        _piece(token, digits.get(index), value) for index, token in enumerate(section.tokens)
    )


def _piece(token: FormatToken, digit: str | None, value: Decimal) -> str:
    if digit is not None:
        return digit
    if token.kind in {"general", "text"}:
        return f"{value:f}"
    return "" if token.kind in {"comma", "place"} else token.text


def _whole_digits(section: FormatSection, whole: str) -> dict[int, str]:
    """Put the digits before the point into their places from the right; the rest into the first."""
    left = whole.lstrip("0")
    digits: dict[int, str] = {}
    shown = 0
    for index in reversed(section.whole):
        taken, left = (left, "") if index == section.whole[0] else (left[-1:], left[:-1])
        taken = taken or {"0": "0", "?": " "}.get(section.tokens[index].text, "")
        digits[index], shown = _grouped(taken, shown) if section.grouped else (taken, 0)
    if left and section.decimals:  # a format such as .00 has no place before its point
        digits[section.point] = f"{left}."
    return digits


def _grouped(digits: str, shown: int) -> tuple[str, int]:
    """Put commas between thousands, with `shown` digits already to the right."""
    text = ""
    for digit in reversed(digits):
        text = digit + ("," if shown and shown % 3 == 0 else "") + text
        shown += 1
    return text, shown


def _decimal_digits(section: FormatSection, decimals: str) -> dict[int, str]:
    """Put the digits after the point into their places; trailing zeros show only in 0s."""
    last = len(decimals.rstrip("0"))
    blank = {"0": "0", "?": " "}
    return {
        index: digit if at < last else blank.get(section.tokens[index].text, "")
        for at, (index, digit) in enumerate(zip(section.decimals, decimals, strict=True))
    }
