"""The format of a scheme file, key by key, and how it becomes domain objects.

The content of ``[[policies]]`` is in ``policies``.
"""

from __future__ import annotations

import dataclasses
import functools
from calendar import monthrange
from datetime import time
from typing import Any, get_args
from zoneinfo import ZoneInfo, available_timezones

from marshmallow import ValidationError, fields, post_load, validate

from tracker.domain.schemes import schemes as domain
from tracker.domain.schemes.policies import Policy
from tracker.scheme_files.policies import PolicyTable
from tracker.scheme_files.values import (
    AmountKey,
    DayKey,
    Different,
    DurationKey,
    FlagKey,
    Sourced,
    Table,
    WordsKey,
    choice,
    code,
    table,
    tables,
    whole,
    words,
)

_COMMON_YEAR = 2001  # without February 29
VALID_THROUGH = ("anniversary", "day_before", "end_of_month", "end_of_year", "fixed_day")


class _Edition(Table):
    """A numbered edition of the scheme's standards."""

    makes = domain.Edition

    code = words("Its number.", longest=32, required=True)
    name = words("Its name.", required=True)
    note = words("What readers should know about it.", required=True)


class _Module(Table):
    """A unit of the scheme with its own assessment."""

    makes = domain.Module

    code = code("Its code.", required=True)
    required = FlagKey("Whether the award needs it.", required=True)
    name = table(WordsKey, "Its name.", required=True)


class _Validity(DurationKey):
    """How long a certification is valid."""

    length = whole("How many units.", 1, 36500, required=True)


class _DayOfYear(Table):
    """A day that every year has."""

    makes = domain.DayOfYear

    month = whole("Its month.", 1, 12, required=True)
    day = whole("Its day.", 1, 31, required=True)

    @post_load
    def build(self, data: dict[str, Any], **options: Any) -> Any:
        """The day; February 29 is refused, since not every year has it."""
        if data["day"] > monthrange(_COMMON_YEAR, data["month"])[1]:
            raise ValidationError("must be a day that the month has in every year", "day")
        return super().build(data, **options)


class _Award(Sourced):
    """When a certification is awarded, and for how long it is valid."""

    makes = domain.AwardRule

    date_basis = choice(
        "Which day counts as the day of award.", ("last_required_pass",), required=True
    )
    validity = table(_Validity, "How long it is valid; absent: forever.", load_default=None)
    valid_through = choice(
        "The last valid day: the anniversary, the day before it, the end of its month or year, or"
        " a fixed_day near it.",
        VALID_THROUGH,
        required=True,
    )
    fixed_day = table(_DayOfYear, "With valid_through fixed_day: which day.")
    first_cycle = choice(
        "With a fixed_day: whether the first cycle is longer or shorter than the validity.",
        get_args(domain.FirstCycle),
    )
    leap = choice("What February 29 becomes in other years: February 28.", ("clip",), required=True)
    prerequisites = Different(
        code("The code of a scheme."),
        "The schemes that the holder must already have.",
        required=True,
    )
    lifetime_if_awarded_before = DayKey("Certifications awarded before this day never expire.")

    @post_load
    def build(self, data: dict[str, Any], **options: Any) -> Any:
        """The rule; there is one way to treat February 29, so the rule does not state it."""
        del data["leap"]
        return super().build(data, **options)


class _Retake(Sourced):
    """The full days to wait between attempts at a module."""

    makes = domain.RetakeRule

    wait_days = whole("The wait after a failure.", 0, 3650, required=True)
    failures_before_long_wait = whole(
        "After how many failures the longer wait applies.", 1, 100, required=True
    )
    long_wait_days = whole("The wait after that many failures.", 0, 3650, required=True)


class _Score(Table):
    """The scores that an assessment can have."""

    makes = domain.ScoreRule

    minimum = AmountKey("The lowest possible score.", required=True)
    maximum = AmountKey("The highest possible score.", required=True, above_zero=True)
    passing = AmountKey("The lowest score that passes; absent: not published.", load_default=None)

    @post_load
    def build(self, data: dict[str, Any], **options: Any) -> Any:
        """The bounds, which must be in order."""
        if data["maximum"] <= data["minimum"]:
            raise ValidationError("must be more than minimum", "maximum")
        passing = data["passing"]
        if passing is not None and not data["minimum"] <= passing <= data["maximum"]:
            raise ValidationError("must be from minimum to maximum", "passing")
        return super().build(data, **options)


class _Assessment(Sourced):
    """What can be recorded of an assessment."""

    makes = domain.AssessmentRule

    score = table(_Score, "The possible scores.", required=True)


class _Bar(DurationKey):
    """How long a revocation bars a person from a new award."""

    length = whole("How many units.", 1, 36500, required=True)


class _Revocation(Sourced):
    """The effect of a revocation, unless the person who decides sets another one."""

    makes = domain.RevocationRule

    bar = table(
        _Bar, "How long it cannot be earned again, counted from the revocation.", required=True
    )


class _Appeals(Sourced):
    """Appeals against decisions."""

    makes = domain.AppealRule

    due_days = whole("The days to appeal, counted from the notice.", 1, 3650, required=True)
    decided_within_days = whole("The days to decide on an appeal.", 1, 3650, required=True)
    fee = AmountKey("What an appeal costs.", required=True)
    refunded_on_success = FlagKey("Whether a successful appeal refunds the cost.", required=True)
    restores_gap = FlagKey("Whether a successful appeal restores the days lost.", required=True)


class _Bundle(Table):
    """One price for several schemes renewed together."""

    makes = domain.BundleFee

    schemes = Different(
        code("The code of a scheme."),
        "The schemes in the bundle: this one and others.",
        least=2,
        into=frozenset,
        required=True,
    )
    amount = AmountKey("The price for all of them.", required=True)
    within_days = whole("How far apart their expiration dates may be.", 0, 3650, required=True)
    requires = table(WordsKey, "What else is required, as a sentence.", required=True)


class _Fees(Sourced):
    """What renewals cost."""

    makes = domain.Fees

    currency = fields.String(
        required=True,
        validate=validate.Regexp(
            r"^[A-Z]{3}\Z", error="must be three capital letters, such as USD"
        ),
        metadata={"description": "The currency, by its ISO 4217 code."},
    )
    renewal = AmountKey("What a renewal costs.", load_default=None)
    member_renewal = AmountKey("What a renewal costs a member.", load_default=None)
    refundable = FlagKey("Whether fees are refundable.", required=True)
    bundles = tables(_Bundle, "Prices for renewing several schemes together.", load_default=())


class _Reminders(Table):
    """When a holder is reminded."""

    offsets = Different(
        whole("Days before expiration (negative: after it).", -3650, 3650),
        "Days before expiration (negative: after it).",
        required=True,
    )
    offsets_when_complete = Different(
        whole("One of the offsets.", -3650, 3650),
        "The offsets at which a reminder is sent even if the requirement is met.",
        into=frozenset,
        required=True,
    )
    send_at = fields.String(
        required=True,
        validate=validate.Regexp(r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z", error='must be like "09:00"'),
        metadata={"description": "The time of day to send, in the holder's time zone."},
    )
    resend_ambiguous_at_or_below = whole(
        "From this offset on, a message that may not have been sent is sent again.",
        -3650,
        3650,
        required=True,
    )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Any:
        """The stages, in the order in which the reminders are due."""
        data["offsets"] = tuple(sorted(data["offsets"], reverse=True))
        data["send_at"] = time.fromisoformat(data["send_at"])
        return domain.ReminderPolicy(**data)


class _EarlierRegime(Sourced):
    """Past rules whose dates are unknown: shown to readers, never computed."""

    makes = domain.EarlierRegime

    name = words("The name of the earlier rules.", required=True)
    description = words("The text of the earlier rules.", required=True)


_zones = functools.cache(available_timezones)  # reads a folder of six hundred files


def _zone(name: str) -> None:
    if name not in _zones():
        raise ValidationError("must be an IANA time zone such as America/New_York")


class SchemeFile(Table):
    """One certification scheme: modules, award, retakes, fees, recertification policies."""

    code = code("Its code, in lower case.", required=True)
    name = words("Its full name.", required=True)
    title = table(WordsKey, "The title that its holders may use.", required=True)
    issuer = words("The certification body.", required=True)
    time_zone = fields.String(
        required=True,
        validate=_zone,
        metadata={"description": "The IANA time zone of its dates, such as America/New_York."},
    )
    days_end = choice(
        "Whose midnight ends a holder's last day: the holder's time zone or the scheme's. Absent: "
        "the holder's.",
        get_args(domain.DaysEnd),
    )
    number_prefix = fields.String(
        required=True,
        validate=validate.Regexp(r"^[A-Z]{2,8}\Z", error="must be 2 to 8 capital letters"),
        metadata={"description": "The prefix of certificate numbers; unique to this scheme."},
    )
    abbreviation = words(
        "What people call it for short, such as SHRM-CP; absent: the number prefix.",
        load_default="",
    )
    editions = tables(_Edition, "Editions of its standards.", load_default=())
    modules = tables(_Module, "The modules to pass.", least=1, required=True)
    award = table(_Award, "Award and validity.", required=True)
    retake = table(_Retake, "Waits between attempts.", required=True)
    assessment = table(_Assessment, "The range of scores; absent: any.", load_default=None)
    revocation = table(
        _Revocation, "How long a revocation bars the holder; absent: forever.", load_default=None
    )
    appeals = table(_Appeals, "Appeals; absent: none.", load_default=None)
    fees = table(_Fees, "Fees; absent: none.", load_default=None)
    policies = tables(
        PolicyTable, "Versions of the recertification rules, oldest first.", load_default=()
    )
    reminders = table(_Reminders, "Reminders; absent: none.", load_default=None)
    earlier_regimes = tables(_EarlierRegime, "Rules that no longer apply.", load_default=())

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> domain.Scheme:
        """The scheme described by a file without mistakes."""
        data["time_zone"] = ZoneInfo(data["time_zone"])
        scheme = domain.Scheme(**data)
        policies = tuple(_with_modules(policy, scheme.required) for policy in scheme.policies)
        return dataclasses.replace(scheme, policies=policies)


def _with_modules(policy: Policy, required: tuple[str, ...]) -> Policy:
    """The policy; if its re-examination names no modules, it is in every required one."""
    again = policy.reexamination
    if again is None or again.modules:
        return policy
    return dataclasses.replace(policy, reexamination=dataclasses.replace(again, modules=required))
