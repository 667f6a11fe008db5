"""Candidates: how far somebody has come with the modules of a scheme, and when to try again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from tracker.domain.credentials.assessments import Attempt, first_lawful_retake, passes
from tracker.domain.schemes.schemes import Module, Scheme


@dataclass(frozen=True, slots=True)
class ModuleProgress:
    """Where somebody stands with a module.

    ``passed_on`` is the day of the first pass. ``retake_on`` is the first day on which a module
    that was failed may be attempted again; it may be past. None: not passed, or nothing to wait
    for.
    """

    module: Module
    passed_on: date | None
    retake_on: date | None


@dataclass(frozen=True, slots=True)
class Candidacy:
    """Where somebody stands with every module of a scheme, in the scheme's order."""

    modules: tuple[ModuleProgress, ...]

    @property
    def passed(self) -> tuple[ModuleProgress, ...]:
        """The modules passed."""
        return tuple(one for one in self.modules if one.passed_on is not None)

    @property
    def missing(self) -> tuple[ModuleProgress, ...]:
        """The required modules that are not passed yet."""
        return tuple(one for one in self.modules if one.module.required and one.passed_on is None)


def candidacy(scheme: Scheme, attempts: Collection[Attempt]) -> Candidacy:
    """Where somebody with these attempts stands; a pass counts whenever it was.

    A module certificate never expires, so this is also true of a holder whose certification has
    ended. Whether that one must pass modules again is said by the certification's next step.
    """
    passed = passes(attempts, on=date.max)

    def of(module: Module) -> ModuleProgress:
        day = passed.get(module.code)
        failures = (a.taken_on for a in attempts if a.module == module.code and not a.passed)
        retake = first_lawful_retake(scheme.retake, failures) if day is None else None
        return ModuleProgress(module, day, retake)

    return Candidacy(tuple(map(of, scheme.modules)))
