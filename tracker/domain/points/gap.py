"""What would close the gap: the smallest sets of further activities, by integer programming.

A *way* is a set of kinds of activity that closes the gap by the last day, none of which can be left
out: the fewest kinds first, then the policy's own order; each is done as little as needed. The
computation assumes that every activity is approved, done in no special role, outside regular
duties, and not a repetition, and that jobs on record go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

from tracker.domain.periods import Period
from tracker.domain.points import evaluations
from tracker.domain.points.allocation import Need
from tracker.domain.points.claims import ZERO, Evaluation, GroupKind, Rule, Shortfall
from tracker.domain.points.options import KIND, Program, SuggestedActivity
from tracker.domain.points.pricing import CENT
from tracker.domain.schemes.policies import Policy

MOST_WAYS = 8
ENOUGH_WAYS = 4  # with this many, nobody needs a larger combination


class GapObstacle(NamedTuple):
    """Why nothing closes the gap.

    ``over``: no time is left. ``lost``: a year that fell short has passed (``subject``: its first
    day). ``nothing``: no activity is open. ``unserved``: no activity counts for a minimum.
    ``kinds``: too few kinds are open. A cap leaves only ``points``; ``stop`` leaves none. ``once``:
    only one activity of a type counts. ``time``: only ``months`` are left for employment.
    """

    kind: Rule | Literal["over", "lost", "nothing", "unserved", "kinds", "once", "time"]
    group: str = ""
    subject: str = ""
    points: Decimal = ZERO
    months: int = 0


class Gap(NamedTuple):
    """The ways to close a gap by the last day; if there is none, the obstacles.

    ``goes_on``: jobs on record are assumed to go on. A way without activities: these jobs are
    enough.
    """

    days: Period
    goes_on: bool = False
    ways: tuple[tuple[SuggestedActivity, ...], ...] = ()
    obstacles: tuple[GapObstacle, ...] = ()


def close(evaluation: Evaluation, policy: Policy, *, by: date = date.max) -> Gap:
    """What would complete an evaluation by the last day whose activities count.

    ``by`` is the last day of the terms that apply to the application. Activities carry tags that
    are lacking; others that have a minimum only if that is of no use.
    """
    on, earning = evaluation.on, evaluation.earning
    goes_on = any(c.completed_on is None or c.completed_on > on for c in evaluation.claims)
    found = Gap(Period(max(on, earning.starts_on), min(earning.ends_on, by)), goes_on)
    if evaluation.complete:
        return found
    needs = evaluations.problem_of(policy, evaluation.cycle, evaluation.terms, []).needs
    for tags in dict.fromkeys((_tags(evaluation.shortfalls), _tags(needs))):
        program = Program(evaluation, policy, found.days, tags)
        if ways := tuple(_ways(program)):
            return found._replace(ways=ways)
    return found._replace(obstacles=tuple(_obstacles(program)))


def _tags(minima: Iterable[Need | Shortfall]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for of, code in (m.group for m in minima) if of == "tag"))


def _ways(program: Program) -> Iterator[tuple[SuggestedActivity, ...]]:
    """The ways; larger sets are tried only if there are few smaller ones."""
    sizes = list[int]()
    program.bound(dict.fromkeys(program.lacks, 0))
    wanted = {used: -KIND - number for number, used in enumerate(program.used)}
    while len(sizes) < MOST_WAYS and program.best(wanted) is not None:
        kinds = [number for number, used in enumerate(program.used) if program.value(used)]
        if len(sizes) >= ENOUGH_WAYS and len(kinds) > sizes[-1]:
            return
        sizes.append(len(kinds))
        yield program.way(kinds)
        program.at_most({program.used[number]: 1 for number in kinds}, len(kinds) - 1)


def _obstacles(program: Program) -> Iterator[GapObstacle]:
    """The obstacles, the most final first.

    Of equally good solutions, it takes one that uses as many recorded points as possible.
    """
    program.bound({lack: program.mosts[lack] for lack in program.lacks})
    program.settle(dict.fromkeys(program.lacks, -1))
    program.settle({given: 1 for given in program.given if given not in program.further})
    lacks = [need for variable, need in program.lacks.items() if program.value(variable)]
    lost = [need for need in lacks if need.period and need.period.ends_on < program.days.starts_on]
    if program.days.starts_on > program.days.ends_on:
        yield GapObstacle("over")
    elif lost:
        yield from (GapObstacle("lost", subject=need.subject) for need in lost)
    elif not program.options:
        yield GapObstacle("nothing")
    else:
        yield from _limits(program, lacks)


def _limits(program: Program, lacks: Iterable[Need]) -> Iterator[GapObstacle]:
    """Minima that nothing serves, caps that are used up, and how little time is left for jobs.

    If sums are rounded, the last hundredth of a cap need not be used.
    """
    useful = set[int]()
    for need in lacks:
        serving = program.further.keys() & {program.given[n] for some in need.groups for n in some}
        if need.of == "kinds":
            yield GapObstacle("kinds")
        elif need.subject and not serving:
            yield GapObstacle("unserved", *need.group)
        else:
            useful |= serving
    rooms: dict[tuple[Rule, GroupKind, str], Decimal] = {}
    for index, bound in program.bounded.items():
        cap, held = program.problem.caps[index], bound.keys() - program.further.keys()
        if cap.group and bound.keys() & useful and program.points(bound) > cap.bound - CENT:
            key = cap.rule, cap.group, cap.code
            rooms[key] = max(rooms.get(key, ZERO), cap.bound - program.points(held))
    yield from (GapObstacle(*key, room) for key, room in rooms.items())
    for code in dict.fromkeys(option.kind.code for option in program.options if option.once):
        yield GapObstacle("once", "type", code)
    if not rooms and any(option.kind.is_job for option in program.options):
        months = [choice.jobs[-1][1] for choice in program.choices if choice.jobs]
        yield GapObstacle("time", months=int(max(months, default=ZERO)))
