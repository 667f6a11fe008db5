"""Of equally good allocations the one that counts the earliest first, at a bounded cost."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.points import solver
from tracker.domain.points.allocation import AllocationProblem, Cap, Part

CENT = Decimal("0.01")


def _caps(*bounds: int) -> list[Cap]:
    return [Cap("cycle_cap", "category", str(n), bound * CENT) for n, bound in enumerate(bounds)]


def _parts(*parts: tuple[int, tuple[int, ...]]) -> list[Part]:
    return [Part(line, points * CENT, caps) for line, (points, caps) in enumerate(parts)]


def _search(
    parts: list[Part],
    caps: list[Cap],
    alternatives: tuple[tuple[int, ...], ...] = (),
    *,
    nodes: int = solver.NODES,
) -> tuple[bool, list[int]]:
    reached = solver.search(AllocationProblem(parts, caps, alternatives=alternatives), nodes)
    return reached, [int(part.given * 100) for part in parts]


def _many(number: int) -> tuple[list[Part], list[Cap], tuple[tuple[int, ...], ...]]:
    """Claims in pairs of which one counts, under caps of which each holds some of them."""
    shapes = ((1 + 977 * n % 1900, ((n % 7), 7 + n % 3)) for n in range(number))
    caps = _caps(*(40 * number + 613 * n for n in range(7)), *3 * [100 * number])
    return _parts(*shapes), caps, tuple((n, n + 1) for n in range(0, number - 1, 2))


@st.composite
def _problems(draw: st.DrawFn) -> tuple[list[Part], list[Cap], tuple[tuple[int, ...], ...]]:
    parts = draw(
        st.lists(
            st.tuples(st.integers(1, 4), st.sets(st.integers(0, 3)).map(tuple)),
            min_size=2,
            max_size=5,
        )
    )
    groups = st.sets(st.integers(0, len(parts) - 1), min_size=2).map(tuple)
    return (
        _parts(*parts),
        _caps(*draw(st.lists(st.integers(1, 6), min_size=4, max_size=4))),
        tuple(draw(st.lists(groups, max_size=2))),
    )


@given(_problems())
def test_it_is_the_first_of_all_ways_to_the_highest_total_and_without_a_budget_another(problem):
    parts, caps, alternatives = problem
    every = product(*(range(int(part.points * 100) + 1) for part in parts))
    lawful = [
        way
        for way in every
        if all(
            sum(n for n, part in zip(way, parts, strict=True) if index in part.caps) * CENT
            <= cap.bound
            for index, cap in enumerate(caps)
        )
        and all(sum(way[n] > 0 for n in lines) <= 1 for lines in alternatives)
    ]

    best = max(lawful, key=lambda way: (sum(way), way))

    assert _search(*problem) == (True, list(best))
    assert sum(_search(*problem, nodes=0)[1]) == sum(best)


def test_points_are_whole_where_their_halves_would_come_to_more():
    """Three caps of one, each on two of three: with halves 1.5 in all."""
    parts = _parts((1, (0, 1)), (1, (1, 2)), (1, (0, 2)), (1, (3,)), (2, (3,)))

    assert _search(parts, _caps(1, 1, 1, 2)) == (True, [1, 0, 0, 1, 1])


@pytest.mark.parametrize("nodes", [0, 2])
def test_a_budget_that_does_not_reach_is_told_and_gives_the_same_each_time(nodes):
    first, again = (_search(*_many(40), nodes=nodes) for _ in range(2))
    reached, best = _search(*_many(40), nodes=10_000)

    assert first == again
    assert (first[0], reached) == (False, True)
    assert sum(first[1]) == sum(best)
    assert first[1] < best


def test_hundreds_of_claims_in_pairs_are_settled_within_the_budget():
    reached, found = _search(*_many(120))

    assert reached
    assert sum(found) > 0
