"""The forms of values on the wire: words, days, amounts, and schemas that refuse unknown fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypedDict, TypeVar, Unpack

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from tracker.domain import emails, numbers, values

FieldValue = TypeVar("FieldValue")
_MOST_DIGITS = 18  # of a number in a query; no rule allows so many


class FieldOptions(TypedDict, total=False):
    """The options of marshmallow's fields that a schema may give to ours."""

    required: bool
    allow_none: bool
    load_default: object
    data_key: str
    metadata: dict[str, object]


class ClosedSchema(Schema):
    """A schema that refuses unknown fields."""

    class Meta:
        """Nothing is dropped silently."""

        unknown = RAISE


class WordsField(fields.String):
    """A line of text, in the form of ``values.line``; not empty."""

    def __init__(self, longest: int, **options: Unpack[FieldOptions]) -> None:
        options.setdefault("metadata", {}).update(minLength=1, maxLength=longest)
        super().__init__(**options)
        self.longest = longest

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object
    ) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        return _kept(self.rule, text)

    def rule(self, text: str) -> str:
        """The text in the form in which it is kept. Raises ValueError with the rule in words."""
        return values.line(text, self.longest)


class Sought(WordsField):
    """A line of text for searching; ``NULL`` is accepted, as somebody's name in capitals."""

    def rule(self, text: str) -> str:
        """The text in the form used for comparison. Raises ValueError."""
        return values.sought(text, self.longest)


class NameField(WordsField):
    """A person's given or family name."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        super().__init__(values.LONGEST_NAME, **options)

    def rule(self, text: str) -> str:
        """The name in the form in which it is kept. Raises ValueError."""
        return values.name(text)


class Reference(WordsField):
    """A key by which another system identifies a record, such as a holder_ref."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        super().__init__(values.LONGEST_REFERENCE, **options)

    def rule(self, text: str) -> str:
        """The key in the form in which it is kept. Raises ValueError."""
        return values.reference(text)


class NewReference(Reference):
    """A key to be recorded, with the rule that files use for new keys."""

    def rule(self, text: str) -> str:
        """The key in the form in which it is kept. Raises ValueError."""
        return values.new_reference(text)


class CompanyName(WordsField):
    """A company's name."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        super().__init__(values.LONGEST_COMPANY, **options)

    def rule(self, text: str) -> str:
        """The name in the form in which it is kept. Raises ValueError."""
        return values.company(text)


class CertificateNumber(WordsField):
    """A certificate number as somebody types it."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        super().__init__(numbers.LONGEST, **options)

    def rule(self, text: str) -> str:
        """The number in the form in which it is kept. Raises ValueError."""
        return numbers.certificate_number(text)


class NumberFromElsewhere(CertificateNumber):
    """A certificate number issued by another system."""

    def rule(self, text: str) -> str:
        """The number in the form in which it is kept. Raises ValueError."""
        return numbers.from_elsewhere(text)


class Email(WordsField):
    """An email address, in the form of ``emails.email``."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        options.setdefault("metadata", {})["format"] = "email"
        super().__init__(emails.LONGEST, **options)

    def rule(self, text: str) -> str:
        """The address in the form in which it is kept. Raises ValueError."""
        return emails.email(text)


class DayField(fields.Date):
    """A calendar date YYYY-MM-DD between 1900 and 2200."""

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object
    ) -> date:
        del attr, data, kwargs
        return _kept(values.day, value if isinstance(value, str) else "")


class MomentField(fields.AwareDateTime):
    """An instant with its offset, such as 2026-03-15T09:00:00Z, whose date exists in UTC."""

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object
    ) -> datetime:
        instant: datetime = super()._deserialize(value, attr, data, **kwargs)
        try:
            return instant.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError("must be between the years 1 and 9999") from error


class NumberInQuery(fields.Integer):
    """A whole number in a query: ASCII digits alone.

    Python's own rule takes ``1_000``, blanks and the digits of other scripts as well.
    """

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object
    ) -> int:
        if not (isinstance(value, str) and value.isascii() and value.isdigit()):
            raise self.make_error("invalid", input=value)
        if len(value) > _MOST_DIGITS:
            raise self.make_error("too_large", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class AmountField(fields.Field[Decimal]):
    """Points, money or a quantity: a string of digits with at most two decimals.

    A JSON number is refused: many programs turn it into a binary fraction.
    """

    form = f"^{values.DIGITS}$"

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        options.setdefault("metadata", {}).update(type="string", pattern=self.form, example="12.50")
        super().__init__(**options)

    def _serialize(
        self, value: Decimal | None, attr: str | None, obj: object, **kwargs: object
    ) -> str | None:
        del attr, obj, kwargs
        return None if value is None else f"{value:.2f}"

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object
    ) -> Decimal:
        del attr, data, kwargs
        if not isinstance(value, str):
            raise ValidationError('must be a string of digits such as "12.50", in quotes')
        return _kept(values.amount, value)


class FactorField(AmountField):
    """A rate, a factor or a converted quantity in an answer: it may have more decimals."""

    form = r"^[0-9]{1,9}(\.[0-9]{1,8})?$"

    def _serialize(
        self, value: Decimal | None, attr: str | None, obj: object, **kwargs: object
    ) -> str | None:
        del attr, obj, kwargs
        return None if value is None else f"{value:f}"


def _kept(rule: Callable[[str], FieldValue], text: str) -> FieldValue:
    """The value that a rule makes of a text; its refusal becomes a marshmallow error."""
    try:
        return rule(text)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def by_language(
    *, allow_none: bool = False, metadata: dict[str, object] | None = None
) -> fields.Dict:
    """Words by language code."""
    return fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        allow_none=allow_none,
        metadata=metadata,
    )


def tags(**options: Unpack[FieldOptions]) -> fields.List[str]:
    """A few codes of the policy's tags."""
    return fields.List(WordsField(32), validate=validate.Length(max=20), **options)


def reason_code_field(*, required: bool = False, allow_none: bool = False) -> WordsField:
    """The reason, as one of the codes of the list."""
    description = "A code that GET /reasons lists for this act."
    return WordsField(
        32,
        required=required,
        allow_none=allow_none,
        metadata={"description": description, "example": "other"},
    )


def choice(*values: str, **options: Unpack[FieldOptions]) -> fields.String:
    """One of a few words."""
    return fields.String(validate=validate.OneOf(values), **options)
