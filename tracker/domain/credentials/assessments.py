"""Assessments: retake waits, module certificates, the award of a certification."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import get_args

from tracker.domain.credentials import funding
from tracker.domain.credentials.funding import FundingSource
from tracker.domain.errors import AlreadyPassed, RetakeTooSoon
from tracker.domain.schemes.pathways import Payer
from tracker.domain.schemes.schemes import RetakeRule, Scheme
from tracker.domain.value_classes import value_class
from tracker.domain.values import folded, future_rule

DELIVERIES = ("in_person", "remote", "paper")
FUNDINGS = get_args(Payer)
CENTER_CATEGORIES = ("community_college", "adult_education", "secondary_school", "employer")


@value_class()
class Attempt:
    """One attempt at a module's assessment."""

    module: str
    taken_on: date
    passed: bool


@dataclass(frozen=True, slots=True)
class AttemptToRecord:
    """One attempt to record: where, by whom it was proctored and taught, and who paid how much.

    ``more_funding`` are the sources beside the first one.
    ``center`` is the name or the code of the center whose id is not given. ``override_reason`` says
    why an attempt is accepted before the waiting period ends, or at a center not approved that day.
    """

    scheme: str
    module: str
    taken_on: date
    passed: bool
    score: Decimal | None = None
    delivery: str | None = None
    edition: str | None = None
    center_id: str | None = None
    center: str | None = None
    proctor: str | None = None
    instructor: str | None = None
    funding: str | None = None
    amount: Decimal | None = None
    funding_reference: str | None = None
    more_funding: list[FundingSource] = field(default_factory=list)
    override_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """A period in which an assessment center was approved; None: until further notice."""

    approved_on: date
    lapses_on: date | None


def first_lawful_retake(rule: RetakeRule, failures: Iterable[date]) -> date | None:
    """The first day on which a module may be attempted again; None without a failure.

    A *full* number of days lies between the attempts: after a failure on January 1 with a wait of
    15 days, the next attempt is allowed on January 17. After ``failures_before_long_wait`` failures
    of the module, the long wait applies. Source: a copy of MSSC's FAQ.
    """
    days = sorted(failures)
    if not days:
        return None
    long = len(days) >= rule.failures_before_long_wait
    wait = rule.long_wait_days if long else rule.wait_days
    return days[-1] + timedelta(days=wait + 1)


def check_attempt(
    scheme: Scheme,
    module: str,
    earlier: Iterable[Attempt],
    *,
    taken_on: date,
    since: date | None = None,
    again_from: date | None = None,
) -> None:
    """Refuse an attempt at a module already passed, or before the retake wait is over.

    Only attempts up to ``taken_on`` count, so that history may be entered in any order. Passes
    through ``since`` do not count: on that day the certification that they supported ended for
    good. Failures after the last pass count. Raises AlreadyPassed, which names ``again_from`` if
    that day is known, or RetakeTooSoon, which gives the first allowed date.
    """
    before = [a for a in earlier if a.module == module and a.taken_on <= taken_on]
    passed = [a.taken_on for a in before if a.passed]
    passed_again = [day for day in passed if since is None or day > since]
    if passed_again:
        raise _passed(module, min(passed_again), again_from)
    last = max(passed, default=date.min)
    failed = (a.taken_on for a in before if not a.passed and a.taken_on > last)
    lawful = first_lawful_retake(scheme.retake, failed)
    if lawful is not None and taken_on < lawful:
        raise RetakeTooSoon(
            f"Module {module} may be attempted again from {lawful}, not on {taken_on}.",
            lawful_on=lawful,
        )


def _passed(module: str, day: date, again_from: date | None) -> AlreadyPassed:
    said = f"Module {module} was passed on {day}; a module certificate never expires."
    if again_from is None:
        return AlreadyPassed(said, passed_on=day)
    return AlreadyPassed(
        f"{said} It may be taken again from {again_from}, if the certification has ended by then.",
        passed_on=day,
        again_from=again_from,
    )


def passes(attempts: Iterable[Attempt], *, on: date) -> dict[str, date]:
    """The modules passed on or before ``on``, each with the day of its first pass."""
    first: dict[str, date] = {}
    for attempt in attempts:
        if attempt.passed and attempt.taken_on <= on:
            earliest = first.get(attempt.module, attempt.taken_on)
            first[attempt.module] = min(earliest, attempt.taken_on)
    return first


def award_date(
    scheme: Scheme, passed: Mapping[str, date], prerequisites: Mapping[str, date]
) -> date | None:
    """The day the full certification is awarded; None while something is missing.

    That is the day of the last required pass (``date_basis``), or the day of the prerequisite
    certification's award if that is later. Optional modules never count.
    """
    needed = [passed.get(code) for code in scheme.required]
    needed += [prerequisites.get(code) for code in scheme.award.prerequisites]
    days = [day for day in needed if day is not None]
    return max(days) if days and len(days) == len(needed) else None


def faults(scheme: Scheme, attempt: AttemptToRecord, *, today: date) -> dict[str, str]:
    """The rules that an attempt's own values break, by field: empty if there are none.

    Raises UnknownModule.
    """
    scheme.module(attempt.module)
    score = scheme.assessment.score if scheme.assessment else None
    found = {
        "taken_on": future_rule(attempt.taken_on, today),
        "score": score.fault(attempt.score, passed=attempt.passed) if score else None,
        "edition": _edition_rule(scheme, attempt.edition),
    }
    broken = {field: rule for field, rule in found.items() if rule is not None}
    return broken | contradictions(attempt)


def contradictions(attempt: AttemptToRecord) -> dict[str, str]:
    """The rules about what an attempt says in several fields that it breaks, by field."""
    found = {
        "proctor": _proctor_rule(attempt.proctor, attempt.instructor),
        "funding": _funding_rule(attempt),
        "more_funding": funding.sources_rule(attempt.funding, attempt.more_funding),
    }
    return {field: rule for field, rule in found.items() if rule is not None}


def _edition_rule(scheme: Scheme, edition: str | None) -> str | None:
    codes = [one.code for one in scheme.editions]
    if edition is None or edition in codes:
        return None
    return f"must be one of the editions of {scheme.code}: {', '.join(codes) or 'it has none'}"


def _proctor_rule(proctor: str | None, instructor: str | None) -> str | None:
    """Whoever taught a person does not proctor; names are compared in any order and spelling."""
    if proctor is None or instructor is None:
        return None
    if sorted(folded(proctor).split()) != sorted(folded(instructor).split()):
        return None
    return "must not be the instructor: somebody else proctors the assessment"


def _funding_rule(attempt: AttemptToRecord) -> str | None:
    paid = attempt.amount is not None or attempt.funding_reference is not None
    if paid and attempt.funding is None:
        return "is required with an amount or a funding_reference: say who pays"
    return None


def unapproved_rule(
    approvals: Iterable[Approval], *, on: date, override_reason: str | None
) -> str | None:
    """The rule that a center breaks that was not approved on the day, unless a reason is given."""
    if override_reason is not None or _is_approved(approvals, on):
        return None
    return f"was not approved on {on}; give an override_reason to record the attempt all the same"


def center_warning(name: str, approvals: Iterable[Approval], *, on: date) -> str | None:
    """A warning if the assessment center was not approved on that day."""
    if _is_approved(approvals, on):
        return None
    return f"Assessment center {name} was not approved on {on}."


def _is_approved(approvals: Iterable[Approval], on: date) -> bool:
    return any(
        a.approved_on <= on and (a.lapses_on is None or on <= a.lapses_on) for a in approvals
    )
