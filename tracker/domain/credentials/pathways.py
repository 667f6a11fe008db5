"""Where somebody stands on a pathway: the steps that are done, and the next one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from tracker.domain.schemes.pathways import Pathway, PathwayStep, StepCompletion


@dataclass(frozen=True, slots=True)
class Achievements:
    """What somebody has on record, with its days.

    Days of first passes are by scheme and module, those of awards by scheme, those of credentials
    by code and level; a credential without a level has an empty one. ``fundings`` paid for an
    assessment; ``apprenticeships`` are the days on which one was registered or completed.
    """

    passes: Mapping[tuple[str, str], date] = field(default_factory=dict)
    awards: Mapping[str, date] = field(default_factory=dict)
    credentials: Mapping[tuple[str, str], date] = field(default_factory=dict)
    fundings: Mapping[str, date] = field(default_factory=dict)
    apprenticeships: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepProgress:
    """A step, and the day on which it was completed; None: it is not."""

    step: PathwayStep
    done_on: date | None


@dataclass(frozen=True, slots=True)
class PathwayProgress:
    """Where somebody stands on a pathway."""

    pathway: Pathway
    steps: tuple[StepProgress, ...]

    @property
    def next(self) -> PathwayStep | None:
        """The first step that is not completed; None: all are."""
        return next((one.step for one in self.steps if one.done_on is None), None)


def progress(pathway: Pathway, achieved: Achievements) -> PathwayProgress:
    """Where somebody with these achievements stands.

    Steps may be completed in any order: an achievement counts whenever it was.
    """
    steps = (StepProgress(s, _done_on(s.completed_by, achieved)) for s in pathway.steps)
    return PathwayProgress(pathway, tuple(steps))


def _done_on(by: StepCompletion, achieved: Achievements) -> date | None:
    """The day on which all that completes a step was there."""
    if by.modules and by.scheme:
        return _last([achieved.passes.get((by.scheme, module)) for module in by.modules])
    if by.certification:
        return achieved.awards.get(by.certification)
    if by.credential:
        days = [
            day
            for (code, level), day in achieved.credentials.items()
            if code == by.credential and by.level in {None, level}
        ]
        return min(days, default=None)
    if by.funding:
        return achieved.fundings.get(by.funding)
    return achieved.apprenticeships.get(by.apprenticeship or "")


def _last(days: Collection[date | None]) -> date | None:
    known = [day for day in days if day is not None]
    return max(known) if len(known) == len(days) else None
