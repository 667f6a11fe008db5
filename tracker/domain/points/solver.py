"""The best allocation by integer programming (HiGHS), if taking claims in order is not best.

Four goals, each under the answers to those before: whether the requirement and all minima can be
met; the highest total; the least that the minima lack; then, for every part in order, the most that
it can have. The last goal makes the answer unique, whichever way the solver takes.

All goals but the last are always reached. The last has a budget (``NODES``), counted in nodes of
the search and not in seconds, so that the same record always has the same answer. When it is spent,
the remaining parts keep what they have, which is as good in everything but the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tracker.domain.points import earliest
from tracker.domain.points.allocation import AllocationProblem, Need, Rounded

_CENTS = 100
_FINE = 10_000  # units per point if sums are rounded to hundredths
LinearTerms = Mapping[int, int]  # variables by number, each with its coefficient
NODES = 60  # of search trees, for the order of all parts: a search takes at least one
# HiGHS 1.15 sometimes presolves a program with a solution to one without. Within the tolerance a
# choice may be a little of each; on thousands of points that would come to a cent.
_EXACTLY: dict[str, str | float | bool] = {
    "output_flag": False,
    "presolve": "off",
    "mip_rel_gap": 0.0,
    "mip_feasibility_tolerance": 1e-9,
}


def search(problem: AllocationProblem, nodes: int = NODES) -> bool:
    """Give every part its points.

    False if the budget of ``nodes`` was not enough to give the first parts the most in order.
    """
    program = Allocation(problem)
    program.settle({program.complete(): 1})
    program.settle(program.total)
    program.settle(dict.fromkeys(program.lacks, -1))
    in_order = program.settle_in_order(program.given, nodes)
    for part, variable in zip(problem.parts, program.given, strict=True):
        part.given = program.points([variable])
    return in_order


class IntegerProgram:
    """An integer program; its variables are whole numbers from 0 up, known by their numbers.

    ``mosts`` are their upper bounds. ``asks`` are the choices without which a variable is 0.
    """

    def __init__(self) -> None:
        import highspy  # noqa: PLC0415 - slow to load, and seldom needed

        self._highs = highspy
        self._solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in _EXACTLY.items():
            self._solver.setOptionValue(option, value)
        self._solver.addVar(0, 0)  # HiGHS treats a program without variables as no program
        self.mosts, self.asks = [0], dict[int, list[int]]()
        self._rows: list[tuple[LinearTerms, float, float]] = []
        self._wanted: LinearTerms = {}
        self._values: list[int] = []

    def variable(self, most: int = 1) -> int:
        """Add a variable; one with an upper bound of 1 is a choice."""
        number = self._solver.getNumCol()
        self._solver.addVar(0, most)
        self._solver.changeColIntegrality(number, self._highs.HighsVarType.kInteger)
        self.mosts.append(most)
        return number

    def bound(self, mosts: Mapping[int, int]) -> None:
        """Limit variables, each to at most a number."""
        for variable, most in mosts.items():
            self._solver.changeColBounds(variable, 0, most)

    def divide(self, variable: int) -> None:
        """Let a variable be any number, not only a whole one; its value is rounded."""
        self._solver.changeColIntegrality(variable, self._highs.HighsVarType.kContinuous)

    def at_most(self, terms: LinearTerms, bound: int) -> None:
        """Limit a sum to at most ``bound``."""
        self._row(terms, -self._highs.kHighsInf, bound)

    def at_least(self, terms: LinearTerms, bound: int) -> None:
        """Require a sum of at least ``bound``."""
        self._row(terms, bound, self._highs.kHighsInf)

    def _row(self, terms: LinearTerms, least: float, most: float) -> None:
        self._rows.append((terms, least, most))
        self._solver.addRow(least, most, len(terms), list(terms), list(terms.values()))

    def best(self, wanted: LinearTerms) -> int | None:
        """The most that a sum can be; None if the program has no solution."""
        self._want(wanted)
        self._solver.run()
        status = self._solver.getModelStatus()
        if status == self._highs.HighsModelStatus.kInfeasible:
            return None
        assert status == self._highs.HighsModelStatus.kOptimal, status  # noqa: S101 - it cannot be otherwise
        self._values = [round(value) for value in self._solver.getSolution().col_value]
        return round(self._solver.getInfo().objective_function_value)

    def _want(self, wanted: LinearTerms) -> None:
        for variable in self._wanted:
            self._solver.changeColCost(variable, 0)
        for variable, weight in wanted.items():
            self._solver.changeColCost(variable, weight)
        self._wanted = wanted
        self._solver.changeObjectiveSense(self._highs.ObjSense.kMaximize)

    def value(self, variable: int) -> int:
        """The value of a variable in the latest solution."""
        return self._values[variable]

    def settle_in_order(self, variables: Iterable[int], nodes: int) -> bool:
        """Give each variable in turn the most that it can have.

        It starts from the latest solution. False if ``nodes`` of search trees were not enough: then
        some variables have less than they could.
        """
        search = earliest.Search(self, self._values, self._holds, nodes)
        reached = search.settle(variables)
        self._values = search.values
        return reached

    def copied(self) -> tuple[Any, Any]:
        """The library, and a new solver for the same program."""
        solver: Any = self._highs.Highs()  # type: ignore[no-untyped-call]
        for option, value in _EXACTLY.items():
            solver.setOptionValue(option, value)
        solver.passModel(self._solver.getLp())
        return self._highs, solver

    def _holds(self, values: Sequence[int]) -> bool:
        """Whether whole numbers satisfy every row, without any tolerance."""
        sums = (
            (least, sum(weight * values[variable] for variable, weight in terms.items()), most)
            for terms, least, most in self._rows
        )
        return all(least <= found <= most for least, found, most in sums)


class Allocation(IntegerProgram):
    """The program of parts under caps and minima; ``given`` are the variables of the parts.

    All amounts are whole numbers: ``size``, a power of ten, is the number of units per point.
    ``total`` is the sum of the parts, including the sums that are rounded. ``bounded`` are
    the parts of each cap, ``lacks`` the variables of what the requirement and each minimum lack.
    """

    def __init__(self, problem: AllocationProblem) -> None:
        super().__init__()
        parts, caps, rounds = problem.parts, problem.caps, problem.rounds
        self.problem, self.size = problem, _CENTS if rounds is None else _FINE
        self.decimals = len(str(self.size)) - 1
        self._rounded: dict[tuple[int, ...], LinearTerms] = {}
        self.given = [
            # No more than any cap leaves: with wide bounds a search takes many times as long.
            self.variable(min(self.units(m) for m in (p.points, *(caps[n].bound for n in p.caps))))
            for p in parts
        ]
        self.total: LinearTerms = dict.fromkeys(self.given, 1)
        self.bounded: dict[int, dict[int, int]] = {}
        for variable, part in zip(self.given, parts, strict=True):
            for index in part.caps:
                self.bounded.setdefault(index, {})[variable] = 1
        for index, terms in self.bounded.items():
            self.at_most(terms, self.units(caps[index].bound))
        if rounds is not None:
            self._round(rounds)
        for lines in problem.alternatives:
            self._choose_one(lines)
        self.lacks = {self._lacking(need): need for need in problem.minima}

    def units(self, points: Decimal) -> int:
        """Points as a whole number."""
        return int(points * self.size)

    def points(self, variables: Iterable[int]) -> Decimal:
        """The points that some variables stand for in the latest solution."""
        return Decimal(sum(map(self.value, variables))).scaleb(-self.decimals)

    def _round(self, rounds: Rounded) -> None:
        """Let the total be the total of sums rounded to hundredths.

        A rounded sum may be as much as its parts round up to. With half_even, hundredths come in
        pairs: two hundredths above an even one need all of 0.0150, the first needs 0.0051.
        """
        step = self.size // _CENTS
        total: dict[int, int] = {}
        for group in rounds.groups:
            given = {self.given[i]: 1 for i in group}
            most = sum(self.units(self.problem.parts[i].points) for i in group) // step + 1
            if rounds.rounding == "half_even":
                pairs, one, two = self.variable(most), self.variable(), self.variable()
                self.at_least({one: 1, two: -1}, 0)
                half = step // 2
                self.at_least({**given, pairs: -2 * step, one: -half - 1, two: 1 - 2 * half}, 0)
                terms = {pairs: 2 * step, one: step, two: step}
            else:
                hundredths = self.variable(most)
                more = {"half_up": step // 2, "down": 0, "up": step - 1}[rounds.rounding]
                self.at_least({**given, hundredths: -step}, -more)
                terms = {hundredths: step}
            self._rounded[group] = terms
            total |= terms
        self.total = self._rounded[tuple(range(len(self.given)))] = total

    def _choose_one(self, lines: Sequence[int]) -> None:
        """Let only one of some lines have points."""
        chosen = {line: self.variable() for line in lines}
        self.at_most(dict.fromkeys(chosen.values(), 1), 1)
        for part, given in zip(self.problem.parts, self.given, strict=True):
            if part.line in chosen:
                self.at_most({given: 1, chosen[part.line]: -self.mosts[given]}, 0)
                self.asks.setdefault(given, []).append(chosen[part.line])

    def _lacking(self, need: Need) -> int:
        """The variable of what a minimum lacks; a missing kind weighs as a point."""
        most = self.units(need.minimum)
        lacking = self.variable(most)
        self.at_least({lacking: 1, **self._serving(need)}, most)
        return lacking

    def _serving(self, need: Need) -> LinearTerms:
        """What counts for a minimum; a kind counts as a point."""
        if need.rounding is not None and need.groups[0] in self._rounded:
            return self._rounded[need.groups[0]]
        groups = [dict.fromkeys((self.given[i] for i in group), 1) for group in need.groups]
        if need.of != "kinds":
            return {variable: 1 for terms in groups for variable in terms}
        present = {self.variable(): terms for terms in groups if terms}
        for variable, terms in present.items():
            self.at_least({variable: -1, **terms}, 0)
        return dict.fromkeys(present, self.size)

    def complete(self) -> int:
        """Whether the requirement is reached and no minimum lacks anything: 1, else 0."""
        complete = self.variable()
        for lack in self.lacks:
            self.at_most({lack: 1, complete: self.mosts[lack]}, self.mosts[lack])
        return complete

    def settle(self, wanted: LinearTerms) -> int:
        """Find the most that a sum can be, and keep to it from here on."""
        best = self.best(wanted)
        # Invariant: giving nothing is an allocation, so there is always a best one.
        assert best is not None  # noqa: S101 - it cannot be otherwise
        self.at_least(wanted, best)
        return best
