"""The forms that values have on the wire: words, days, amounts, and schemas that refuse extras."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)


class Closed(Schema):
    """A schema that refuses what it does not know."""

    class Meta:
        """Nothing is dropped in silence."""

        unknown = RAISE


class Words(fields.String):
    """A line of text: trimmed, composed (NFC), without control characters; not empty."""

    def __init__(self, longest: int, **options: Any) -> None:
        options.setdefault("metadata", {}).update(minLength=1, maxLength=longest)
        super().__init__(**options)
        self.longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        text = unicodedata.normalize("NFC", text).strip()
        if not text or len(text) > self.longest:
            raise ValidationError(f"must have 1 to {self.longest} characters")
        if any(unicodedata.category(letter) in {"Cc", "Cs", "Co", "Zl", "Zp"} for letter in text):
            raise ValidationError("must not hold control characters")
        return text


class Email(Words):
    """An e-mail address: one @, a domain with a dot, no blanks."""

    _FORM = re.compile(r"[^@\s,;<>\"()\[\]\\]+@([A-Za-z0-9](-?[A-Za-z0-9])*\.)+[A-Za-z]{2,63}")

    def __init__(self, **options: Any) -> None:
        options.setdefault("metadata", {})["format"] = "email"
        super().__init__(254, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not self._FORM.fullmatch(text):
            raise ValidationError("must be an e-mail address such as ana@example.org")
        local, _, domain = text.rpartition("@")
        return f"{local}@{domain.lower()}"


class Day(fields.Date):
    """A calendar date YYYY-MM-DD between 1900 and 2200."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise ValidationError("must be a date such as 2026-03-15")
        day: date = super()._deserialize(value, attr, data, **kwargs)
        if not FIRST_DAY <= day <= LAST_DAY:
            raise ValidationError(f"must lie between {FIRST_DAY} and {LAST_DAY}")
        return day


class Moment(fields.AwareDateTime):
    """An instant with its offset, such as 2026-03-15T09:00:00Z, that UTC has a date for."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        instant: datetime = super()._deserialize(value, attr, data, **kwargs)
        try:
            return instant.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError("must lie between the years 1 and 9999") from error


class Amount(fields.Field[Decimal]):
    """Points, money or a quantity: a string of digits with at most two decimals."""

    form = r"^[0-9]{1,6}(\.[0-9]{1,2})?$"

    def __init__(self, **options: Any) -> None:
        options.setdefault("metadata", {}).update(type="string", pattern=self.form, example="12.50")
        super().__init__(**options)

    def _serialize(self, value: Decimal | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        del attr, obj, kwargs
        return None if value is None else f"{value:.2f}"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        del attr, data, kwargs
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,2})?", value):
            raise ValidationError('must be a string of digits such as "12.50"')
        return Decimal(value).quantize(Decimal("0.01"))


class Factor(Amount):
    """A rate, a factor or a converted quantity in an answer: it may have more decimals."""

    form = r"^[0-9]{1,9}(\.[0-9]{1,8})?$"

    def _serialize(self, value: Decimal | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        del attr, obj, kwargs
        return None if value is None else f"{value:f}"


def by_language(**options: Any) -> fields.Dict:
    """Words by the code of their language."""
    return fields.Dict(keys=fields.String(), values=fields.String(), required=True, **options)


def tags(**options: Any) -> fields.List[Any]:
    """Codes of the policy's tags, a few at most."""
    return fields.List(Words(32), validate=validate.Length(max=20), **options)


def reason_code_field(**options: Any) -> Words:
    """Why, as one of the codes of the list."""
    told = "One of the codes that GET /reasons lists for the act."
    return Words(32, metadata={"description": told, "example": "other"}, **options)


def choice(*values: str, **options: Any) -> fields.String:
    """One of a few words."""
    return fields.String(validate=validate.OneOf(values), **options)
