"""The format of a scheme file: the keys of ``domain/schemes``, and what they need beyond.

Which keys there are, and what each may say, stands at the attributes of ``Scheme`` and of all that
it is made of. Here is what a value checks of its keys together, and how one is built that is not
merely its keys.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace

from marshmallow import ValidationError

from tracker.domain.schemes.activity_types import ActivityType, Category, Tag, Unit
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import (
    AwardRule,
    DayOfYear,
    ReminderPolicy,
    Scheme,
    ScoreRule,
)
from tracker.scheme_files import policies
from tracker.scheme_files.nouns import UnitOrNoun
from tracker.scheme_files.tables import Special, Tables
from tracker.scheme_files.values import Data, choice

_COMMON_YEAR = 2001  # without February 29


def _day_of_year(data: Data) -> DayOfYear:
    """The day; February 29 is refused, since not every year has it."""
    if data["day"] > monthrange(_COMMON_YEAR, data["month"])[1]:
        raise ValidationError("must be a day that the month has in every year", "day")
    return DayOfYear(**data)


def _award(data: Data) -> AwardRule:
    """The rule; there is one way to treat February 29, so the rule does not state it."""
    del data["leap"]
    return AwardRule(**data)


def _score(data: Data) -> ScoreRule:
    """The bounds, which must be in order."""
    rule = ScoreRule(**data)
    if rule.maximum <= rule.minimum:
        raise ValidationError("must be more than minimum", "maximum")
    if rule.passing is not None and not rule.minimum <= rule.passing <= rule.maximum:
        raise ValidationError("must be from minimum to maximum", "passing")
    return rule


def _reminders(data: Data) -> ReminderPolicy:
    """The stages, in the order in which the reminders are due."""
    return ReminderPolicy(**{**data, "offsets": tuple(sorted(data["offsets"], reverse=True))})


def _scheme(data: Data) -> Scheme:
    """The scheme; a re-examination that names no modules is in every required one."""
    scheme = Scheme(**data)
    return replace(
        scheme, policies=tuple(_with_modules(each, scheme.required) for each in scheme.policies)
    )


def _with_modules(policy: Policy, required: tuple[str, ...]) -> Policy:
    again = policy.reexamination
    if again is None or again.modules:
        return policy
    return replace(policy, reexamination=replace(again, modules=required))


def _entry(data: Data) -> Data:
    """The attributes as they are: the policy adds the code of the entry, and its own source."""
    return data


_LEAP = choice("What February 29 becomes in other years: the 28th.", ("clip",), required=True)
_UNIT = UnitOrNoun("A code from [policies.units], or the unit's name, singular and plural.")
TABLES = Tables(
    {
        Scheme: Special(_scheme),
        AwardRule: Special(_award, {"leap": _LEAP}),
        DayOfYear: Special(_day_of_year),
        ScoreRule: Special(_score),
        ReminderPolicy: Special(_reminders),
        Policy: Special(policies.build),
        Unit: Special(_entry),
        Category: Special(_entry),
        Tag: Special(_entry),
        ActivityType: Special(_entry, {"unit": _UNIT}),
    }
)
SchemeFile, PolicyTable = TABLES.of(Scheme), TABLES.of(Policy)
