"""The best allocation by integer programming (HiGHS), where taking claims in order is not.

Four questions, each under the answers to those before: the highest total; the least that the
minima lack; then for every part in order the most that it can have. The last makes the answer
one and the same whatever way the solver takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import highspy

from tracker.domain.allocation import Cap, Need, Part

_CENTS = 100
# HiGHS 1.15 at times presolves a program with a solution to one without. Within the tolerance a
# choice may be a little of each; on thousands of points that would come to a cent.
_EXACTLY: dict[str, str | float] = {
    "presolve": "off",
    "mip_rel_gap": 0.0,
    "mip_feasibility_tolerance": 1e-9,
}


def search(
    parts: Sequence[Part],
    caps: Sequence[Cap],
    needs: Iterable[Need],
    alternatives: Iterable[Sequence[int]],
) -> None:
    """Give every part its points. ``alternatives`` are lines of which one counts."""
    program = _Program(parts, caps)
    for lines in alternatives:
        program.choose_one(lines)
    program.settle(program.total, highspy.ObjSense.kMaximize)
    lacking = [program.lacking(need) for need in needs]
    if lacking:
        program.settle(sum(lacking), highspy.ObjSense.kMinimize)
    for part, variable in zip(parts, program.given, strict=True):
        cents = program.settle(variable, highspy.ObjSense.kMaximize)
        part.given = Decimal(cents).scaleb(-2)


class _Program:
    """The integer program; its variables are cents."""

    def __init__(self, parts: Sequence[Part], caps: Sequence[Cap]) -> None:
        self._solver = highspy.Highs()  # type: ignore[no-untyped-call]
        self._solver.setOptionValue("output_flag", False)  # noqa: FBT003 - the library's own way
        for option, value in _EXACTLY.items():
            self._solver.setOptionValue(option, value)
        self._parts = parts
        self.given = [self._solver.addIntegral(0, _cents(part.points)) for part in parts]
        self.total = sum(self.given)
        for index, cap in enumerate(caps):
            bounded = [x for x, part in zip(self.given, parts, strict=True) if index in part.caps]
            self._solver.addConstr(sum(bounded) <= _cents(cap.bound))

    def choose_one(self, lines: Sequence[int]) -> None:
        chosen = {line: self._solver.addBinary() for line in lines}
        self._solver.addConstr(sum(chosen.values()) <= 1)
        for part, given in zip(self._parts, self.given, strict=True):
            if part.line in chosen:
                self._solver.addConstr(given <= _cents(part.points) * chosen[part.line])

    def lacking(self, need: Need) -> Any:
        """What a minimum lacks, in cents; a missing kind weighs as a point."""
        lacking = self._solver.addIntegral(0, _cents(need.minimum))
        sums = [sum(self.given[i] for i in group) for group in need.groups if group]
        if need.of == "kinds":
            present = [self._solver.addBinary() for _ in sums]
            for one, points in zip(present, sums, strict=True):
                self._solver.addConstr(one <= points)
            self._solver.addConstr(lacking + _CENTS * sum(present) >= _cents(need.minimum))
        else:
            self._solver.addConstr(lacking + sum(sums) >= _cents(need.minimum))
        return lacking

    def settle(self, wanted: Any, sense: Any) -> int:
        """Find the best of what is wanted, and hold to it from here on."""
        if sense == highspy.ObjSense.kMaximize:
            self._solver.maximize(wanted)
        else:
            self._solver.minimize(wanted)
        # Invariant: nothing at all is an allocation, so there is always a best one.
        assert self._solver.getModelStatus() == highspy.HighsModelStatus.kOptimal  # noqa: S101
        best = round(self._solver.getInfo().objective_function_value)
        if sense == highspy.ObjSense.kMaximize:
            self._solver.addConstr(wanted >= best)
        else:
            self._solver.addConstr(wanted <= best)
        return best


def _cents(points: Decimal) -> int:
    return int(points.scaleb(2))
