"""The kinds of values in a scheme file: amounts, codes, days, texts, choices, tables.

Each refuses what is not exactly of its kind, in words that say what to write instead, and carries
what an editor shows of it (``says``). What keys must say about each other is not here.
"""

from __future__ import annotations

import difflib
import functools
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any, ClassVar, TypedDict, TypeVar, Unpack, get_args
from zoneinfo import ZoneInfo, available_timezones

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate
from marshmallow.types import ErrorMessages

from tracker.domain.periods import Duration, TimeUnit
from tracker.domain.schemes.activity_types import WRITTEN_IN
from tracker.domain.values import DIGITS, FIRST_DAY, LAST_DAY, cleaned
from tracker.language.catalogues import LANGUAGES

AnyField = fields.Field[Any]
"""A field of any kind of value."""
Data = dict[str, Any]
"""The values of a table, each checked by its field, by attribute."""
Kept = TypeVar("Kept")

AMOUNT = re.compile(DIGITS)  # points or money: at most two decimals
FACTOR = re.compile(r"[0-9]{1,6}(\.[0-9]{1,4})?")  # rates, factors and shares: at most four
CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_NO_CODE = "must be at most 32 letters, digits or _, beginning with a letter"
LONGEST = {"days": 36500, "months": 1200, "years": 1200}


def near(word: object, choices: Iterable[object]) -> str:
    """The end of a message that refuses a word: what was probably meant, if that is clear."""
    known = list(map(str, choices))
    found = [choice for choice in known if choice.lower() == str(word).lower()]
    found += difflib.get_close_matches(str(word), known, 3, 0.6)
    found.sort(key=lambda choice: sorted(choice.lower()) != sorted(str(word).lower()))  # "exma"
    return f"; did you mean {found[0]!r}?" if found else ""


def _described(says: str, **keywords: str) -> dict[str, Any]:
    """What an editor shows of a key."""
    return {**({"description": says} if says else {}), **keywords}


class KeyOptions(TypedDict, total=False):
    """What is said of any key."""

    required: bool
    load_default: object
    data_key: str | None
    error_messages: ErrorMessages


class Table(Schema):
    """A table of known keys, which becomes a ``value``."""

    class Meta:
        """No key passes unknown: a misspelt one would be a rule that silently does not hold."""

        unknown = RAISE

    @classmethod
    def value(cls, data: Data) -> object:
        """The value that a table without mistakes describes."""
        return data

    @post_load
    def build(self, data: Data, **_: object) -> object:
        """The value, where the table is read."""
        return self.value(data)


def keys_of(table: type[Schema]) -> list[str]:
    """The keys of a table, as a file has them."""
    return [field.data_key or name for name, field in table().fields.items()]


class PlainKey(fields.Field[Kept], ABC):
    """A value that ``read`` makes of what TOML gives, or refuses."""

    def _deserialize(self, value: object, *_: object, **__: object) -> Kept:
        return self.read(value)

    @abstractmethod
    def read(self, value: object) -> Kept:
        """The value. Raises ValidationError with the rule."""


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValidationError("must be text in quotes")
    return value


class TextKey(PlainKey[str]):
    """Something to read, its lines kept as ``domain.values`` keeps a line of text."""

    def __init__(
        self, says: str, *, longest: int | None = None, **options: Unpack[KeyOptions]
    ) -> None:
        rule = validate.Length(max=longest, error="must be at most {max} characters long")
        super().__init__(
            validate=[] if longest is None else [rule],
            metadata=_described(says, type="string", pattern=r"\S"),
            **options,
        )

    def read(self, value: object) -> str:
        """The text, as it is kept."""
        text = _string(value)
        try:
            kept = "\n".join(cleaned(line) for line in text.splitlines()).strip("\n")
        except ValueError as error:
            raise ValidationError(str(error)) from error
        if not kept:
            raise ValidationError("must contain words")
        return kept


# A text may be given in these too.
FURTHER = tuple(language for language in LANGUAGES if language not in WRITTEN_IN)


class WordsKey(Table):
    """A text in the languages of the product."""

    class Meta(Table.Meta):
        """Texts in further languages; what lacks one is said in English."""

        include = {language: TextKey("In this language.") for language in FURTHER}  # noqa: RUF012 - marshmallow's own form

    en = TextKey("In English.", required=True)
    es = TextKey("In Spanish.", required=True)


class FlagKey(PlainKey[bool]):
    """A TOML boolean, and nothing that only counts as one."""

    def __init__(self, says: str, **options: Unpack[KeyOptions]) -> None:
        super().__init__(metadata=_described(says, type="boolean"), **options)

    def read(self, value: object) -> bool:
        """True or false."""
        if type(value) is not bool:
            raise ValidationError("must be true or false")
        return value


class DayKey(PlainKey[date]):
    """A TOML date, as tomllib reads it."""

    def __init__(self, says: str, **options: Unpack[KeyOptions]) -> None:
        metadata = _described(says, type="string", format="date")
        super().__init__(metadata=metadata, allow_none=False, **options)

    def read(self, value: object) -> date:
        """The date, within the years in which the program computes."""
        if type(value) is not date:
            raise ValidationError("must be a date such as 2015-01-01, without quotes")
        if not FIRST_DAY <= value <= LAST_DAY:
            years = f"{FIRST_DAY.year} to {LAST_DAY.year}"
            raise ValidationError(f"must be a date in the years {years}")
        return value


class AmountKey(PlainKey[Decimal]):
    """A decimal as a string of digits, never a float: points or money, with two decimals."""

    pattern: ClassVar[re.Pattern[str]] = AMOUNT
    rule: ClassVar[str] = 'must be a string such as "20.00"'

    def __init__(
        self, says: str, *, above_zero: bool = False, **options: Unpack[KeyOptions]
    ) -> None:
        digits = f"(?=.*[1-9]){self.pattern.pattern}" if above_zero else self.pattern.pattern
        metadata = _described(says, type="string", pattern=f"^({digits})$")
        super().__init__(metadata=metadata, allow_none=False, **options)
        self._above_zero = above_zero

    def read(self, value: object) -> Decimal:
        """The decimal, with two places at least."""
        if not isinstance(value, str) or not self.pattern.fullmatch(value):
            raise ValidationError(self.rule)
        amount = Decimal(value)
        if self._above_zero and not amount:
            raise ValidationError("must be more than 0")
        return with_cents(amount)


class FactorKey(AmountKey):
    """A rate or factor: as an amount, with up to four decimals."""

    pattern = FACTOR
    rule = 'must be a string such as "1.50", with at most four decimals'


class ShareKey(AmountKey):
    """A part of a whole, from nothing to all of it."""

    pattern = re.compile(r"0(\.[0-9]{1,4})?|1(\.0{1,4})?")
    rule = 'must be a string from "0" to "1" such as "0.50", with at most four decimals'


def with_cents(amount: Decimal) -> Decimal:
    """The amount with two decimals at least: 5 is 5.00, and 0.125 stays."""
    return amount + Decimal("0.00")


class ZoneKey(PlainKey[ZoneInfo]):
    """A time zone by its IANA name."""

    def __init__(self, says: str, **options: Unpack[KeyOptions]) -> None:
        super().__init__(metadata=_described(says, type="string"), **options)

    def read(self, value: object) -> ZoneInfo:
        """The time zone, if there is one of this name."""
        name = _string(value)
        if name not in _zones():
            raise ValidationError("must be an IANA time zone such as America/New_York")
        return ZoneInfo(name)


_zones = functools.cache(available_timezones)  # reads a folder of six hundred files


class TimeKey(PlainKey[time]):
    """A time of day, in hours and minutes."""

    _pattern = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")

    def __init__(self, says: str, **options: Unpack[KeyOptions]) -> None:
        metadata = _described(says, type="string", pattern=f"^{self._pattern.pattern}$")
        super().__init__(metadata=metadata, **options)

    def read(self, value: object) -> time:
        """The time of day."""
        text = _string(value)
        if not self._pattern.fullmatch(text):
            raise ValidationError('must be like "09:00"')
        return time.fromisoformat(text)


class _OneOf(validate.OneOf):
    def _format_error(self, value: object) -> str:
        return f"must be one of: {self.choices_text}{near(value, self.choices)}"


class NamedTable(fields.Dict):
    """A table of entries, each under a code of its own."""

    def __init__(self, inner: AnyField, says: str, **options: Unpack[KeyOptions]) -> None:
        keys = fields.String(validate=check_code)
        super().__init__(keys=keys, values=inner, metadata=_described(says), **options)

    def _deserialize(self, value: object, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._deserialize(value, *args, **kwargs)  # type: ignore[no-untyped-call]
        except ValidationError as error:
            raise ValidationError(_by_code(error.messages)) from error


def _by_code(messages: Any) -> Any:
    """What is wrong with the entries, without the layer that tells codes from values."""
    if not isinstance(messages, dict):
        return messages
    merged = {}
    for entry, errors in messages.items():
        inner = errors.get("value", [])
        inner = inner if isinstance(inner, dict) else {"_schema": inner}
        merged[entry] = {**inner, "_schema": [*errors.get("key", []), *inner.get("_schema", [])]}
    return merged


class Several(fields.List[Any]):
    """A list, at least ``least`` long, that becomes what ``into`` makes of it."""

    tells: ClassVar[Mapping[str, bool]] = {}

    def __init__(
        self,
        inner: AnyField,
        says: str,
        *,
        least: int = 0,
        into: Callable[[list[object]], Collection[object]] = tuple,
        **options: Unpack[KeyOptions],
    ) -> None:
        metadata = {**_described(says), **self.tells, **({"minItems": least} if least else {})}
        super().__init__(inner, metadata=metadata, **options)
        self._least = least
        self._into = into

    def _deserialize(self, value: object, *args: Any, **kwargs: Any) -> Any:
        found = super()._deserialize(value, *args, **kwargs)
        if len(found) < self._least:
            wanted = (
                "must not be empty"
                if self._least == 1
                else f"must have at least {self._least} entries"
            )
            raise ValidationError(wanted)
        return self._into(found)


class Different(Several):
    """A list in which nothing stands twice."""

    tells: ClassVar[Mapping[str, bool]] = {"uniqueItems": True}

    def _deserialize(self, value: object, *args: Any, **kwargs: Any) -> Any:
        found = super()._deserialize(value, *args, **kwargs)
        given = list(value) if isinstance(value, list) else []
        twice = sorted({each for each in given if given.count(each) > 1})
        if twice:
            raise ValidationError(f"{', '.join(map(str, twice))}: given more than once")
        return found


def check_code(text: str) -> None:
    """Refuse what is no code."""
    if not CODE.fullmatch(text):
        raise ValidationError(_NO_CODE)


def text(says: str, pattern: str, rule: str, **options: Unpack[KeyOptions]) -> fields.String:
    """A text that matches a pattern; ``rule`` says so in words."""
    check = validate.Regexp(rf"^{pattern}\Z", error=rule)
    return fields.String(validate=check, metadata=_described(says), **options)


def code(says: str, **options: Unpack[KeyOptions]) -> fields.String:
    """A short name that other keys, tables and claims refer to."""
    return text(says, CODE.pattern, _NO_CODE, **options)


def whole(says: str, least: int, most: int, **options: Unpack[KeyOptions]) -> fields.Integer:
    """A whole number from ``least`` to ``most``, both included."""
    rule = validate.Range(least, most, error="must be a whole number from {min} to {max}")
    return fields.Integer(strict=True, validate=rule, metadata=_described(says), **options)


def choice(says: str, choices: Iterable[str], **options: Unpack[KeyOptions]) -> fields.String:
    """One of a few words."""
    rule = _OneOf(tuple(choices))
    return fields.String(validate=rule, metadata=_described(says), **options)


def table(schema: type[Schema], says: str = "", **options: Unpack[KeyOptions]) -> fields.Nested:
    """A table with keys of its own."""
    return fields.Nested(schema, metadata=_described(says), allow_none=False, **options)


class DurationKey(Table):
    """A length of time in calendar units."""

    length = whole("How many units.", 0, max(LONGEST.values()), required=True)
    unit = choice("What is counted.", get_args(TimeUnit), required=True)

    @classmethod
    def value(cls, data: Data) -> Duration:
        """The duration; nobody certifies for longer than the calendar goes."""
        if data["length"] > LONGEST[data["unit"]]:
            most = f"must be at most {LONGEST[data['unit']]} {data['unit']}"
            raise ValidationError(most, "length")
        return Duration(**data)


class PositiveDurationKey(DurationKey):
    """A length of time of one calendar unit or more."""

    length = whole("How many units.", 1, max(LONGEST.values()), required=True)
