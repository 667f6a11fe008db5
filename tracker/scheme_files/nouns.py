"""What is counted, as scheme files give it: in both numbers, in Spanish with its gender.

No sentence guesses the singular of "hours" or the gender of "horas". What is the same in both
numbers, such as "CPE", may stand as a plain text, which is then used as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from marshmallow import ValidationError, fields
from marshmallow.types import ErrorMessages

from tracker.domain.schemes.activity_types import Noun, as_noun
from tracker.language.catalogues import noun
from tracker.scheme_files.values import (
    FURTHER,
    Data,
    KeyOptions,
    Table,
    TextKey,
    check_code,
    choice,
)

GENDERS = ("feminine", "masculine")
_ENGLISH = '{ one = "contact hour", many = "contact hours" }'
_SPANISH = '{ one = "hora de contacto", many = "horas de contacto", gender = "feminine" }'


def _missing(example: str) -> ErrorMessages:
    return {"required": f"is required but missing, for example {example}"}


class _EnglishNoun(Table):
    """What is counted, in both numbers."""

    @classmethod
    def value(cls, data: Data) -> Noun:
        """The noun."""
        return noun(**data)

    one = TextKey(
        'The singular: "contact hour".',
        required=True,
        error_messages=_missing('one = "contact hour"'),
    )
    many = TextKey(
        'The plural: "contact hours".',
        required=True,
        error_messages=_missing('many = "contact hours"'),
    )


class _FurtherNoun(_EnglishNoun):
    """What is counted, in both numbers, with its gender where the language has two."""

    gender = choice("The gender of the noun.", GENDERS)


class _SpanishNoun(Table):
    """What is counted, in both numbers and with its gender."""

    @classmethod
    def value(cls, data: Data) -> Noun:
        """The noun."""
        return noun(**data)

    one = TextKey(
        'The singular: "hora de contacto".',
        required=True,
        error_messages=_missing('one = "hora de contacto"'),
    )
    many = TextKey(
        'The plural: "horas de contacto".',
        required=True,
        error_messages=_missing('many = "horas de contacto"'),
    )
    gender = choice(
        "The gender of the noun, with which articles and adjectives agree.",
        GENDERS,
        required=True,
        error_messages=_missing('gender = "feminine"'),
    )


class NounKey(fields.Nested):
    """What is counted; a plain text is the same in both numbers, and masculine."""

    def __init__(
        self, made_of: type[Table], says: str, example: str, **options: Unpack[KeyOptions]
    ) -> None:
        super().__init__(made_of, metadata={"description": says}, allow_none=False, **options)
        self._rule = f"must give the singular and the plural: {example}"
        self._text = TextKey(says)

    def _deserialize(self, value: object, *args: Any, **kwargs: Any) -> object:
        if isinstance(value, str):
            return as_noun(self._text.deserialize(value))
        if not isinstance(value, Mapping):
            raise ValidationError(self._rule)
        return super()._deserialize(value, *args, **kwargs)


class NounsKey(Table):
    """What is counted, in the languages of the product."""

    class Meta(Table.Meta):
        """In further languages too; what lacks one is said in English."""

        include = {  # noqa: RUF012 - marshmallow's own form
            language: NounKey(_FurtherNoun, "In this language.", _ENGLISH) for language in FURTHER
        }

    en = NounKey(_EnglishNoun, "In English.", _ENGLISH, required=True)
    es = NounKey(_SpanishNoun, "In Spanish.", _SPANISH, required=True)


class UnitOrNoun(fields.Nested):
    """A unit: the code of one of the policy's, or what it is called."""

    def __init__(self, says: str) -> None:
        super().__init__(NounsKey, metadata={"description": says})

    def _deserialize(self, value: object, *args: Any, **kwargs: Any) -> object:
        if isinstance(value, str):
            check_code(value)
            return value
        return super()._deserialize(value, *args, **kwargs)
