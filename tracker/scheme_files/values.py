"""The kinds of values in a scheme file: amounts, codes, days, texts, choices, tables.

Each refuses what is not exactly of its kind, in words that say what to write instead, and carries
what an editor is told of it (``says``). What keys must say about each other is not here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from tracker.domain.periods import Duration
from tracker.domain.schemes.activity_types import WRITTEN_IN, Provenance
from tracker.domain.values import DIGITS, FIRST_DAY, LAST_DAY, cleaned
from tracker.language.catalogues import LANGUAGES

AMOUNT = re.compile(DIGITS)  # points or money: at most two decimals
FACTOR = re.compile(r"[0-9]{1,6}(\.[0-9]{1,4})?")  # rates, factors and shares: at most four
CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
LONGEST = {"days": 36500, "months": 1200, "years": 1200}


def near(word: object, choices: Iterable[object]) -> str:
    """The end of a message that refuses a word: what was probably meant, if that can be told."""
    known = list(map(str, choices))
    found = [choice for choice in known if choice.lower() == str(word).lower()]
    found += difflib.get_close_matches(str(word), known, 3, 0.6)
    found.sort(key=lambda choice: sorted(choice.lower()) != sorted(str(word).lower()))  # "exma"
    return f"; did you mean {found[0]!r}?" if found else ""


class Table(Schema):
    """A table of known keys, which becomes what ``makes`` makes of its values."""

    class Meta:
        """No key passes unknown: a misspelt one would be a rule that silently does not hold."""

        unknown = RAISE

    makes: ClassVar[Callable[..., Any]] = dict

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Any:
        """The value that a table without mistakes describes."""
        return type(self).makes(**data)


class TextKey(fields.String):
    """Something to read, its lines kept as ``domain.values`` keeps a line of text."""

    def __init__(self, says: str, **options: Any) -> None:
        super().__init__(metadata={"description": says, "pattern": r"\S"}, **options)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
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


class FlagKey(fields.Field[bool]):
    """A TOML boolean, and nothing that only counts as one."""

    def __init__(self, says: str, **options: Any) -> None:
        super().__init__(metadata={"description": says, "type": "boolean"}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        del attr, data, kwargs
        if type(value) is not bool:
            raise ValidationError("must be true or false")
        return value


class DayKey(fields.Field[date]):
    """A TOML date, as tomllib reads it."""

    def __init__(self, says: str, **options: Any) -> None:
        metadata = {"description": says, "type": "string", "format": "date"}
        super().__init__(metadata=metadata, allow_none=False, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        del attr, data, kwargs
        if type(value) is not date:
            raise ValidationError("must be a date such as 2015-01-01, without quotes")
        if not FIRST_DAY <= value <= LAST_DAY:
            years = f"{FIRST_DAY.year} to {LAST_DAY.year}"
            raise ValidationError(f"must be a date in the years {years}")
        return value


class AmountKey(fields.Field[Decimal]):
    """A decimal as a string of digits, never a float: points or money, with two decimals."""

    pattern: ClassVar[re.Pattern[str]] = AMOUNT
    told: ClassVar[str] = 'must be a string such as "20.00"'

    def __init__(self, says: str, *, above_zero: bool = False, **options: Any) -> None:
        digits = f"(?=.*[1-9]){self.pattern.pattern}" if above_zero else self.pattern.pattern
        metadata = {"description": says, "type": "string", "pattern": f"^({digits})$"}
        super().__init__(metadata=metadata, allow_none=False, **options)
        self._above_zero = above_zero

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        del attr, data, kwargs
        if not isinstance(value, str) or not self.pattern.fullmatch(value):
            raise ValidationError(self.told)
        amount = Decimal(value)
        if self._above_zero and not amount:
            raise ValidationError("must be more than 0")
        return with_cents(amount)


class FactorKey(AmountKey):
    """A rate or factor: as an amount, with up to four decimals."""

    pattern = FACTOR
    told = 'must be a string such as "1.50", with at most four decimals'


class ShareKey(AmountKey):
    """A part of a whole, from nothing to all of it."""

    pattern = re.compile(r"0(\.[0-9]{1,4})?|1(\.0{1,4})?")
    told = 'must be a string from "0" to "1" such as "0.50", with at most four decimals'


def with_cents(amount: Decimal) -> Decimal:
    """The amount with two decimals at least: 5 is 5.00, and 0.125 stays."""
    return amount + Decimal("0.00")


class _OneOf(validate.OneOf):
    def _format_error(self, value: Any) -> str:
        return f"must be one of: {self.choices_text}{near(value, self.choices)}"


class NamedTable(fields.Dict):
    """A table of entries, each under a code of its own."""

    def __init__(self, inner: Any, says: str, **options: Any) -> None:
        super().__init__(
            keys=fields.String(validate=check_code),
            values=inner,
            metadata={"description": says},
            **options,
        )

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._deserialize(value, *args, **kwargs)  # type: ignore[no-untyped-call]
        except ValidationError as error:
            raise ValidationError(_by_code(error.messages)) from error


def _by_code(messages: Any) -> Any:
    """What is wrong with the entries, without the layer that tells codes from values."""
    if not isinstance(messages, dict):
        return messages
    merged = {}
    for entry, told in messages.items():
        inner = told.get("value", [])
        inner = inner if isinstance(inner, dict) else {"_schema": inner}
        merged[entry] = {**inner, "_schema": [*told.get("key", []), *inner.get("_schema", [])]}
    return merged


class Several(fields.List[Any]):
    """A list, at least ``least`` long, that becomes a tuple or what ``into`` makes of it."""

    tells: ClassVar[Mapping[str, bool]] = {}

    def __init__(
        self,
        inner: Any,
        says: str,
        *,
        least: int = 0,
        into: Callable[[list[Any]], Any] = tuple,
        **options: Any,
    ) -> None:
        metadata = {"description": says, **self.tells, **({"minItems": least} if least else {})}
        super().__init__(inner, metadata=metadata, **options)
        self._least = least
        self._into = into

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
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

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        found = super()._deserialize(value, *args, **kwargs)
        twice = sorted({each for each in value if value.count(each) > 1})
        if twice:
            raise ValidationError(f"{', '.join(map(str, twice))}: given more than once")
        return found


def check_code(text: str) -> None:
    """Refuse what is no code."""
    if not CODE.fullmatch(text):
        raise ValidationError("must be at most 32 letters, digits or _, beginning with a letter")


def code(says: str, **options: Any) -> fields.String:
    """A short name that other keys, tables and claims refer to."""
    rule = validate.Regexp(
        rf"^{CODE.pattern}\Z",
        error="must be at most 32 letters, digits or _, beginning with a letter",
    )
    return fields.String(validate=rule, metadata={"description": says}, **options)


def codes(says: str, **options: Any) -> Different:
    """A list of short names, at least one and none twice."""
    return Different(code("A code."), says, least=1, **options)


def words(says: str, *, longest: int = 2000, **options: Any) -> TextKey:
    """Text in one language."""
    rule = validate.Length(max=longest, error="must be at most {max} characters long")
    return TextKey(says, validate=rule, **options)


def whole(says: str, least: int, most: int, **options: Any) -> fields.Integer:
    """A whole number from ``least`` to ``most``, both included."""
    rule = validate.Range(least, most, error="must be a whole number from {min} to {max}")
    return fields.Integer(strict=True, validate=rule, metadata={"description": says}, **options)


def choice(says: str, choices: Iterable[str], **options: Any) -> fields.String:
    """One of a few words."""
    rule = _OneOf(tuple(choices))
    return fields.String(validate=rule, metadata={"description": says}, **options)


def table(schema: type[Schema], says: str, **options: Any) -> fields.Nested:
    """A table with keys of its own."""
    return fields.Nested(schema, metadata={"description": says}, allow_none=False, **options)


def tables(schema: type[Schema], says: str, **options: Any) -> Several:
    """An array of tables, in the order of the file."""
    return Several(fields.Nested(schema), says, **options)


class DurationKey(Table):
    """A length of time in calendar units."""

    makes = Duration

    length = whole("How many units.", 0, max(LONGEST.values()), required=True)
    unit = choice("What is counted.", ("days", "months", "years"), required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Any:
        """The duration; nobody certifies for longer than the calendar goes."""
        if data["length"] > LONGEST[data["unit"]]:
            most = f"must be at most {LONGEST[data['unit']]} {data['unit']}"
            raise ValidationError(most, "length")
        return type(self).makes(**data)


def provenance(data: dict[str, Any]) -> Provenance:
    """Take the source of a table out of its values."""
    return Provenance(source=data.pop("source"), verified=data.pop("verified"))


_SOURCE = "Where the values of this table come from."
_VERIFIED = "Whether they were checked against the published text."


class Sourced(Table):
    """A table that says where its values come from."""

    source = words(_SOURCE, required=True)
    verified = FlagKey(_VERIFIED, required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Any:
        """The value, with its provenance."""
        return type(self).makes(provenance=provenance(data), **data)


class PerhapsSourced(Table):
    """A table that says where its values come from, where that is not its policy's source."""

    source = words(_SOURCE)
    verified = FlagKey(_VERIFIED)
