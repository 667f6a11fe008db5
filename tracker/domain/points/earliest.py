"""Choose among equally good allocations: give each variable in turn the most it can have.

Solving the whole program for each variable takes minutes if there are hundreds. So three programs
are solved in turn, each many times slower than the one before: without whole numbers, with whole
choices, with all variables whole. What a variable cannot have in one program it cannot have in the
next, and a whole solution, checked in whole numbers, is a solution of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracker.domain.points.solver import IntegerProgram

_NEARLY = 1e-5  # how far from a whole number the solver may be


class _Spent(Exception):  # noqa: N818 - named for the refused fact
    """The budget is not enough."""


class _Relaxed:
    """A copy of a program in which only some variables are whole."""

    def __init__(self, program: IntegerProgram, whole: Collection[int]) -> None:
        self._highs, self._solver = program.copied()
        for variable in range(self._solver.getNumCol()):
            self._solver.changeColCost(variable, 0)
            if variable not in whole:
                kind = self._highs.HighsVarType.kContinuous
                self._solver.changeColIntegrality(variable, kind)
        self._solver.changeObjectiveSense(self._highs.ObjSense.kMaximize)
        self._is_tree = bool(whole)

    def hold(self, variable: int, least: int, most: int) -> None:
        """Fix the bounds of a variable."""
        self._solver.changeColBounds(variable, least, most)

    def most(self, variable: int, nodes: int) -> tuple[float, Sequence[float], int] | None:
        """The most of a variable, a solution with it, and the nodes used; None: no solution.

        Raises _Spent if more than ``nodes`` nodes would be needed.
        """
        self._solver.setOptionValue("mip_max_nodes", nodes)
        self._solver.changeColCost(variable, 1)
        self._solver.run()
        status, info = self._solver.getModelStatus(), self._solver.getInfo()
        most, taken = info.objective_function_value, info.mip_node_count
        found = self._solver.getSolution().col_value
        self._solver.changeColCost(variable, 0)
        if status == self._highs.HighsModelStatus.kInfeasible:
            return None
        if status != self._highs.HighsModelStatus.kOptimal:
            raise _Spent
        return most, found, max(taken, 1) if self._is_tree else 0


class Search:
    """The search for the most of one variable after the other, from a solution of the program."""

    def __init__(
        self,
        program: IntegerProgram,
        values: list[int],
        holds: Callable[[Sequence[int]], bool],
        nodes: int,
    ) -> None:
        self.values = values
        self._program, self._holds, self._nodes, self._reached = program, holds, nodes, True
        everything = range(len(values))
        choices = {n for n in everything if program.mosts[n] == 1}
        self._levels = [_Relaxed(program, w) for w in ((), choices, everything)]

    def settle(self, variables: Iterable[int]) -> bool:
        """Settle all variables; False if the nodes were not enough."""
        for variable in variables:
            if self.values[variable] < self._program.mosts[variable]:
                try:
                    self._raise(variable)
                except _Spent:
                    self._reached = False
            value = self.values[variable]
            for level in self._levels:
                level.hold(variable, value, value)
        return self._reached

    def _raise(self, variable: int) -> None:
        """Change the solution to one in which the variable has the most. Raises _Spent."""
        any(self._is_settled(level, variable) for level in self._levels)

    def _is_settled(self, level: _Relaxed, variable: int) -> bool:
        """Whether this program finds the variable's most; the solution has it then."""
        found = self._more(level, variable)
        if found is None:
            return True
        most, values, taken = found
        self._nodes -= taken
        whole = [round(value) for value in values]
        known = whole[variable] == floor(most + _NEARLY) and self._holds(whole)
        if known:
            self.values = whole
        return known

    def _more(self, level: _Relaxed, variable: int) -> tuple[float, Sequence[float], int] | None:
        """The most beyond what the variable has, with the choices that it depends on."""
        asked = self._program.asks.get(variable, ())
        level.hold(variable, self.values[variable] + 1, self._program.mosts[variable])
        for choice in asked:
            level.hold(choice, 1, 1)
        try:
            return level.most(variable, max(self._nodes, 0))
        finally:
            level.hold(variable, 0, self._program.mosts[variable])
            for choice in asked:
                level.hold(choice, 0, 1)
