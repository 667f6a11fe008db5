"""What a measurement is: a name, a goal, a sentence, and a function that gives a number."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from tests.benchmarks.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Goal:
    """What a number should be: at least or at most so much."""

    bound: float
    sign: Literal[">=", "<="]
    unit: str = ""

    def reached_by(self, value: float) -> bool:
        """Whether a number is as good as this."""
        return value >= self.bound if self.sign == ">=" else value <= self.bound

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}{self.unit}"


def at_least(bound: float, unit: str = "") -> Goal:
    """More is better."""
    return Goal(bound, ">=", unit)


def at_most(bound: float, unit: str = "") -> Goal:
    """Less is better."""
    return Goal(bound, "<=", unit)


@dataclass(frozen=True, slots=True)
class Measured:
    """A number, and those that it was made of, by what they are."""

    value: float
    parts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of the table: ``work`` is measured ``against`` something, and has a goal."""

    name: str
    work: str
    against: str
    goal: Goal
    run: Callable[[Workshop], Measured]


class NotHereError(Exception):
    """This measurement needs something that is not here; the text says what."""


REGISTRY: dict[str, Measurement] = {}
_Run = TypeVar("_Run", bound=Callable[[Workshop], Measured])


def measures(name: str, goal: Goal, *, against: str) -> Callable[[_Run], _Run]:
    """Register a function as a measurement; the first line of its docstring says of what."""

    def register(run: _Run) -> _Run:
        work = (run.__doc__ or name).splitlines()[0].rstrip(".")
        REGISTRY[name] = Measurement(name, work, against, goal, run)
        return run

    return register


def in_turns(
    work: Callable[[], float], against: Callable[[], float], *, rounds: int
) -> Iterator[tuple[float, float]]:
    """Measure both in turns, A B A B, so that whatever else the machine does hits both alike."""
    for _ in range(rounds):
        yield work(), against()


def ratio_of_rates(
    work: Callable[[], float], against: Callable[[], float], *, rounds: int, unit: str
) -> Measured:
    """The median of the pairs' ratios of two rates, and the median rates."""
    pairs = list(in_turns(work, against, rounds=rounds))
    return Measured(
        statistics.median(mine / other for mine, other in pairs),
        {
            f"work {unit}": statistics.median(mine for mine, _ in pairs),
            f"against {unit}": statistics.median(other for _, other in pairs),
        },
    )
