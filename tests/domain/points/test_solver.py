"""The allocation against every other one: complete, the highest total, least lacking, earliest."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import combinations, product

from hypothesis import given

from tests.domain.examples import claim, total
from tests.domain.points.language import CYCLE, INSIDE, dated, policies, several
from tracker.domain.points.claims import Claim
from tracker.domain.points.constraints import year_of
from tracker.domain.points.evaluations import evaluate
from tracker.domain.points.pricing import line_of
from tracker.domain.schemes.activity_types import Limits
from tracker.domain.schemes.policies import Policy, WindowMinimum

FEW = 4


def _simple(policy: Policy) -> Policy:
    """The same caps and minima over claims that are worth what they state."""
    plain = {
        code: replace(
            kind,
            basis="quantity",
            increment=None,
            roles={},
            unapproved=None,
            outside_duties=False,
            date_basis="completion",
            counts_from=None,
            counts_until=None,
            threshold=None,
            threshold_over="claim",
        )
        for code, kind in policy.types.items()
    }
    return replace(policy, types=plain, rounding_of="claim")


def _groups(policy: Policy, claims: list[Claim]) -> list[tuple[Limits, list[int]]]:
    """Limits with the claims that they are on."""
    found = []
    for code, kind in policy.types.items():
        found.append((kind.limits, [i for i, c in enumerate(claims) if c.type == code]))
    for code, category in policy.categories.items():
        found.append((category.limits, [i for i, c in enumerate(claims) if c.category == code]))
    for code, tag in policy.tags.items():
        borne = [i for i, c in enumerate(claims) if code in c.tags | policy.types[c.type].tags]
        found.append((tag.limits, borne))
    return found


def _by_year(policy: Policy, claims: list[Claim], members: list[int]) -> list[list[int]]:
    years: dict[int, list[int]] = {}
    for i in members:
        day = claims[i].completed_on
        assert day
        years.setdefault(year_of(policy, CYCLE, day), []).append(i)
    return list(years.values())


def _caps(policy: Policy, claims: list[Claim]) -> list[tuple[int, list[int]]]:
    found = []
    for limits, members in _groups(policy, claims):
        if limits.per_event is not None:
            found += [(limits.per_event, [i]) for i in members]
        if limits.per_year is not None:
            found += [(limits.per_year, year) for year in _by_year(policy, claims, members)]
        if limits.maximum is not None:
            found.append((limits.maximum, members))
    if policy.stop_at_requirement:
        found.append((policy.points_required, list(range(len(claims)))))
    return [(int(bound * 100), members) for bound, members in found]


def _clashes(policy: Policy, claims: list[Claim]) -> list[tuple[int, int]]:
    rule = policy.duplicates
    if rule is None:
        return []
    found = []
    for (i, a), (j, b) in combinations(enumerate(claims), 2):
        alike = all(getattr(a, key) == getattr(b, key) for key in rule.key)
        first, last = sorted([a.completed_on, b.completed_on])  # type: ignore[type-var]
        if alike and (rule.within is None or last < rule.within.after(first)):  # type: ignore[arg-type, operator]
            found.append((i, j))
    return found


def _lacking(policy: Policy, claims: list[Claim], given: tuple[int, ...]) -> int:
    everything = list(range(len(claims)))
    lacking = 0
    for limits, members in _groups(policy, claims):
        if limits.minimum is not None:
            lacking += max(int(limits.minimum * 100) - sum(given[i] for i in members), 0)
    if policy.minimum_per_year is not None:
        years = _by_year(policy, claims, everything)
        number = 3 if policy.year == "cycle" else 4
        sums = [sum(given[i] for i in year) for year in years] + [0] * (number - len(years))
        lacking += sum(max(int(policy.minimum_per_year * 100) - points, 0) for points in sums)
    for limits, members in _groups(policy, claims):
        if limits.minimum_per_year is not None:
            years = _by_year(policy, claims, members)
            sums = [sum(given[i] for i in year) for year in years] + [0] * (
                (3 if policy.year == "cycle" else 4) - len(years)
            )
            least = int(limits.minimum_per_year * 100)
            lacking += sum(max(least - points, 0) for points in sums)
    for window in policy.windows:
        inside = [
            i
            for i in everything
            if str(claims[i].completed_on) >= "2023-03-01" and _is_meant(window, policy, claims[i])
        ]
        lacking += max(int(window.minimum * 100) - sum(given[i] for i in inside), 0)
    if policy.kinds is not None:
        kinds = {getattr(claims[i], policy.kinds.of) for i in everything if given[i]}
        lacking += 100 * max(policy.kinds.minimum - len(kinds), 0)
    return lacking


def _is_meant(window: WindowMinimum, policy: Policy, claim: Claim) -> bool:
    return (
        window.category in ("", claim.category)
        and window.type in ("", claim.type)
        and (not window.tag or window.tag in claim.tags | policy.types[claim.type].tags)
    )


def best(policy: Policy, claims: list[Claim]) -> list[Decimal]:
    """What the best of all allocations in whole cents gives each claim."""
    caps, clashes = _caps(policy, claims), _clashes(policy, claims)
    worths = [int((c.quantity or 0) * 100 * (2 if c.unit == "ceu" else 1)) for c in claims]
    worths = [
        worth if c.limit is None else min(worth, int(c.limit * 100))
        for worth, c in zip(worths, claims, strict=True)
    ]
    order = sorted(range(len(claims)), key=lambda i: line_of(policy, claims[i]).key)
    lawful = (
        given
        for given in product(*(range(worth + 1) for worth in worths))
        if all(sum(given[i] for i in members) <= bound for bound, members in caps)
        if not any(given[i] and given[j] for i, j in clashes)
    )
    chosen = max(
        lawful,
        key=lambda given: (
            sum(given) >= policy.points_required * 100 and not _lacking(policy, claims, given),
            sum(given),
            -_lacking(policy, claims, given),
            [given[i] for i in order],
        ),
    )
    return [Decimal(cents).scaleb(-2) for cents in chosen]


def test_the_search_for_the_best_prints_nothing(capfd):
    course = replace(claim("volunteer", "15", date(2026, 5, 1)), title="Lean")
    twin = replace(claim("third_party", "10", date(2026, 5, 1)), title="Lean")
    full = claim("volunteer", "20", date(2025, 1, 1))

    assert total(full, course, twin) == 30
    assert capfd.readouterr() == ("", "")


@given(several(dated(4, INSIDE), most=FEW), policies(6, jobs=()))
def test_no_allocation_is_better_for_the_holder(claims, policy):
    """worked_cases.md I2: the best allocation. Amounts are a few cents, so that all are tried."""
    policy = _simple(policy)
    claims = [replace(claim, role="", duty=False) for claim in claims]
    found = evaluate(policy, claims, cycle=CYCLE, on=CYCLE.ends_on)
    counted = {credit.ref: credit.counted for credit in found.credits}

    assert [counted[claim.ref] for claim in claims] == best(policy, claims)
