"""Shipped schemes, and claims, policies and standings made in a line, for the tests of rules."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tracker import scheme_files, settings
from tracker.domain.credentials import certifications
from tracker.domain.credentials.certifications import (
    Application,
    ChangeOfStanding,
    CycleTerm,
    Standing,
    StandingSpan,
)
from tracker.domain.periods import Duration, Period, TimeUnit
from tracker.domain.points import evaluations as points
from tracker.domain.points.claims import Claim, Credit, Evaluation, Terms
from tracker.domain.schemes.activity_types import Noun, TranslatedNoun
from tracker.domain.schemes.policies import ApplicationWindow, LateStep, Policy
from tracker.domain.schemes.schemes import Scheme

SCHEMES = scheme_files.load(settings.ROOT / "config" / "schemes")
CPT, CLT, CLA = SCHEMES["cpt"], SCHEMES["clt"], SCHEMES["cla"]
POLICY = CPT.policies[0]
CYCLE = Period(date(2024, 3, 15), date(2029, 3, 15))
_refs = itertools.count(1)


def nouns(english: str, spanish: str, *, feminine: bool = False) -> TranslatedNoun:
    """What is counted, in both numbers: "hour/hours", "hora/horas"; "PDU" is alike in both."""
    (one, *many), (uno, *muchos) = english.split("/"), spanish.split("/")
    return {
        "en": Noun(one, (many or [one])[0]),
        "es": Noun(uno, (muchos or [uno])[0], feminine=feminine),
    }


def policy(**changes: Any) -> Policy:
    """The shipped policy of the CPT with some values changed."""
    return replace(POLICY, **changes)


def capped(base: Policy = POLICY, **maxima: str | None) -> Policy:
    """A policy with other category caps; None takes a cap away."""
    categories = {
        code: replace(
            category,
            limits=replace(
                category.limits,
                maximum=(Decimal(cap) if (cap := maxima[code]) else None)
                if code in maxima
                else category.limits.maximum,
            ),
        )
        for code, category in base.categories.items()
    }
    return replace(base, categories=categories)


def needing(base: Policy = POLICY, **minima: str) -> Policy:
    """A policy with category minima."""
    categories = {
        code: replace(
            category,
            limits=replace(
                category.limits, minimum=Decimal(minima[code]) if code in minima else None
            ),
        )
        for code, category in base.categories.items()
    }
    return replace(base, categories=categories)


def with_type(base: Policy, code: str, **changes: Any) -> Policy:
    """A policy in which one activity type was changed."""
    return replace(base, types={**base.types, code: replace(base.types[code], **changes)})


def scheme_of(*policies: Policy, **award: Any) -> Scheme:
    """The CPT under other policy versions."""
    return replace(CPT, policies=policies, award=replace(CPT.award, **award))


def claim(
    kind: str, quantity: str | None = None, completed_on: date | None = None, **values: Any
) -> Claim:
    """A claim of a shipped activity type; every one is another course unless a title is given."""
    number = next(_refs)
    given: dict[str, Any] = {
        "ref": f"claim-{number:05}",
        "category": POLICY.types[kind].category,
        "type": kind,
        "title": f"Course {number}",
        "provider": "Ivy Tech",
        "quantity": None if quantity is None else Decimal(quantity),
        "starts_on": None,
        "completed_on": completed_on,
    }
    return Claim(**given | values)


def job(kind: str, starts_on: date, ends_on: date | None = None, **values: Any) -> Claim:
    """A claim of employment: ``full_time`` or ``part_time``."""
    return claim(f"employment_{kind}", None, ends_on, starts_on=starts_on, **values)


def evaluate(
    *claims: Claim,
    policy: Policy = POLICY,
    cycle: Period = CYCLE,
    on: date | None = None,
    **terms: Any,
) -> Evaluation:
    """The evaluation of claims at the end of a cycle, or on a day, under the terms given."""
    day = on or cycle.ends_on
    return points.evaluate(policy, claims, cycle=cycle, on=day, terms=Terms(**terms))


def total(*claims: Claim, **options: Any) -> Decimal:
    """The points that claims bring."""
    return evaluate(*claims, **options).total


def credit(evaluation: Evaluation, of: Claim) -> Credit:
    """What one claim brought."""
    return next(found for found in evaluation.credits if found.ref == of.ref)


def cuts(evaluation: Evaluation, of: Claim) -> dict[str, Decimal]:
    """The points that each rule took from a claim."""
    return {cut.rule: cut.points for cut in credit(evaluation, of).cuts}


def renewed(scheme: Scheme, awarded_on: date, *decided: date) -> list[CycleTerm]:
    """The cycles of a certification, renewed on the days given."""
    cycles = [certifications.first_cycle(scheme, awarded_on)]
    for day in decided:
        cycles.append(
            certifications.next_cycle(scheme, cycles[-1], decided_on=day, awarded_on=awarded_on)
        )
    return cycles


def span_on(
    scheme: Scheme,
    cycles: list[CycleTerm],
    day: date,
    *,
    applications: Iterable[Application] = (),
    changes: Iterable[ChangeOfStanding] = (),
) -> StandingSpan:
    """The span of the timeline that a day lies in."""
    spans = certifications.timeline(scheme, cycles, applications=applications, changes=changes)
    span = certifications.span_on(spans, day)
    assert span is not None
    return span


def standing(
    scheme: Scheme,
    cycles: list[CycleTerm],
    day: date,
    *,
    applications: Iterable[Application] = (),
    changes: Iterable[ChangeOfStanding] = (),
) -> Standing:
    """The standing on a day."""
    span = span_on(scheme, cycles, day, applications=applications, changes=changes)
    return certifications.standing_on(span, day)


def grace(length: Duration, *, title: bool = False) -> tuple[LateStep, ...]:
    """A ladder of one rung, on which one still renews with points."""
    return (LateStep(until=length, name={"en": "grace", "es": "gracia"}, title=title),)


def window(length: int, unit: TimeUnit = "days") -> ApplicationWindow:
    """An application window that opens so long before the expiry."""
    return ApplicationWindow(Duration(length, unit))


def days(length: int) -> Duration:
    """A duration in days."""
    return Duration(length, "days")


# A certification awarded on a day, and two policies for its renewal.
AWARDED = date(2024, 3, 15)  # expires on 15 March 2029, the window opens on 15 December 2028
IN_WINDOW = date(2029, 1, 15)
LADDER = policy(
    late=(
        LateStep(days(30), {"en": "late", "es": "tarde"}, fee=Decimal("20.00")),
        LateStep(days(60), {"en": "later", "es": "más tarde"}, by="reexamination"),
    )
)
EARLY = ApplicationWindow(days(90), closes_before=days(30))  # 13 February 2029
EARLY_CLOSING = date(2029, 2, 13)


def held_on(day: date, scheme: Scheme = CPT, **facts: Any) -> Standing:
    """The standing on a day of a certification awarded on ``AWARDED``."""
    return standing(scheme, renewed(scheme, AWARDED), day, **facts)


def expiring(scheme: Scheme, day: date) -> Standing:
    """The standing of a certification 30 days before it expires on a day."""
    awarded_on = day.replace(year=day.year - 5)
    return standing(scheme, renewed(scheme, awarded_on), day - timedelta(30))
