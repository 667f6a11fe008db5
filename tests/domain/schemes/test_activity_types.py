"""domain/schemes/activity_types.py: what a policy says of a kind of activity."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.domain.examples import POLICY
from tracker.domain.schemes.activity_types import Noun, plurals

COURSE = POLICY.types["third_party"]


def test_what_is_counted_has_a_plural_and_a_plain_text_is_its_own():
    nouns: dict[str, Any] = {"en": Noun("hour", "hours"), "es": "horas"}
    assert plurals(nouns) == {"en": "hours", "es": "horas"}


@pytest.mark.parametrize(
    ("quantity", "unit", "above", "unusual"),
    [
        ("41", "", "40", True),
        ("40", "", "40", False),
        ("21", "days", "40", True),
        ("20", "days", "40", False),
        ("41", "unknown", "40", True),
        (None, "", "40", False),
        ("41", "", None, False),
    ],
)
def test_a_quantity_above_the_usual_one_is_noticed_in_any_unit(quantity, unit, above, unusual):
    kind = replace(
        COURSE, units={"days": Decimal(2)}, warn_above=None if above is None else Decimal(above)
    )
    given = None if quantity is None else Decimal(quantity)
    assert kind.is_unusual(given, unit) is unusual
